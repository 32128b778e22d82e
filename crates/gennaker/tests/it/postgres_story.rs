//! The same server over PostgreSQL: a pipeline runs, the server is killed while it waits for a person, and it goes on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Location;
use testkit::{postgres, probe};

use crate::server::{Server, ask};

fn call(server: &Server, method: &str, path: &str, body: &Value) -> Value {
    let (status, text) = ask(&server.address(), method, path, &body.to_string());
    assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// The execution once `look` finds what it wants in it.
fn until<T>(server: &Server, path: &str, look: impl Fn(&Value) -> Option<T>) -> T {
    let deadline = Instant::now() + crate::server::PATIENCE;
    loop {
        let found = call(server, "GET", path, &Value::Null);
        if let Some(wanted) = look(&found) {
            return wanted;
        }
        assert!(Instant::now() < deadline, "{path} did not come so far: {found:#}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_pipeline_runs_over_postgresql_and_survives_a_kill() {
    let database = match postgres::start() {
        Ok(database) => database,
        Err(reason) => return probe::not_run(&reason),
    };
    let Location::Postgres(url) = database.fresh() else { unreachable!("a server gives PostgreSQL databases") };
    let config = format!("[server]\nstore = \"{url}\"\n");
    let mut server = Server::start(&config);
    let application = json!({ "type": "createApplication", "application": { "name": "pg", "email": "a@b.c" } });
    call(&server, "POST", "/tasks", &json!({ "application": "pg", "description": "new", "job": [application] }));
    let stages = json!([
        { "refId": "1", "requisiteStageRefIds": [], "type": "wait", "waitTime": 0 },
        { "refId": "2", "requisiteStageRefIds": ["1"], "type": "manualJudgment" },
    ]);
    call(&server, "POST", "/pipelines", &json!({ "application": "pg", "name": "ask", "stages": stages }));
    let started = call(&server, "POST", "/pipelines/v2/pg/ask", &json!({}));
    let path = started["ref"].as_str().expect("a reference").to_owned();
    let stage = until(&server, &path, |execution| {
        let asks = &execution["stages"][1];
        (asks["status"] == "RUNNING").then(|| asks["id"].as_str().expect("an id").to_owned())
    });

    server = Server::start_in(server.kill(), &config);
    assert!(!server.data().join("gennaker.db").exists(), "nothing is kept in a file");
    let answer = json!({ "judgmentStatus": "continue" });
    call(&server, "PATCH", &format!("{path}/stages/{stage}"), &answer);
    let status =
        until(&server, &path, |execution| (execution["status"] != "RUNNING").then(|| execution["status"].clone()));
    assert_eq!(status, "SUCCEEDED");
    let audit = call(&server, "GET", "/ui-api/audit?who=anonymous&limit=1", &Value::Null);
    assert_eq!((&audit[0]["seq"], &audit[0]["method"]), (&json!(4), &json!("PATCH")));
    let verified = call(&server, "GET", "/ui-api/audit/verify", &Value::Null);
    assert_eq!((&verified["entries"], &verified["broken"]), (&json!(4), &Value::Null));
    // What is past its time is counted and forgotten there, too.
    call(&server, "POST", "/ui-api/gc?dryRun=true", &Value::Null);
    call(&server, "POST", "/ui-api/gc", &Value::Null);
}
