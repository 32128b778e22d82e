//! Several at work on one root.

use std::thread;

use apt::Root;
use testkit::package::package;

use crate::{Place, clock};

#[test]
fn adding_at_the_same_time_loses_nothing() {
    let place = Place::new();
    place.create("r");
    thread::scope(|scope| {
        for writer in 0..4 {
            let path = place.root.path();
            let incoming = place.incoming();
            scope.spawn(move || {
                // A root of its own, as another process has.
                let root = Root::open(path, clock()).unwrap();
                for number in 0..6 {
                    let file = package(&format!("tool{writer}x{number}"), "1.0").write_to(&incoming);
                    root.add("r", &[file], apt::AddOptions::default(), &mut |_| {}).unwrap();
                }
            });
        }
    });
    let repo = place.root.repo("r").unwrap();
    assert_eq!(place.root.count(&repo.root).unwrap(), 24);
    let keys = place.root.keys(&repo.root).unwrap();
    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "in index order");
}

#[test]
fn equal_lists_are_one_list_whatever_their_history() {
    let place = Place::new();
    place.create("a");
    place.create("b");
    let packages: Vec<_> = (0..12).map(|number| package(&format!("p{number}"), "1.0")).collect();
    for one in &packages {
        place.add("a", one, false);
    }
    place.add("b", &package("extra", "1.0"), false);
    for one in packages.iter().rev() {
        place.add("b", one, false);
    }
    place.root.remove_packages("b", &debian::query::parse("extra").unwrap(), false, &mut |_| {}).unwrap();
    assert_eq!(place.root.repo("a").unwrap().root, place.root.repo("b").unwrap().root);
}

#[test]
fn an_old_package_stays_when_the_same_version_comes_with_other_bytes() {
    let place = Place::new();
    place.create("r");
    place.add("r", &package("hello", "1.0"), false);
    let lines = place.add("r", &package("hello", "1.0").file("etc/x", 0o644, "x"), false);
    let warned = lines.iter().any(|line| {
        matches!(line, apt::Line::Warning(text) if text.contains("package already exists and is different: hello_1.0_all") && text.contains("-force-replace"))
    });
    assert!(warned, "{lines:?}");
    assert_eq!(place.root.count(&place.root.repo("r").unwrap().root).unwrap(), 1);
}
