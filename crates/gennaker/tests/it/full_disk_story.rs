//! The disk under a running server fills up: it says so, loses nothing, and goes on when there is room again.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::disk::SmallDisk;
use testkit::probe;

use crate::server::{Server, ask};

#[test]
fn a_full_disk_is_told_and_the_server_recovers_without_a_restart() {
    let disk = match SmallDisk::mount(16) {
        Ok(disk) => disk,
        Err(reason) => return probe::not_run(&reason),
    };
    // Everything is on it, what it logs as well.
    let server = Server::start_in(tempfile::tempdir_in(disk.path()).expect("a folder"), "");
    let address = server.address();
    let create = |name: &str| {
        let job = json!({ "type": "createApplication", "application": { "name": name, "email": "a@b.c" } });
        let body = json!({ "application": name, "description": "new", "job": [job] });
        ask(&address, "POST", "/tasks", &body.to_string())
    };
    assert_eq!(create("before").0, 200);

    let ballast = disk.fill();
    let (status, text) =
        (0..200).map(|n| create(&format!("full{n}"))).find(|(status, _)| *status != 200).expect("it is full");
    assert_eq!(status, 507, "{text}");
    let problem: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let message = problem["message"].as_str().expect("a message");
    assert!(message.contains("is full: make room; what was acknowledged before is safe"), "{message}");
    assert_eq!(ask(&address, "GET", "/health", "").0, 200, "it is still there");
    let (status, applications) = ask(&address, "GET", "/applications", "");
    assert!(status == 200 && applications.contains("before"), "reading goes on: {status} {applications}");

    std::fs::remove_file(&ballast).expect("makes room");
    let deadline = Instant::now() + crate::server::PATIENCE;
    while create("after").0 != 200 {
        assert!(Instant::now() < deadline, "it does not recover");
        std::thread::sleep(Duration::from_millis(50));
    }
    while !ask(&address, "GET", "/applications", "").1.contains("after") {
        assert!(Instant::now() < deadline, "the engine does not recover: {}", server.complaints());
        std::thread::sleep(Duration::from_millis(50));
    }
}
