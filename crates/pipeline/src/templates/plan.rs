//! From a template and a configuration to a pipeline: variables, what is inherited, stages put in between. Pure.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::reference::id_of;
use crate::Map;
use crate::evaluate::{self, Given};

/// Why a template and a configuration do not make a pipeline.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanFault {
    /// The configuration names no template.
    #[error(
        "$.template.reference: is missing; write spinnaker://ID, spinnaker://ID:TAG or spinnaker://ID@sha256:DIGEST"
    )]
    NoReference,
    /// What it names is no template here.
    #[error(
        "$.template.reference: '{0}' is not of the form spinnaker://ID, spinnaker://ID:TAG or spinnaker://ID@sha256:DIGEST"
    )]
    Reference(String),
    /// It is of the first kind.
    #[error("$.schema: is {0}; only \"v2\" is taken")]
    Schema(String),
    /// Variables without a value.
    #[error("Missing template variable values for the following variables: [{}]", .0.join(", "))]
    Missing(Vec<String>),
    /// Values of another type than declared.
    #[error("{}", .0.join("; "))]
    Types(Vec<String>),
    /// A stage that cannot be put where it wants to be.
    #[error("$.stages[{place}].inject: {what}")]
    Inject {
        /// Which stage of the configuration.
        place: usize,
        /// What is wrong.
        what: String,
    },
}

/// Whether a pipeline's JSON is a configuration of a template.
pub fn is_templated(config: &Map) -> bool {
    config.get("type").and_then(Value::as_str) == Some("templatedPipeline")
}

/// Makes the pipeline.
pub fn plan_with(template: &Map, config: &Map, now: Timestamp) -> Result<Map, PlanFault> {
    match config.get("schema") {
        None | Some(Value::Null) => {}
        Some(Value::String(schema)) if schema == "v2" => {}
        Some(other) => return Err(PlanFault::Schema(other.to_string())),
    }
    let variables = variables(template, config)?;
    let mut pipeline = template.get("pipeline").and_then(Value::as_object).cloned().unwrap_or_default();
    for key in ["updateTs", "lastModifiedBy", "createTs", "id"] {
        pipeline.shift_remove(key);
    }
    pipeline = filled(&Value::Object(pipeline), &variables, now).as_object().cloned().unwrap_or_default();
    own(&mut pipeline, config);
    let exclude = texts(config.get("exclude"));
    for (key, word, by) in [
        ("triggers", "triggers", None),
        ("notifications", "notifications", None),
        ("parameterConfig", "parameters", Some("name")),
        ("expectedArtifacts", "expectedArtifacts", Some("id")),
    ] {
        let mut all = if exclude.iter().any(|e| e == word) { Vec::new() } else { list(pipeline.get(key)) };
        all = merged(all, list(config.get(word)), by);
        if key != word {
            all = merged(all, list(config.get(key)), by);
        }
        pipeline.insert(key.into(), Value::Array(all));
    }
    let stages = with_injected(list(pipeline.get("stages")), &list(config.get("stages")))?;
    pipeline.insert("stages".into(), Value::Array(stages));
    pipeline.insert("templateVariables".into(), Value::Object(variables));
    pipeline.entry("spelEvaluator").or_insert_with(|| json!("v4"));
    pipeline.insert("source".into(), json!({"id": id_of(config), "type": "templatedPipeline", "version": "v2"}));
    Ok(pipeline)
}

/// What of the configuration is the pipeline's own: its names, and how its runs may stand beside each other.
fn own(pipeline: &mut Map, config: &Map) {
    const NOT_PIPELINES: [&str; 13] = [
        "type",
        "schema",
        "template",
        "variables",
        "exclude",
        "stages",
        "triggers",
        "notifications",
        "parameters",
        "parameterConfig",
        "expectedArtifacts",
        "concurrentExecutions",
        "config",
    ];
    let concurrent = config.get("concurrentExecutions").and_then(Value::as_object);
    for key in ["limitConcurrent", "keepWaitingPipelines", "maxConcurrentExecutions"] {
        if let Some(value) = concurrent.and_then(|c| c.get(key)) {
            pipeline.insert(key.into(), value.clone());
        }
    }
    for (key, value) in config {
        // What is blank says nothing: the template's description stays.
        let blank = key == "description" && value.as_str() == Some("");
        if !NOT_PIPELINES.contains(&key.as_str()) && !value.is_null() && !blank {
            pipeline.insert(key.clone(), value.clone());
        }
    }
    if let Some(id) = config.get("pipelineConfigId").filter(|id| id.is_string()) {
        pipeline.entry("id").or_insert_with(|| id.clone());
    }
    pipeline.entry("name").or_insert_with(|| json!("Unnamed Execution"));
}

