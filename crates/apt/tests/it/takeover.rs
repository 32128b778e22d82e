//! Databases of old aptlys, and damaged ones; what aptly writes today is tried with aptly itself.

use std::fs;
use std::path::Path;

use apt::{Line, Root};
use debian::sums::Sums;
use rmpv::Value;
use rusty_leveldb::{DB, Options};
use testkit::package::package;

use crate::{Place, clock, request};

fn map(fields: &[(&str, Value)]) -> Value {
    Value::Map(fields.iter().map(|(name, value)| (Value::from(*name), value.clone())).collect())
}

fn list(values: &[&str]) -> Value {
    Value::Array(values.iter().map(|value| Value::from(*value)).collect())
}

fn record(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value).expect("written");
    bytes
}

/// A root as an aptly of 2014 left it: the package in one record under a key without a hash, its file under its MD5, a publication that
/// knows one snapshot only.
fn old_root(root: &Path) {
    let deb = package("app", "1.0").architecture("amd64");
    let bytes = deb.bytes();
    let sums = Sums::of(&bytes);
    let folder = root.join("pool").join(&sums.md5[..2]).join(&sums.md5[2..4]);
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("app_1.0_amd64.deb"), &bytes).expect("written");
    let known = map(&[("Size", Value::from(sums.size)), ("MD5", Value::from(sums.md5.as_str()))]);
    let file = map(&[("Filename", Value::from("app_1.0_amd64.deb")), ("Checksums", known)]);
    let one = map(&[
        ("Name", Value::from("app")),
        ("Version", Value::from("1.0")),
        ("Architecture", Value::from("amd64")),
        ("Depends", list(&["libc6", "app-data"])),
        ("Files", Value::Array(vec![file])),
        ("Extra", map(&[("Maintainer", Value::from("Old <o@x>")), ("Description", Value::from(" short\n long\n"))])),
    ]);
    let installer = map(&[
        ("Name", Value::from("installer")),
        ("Architecture", Value::from("i386")),
        ("IsInstaller", Value::from(true)),
    ]);
    let refs = |names: &[&str]| map(&[("Refs", list(names))]);
    let mut db = DB::open(root.join("db"), Options::default()).expect("made");
    let records = [
        ("Pamd64 app 1.0", record(&one)),
        ("Pi386 installer  1f", [b"\xc1\x01".as_slice(), &record(&installer)].concat()),
        ("Pamd64 broken 1.0 2f", b"\xc1\x01\xff".to_vec()),
        ("Lr", record(&map(&[("UUID", Value::from("r")), ("Name", Value::from("apps")), ("Newer", Value::from(1))]))),
        ("Er", record(&refs(&["Pamd64 app 1.0", "Pamd64 broken 1.0 2f", "Pi386 installer  1f"]))),
        ("Le", record(&map(&[("UUID", Value::from("e")), ("Name", Value::from("empty"))]))),
        ("Ee", record(&map(&[("Refs", Value::Nil)]))),
        ("Ss", record(&map(&[("UUID", Value::from("s")), ("Name", Value::from("snap")), ("CreatedAt", map(&[]))]))),
        ("Es", record(&refs(&["Pamd64 app 1.0"]))),
        (
            "U.>>stable",
            record(&map(&[
                ("UUID", Value::from("u")),
                ("Prefix", Value::from(".")),
                ("Distribution", Value::from("stable")),
                ("Component", Value::from("contrib")),
                ("SnapshotUUID", Value::from("s")),
                ("Architectures", list(&["amd64"])),
            ])),
        ),
    ];
    for (key, value) in records {
        db.put(key.as_bytes(), &value).expect("put");
    }
    db.flush().and_then(|()| db.close()).expect("closed");
}

