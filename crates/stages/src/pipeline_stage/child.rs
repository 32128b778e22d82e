//! The child that a `pipeline` stage starts: which pipeline it is, and what its trigger says about its parent.

use std::collections::HashSet;

use pipeline::engine::{self, StartRequest};
use pipeline::model::Kind;
use pipeline::records::{self, Query};
use pipeline::{Execution, Map, StageView, Status, artifacts, pipelines};
use serde_json::{Value, json};
use store::{StoreError, Tx};

/// The word by which a pipeline's expressions reach into the execution that started it.
const PARENT: &str = "parentExecution";

/// A pipeline by its id, else by its name in an application.
pub(super) fn find(tx: &mut Tx, application: &str, wanted: &str) -> Result<Option<Map>, StoreError> {
    match pipelines::by_id(tx, wanted)? {
        Some(found) => Ok(Some(found)),
        None => pipelines::by_name_or_id(tx, application, wanted),
    }
}

/// An execution of a pipeline that has not ended and has these parameters, other than the one that was started under `key` itself.
pub(super) fn twin(tx: &mut Tx, child: &Map, parameters: &Map, key: &str) -> Result<Option<String>, StoreError> {
    let sql = "select execution from start_key where key = ?1";
    if tx.query_opt(sql, store::params![key])?.is_some() {
        return Ok(None);
    }
    let pipeline = child.get("id").and_then(Value::as_str).map(str::to_owned);
    let statuses = vec![Status::NotStarted, Status::Running, Status::Paused];
    for run in records::list(tx, &Query { pipeline, statuses, ..Query::default() })? {
        let has = run.trigger.parameters();
        if parameters.iter().all(|(name, value)| has.and_then(|has| has.get(name)) == Some(value)) {
            return Ok(Some(run.id));
        }
    }
    Ok(None)
}

/// The start of the child. What the stage may use of artifacts the child receives.
pub(super) fn request(run: &Execution, stage: &str, mut child: Map, parameters: &Map, key: String) -> StartRequest {
    let view = StageView::of(run, stage);
    let mut trigger = match reads_its_parent(&child) {
        true => engine::parent(run),
        false => engine::parent(&shortened(run, view.as_ref())),
    };
    let user = view.map_or_else(|| run.trigger.user(), |view| view.user());
    trigger.insert("type".into(), json!("pipeline"));
    trigger.insert("user".into(), json!(user));
    trigger.insert("parentPipelineStageId".into(), json!(stage));
    trigger.insert("parameters".into(), json!(parameters));
    let received = view.map(|view| artifacts::visible(&view)).unwrap_or_default();
    if !received.is_empty() {
        child.insert("receivedArtifacts".into(), json!(received));
    }
    StartRequest { config: child, trigger, kind: Kind::Pipeline, key: Some(key) }
}

/// Whether an expression of a pipeline may look into its parent.
fn reads_its_parent(child: &Map) -> bool {
    fn says(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains(PARENT),
            Value::Array(list) => list.iter().any(says),
            Value::Object(map) => map.iter().any(|(key, value)| key.contains(PARENT) || says(value)),
            _ => false,
        }
    }
    child.values().any(says)
}

/// A run with only the stages that stand before one of them: what a child of it can depend on. A pipeline that starts two hundred children would
/// else be written down two hundred times, each time with all two hundred.
fn shortened(run: &Execution, view: Option<&StageView>) -> Execution {
    let mut short = run.clone();
    let before: HashSet<&str> = view.iter().flat_map(|v| v.ancestors()).map(|s| s.id.as_str()).collect();
    short.stages.retain(|s| before.contains(s.id.as_str()));
    short
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pipeline::model::Stage;

    use super::*;

    /// One stage, then two hundred beside each other.
    fn wide() -> Execution {
        let first = Stage { id: "first".into(), ref_id: "first".into(), ..Stage::default() };
        let mut stages = vec![Arc::new(first)];
        for i in 0..200 {
            let id = format!("s{i}");
            let mut stage = Stage { id: id.clone(), ref_id: id, ..Stage::default() };
            stage.requisite_stage_ref_ids = vec!["first".into()];
            stage.context.insert("pipelineParameters".into(), json!({"text": "x".repeat(200)}));
            stages.push(Arc::new(stage));
        }
        Execution { id: "RUN".into(), stages, ..Execution::default() }
    }

    fn started(child: Value) -> Map {
        let child = child.as_object().cloned().unwrap_or_default();
        request(&wide(), "s7", child, &Map::new(), "key".into()).trigger
    }

    #[test]
    fn a_child_knows_what_ran_before_it_and_not_its_two_hundred_siblings() {
        let trigger = started(json!({"name": "child", "stages": [{"type": "wait"}]}));
        let stages: Vec<&str> = trigger["parentExecution"]["stages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|s| s["id"].as_str())
            .collect();
        assert_eq!(stages, ["first"]);
        assert!(json!(trigger).to_string().len() < 3000, "{}", json!(trigger).to_string().len());
        assert_eq!(trigger["parentPipelineStageId"], "s7");
    }

    #[test]
    fn a_child_whose_expressions_look_into_its_parent_gets_all_of_it() {
        let text = "${trigger.parentExecution.stages.size()}";
        let trigger = started(json!({"name": "child", "stages": [{"type": "wait", "waitTime": text}]}));
        assert_eq!(trigger["parentExecution"]["stages"].as_array().map(Vec::len), Some(201));
    }
}
