use serde_json::json;

use super::*;

fn run(body: Value) -> Execution {
    let mut whole = json!({"id": "R", "type": "PIPELINE", "application": "shop", "name": "ship", "status": "RUNNING", "startTime": 1, "stages": []});
    for (key, value) in body.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn stage(body: Value) -> Value {
    let mut whole =
        json!({"id": "1", "refId": "1", "type": "wait", "name": "one", "status": "NOT_STARTED", "context": {}});
    for (key, value) in body.as_object().unwrap() {
        whole[key] = value.clone();
    }
    whole
}

fn told(old: Option<&Execution>, new: &Execution) -> Vec<String> {
    let word = |m: Moment| m.stage.map_or(m.event.clone(), |stage| format!("{} of {stage}", m.event));
    moments(old, new, &new.stages).into_iter().map(word).collect()
}

#[test]
fn a_run_tells_of_its_start_and_its_end() {
    let waits = run(json!({"status": "NOT_STARTED", "startTime": null}));
    let runs = run(json!({}));
    let ends = |status: &str| run(json!({"status": status, "endTime": 2}));
    assert_eq!(told(None, &waits), [""; 0]);
    assert_eq!(told(Some(&waits), &runs), ["pipeline.starting"]);
    assert_eq!(told(Some(&runs), &runs), [""; 0]);
    assert_eq!(told(Some(&runs), &ends("SUCCEEDED")), ["pipeline.complete"]);
    assert_eq!(told(Some(&runs), &ends("TERMINAL")), ["pipeline.failed"]);
    assert_eq!(told(Some(&runs), &ends("CANCELED")), [""; 0], "who cancels knows it");
    assert_eq!(told(None, &ends("SUCCEEDED")), ["pipeline.starting", "pipeline.complete"], "in one step");
    let refused = run(json!({"status": "TERMINAL", "startTime": null}));
    assert_eq!(told(None, &refused), ["pipeline.failed"], "what could not start has failed");
    let job = run(json!({"type": "ORCHESTRATION", "status": "TERMINAL"}));
    assert_eq!(told(None, &job), [""; 0]);
}

#[test]
fn a_restarted_run_can_fail_again() {
    let failed = run(json!({"status": "TERMINAL"}));
    let again = run(json!({"status": "RUNNING"}));
    assert_eq!(told(Some(&failed), &again), [""; 0]);
    assert_eq!(told(Some(&again), &failed), ["pipeline.failed"]);
}

#[test]
fn a_stage_tells_how_it_ended_and_those_inside_it_do_not() {
    let with = |body: Value| run(json!({"stages": [stage(body)]}));
    let waits = with(json!({}));
    let runs = with(json!({"status": "RUNNING", "startTime": 1}));
    assert_eq!(told(Some(&waits), &runs), ["stage.starting of 1"]);
    for (status, expected) in [
        ("SUCCEEDED", vec!["stage.complete of 1"]),
        ("TERMINAL", vec!["stage.failed of 1"]),
        ("FAILED_CONTINUE", vec!["stage.failed of 1"]),
        ("STOPPED", vec!["stage.failed of 1"]),
        ("CANCELED", vec![]),
    ] {
        assert_eq!(told(Some(&runs), &with(json!({"status": status, "startTime": 1}))), expected, "{status}");
    }
    assert_eq!(told(Some(&waits), &with(json!({"status": "SKIPPED", "startTime": 1}))), [""; 0]);
    let inside =
        json!({"status": "TERMINAL", "startTime": 1, "syntheticStageOwner": "STAGE_BEFORE", "parentStageId": "0"});
    assert_eq!(told(Some(&waits), &with(inside)), [""; 0]);
}

#[test]
fn a_question_is_told_and_so_is_its_answer() {
    let with = |status: &str, task: Value, context: Value| {
        run(json!({"stages": [stage(json!({"status": status, "startTime": 1, "context": context, "tasks": [task]}))]}))
    };
    let task = |status: &str, asks: Option<&str>| {
        let waiting = asks.map(|asks| json!({"reason": "a person has to answer", "since": 1, "asks": asks}));
        json!({"id": "1", "name": "wait", "status": status, "waiting": waiting})
    };
    let begins = with("RUNNING", task("RUNNING", None), json!({}));
    let asks = with("RUNNING", task("RUNNING", Some("manualJudgment")), json!({}));
    assert_eq!(told(Some(&begins), &asks), ["manualJudgment of 1"]);
    assert_eq!(told(Some(&asks), &asks), [""; 0], "once");
    let goes_on = with("SUCCEEDED", task("SUCCEEDED", None), json!({}));
    assert_eq!(told(Some(&asks), &goes_on), ["manualJudgmentContinue of 1", "stage.complete of 1"]);
    let stops = with("TERMINAL", task("TERMINAL", None), json!({}));
    assert_eq!(told(Some(&asks), &stops), ["manualJudgmentStop of 1", "stage.failed of 1"]);
    let late = with("TERMINAL", task("TERMINAL", None), json!({"exception": {"exceptionType": "Timeout"}}));
    assert_eq!(told(Some(&asks), &late), ["stage.failed of 1"], "nobody answered");
    let cancelled = with("CANCELED", task("CANCELED", None), json!({}));
    assert_eq!(told(Some(&asks), &cancelled), [""; 0]);
}

fn addresses(wanted: &[Map]) -> Vec<&str> {
    wanted.iter().filter_map(|one| one.get("address").and_then(Value::as_str)).collect()
}

#[test]
fn what_stands_with_the_pipeline_is_stronger_than_what_stands_with_the_application() {
    let own = json!([
        {"type": "email", "address": "a@x", "when": ["pipeline.failed"]},
        {"type": "slack", "address": "#ops", "when": ["pipeline.starting"]},
    ]);
    let application = json!({"application": "shop", "lastModified": 5,
        "email": [{"address": "a@x", "when": ["pipeline.failed"]}, {"address": "b@x", "when": ["pipeline.failed", "pipeline.complete"]}],
        "slack": [{"type": "slack", "address": "#ops", "when": ["pipeline.failed"]}]});
    let application = application.as_object().unwrap();
    let normal = run(
        json!({"notifications": own, "trigger": {"notifications": [{"type": "email", "address": "me@x", "when": ["pipeline.complete"]}]}}),
    );
    let of = |run: &Execution, event: &str| asked_by_run(run, Some(application), event);
    assert_eq!(addresses(&of(&normal, "pipeline.failed")), ["a@x", "b@x"]);
    assert_eq!(addresses(&of(&normal, "pipeline.starting")), ["#ops"]);
    assert_eq!(addresses(&of(&normal, "pipeline.complete")), ["me@x", "b@x"]);
    assert_eq!(of(&normal, "pipeline.complete")[1]["type"], "email", "the kind is the key of the list");
    let dry = run(
        json!({"notifications": own, "trigger": {"dryRun": true, "notifications": [{"type": "email", "address": "me@x", "when": ["pipeline.failed"]}]}}),
    );
    assert_eq!(addresses(&of(&dry, "pipeline.failed")), ["me@x"]);
}

#[test]
fn a_stage_tells_when_it_is_switched_on_and_a_judgment_unless_it_is_switched_off() {
    let of = |context: Value, event: &str| {
        let run = run(json!({"stages": [stage(json!({"context": context}))]}));
        asked_by_stage(&run.stages[0], event).len()
    };
    let to = json!([{"type": "email", "address": "a@x", "when": ["stage.failed", "manualJudgment"]}]);
    assert_eq!(of(json!({"notifications": to, "sendNotifications": true}), "stage.failed"), 1);
    assert_eq!(of(json!({"notifications": to, "sendNotifications": true}), "stage.complete"), 0);
    assert_eq!(of(json!({"notifications": to}), "stage.failed"), 0);
    assert_eq!(of(json!({"notifications": to}), "manualJudgment"), 1);
    assert_eq!(of(json!({"notifications": to, "sendNotifications": false}), "manualJudgment"), 0);
}
