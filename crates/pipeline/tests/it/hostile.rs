//! Definitions and answers that nobody should send.

use std::time::Instant;

use pipeline::model::Status;
use pipeline::trigger::delivery::{Delivery, Outcome, outcome};
use pipeline::{Message, TaskResult};
use serde_json::{Value, json};

use crate::world::Runtime;

#[test]
fn a_requisite_that_is_no_stage_beside_a_runnable_one_ends_and_is_named() {
    let mut runtime = Runtime::new(&json!({"name": "p", "application": "a", "stages": [
        {"refId": "a", "type": "risky", "requisiteStageRefIds": []},
        {"refId": "b", "type": "risky", "requisiteStageRefIds": ["ghost"]},
    ]}));
    runtime.answer_of("a", TaskResult::succeeded());
    assert_eq!(runtime.run.status, Status::Terminal);
    let text = runtime.run.stage_by_ref("b").expect("it").context["exception"].pointer("/details/errors/0").cloned();
    assert_eq!(text, Some(json!("stage 'b' requires 'ghost', which is no stage of this pipeline")));
}

#[test]
fn doubled_reordered_and_forged_results_change_nothing() {
    let config = json!({"name": "p", "application": "a", "stages": [{"refId": "a", "type": "work"}]});
    let mut runtime = Runtime::new(&config);
    let (stage, task, lease) = runtime.under_way[0].clone();
    runtime.answer(0, TaskResult::succeeded());
    let before = runtime.run.clone();
    for (task, lease) in [(task.clone(), lease), (task, lease + 1), ("2".into(), 99), ("7".into(), 1)] {
        let result = TaskResult::failed("forged");
        runtime.tell(Message::TaskFinished { stage: stage.clone(), task, lease, result });
    }
    let result = TaskResult::failed("forged");
    runtime.tell(Message::TaskFinished { stage: "no such stage".into(), task: "1".into(), lease: 1, result });
    assert_eq!(runtime.run, before);
}

#[test]
fn a_thousand_stages_in_a_line_settle() {
    let stages: Vec<Value> = (0..1000)
        .map(|i: i32| {
            let requires: Vec<String> = if i == 0 { vec![] } else { vec![(i - 1).to_string()] };
            json!({"refId": i.to_string(), "type": "risky", "requisiteStageRefIds": requires})
        })
        .collect();
    let mut runtime = Runtime::new(&json!({"name": "p", "application": "a", "stages": stages}));
    for _ in 0..1000 {
        runtime.answer(0, TaskResult::succeeded());
    }
    assert_eq!(runtime.run.status, Status::Succeeded);
}

#[test]
fn text_that_a_person_or_an_effect_brings_is_never_an_expression() {
    let mut runtime = Runtime::new(&json!({"name": "p", "application": "a", "stages": [
        {"refId": "a", "type": "nap", "mine": "${1 + 1}"},
        {"refId": "b", "type": "work"},
    ]}));
    let id = runtime.run.stage_by_ref("a").expect("it").id.clone();
    let answer = json!({"judgmentInput": "${1 + 1}"}).as_object().cloned().expect("an object");
    runtime.tell(Message::PatchStage { stage: id, user: "ann".into(), context: answer });
    runtime.answer_of("b", TaskResult::succeeded().context("said", "${1 + 1}").output("said", "${1 + 1}"));
    runtime.answer_of("b", TaskResult::succeeded());
    while runtime.next_timer() {}
    let of = |ref_id: &str, key: &str| runtime.run.stage_by_ref(ref_id).expect("it").context[key].clone();
    assert_eq!(of("a", "mine"), json!(2));
    assert_eq!(of("a", "judgmentInput"), json!("${1 + 1}"));
    assert_eq!(of("b", "said"), json!("${1 + 1}"));
}

