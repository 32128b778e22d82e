//! The rows of the threat list about packages: each refused with file, place and reason, and nothing outside touched.

use std::fs;
use std::path::Path;

use debian::ar;
use debian::compress::pack;
use debian::deb::{self, DebError};
use debian::decompress::Compression;

use crate::packages::hello;

fn control_tar(control: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    entry(&mut tar, "./control", tar::EntryType::Regular, 0o644, control.as_bytes(), "");
    tar.into_inner().unwrap()
}

/// An entry with exactly these bytes as its name, whatever the `tar` crate thinks of it.
fn entry(tar: &mut tar::Builder<Vec<u8>>, path: &str, kind: tar::EntryType, mode: u32, bytes: &[u8], link: &str) {
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    tar.append(&header, bytes).unwrap();
}

const CONTROL: &str = "Package: evil\nVersion: 1\nArchitecture: all\n";

fn deb_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ar::write(&mut bytes, 0, members).unwrap();
    bytes
}

fn deb_with(control: &str, data: &[u8]) -> Vec<u8> {
    deb_of(&[("debian-binary", b"2.0\n"), ("control.tar", &control_tar(control)), ("data.tar", data)])
}

fn data(entries: &[(&str, tar::EntryType, u32, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, kind, mode, link) in entries {
        let bytes: &[u8] = if *kind == tar::EntryType::Regular { b"x" } else { b"" };
        entry(&mut tar, path, *kind, *mode, bytes, link);
    }
    tar.into_inner().unwrap()
}

fn refused(bytes: &[u8]) -> String {
    deb::read(bytes).unwrap_err().to_string()
}

#[test]
fn lying_sizes_odd_names_missing_and_doubled_members_are_refused_with_their_offset() {
    let good = hello().build().unwrap();
    assert_eq!(refused(b"not a package"), "not an ar archive");
    assert!(
        refused(&good[..good.len() - 100]).contains("but the file ends after"),
        "{}",
        refused(&good[..good.len() - 100])
    );
    let mut lying = good.clone();
    lying[8 + 48..8 + 58].copy_from_slice(b"9999999999");
    assert_eq!(
        refused(&lying),
        format!(
            "member debian-binary at offset 8 should have 9999999999 bytes, but the file ends after {}",
            good.len() - 68
        )
    );
    let mut negative = good.clone();
    negative[8 + 48..8 + 58].copy_from_slice(b"-1        ");
    assert_eq!(refused(&negative), "bad member header at offset 8: the size is not a number");
    let version: (&str, &[u8]) = ("debian-binary", b"2.0\n");
    let (control, data) = (control_tar(CONTROL), data(&[]));
    let control: (&str, &[u8]) = ("control.tar", &control);
    let data: (&str, &[u8]) = ("data.tar", &data);
    let check = |members: &[(&str, &[u8])], want: &str| assert_eq!(refused(&deb_of(members)), want);
    check(&[version, control], "no data.tar in the archive");
    check(&[version, data], "member \"data.tar\" at offset 72: the data member stands before the control member");
    check(&[control], "member \"control.tar\" at offset 8: debian-binary must come first");
    check(&[version, control, control], "member \"control.tar\" at offset 2180: a second control member");
    check(&[version, control, data, data], "member \"data.tar\" at offset 3264: a second data member");
    check(
        &[version, control, data, ("trailing", b"x")],
        "member \"trailing\" at offset 3264: no such member belongs into a .deb",
    );
    check(
        &[("debian-binary", b"3.0\n"), control, data],
        "member \"debian-binary\" at offset 8: not a format version that this program knows (2.x)",
    );
    check(&[version, ("control.tar.rar", b"x"), data], "member \"control.tar.rar\" at offset 72: unknown compression");
    let mut trailing = deb_of(&[version, control, data]);
    trailing.extend(b"more bytes behind the end");
    assert!(refused(&trailing).contains("the file ends inside it"));
    assert!(
        deb::read(&deb_of(&[version, ("_extra", b"x"), control, data])[..]).is_ok(),
        "reserved members are passed over"
    );
}

#[test]
fn bombs_are_stopped_while_they_stream() {
    // 512 MiB of zeros as control member: far more than metadata may be, packed into some hundred kilobytes.
    let zeros = vec![0u8; 64 << 20];
    for (name, compression) in [
        ("control.tar.gz", Compression::Gz),
        ("control.tar.xz", Compression::Xz),
        ("control.tar.zst", Compression::Zst),
    ] {
        let mut tar = tar::Builder::new(Vec::new());
        entry(&mut tar, "./big", tar::EntryType::Regular, 0o644, &zeros, "");
        let bomb = pack(compression, &tar.into_inner().unwrap()).unwrap();
        let said = refused(&deb_of(&[("debian-binary", b"2.0\n"), (name, &bomb), ("data.tar", b"")]));
        assert!(said.contains("unpacks to more than"), "{name}: {said}");
    }
}

#[test]
fn absurd_sizes_of_names_and_endless_archives_are_refused_without_memory_for_them() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(1 << 33);
    header.set_cksum();
    tar.append(&header, &b""[..]).unwrap();
    let bytes = deb_with(CONTROL, tar.get_ref());
    let said = deb::contents(&bytes[..]).unwrap_err().to_string();
    assert_eq!(said, "in data.tar: bad tar header at offset 0: a name or extended header of absurd size");
}

