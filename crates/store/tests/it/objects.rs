//! Objects in a bucket of a real S3 server that checks signatures.

use std::fs;

use store::objects::{Objects, S3};
use testkit::bucket::{Bucket, SECRET};

#[test]
fn objects_are_written_copied_listed_and_removed() {
    let Some(bucket) = Bucket::start() else { return };
    for single_deletions in [false, true] {
        let settings = S3 { single_deletions, acl: "private".into(), ..bucket.settings("/below/") };
        let objects = Objects::s3(settings);
        let folder = tempfile::tempdir().unwrap();
        let (small, large) = (folder.path().join("small"), folder.path().join("large"));
        fs::write(&small, "small").unwrap();
        // More than one part, the last one not full.
        let bytes: Vec<u8> = (0..40 << 20).map(|at: u32| (at % 251) as u8).collect();
        fs::write(&large, &bytes).unwrap();

        objects.put(&small, "pool/a_1.0~rc1+b_all.deb", Some("eb5c1399a871211c7e7ed732d15e3a8b")).unwrap();
        objects.put(&large, "pool/large", None).unwrap();
        objects.copy("pool/a_1.0~rc1+b_all.deb", "dists/copy of it").unwrap();
        assert_eq!(bucket.names(), ["below/dists/copy of it", "below/pool/a_1.0~rc1+b_all.deb", "below/pool/large"]);
        assert_eq!(fs::read(bucket.folder().join("below/dists/copy of it")).unwrap(), b"small");
        assert!(fs::read(bucket.folder().join("below/pool/large")).unwrap() == bytes);

        let mut listed = objects.list("pool").unwrap();
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        let told: Vec<(&str, u64)> = listed.iter().map(|object| (&object.name[..], object.size)).collect();
        assert_eq!(told, [("pool/a_1.0~rc1+b_all.deb", 5), ("pool/large", 40 << 20)]);
        assert_eq!(listed[0].tag, "eb5c1399a871211c7e7ed732d15e3a8b", "the MD5 of what went up whole");
        assert_eq!(objects.list("nothing").unwrap(), []);

        let names = ["pool/a_1.0~rc1+b_all.deb", "pool/large", "dists/copy of it", "never there"];
        objects.delete(&names.map(str::to_owned)).unwrap();
        assert_eq!(bucket.names(), Vec::<String>::new());
    }
}

#[test]
fn what_a_server_refuses_is_told_without_the_secret() {
    let Some(bucket) = Bucket::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let put = |settings: S3| Objects::s3(settings).put(&file, "a/b", None).unwrap_err().to_string();
    let told = put(S3 { secret_access_key: "another-secret".into(), ..bucket.settings("") });
    assert!(told.starts_with("cannot write packages/a/b: ") && !told.contains("another-secret"), "{told}");
    let told = put(S3 { bucket: "elsewhere".into(), ..bucket.settings("") });
    assert!(told.starts_with("cannot write elsewhere/a/b: ") && !told.contains(SECRET), "{told}");
    let told = Objects::s3(bucket.settings("")).put(&file, "a/../b", None).unwrap_err().to_string();
    assert!(told.contains("\"a/../b\" is no name of an object"), "{told}");
}
