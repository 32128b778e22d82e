//! A mirror of somebody else's signed repository: created, updated, filtered, snapshotted, published again; and what is not taken.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use debian::sums::Sums;
use testkit::package::package;

use crate::apt_story::{Machine, Running, address, have, serve};
use crate::server::run;

/// Somebody else: a signed publication of three packages, one of them with a source, and the key that signs it.
struct Upstream {
    machine: Machine,
    _serving: Running,
    url: String,
    key: PathBuf,
}

impl Upstream {
    fn start() -> Self {
        let machine = Machine::new();
        let home = machine.path().join(".gnupg");
        fs::create_dir(&home).expect("made");
        fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("set");
        let gpg = |args: &[&str]| {
            let (code, _, why) =
                run(Command::new("gpg").env("HOME", machine.path()).env_remove("GNUPGHOME").arg("--batch").args(args));
            assert_eq!(code, 0, "{why}");
        };
        gpg(&["--passphrase", "", "--quick-generate-key", "Upstream <up@example.org>", "ed25519", "sign", "never"]);
        let key = machine.path().join("key.gpg");
        gpg(&["--output", key.to_str().expect("a text"), "--export", "up@example.org"]);
        for (name, version, depends) in
            [("hello", "1.0", ""), ("hello", "2.0", "libhello"), ("libhello", "1.5", ""), ("other", "3.0", "")]
        {
            let built = package(name, version);
            let built = if depends.is_empty() { built } else { built.field("Depends", depends) };
            built.write_to(machine.path());
        }
        machine.run("aptly repo create up");
        machine.run("aptly repo add up .");
        machine.run("aptly publish repo -batch -distribution=stable -component=main -architectures=amd64 -origin=Upstream -acquire-by-hash up");
        let (serving, said) = serve(&machine);
        Self { url: format!("http://{}/", address(&said)), machine, _serving: serving, key }
    }

    fn add(&self, name: &str, version: &str) {
        package(name, version).write_to(self.machine.path());
        self.machine.run(&format!("aptly repo add up {name}_{version}_all.deb"));
        self.machine.run("aptly publish update -batch stable");
    }

    /// A file of the publication, as its web server shows it.
    fn file(&self, path: &str) -> PathBuf {
        self.machine.public().join("dists/stable").join(path)
    }
}

fn create(here: &Machine, up: &Upstream, name: &str, more: &str) -> String {
    here.run(&format!("aptly mirror create -keyring={} {more} {name} {} stable", up.key.display(), up.url))
}

fn update(here: &Machine, up: &Upstream, name: &str) -> String {
    here.run(&format!("aptly mirror update -keyring={} {name}", up.key.display()))
}

