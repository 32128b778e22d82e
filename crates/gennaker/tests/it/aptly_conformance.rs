//! Recorded sessions of the real aptly, replayed. The list beside this folder names those that must pass; it only grows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::apt_story::have;

/// The folder of the recorded sessions: named by `GENNAKER_CONFORMANCE`, or beside the checkout.
#[allow(clippy::disallowed_methods, reason = "tests are told by the environment where things are")]
fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("GENNAKER_CONFORMANCE").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    [named, Some(beside)]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("aptly"))
        .find(|folder| folder.join("run.py").is_file())
}

#[test]
fn sessions_recorded_from_aptly_give_the_same() {
    let Some(folder) = folder() else {
        eprintln!("not run: there are no recorded sessions here");
        return;
    };
    if !have("python3") || !have("gpg") {
        return;
    }
    let scratch = tempfile::tempdir().expect("a folder");
    let answers = scratch.path().join("answers.json");
    let output = Command::new("python3")
        .arg(folder.join("run.py"))
        .args(["--bin", env!("CARGO_BIN_EXE_gennaker"), "--json"])
        .arg(&answers)
        .output()
        .expect("python3 starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers = std::fs::read_to_string(&answers).unwrap_or_else(|error| panic!("no answers ({error}): {said}"));
    let answers: BTreeMap<String, Option<String>> = serde_json::from_str(&answers).expect("answers");
    let broken: Vec<&str> = include_str!("../aptly_cases.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|name| answers.get(*name).is_some_and(Option::is_some))
        .collect();
    assert!(broken.is_empty(), "these passed before: {broken:?}\n{said}");
    println!("{}", said.lines().last().unwrap_or_default());
}
