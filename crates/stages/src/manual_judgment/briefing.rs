//! What a person needs in order to judge: who started the run and why, what changes, what the stages before came to, and what follows either answer.
//! It stays small, whatever the stages before left behind.

use std::collections::HashSet;
use std::sync::Arc;

use pipeline::model::Stage;
use pipeline::{Map, StageView, Status, artifacts};
use serde_json::{Value, json};

/// How many stages, values of each, and artifacts are told.
const STAGES: usize = 50;
const VALUES: usize = 12;
const ARTIFACTS: usize = 20;
/// How long a text may be.
const LONGEST: usize = 200;
/// Keys of triggers that are told elsewhere, or to nobody.
const UNTOLD: [&str; 9] =
    ["user", "type", "correlationId", "eventId", "secret", "executionId", "rebake", "dryRun", "strategy"];

/// `context.judgment` of a judgment that begins to wait.
pub(super) fn briefing(view: &StageView) -> Value {
    let run = view.execution();
    let trigger = view.trigger();
    let why: Map =
        trigger.0.iter().filter(|(key, _)| !UNTOLD.contains(&key.as_str())).filter_map(small).take(VALUES).collect();
    let parameters: Map = trigger.parameters().into_iter().flatten().filter_map(small).take(VALUES).collect();
    let changes: Vec<Value> = artifacts::visible(view).iter().take(ARTIFACTS).map(artifact).collect();
    let before: HashSet<&str> = view.ancestors().into_iter().map(|s| s.id.as_str()).collect();
    let results: Vec<Value> =
        run.top_stages().filter(|s| before.contains(s.id.as_str())).take(STAGES).map(result).collect();
    let follows: Vec<Value> = behind(view).into_iter().take(STAGES).map(name).collect();
    let stops = view.stage().failure_status();
    let after_stop = if stops == Status::FailedContinue { follows.clone() } else { Vec::new() };
    json!({
        "startedBy": trigger.user(),
        "trigger": {"type": trigger.kind(), "values": why, "parameters": parameters},
        "artifacts": changes,
        "results": results,
        "continue": {"status": Status::Succeeded, "stages": follows},
        "stop": {"status": stops, "stages": after_stop},
    })
}

/// The stages of the pipeline that can only run after this one, in the order of the pipeline.
fn behind<'a>(view: &StageView<'a>) -> Vec<&'a Arc<Stage>> {
    let run = view.execution();
    let top = view.top();
    let mut found: HashSet<&str> = HashSet::new();
    let mut look: Vec<&Stage> = vec![top.stage()];
    while let Some(stage) = look.pop() {
        for next in run.downstream(stage) {
            if found.insert(&next.id) {
                look.push(next);
            }
        }
    }
    run.top_stages().filter(|s| found.contains(s.id.as_str())).collect()
}

fn name(stage: &Arc<Stage>) -> Value {
    json!({"refId": stage.ref_id, "name": stage.name, "type": stage.kind})
}

fn result(stage: &Arc<Stage>) -> Value {
    let mut told = name(stage);
    told["status"] = json!(stage.status);
    let values: Map = stage.outputs.iter().filter_map(small).take(VALUES).collect();
    if !values.is_empty() {
        told["outputs"] = Value::Object(values);
    }
    told
}

/// A text, number or truth value, not too long; lists and objects are not told.
fn small((key, value): (&String, &Value)) -> Option<(String, Value)> {
    let value = match value {
        Value::String(text) => json!(shortened(text)),
        Value::Number(_) | Value::Bool(_) => value.clone(),
        _ => return None,
    };
    Some((shortened(key), value))
}

fn artifact(artifact: &Value) -> Value {
    let told: Map = ["type", "name", "version", "reference"]
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), json!(shortened(artifact.get(*key)?.as_str()?)))))
        .collect();
    Value::Object(told)
}

fn shortened(text: &str) -> String {
    let mut out: String = text.chars().take(LONGEST).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}
