//! Coming from Debian's own aptly and going back to it: the same root, both programs, and what each sees of the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::package::package;
use testkit::probe;

use crate::apt_story::Machine;
use crate::server::{gennaker, run};

const DEBIANS: &str = "/usr/bin/aptly";

/// Runs Debian's aptly in a HOME; everything that it prints.
fn debians(home: &Path, line: &str) -> String {
    let output = Command::new(DEBIANS)
        .args(line.split_whitespace())
        .current_dir(home)
        .env("HOME", home)
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{line}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// What a person has who comes from aptly: two repositories, a snapshot, two publications.
fn machine() -> Machine {
    let machine = Machine::new();
    let home = machine.path();
    for built in [
        package("app", "1.0").architecture("amd64").field("Depends", "libc6 (>= 2.36), app-data | app-extra"),
        package("app", "1.1").architecture("amd64").field("Section", "web"),
        package("app-data", "1.0"),
    ] {
        built.write_to(home);
    }
    for line in [
        "repo create -comment=ours -distribution=bookworm apps",
        "repo add apps app_1.0_amd64.deb app_1.1_amd64.deb",
        "repo create -component=data data",
        "repo add data app-data_1.0_all.deb",
        "snapshot create first from repo apps",
        "snapshot create all from repo data",
        "snapshot merge -no-remove both first all",
        "publish snapshot -skip-signing -distribution=stable -label=Shop both",
        "publish repo -skip-signing -distribution=sid -component=main,data apps data two",
    ] {
        debians(home, line);
    }
    machine
}

/// The commands that tell everything.
const TELLING: [&str; 9] = [
    "repo list",
    "repo list -raw",
    "repo show -with-packages apps",
    "snapshot list",
    "snapshot show -with-packages both",
    "publish list",
    "package show app_1.0_amd64",
    "package show app-data",
    "repo search apps app",
];

/// Files below a folder with their content, without what opening alone touches.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("read").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.is_file() && !path.ends_with("LOG"));
    files.map(|path| (path.clone(), std::fs::read(path).expect("read"))).collect()
}

#[test]
fn reading_on_aptlys_root_tells_what_aptly_tells_and_writes_nothing() {
    if !Path::new(DEBIANS).exists() {
        return probe::not_run("Debian's aptly is not installed");
    }
    let machine = machine();
    let expected: Vec<String> = TELLING.iter().map(|line| debians(machine.path(), line)).collect();
    let before = content(&machine.path().join(".aptly/db"));
    for (line, expected) in TELLING.iter().zip(expected) {
        assert_eq!(machine.run(&format!("aptly {line}")), expected, "{line}");
    }
    let mut check = gennaker(machine.path());
    let (code, out, said) = run(check.args(["import", "aptly", "--check"]));
    assert_eq!((code, out.trim()), (0, "3 packages, 2 repositories, 0 mirrors, 3 snapshots, 2 publications"), "{said}");
    assert!(said.contains("Reading aptly's database in ") && !said.contains("Taking over"), "{said}");
    assert!(!machine.path().join(".aptly/gennaker.db").exists());
    assert_eq!(content(&machine.path().join(".aptly/db")), before);
}

#[test]
fn the_first_change_takes_everything_over_and_publications_go_on() {
    if !Path::new(DEBIANS).exists() {
        return probe::not_run("Debian's aptly is not installed");
    }
    let machine = machine();
    let before = content(&machine.path().join(".aptly/db"));
    let index = machine.public().join("two/dists/sid/main/binary-amd64/Packages");
    let rendered = std::fs::read_to_string(&index).expect("rendered by aptly");
    package("app", "2.0").architecture("amd64").write_to(machine.path());
    assert!(machine.run("aptly repo add apps app_2.0_amd64.deb").contains("[+] app_2.0_amd64 added"));
    assert_eq!(content(&machine.path().join(".aptly/db")), before, "the old database is only read");
    assert_eq!(std::fs::read_to_string(&index).expect("still there"), rendered, "what is published stays");

    machine.run("aptly publish update -skip-signing sid two");
    let now = std::fs::read_to_string(&index).expect("rendered anew");
    let packages = |text: &str| {
        let paragraphs: Vec<String> = text.trim_end().split("\n\n").map(str::to_owned).collect();
        paragraphs
    };
    let (old, new) = (packages(&rendered), packages(&now));
    assert_eq!(new.len(), old.len() + 1);
    assert!(old.iter().all(|paragraph| new.contains(paragraph)), "{rendered}\n\n{now}");
    // What was frozen when it was published is the difference that is told.
    let history = machine.run("aptly publish history sid two");
    assert!(history.contains("4 packages (shown now)\n    + app_2.0_amd64\n1  "), "{history}");
    machine.run("aptly publish drop stable");
    assert!(!machine.public().join("dists").exists() && index.exists());
    machine.run("aptly db cleanup");
    machine.run("aptly publish update -skip-signing sid two");
}

