//! Single decisions and short runs.

use pipeline::model::Status;
use pipeline::{Message, TaskResult};
use serde_json::{Value, json};

use crate::world::Runtime;

fn config(stages: Value) -> Value {
    json!({"name": "p", "application": "a", "stages": stages})
}

fn stage(ref_id: &str, kind: &str, requires: &[&str]) -> Value {
    json!({"refId": ref_id, "type": kind, "name": ref_id, "requisiteStageRefIds": requires})
}

#[test]
fn a_result_with_an_old_lease_changes_nothing() {
    let mut runtime = Runtime::new(&config(json!([stage("bake", "work", &[])])));
    let (stage, task, lease) = runtime.under_way[0].clone();
    runtime.crash();
    let before = runtime.run.clone();
    runtime.tell(Message::TaskFinished { stage, task, lease, result: TaskResult::succeeded() });
    assert_eq!(runtime.run, before);
}

#[test]
fn what_a_task_knows_of_the_next_one_ends_both_at_once() {
    let begun = || Runtime::new(&config(json!([stage("1", "work", &[])])));
    let statuses =
        |runtime: &Runtime| runtime.run.stages[0].tasks.iter().map(|t| t.status.as_str()).collect::<Vec<_>>().join(" ");
    let knows = |answer: TaskResult| TaskResult::succeeded().then("effect", answer);

    let mut runtime = begun();
    runtime.answer(0, knows(TaskResult::succeeded().output("a", "${'data'}")));
    assert_eq!((statuses(&runtime).as_str(), runtime.run.status), ("SUCCEEDED SUCCEEDED", Status::Succeeded));
    assert_eq!(runtime.run.stages[0].outputs["a"], "${'data'}", "what comes from outside is data");

    let mut runtime = begun();
    runtime.answer(0, knows(TaskResult::failed("it broke")));
    assert_eq!((statuses(&runtime).as_str(), runtime.run.status), ("SUCCEEDED TERMINAL", Status::Terminal));

    // What would look again looks itself; so does another task than the one that was spoken of, and one that is held.
    let mut runtime = begun();
    let later = jiff::Timestamp::from_millisecond(crate::world::NOON).expect("a time");
    runtime.answer(0, knows(TaskResult::again(later, "it waits")));
    assert_eq!(statuses(&runtime), "SUCCEEDED RUNNING");
    let mut runtime = begun();
    runtime.answer(0, TaskResult::succeeded().then("nap", TaskResult::succeeded()));
    assert_eq!(statuses(&runtime), "SUCCEEDED RUNNING");
    let mut runtime = begun();
    runtime.tell(Message::PauseExecution { user: "ann".into() });
    runtime.answer(0, knows(TaskResult::succeeded()));
    assert_eq!(statuses(&runtime), "SUCCEEDED NOT_STARTED");
    runtime.tell(Message::ResumeExecution { user: "ann".into() });
    assert_eq!(statuses(&runtime), "SUCCEEDED RUNNING");
}

#[test]
fn a_join_starts_when_both_branches_have_ended() {
    let mut runtime = Runtime::new(&config(json!([
        stage("left", "risky", &[]),
        stage("right", "risky", &[]),
        stage("join", "risky", &["left", "right"]),
    ])));
    runtime.answer_of("left", TaskResult::succeeded());
    assert_eq!(runtime.status_of("join"), Status::NotStarted);
    runtime.answer_of("right", TaskResult::succeeded());
    assert_eq!(runtime.status_of("join"), Status::Running);
    runtime.answer_of("join", TaskResult::succeeded());
    assert_eq!((runtime.run.status, runtime.ended), (Status::Succeeded, 1));
}

#[test]
fn synthetic_stages_stand_around_their_parent() {
    let mut runtime = Runtime::new(&config(json!([stage("1", "nest", &[])])));
    assert_eq!(runtime.picture(), ["1<1 RUNNING", "1<2 RUNNING", "1 RUNNING"]);
    while runtime.run.status == Status::Running {
        if runtime.under_way.is_empty() {
            assert!(runtime.next_timer(), "it goes on: {:?}", runtime.picture());
        } else {
            runtime.answer(0, TaskResult::succeeded());
        }
    }
    assert_eq!(runtime.picture(), ["1<1 SUCCEEDED", "1<2 SUCCEEDED", "1 SUCCEEDED", "1>1 SUCCEEDED"]);
}

