//! The recorded runs of pipelines, driven through the real binary: what was seen of Spinnaker's engine must be seen here.

use std::path::PathBuf;
use std::process::Command;

use crate::server::Server;

#[allow(clippy::disallowed_methods, reason = "where the recordings lie is told to tests by the environment")]
fn recordings() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let folder = std::env::var_os("GENNAKER_CONFORMANCE").map_or_else(beside, PathBuf::from);
    Some(folder.join("executions")).filter(|folder| folder.join("run.py").exists())
}

#[test]
fn every_recorded_run_is_seen_again() {
    let Some(folder) = recordings() else {
        eprintln!("not run: no recorded runs beside the checkout (GENNAKER_CONFORMANCE names their folder)");
        return;
    };
    if Command::new("python3").arg("--version").output().is_err() {
        return testkit::probe::not_run("there is no python3 to drive the recorded runs");
    }
    let server = Server::start("");
    // All at once: the longest of them waits for a minute.
    let driven = Command::new("python3")
        .arg(folder.join("run.py"))
        .args(["--base", &format!("http://{}", server.address()), "--jobs", "160", "--limit", "100"])
        .arg("--cases")
        .arg(folder.join("cases.json"))
        .output()
        .expect("python3 runs");
    let said = String::from_utf8_lossy(&driven.stdout);
    assert!(driven.status.success(), "{said}{}", String::from_utf8_lossy(&driven.stderr));
    assert!(said.trim_end().ends_with(" passed, 0 failed"), "{said}");
}
