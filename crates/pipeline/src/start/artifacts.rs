//! Expected artifacts of a pipeline: matched with those that the trigger brings, those of the run before, and defaults.

use regex::Regex;
use serde_json::{Value, json};

use super::StartError;
use crate::Map;

/// Fills `trigger.artifacts`, `expectedArtifacts` and `resolvedExpectedArtifacts`.
pub(super) fn resolve(trigger: &mut Map, config: &Map, prior: &[Value]) -> Result<(), StartError> {
    let expected = config.get("expectedArtifacts").and_then(Value::as_array).cloned().unwrap_or_default();
    if expected.is_empty() {
        return Ok(());
    }
    let asked: Vec<String> = list(trigger, "expectedArtifactIds")
        .iter()
        .filter_map(|id| match id {
            Value::String(id) => Some(id.clone()),
            other => other.get("id").and_then(Value::as_str).map(str::to_owned),
        })
        .collect();
    let mut received = list(config, "receivedArtifacts");
    received.extend(list(trigger, "artifacts"));
    let (mut resolved, mut artifacts) = (Vec::new(), received.clone());
    for one in &expected {
        let id = one.get("id").and_then(Value::as_str).unwrap_or("");
        let may_default = on(one, "useDefaultArtifact") || on(one, "usePriorArtifact");
        if !asked.iter().any(|a| a == id) && !may_default {
            continue;
        }
        let bound = bind(one, &received, prior)?;
        if !artifacts.contains(&bound) {
            artifacts.push(bound.clone());
        }
        let mut one = one.clone();
        one["boundArtifact"] = bound;
        resolved.push(one);
    }
    trigger.insert("artifacts".into(), json!(artifacts));
    trigger.insert("expectedArtifacts".into(), json!(resolved.clone()));
    trigger.insert("resolvedExpectedArtifacts".into(), json!(resolved));
    Ok(())
}

fn list(map: &Map, key: &str) -> Vec<Value> {
    map.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn on(expected: &Value, key: &str) -> bool {
    expected.get(key) == Some(&Value::Bool(true))
}

fn bind(expected: &Value, received: &[Value], prior: &[Value]) -> Result<Value, StartError> {
    let name = || {
        let name = expected.get("displayName").or_else(|| expected.get("id"));
        name.and_then(Value::as_str).unwrap_or("without a name").to_owned()
    };
    let pattern = expected.get("matchArtifact").cloned().unwrap_or(Value::Null);
    let sources: [&[Value]; 2] = [received, if on(expected, "usePriorArtifact") { prior } else { &[] }];
    for source in sources {
        let mut found: Vec<&Value> = Vec::new();
        for artifact in source.iter().filter(|a| matches(&pattern, a)) {
            if !found.contains(&artifact) {
                found.push(artifact);
            }
        }
        match found.as_slice() {
            [] => {}
            [one] => return Ok((*one).clone()),
            _ => return Err(StartError::Ambiguous(name())),
        }
    }
    match expected.get("defaultArtifact") {
        Some(default) if on(expected, "useDefaultArtifact") && !default.is_null() => Ok(default.clone()),
        _ => Err(StartError::Unmatched(name())),
    }
}

/// Whether an artifact is what is expected: each field that is given is equal, or matches as a whole as a regular expression.
pub(crate) fn matches(pattern: &Value, artifact: &Value) -> bool {
    ["type", "name", "version", "location", "reference"].iter().all(|field| {
        let want = pattern.get(*field).and_then(Value::as_str).unwrap_or("");
        let have = artifact.get(*field).and_then(Value::as_str).unwrap_or("");
        if want.is_empty() || want == have {
            return true;
        }
        let embedded = ["embedded/base64", "remote/base64"];
        if *field == "type" && embedded.contains(&want) && embedded.contains(&have) {
            return true;
        }
        Regex::new(&format!("^(?:{want})$")).is_ok_and(|r| r.is_match(have))
    })
}
