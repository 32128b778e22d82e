//! What a pipeline's JSON may not be, each named with its JSON path: the engine never sees it.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{MOST_STAGES, StartError, reference, references};
use crate::Map;

/// How long an id of a stage may be, and how deep a stage's JSON may be nested.
const LONGEST_REFERENCE: usize = 256;
const DEEPEST: usize = 64;

/// Checks that hold for each start: size, nesting, cycles.
pub fn bounds(config: &Map) -> Result<(), StartError> {
    let Some(stages) = config.get("stages").and_then(Value::as_array) else { return Ok(()) };
    if stages.len() > MOST_STAGES {
        return Err(StartError::at("$.stages", format!("has {} stages; {MOST_STAGES} are the most", stages.len())));
    }
    for (i, stage) in stages.iter().enumerate() {
        if deeper_than(stage, DEEPEST) {
            return Err(StartError::at(format!("$.stages[{i}]"), format!("is nested more than {DEEPEST} levels deep")));
        }
        if stage.get("refId").and_then(Value::as_str).is_some_and(|r| r.len() > LONGEST_REFERENCE) {
            return Err(StartError::at(format!("$.stages[{i}].refId"), "is longer than 256 characters"));
        }
    }
    no_cycle(stages)
}

/// Checks that hold for a pipeline that is saved: besides, each refId is there once, and what is required is there.
pub fn check(config: &Map) -> Result<(), StartError> {
    let name = config.get("name").and_then(Value::as_str).unwrap_or("");
    if name.trim().is_empty() {
        return Err(StartError::at("$.name", "a pipeline needs a name"));
    }
    if config.get("application").and_then(Value::as_str).is_none_or(|a| a.trim().is_empty()) {
        return Err(StartError::at("$.application", "a pipeline needs the name of its application"));
    }
    let stages = match config.get("stages") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(stages)) => stages,
        Some(_) => return Err(StartError::at("$.stages", "must be a list")),
    };
    bounds(config)?;
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (i, stage) in stages.iter().enumerate() {
        if !stage.is_object() {
            return Err(StartError::at(format!("$.stages[{i}]"), "must be an object"));
        }
        if stage.get("type").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(StartError::at(format!("$.stages[{i}].type"), "a stage needs a type"));
        }
        request_lines(i, stage)?;
        let Some(reference) = reference(stage.get("refId")) else { continue };
        if let Some(first) = seen.get(&reference) {
            let what = format!("'{reference}' is the refId of $.stages[{first}], too; each stage needs its own");
            return Err(StartError::at(format!("$.stages[{i}].refId"), what));
        }
        seen.insert(reference, i);
    }
    for (i, stage) in stages.iter().enumerate() {
        let requires = stage.get("requisiteStageRefIds").and_then(Value::as_array);
        for (j, one) in requires.into_iter().flatten().enumerate() {
            if let Some(one) = reference(Some(one))
                && !seen.contains_key(&one)
            {
                let path = format!("$.stages[{i}].requisiteStageRefIds[{j}]");
                return Err(StartError::at(path, format!("there is no stage with the refId '{one}'")));
            }
        }
    }
    Ok(())
}

/// What becomes a line of a request, whoever sends it, holds no line break.
fn request_lines(i: usize, stage: &Value) -> Result<(), StartError> {
    let breaks = |text: &str| text.contains(['\r', '\n', '\0']);
    let broken = |value: &Value| match value {
        Value::String(text) => breaks(text),
        Value::Array(list) => list.iter().filter_map(Value::as_str).any(breaks),
        _ => false,
    };
    for key in ["method", "cancelMethod"] {
        if stage.get(key).is_some_and(broken) {
            return Err(StartError::at(format!("$.stages[{i}].{key}"), "holds a line break"));
        }
    }
    let headers = stage.get("customHeaders").and_then(Value::as_object);
    for (name, value) in headers.into_iter().flatten() {
        if breaks(name) {
            let what = format!("the name '{}' holds a line break", name.escape_debug());
            return Err(StartError::at(format!("$.stages[{i}].customHeaders"), what));
        }
        if broken(value) {
            return Err(StartError::at(format!("$.stages[{i}].customHeaders.{name}"), "holds a line break"));
        }
    }
    Ok(())
}

