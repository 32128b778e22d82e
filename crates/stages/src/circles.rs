//! Pipelines that start each other for ever: found when one of them is saved. A link is a `pipeline` stage that runs whenever its pipeline does
//! well, or a trigger on the success of another pipeline. A circle of such links only ends when something fails, so it is refused; a circle with a
//! condition, a person or a failure in it may be meant, and is cut off at its depth when it runs.

use std::collections::{HashMap, HashSet, VecDeque};

use pipeline::pipelines::{self, PipelineError};
use pipeline::start::StartError;
use pipeline::{Map, trigger};
use serde_json::Value;
use store::{StoreError, Tx};

/// Pipelines that are looked at for one that is saved.
const MOST: usize = 2_000;

/// Saves a pipeline as [`pipelines::save`] does, unless it would close a circle with those that are saved.
pub fn save(tx: &mut Tx, pipeline: &Map, stale_check: bool, who: &str) -> Result<Map, PipelineError> {
    check(tx, pipeline)?;
    pipelines::save(tx, pipeline, stale_check, who)
}

fn check(tx: &mut Tx, pipeline: &Map) -> Result<(), PipelineError> {
    let Some(id) = text(pipeline, "id") else { return Ok(()) };
    // Nothing leads to it, or nothing leads on.
    if is_off(pipeline) {
        return Ok(());
    }
    let mut ways: HashMap<String, (String, String)> = HashMap::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut queue: VecDeque<Map> = VecDeque::from([pipeline.clone()]);
    while let Some(at) = queue.pop_front() {
        let Some(own) = text(&at, "id").map(str::to_owned) else { continue };
        if !seen.insert(own.clone()) || seen.len() > MOST {
            continue;
        }
        let mut next: Vec<(String, Option<Map>)> = Vec::new();
        for (application, wanted) in started(&at) {
            next.push((identified(tx, pipeline, &application, wanted)?, None));
        }
        let saved = pipelines::followers(tx, &own)?.into_iter().filter(|one| text(one, "id") != Some(id));
        for one in saved.chain([pipeline.clone()]).filter(|one| triggering(one).contains(&own)) {
            next.extend(text(&one, "id").map(str::to_owned).map(|id| (id, Some(one))));
        }
        let name = text(&at, "name").unwrap_or(&own).to_owned();
        for (to, map) in next {
            if to == id {
                return Err(refusal(pipeline, &own, &name, &ways).into());
            }
            if ways.contains_key(&to) {
                continue;
            }
            ways.insert(to.clone(), (own.clone(), name.clone()));
            let map = match map {
                Some(map) => Some(map),
                None => pipelines::by_id(tx, &to)?,
            };
            queue.extend(map.filter(|map| !is_off(map)));
        }
    }
    Ok(())
}

fn refusal(pipeline: &Map, last: &str, last_name: &str, ways: &HashMap<String, (String, String)>) -> StartError {
    let own = text(pipeline, "name").unwrap_or_default();
    let mut names = vec![format!("'{own}'")];
    let mut at = last.to_owned();
    if Some(last) != text(pipeline, "id") {
        names.push(format!("'{last_name}'"));
        while let Some((before, name)) = ways.get(&at) {
            if Some(before.as_str()) == text(pipeline, "id") {
                break;
            }
            names.push(format!("'{name}'"));
            at = before.clone();
        }
    }
    names[1..].reverse();
    names.push(format!("'{own}'"));
    let what = format!(
        "pipelines would start each other without end: {}; take away or switch off one of the triggers or stages that lead from one to the next",
        names.join(" starts ")
    );
    let list = pipeline.get("triggers").and_then(Value::as_array);
    let mut triggers = list.into_iter().flatten();
    let place = triggers.position(|t| t.get("pipeline").and_then(Value::as_str) == Some(last));
    let path = place.map_or_else(|| "$.stages".to_owned(), |i| format!("$.triggers[{i}]"));
    StartError::Malformed { path, what }
}

/// The pipelines whose success starts this one.
fn triggering(pipeline: &Map) -> Vec<String> {
    if is_off(pipeline) {
        return Vec::new();
    }
    let on_success = |t: &&Map| {
        let ends = t.get("status").and_then(Value::as_array);
        ends.into_iter().flatten().any(|end| end.as_str() == Some("successful"))
    };
    trigger::entries(pipeline, "pipeline")
        .filter(on_success)
        .filter_map(|t| text(t, "pipeline").map(str::to_owned))
        .collect()
}

/// The id of a pipeline that a stage names by its id or by its name; `pipeline` is the one that is being saved.
fn identified(tx: &mut Tx, pipeline: &Map, application: &str, wanted: String) -> Result<String, StoreError> {
    let id = |map: &Map| text(map, "id").map(str::to_owned);
    if text(pipeline, "id") == Some(&wanted) || pipelines::by_id(tx, &wanted)?.is_some() {
        return Ok(wanted);
    }
    let same = |key: &str, value: &str| text(pipeline, key).is_some_and(|own| own.eq_ignore_ascii_case(value));
    if same("application", application) && same("name", &wanted) {
        return Ok(id(pipeline).unwrap_or(wanted));
    }
    let named = pipelines::by_name_or_id(tx, application, &wanted)?;
    Ok(named.as_ref().and_then(id).unwrap_or(wanted))
}

/// The pipelines that its stages start for certain, when nothing fails: the application, and the id or the name there.
fn started(pipeline: &Map) -> Vec<(String, String)> {
    let stages: Vec<&Map> =
        pipeline.get("stages").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).collect();
    let by_ref: HashMap<&str, &Map> = stages.iter().filter_map(|s| Some((text(s, "refId")?, *s))).collect();
    let in_line = by_ref.is_empty();
    let certain = |stage: &Map| !stage.contains_key("stageEnabled") && !asks(stage);
    let mut out = Vec::new();
    for (i, stage) in stages.iter().enumerate() {
        let Some(id) =
            text(stage, "pipeline").filter(|id| text(stage, "type") == Some("pipeline") && !id.contains("${"))
        else {
            continue;
        };
        let before = if in_line { stages[..i].to_vec() } else { all_before(stage, &by_ref) };
        if certain(stage) && before.iter().all(|s| certain(s)) {
            let application = ["pipelineApplication", "application"].iter().find_map(|key| text(stage, key));
            let application = application.or(text(pipeline, "application")).unwrap_or_default();
            out.push((application.to_owned(), id.to_owned()));
        }
    }
    out
}

/// Whether a stage is there to decide whether what follows runs.
fn asks(stage: &Map) -> bool {
    matches!(text(stage, "type"), Some("manualJudgment" | "checkPreconditions"))
}

fn all_before<'a>(stage: &'a Map, by_ref: &HashMap<&str, &'a Map>) -> Vec<&'a Map> {
    let requisites = |stage: &'a Map| {
        let list = stage.get("requisiteStageRefIds").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    };
    let mut seen: HashSet<&str> = HashSet::new();
    let mut next: Vec<&str> = requisites(stage).collect();
    let mut out = Vec::new();
    while let Some(one) = next.pop() {
        if let (true, Some(stage)) = (seen.insert(one), by_ref.get(one)) {
            out.push(*stage);
            next.extend(requisites(stage));
        }
    }
    out
}

fn is_off(pipeline: &Map) -> bool {
    pipeline.get("disabled") == Some(&Value::Bool(true))
}

fn text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}
