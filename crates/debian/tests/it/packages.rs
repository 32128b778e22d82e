//! A package that is built here can be read, listed and unpacked here.

use std::fs;

use debian::deb::{self, Builder};
use debian::decompress::Compression;
use debian::sums::Sums;

const CONTROL: &str =
    "Package: hello\nVersion: 1:2.0-1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: greets\n";

pub fn hello() -> Builder {
    Builder::new(CONTROL)
        .unwrap()
        .mtime(1_700_000_000)
        .file("usr/bin/hello", 0o755, "#!/bin/sh\necho hello\n")
        .unwrap()
        .file("etc/hello.conf", 0o644, "a=1\n")
        .unwrap()
        .conffile("etc/hello.conf")
        .link("usr/bin/greet", "hello")
        .unwrap()
        .script("postinst", "#!/bin/sh\ntrue\n")
}

#[test]
fn every_compression_gives_a_package_that_reads_lists_and_unpacks_the_same() {
    for compression in [Compression::None, Compression::Gz, Compression::Xz, Compression::Zst, Compression::Bz2] {
        let bytes = hello().compression(compression).build().unwrap();
        let read = deb::read(&bytes[..]).unwrap();
        assert_eq!(read.control.get("Package"), "hello", "{compression:?}");
        assert_eq!(read.control.get("Installed-Size"), "3");
        assert_eq!(read.sums, Sums::of(&bytes));
        assert_eq!(deb::contents(&bytes[..]).unwrap(), ["etc/hello.conf", "usr/bin/greet", "usr/bin/hello"]);
        let folder = tempfile::tempdir().unwrap();
        let unpacked = deb::unpack(&bytes[..], folder.path()).unwrap();
        assert_eq!((unpacked.files, unpacked.stripped.len()), (3, 0));
        assert_eq!(fs::read_to_string(folder.path().join("usr/bin/greet")).unwrap(), "#!/bin/sh\necho hello\n");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(hello().build().unwrap(), hello().build().unwrap());
    assert_eq!(hello().file_name(), "hello_2.0-1_all.deb");
}

#[test]
fn unpacking_over_what_is_there_replaces_files_and_follows_the_roots_own_links() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("usr/bin")).unwrap();
    std::os::unix::fs::symlink("usr/bin", folder.path().join("bin")).unwrap();
    fs::write(folder.path().join("usr/bin/tool"), "old").unwrap();
    let bytes = Builder::new(CONTROL).unwrap().file("bin/tool", 0o755, "new").unwrap().build().unwrap();
    deb::unpack(&bytes[..], folder.path()).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("usr/bin/tool")).unwrap(), "new");
    assert!(folder.path().join("bin").is_symlink());
}
