//! Publishing what changed: a generation that took over most of its files from the one before is what one made from nothing would be.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use apt::{AddOptions, Settings, UpdateRequest};
use testkit::package::{TestPackage, package};

use crate::{Place, request, unsigned};

/// An update as people ask for it, with `change` made to the request.
fn update(place: &Place, distribution: &str, change: impl FnOnce(&mut UpdateRequest)) {
    let mut request = UpdateRequest {
        prefix: ".".into(),
        distribution: distribution.into(),
        signing: unsigned(),
        ..UpdateRequest::default()
    };
    change(&mut request);
    place.root.update_publication(&request, &mut |_| {}).unwrap();
}

fn add_all(place: &Place, repo: &str, packages: impl Iterator<Item = TestPackage>) {
    packages.for_each(|package| {
        package.write_to(&place.incoming());
    });
    let options = AddOptions { force_replace: false, remove_files: true };
    let report = place.root.add(repo, &[place.incoming()], options, &mut |_| {}).unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
}

fn remove(place: &Place, repo: &str, query: &str) {
    place.root.remove_packages(repo, &debian::query::parse(query).unwrap(), false, &mut |_| {}).unwrap();
}

fn tool(name: &str, file: &Path) -> String {
    let output = Command::new(name).args(["-d", "-c"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{name} {}: {output:?}", file.display());
    String::from_utf8(output.stdout).unwrap()
}

/// The text of an index: the same in each of its forms, read by the forms' own tools.
fn index(place: &Place, distribution: &str, path: &str) -> String {
    let folder = place.root.public().join("dists").join(distribution);
    let plain = fs::read_to_string(folder.join(path)).unwrap();
    assert!(tool("gzip", &folder.join(format!("{path}.gz"))) == plain, "{path}.gz");
    assert!(tool("bzip2", &folder.join(format!("{path}.bz2"))) == plain, "{path}.bz2");
    plain
}

/// The Release file without its date and names, so that those of two publications can be compared.
fn sums(place: &Place, distribution: &str) -> BTreeSet<String> {
    let release = fs::read_to_string(place.root.public().join("dists").join(distribution).join("Release")).unwrap();
    // The Release files of components name the distribution.
    release.lines().filter(|line| line.starts_with(' ') && !line.ends_with("/Release")).map(str::to_owned).collect()
}

fn pool(place: &Place) -> BTreeSet<String> {
    let output = Command::new("find").args(["-type", "f"]).current_dir(place.root.public().join("pool")).output();
    String::from_utf8(output.unwrap().stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Enough packages for several leaves.
const MANY: usize = 700;

fn many() -> impl Iterator<Item = TestPackage> {
    (0..MANY).map(|n| package(&format!("app-{:04}", n * 7919 % 10_000), "1.0").field("Section", "misc"))
}

#[test]
fn an_update_equals_a_publication_from_nothing_whatever_changed() {
    let place = Place::new();
    place.create("r");
    add_all(&place, "r", many());
    place.publish("r", "stretch");
    let replace = || {
        // Other bytes under the same name.
        for one in many().step_by(90) {
            place.add("r", &one.field("Source", "apps"), true);
        }
    };
    let changes: [(&str, &dyn Fn()); 6] = [
        ("one more", &|| add_all(&place, "r", [package("app-5000x", "1.0")].into_iter())),
        ("one before all others", &|| add_all(&place, "r", [package("aaa", "1.0")].into_iter())),
        ("others here and there", &replace),
        ("the end removed", &|| remove(&place, "r", "Name (>= app-7)")),
        ("more at the end", &|| add_all(&place, "r", [package("zzz", "1.0")].into_iter())),
        ("nothing", &|| {}),
    ];
    for (number, (what, change)) in changes.iter().enumerate() {
        change();
        update(&place, "stretch", |_| {});
        let fresh = format!("fresh{number}");
        place.publish("r", &fresh);
        let path = "main/binary-amd64/Packages";
        assert!(index(&place, "stretch", path) == index(&place, &fresh, path), "{what}");
        assert_eq!(sums(&place, "stretch"), sums(&place, &fresh), "{what}");
        place.root.drop_publication("", ".", &fresh, false, &mut |_| {}).unwrap();
    }
}

#[test]
fn a_piece_that_was_spoilt_on_disk_is_made_anew() {
    let place = Place::new();
    place.create("r");
    add_all(&place, "r", many());
    place.publish("r", "stretch");
    let path = "main/binary-amd64/Packages";
    let before = index(&place, "stretch", path);
    for suffix in ["", ".gz", ".bz2"] {
        let file = place.root.public().join(format!("dists/stretch/{path}{suffix}"));
        let spoilt = fs::OpenOptions::new().write(true).open(&file).unwrap();
        spoilt.write_all_at(b"\0\0\0\0", spoilt.metadata().unwrap().len() / 2).unwrap();
        update(&place, "stretch", |_| {});
        assert!(index(&place, "stretch", path) == before, "{suffix}");
    }
    fs::remove_dir_all(place.root.public()).unwrap();
    update(&place, "stretch", |_| {});
    assert!(index(&place, "stretch", path) == before, "all is gone");
    assert_eq!(pool(&place).len(), MANY, "the package files are back as well");
}

#[test]
fn forms_come_and_go_without_a_package_being_rendered_again() {
    let place = Place::new();
    place.create("r");
    add_all(&place, "r", [package("hello", "1.0"), package("world", "1.0")].into_iter());
    place.publish("r", "stretch");
    let index_file =
        |suffix: &str| place.root.public().join(format!("dists/stretch/main/binary-amd64/Packages{suffix}"));
    update(&place, "stretch", |request| request.skip_bz2 = Some(true));
    assert!(!index_file(".bz2").exists() && index_file(".gz").exists());
    update(&place, "stretch", |request| request.skip_bz2 = Some(false));
    assert!(index(&place, "stretch", "main/binary-amd64/Packages").contains("Package: world\n"));
    update(&place, "stretch", |request| request.multi_dist = Some(true));
    let moved = index(&place, "stretch", "main/binary-amd64/Packages");
    assert!(moved.contains("Filename: pool/stretch/main/h/hello/hello_1.0_all.deb\n"), "{moved}");
    assert_eq!(
        pool(&place),
        ["./stretch/main/h/hello/hello_1.0_all.deb", "./stretch/main/w/world/world_1.0_all.deb"]
            .map(String::from)
            .into()
    );
}

#[test]
fn what_left_goes_from_the_pool_and_what_was_left_there_goes_later() {
    let place = Place::new();
    place.create("r");
    place.create("other");
    let both = ["1.0", "2.0", "3.0"].map(|version| package("hello", version));
    add_all(&place, "r", both.into_iter());
    add_all(&place, "other", [package("hello", "2.0")].into_iter());
    place.publish("r", "stretch");
    place.publish("other", "buster");
    let files = |versions: &[&str]| -> BTreeSet<String> {
        versions.iter().map(|version| format!("./main/h/hello/hello_{version}_all.deb")).collect()
    };
    assert_eq!(pool(&place), files(&["1.0", "2.0", "3.0"]));
    remove(&place, "r", "hello (= 1.0)");
    update(&place, "stretch", |request| request.skip_cleanup = true);
    assert_eq!(pool(&place), files(&["1.0", "2.0", "3.0"]), "it was asked to stay");
    remove(&place, "r", "hello (= 2.0)");
    update(&place, "stretch", |_| {});
    assert_eq!(pool(&place), files(&["2.0", "3.0"]), "the neighbour shows 2.0");
    remove(&place, "other", "hello");
    update(&place, "buster", |_| {});
    assert_eq!(pool(&place), files(&["3.0"]));
    remove(&place, "r", "hello");
    update(&place, "stretch", |_| {});
    assert_eq!(pool(&place), BTreeSet::new());
    assert!(!place.root.public().join("pool/main/h").exists(), "no empty folders");
}

#[test]
fn generations_that_offer_hashes_keep_their_package_files_until_they_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let clock = crate::clock();
    let root = apt::Root::open(folder.path().join("root"), clock.clone()).unwrap();
    let place = Place { folder, root };
    fs::create_dir(place.incoming()).unwrap();
    place.create("r");
    add_all(&place, "r", [package("hello", "1.0")].into_iter());
    let mut first = request("r", "stretch");
    first.settings = Settings { acquire_by_hash: true, ..Settings::default() };
    place.root.publish(&first, &mut |_| {}).unwrap();
    let by_hash = || {
        let folder = place.root.public().join("dists/stretch/main/binary-amd64/by-hash/SHA256");
        fs::read_dir(folder).unwrap().count()
    };
    assert_eq!(by_hash(), 4, "plain, gz, bz2, Release");
    for version in ["2.0", "3.0", "4.0", "5.0"] {
        remove(&place, "r", "hello");
        add_all(&place, "r", [package("hello", version)].into_iter());
        update(&place, "stretch", |_| {});
    }
    let files = |versions: &[&str]| -> BTreeSet<String> {
        versions.iter().map(|version| format!("./main/h/hello/hello_{version}_all.deb")).collect()
    };
    assert_eq!(pool(&place), files(&["1.0", "2.0", "3.0", "4.0", "5.0"]), "readers of each may still come for them");
    assert_eq!(by_hash(), 13, "gz and bz2 of each, plain of the last two, one Release");
    clock.advance(jiff::SignedDuration::from_hours(8 * 24));
    update(&place, "stretch", |_| {});
    assert_eq!(pool(&place), files(&["4.0", "5.0"]), "three generations are kept: two show 5.0");
    assert_eq!(by_hash(), 6, "gz and bz2 of 4.0 and 5.0, plain of 5.0, Release");
}

#[test]
fn a_list_that_is_being_published_survives_a_cleanup() {
    let place = Place::new();
    place.create("r");
    add_all(&place, "r", [package("hello", "1.0")].into_iter());
    let mut cleaned = 0;
    // The repository moves on and is cleaned up while its list is published.
    place
        .root
        .publish(&request("r", "stretch"), &mut |line| {
            if line.to_string().starts_with("Generating metadata") {
                remove(&place, "r", "hello");
                place.root.cleanup(false, false, &mut |_| {}).unwrap();
                cleaned += 1;
            }
        })
        .unwrap();
    assert_eq!(cleaned, 1);
    assert!(index(&place, "stretch", "main/binary-amd64/Packages").starts_with("Package: hello\n"));
    assert_eq!(place.root.publication_history("", ".", "stretch").unwrap()[0].packages, 1);
}

#[test]
fn indexes_that_an_aptly_offered_by_hash_stay_on_offer() {
    let place = Place::new();
    place.create("r");
    add_all(&place, "r", [package("hello", "1.0")].into_iter());
    let theirs = place.root.public().join("dists/stretch/main/binary-amd64/by-hash/SHA256");
    fs::create_dir_all(&theirs).unwrap();
    let name = "a".repeat(64);
    fs::write(theirs.join(&name), "theirs").unwrap();
    place.publish("r", "stretch");
    assert!(fs::symlink_metadata(place.root.public().join("dists/stretch")).unwrap().is_symlink());
    let mut text = String::new();
    fs::File::open(theirs.join(&name)).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "theirs");
}
