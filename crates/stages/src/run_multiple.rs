//! `runMultiplePipelines`: runs the pipelines that a piece of YAML names, those first that depend on no other. Each becomes a `pipeline` stage inside
//! this one, so waiting, cancelling and restarting are that stage's.
//!
//! ```yaml
//! bundle_web:
//!   shop:
//!     child_pipeline: deploy shop        # a name, or an id
//!     arguments: {tag: "1.2"}
//!   cache:
//!     child_pipeline: deploy cache
//!     depends_on: [shop]
//! ```

use expr::{Budget, Reader, read_yaml, to_json};
use jiff::Timestamp;
use pipeline::{Follows, Map, Plan, PlanError, Stage, StageSpec, StageView, TaskInput, TaskResult, TaskSpec, fields};
use schemars::Schema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The key of the task.
pub(crate) const REPORT: &str = "reportPipelines";
/// How many pipelines one stage may run.
const MOST: usize = 500;
/// Steps and characters for reading the YAML.
const STEPS: u64 = 1_000_000;
const OUTPUT: u64 = 1 << 20;

/// The stage type.
pub struct RunMultiplePipelinesStage;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    application: Option<String>,
    /// A text in YAML, or what it says.
    yaml_config: Value,
    /// Refuses a pipeline that runs already with the same arguments.
    check_duplicated: bool,
    /// A pipeline that fails does not fail this stage.
    ignore_uncompleted: bool,
}

/// One pipeline to run.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    name: String,
    pipeline: String,
    arguments: Map,
    depends_on: Vec<String>,
}

impl Stage for RunMultiplePipelinesStage {
    fn kind(&self) -> &'static str {
        "runMultiplePipelines"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written("yamlConfig!: any, checkDuplicated: flag, ignoreUncompleted: flag, application: text"))
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let config: Config = stage.config()?;
        let entries = ordered(entries(&config.yaml_config).map_err(PlanError::Refused)?).map_err(PlanError::Refused)?;
        let mut plan = Plan::tasks([TaskSpec::new("runMultiplePipelines", REPORT)]);
        // One that fails ends this stage; when failures are no matter, the others go on.
        plan.context.insert("allowSiblingStagesToContinueOnFailure".into(), json!(config.ignore_uncompleted));
        for entry in &entries {
            let before = |name: &String| entries.iter().position(|e| &e.name == name);
            let places: Vec<usize> = entry.depends_on.iter().filter_map(before).collect();
            let mut spec = StageSpec::new("pipeline", format!("Run {}", entry.name))
                .with("pipeline", entry.pipeline.clone())
                .with("pipelineParameters", entry.arguments.clone())
                .with("checkDuplicated", config.check_duplicated)
                .with("waitForCompletion", true);
            if let Some(application) = &config.application {
                spec = spec.with("application", application.clone());
            }
            if config.ignore_uncompleted {
                spec = spec.with("failPipeline", false).with("continuePipeline", true);
            }
            spec.follows = if places.is_empty() { Follows::Nothing } else { Follows::These(places) };
            plan.before.push(spec);
        }
        Ok(plan)
    }
}

/// Reads the pipelines of all bundles, in the order of the text.
fn entries(config: &Value) -> Result<Vec<Entry>, String> {
    let read = match config {
        Value::String(text) => {
            let cost = Budget::new(STEPS, OUTPUT);
            let documents = read_yaml(text, &cost).map_err(|error| format!("yamlConfig: {error}"))?;
            let json = documents.iter().map(|d| to_json(d, Reader::Result, &cost));
            Value::Array(json.collect::<Result<_, _>>().map_err(|error| format!("yamlConfig: {error}"))?)
        }
        other => other.clone(),
    };
    let documents = match read {
        Value::Array(list) => list,
        other => vec![other],
    };
    let mut out: Vec<Entry> = Vec::new();
    for (bundle, members) in documents.iter().filter_map(Value::as_object).flatten() {
        let Some(members) = members.as_object() else { continue };
        for (name, member) in members {
            let Some(member) = member.as_object() else { continue };
            let Some(pipeline) = member.get("child_pipeline").and_then(Value::as_str) else {
                return Err(format!("yamlConfig: {bundle}.{name} needs child_pipeline: the pipeline that it runs"));
            };
            let depends_on = member.get("depends_on").and_then(Value::as_array);
            out.push(Entry {
                name: name.clone(),
                pipeline: pipeline.to_owned(),
                arguments: member.get("arguments").and_then(Value::as_object).cloned().unwrap_or_default(),
                depends_on: depends_on.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
            });
        }
    }
    match out.len() {
        0 => Err("yamlConfig names no pipeline: give a bundle with entries that have child_pipeline".into()),
        n if n > MOST => Err(format!("yamlConfig names {n} pipelines; {MOST} are the most")),
        _ => Ok(out),
    }
}