#[test]
fn what_aptly_changes_afterwards_is_noticed_and_its_looking_is_not() {
    if !Path::new(DEBIANS).exists() {
        return probe::not_run("Debian's aptly is not installed");
    }
    let machine = machine();
    machine.run("aptly repo create ours");
    debians(machine.path(), "repo list");
    machine.run("aptly repo create ours-too");
    debians(machine.path(), "repo create theirs");
    let refused = machine.fails("aptly repo create never", 1);
    assert!(refused.contains("gennaker import aptly --again"), "{refused}");
    assert_eq!(machine.run("aptly repo list -raw"), "apps\ndata\nours\nours-too\n", "reading goes on");
    let gennaker = |line: &str| {
        let root = machine.path().join(".aptly");
        let mut command = Command::new(env!("CARGO_BIN_EXE_gennaker"));
        let output = command.args(line.split(' ')).arg("--root").arg(root).output().expect("started");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(gennaker("import aptly").0, Some(1));
    let (code, told) = gennaker("import aptly --again --json");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &told["repos"], &told["left_out"]), (Some(0), &3.into(), &serde_json::json!([])));
    assert_eq!(machine.run("aptly repo list -raw"), "apps\ndata\ntheirs\n");
    machine.run("aptly repo create ours");
}

#[test]
fn what_is_exported_is_a_root_of_debians_aptly() {
    if !Path::new(DEBIANS).exists() {
        return probe::not_run("Debian's aptly is not installed");
    }
    let machine = machine();
    package("app", "2.0").architecture("amd64").field("Homepage", "https://example.org/").write_to(machine.path());
    machine.run("aptly repo add apps app_2.0_amd64.deb");
    machine.run("aptly snapshot create second from repo apps");
    machine.run("aptly publish update -skip-signing sid two");
    let expected: Vec<String> = TELLING.iter().map(|line| machine.run(&format!("aptly {line}"))).collect();
    let away = tempfile::tempdir().expect("a folder");
    let export = Command::new(env!("CARGO_BIN_EXE_gennaker"))
        .args(["export", "aptly", "--root"])
        .arg(machine.path().join(".aptly"))
        .arg(away.path().join(".aptly"))
        .output()
        .expect("started");
    assert!(export.status.success(), "{export:?}");
    std::fs::write(away.path().join(".aptly.conf"), "{}").expect("written");
    for (line, expected) in TELLING.iter().zip(expected) {
        assert_eq!(debians(away.path(), line), expected, "{line}");
    }
    let index = "public/two/dists/sid/main/binary-amd64/Packages";
    let ours = std::fs::read_to_string(machine.path().join(".aptly").join(index)).expect("rendered");
    assert_eq!(std::fs::read_to_string(away.path().join(".aptly").join(index)).expect("exported"), ours);
    debians(away.path(), "publish update -skip-signing sid two");
    let theirs = std::fs::read_to_string(away.path().join(".aptly").join(index)).expect("rendered by aptly");
    let sorted = |text: &str| {
        let mut paragraphs: Vec<String> = text.trim_end().split("\n\n").map(str::to_owned).collect();
        paragraphs.sort();
        paragraphs
    };
    assert_eq!(sorted(&theirs), sorted(&ours));
    debians(away.path(), "db cleanup");
    debians(away.path(), "publish drop sid two");
}
