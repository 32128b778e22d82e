//! What publishing shows, tells and keeps.

use std::fs;

use apt::{Line, NewPackage, PUBLISHED, Published};
use testkit::package::package;

use crate::{Place, clock};

fn news(place: &Place) -> Vec<Published> {
    let events = place.root.outbox_after(0, 100).unwrap();
    events
        .iter()
        .filter(|event| event.kind == PUBLISHED)
        .map(|event| serde_json::from_str(&event.body).unwrap())
        .collect()
}

#[test]
fn what_comes_into_a_repository_and_what_leaves_it_is_told() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0"), false);
    place.add("r", &package("hello", "1.0"), false);
    place.add("r", &package("hello", "1.0").file("usr/share/more", 0o644, "more"), true);
    let told: Vec<(String, String, Vec<String>)> = place
        .root
        .outbox_after(0, 100)
        .unwrap()
        .into_iter()
        .map(|event| {
            let moved: apt::Moved = serde_json::from_str(&event.body).unwrap();
            let names = moved.packages.iter().map(|key| key.rsplit_once(' ').unwrap().0.to_owned()).collect();
            (event.kind, moved.repository, names)
        })
        .collect();
    let one = |kind: &str| (kind.to_owned(), "r".to_owned(), vec!["Pall hello 1.0".to_owned()]);
    assert_eq!(told, [one("apt.uploaded"), one("apt.uploaded"), one("apt.removed")], "the second changed nothing");
}

#[test]
fn each_generation_is_one_event_with_what_is_new_by_content() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0"), false);
    place.publish("r", "stretch");
    place.add("r", &package("hello", "2.0"), false);
    place.update("stretch");
    let replaced = place.add("r", &package("hello", "2.0").file("usr/share/more", 0o644, "more"), true);
    assert!(matches!(&replaced[1], Line::Removed(key, Some(_)) if key.to_string() == "hello_2.0_all"), "{replaced:?}");
    place.update("stretch");
    place.update("stretch");

    let told: Vec<(i64, Vec<(String, bool)>)> = news(&place)
        .into_iter()
        .map(|event| {
            (event.generation, event.packages.into_iter().map(|one: NewPackage| (one.version, one.replaced)).collect())
        })
        .collect();
    let one = |version: &str, replaced| vec![(version.to_owned(), replaced)];
    assert_eq!(told, [(1, one("1.0", false)), (2, one("2.0", false)), (3, one("2.0", true)), (4, vec![])]);
    let first = &news(&place)[0];
    assert_eq!((first.prefix.as_str(), first.distribution.as_str()), (".", "stretch"));
    assert_eq!(first.packages[0].reference, "pool/main/h/hello/hello_1.0_all.deb");
    assert!(place.root.wake().exists(), "whoever waits was woken");
}

#[test]
fn a_generation_can_be_read_after_newer_ones_were_published() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0").field("Depends", "libc6"), false);
    place.publish("r", "stretch");
    place.add("r", &package("hello", "1.0").file("etc/other", 0o644, "x"), true);
    place.update("stretch");

    let events = news(&place);
    for event in &events {
        let generation = place.root.generation(".", "stretch", Some(event.generation)).unwrap();
        let wanted = &event.packages[0];
        let found = place.root.generation_package(&generation, "hello", "1.0", &wanted.sha256).unwrap();
        assert_eq!(found.sha256(), wanted.sha256);
        assert_eq!(debian::sums::Sums::of(&fs::read(&found.path).unwrap()).sha256, wanted.sha256, "the file is pinned");
    }
    let shown = place.root.generation(".", "stretch", None).unwrap();
    assert_eq!(shown.number, 2);
    assert_eq!(place.root.generation_packages(&shown).unwrap().len(), 1);
    let gone = place.root.generation_package(&shown, "hello", "1.0", &events[0].packages[0].sha256).unwrap_err();
    assert!(gone.to_string().contains("is not in generation 2 of ./stretch"), "{gone}");
}

#[test]
fn readers_of_the_old_release_still_find_its_indexes_by_hash() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0"), false);
    place.publish("r", "stretch");
    let index = place.root.public().join("dists/stretch/main/binary-amd64");
    let old = debian::sums::Sums::of(&fs::read(index.join("Packages.gz")).unwrap()).sha256;
    for version in ["2.0", "3.0"] {
        place.add("r", &package("hello", version), false);
        place.update("stretch");
        assert!(index.join("by-hash/SHA256").join(&old).is_file(), "after {version}");
    }
    let generations = fs::read_dir(place.root.public().join("dists/.generations/stretch")).unwrap();
    let mut names: Vec<String> = generations.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["2", "3", "by-hash"], "the one shown, the one before, and the names that all share");
}

#[test]
fn a_crash_between_commit_and_rename_is_finished_by_whoever_comes_next() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0"), false);
    place.publish("r", "stretch");
    place.add("r", &package("hello", "2.0"), false);
    place.update("stretch");
    // What the disk looks like when the process died before the rename.
    let shown = place.root.public().join("dists/stretch");
    fs::remove_file(&shown).unwrap();
    std::os::unix::fs::symlink(".generations/stretch/1", &shown).unwrap();
    place.root.recover_publications().unwrap();
    assert_eq!(fs::read_link(&shown).unwrap().to_str(), Some(".generations/stretch/2"));
}

#[test]
fn a_dropped_publication_leaves_nothing_and_its_neighbour_everything() {
    let place = Place::new();
    place.create("r");
    place.create("s");
    place.add("r", &package("hello", "1.0"), false);
    place.add("s", &package("other", "1.0"), false);
    place.publish("r", "stretch");
    place.publish("s", "buster");
    place.root.drop_publication("", ".", "stretch", false, &mut |_| {}).unwrap();
    let public = place.root.public();
    assert!(!public.join("dists/stretch").exists());
    assert!(!public.join("pool/main/h/hello").exists());
    assert!(public.join("pool/main/o/other/other_1.0_all.deb").exists());
    place.root.drop_publication("", ".", "buster", false, &mut |_| {}).unwrap();
    assert!(!public.join("dists").exists() && !public.join("pool").exists());
}

#[test]
fn cleanup_takes_what_nothing_refers_to_and_nothing_else() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0"), false);
    place.add("r", &package("other", "1.0"), false);
    place.publish("r", "stretch");
    place.add("r", &package("late", "1.0"), false);
    let query = debian::query::parse("late | other").unwrap();
    place.root.remove_packages("r", &query, false, &mut |_| {}).unwrap();
    let cleaned = place.root.cleanup(false, false, &mut |_| {}).unwrap();
    assert_eq!((cleaned.packages, cleaned.files), (1, 1), "`other` is still published");
    assert_eq!(place.root.cleanup(false, false, &mut |_| {}).unwrap().packages, 0);
    let again = apt::Root::open(place.root.path(), clock()).unwrap();
    let generation = again.generation(".", "stretch", None).unwrap();
    assert_eq!(again.generation_packages(&generation).unwrap().len(), 2);
}

#[test]
fn generations_within_one_second_have_different_times() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0"), false);
    place.publish("r", "stretch");
    let release = place.root.public().join("dists/stretch/Release");
    let seconds = || std::os::unix::fs::MetadataExt::mtime(&fs::metadata(&release).unwrap());
    let mut last = seconds();
    for _ in 0..3 {
        place.update("stretch");
        assert!(seconds() > last, "a client that asks for changes since then gets them");
        last = seconds();
    }
}
