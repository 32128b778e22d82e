//! Blobs in a folder.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use store::blob::{BlobError, Blobs, Digest, FolderBlobs};
use store::id::Ids;

const HELLO: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[test]
fn a_blob_is_kept_once_under_its_hash_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = FolderBlobs::open(folder.path(), Arc::new(Ids::seeded(1))).expect("opens");
    let mut staged = blobs.stage().expect("begun");
    staged.write_all(b"hel").expect("written");
    staged.write_all(b"lo").expect("written");
    let kept = staged.keep().expect("kept");
    assert_eq!((kept.digest.to_string().as_str(), kept.size), (HELLO, 5));
    assert_eq!(blobs.put(b"hello").expect("kept"), kept, "the same bytes are the same blob");

    let file = blobs.file(&kept.digest).expect("a file");
    assert_eq!(file, folder.path().join("blobs/sha256").join(kept.digest.hex()), "as an OCI layout has it");
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let mut text = String::new();
    blobs.open(&kept.digest).expect("opens").read_to_string(&mut text).expect("reads");
    assert_eq!(text, "hello");
    assert_eq!(std::fs::read_dir(folder.path().join("staging")).expect("lists").count(), 0);
}

#[test]
fn what_is_given_up_leaves_nothing_and_what_is_removed_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = FolderBlobs::open(folder.path(), Arc::new(Ids::seeded(1))).expect("opens");
    blobs.stage().expect("begun").write_all(b"half").expect("written");
    assert_eq!(std::fs::read_dir(folder.path().join("staging")).expect("lists").count(), 0);

    let digest: Digest = HELLO.parse().expect("a digest");
    blobs.put(b"hello").expect("kept");
    assert_eq!(blobs.size(&digest).expect("looks"), Some(5));
    blobs.remove(&digest).expect("removed");
    blobs.remove(&digest).expect("a second time is fine");
    assert_eq!(blobs.size(&digest).expect("looks"), None);
    assert!(matches!(blobs.open(&digest), Err(BlobError::Missing(missing)) if missing == digest));
}

#[test]
fn an_address_is_64_small_hexadecimal_digits_and_nothing_else() {
    for text in ["", "sha256:", "../../etc/passwd", &HELLO.to_uppercase(), &HELLO[..70], "sha512:2cf2"] {
        assert!(text.parse::<Digest>().is_err(), "{text}");
    }
}