fn deeper_than(value: &Value, levels: usize) -> bool {
    if levels == 0 {
        return true;
    }
    match value {
        Value::Array(list) => list.iter().any(|v| deeper_than(v, levels - 1)),
        Value::Object(map) => map.values().any(|v| deeper_than(v, levels - 1)),
        _ => false,
    }
}

/// Takes away stages that nothing is missing for, until none is left; what is left goes round in a circle.
fn no_cycle(stages: &[Value]) -> Result<(), StartError> {
    let named = |stage: &Value| reference(stage.get("refId"));
    let known: HashSet<String> = stages.iter().filter_map(named).collect();
    let required = |stage: &Value| references(stage.get("requisiteStageRefIds"));
    let mut requires: Vec<Vec<String>> = stages.iter().map(required).collect();
    requires.iter_mut().for_each(|list| list.retain(|one| known.contains(one)));
    let mut waits: Vec<usize> = Vec::with_capacity(stages.len());
    let mut behind: HashMap<&str, Vec<usize>> = HashMap::new();
    for (i, list) in requires.iter().enumerate() {
        waits.push(0);
        for one in list {
            behind.entry(one).or_default().push(i);
        }
    }
    let names: Vec<Option<String>> = stages.iter().map(named).collect();
    for reference in names.iter().flatten() {
        for i in behind.get(reference.as_str()).into_iter().flatten() {
            waits[*i] += 1;
        }
    }
    let mut free: Vec<usize> = (0..stages.len()).filter(|i| waits[*i] == 0).collect();
    let mut done = 0;
    while let Some(i) = free.pop() {
        done += 1;
        let Some(reference) = &names[i] else { continue };
        for next in behind.get(reference.as_str()).into_iter().flatten() {
            waits[*next] -= 1;
            if waits[*next] == 0 {
                free.push(*next);
            }
        }
    }
    if done == stages.len() {
        return Ok(());
    }
    let first = (0..stages.len()).find(|i| waits[*i] > 0).unwrap_or(0);
    let name = names[first].clone().unwrap_or_default();
    let path = format!("$.stages[{first}].requisiteStageRefIds");
    Err(StartError::at(path, format!("stage '{name}' waits for itself in a circle, or for a stage that does")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn error(stages: Value) -> String {
        let config = json!({"name": "p", "application": "a", "stages": stages});
        check(config.as_object().expect("an object")).expect_err("it is refused").to_string()
    }

    #[test]
    fn a_circle_is_named_by_its_first_stage() {
        let text = error(json!([
            {"refId": "r", "type": "wait"},
            {"refId": "a", "type": "wait", "requisiteStageRefIds": ["r", "b"]},
            {"refId": "b", "type": "wait", "requisiteStageRefIds": ["a"]},
        ]));
        assert!(text.starts_with("$.stages[1].requisiteStageRefIds: stage 'a' waits for itself"), "{text}");
    }

    #[test]
    fn a_refid_that_is_there_twice_is_named() {
        let text = error(json!([{"refId": "1", "type": "wait"}, {"refId": "1", "type": "wait"}]));
        assert_eq!(text, "$.stages[1].refId: '1' is the refId of $.stages[0], too; each stage needs its own");
        let text = error(json!([{"refId": "1", "type": "wait"}, {"refId": 1, "type": "wait"}]));
        assert_eq!(
            text, "$.stages[1].refId: '1' is the refId of $.stages[0], too; each stage needs its own",
            "a number is a name"
        );
    }

    #[test]
    fn a_requisite_that_is_no_stage_is_named() {
        let text = error(json!([{"refId": "1", "type": "wait", "requisiteStageRefIds": ["ghost"]}]));
        assert_eq!(text, "$.stages[0].requisiteStageRefIds[0]: there is no stage with the refId 'ghost'");
    }

    #[test]
    fn a_hundred_thousand_stages_are_too_many() {
        let stages: Vec<Value> = (0..100_000).map(|i| json!({"refId": i.to_string(), "type": "wait"})).collect();
        assert_eq!(error(json!(stages)), "$.stages: has 100000 stages; 2000 are the most");
    }

    #[test]
    fn a_stage_nested_a_hundred_levels_deep_is_refused() {
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        let text = error(json!([{"refId": "1", "type": "wait", "deep": deep}]));
        assert_eq!(text, "$.stages[0]: is nested more than 64 levels deep");
    }
}