fn list(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

fn texts(value: Option<&Value>) -> Vec<String> {
    list(value).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The template's entries, then the configuration's; one with the same `by` takes the other's place, an equal one is there once.
fn merged(mut all: Vec<Value>, more: Vec<Value>, by: Option<&str>) -> Vec<Value> {
    for one in more {
        let same = |other: &Value| match by {
            Some(key) => other.get(key).is_some_and(|k| one.get(key) == Some(k)),
            None => *other == one,
        };
        match all.iter().position(same) {
            Some(place) => all[place] = one,
            None => all.push(one),
        }
    }
    all
}

/// The values of the template's variables, each checked against its type.
fn variables(template: &Map, config: &Map) -> Result<Map, PlanFault> {
    let given = config.get("variables").and_then(Value::as_object).cloned().unwrap_or_default();
    let (mut values, mut missing, mut wrong) = (given.clone(), Vec::new(), Vec::new());
    for declared in list(template.get("variables")) {
        let Some(name) = declared.get("name").and_then(Value::as_str) else { continue };
        let nullable = declared.get("nullable") == Some(&Value::Bool(true));
        let value = given.get(name).or_else(|| declared.get("defaultValue"));
        match value {
            Some(Value::Null) | None if nullable => drop(values.insert(name.to_owned(), Value::Null)),
            Some(Value::Null) | None => missing.push(name.to_owned()),
            Some(value) => {
                let kind = declared.get("type").and_then(Value::as_str).unwrap_or("string");
                match fitting(kind, value) {
                    Some(value) => drop(values.insert(name.to_owned(), value)),
                    None => wrong.push(format!("$.variables.{name}: must be of type {kind}, but is {value}")),
                }
            }
        }
    }
    if !missing.is_empty() {
        return Err(PlanFault::Missing(missing));
    }
    if !wrong.is_empty() {
        return Err(PlanFault::Types(wrong));
    }
    Ok(values)
}

/// A value as one of this type; a text of the command line counts when it reads as one, and an expression is left for later.
fn fitting(kind: &str, value: &Value) -> Option<Value> {
    if let Value::String(text) = value {
        if expr::Template::is_in(text) || kind == "string" {
            return Some(value.clone());
        }
        let read: Value = serde_json::from_str(text.trim()).ok()?;
        return if read.is_string() { None } else { fitting(kind, &read) };
    }
    let fits = match kind {
        "int" | "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        "float" | "double" | "number" => value.is_number(),
        "boolean" | "bool" => value.is_boolean(),
        "list" => value.is_array(),
        "object" | "map" => value.is_object(),
        "string" => value.is_number() || value.is_boolean(),
        // A type that nobody knows is no reason to refuse.
        _ => true,
    };
    let text = kind == "string";
    fits.then(|| if text { Value::String(value.to_string()) } else { value.clone() })
}

/// The same structure with `${templateVariables.…}` filled in. What needs more than the variables stays for the run, which knows them, too.
fn filled(value: &Value, variables: &Map, now: Timestamp) -> Value {
    match value {
        Value::String(text) if asks_only_for_variables(text) => {
            let execution = json!({"spelEvaluator": "v4", "templateVariables": variables, "trigger": {},
                "stages": [{"refId": "1", "type": "template", "context": {}, "requisiteStageRefIds": []}]});
            let given = Given { now, ..Given::default() };
            let done = evaluate::process(&execution, Some("1"), value, false, &given);
            if done.failed.is_empty() && done.needs.is_empty() { done.value } else { value.clone() }
        }
        Value::Array(items) => items.iter().map(|item| filled(item, variables, now)).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), filled(value, variables, now))).collect()
        }
        other => other.clone(),
    }
}

/// Whether a text has expressions, and all of them ask for a template's variables and nothing else.
fn asks_only_for_variables(text: &str) -> bool {
    if !text.contains("templateVariables") || !expr::Template::is_in(text) {
        return false;
    }
    let Ok(template) = expr::Template::parse(text) else { return false };
    template.mentions().iter().all(|mention| match &mention.call {
        // A function may look at the execution, which is not there yet.
        Some(_) => false,
        None => mention.path.first().is_some_and(|name| name == "templateVariables"),
    })
}

fn reference(stage: &Value) -> Option<&str> {
    stage.get("refId").or_else(|| stage.get("id")).and_then(Value::as_str)
}