#[test]
fn a_root_of_an_old_aptly_is_taken_over_and_its_files_are_found_where_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("root");
    old_root(&place);
    let shown = |root: &Root, repo: &str| -> Vec<String> {
        root.keys(&root.repo(repo).expect("there").root).expect("read").iter().map(ToString::to_string).collect()
    };
    let cache = folder.path().join("cache");
    for _ in 0..2 {
        let looked = Root::look(&place, clock(), Some(&cache)).expect("looked at");
        assert_eq!(shown(&looked, "apps"), ["app_1.0_amd64", "installer__i386"]);
        assert!(!place.join("gennaker.db").exists(), "looking writes nothing");
    }
    let only = |folder: &Path| {
        let entries: Vec<_> = fs::read_dir(folder).expect("read").map(|entry| entry.expect("read").path()).collect();
        let [only] = &entries[..] else { panic!("one in {}: {entries:?}", folder.display()) };
        only.clone()
    };
    assert!(only(&only(&cache)).join("gennaker.db").exists(), "read once, kept until something changes");
    // A place where nothing can be kept does not matter.
    fs::write(folder.path().join("file"), "").expect("written");
    let looked = Root::look(&place, clock(), Some(&folder.path().join("file"))).expect("looked at");
    assert_eq!(shown(&looked, "apps"), ["app_1.0_amd64", "installer__i386"]);
    drop(looked);

    let mut warnings = Vec::new();
    let root = Root::open_telling(&place, clock(), &mut |line| {
        if let Line::Warning(text) = line {
            warnings.push(text);
        }
    });
    let root = root.expect("taken over");
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings.iter().any(|line| line == "Pamd64 broken 1.0 2f: is in a list, but not in the database"),
        "{warnings:?}"
    );
    assert_eq!(
        (shown(&root, "apps"), shown(&root, "empty")),
        (vec!["app_1.0_amd64".to_owned(), "installer__i386".to_owned()], Vec::new())
    );
    let [publication] = &root.publications().expect("read")[..] else { panic!("one publication") };
    assert_eq!(publication.to_string(), "./stable [amd64] publishes {contrib: [snap]: }");

    root.publish(&request("apps", "sid"), &mut |_| {}).expect("published");
    let index = fs::read_to_string(place.join("public/dists/sid/main/binary-amd64/Packages")).expect("rendered");
    assert!(
        index.contains("Maintainer: Old <o@x>\nArchitecture: amd64\nVersion: 1.0\nDepends: libc6, app-data\n"),
        "{index}"
    );
    assert!(index.contains("SHA256: ") && index.contains("Description: short\n long\n"), "{index}");
    assert!(place.join("public/pool/main/a/app/app_1.0_amd64.deb").exists());
    let cleaned = root.cleanup(false, false, &mut |_| {}).expect("cleaned up");
    assert_eq!((cleaned.packages, cleaned.files), (0, 0), "a file under its MD5 is in use");
}

#[test]
fn a_database_that_is_damaged_or_in_use_is_named_and_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("root");
    old_root(&place);
    let lock = fs::File::create(place.join("db/LOCK")).expect("made");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("locked");
    let busy = Root::open(&place, clock()).err().expect("refused").to_string();
    assert!(busy.starts_with("an aptly is working on "), "{busy}");
    drop(lock);
    fs::write(place.join("db/CURRENT"), "MANIFEST-999999\n").expect("written");
    let damaged = Root::open(&place, clock()).err().expect("refused").to_string();
    assert!(damaged.starts_with("aptly's database cannot be read: "), "{damaged}");
}

#[test]
fn a_root_of_ours_beside_which_an_aptly_writes_is_not_written_to() {
    let place = Place::new();
    place.create("ours");
    let root = place.root.path().to_owned();
    old_root(&root);
    let refused = Root::open(&root, clock()).err().expect("refused").to_string();
    assert!(refused.contains("import aptly --again"), "{refused}");
    assert_eq!(Root::look(&root, clock(), None).expect("looked at").repos().expect("read").len(), 1);
    let taken = apt::take_over_again(&root, clock(), &mut |_| {}).expect("taken over");
    assert_eq!((taken.packages, taken.repos, taken.snapshots, taken.publications), (2, 2, 1, 1));
    let repos: Vec<String> = Root::open(&root, clock())
        .expect("opened")
        .repos()
        .expect("read")
        .into_iter()
        .map(|(repo, _)| repo.name)
        .collect();
    assert_eq!(repos, ["apps", "empty"]);
}
