//! Why a pipeline starts by itself: one file per kind of trigger, each a pure match on an event. What holds for all kinds is here:
//! which entries are switched on, whose artifacts an event must bring, whose name the execution bears, and that no secret goes on.

pub mod apt;
pub mod cron;
pub mod delivery;
pub mod git;
pub mod manual;
pub(crate) mod pattern;
pub mod pipeline;
pub mod signature;
pub mod webhook;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Map;
use crate::start::{StartError, artifacts};

/// A kind of trigger.
pub trait Matches: Send + Sync {
    /// The `type` in a pipeline's JSON.
    fn kind(&self) -> &'static str;

    /// The trigger of the execution that an event starts, if it starts one. `config` is the entry of the pipeline's
    /// `triggers`; whether it is enabled has been looked at.
    fn fires(&self, config: &Map, event: &Value) -> Option<Map>;

    /// Whether its events bring artifacts, so that `expectedArtifactIds` decide whether it fires. Where they bring none, these are
    /// looked for among the artifacts of the run before and the defaults, when the pipeline starts.
    fn brings_artifacts(&self) -> bool {
        true
    }
}

/// All kinds, in the order of the documentation.
pub fn all() -> Vec<&'static dyn Matches> {
    vec![&manual::Manual, &webhook::Webhook, &git::Git, &pipeline::Pipeline, &cron::Cron, &apt::Apt]
}

/// The entries of a pipeline's `triggers` of this kind that are switched on.
pub fn entries<'a>(pipeline: &'a Map, kind: &'a str) -> impl Iterator<Item = &'a Map> {
    let all = pipeline.get("triggers").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_object).filter(move |t| is_on(t) && is_kind(t, kind))
}

fn is_on(trigger: &Map) -> bool {
    trigger.get("enabled") != Some(&Value::Bool(false))
}

fn is_kind(trigger: &Map, kind: &str) -> bool {
    text(trigger, "type").is_some_and(|own| own.eq_ignore_ascii_case(kind))
}

/// The trigger that the first matching entry of a pipeline's `triggers` of this kind makes of an event.
pub fn fires(pipeline: &Map, kind: &str, event: &Value) -> Option<Map> {
    entries(pipeline, kind).find_map(|config| fires_entry(pipeline, config, event))
}

/// The trigger that one entry makes of an event.
pub fn fires_entry(pipeline: &Map, config: &Map, event: &Value) -> Option<Map> {
    let matcher = all().into_iter().find(|m| is_kind(config, m.kind()))?;
    let mut fired = matcher.fires(config, event)?;
    if matcher.brings_artifacts() && !brings_what_is_expected(pipeline, config, &fired) {
        return None;
    }
    // It has done its work; what an execution shows, everybody may read.
    fired.shift_remove("secret");
    if let Some(user) = text(config, "runAsUser") {
        fired.insert("user".into(), json!(user));
    }
    Some(fired)
}

/// At least one artifact of the event is one that the trigger expects, if it expects any.
fn brings_what_is_expected(pipeline: &Map, config: &Map, fired: &Map) -> bool {
    let list = |map: &Map, key: &str| map.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let ids = list(config, "expectedArtifactIds");
    if ids.is_empty() {
        return true;
    }
    let brought = list(fired, "artifacts");
    let expected = list(pipeline, "expectedArtifacts");
    let mut asked = expected.iter().filter(|e| e.get("id").is_some_and(|id| ids.contains(id)));
    asked.any(|one| brought.iter().any(|artifact| artifacts::matches(&one["matchArtifact"], artifact)))
}

/// Refuses a trigger that is switched on and could never fire after `now`; the error names its place.
pub fn check(pipeline: &Map, now: Timestamp) -> Result<(), StartError> {
    if pipeline.get("disabled") == Some(&Value::Bool(true)) {
        return Ok(());
    }
    for (i, one) in pipeline.get("triggers").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let Some(one) = one.as_object().filter(|t| is_on(t) && is_kind(t, "cron")) else { continue };
        if let Err((key, error)) = cron::check(one, now) {
            return Err(StartError::at(format!("$.triggers[{i}].{key}"), error.to_string()));
        }
    }
    Ok(())
}

/// A text of a trigger's configuration; empty counts as absent.
pub(crate) fn text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str).map(str::trim).filter(|s| !s.is_empty())
}
