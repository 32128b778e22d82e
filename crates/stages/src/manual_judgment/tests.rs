//! What a judgment waits with, and what each answer does.

use std::sync::Arc;

use jiff::Timestamp;
use pipeline::evaluate::Given;
use pipeline::model::{Execution, Stage, Task};
use pipeline::{Log, Status, TaskInput, TaskResult};
use serde_json::{Value, json};

fn stage(reference: &str, kind: &str, requires: &[&str]) -> Stage {
    Stage {
        id: format!("S{reference}"),
        ref_id: reference.into(),
        kind: kind.into(),
        name: format!("Stage {reference}"),
        requisite_stage_ref_ids: requires.iter().map(|r| (*r).to_owned()).collect(),
        ..Stage::default()
    }
}

/// bake → judge → deploy → tidy, and beside them one that has nothing to do with it.
fn run(context: Value) -> Execution {
    let mut bake = stage("1", "bake", &[]);
    bake.status = Status::Succeeded;
    bake.outputs.insert("imageId".into(), json!("img-1"));
    bake.outputs.insert("answer".into(), json!("${parameters.evil}"));
    bake.outputs.insert("long".into(), json!("x".repeat(1000)));
    bake.outputs
        .insert("artifacts".into(), json!([{"type": "deb", "name": "hello", "version": "2", "metadata": {"a": 1}}]));
    let mut judge = stage("2", "manualJudgment", &["1"]);
    judge.status = Status::Running;
    judge.context = context.as_object().cloned().unwrap_or_default();
    judge.last_modified = Some(json!({"user": "judith"}));
    judge.tasks = vec![Task { id: "1".into(), ..Task::default() }];
    let stages =
        vec![bake, judge, stage("3", "deploy", &["2"]), stage("4", "wait", &["3"]), stage("5", "wait", &["1"])];
    let mut run = Execution { stages: stages.into_iter().map(Arc::new).collect(), ..Execution::default() };
    run.trigger.0 = json!({"type": "apt", "user": "ann", "package": "hello", "parameters": {"zone": "a"}})
        .as_object()
        .cloned()
        .unwrap_or_default();
    run
}

fn judged(context: Value) -> TaskResult {
    let now = Timestamp::UNIX_EPOCH;
    let input = TaskInput {
        execution: Arc::new(run(context)),
        stage_id: "S2".into(),
        task_id: "1".into(),
        key: "key".into(),
        attempt: 1,
        started: now,
        now,
        given: Arc::new(Given::default()),
        log: Log::none(),
    };
    super::run(&input, now)
}

#[test]
fn a_waiting_judgment_tells_what_a_person_needs() {
    let TaskResult::Again { at_latest, context, reason, .. } = judged(json!({})) else { panic!("it waits") };
    assert_eq!(at_latest, Timestamp::MAX);
    assert_eq!(reason, "a person has to answer whether to continue or to stop");
    let told = &context["judgment"];
    assert_eq!(told["startedBy"], "ann");
    assert_eq!(told["trigger"], json!({"type": "apt", "values": {"package": "hello"}, "parameters": {"zone": "a"}}));
    assert_eq!(told["artifacts"], json!([{"type": "deb", "name": "hello", "version": "2"}]));
    assert_eq!(told["results"][0]["outputs"]["imageId"], "img-1");
    assert_eq!(told["results"][0]["outputs"]["long"].as_str().map(|t| t.chars().count()), Some(201));
    let follows = json!([
        {"refId": "3", "name": "Stage 3", "type": "deploy"},
        {"refId": "4", "name": "Stage 4", "type": "wait"}
    ]);
    assert_eq!(told["continue"], json!({"status": "SUCCEEDED", "stages": follows}));
    assert_eq!(told["stop"], json!({"status": "TERMINAL", "stages": []}));
}

#[test]
fn what_stages_before_brought_from_outside_is_no_expression_here() {
    let TaskResult::Again { context, .. } = judged(json!({})) else { panic!("it waits") };
    assert_eq!(context["judgment"]["results"][0]["outputs"]["answer"], "${parameters.evil}");
    assert_eq!(context[pipeline::evaluate::INERT], json!(["${parameters.evil}"]));
}

#[test]
fn a_stage_that_may_fail_goes_on_after_stop() {
    let TaskResult::Again { context, .. } = judged(json!({"failPipeline": false, "continuePipeline": true})) else {
        panic!("it waits")
    };
    assert_eq!(context["judgment"]["stop"]["status"], "FAILED_CONTINUE");
    assert_eq!(context["judgment"]["stop"]["stages"], context["judgment"]["continue"]["stages"]);
    let TaskResult::Again { context, .. } = judged(json!({"failPipeline": false})) else { panic!("it waits") };
    assert_eq!(context["judgment"]["stop"], json!({"status": "STOPPED", "stages": []}));
}

#[test]
fn what_is_told_once_is_not_told_again() {
    let TaskResult::Again { context, .. } = judged(json!({"judgment": {}, "judgmentStatus": "perhaps"})) else {
        panic!("it waits")
    };
    assert!(context.is_empty());
}

#[test]
fn an_answer_names_who_gave_it() {
    let answer = judged(json!({"judgmentStatus": "continue", "judgmentInput": "blue", "comment": "looks good"}));
    let TaskResult::Done { status, context, outputs, .. } = answer else { panic!("it has ended") };
    assert_eq!(status, Status::Succeeded);
    assert_eq!(context["lastModifiedBy"], "judith");
    assert_eq!(Value::Object(outputs), json!({"judgmentStatus": "continue", "judgmentInput": "blue"}));
    let TaskResult::Done { status, .. } = judged(json!({"judgmentStatus": "Stop"})) else { panic!("it has ended") };
    assert_eq!(status, Status::Terminal);
}