/// Each behind those that it depends on.
fn ordered(mut entries: Vec<Entry>) -> Result<Vec<Entry>, String> {
    for entry in &entries {
        if let Some(ghost) = entry.depends_on.iter().find(|name| !entries.iter().any(|e| &e.name == *name)) {
            return Err(format!("yamlConfig: {} depends on '{ghost}', which is not there", entry.name));
        }
    }
    let mut out: Vec<Entry> = Vec::new();
    while !entries.is_empty() {
        let ready = |entry: &Entry| entry.depends_on.iter().all(|name| out.iter().any(|done| &done.name == name));
        let Some(at) = entries.iter().position(ready) else {
            return Err(format!("yamlConfig: {} depends on itself in a circle", entries[0].name));
        };
        let next = entries.remove(at);
        out.push(next);
    }
    Ok(out)
}

/// Gathers what the pipelines came to.
pub(crate) fn run(input: &TaskInput, _: Timestamp) -> TaskResult {
    let Some(view) = input.view() else { return TaskResult::failed("the stage of these pipelines is gone") };
    let told: Map = view
        .children()
        .into_iter()
        .map(|child| {
            let key = |key: &str| child.context.get(key).cloned().unwrap_or(Value::Null);
            let name = child.name.strip_prefix("Run ").unwrap_or(&child.name).to_owned();
            (name, json!({"pipeline": key("pipeline"), "executionId": key("executionId"), "status": child.status}))
        })
        .collect();
    TaskResult::succeeded().output("executions", told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(config: Value) -> Result<Vec<String>, String> {
        Ok(ordered(entries(&config)?)?.into_iter().map(|e| e.name).collect())
    }

    #[test]
    fn pipelines_run_behind_those_that_they_depend_on() {
        let text = "bundle_web:\n  rollback_onfailure: true\n  b:\n    child_pipeline: B\n    depends_on: [c, a]\n  a:\n    child_pipeline: A\n    arguments: {tag: 1}\n  c: {child_pipeline: C, depends_on: [a]}\n";
        assert_eq!(names(json!(text)), Ok(vec!["a".into(), "c".into(), "b".into()]));
        let read = entries(&json!(text)).expect("it can be read");
        assert_eq!(read[1].arguments.get("tag"), Some(&json!(1)));
        assert_eq!(names(json!([{"one": {"x": {"child_pipeline": "X"}}}])), Ok(vec!["x".into()]));
    }

    #[test]
    fn what_cannot_run_is_named() {
        let error = |config: Value| names(config).expect_err("it is refused");
        assert_eq!(error(json!({"b": {"x": {}}})), "yamlConfig: b.x needs child_pipeline: the pipeline that it runs");
        let ghost = json!({"b": {"x": {"child_pipeline": "X", "depends_on": ["y"]}}});
        assert_eq!(error(ghost), "yamlConfig: x depends on 'y', which is not there");
        let circle = json!({"b": {
            "x": {"child_pipeline": "X", "depends_on": ["y"]}, "y": {"child_pipeline": "Y", "depends_on": ["x"]}
        }});
        assert_eq!(error(circle), "yamlConfig: x depends on itself in a circle");
        assert!(error(json!("a: [")).starts_with("yamlConfig: the text is no YAML"));
        assert!(error(Value::Null).contains("names no pipeline"));
    }

    #[test]
    fn a_bomb_of_anchors_is_refused() {
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, of) in "bcdefghij".chars().zip("abcdefghi".chars()) {
            bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(", "));
        }
        let refused = names(json!(bomb)).expect_err("it is refused");
        assert!(refused.starts_with("yamlConfig"), "{refused}");
    }
}
