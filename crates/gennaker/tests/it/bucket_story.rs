//! Publishing to a bucket: a real S3 server, which shows its objects as files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use testkit::bucket::{Bucket, SECRET};
use testkit::package::package;

use crate::apt_crash_story::consistent;
use crate::apt_story::Machine;

/// A machine whose aptly may publish to the bucket as `s3:cdn`.
fn machine(bucket: &Bucket, more: serde_json::Value) -> Machine {
    let machine = Machine::new();
    let settings = bucket.settings("apt");
    let mut endpoint = json!({"region": settings.region, "bucket": settings.bucket, "prefix": settings.prefix,
        "awsAccessKeyID": settings.access_key_id, "awsSecretAccessKey": SECRET, "endpoint": settings.endpoint});
    endpoint.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let config = json!({"S3PublishEndpoints": {"cdn": endpoint}});
    fs::write(machine.path().join(".aptly.conf"), config.to_string()).expect("written");
    machine.run("aptly repo create r");
    machine
}

fn add(machine: &Machine, name: &str, version: &str) {
    package(name, version).write_to(machine.path());
    machine.run(&format!("aptly repo add r {name}_{version}_all.deb"));
}

/// The files of a publication in a folder, as clients see them.
fn seen(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut open) = (BTreeMap::new(), vec![folder.join("dists/stable"), folder.join("pool")]);
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below").display().to_string();
            files.insert(name, fs::read(&path).expect("read"));
        }
    }
    files
}

#[test]
fn a_bucket_shows_what_a_folder_would_and_forgets_what_is_not_shown_any_more() {
    let Some(bucket) = Bucket::start() else { return };
    let machine = machine(&bucket, json!({}));
    add(&machine, "hello", "1.0");
    add(&machine, "with+plus", "1.0~rc1");
    let publish = "-skip-signing -distribution=stable -architectures=amd64 -acquire-by-hash";
    // With the same date, two publications have the same bytes.
    let run = |line: &str| {
        let done = machine.command(line).env("SOURCE_DATE_EPOCH", "1764547200").output().expect("started");
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    run(&format!("aptly publish repo {publish} r deb"));
    let said = run(&format!("aptly publish repo {publish} r s3:cdn:deb"));
    assert!(said.contains("It is in the bucket of s3:cdn now: point the line at where machines reach that"), "{said}");
    let place = bucket.folder().join("apt/deb");
    let (folder, objects) = (seen(&machine.public().join("deb")), seen(&place));
    assert_eq!(objects.keys().collect::<Vec<_>>(), folder.keys().collect::<Vec<_>>());
    assert!(objects == folder, "the same bytes");
    assert!(objects.contains_key("pool/main/w/with+plus/with+plus_1.0~rc1_all.deb"), "{:?}", objects.keys());
    assert!(machine.run("aptly publish list -raw").contains("s3:cdn:deb stable"));
    run("aptly publish repo -skip-signing -distribution=stable -architectures=amd64 r s3:cdn:plain");

    // A new package is all that goes up besides the indexes, and one that left goes away.
    let untouched = place.join("pool/main/h/hello/hello_1.0_all.deb");
    let written = fs::metadata(&untouched).and_then(|meta| meta.modified()).expect("there");
    add(&machine, "hello", "2.0");
    machine.run("aptly repo remove r with+plus");
    for prefix in ["deb", "s3:cdn:deb", "s3:cdn:plain"] {
        run(&format!("aptly publish update -skip-signing stable {prefix}"));
    }
    assert!(seen(&place) == seen(&machine.public().join("deb")));
    assert_eq!(fs::metadata(&untouched).and_then(|meta| meta.modified()).expect("there"), written);
    // Who read an older Release by hash may still want what it named; without names by hash nobody can.
    let pool = |prefix: &str| {
        let place = format!("apt/{prefix}/pool/main/");
        let names = bucket.names().into_iter().filter_map(|name| Some(name.strip_prefix(&place)?.to_owned()));
        names.collect::<Vec<String>>()
    };
    let gone = "w/with+plus/with+plus_1.0~rc1_all.deb";
    assert_eq!(pool("deb"), ["h/hello/hello_1.0_all.deb", "h/hello/hello_2.0_all.deb", gone]);
    assert_eq!(pool("plain"), ["h/hello/hello_1.0_all.deb", "h/hello/hello_2.0_all.deb"]);
    assert_eq!(
        bucket.names().iter().filter(|name| name.starts_with("apt/plain/") && name.contains("/by-hash/")).count(),
        0
    );

    run("aptly publish drop stable s3:cdn:plain");
    run("aptly publish drop stable s3:cdn:deb");
    assert_eq!(bucket.names(), Vec::<String>::new());
}

#[test]
fn a_publication_that_is_killed_on_its_way_to_a_bucket_is_finished_by_the_next_one() {
    let Some(bucket) = Bucket::start() else { return };
    let machine = machine(&bucket, json!({}));
    add(&machine, "hello", "1.0");
    machine
        .run("aptly publish repo -skip-signing -distribution=stable -architectures=amd64 -acquire-by-hash r s3:cdn:.");
    let place = bucket.folder().join("apt");
    for round in 2u64..14 {
        add(&machine, "hello", &format!("{round}.0"));
        let line = "aptly publish update -skip-signing stable s3:cdn:.";
        let mut child = machine.command(line).stdout(Stdio::null()).spawn().expect("started");
        // Spread over the whole length of the command; the pause itself is what is being varied.
        std::thread::sleep(Duration::from_millis(round * 31 % 300));
        let _ = child.kill();
        let _ = child.wait();
        whole_by_hash(&place);
    }
    machine.run("aptly publish update -skip-signing stable s3:cdn:.");
    let shown = consistent(&place, "stable");
    assert_eq!(shown.matches("Package: hello\n").count(), 13);
}

/// Whoever read the Release of this moment finds what it lists under the names by hash.
fn whole_by_hash(place: &Path) {
    let release = fs::read_to_string(place.join("dists/stable/Release")).expect("Release");
    let sums = release.split("\nSHA256:\n").nth(1).expect("sums").lines().take_while(|line| line.starts_with(' '));
    let mut found = 0;
    for line in sums {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (folder, name) = words[2].rsplit_once('/').unwrap_or(("", words[2]));
        if name.starts_with("Contents-") && !name.ends_with(".gz") {
            continue;
        }
        let file = place.join("dists/stable").join(folder).join("by-hash/SHA256").join(words[0]);
        assert!(file.is_file(), "{line}: {}", file.display());
        found += 1;
    }
    assert!(found > 3);
}

#[test]
fn what_keeps_a_publication_from_a_bucket_is_said_and_nothing_is_half_done() {
    let Some(bucket) = Bucket::start() else { return };
    let machine = machine(&bucket, json!({"awsSecretAccessKey": "not-the-secret"}));
    add(&machine, "hello", "1.0");
    let publish = "aptly publish repo -skip-signing -distribution=stable -architectures=amd64 r";
    let why = machine.fails(&format!("{publish} s3:cdn:deb"), 1);
    assert!(why.starts_with("ERROR: unable to publish: cannot list packages/deb/pool: "), "{why}");
    assert!(!why.contains("not-the-secret"), "{why}");
    assert_eq!(machine.run("aptly publish list -raw"), "");
    assert_eq!(bucket.names(), Vec::<String>::new());
    let why = machine.fails(&format!("{publish} s3:other:deb"), 1);
    assert_eq!(why, "ERROR: unable to publish: published S3 storage other not configured\n");
}
