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

#[test]
fn an_almost_full_disk_takes_no_new_work_and_what_runs_goes_on() {
    let disk = match SmallDisk::mount(256) {
        Ok(disk) => disk,
        Err(reason) => return probe::not_run(&reason),
    };
    let server = Server::start_in(tempfile::tempdir_in(disk.path()).expect("a folder"), "");
    let address = server.address();
    let call = |method: &str, path: &str, body: &serde_json::Value| {
        let (status, text) = ask(&address, method, path, &body.to_string());
        (status, serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default())
    };
    let pipeline = json!({"application": "shop", "name": "ask", "id": "ask", "stages": [{"type": "manualJudgment", "refId": "1", "name": "may it?"}],
        "triggers": [{"type": "webhook", "enabled": true, "source": "ci"}]});
    assert_eq!(call("POST", "/pipelines", &pipeline).0, 200);
    let start = || call("POST", "/pipelines/shop/ask", &json!({}));
    let (status, begun) = start();
    assert_eq!(status, 202, "{begun}");
    let run = begun["ref"].as_str().expect("a run").to_owned();
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let deadline = Instant::now() + crate::server::PATIENCE;
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}: {}", server.complaints());
            std::thread::sleep(Duration::from_millis(50));
        }
    };

    // At 90 % it is told, and everything goes on.
    let ballast = disk.fill_to(92);
    until("it warns", &|| server.complaints().contains("% full; from 97 % on nothing new begins"));
    assert_eq!(start().0, 202);

    // At 97 % nothing new begins, whoever asks.
    let more = disk.fill_to(97);
    until("it refuses", &|| start().0 == 507);
    let (_, why) = start();
    let message = why["message"].as_str().expect("a message");
    assert!(
        message.contains("% full: nothing new begins before there is room; `gennaker df` shows what takes it"),
        "{message}"
    );
    assert_eq!(call("PUT", "/api/files/up/hello.deb", &json!("bytes")).0, 507);
    assert_eq!(call("POST", "/api/publish", &json!({})).0, 507);
    assert_eq!(call("POST", "/webhooks/webhook/ci", &json!({})).0, 200);
    let refused = || {
        let (_, runs) = call("GET", "/executions?pipelineConfigIds=ask&limit=10", &json!(null));
        runs.as_array().is_some_and(|runs| {
            runs.iter().any(|run| {
                let why = run["cancellationReason"].as_str().unwrap_or_default();
                run["status"] == "TERMINAL" && why.starts_with("Failed on startup: the disk of ")
            })
        })
    };
    until("what a trigger would have started is seen, with the reason", &refused);
    let (_, out, _) = server.also(&["doctor"]);
    assert!(out.contains("BAD   disk"), "{out}");

    // What runs goes on to its end, and jobs do: what makes room is one.
    let stage = || {
        let (_, run) = call("GET", &run, &json!(null));
        run["stages"][0].clone()
    };
    until("it waits for a person", &|| stage()["status"] == "RUNNING");
    let answer = json!({"judgmentStatus": "continue"});
    assert_eq!(call("PATCH", &format!("{run}/stages/{}", stage()["id"].as_str().expect("an id")), &answer).0, 200);
    until("it ends", &|| stage()["status"] == "SUCCEEDED");
    let job = json!({ "type": "createApplication", "application": { "name": "later", "email": "a@b.c" } });
    assert_eq!(call("POST", "/tasks", &json!({ "application": "later", "description": "new", "job": [job] })).0, 200);

    // With room again it begins again, without a restart.
    [ballast, more].iter().for_each(|file| std::fs::remove_file(file).expect("makes room"));
    until("it begins again", &|| start().0 == 202);
    until("that is told", &|| server.complaints().contains("has room again"));
}
