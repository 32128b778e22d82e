//! The log of operations and the way back.

use std::collections::BTreeSet;

use apt::{Op, Root};
use testkit::package::{TestPackage, package};

use crate::{Place, request, unsigned};

impl Place {
    /// Does something as one operation.
    fn act(&self, command: &str, work: impl FnOnce(&Place)) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = self.root.clone().acting("ana", command);
        let place = Place { folder, root };
        std::fs::create_dir(place.incoming()).expect("made");
        work(&place);
    }

    fn undo(&self, id: Option<i64>) -> Result<i64, String> {
        let root = self.root.clone().acting("ben", "undo");
        root.undo(id, &unsigned(), &mut |_| {}).map(|undone| undone.op.id).map_err(|error| error.to_string())
    }

    fn has(&self, repo: &str) -> BTreeSet<String> {
        let root = self.root.repo(repo).expect("there").root;
        self.root.keys(&root).expect("read").iter().map(ToString::to_string).collect()
    }

    fn shown(&self, distribution: &str) -> BTreeSet<String> {
        let path = self.root.public().join("dists").join(distribution).join("main/binary-amd64/Packages");
        let text = std::fs::read_to_string(path).expect("published");
        text.lines().filter_map(|line| line.strip_prefix("Filename: ")).map(str::to_owned).collect()
    }
}