#[test]
fn a_signed_repository_is_mirrored_snapshotted_and_published_again() {
    if !have("gpg") || !have("gpgv") {
        return;
    }
    let (up, here) = (Upstream::start(), Machine::new());
    let said = create(&here, &up, "m", "");
    assert_eq!(
        said,
        format!(
            "\nMirror [m]: {} stable successfully added.\nYou can run 'aptly mirror update m' to download repository contents.\n",
            up.url
        )
    );
    let shown = here.run("aptly mirror show m");
    assert!(
        shown.contains("Components: main\nArchitectures: amd64\n") && shown.contains("Last update: never\n"),
        "{shown}"
    );
    assert!(shown.contains("\nInformation from release file:\n") && shown.contains("\nOrigin: Upstream\n"), "{shown}");
    assert_eq!(
        here.fails("aptly snapshot create early from mirror m", 1),
        "ERROR: unable to add snapshot: mirror not updated\n"
    );

    let said = update(&here, &up, "m");
    assert!(said.contains("Download queue: 4 items ("), "{said}");
    assert!(said.ends_with("\nMirror `m` has been updated successfully.\n"), "{said}");
    assert_eq!(here.run("aptly mirror search m"), "hello_2.0_all\nhello_1.0_all\nlibhello_1.5_all\nother_3.0_all\n");
    assert!(here.run("aptly mirror show -with-packages m").contains("Number of packages: 4\n"));

    // What is there is not brought again; what is new is.
    up.add("other", "3.1");
    let said = update(&here, &up, "m");
    assert!(said.contains("Download queue: 1 items ("), "{said}");
    assert!(update(&here, &up, "m").contains("Download queue: 0 items (0 B)"));

    here.run("aptly snapshot create s from mirror m");
    let shown = here.run("aptly snapshot show s");
    assert!(
        shown.contains(&format!("Description: Snapshot from mirror [m]: {} stable\n", up.url))
            && shown.contains("Sources:\n  m [repo]\n"),
        "{shown}"
    );
    let json: serde_json::Value = serde_json::from_str(&here.run("aptly snapshot show -json s")).expect("JSON");
    assert_eq!(
        (&json["SourceKind"], &json["Origin"], &json["RemoteRepos"][0]["Name"]),
        (&"repo".into(), &"Upstream".into(), &"m".into())
    );
    // Distribution, component and origin are those of the mirror.
    here.run("aptly publish snapshot -skip-signing -architectures=amd64 s");
    let release = fs::read_to_string(here.public().join("dists/stable/Release")).expect("published");
    assert!(release.contains("Origin: Upstream\n") && release.contains("Components: main\n"), "{release}");
    let ours = fs::read_to_string(here.public().join("dists/stable/main/binary-amd64/Packages")).expect("published");
    let theirs = fs::read_to_string(up.file("main/binary-amd64/Packages")).expect("published");
    assert_eq!(ours, theirs, "the same packages, byte for byte");

    here.run("aptly repo create mine");
    let said = here.run("aptly repo import -with-deps -architectures=amd64 m mine hello");
    assert!(said.contains("[o] hello_2.0_all imported") && said.contains("[o] libhello_1.5_all imported"), "{said}");
    assert_eq!(
        here.fails("aptly mirror drop m", 1),
        "ERROR: won't delete mirror with snapshots, use -force to override\n"
    );
    assert_eq!(here.run("aptly mirror rename m n"), "\nMirror m -> n has been successfully renamed.\n");
    assert_eq!(here.run("aptly mirror drop -force n"), "Mirror `n` has been removed.\n");
    assert_eq!(here.run("aptly mirror list -raw"), "");
}

#[test]
fn an_update_reads_indexes_that_changed_and_brings_files_that_are_gone() {
    if !have("gpg") || !have("gpgv") {
        return;
    }
    let (up, here) = (Upstream::start(), Machine::new());
    create(&here, &up, "m", "");
    assert!(update(&here, &up, "m").contains("Download queue: 4 items"));

    // What was read once is not read again, so nobody misses it.
    let indexes = up.file("main/binary-amd64");
    let aside = up.machine.path().join("aside");
    fs::rename(&indexes, &aside).expect("moved");
    let said = update(&here, &up, "m");
    assert!(said.contains("Nothing has changed") && said.contains("Download queue: 0 items (0 B)"), "{said}");
    let all = "hello_2.0_all\nhello_1.0_all\nlibhello_1.5_all\nother_3.0_all\n";
    assert_eq!(here.run("aptly mirror search m"), all);
    // Another wish is another list.
    here.run("aptly mirror edit -filter=hello m");
    assert!(here.fails(&format!("aptly mirror update -keyring={} m", up.key.display()), 1).contains("Packages"));
    fs::rename(&aside, &indexes).expect("moved");
    assert!(update(&here, &up, "m").contains("Download queue: 0 items"));
    assert_eq!(here.run("aptly mirror search m"), "hello_2.0_all\nhello_1.0_all\n");

    // A file that went from the pool comes again, whether the upstream changed or not.
    let lose = || {
        let sum = Sums::of(&fs::read(up.machine.path().join("hello_1.0_all.deb")).expect("built")).sha256;
        let file = format!(".aptly/pool/{}/{}/{}_hello_1.0_all.deb", &sum[..2], &sum[2..4], &sum[4..32]);
        let file = here.path().join(file);
        fs::remove_file(&file).expect("removed");
        file
    };
    let lost = lose();
    let said = update(&here, &up, "m");
    assert!(said.contains("Download queue: 1 items") && lost.is_file(), "{said}");
    let lost = lose();
    up.add("hello", "3.0");
    let said = update(&here, &up, "m");
    assert!(said.contains("Download queue: 2 items") && lost.is_file(), "{said}");
    assert_eq!(here.run("aptly mirror search m"), "hello_3.0_all\nhello_2.0_all\nhello_1.0_all\n");
}

