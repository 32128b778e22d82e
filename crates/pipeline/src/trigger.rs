//! Why a pipeline starts by itself: one file per kind of trigger, each a pure match on an event.

pub mod apt;
pub mod manual;
pub mod pipeline;
pub mod webhook;

use serde_json::Value;

use crate::Map;

/// A kind of trigger.
pub trait Matches: Send + Sync {
    /// The `type` in a pipeline's JSON.
    fn kind(&self) -> &'static str;

    /// The trigger of the execution that an event starts, if it starts one. `config` is the entry of the pipeline's
    /// `triggers`; whether it is enabled has been looked at.
    fn fires(&self, config: &Map, event: &Value) -> Option<Map>;
}

/// All kinds, in the order of the documentation.
pub fn all() -> Vec<&'static dyn Matches> {
    vec![&manual::Manual, &webhook::Webhook, &pipeline::Pipeline, &apt::Apt]
}

/// The trigger that the first matching entry of a pipeline's `triggers` of this kind makes of an event.
pub fn fires(pipeline: &Map, kind: &str, event: &Value) -> Option<Map> {
    let matcher = all().into_iter().find(|m| m.kind() == kind)?;
    let entries = pipeline.get("triggers").and_then(Value::as_array)?;
    entries
        .iter()
        .filter_map(Value::as_object)
        .filter(|t| t.get("type").and_then(Value::as_str) == Some(kind))
        .filter(|t| t.get("enabled") != Some(&Value::Bool(false)))
        .find_map(|t| matcher.fires(t, event))
}

/// A text of a trigger's configuration; empty counts as absent.
pub(crate) fn text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str).map(str::trim).filter(|s| !s.is_empty())
}
