//! Expected artifacts of a pipeline: matched with those that the trigger brings, those of the run before, and defaults.

use serde_json::{Value, json};

use super::StartError;
use crate::Map;
use crate::trigger::{entries, pattern};

/// Fills `trigger.artifacts`, `expectedArtifacts` and `resolvedExpectedArtifacts`. What was received comes from the pipeline's
/// `receivedArtifacts`, from the execution that started this one, and from the trigger itself.
pub(super) fn resolve(trigger: &mut Map, config: &Map, prior: &[Value]) -> Result<(), StartError> {
    let expected = list(config, "expectedArtifacts");
    let asked = asked(trigger, config);
    let mut received = Vec::new();
    let parent = trigger.get("parentExecution").map(of_parent).unwrap_or_default();
    for artifact in list(config, "receivedArtifacts").into_iter().chain(parent).chain(list(trigger, "artifacts")) {
        if !received.contains(&artifact) {
            received.push(artifact);
        }
    }
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

/// The ids of the artifacts that must be found: those that the trigger names, and for a pipeline's stage those that a trigger on the end of the
/// same pipeline would name.
fn asked(trigger: &Map, config: &Map) -> Vec<String> {
    let mut ids = list(trigger, "expectedArtifactIds");
    let parent =
        trigger.get("parentExecution").and_then(|parent| parent.get("pipelineConfigId")).and_then(Value::as_str);
    if let (Some(parent), true) = (parent, trigger.contains_key("parentPipelineStageId")) {
        let same = |t: &&Map| t.get("pipeline").and_then(Value::as_str) == Some(parent);
        ids.extend(entries(config, "pipeline").filter(same).flat_map(|t| list(t, "expectedArtifactIds")));
    }
    let id = |value: &Value| value.as_str().or_else(|| value.get("id")?.as_str()).map(str::to_owned);
    ids.iter().filter_map(id).collect()
}

/// What an execution has to hand on: the artifacts of its stages, the latest first, and of its trigger.
fn of_parent(parent: &Value) -> Vec<Value> {
    let of = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let stages = of(parent.get("stages"));
    let made = stages.iter().rev().flat_map(|stage| of(stage.pointer("/outputs/artifacts")));
    made.chain(of(parent.pointer("/trigger/artifacts"))).collect()
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
        pattern::whole(want, have)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map {
        value.as_object().cloned().expect("an object")
    }

    fn image(version: &str) -> Value {
        json!({"type": "docker/image", "name": "img", "version": version})
    }

    /// The versions that were bound, or what is wrong.
    fn bound(config: Value, trigger: Value, prior: &[Value]) -> Result<Vec<String>, String> {
        let mut trigger = map(trigger);
        resolve(&mut trigger, &map(config), prior).map_err(|error| error.to_string())?;
        let version = |one: &Value| one["boundArtifact"]["version"].as_str().unwrap_or_default().to_owned();
        Ok(list(&trigger, "resolvedExpectedArtifacts").iter().map(version).collect())
    }

    #[test]
    fn what_is_received_comes_before_the_run_before_and_that_before_the_default() {
        let expected = |prior: bool, default: bool| {
            json!({"expectedArtifacts": [{"id": "a", "displayName": "the image", "usePriorArtifact": prior, "useDefaultArtifact": default,
                "matchArtifact": {"type": "docker/image", "name": "img"}, "defaultArtifact": image("default")}]})
        };
        let asks = |artifacts: Value| json!({"expectedArtifactIds": ["a"], "artifacts": artifacts});
        let prior = [image("prior")];
        let check = |config: Value, trigger: Value, expect: Result<&[&str], &str>| {
            let expect = expect.map(|list| list.iter().map(|s| (*s).to_owned()).collect()).map_err(str::to_owned);
            assert_eq!(bound(config.clone(), trigger.clone(), &prior), expect, "{config} {trigger}");
        };
        let unmatched = "Unmatched expected artifact the image could not be resolved.";
        let twice = "expected artifact the image matches several artifacts; make its matchArtifact more exact";
        check(expected(true, true), asks(json!([image("1")])), Ok(&["1"]));
        check(expected(true, true), asks(json!([])), Ok(&["prior"]));
        check(expected(false, true), asks(json!([])), Ok(&["default"]));
        check(expected(false, false), asks(json!([])), Err(unmatched));
        check(expected(false, false), json!({}), Ok(&[]));
        check(expected(false, true), json!({}), Ok(&["default"]));
        check(expected(false, true), asks(json!([image("1"), image("2")])), Err(twice));
        check(expected(false, true), asks(json!([image("1"), image("1")])), Ok(&["1"]));
        check(
            expected(false, false),
            json!({"expectedArtifactIds": [{"id": "a"}], "artifacts": [image("1")]}),
            Ok(&["1"]),
        );
    }

    #[test]
    fn a_field_fits_when_it_is_empty_equal_or_a_whole_match() {
        let check = |want: Value, expect: bool| {
            let have =
                json!({"type": "embedded/base64", "name": "shop/till", "version": "1.2.3", "reference": "img:1+2"});
            assert_eq!(matches(&want, &have), expect, "{want}");
        };
        check(json!({}), true);
        check(json!({"name": ""}), true);
        check(json!({"name": "shop/.*"}), true);
        check(json!({"name": "shop"}), false);
        check(json!({"version": "1|1.2.3"}), true);
        check(json!({"reference": "img:1+2"}), true);
        check(json!({"location": "eu"}), false);
        check(json!({"type": "remote/base64"}), true);
        check(json!({"name": "("}), false);
    }

    #[test]
    fn a_parent_hands_on_what_it_made_and_what_it_was_started_with() {
        let parent = json!({"pipelineConfigId": "up", "trigger": {"artifacts": [image("0")]},
            "stages": [{"outputs": {"artifacts": [{"type": "x", "name": "first"}]}}, {"outputs": {"artifacts": [image("0")]}}]});
        let config = json!({"expectedArtifacts": [{"id": "a", "matchArtifact": {"name": "img"}}],
            "triggers": [{"type": "pipeline", "pipeline": "up", "expectedArtifactIds": ["a"]}]});
        let by_stage = json!({"parentExecution": parent, "parentPipelineStageId": "S"});
        assert_eq!(bound(config.clone(), by_stage.clone(), &[]), Ok(vec!["0".to_owned()]));
        let mut trigger = map(by_stage);
        resolve(&mut trigger, &map(config.clone()), &[]).expect("resolved");
        assert_eq!(trigger["artifacts"], json!([image("0"), {"type": "x", "name": "first"}]));
        let empty = json!({"parentExecution": {"pipelineConfigId": "up"}, "parentPipelineStageId": "S"});
        assert_eq!(bound(config, empty, &[]), Err("Unmatched expected artifact a could not be resolved.".to_owned()));
        let received = json!({"receivedArtifacts": [image("9")]});
        let mut trigger = Map::new();
        resolve(&mut trigger, &map(received), &[]).expect("resolved");
        assert_eq!(trigger["artifacts"], json!([image("9")]), "also when nothing is expected");
    }
}
