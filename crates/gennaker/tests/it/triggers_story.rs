//! Triggers over the real server: a cron each second that survives kills, a signed push of GitHub, a webhook with constraints.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Location;
use testkit::{postgres, probe};

use crate::server::{Server, ask, ask_with};

fn call(server: &Server, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, text) = ask(&server.address(), method, path, &body);
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn save(server: &Server, pipeline: &Value) {
    assert_eq!(call(server, "POST", "/pipelines", pipeline), (200, Value::Null));
}

/// All executions of a pipeline, the oldest first.
fn runs(server: &Server, pipeline: &str) -> Vec<Value> {
    let path = format!("/executions?pipelineConfigIds={pipeline}&limit=1000");
    let (status, answer) = call(server, "GET", &path, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    let mut runs = answer.as_array().expect("a list").clone();
    runs.reverse();
    runs
}

fn wait_for(server: &Server, pipeline: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + crate::server::PATIENCE;
    loop {
        let runs = runs(server, pipeline);
        if runs.len() >= count {
            return runs;
        }
        assert!(Instant::now() < deadline, "{} runs of {count} after 20 s", runs.len());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn quick(id: &str, triggers: Value) -> Value {
    json!({"application": "shop", "name": id, "id": id, "triggers": triggers, "stages": [
        {"refId": "1", "type": "evaluateVariables", "name": "v", "requisiteStageRefIds": [], "variables": [
            {"key": "by", "value": "${trigger.type}"}]}]})
}

#[test]
fn a_cron_each_second_fires_each_second_once_though_the_server_is_killed() {
    let mut server = Server::start("");
    save(
        &server,
        &quick("each-second", json!([{"type": "cron", "enabled": true, "id": "c", "cronExpression": "* * * * * ?"}])),
    );
    for round in 1..=3 {
        wait_for(&server, "each-second", 2 * round);
        server = Server::start_in(server.kill(), "");
    }
    let before = runs(&server, "each-second").len();
    let runs = wait_for(&server, "each-second", before + 2);
    let times: Vec<i64> = runs.iter().filter_map(|r| r["trigger"]["scheduledTime"].as_i64()).collect();
    assert_eq!(times.len(), runs.len(), "each was started by its trigger");
    let seconds: BTreeSet<i64> = times.iter().map(|time| time / 1000).collect();
    assert_eq!(seconds.len(), times.len(), "no second twice: {times:?}");
    let (first, last) = (seconds.first().expect("one"), seconds.last().expect("one"));
    assert_eq!(usize::try_from(last - first + 1).ok(), Some(seconds.len()), "no second is left out: {times:?}");
    // Switched off, it is silent at once.
    save(
        &server,
        &quick("each-second", json!([{"type": "cron", "enabled": false, "id": "c", "cronExpression": "* * * * * ?"}])),
    );
    let count = self::runs(&server, "each-second").len();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(self::runs(&server, "each-second").len(), count);
}

/// The sum of `BODY` under the key `push secret`, made with another program.
const BODY: &str = r#"{"ref":"refs/heads/main","after":"da68b0f38d58","repository":{"name":"till","owner":{"login":"shop"}},"commits":[{"modified":["README.md"]}]}"#;
const SIGNATURE: &str = "f2339bd13b58a88b35f52064c038f32813cafdf1a15367e65830d619e31840f8";

#[test]
fn a_signed_push_starts_a_pipeline_once_and_the_secret_stays_secret() {
    let server = Server::start("");
    let trigger = json!({"type": "git", "enabled": true, "source": "github", "project": "Shop", "slug": "till",
        "branch": "main|release/.*", "secret": "push secret", "runAsUser": "robot", "rebake": true});
    save(&server, &quick("built", json!([trigger, trigger])));
    let post = |signature: &str, delivery: &str| {
        let lines = [
            "X-GitHub-Event: push",
            &format!("X-GitHub-Delivery: {delivery}"),
            &format!("X-Hub-Signature-256: sha256={signature}"),
        ]
        .map(str::to_owned);
        let (status, text) = ask_with(&server.address(), "POST", "/webhooks/git/github", &lines, BODY);
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(answer, json!({"eventProcessed": true, "eventId": delivery}));
    };
    post(&"0".repeat(64), "d-1");
    assert_eq!(runs(&server, "built").len(), 0, "a wrong signature starts nothing");
    post(SIGNATURE, "d-1");
    post(SIGNATURE, "d-1");
    let all = wait_for(&server, "built", 1);
    assert_eq!(all.len(), 1, "two triggers and two deliveries of one event are one start");
    let trigger = &all[0]["trigger"];
    let shown = |key: &str| trigger[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        [shown("branch"), shown("hash"), shown("action"), shown("slug"), shown("user"), shown("eventId")],
        ["main", "da68b0f38d58", "push", "till", "robot", "d-1"].map(str::to_owned)
    );
    assert_eq!((&trigger["rebake"], &trigger["artifacts"][0]["name"]), (&json!(true), &json!("README.md")));
    assert_eq!(trigger.get("secret"), None);
    assert!(!all[0].to_string().contains("push secret"));
    assert!(!server.complaints().contains("push secret"), "nor is it in the log");
    post(SIGNATURE, "d-2");
    assert_eq!(wait_for(&server, "built", 2).len(), 2);
}

#[test]
fn a_webhook_starts_what_its_payload_fits_and_is_found_by_its_event() {
    let server = Server::start("");
    let hook = |constraints: Value| json!([{"type": "webhook", "enabled": true, "source": "ci", "payloadConstraints": constraints}]);
    let mut fits = quick("fits", hook(json!({"result": "^ok$", "$.build.steps[?(@.name=='test')].state": "passed"})));
    fits["parameterConfig"] = json!([{"name": "version", "required": true}, {"name": "where", "default": "test"}]);
    save(&server, &fits);
    save(&server, &quick("other", hook(json!({"result": "failed"}))));
    let payload = json!({"result": "ok", "parameters": {"version": "1.0"},
        "build": {"steps": [{"name": "build", "state": "failed"}, {"name": "test", "state": "passed"}]}});
    let (status, answer) = call(&server, "POST", "/webhooks/WebHook/ci", &payload);
    assert_eq!((status, &answer["eventProcessed"]), (200, &json!(true)));
    let event = answer["eventId"].as_str().expect("an id");
    let all = wait_for(&server, "fits", 1);
    assert_eq!(all[0]["trigger"]["parameters"], json!({"version": "1.0", "where": "test"}));
    let search = |query: &str| {
        let (status, found) = call(&server, "GET", &format!("/applications/{query}"), &Value::Null);
        assert_eq!(status, 200, "{found}");
        found
            .as_array()
            .expect("a list")
            .iter()
            .map(|r| r["name"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(search(&format!("*/executions/search?triggerTypes=webhook&eventId={event}")), ["fits"]);
    assert_eq!(search("shop/executions/search?triggerTypes=git"), [""; 0]);
    // {"payload":{"result":"o."}}
    assert_eq!(
        search("shop/executions/search?trigger=eyJwYXlsb2FkIjp7InJlc3VsdCI6Im8uIn19&pipelineName=fits"),
        ["fits"]
    );
    // The required version is missing: the start is seen and says why.
    let mut without = payload.clone();
    without["parameters"] = json!({});
    call(&server, "POST", "/webhooks/webhook/ci", &without);
    let failed = &wait_for(&server, "fits", 2)[1];
    assert_eq!(failed["status"], "TERMINAL");
    assert_eq!(failed["cancellationReason"], "Failed on startup: Required parameter version is missing");
    assert_eq!(runs(&server, "other").len(), 0);
    assert_eq!(search("shop/executions/search?statuses=TERMINAL&size=5"), ["fits"]);
    assert_eq!(search("shop/executions/search?startIndex=1&reverse=true"), ["fits"]);
    let (status, _) = call(&server, "GET", "/applications/shop/executions/search?trigger=nonsense", &Value::Null);
    assert_eq!(status, 400);
}

#[test]
fn a_cron_that_never_fires_is_refused_by_name_and_place() {
    let server = Server::start("[triggers]\ncron_zone = \"Europe/Berlin\"\n");
    for (expression, message) in [
        ("0 0 3 * * ? 2020", "$.triggers[0].cronExpression: it never fires: no time from now on fits it"),
        (
            "0 3 * * *",
            "$.triggers[0].cronExpression: the expression has 5 fields; there are six or seven: second, minute, hour, day of month, month, day of week, year",
        ),
    ] {
        let bad = quick("bad", json!([{"type": "cron", "enabled": true, "cronExpression": expression}]));
        let (status, problem) = call(&server, "POST", "/pipelines", &bad);
        assert_eq!((status, &problem["message"]), (400, &json!(message)));
    }
    let (_, answer) = call(&server, "GET", "/cron/validate?expression=0+0+3+*+*+%3F", &Value::Null);
    assert_eq!((&answer["valid"], &answer["description"]), (&json!(true), &json!("at 03:00 every day")));
    let next = answer["next"].as_array().expect("times");
    assert!(next.len() == 5 && next[0].as_str().is_some_and(|t| t.contains("T03:00:00+0")), "{answer}");
}

#[test]
fn triggers_fire_over_postgresql_too() {
    let database = match postgres::start() {
        Ok(database) => database,
        Err(reason) => return probe::not_run(&reason),
    };
    let Location::Postgres(url) = database.fresh() else { unreachable!("a server gives PostgreSQL databases") };
    let config = format!("[server]\nstore = \"{url}\"\n");
    let mut server = Server::start(&config);
    let cron = json!({"type": "cron", "enabled": true, "id": "c", "cronExpression": "* * * * * ?"});
    let hook = json!({"type": "webhook", "enabled": true, "source": "100%_ci!"});
    save(&server, &quick("both", json!([cron, hook])));
    wait_for(&server, "both", 2);
    server = Server::start_in(server.kill(), &config);
    let (_, answer) = call(&server, "POST", "/webhooks/webhook/100%25_ci!", &json!({"eventId": "100%_'\"!"}));
    assert_eq!(answer, json!({"eventProcessed": true, "eventId": "100%_'\"!"}));
    let found = "/applications/*/executions/search?eventId=100%25_%27%22!&size=3";
    let (status, found) = call(&server, "GET", found, &Value::Null);
    assert_eq!((status, found.as_array().map(Vec::len)), (200, Some(1)), "{found}");
    let runs = wait_for(&server, "both", 4);
    let seconds: Vec<&Value> = runs.iter().map(|r| &r["trigger"]["scheduledTime"]).filter(|t| !t.is_null()).collect();
    let distinct: BTreeSet<String> = seconds.iter().map(ToString::to_string).collect();
    assert_eq!(distinct.len(), seconds.len(), "no second twice: {seconds:?}");
}