#[test]
fn a_failed_stage_tidies_up_in_a_line_and_then_fails() {
    let mut runtime = Runtime::new(&config(json!([stage("1", "risky", &[])])));
    runtime.answer(0, TaskResult::failed("it broke"));
    assert_eq!(runtime.picture(), ["1 RUNNING", "1>1 RUNNING", "1>2 NOT_STARTED"]);
    for _ in 0..4 {
        runtime.answer(0, TaskResult::succeeded());
    }
    assert_eq!(runtime.picture(), ["1 TERMINAL", "1>1 SUCCEEDED", "1>2 SUCCEEDED"]);
    assert_eq!(runtime.run.status, Status::Terminal);
    let error =
        runtime.run.stage_by_ref("1").and_then(|s| s.context["exception"].pointer("/details/errors/0").cloned());
    assert_eq!(error, Some(json!("it broke")));
}

#[test]
fn cancelling_ends_what_runs_and_starts_nothing_more() {
    let mut runtime =
        Runtime::new(&config(json!([stage("1", "nest", &[]), stage("2", "nap", &[]), stage("3", "work", &["1"])])));
    runtime.tell(Message::CancelExecution { user: "ann".into(), reason: Some("enough".into()) });
    assert_eq!(runtime.picture(), ["1<1 CANCELED", "1<2 CANCELED", "1 CANCELED", "2 CANCELED", "3 NOT_STARTED"]);
    assert_eq!(runtime.run.status, Status::Canceled);
    assert_eq!(runtime.run.cancellation_reason.as_deref(), Some("enough"));
}

#[test]
fn while_it_is_held_nothing_begins_and_afterwards_it_goes_on() {
    let mut runtime = Runtime::new(&config(json!([stage("1", "risky", &[]), stage("2", "risky", &["1"])])));
    runtime.tell(Message::PauseExecution { user: "ann".into() });
    runtime.answer_of("1", TaskResult::succeeded());
    assert_eq!((runtime.status_of("1"), runtime.status_of("2")), (Status::Paused, Status::NotStarted));
    runtime.tell(Message::ResumeExecution { user: "ann".into() });
    assert_eq!((runtime.status_of("1"), runtime.status_of("2")), (Status::Succeeded, Status::Running));
}

#[test]
fn a_restart_does_the_stage_and_all_behind_it_anew_under_new_keys() {
    let mut runtime = Runtime::new(&config(json!([stage("1", "risky", &[]), stage("2", "risky", &["1"])])));
    runtime.answer_of("1", TaskResult::succeeded());
    runtime.answer_of("2", TaskResult::succeeded());
    assert_eq!(runtime.run.status, Status::Succeeded);
    let first = runtime.run.stage_by_ref("1").expect("it").id.clone();
    runtime.tell(Message::RestartStage { stage: first.clone(), user: "ann".into(), context: pipeline::Map::new() });
    assert_eq!((runtime.status_of("1"), runtime.status_of("2")), (Status::Running, Status::NotStarted));
    let keys: Vec<String> = runtime.keys[&(first.clone(), "1".into())].iter().cloned().collect();
    assert_eq!(keys, [format!("EXECUTION/{first}/1"), format!("EXECUTION/{first}/1/1")]);
}

#[test]
fn a_stage_that_takes_too_long_says_what_it_was_waiting_for() {
    let mut stage = stage("1", "nap", &[]);
    stage["stageTimeoutMs"] = json!(4000);
    let mut runtime = Runtime::new(&config(json!([stage])));
    assert!(runtime.next_timer());
    assert_eq!(runtime.status_of("1"), Status::Terminal);
    let exception = runtime.run.stage_by_ref("1").expect("it").context["exception"].clone();
    assert_eq!(
        exception.pointer("/details/errors/0"),
        Some(&json!("nap of stage 1 timed out after 4 s; it was waiting because it naps"))
    );
}

#[test]
fn unknown_keys_of_an_execution_survive() {
    let stored = json!({"type": "PIPELINE", "id": "E", "somethingNew": {"x": [1]}, "stages": [
        {"id": "S", "refId": "1", "type": "wait", "futureKey": true, "tasks": [{"id": "1", "name": "t", "alsoNew": 3}]}]});
    let run: pipeline::Execution = serde_json::from_value(stored).expect("it is read");
    let again = serde_json::to_value(&run).expect("it is written");
    assert_eq!(again["somethingNew"], json!({"x": [1]}));
    assert_eq!(again["stages"][0]["futureKey"], json!(true));
    assert_eq!(again["stages"][0]["tasks"][0]["alsoNew"], json!(3));
}