#[test]
fn an_old_release_that_is_replayed_changes_nothing() {
    if !have("gpg") || !have("gpgv") {
        return;
    }
    let (up, here) = (Upstream::start(), Machine::new());
    create(&here, &up, "m", "");
    update(&here, &up, "m");
    let old = fs::read_link(up.file("").parent().expect("dists").join("stable")).expect("a link");
    // Dates are in whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    up.add("other", "3.1");
    update(&here, &up, "m");
    let list = here.run("aptly mirror search m");
    assert!(list.contains("other_3.1_all"), "{list}");

    let link = up.machine.public().join("dists/stable");
    fs::remove_file(&link).expect("removed");
    std::os::unix::fs::symlink(&old, &link).expect("linked");
    let why = here.fails(&format!("aptly mirror update -keyring={} m", up.key.display()), 1);
    assert!(why.contains("older than that of the last update") && why.contains("use -force"), "{why}");
    assert_eq!(here.run("aptly mirror search m"), list, "what is there stays");
    here.run(&format!("aptly mirror update -force -keyring={} m", up.key.display()));
    assert!(!here.run("aptly mirror search m").contains("other_3.1_all"));
}

#[test]
fn installers_and_appstream_come_along_and_are_published_again() {
    if !have("gpg") || !have("gpgv") {
        return;
    }
    let (up, here) = (Upstream::start(), Machine::new());
    // What people lay beside a publication is listed in its Release.
    let beside = up.machine.path().join(".aptly/skel/dists/stable/main");
    let images = beside.join("installer-amd64/current/images");
    let iso = "an image";
    let lines = format!("{}  ./netboot/mini.iso\n", Sums::of(iso.as_bytes()).sha256);
    for (path, text) in [
        (images.join("netboot/mini.iso"), iso),
        (images.join("SHA256SUMS"), &lines),
        (beside.join("dep11/Components-amd64.yml"), "File: DEP-11\n"),
    ] {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    up.machine.run("aptly publish update -batch stable");
    let said = create(&here, &up, "m", "-with-installer -with-appstream");
    assert!(said.contains(" stable [installer] [appstream] successfully added."), "{said}");
    let said = update(&here, &up, "m");
    assert!(said.contains("Download queue: 5 items (") && said.contains("AppStream files (1)..."), "{said}");
    let said = update(&here, &up, "m");
    assert!(said.contains("Download queue: 0 items (") && said.contains("AppStream files (0)..."), "{said}");
    assert!(here.run("aptly mirror show m").contains("\nDownload AppStream: yes\n"));
    assert!(here.run("aptly mirror show -with-packages m").contains("\n  installer__amd64\n"));

    here.run("aptly snapshot create s from mirror m");
    here.run("aptly mirror drop -force m");
    here.run("aptly db cleanup");
    here.run("aptly key generate -name=k K");
    here.run("aptly publish snapshot -gpg-provider=internal -distribution=stable -architectures=amd64 s");
    let shown = here.public().join("dists/stable");
    let ours = shown.join("main/installer-amd64/current/images");
    assert_eq!(fs::read_to_string(ours.join("netboot/mini.iso")).expect("published"), iso);
    assert_eq!(fs::read_to_string(ours.join("SHA256SUMS")).expect("published"), lines);
    let signature = fs::read_to_string(ours.join("SHA256SUMS.gpg")).expect("signed");
    assert!(signature.starts_with("-----BEGIN PGP SIGNATURE-----"), "{signature}");
    let components = shown.join("main/dep11/Components-amd64.yml");
    assert_eq!(fs::read_to_string(components).expect("published"), "File: DEP-11\n");
    let release = fs::read_to_string(shown.join("Release")).expect("published");
    for path in ["main/dep11/Components-amd64.yml", "main/installer-amd64/current/images/SHA256SUMS"] {
        assert_eq!(release.matches(&format!(" {path}\n")).count(), 4, "{path} in\n{release}");
    }
    assert!(!release.contains("mini.iso") && !here.public().join("pool/main/i").exists(), "{release}");
    let told: serde_json::Value = serde_json::from_str(&here.run("aptly snapshot show -json s")).expect("JSON");
    assert!(told["AppStreamFiles"]["main/dep11/Components-amd64.yml"].is_string(), "{told}");

    // What is listed and is something else is not taken.
    let lines = format!("{}  ./netboot/mini.iso\n", Sums::of(b"the next image").sha256);
    fs::write(images.join("SHA256SUMS"), lines).expect("written");
    fs::write(images.join("netboot/mini.iso"), "another image").expect("written");
    up.machine.run("aptly publish update -batch stable");
    create(&here, &up, "n", "-with-installer");
    let why = here.fails(&format!("aptly mirror update -keyring={} n", up.key.display()), 1);
    assert!(why.contains("checksum mismatch for mini.iso: it is not the file that is listed"), "{why}");
}

#[test]
fn a_mirror_brings_only_what_its_filter_means() {
    if !have("gpg") || !have("gpgv") {
        return;
    }
    let (up, here) = (Upstream::start(), Machine::new());
    create(&here, &up, "with", "-filter=hello -filter-with-deps");
    let said = update(&here, &up, "with");
    assert!(said.contains("Packages filtered: 4 -> 3.") && said.contains("Download queue: 3 items"), "{said}");
    assert_eq!(here.run("aptly mirror search with"), "hello_2.0_all\nhello_1.0_all\nlibhello_1.5_all\n");
    create(&here, &up, "newest", "");
    here.run(&format!("aptly mirror update -latest -keyring={} newest", up.key.display()));
    assert_eq!(here.run("aptly mirror search newest"), "hello_2.0_all\nlibhello_1.5_all\nother_3.0_all\n");
    here.run(&format!("aptly mirror edit -filter=other -keyring={} with", up.key.display()));
    update(&here, &up, "with");
    assert_eq!(here.run("aptly mirror search with"), "other_3.0_all\n");
    let list = here.run("aptly mirror list -raw");
    assert_eq!(list, "newest\nwith\n");
}

#[test]
fn what_is_not_signed_or_not_what_was_signed_is_not_taken() {
    if !have("gpg") || !have("gpgv") {
        return;
    }
    let (up, here) = (Upstream::start(), Machine::new());
    // Nobody here knows the key.
    let why = here.fails(&format!("aptly mirror create -keyring=/nowhere.gpg m {} stable", up.url), 1);
    assert!(why.starts_with("ERROR: unable to fetch mirror: verification of "), "{why}");
    let why = here.fails(&format!("aptly mirror create -keyring={} m {} nowhere", up.key.display(), up.url), 1);
    assert!(why.contains("/dists/nowhere/InRelease: not found"), "{why}");
    let why = here.fails(&format!("aptly mirror create -keyring={} m {} stable contrib", up.key.display(), up.url), 1);
    assert!(why.contains("component contrib not available in repo [m]: "), "{why}");
    assert_eq!(here.run("aptly mirror list -raw"), "", "nothing is stored of what failed");

    create(&here, &up, "m", "");
    update(&here, &up, "m");
    let before = here.run("aptly mirror search m");
    let spoil = |path: &Path, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let kept = fs::read(path).expect("there");
        // A publication's file may be shared with others by a link.
        fs::remove_file(path).expect("removed");
        fs::write(path, change(kept.clone())).expect("written");
        kept
    };
    let restore = |path: &Path, kept: &[u8]| {
        fs::remove_file(path).expect("removed");
        fs::write(path, kept).expect("written");
    };
    // The text is not what was signed; the second form does not help, as it is spoiled too.
    let clear = up.file("InRelease");
    let (kept, detached) = (
        spoil(&clear, &|bytes| String::from_utf8_lossy(&bytes).replace("Upstream", "Attacker").into_bytes()),
        up.file("Release"),
    );
    let also = spoil(&detached, &|bytes| String::from_utf8_lossy(&bytes).replace("Upstream", "Attacker").into_bytes());
    let why = here.fails(&format!("aptly mirror update -keyring={} m", up.key.display()), 1);
    assert!(why.contains("verification of detached signature failed: "), "{why}");
    restore(&clear, &kept);
    restore(&detached, &also);
    // Something before the signed part is not read either.
    let kept = spoil(&clear, &|bytes| [b"Origin: Attacker\n".as_slice(), &bytes].concat());
    fs::remove_file(up.file("Release.gpg")).expect("removed");
    let why = here.fails(&format!("aptly mirror update -keyring={} m", up.key.display()), 1);
    assert!(why.contains("ERROR: unable to update: "), "{why}");
    restore(&clear, &kept);

    // A package whose bytes are others than those that the index promises.
    up.add("evil", "1.0");
    let pool = up.machine.public().join("pool/main/e/evil/evil_1.0_all.deb");
    spoil(&pool, &|mut bytes| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        bytes
    });
    let why = here.fails(&format!("aptly mirror update -keyring={} m", up.key.display()), 1);
    assert!(
        why.starts_with("ERROR: unable to update: download errors:\n  checksum mismatch for evil_1.0_all.deb"),
        "{why}"
    );
    assert_eq!(here.run("aptly mirror search m"), before, "the mirror stays as it was");
    assert!(!here.run("aptly mirror show m").contains("Status:"), "nobody updates it any more");
}

