//! Pipelines over HTTP: saved, started, judged, followed by others, refused.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Server, ask};

struct Api<'a>(&'a Server);

impl Api<'_> {
    fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = ask(&self.0.address(), method, path, &body);
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    fn save(&self, pipeline: &Value) {
        assert_eq!(self.call("POST", "/pipelines", pipeline), (200, Value::Null));
    }

    /// The execution, when `until` holds of it.
    fn wait(&self, id: &str, until: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + crate::server::PATIENCE;
        loop {
            let (_, run) = self.call("GET", &format!("/pipelines/{id}"), &Value::Null);
            if until(&run) {
                return run;
            }
            assert!(Instant::now() < deadline, "it never comes to that: {run}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn ended(&self, id: &str) -> Value {
        self.wait(id, |run| !matches!(run["status"].as_str(), Some("RUNNING" | "NOT_STARTED") | None))
    }
}

fn id_of(answer: &Value) -> String {
    answer["ref"].as_str().and_then(|r| r.rsplit('/').next()).expect("a ref").to_owned()
}

fn judged() -> Value {
    json!({"application": "shop", "name": "ask first", "id": "ask-first",
    "parameterConfig": [{"name": "version", "required": true}],
    "stages": [
        {"refId": "1", "type": "manualJudgment", "name": "May it?", "requisiteStageRefIds": []},
        {"refId": "2", "type": "evaluateVariables", "name": "done", "requisiteStageRefIds": ["1"],
            "variables": [{"key": "shipped", "value": "${parameters.version}"}]},
    ]})
}

#[test]
fn both_shapes_of_a_trigger_start_it_and_a_person_decides() {
    let server = Server::start("");
    let api = Api(&server);
    api.save(&judged());
    let (status, problem) = api.call("POST", "/pipelines/shop/ask%20first", &json!({"type": "manual"}));
    assert_eq!((status, &problem["message"]), (400, &json!("Required parameter version is missing")));
    let flat = json!({"type": "manual", "parameters": {"version": "1.0"}});
    let wrapped = json!({"trigger": {"type": "manual", "parameters": {"version": "2.0"}}});
    for (trigger, answer, status, shipped) in
        [(flat, "continue", "SUCCEEDED", json!("1.0")), (wrapped, "stop", "TERMINAL", Value::Null)]
    {
        let (code, started) = api.call("POST", "/pipelines/shop/ask%20first", &trigger);
        assert_eq!(code, 202, "{started}");
        let id = id_of(&started);
        let run = api.wait(&id, |run| run["stages"][0]["status"] == "RUNNING");
        let waiting = &run["stages"][0]["tasks"][0]["waiting"];
        assert_eq!(waiting["reason"], "a person has to answer whether to continue or to stop");
        let stage = run["stages"][0]["id"].as_str().expect("an id");
        let patch = json!({"judgmentStatus": answer});
        assert_eq!(api.call("PATCH", &format!("/pipelines/{id}/stages/{stage}"), &patch).0, 200);
        let run = api.ended(&id);
        assert_eq!(run["status"], status);
        assert_eq!(run["stages"][1]["outputs"]["shipped"], shipped);
    }
}

#[test]
fn the_end_of_one_pipeline_starts_another() {
    let server = Server::start("");
    let api = Api(&server);
    api.save(&json!({"application": "shop", "name": "follower", "id": "follower",
        "triggers": [{"type": "pipeline", "enabled": true, "application": "shop", "pipeline": "leader",
            "status": ["successful"]}],
        "stages": [{"refId": "1", "type": "evaluateVariables", "name": "v", "variables": [
            {"key": "from", "value": "${trigger.parentExecution.name}"}]}]}));
    api.save(&json!({"application": "shop", "name": "leader", "id": "leader",
        "stages": [{"refId": "1", "type": "wait", "name": "w", "waitTime": 0}]}));
    let (status, started) = api.call("POST", "/pipelines/v2/shop/leader", &json!({"type": "manual"}));
    assert_eq!(status, 202, "{started}");
    let deadline = Instant::now() + crate::server::PATIENCE;
    let follower = loop {
        let (_, runs) = api.call("GET", "/executions?pipelineConfigIds=follower&limit=5", &Value::Null);
        if let Some(run) = runs.as_array().and_then(|r| r.first()) {
            break run["id"].as_str().expect("an id").to_owned();
        }
        assert!(Instant::now() < deadline, "it never follows");
        std::thread::sleep(Duration::from_millis(10));
    };
    let run = api.ended(&follower);
    assert_eq!((&run["status"], &run["stages"][0]["outputs"]["from"]), (&json!("SUCCEEDED"), &json!("leader")));
}

#[test]
fn what_cannot_run_is_refused_by_name_and_place() {
    let server = Server::start("");
    let api = Api(&server);
    let circle = json!({"application": "shop", "name": "round", "stages": [
        {"refId": "1", "type": "wait", "requisiteStageRefIds": ["2"]},
        {"refId": "2", "type": "wait", "requisiteStageRefIds": ["1"]}]});
    for path in ["/pipelines", "/pipelines/start"] {
        let (status, problem) = api.call("POST", path, &circle);
        let message = problem["message"].as_str().unwrap_or_default();
        assert_eq!(status, 400, "{problem}");
        assert!(message.starts_with("$.stages[0].requisiteStageRefIds: stage '1' waits for itself"), "{message}");
    }
    let many: Vec<Value> = (0..100_000).map(|i| json!({"refId": i.to_string(), "type": "wait"})).collect();
    let (status, problem) =
        api.call("POST", "/pipelines/start", &json!({"application": "shop", "name": "many", "stages": many}));
    assert_eq!((status, &problem["message"]), (400, &json!("$.stages: has 100000 stages; 2000 are the most")));
    for (kind, expected) in [
        ("makeCoffee", "there is no stage type 'makeCoffee' (stage 'coffee', refId '1')"),
        ("jenkins", "this version does not run 'jenkins' (Jenkins) (stage 'coffee', refId '1')"),
    ] {
        let stage = json!({"refId": "1", "type": kind, "name": "coffee", "requisiteStageRefIds": []});
        let pipeline = json!({"application": "shop", "name": "unknown", "stages": [stage]});
        let (status, started) = api.call("POST", "/pipelines/start", &pipeline);
        assert_eq!(status, 200, "{started}");
        let run = api.ended(&id_of(&started));
        let error = run["stages"][0]["context"]["exception"]["details"]["errors"][0].as_str().expect("an error");
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_pipeline_that_starts_itself_is_refused_or_cut_off() {
    let server = Server::start("");
    let api = Api(&server);
    let mut snake = json!({"application": "shop", "name": "ouroboros", "id": "ouroboros", "stages": [
        {"refId": "1", "type": "pipeline", "name": "again", "application": "shop", "pipeline": "ouroboros"}]});
    let (status, problem) = api.call("POST", "/pipelines", &snake);
    let message = problem["message"].as_str().unwrap_or_default();
    assert_eq!(status, 400, "{problem}");
    assert!(
        message.starts_with("$.stages: pipelines would start each other without end: 'ouroboros' starts 'ouroboros';"),
        "{message}"
    );
    // With a condition it may be meant.
    snake["stages"][0]["stageEnabled"] = json!({"type": "expression", "expression": "true"});
    api.save(&snake);
    let (_, started) = api.call("POST", "/pipelines/shop/ouroboros", &json!({}));
    let run = api.ended(&id_of(&started));
    assert_eq!(run["status"], "TERMINAL");
    let (_, runs) = api.call("GET", "/executions?pipelineConfigIds=ouroboros&limit=1000", &Value::Null);
    assert_eq!(runs.as_array().map(Vec::len), Some(20));
    assert!(run.to_string().contains("a pipeline that starts itself never ends"));
}

#[test]
fn expressions_look_up_pipelines_and_call_no_address_of_this_machine() {
    let server = Server::start("[outgoing]\nallow = [\"localhost:1\"]\n");
    let api = Api(&server);
    api.save(&judged());
    let (status, started) = api.call(
        "POST",
        "/pipelines/start",
        &json!({"application": "shop", "name": "asks", "spelEvaluator": "v4", "trigger": {"type": "manual"},
        "stages": [{"refId": "1", "type": "evaluateVariables", "name": "v", "requisiteStageRefIds": [], "variables": [
            {"key": "id", "value": "${#pipelineId('ask first')}"},
            {"key": "refused", "value": "${#fromUrl('http://localhost:1/x')}"}]}]}),
    );
    assert_eq!(status, 200, "{started}");
    let outputs = api.ended(&id_of(&started))["stages"][0]["outputs"].clone();
    assert_eq!(outputs, json!({"id": "ask-first", "refused": "${#fromUrl('http://localhost:1/x')}"}));
}

#[test]
fn a_restart_asks_the_preconditions_as_they_are_saved_now() {
    let server = Server::start("");
    let api = Api(&server);
    let asking = |expression: &str| {
        json!({"application": "shop", "name": "asking", "id": "asking", "stages": [
            {"refId": "1", "type": "checkPreconditions", "name": "may it", "requisiteStageRefIds": [],
                "preconditions": [{"type": "expression", "failPipeline": true, "context": {"expression": expression}}]}]})
    };
    api.save(&asking("1 > 2"));
    let (_, started) = api.call("POST", "/pipelines/shop/asking", &json!({}));
    let id = id_of(&started);
    let run = api.ended(&id);
    assert_eq!(run["status"], "TERMINAL");
    api.save(&asking("2 > 1"));
    let stage = run["stages"].as_array().and_then(|s| s.iter().find(|s| s["refId"] == "1")).expect("the stage");
    let path = format!("/pipelines/{id}/stages/{}/restart", stage["id"].as_str().expect("an id"));
    assert_eq!(api.call("PUT", &path, &json!({})).0, 200);
    assert_eq!(api.ended(&id)["status"], "SUCCEEDED");
}
