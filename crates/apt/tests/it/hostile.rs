//! The rows of the threat list about repositories.

use std::fs;
use std::os::unix::fs::symlink;

use apt::{AddOptions, Line};
use testkit::package::package;

use crate::{Place, request};

#[test]
fn a_broken_package_is_named_and_nothing_of_it_stays() {
    let place = Place::new();
    place.create("r");
    let good = package("hello", "1.0").bytes();
    let file = place.incoming().join("broken.deb");
    fs::write(&file, &good[..good.len() - 50]).unwrap();
    let mut lines = Vec::new();
    let added =
        place.root.add("r", std::slice::from_ref(&file), AddOptions::default(), &mut |line| lines.push(line)).unwrap();
    assert_eq!(added.failed, [file.display().to_string()]);
    assert!(
        lines.iter().any(|line| matches!(line, Line::Warning(text) if text.contains("but the file ends after"))),
        "{lines:?}"
    );
    assert_eq!(fs::read_dir(place.root.pool().join(".incoming")).unwrap().count(), 0);
    assert!(place.root.keys(&place.root.repo("r").unwrap().root).unwrap().is_empty());
}

#[test]
fn names_that_would_be_paths_never_reach_the_published_tree() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0"), false);
    for distribution in ["../out", "a/../../out", "/etc", "-x", "a\nb", ".generations"] {
        assert!(place.root.publish(&request("r", distribution), &mut |_| {}).is_err(), "{distribution:?}");
    }
    for prefix in ["..", "a/../b", "dists", "x/pool", "/abs", "%2e%2e"] {
        let mut wanted = request("r", "stretch");
        wanted.prefix = prefix.into();
        assert!(place.root.publish(&wanted, &mut |_| {}).is_err(), "{prefix:?}");
    }
    let mut wanted = request("r", "stretch");
    wanted.components = vec!["../../out".into()];
    assert!(place.root.publish(&wanted, &mut |_| {}).is_err());
    let mut wanted = request("r", "stretch");
    wanted.settings.label = "a\nSHA256:".into();
    assert!(place.root.publish(&wanted, &mut |_| {}).is_err(), "a label cannot add a field");
    assert!(!place.root.public().join("dists").exists());
}

#[test]
fn links_planted_in_upload_and_skeleton_folders_are_not_followed() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0"), false);
    let secret = place.folder.path().join("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key"), "secret").unwrap();
    let skeleton = place.root.path().join("skel/dists/stretch/main");
    fs::create_dir_all(&skeleton).unwrap();
    symlink(secret.join("key"), skeleton.join("key")).unwrap();
    symlink(&secret, skeleton.join("folder")).unwrap();
    fs::write(skeleton.join("README"), "fine").unwrap();
    place.publish("r", "stretch");
    let shown = place.root.public().join("dists/stretch/main");
    assert!(shown.join("README").is_file());
    assert!(!shown.join("key").exists() && !shown.join("folder").exists());
}

#[test]
fn an_original_that_is_edited_later_changes_nothing() {
    let place = Place::new();
    place.create("r");
    let file = package("hello", "1.0").write_to(&place.incoming());
    place.root.add("r", std::slice::from_ref(&file), AddOptions::default(), &mut |_| {}).unwrap();
    place.publish("r", "stretch");
    let before = fs::read(place.root.public().join("pool/main/h/hello/hello_1.0_all.deb")).unwrap();
    let mut opened = fs::OpenOptions::new().write(true).open(&file).unwrap();
    std::io::Write::write_all(&mut opened, b"overwritten").unwrap();
    assert_eq!(fs::read(place.root.public().join("pool/main/h/hello/hello_1.0_all.deb")).unwrap(), before);
}

#[test]
fn another_file_under_a_published_name_is_not_overwritten() {
    let place = Place::new();
    for (repo, text) in [("r", "one"), ("s", "two")] {
        place.create(repo);
        place.add(repo, &package("hello", "1.0").file("etc/x", 0o644, text), false);
    }
    place.publish("r", "stretch");
    let refused = place.root.publish(&request("s", "buster"), &mut |_| {}).unwrap_err();
    assert!(refused.to_string().contains("file already exists and is different"), "{refused}");
    assert!(!place.root.public().join("dists/buster").exists());
    assert!(place.root.publications().unwrap().len() == 1);
}
