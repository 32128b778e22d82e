//! Times what a large root costs: `archive FOLDER [PACKAGES [SNAPSHOTS]]`, in a folder that does not exist yet. Packages come by a mirror whose
//! upstream is made up here, so that only our own work is timed.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use apt::{
    Fetch, FetchError, Follow, Line, Merge, MirrorChange, PublishRequest, Root, Settings, Signing, SourceKind, Trust,
    UpdateMirror, UpdateRequest,
};
use debian::query;
use debian::sums::Sums;
use store::clock::SystemClock;

/// An archive of so many packages; the content of each file is its name.
struct Upstream {
    first: u32,
    packages: u32,
}

impl Upstream {
    fn index(&self) -> String {
        let mut text = String::new();
        for n in self.first..self.first + self.packages {
            let name = format!("{}-{n:06}", ["lib", "app", "python3", "node", "golang"][(n % 5) as usize]);
            let file = format!("{name}_1.{}_amd64.deb", n % 17);
            let sums = Sums::of(file.as_bytes());
            text += &format!(
                "Package: {name}\nVersion: 1.{}\nArchitecture: amd64\nSection: misc\nMaintainer: A Person <person@example.org>\n\
                 Depends: libc6 (>= 2.36), app-{:06} (>= 1.0)\nDescription: package {n} of a large archive\n\
                 Filename: pool/{}/{file}\nSize: {}\nMD5sum: {}\nSHA256: {}\n\n",
                n % 17,
                n / 2,
                n % 500,
                sums.size,
                sums.md5,
                sums.sha256
            );
        }
        text
    }
}

impl Fetch for Upstream {
    fn at_once(&self) -> usize {
        4
    }

    fn get(&self, url: &str, _: u64) -> Result<Vec<u8>, FetchError> {
        let index = self.index();
        match url.rsplit('/').next() {
            Some("Release") => {
                let sums = Sums::of(index.as_bytes());
                let listed = format!(" {} {} main/binary-amd64/Packages\n", sums.sha256, sums.size);
                Ok(format!("Architectures: amd64\nComponents: main\nSHA256:\n{listed}").into_bytes())
            }
            Some("Packages") => Ok(index.into_bytes()),
            _ => Err(FetchError::Missing(url.into())),
        }
    }

    fn save(&self, url: &str, _: u64, to: &Path) -> Result<(), FetchError> {
        let name = url.rsplit('/').next().unwrap_or_default();
        std::fs::write(to, name).map_err(|error| FetchError::Failed(error.to_string()))
    }
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    println!("{what:60} {:>9.0} ms", begun.elapsed().as_secs_f64() * 1000.0);
    done
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let number = |at: usize, usual: u32| args.get(at).map_or(Some(usual), |text| text.parse().ok());
    let (Some(folder), Some(packages), Some(snapshots)) = (args.get(1), number(2, 60_000), number(3, 3_500)) else {
        eprintln!("usage: archive FOLDER [PACKAGES [SNAPSHOTS]]");
        return ExitCode::from(2);
    };
    match run(Path::new(folder), packages, snapshots) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path, packages: u32, snapshots: u32) -> Result<(), apt::Error> {
    let quiet = &mut |_: Line| {};
    let root = Root::open(folder, Arc::new(SystemClock))?;
    let trust = Trust { unchecked: true, ..Trust::default() };
    let change = MirrorChange { archive: Some("http://upstream/".into()), ..MirrorChange::default() };
    let how = UpdateMirror { trust: trust.clone(), ..UpdateMirror::default() };
    let upstream = Upstream { first: 0, packages };
    root.create_mirror("m", "stable", &[], &change, [false; 2], &trust, &upstream)?;
    timed(&format!("mirror update, {packages} new packages"), || root.update_mirror("m", &how, &upstream, quiet))?;
    let begun = Instant::now();
    drop(upstream.index());
    let making = begun.elapsed();
    timed(&format!("mirror update, nothing new (making the index: 2 x {} ms)", making.as_millis()), || {
        root.update_mirror("m", &how, &upstream, quiet)
    })?;

    let all = query::parse("Name")?;
    root.create_repo("r", &Default::default(), None)?;
    let transfer = apt::Transfer { moves: false, dry_run: false, with_deps: None::<Follow> };
    timed("repo import of all", || root.import_packages("m", "r", &all, &transfer, quiet))?;
    timed("snapshot create", || root.snapshot_repo("before", "r"))?;
    let ten = query::parse(&(0..10).map(|n| format!("app-{:06}", n * 5 + 1)).collect::<Vec<_>>().join(" | "))?;
    timed("repo remove of ten by name", || root.remove_packages("r", &ten, false, quiet))?;
    let (before, after) = (root.snapshot("before")?.root, root.snapshot_repo("after", "r")?.root);
    timed("diff of two that differ by ten", || root.compare(&before, &after))?;
    timed("merge of two", || root.merge_snapshots("merged", &["before".into(), "after".into()], Merge::Replace))?;
    timed("repo search by name", || {
        let list = root.repo("r")?.root;
        root.search(&list, Some(&query::parse("node-000013")?), None)
    })?;
    timed("repo show (count)", || root.count(&root.repo("r")?.root))?;

    let settings = Settings { skip_contents: true, skip_bz2: true, ..Settings::default() };
    let signing = Signing { skip: true, ..Signing::default() };
    let request = PublishRequest {
        kind: SourceKind::Local,
        names: vec!["r".into()],
        components: vec!["main".into()],
        storage: String::new(),
        prefix: ".".into(),
        distribution: "stable".into(),
        architectures: vec!["amd64".into()],
        settings,
        force_overwrite: false,
        signing: signing.clone(),
        date: None,
    };
    timed("publish, no Contents, no bz2", || root.publish(&request, quiet))?;
    root.import_packages("m", "r", &query::parse("app-000006")?, &transfer, quiet)?;
    let update =
        UpdateRequest { prefix: ".".into(), distribution: "stable".into(), signing, ..UpdateRequest::default() };
    timed("publish after one more", || root.update_publication(&update, quiet))?;

    // More packages, each list a little different.
    let more = 200_000u32.saturating_sub(packages).min(packages * 3);
    let upstream = Upstream { first: packages, packages: more };
    root.create_mirror("n", "stable", &[], &change, [false; 2], &trust, &upstream)?;
    root.update_mirror("n", &how, &upstream, quiet)?;
    root.import_packages("n", "r", &all, &transfer, quiet)?;
    let begun = Instant::now();
    for n in 0..snapshots {
        let name = format!("{}-{:06}", ["lib", "app", "python3", "node", "golang"][(n % 5) as usize], n);
        root.remove_packages("r", &query::parse(&name)?, false, quiet)?;
        root.snapshot_repo(&format!("s{n}"), "r")?;
    }
    println!("{snapshots} times: remove one, snapshot: {:.1} s", begun.elapsed().as_secs_f64());
    timed(&format!("cleanup, {} packages, {snapshots} snapshots", packages + more), || {
        root.cleanup(false, false, quiet)
    })?;
    root.drop_snapshot("before", true).map_err(|error| apt::Error::Invalid(error.to_string()))?;
    root.drop_mirror("n", true).map_err(|error| apt::Error::Invalid(error.to_string()))?;
    timed("cleanup after a mirror was dropped", || root.cleanup(false, false, quiet))?;
    timed("repo list", || root.repos())?;
    timed("snapshot list", || root.snapshots())?;
    Ok(())
}