/// What an entry of `triggers` makes of a webhook's payload.
fn hooked(constraints: serde_json::Value, payload: serde_json::Value) -> Outcome {
    let trigger = json!({"type": "webhook", "enabled": true, "source": "ci", "payloadConstraints": constraints});
    let pipeline = json!({ "triggers": [trigger] });
    let payload = payload.as_object().cloned().expect("an object");
    let delivery = Delivery::new("webhook", "ci", [], Vec::new(), payload);
    outcome(pipeline.as_object().expect("an object"), &delivery, &delivery.event())
}

#[test]
fn regexes_of_triggers_take_linear_time_and_bounded_space() {
    let began = Instant::now();
    let text = "a".repeat(200_000) + "!";
    assert_eq!(hooked(json!({"x": "^(a+)+$"}), json!({ "x": text })), Outcome::Silent);
    assert_eq!(hooked(json!({"x": "(x{1000}){1000}"}), json!({"x": "x"})), Outcome::Silent, "too large to be compiled");
    assert_eq!(hooked(json!({ "x": "a?".repeat(50_000) }), json!({"x": "a"})), Outcome::Silent, "too long to be read");
    assert_eq!(hooked(json!({"$..*..*..*..*": "never"}), json!({ "x": [[[[[[1]]]]]] })), Outcome::Silent);
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

#[test]
fn payloads_that_no_git_host_sends_are_no_change_and_no_panic() {
    let odd = [
        json!(null),
        json!(true),
        json!(7),
        json!("text"),
        json!([]),
        json!([[{}]]),
        json!({}),
        json!({"a": {"a": 1}}),
    ];
    let keys = [
        "ref",
        "after",
        "repository",
        "commits",
        "pull_request",
        "action",
        "ref_type",
        "pusher_type",
        "object_kind",
        "project",
        "object_attributes",
        "push",
        "pullrequest",
        "pullRequest",
        "changes",
        "refChanges",
        "eventKey",
        "deleted",
    ];
    let trigger = json!({"type": "git", "enabled": true, "source": "github", "project": "p", "slug": "s"});
    for source in ["github", "gitlab", "bitbucket", "stash", "", "../../etc"] {
        for value in &odd {
            for key in keys {
                let payload = json!({ key: value, "object_kind": "push", "push": {"changes": value} });
                let delivery =
                    Delivery::new("git", source, [], Vec::new(), payload.as_object().cloned().expect("an object"));
                let pipeline = json!({ "triggers": [trigger] });
                let done = outcome(pipeline.as_object().expect("an object"), &delivery, &delivery.event());
                assert_eq!(done, Outcome::Silent, "{source} {key} {value}");
            }
        }
    }
}

#[test]
fn a_stranger_fires_only_triggers_with_a_secret_that_they_know() {
    let trigger = |secret: &str| json!({"type": "webhook", "enabled": true, "source": "ci", "secret": secret});
    let check = |triggers: serde_json::Value, stranger: bool, signature: &str, fires: bool| {
        let pipeline = json!({ "triggers": triggers });
        let headers = [("x-hub-signature-256", signature)];
        let mut delivery = Delivery::new("webhook", "ci", headers, b"{}".to_vec(), pipeline::Map::new());
        if stranger {
            delivery = delivery.of_a_stranger();
        }
        let done = outcome(pipeline.as_object().expect("an object"), &delivery, &delivery.event());
        assert_eq!(matches!(done, Outcome::Fires(_)), fires, "{triggers} {stranger} {done:?}");
        assert!(!format!("{done:?}").contains("key"), "the secret goes nowhere");
    };
    // The sum of `{}` under `key`.
    let good = "sha256=a777724d943eb48dc69bca8a4a6d57a04db3f9ec7e1de4e581e860265bdf3032";
    check(json!([trigger("")]), false, "", true);
    check(json!([trigger("")]), true, "", false);
    check(json!([trigger("key")]), true, good, true);
    check(json!([trigger("key")]), false, "", false);
    check(json!([trigger("key"), trigger("")]), false, "", true);
    check(json!([trigger("other"), trigger("key")]), true, good, true);
    check(json!([trigger("other")]), false, good, false);
}
