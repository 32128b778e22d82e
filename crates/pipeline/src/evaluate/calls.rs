//! The functions that need the execution or the outside: `#stage`, `#judgment`, `#deployedServerGroups`, `#pipelineId`, `#fromUrl`.

use std::rc::Rc;

use expr::{Budget, Failure, Value, to_text};
use serde_json::Value as Json;

use super::Need;
use super::names::Names;
use super::things::{Stage, artifact};

mod deployed;
mod outside;

type Outcome<'a> = Result<Value<'a>, Failure>;

/// Calls `#function(args)`; `None` = there is no such function.
pub(super) fn call<'a>(names: &Names<'a>, function: &str, args: &[Value<'a>], cost: &Budget) -> Option<Outcome<'a>> {
    if let Some(result) = outside::call(names, function, args, cost) {
        return Some(result);
    }
    let result = match (function, args) {
        ("currentUser", []) => Ok(Value::text(user(names))),
        ("currentStage", []) => match &names.stage {
            Some(stage) => Ok(Value::Thing(Rc::new(stage.clone()))),
            None => Err(Failure::new("no stage is being evaluated")),
        },
        ("stage", [_, id]) => found(names, id, |stage| is_called(stage, id)).map(stage_value),
        ("stageExists", [_, id]) => stages(names).map(|mut all| Value::Bool(all.any(|stage| is_called(&stage, id)))),
        ("stageByRefId", [_, id]) => text(id, cost).and_then(|id| {
            let stage = stages(names)?.find(|stage| stage.text("refId") == Some(&id));
            stage.map(stage_value).ok_or_else(|| Failure::new(format!("there is no stage with refId '{id}'")))
        }),
        ("judgment" | "judgement", [_, id]) => {
            let is_judgment =
                |stage: &Stage| stage.text("type") == Some("manualJudgment") && stage.text("name") == id.as_str();
            found(names, id, is_judgment).map(|stage| stage.own_context("judgmentInput").unwrap_or(Value::Null))
        }
        ("deployedServerGroups", [_, ids @ ..]) => deployed::server_groups(names, ids, cost),
        ("manifestLabelValue", [_, stage, kind, label]) => {
            Ok(()).and_then(|()| deployed::label(names, &text(stage, cost)?, &text(kind, cost)?, &text(label, cost)?))
        }
        ("triggerResolvedArtifact", [_, name]) => text(name, cost).and_then(|name| resolved(names, "name", &name)),
        ("triggerResolvedArtifactByType", [_, kind]) => {
            text(kind, cost).and_then(|kind| resolved(names, "type", &kind))
        }
        ("resolvedArtifacts", [] | [_]) => Ok(Value::List(bound(names).into_iter().map(artifact).collect())),
        (
            "stage"
            | "stageExists"
            | "stageByRefId"
            | "judgment"
            | "judgement"
            | "currentStage"
            | "currentUser"
            | "manifestLabelValue"
            | "triggerResolvedArtifact"
            | "triggerResolvedArtifactByType"
            | "deployedServerGroups"
            | "resolvedArtifacts",
            _,
        ) => Err(Failure::new(format!("#{function} does not take these arguments"))),
        _ => return None,
    };
    Some(result)
}

/// An argument that must be a text.
fn text(value: &Value, cost: &Budget) -> Result<String, Failure> {
    to_text(value, cost)?.ok_or_else(|| Failure::new("null was given where a text is needed"))
}

fn user(names: &Names) -> String {
    let user =
        names.execution.as_ref().and_then(|execution| execution.json().get("authentication")?.get("user")?.as_str());
    user.unwrap_or("anonymous").to_owned()
}

fn stages<'a>(names: &Names<'a>) -> Result<impl Iterator<Item = Stage<'a>> + use<'a>, Failure> {
    names
        .execution
        .as_ref()
        .map(|execution| execution.stages())
        .ok_or_else(|| Failure::new("there is no execution yet"))
}

/// Whether a stage has this name or id.
fn is_called(stage: &Stage, id: &Value) -> bool {
    id.as_str().is_some_and(|id| stage.text("name") == Some(id) || stage.text("id") == Some(id))
}

fn found<'a>(names: &Names<'a>, id: &Value, wanted: impl Fn(&Stage<'a>) -> bool) -> Result<Stage<'a>, Failure> {
    let missing = || match id.as_str() {
        Some(id) => Failure::new(format!("there is no stage '{id}'")),
        None => Failure::new(format!("{} is no name of a stage", id.what())),
    };
    stages(names)?.find(wanted).ok_or_else(missing)
}

fn stage_value(stage: Stage) -> Value {
    Value::Thing(Rc::new(stage))
}

/// The artifacts that the trigger's expected artifacts were bound to.
fn bound<'a>(names: &Names<'a>) -> Vec<&'a Json> {
    let expected = names
        .execution
        .as_ref()
        .and_then(|execution| execution.json().get("trigger")?.get("resolvedExpectedArtifacts")?.as_array());
    expected.map_or_else(Vec::new, |all| {
        all.iter().filter_map(|one| one.get("boundArtifact")).filter(|one| !one.is_null()).collect()
    })
}

fn resolved<'a>(names: &Names<'a>, field: &str, wanted: &str) -> Outcome<'a> {
    let found = bound(names).into_iter().find(|one| one.get(field).and_then(Json::as_str) == Some(wanted));
    found
        .map(artifact)
        .ok_or_else(|| Failure::new(format!("the trigger has no resolved artifact with {field} '{wanted}'")))
}
