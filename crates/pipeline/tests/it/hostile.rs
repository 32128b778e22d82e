//! Definitions and answers that nobody should send.

use pipeline::model::Status;
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