fn hello(version: &str) -> TestPackage {
    package("hello", version)
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `id who: command -> what kind name +added -removed`.
fn told(op: &Op) -> String {
    let changes: Vec<String> = op
        .changes
        .iter()
        .map(|change| {
            let (added, removed) = (change.added.join(" +"), change.removed.join(" -"));
            let plus = if added.is_empty() { "" } else { " +" };
            let minus = if removed.is_empty() { "" } else { " -" };
            format!("{} {} {}{plus}{added}{minus}{removed}", change.what, change.kind, change.name)
        })
        .collect();
    format!("{} {}: {} -> {}", op.id, op.who, op.command, changes.join(", "))
}

#[test]
fn the_log_tells_who_changed_what_by_which_command() {
    let place = Place::new();
    place.act("aptly repo create r", |place| place.create("r"));
    place.act("aptly repo add r in", |place| {
        place.add("r", &hello("1.0"), false);
        place.add("r", &hello("2.0"), false);
    });
    place.act("aptly repo list", |place| drop(place.root.repos().unwrap()));
    place.act("aptly snapshot create s from repo r", |place| drop(place.root.snapshot_repo("s", "r").unwrap()));
    place.act("aptly publish repo r", |place| place.publish("r", "stretch"));
    let query = debian::query::parse("hello (= 1.0)").unwrap();
    place
        .act("aptly repo remove r", |place| drop(place.root.remove_packages("r", &query, false, &mut |_| {}).unwrap()));
    place.act("aptly publish update stretch", |place| place.update("stretch"));
    place.act("aptly snapshot drop s", |place| drop(place.root.drop_snapshot("s", false).unwrap()));
    let log: Vec<String> = place.root.ops(100).unwrap().iter().rev().map(told).collect();
    assert_eq!(
        log,
        [
            "1 ana: aptly repo create r -> made repo r",
            "2 ana: aptly repo add r in -> changed repo r +hello_1.0_all +hello_2.0_all",
            "3 ana: aptly snapshot create s from repo r -> made snapshot s +hello_1.0_all +hello_2.0_all",
            "4 ana: aptly publish repo r -> made publication ./stretch +hello_1.0_all +hello_2.0_all",
            "5 ana: aptly repo remove r -> changed repo r -hello_1.0_all",
            "6 ana: aptly publish update stretch -> changed publication ./stretch -hello_1.0_all",
            "7 ana: aptly snapshot drop s -> removed snapshot s -hello_1.0_all -hello_2.0_all",
        ]
    );
}

#[test]
fn what_was_done_is_undone_and_redone() {
    let place = Place::new();
    place.create("r");
    place.act("add", |place| drop(place.add("r", &hello("1.0"), false)));
    place.act("more", |place| drop(place.add("r", &hello("2.0"), false)));
    let more = place.root.ops(1).unwrap()[0].id;
    assert_eq!(place.undo(None), Ok(more));
    assert_eq!(place.has("r"), names(&["hello_1.0_all"]));
    let undoing = place.root.ops(1).unwrap()[0].clone();
    assert_eq!((undoing.who.as_str(), undoing.undoes), ("ben", Some(more)));
    assert_eq!(place.root.op(more).unwrap().undone_by, Some(undoing.id));
    assert_eq!(place.undo(Some(undoing.id)), Ok(undoing.id), "redone");
    assert_eq!(place.has("r"), names(&["hello_1.0_all", "hello_2.0_all"]));

    place.act("drop", |place| drop(place.root.drop_repo("r", false).unwrap()));
    assert!(place.root.repo("r").is_err());
    place.undo(None).unwrap();
    assert_eq!(place.has("r"), names(&["hello_1.0_all", "hello_2.0_all"]));
    place.add("r", &hello("3.0"), false);
    assert_eq!(place.has("r").len(), 3, "it works on as before");
    assert_eq!(
        place.undo(Some(4711)),
        Err("there is no operation 4711 in the log; `gennaker op log` lists those of the last two weeks".into())
    );
}

#[test]
fn what_was_changed_again_since_is_undone_from_the_end() {
    let place = Place::new();
    place.create("r");
    place.act("one", |place| drop(place.add("r", &hello("1.0"), false)));
    place.act("two", |place| drop(place.add("r", &hello("2.0"), false)));
    let ids: Vec<i64> = place.root.ops(2).unwrap().iter().map(|op| op.id).collect();
    let (two, one) = (ids[0], ids[1]);
    let refused = place.undo(Some(one)).unwrap_err();
    assert_eq!(refused, format!("repo r was changed after operation {one} (last by operation {two}; undo that first)"));
    assert_eq!(place.has("r").len(), 2, "nothing was done");
    place.undo(Some(two)).unwrap();
    let again = place.undo(Some(two)).unwrap_err();
    assert!(again.starts_with(&format!("operation {two} was undone by operation ")), "{again}");
}

#[test]
fn a_publication_goes_back_with_its_package_files() {
    let place = Place::new();
    place.create("r");
    place.add("r", &hello("1.0"), false);
    place.act("publish", |place| place.publish("r", "stretch"));
    let first = "pool/main/h/hello/hello_1.0_all.deb";
    let query = debian::query::parse("hello").unwrap();
    place.root.remove_packages("r", &query, false, &mut |_| {}).unwrap();
    place.add("r", &hello("2.0"), false);
    place.act("update", |place| place.update("stretch"));
    let public = place.root.public();
    assert!(!public.join(first).exists());

    place.undo(None).unwrap();
    assert_eq!(place.shown("stretch"), names(&[first]));
    assert!(public.join(first).exists() && !public.join("pool/main/h/hello/hello_2.0_all.deb").exists());
    assert_eq!(place.root.publication("", ".", "stretch").unwrap().generation, 3, "clients never see a number twice");

    place.act("drop", |place| place.root.drop_publication("", ".", "stretch", false, &mut |_| {}).unwrap());
    assert!(!public.join("dists").exists());
    place.undo(None).unwrap();
    assert_eq!(place.shown("stretch"), names(&[first]));
    assert!(public.join(first).exists());

    let published = place.root.ops(100).unwrap().into_iter().find(|op| op.command == "publish").unwrap().id;
    let refused = place.undo(Some(published)).unwrap_err();
    assert!(
        refused.starts_with(&format!("publication ./stretch was changed after operation {published}")),
        "{refused}"
    );
    place.publish("r", "buster");
    place.undo(None).unwrap();
    assert!(place.root.publication("", ".", "buster").is_err(), "the newest went");
}

#[test]
fn what_a_cleanup_took_does_not_come_back_half() {
    let place = Place::new();
    place.create("r");
    place.add("r", &hello("1.0"), false);
    place.act("remove", |place| {
        let query = debian::query::parse("hello").unwrap();
        place.root.remove_packages("r", &query, false, &mut |_| {}).unwrap();
    });
    place.root.cleanup(false, false, &mut |_| {}).unwrap();
    let id = place.root.ops(1).unwrap()[0].id;
    assert_eq!(
        place.undo(None),
        Err(format!("packages that repo r had before operation {id} were taken by a cleanup; it cannot be undone"))
    );
    assert_eq!(place.has("r"), names(&[]));
}

#[test]
fn another_with_the_same_name_is_in_the_way() {
    let place = Place::new();
    place.create("r");
    place.root.snapshot_empty("s").unwrap();
    place.act("drop", |place| drop(place.root.drop_snapshot("s", false).unwrap()));
    let dropped = place.root.ops(1).unwrap()[0].id;
    place.root.snapshot_repo("s", "r").unwrap();
    assert_eq!(place.undo(Some(dropped)), Err("there is another snapshot with the name s now; rename it first".into()));
    place.root.rename_snapshot("s", "t").unwrap();
    place.undo(Some(dropped)).unwrap();
    assert_eq!(place.root.snapshot("s").unwrap().description, "Created as empty");
    let again = Root::open(place.root.path(), crate::clock()).unwrap();
    assert_eq!(again.snapshots().unwrap().len(), 2);
    let mut wanted = request("r", "x");
    wanted.architectures = vec!["amd64".into()];
    again.publish(&wanted, &mut |_| {}).unwrap();
}