#[test]
fn a_flat_repository_and_sources_are_mirrored_too() {
    if !have("gpg") || !have("gpgv") {
        return;
    }
    let (up, here) = (Upstream::start(), Machine::new());
    // Everything in one folder, as small projects publish it.
    let flat = up.machine.public().join("flat");
    fs::create_dir(&flat).expect("made");
    let debs = ["hello_1.0_all.deb", "other_3.0_all.deb"];
    let packages: String = debs
        .iter()
        .map(|name| {
            let bytes = fs::read(up.machine.path().join(name)).expect("there");
            fs::write(flat.join(name), &bytes).expect("written");
            let (package, version) = (name.split('_').next().expect("one"), name.split('_').nth(1).expect("one"));
            let sums = debian::sums::Sums::of(&bytes);
            format!(
                "Package: {package}\nVersion: {version}\nArchitecture: all\nFilename: ./{name}\nSize: {}\nSHA256: {}\n\n",
                sums.size, sums.sha256
            )
        })
        .collect();
    let source = b"not really packed\n";
    fs::write(flat.join("hello_1.0.tar.gz"), source).expect("written");
    let sums = debian::sums::Sums::of(source);
    let dsc = format!(
        "Format: 3.0 (native)\nSource: hello\nVersion: 1.0\nArchitecture: all\nMaintainer: Up <up@example.org>\nFiles:\n {} {} hello_1.0.tar.gz\nChecksums-Sha256:\n {} {} hello_1.0.tar.gz\n",
        sums.md5, sums.size, sums.sha256, sums.size
    );
    fs::write(flat.join("hello_1.0.dsc"), &dsc).expect("written");
    let own = debian::sums::Sums::of(dsc.as_bytes());
    let sources = format!(
        "Package: hello\nVersion: 1.0\nArchitecture: all\nDirectory: .\nFiles:\n {} {} hello_1.0.dsc\n {} {} hello_1.0.tar.gz\nChecksums-Sha256:\n {} {} hello_1.0.dsc\n {} {} hello_1.0.tar.gz\n\n",
        own.md5, own.size, sums.md5, sums.size, own.sha256, own.size, sums.sha256, sums.size
    );
    let mut release = "Origin: Flat\nArchitectures: amd64\nSHA256:\n".to_owned();
    for (name, text) in [("Packages", &packages), ("Sources", &sources)] {
        fs::write(flat.join(name), text).expect("written");
        let sums = debian::sums::Sums::of(text.as_bytes());
        release.push_str(&format!(" {} {} {name}\n", sums.sha256, sums.size));
    }
    fs::write(flat.join("Release"), release).expect("written");

    let why = here.fails(&format!("aptly mirror create -ignore-signatures f {}flat/ ./ main", up.url), 1);
    assert_eq!(why, "ERROR: unable to fetch mirror: components aren't supported for flat repos\n");
    let said = here.run(&format!("aptly mirror create -ignore-signatures -with-sources f {}flat/ ./", up.url));
    assert!(said.starts_with(&format!("\nMirror [f]: {}flat/ ./ [src] successfully added.\n", up.url)), "{said}");
    let said = here.run("aptly mirror update -ignore-signatures f");
    assert!(said.contains("Download queue: 4 items ("), "{said}");
    assert_eq!(here.run("aptly mirror search f"), "hello_1.0_all\nhello_1.0_source\nother_3.0_all\n");
    here.run("aptly snapshot create s from mirror f");
    here.run("aptly publish snapshot -skip-signing -distribution=here -architectures=amd64,source s");
    let shown = fs::read_to_string(here.public().join("dists/here/main/source/Sources")).expect("published");
    assert!(shown.contains("Package: hello\n") && shown.contains(" hello_1.0.tar.gz\n"), "{shown}");
    // A path that leads out of the archive is no package's file.
    let evil = packages.replace("./hello_1.0_all.deb", "../../etc/hello_1.0_all.deb");
    fs::write(flat.join("Packages"), &evil).expect("written");
    let sums = debian::sums::Sums::of(evil.as_bytes());
    fs::write(
        flat.join("Release"),
        format!("Architectures: amd64\nSHA256:\n {} {} Packages\n", sums.sha256, sums.size),
    )
    .expect("written");
    here.run("aptly mirror edit -with-sources=false f");
    let said = here.run("aptly mirror update -ignore-signatures f");
    assert!(
        said.contains("[!] skipping a package of Packages, line 1: ")
            && said.contains("is no path of a file in an archive"),
        "{said}"
    );
    assert_eq!(here.run("aptly mirror search f"), "other_3.0_all\n");
}

