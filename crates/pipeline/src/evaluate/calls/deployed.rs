//! What deploy stages left: server groups, and the labels of manifests.

use expr::{Budget, Failure, Key, Map, Members, Text, Value};
use serde_json::Value as Json;

use super::{Outcome, stages, text};
use crate::evaluate::names::Names;
use crate::evaluate::things::Stage;

/// The stages that deploy.
const DEPLOYING: [&str; 4] = ["deploy", "createServerGroup", "cloneServerGroup", "rollingPush"];

/// `#deployedServerGroups(names…)`: one object a stage that deployed; no names = all of them.
pub(super) fn server_groups<'a>(names: &Names<'a>, ids: &[Value<'a>], cost: &Budget) -> Outcome<'a> {
    let ids: Vec<String> = ids.iter().map(|id| text(id, cost)).collect::<Result<_, _>>()?;
    let is_meant = |stage: &Stage| {
        let named = |name| stage.text(name).is_some_and(|name| ids.iter().any(|id| id == name));
        let deploys = stage.text("type").is_some_and(|kind| DEPLOYING.contains(&kind));
        deploys && stage.context("deploy.server.groups").is_some() && (ids.is_empty() || named("name") || named("id"))
    };
    Ok(Value::List(stages(names)?.filter(is_meant).filter_map(|stage| details(&stage)).collect()))
}

fn details<'a>(stage: &Stage<'a>) -> Option<Value<'a>> {
    let zones = || {
        stage
            .context("availabilityZones")
            .and_then(Json::as_object)
            .and_then(|zones| zones.keys().next())
            .map(String::as_str)
    };
    let region = stage.context("region").and_then(Json::as_str).or_else(zones)?;
    let mut members = Members::default();
    for name in ["account", "capacity", "parentStage"] {
        members.insert(key(name), stage.own_context(name).unwrap_or(Value::Null));
    }
    members.insert(key("region"), Value::text(region));
    let known = stage.context("deploymentDetails").and_then(Json::as_array);
    for detail in
        known.into_iter().flatten().filter(|detail| detail.get("region").and_then(Json::as_str) == Some(region))
    {
        for (name, value) in detail.as_object().into_iter().flatten() {
            members.insert(Key::Text(Text::Lent(name)), Value::of(value));
        }
    }
    let groups = stage.context("deploy.server.groups").and_then(|groups| groups.get(region)).and_then(Json::as_array);
    if let Some(group) = groups.and_then(|groups| groups.first()) {
        members.insert(key("serverGroup"), Value::of(group));
    }
    members.insert(key("deployments"), deployments(stage));
    Some(Value::Map(Map::made(members)))
}

/// What the cloud reported to have deployed.
fn deployments<'a>(stage: &Stage<'a>) -> Value<'a> {
    let each = |json: Option<&'a Json>| json.and_then(Json::as_array).into_iter().flatten();
    let results = each(stage.context("kato.tasks")).flat_map(|task| each(task.get("resultObjects")));
    Value::List(results.flat_map(|result| each(result.get("deployments"))).map(Value::of).collect())
}

fn key<'a>(name: &'static str) -> Key<'a> {
    Key::Text(Text::Lent(name))
}

/// `#manifestLabelValue(stage, kind, label)`: a label of the pods that a manifest makes.
pub(super) fn label<'a>(names: &Names<'a>, name: &str, kind: &str, label: &str) -> Outcome<'a> {
    if !matches!(kind, "Deployment" | "ReplicaSet") {
        return Err(Failure::new(format!("labels are looked up in a Deployment or ReplicaSet, not in a {kind}")));
    }
    let is_meant = |stage: &Stage| {
        stage.text("type") == Some("deployManifest")
            && stage.text("name") == Some(name)
            && stage.text("status") == Some("SUCCEEDED")
    };
    let stage = stages(names)?
        .find(is_meant)
        .ok_or_else(|| Failure::new(format!("no deployManifest stage '{name}' has succeeded")))?;
    let manifests = stage.context("outputs.manifests").and_then(Json::as_array);
    let manifests = manifests.ok_or_else(|| Failure::new(format!("the stage '{name}' has no manifests")))?;
    let manifest = manifests.iter().find(|manifest| manifest.get("kind").and_then(Json::as_str) == Some(kind));
    let manifest = manifest.ok_or_else(|| Failure::new(format!("the stage '{name}' has deployed no {kind}")))?;
    let labels = manifest.pointer("/spec/template/metadata/labels");
    let value = labels.and_then(|labels| labels.get(label)).filter(|label| label.is_string()).map(Value::of);
    value.ok_or_else(|| Failure::new(format!("the {kind} of the stage '{name}' has no label '{label}'")))
}
