//! Artifacts as stages use them: what a stage binds of its own products, and how the stages behind it find an artifact again, by the id of what was
//! expected. What a trigger brings is bound at the start (`start`), not here.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::Execution;
use crate::start::matches;
use crate::{Exception, Map, StageView, TaskInput, TaskResult, TaskSpec};

/// The task that binds a stage's products; the engine adds it to stages that make artifacts and expect some.
pub(crate) const BIND: TaskSpec = TaskSpec::new("bindProducedArtifacts", "bindProducedArtifacts");

/// Expected artifacts, each with what was found for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bound {
    /// What was found, each once.
    pub artifacts: Vec<Value>,
    /// What was expected, with `boundArtifact`.
    pub resolved: Vec<Value>,
}

/// An expected artifact that is nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Unmatched expected artifact {0} could not be resolved.")]
pub struct Unmatched(String);

/// Finds each expected artifact: the first that matches, else its default.
pub fn bind(expected: &[Value], produced: &[Value]) -> Result<Bound, Unmatched> {
    let mut bound = Bound::default();
    for one in expected {
        let pattern = one.get("matchArtifact").unwrap_or(&Value::Null);
        let may_default = one.get("useDefaultArtifact") == Some(&Value::Bool(true));
        let default = one.get("defaultArtifact").filter(|d| may_default && !d.is_null());
        let Some(found) = produced.iter().find(|artifact| matches(pattern, artifact)).or(default) else {
            let name = one.get("displayName").or_else(|| one.get("id")).and_then(Value::as_str);
            return Err(Unmatched(name.unwrap_or("without a name").to_owned()));
        };
        if !bound.artifacts.contains(found) {
            bound.artifacts.push(found.clone());
        }
        let mut one = one.clone();
        if let Some(one) = one.as_object_mut() {
            one.insert("boundArtifact".into(), found.clone());
        }
        bound.resolved.push(one);
    }
    Ok(bound)
}

/// The artifacts that a stage says it expects.
pub fn expected(context: &Map) -> Vec<Value> {
    list(context, "expectedArtifacts").to_vec()
}

/// The artifact that a stage before this one, or the trigger, bound to what is expected under this id.
pub fn bound(view: &StageView, id: &str) -> Option<Value> {
    let of = |map: &Map| {
        let found =
            list(map, "resolvedExpectedArtifacts").iter().find(|one| one.get("id").and_then(Value::as_str) == Some(id));
        found.and_then(|one| one.get("boundArtifact")).filter(|artifact| !artifact.is_null()).cloned()
    };
    let before = view.ancestors().into_iter().find_map(|stage| of(&stage.outputs));
    before.or_else(|| of(&view.trigger().0))
}

/// The artifact that a stage's configuration means: the one bound under `id`, else the one that stands there itself.
pub fn chosen(view: &StageView, id: Option<&str>, itself: Option<&Value>) -> Option<Value> {
    let by_id = id.filter(|id| !id.is_empty()).and_then(|id| bound(view, id));
    by_id.or_else(|| itself.filter(|artifact| artifact.is_object()).cloned())
}

/// Every artifact that a stage may use: what the stages before it made, the nearest first, then what the trigger brought.
pub fn visible(view: &StageView) -> Vec<Value> {
    let mut out = Vec::new();
    for stage in view.ancestors() {
        add(&mut out, list(&stage.outputs, "artifacts"));
    }
    add(&mut out, list(&view.trigger().0, "artifacts"));
    out
}

/// Every artifact of an execution: what its stages made, the last first, then what its trigger brought.
pub fn of_execution(run: &Execution) -> Vec<Value> {
    let mut out = Vec::new();
    for stage in run.stages.iter().rev() {
        add(&mut out, list(&stage.outputs, "artifacts"));
    }
    add(&mut out, list(&run.trigger.0, "artifacts"));
    out
}

fn list<'a>(map: &'a Map, key: &str) -> &'a [Value] {
    map.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn add(out: &mut Vec<Value>, artifacts: &[Value]) {
    for artifact in artifacts {
        if !out.contains(artifact) {
            out.push(artifact.clone());
        }
    }
}

/// Binds a stage's products to what it expects; stages behind it find them in its outputs.
pub(crate) fn bind_produced(input: &TaskInput, _: Timestamp) -> TaskResult {
    let Some(view) = input.view() else { return TaskResult::failed("the stage of these artifacts is gone") };
    let mut produced = list(&view.stage().outputs, "artifacts").to_vec();
    add(&mut produced, list(view.context(), "artifacts"));
    if produced.is_empty() {
        produced = visible(&view);
    }
    match bind(&expected(view.context()), &produced) {
        Ok(bound) => TaskResult::succeeded()
            .output("artifacts", json!(bound.artifacts))
            .output("resolvedExpectedArtifacts", json!(bound.resolved)),
        Err(error) => TaskResult::Failed { error: Exception::new("UnmatchedArtifact", error.to_string()) },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Stage;

    fn expects(id: &str, pattern: Value) -> Value {
        json!({"id": id, "displayName": format!("the {id}"), "matchArtifact": pattern})
    }

    #[test]
    fn the_first_artifact_that_matches_is_bound_and_a_default_stands_in() {
        let produced = [
            json!({"type": "deb", "name": "hello", "version": "2"}),
            json!({"type": "deb", "name": "hello", "version": "1"}),
        ];
        let mut other = expects("b", json!({"name": "other"}));
        other["useDefaultArtifact"] = json!(true);
        other["defaultArtifact"] = json!({"name": "fallback"});
        let bound = bind(&[expects("a", json!({"type": "deb", "name": "hel.*"})), other], &produced).expect("bound");
        assert_eq!(bound.artifacts, [produced[0].clone(), json!({"name": "fallback"})]);
        assert_eq!(bound.resolved[0]["boundArtifact"]["version"], "2");
        let missing = bind(&[expects("c", json!({"name": "nothing"}))], &produced).expect_err("there is none");
        assert_eq!(missing.to_string(), "Unmatched expected artifact the c could not be resolved.");
    }

    #[test]
    fn an_id_is_looked_up_in_the_stages_before_and_then_in_the_trigger() {
        let resolved = |id: &str, name: &str| json!([{"id": id, "boundArtifact": {"name": name}}]);
        let mut run = Execution::default();
        run.trigger.0.insert("resolvedExpectedArtifacts".into(), resolved("x", "from the trigger"));
        run.trigger.0.insert("artifacts".into(), json!([{"name": "t"}]));
        let mut first = Stage { id: "1".into(), ref_id: "1".into(), ..Stage::default() };
        first.outputs.insert("resolvedExpectedArtifacts".into(), resolved("y", "from a stage"));
        first.outputs.insert("artifacts".into(), json!([{"name": "s"}, {"name": "t"}]));
        let second =
            Stage { id: "2".into(), ref_id: "2".into(), requisite_stage_ref_ids: vec!["1".into()], ..Stage::default() };
        run.stages = vec![Arc::new(first), Arc::new(second)];
        let view = StageView::of(&run, "2").expect("it is there");
        assert_eq!(bound(&view, "x"), Some(json!({"name": "from the trigger"})));
        assert_eq!(bound(&view, "y"), Some(json!({"name": "from a stage"})));
        assert_eq!(bound(&view, "z"), None);
        assert_eq!(chosen(&view, Some("z"), Some(&json!({"name": "inline"}))), Some(json!({"name": "inline"})));
        assert_eq!(visible(&view), [json!({"name": "s"}), json!({"name": "t"})]);
    }
}