#[test]
fn an_update_that_is_killed_is_finished_by_the_next_one() {
    if !have("gpg") || !have("gpgv") {
        return;
    }
    let (up, here) = (Upstream::start(), Machine::new());
    create(&here, &up, "m", "");
    // Slow enough to be caught at it.
    let line = format!("aptly mirror update -download-limit=1 -keyring={} m", up.key.display());
    let mut update_slowly = here.command(&line);
    let mut process = update_slowly.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("starts");
    let mut said = BufReader::new(process.stdout.take().expect("piped")).lines();
    assert!(said.any(|line| line.expect("read").starts_with("Download queue: 4 items")), "it begins to download");
    let shown = here.run("aptly mirror show m");
    assert!(shown.contains(&format!("Status: In Update (PID {})\n", process.id())), "{shown}");
    let why = here.fails(&format!("aptly mirror update -keyring={} m", up.key.display()), 1);
    assert_eq!(why, format!("ERROR: unable to update: mirror is locked by update operation, PID {}\n", process.id()));
    process.kill().expect("killed");
    process.wait().expect("ended");

    assert!(here.run("aptly mirror show m").contains("Last update: never\n"));
    assert!(update(&here, &up, "m").ends_with("\nMirror `m` has been updated successfully.\n"));
    assert_eq!(here.run("aptly mirror search m").lines().count(), 4);
    assert!(!here.run("aptly mirror show m").contains("Status: "));
    here.run("aptly db cleanup");
    assert!(update(&here, &up, "m").contains("Download queue: 0 items (0 B)"), "a cleanup leaves what a mirror holds");
}