/// The template's stages with the configuration's: one of the same `refId` takes the other's place, one with `inject` is put there.
fn with_injected(mut stages: Vec<Value>, own: &[Value]) -> Result<Vec<Value>, PlanFault> {
    for (place, stage) in own.iter().enumerate() {
        let mut stage = stage.clone();
        let inject = stage.as_object_mut().and_then(|map| map.shift_remove("inject"));
        let id = reference(&stage).map(str::to_owned);
        if let Some(at) = stages.iter().position(|s| id.is_some() && reference(s).map(str::to_owned) == id) {
            stages[at] = stage;
            continue;
        }
        let fault = |what: String| PlanFault::Inject { place, what };
        let Some(inject) = inject.filter(|i| i.as_object().is_some_and(|i| !i.is_empty())) else {
            stages.push(stage);
            continue;
        };
        let id = id.ok_or_else(|| fault("the stage needs a refId, so that others can stand behind it".into()))?;
        put(&mut stages, stage, &id, &inject).map_err(fault)?;
    }
    Ok(stages)
}

fn put(stages: &mut Vec<Value>, mut stage: Value, id: &str, inject: &Value) -> Result<(), String> {
    let is = |key: &str| inject.get(key) == Some(&Value::Bool(true));
    let known: Vec<String> = stages.iter().filter_map(reference).map(str::to_owned).collect();
    let named = |key: &str| -> Result<Vec<String>, String> {
        let names = match inject.get(key) {
            Some(Value::String(one)) => vec![one.clone()],
            other => texts(other),
        };
        match names.iter().find(|name| !known.contains(name)) {
            Some(name) => Err(format!("there is no stage '{name}' in the template")),
            None => Ok(names),
        }
    };
    if is("first") {
        for root in stages.iter_mut().filter(|s| texts(s.get("requisiteStageRefIds")).is_empty()) {
            root["requisiteStageRefIds"] = json!([id]);
        }
        stage["requisiteStageRefIds"] = json!([]);
        stages.insert(0, stage);
    } else if is("last") {
        let required: Vec<String> = stages.iter().flat_map(|s| texts(s.get("requisiteStageRefIds"))).collect();
        let ends: Vec<String> = known.into_iter().filter(|id| !required.contains(id)).collect();
        stage["requisiteStageRefIds"] = json!(ends);
        stages.push(stage);
    } else if inject.get("before").is_some() {
        let targets = named("before")?;
        let mut requires: Vec<String> = Vec::new();
        for target in stages.iter_mut().filter(|s| reference(s).is_some_and(|r| targets.iter().any(|t| t == r))) {
            requires.extend(texts(target.get("requisiteStageRefIds")).into_iter().filter(|r| !targets.contains(r)));
            target["requisiteStageRefIds"] = json!([id]);
        }
        let mut seen = std::collections::HashSet::new();
        requires.retain(|one| seen.insert(one.clone()));
        stage["requisiteStageRefIds"] = json!(requires);
        stages.push(stage);
    } else if inject.get("after").is_some() {
        let targets = named("after")?;
        for behind in stages.iter_mut() {
            let requires = texts(behind.get("requisiteStageRefIds"));
            if requires.iter().any(|r| targets.contains(r)) {
                let mut now: Vec<String> = requires.into_iter().filter(|r| !targets.contains(r)).collect();
                now.push(id.to_owned());
                behind["requisiteStageRefIds"] = json!(now);
            }
        }
        stage["requisiteStageRefIds"] = json!(targets);
        stages.push(stage);
    } else {
        return Err("must say first: true, last: true, before: [refId …] or after: [refId …]".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map {
        value.as_object().cloned().expect("an object")
    }

    fn template() -> Map {
        object(json!({"schema": "v2", "id": "wait", "variables": [
                {"name": "waitTime", "type": "int", "defaultValue": 42}, {"name": "who", "type": "string"}],
            "pipeline": {"description": "from the template", "limitConcurrent": true, "updateTs": "1",
                "triggers": [{"type": "git", "branch": "${templateVariables.who}"}],
                "parameterConfig": [{"name": "a", "default": "1"}, {"name": "b"}],
                "notifications": [{"type": "email"}],
                "stages": [
                    {"refId": "w1", "type": "wait", "waitTime": "${ templateVariables.waitTime }", "requisiteStageRefIds": []},
                    {"refId": "w2", "type": "wait", "requisiteStageRefIds": ["w1"],
                        "comment": "for ${templateVariables.who} of ${trigger.user}"}]}}))
    }

    fn config(more: Value) -> Map {
        let mut config =
            object(json!({"schema": "v2", "type": "templatedPipeline", "application": "shop", "name": "Mine",
            "id": "p1", "template": {"reference": "spinnaker://wait:stable"}, "variables": {"who": "ann"}}));
        config.extend(object(more));
        config
    }

    fn planned(more: Value) -> Value {
        Value::Object(plan_with(&template(), &config(more), Timestamp::UNIX_EPOCH).expect("it comes out"))
    }

    fn fault(more: Value) -> String {
        plan_with(&template(), &config(more), Timestamp::UNIX_EPOCH).expect_err("it is refused").to_string()
    }

    /// The stages as `refId<requisites`.
    fn graph(pipeline: &Value) -> Vec<String> {
        let stages = pipeline["stages"].as_array().expect("stages");
        let one =
            |s: &Value| format!("{}<{}", reference(s).unwrap_or(""), texts(s.get("requisiteStageRefIds")).join(","));
        stages.iter().map(one).collect()
    }

    #[test]
    fn variables_are_filled_in_and_what_needs_the_run_stays() {
        let pipeline = planned(json!({}));
        assert_eq!(pipeline["stages"][0]["waitTime"], 42);
        assert_eq!(pipeline["triggers"][0]["branch"], "ann");
        assert_eq!(pipeline["stages"][1]["comment"], "for ${templateVariables.who} of ${trigger.user}");
        assert_eq!(pipeline["templateVariables"], json!({"who": "ann", "waitTime": 42}));
        assert_eq!(pipeline["source"], json!({"id": "wait", "type": "templatedPipeline", "version": "v2"}));
        assert_eq!(
            (&pipeline["spelEvaluator"], &pipeline["id"], &pipeline["name"]),
            (&json!("v4"), &json!("p1"), &json!("Mine"))
        );
        assert_eq!(
            (&pipeline["type"], &pipeline["template"], &pipeline["updateTs"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
    }

    #[test]
    fn missing_and_wrong_values_are_named_all_at_once() {
        assert_eq!(
            fault(json!({"variables": {}})),
            "Missing template variable values for the following variables: [who]"
        );
        assert_eq!(
            fault(json!({"variables": {"who": {}, "waitTime": "soon"}})),
            "$.variables.waitTime: must be of type int, but is \"soon\"; $.variables.who: must be of type string, but is {}"
        );
        assert_eq!(
            planned(json!({"variables": {"who": 7, "waitTime": "5"}}))["templateVariables"],
            json!({"who": "7", "waitTime": 5})
        );
    }

    #[test]
    fn what_is_not_excluded_is_inherited() {
        let pipeline = planned(json!({"parameters": [{"name": "b", "default": "2"}, {"name": "c"}],
            "triggers": [{"type": "cron"}], "concurrentExecutions": {"limitConcurrent": false}}));
        assert_eq!(
            pipeline["parameterConfig"],
            json!([{"name": "a", "default": "1"}, {"name": "b", "default": "2"}, {"name": "c"}])
        );
        assert_eq!(pipeline["triggers"], json!([{"type": "git", "branch": "ann"}, {"type": "cron"}]));
        assert_eq!(
            (&pipeline["limitConcurrent"], &pipeline["description"]),
            (&json!(false), &json!("from the template"))
        );
        let pipeline =
            planned(json!({"exclude": ["triggers", "parameters", "notifications"], "triggers": [{"type": "cron"}],
            "parameters": [{"name": "c"}], "description": "own"}));
        assert_eq!(pipeline["triggers"], json!([{"type": "cron"}]));
        assert_eq!(pipeline["parameterConfig"], json!([{"name": "c"}]));
        assert_eq!((&pipeline["notifications"], &pipeline["description"]), (&json!([]), &json!("own")));
    }

    #[test]
    fn stages_are_put_where_the_configuration_says() {
        for (inject, expected) in [
            (json!({"first": true}), ["x<", "w1<x", "w2<w1"]),
            (json!({"last": true}), ["w1<", "w2<w1", "x<w2"]),
            (json!({"before": ["w2"]}), ["w1<", "w2<x", "x<w1"]),
            (json!({"after": ["w1"]}), ["w1<", "w2<x", "x<w1"]),
        ] {
            let pipeline = planned(json!({"stages": [{"refId": "x", "type": "wait", "inject": inject}]}));
            assert_eq!(graph(&pipeline), expected, "{inject}");
            assert!(!pipeline.to_string().contains("inject"));
        }
        let replaced = planned(json!({"stages": [{"refId": "w1", "type": "noop", "requisiteStageRefIds": []}]}));
        assert_eq!(
            (graph(&replaced), &replaced["stages"][0]["type"]),
            (vec!["w1<".into(), "w2<w1".into()], &json!("noop"))
        );
        assert_eq!(
            fault(json!({"stages": [{"refId": "x", "type": "wait", "inject": {"after": ["ghost"]}}]})),
            "$.stages[0].inject: there is no stage 'ghost' in the template"
        );
    }

    #[test]
    fn a_first_kind_or_no_template_is_refused_by_name() {
        assert_eq!(fault(json!({"schema": "1"})), "$.schema: is \"1\"; only \"v2\" is taken");
    }
}