#[test]
fn hostile_paths_are_refused_when_listed_and_when_unpacked() {
    for path in ["/etc/passwd", "../outside", "usr/../../outside", "a\nb"] {
        let bytes = deb_with(CONTROL, &data(&[(path, tar::EntryType::Regular, 0o644, "")]));
        assert!(deb::read(&bytes[..]).is_ok(), "metadata alone does not look into the data");
        assert!(matches!(deb::contents(&bytes[..]), Err(DebError::Tar { .. })), "{path}");
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("root");
        fs::create_dir(&inside).unwrap();
        assert!(deb::unpack(&bytes[..], &inside).is_err(), "{path}");
        assert_eq!(count(folder.path()), 1, "{path}: something was written");
    }
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { 1 + count(&path) } else { 1 })
        .sum()
}

#[test]
fn links_never_lead_out_of_the_folder_that_is_unpacked_into() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, secret) = (folder.path().join("root"), folder.path().join("secret"));
    fs::create_dir(&inside).unwrap();
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key"), "secret").unwrap();
    let symlink = tar::EntryType::Symlink;
    let file = tar::EntryType::Regular;
    let secret_text = secret.display().to_string();
    // An absolute link means the package's own root: the file lands inside, where nobody asked for trouble.
    let bytes = deb_with(CONTROL, &data(&[("a", symlink, 0o777, &secret_text), ("a/key", file, 0o644, "")]));
    let _ = deb::unpack(&bytes[..], &inside);
    assert_eq!(fs::read_to_string(secret.join("key")).unwrap(), "secret");
    // A relative link that climbs out is refused.
    let bytes = deb_with(CONTROL, &data(&[("b", symlink, 0o777, "../secret")]));
    assert!(deb::unpack(&bytes[..], &inside).unwrap_err().to_string().contains("a link that leads out of the folder"));
    // A hard link to something outside is refused.
    std::os::unix::fs::symlink("/etc", inside.join("c")).unwrap();
    let bytes = deb_with(CONTROL, &data(&[("d", tar::EntryType::Link, 0o644, "c/hostname")]));
    assert!(deb::unpack(&bytes[..], &inside).is_err());
}

#[test]
fn devices_are_refused_and_special_bits_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = deb_with(CONTROL, &data(&[("dev/sda", tar::EntryType::Block, 0o666, "")]));
    assert!(deb::unpack(&bytes[..], folder.path()).unwrap_err().to_string().contains("devices"));
    let bytes = deb_with(CONTROL, &data(&[("usr/bin/su", tar::EntryType::Regular, 0o4755, "")]));
    let unpacked = deb::unpack(&bytes[..], folder.path()).unwrap();
    assert_eq!(unpacked.stripped, ["usr/bin/su"]);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder.path().join("usr/bin/su")).unwrap().permissions());
    assert_eq!(mode & 0o7777, 0o755);
}

#[test]
fn control_values_that_could_grow_an_index_are_refused() {
    for (control, want) in [
        (
            "Package: evil\nVersion: 1\n\nPackage: second\n",
            "in the control file, line 4: a second paragraph where only one is allowed",
        ),
        ("Package: e\0vil\n", "in the control file, line 1: control character 0x00 is not allowed"),
        ("Package: evil\rVersion: 1\n", "in the control file, line 1: control character 0x0d is not allowed"),
        ("Package: evil\nPackage: other\n", "in the control file, line 2: field Package stands twice"),
    ] {
        assert_eq!(refused(&deb_with(control, &data(&[]))), want);
    }
    let long = format!("Package: evil\nDescription: {}\n", "x".repeat(3 << 20));
    assert_eq!(refused(&deb_with(&long, &data(&[]))), "in the control file, line 2: longer than 2 MiB");
}
