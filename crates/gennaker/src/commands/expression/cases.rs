//! Files of recorded cases: `{"contexts": {NAME: {execution, front50}}, "cases": [{id, mode, context, stage, input, …}]}`.

use pipeline::evaluate::{self, Evaluated, Given};
use serde_json::{Value, json};

/// One line of JSON a case: `{"id", "result", "failed"}`.
pub fn evaluate(file: &Value, given: &Given) -> Vec<Value> {
    let contexts = file.get("contexts").unwrap_or(&Value::Null);
    let cases = file.get("cases").and_then(Value::as_array);
    cases.into_iter().flatten().map(|case| one(case, contexts, given)).collect()
}

fn one(case: &Value, contexts: &Value, given: &Given) -> Value {
    let text = |name: &str| case.get(name).and_then(Value::as_str);
    let context = contexts.get(text("context").unwrap_or_default()).unwrap_or(&Value::Null);
    let front50 = |name: &str| {
        context.pointer(&format!("/front50/{name}")).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let given =
        Given { pipelines: Some(front50("pipelines")), applications: Some(front50("applications")), ..given.clone() };
    let mut execution = context.get("execution").cloned().unwrap_or_else(|| json!({}));
    let version = case.get("spelVersion").filter(|version| !version.is_null());
    if let Some(version) = version {
        execution["spelEvaluator"] = version.clone();
    }
    let input = case.get("input").unwrap_or(&Value::Null);
    let stage = |kind: &str, context: &Value| add_stage(&execution, kind, context, case.get("after"));
    let (result, failed) = match text("mode").unwrap_or("process") {
        "pipeline" => {
            let mut config = input.clone();
            if let (Some(version), Some(members)) = (version, config.as_object_mut()) {
                members.insert("spelEvaluator".to_owned(), version.clone());
            }
            let mut done = evaluate::pipeline(&config, &given);
            // What is noted for later evaluations is ours alone.
            for stage in done.value.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(stage) = stage.as_object_mut() {
                    stage.shift_remove(evaluate::INERT);
                }
            }
            (done.value.clone(), names(&[&done]))
        }
        "evaluateVariables" => {
            let done = evaluate::variables(&stage("evaluateVariables", input), NEW, input, &given);
            let variables = done.evaluated.value.get("variables").cloned().unwrap_or(Value::Null);
            (json!({"variables": variables, "outputs": done.outputs}), names(&[&done.evaluated]))
        }
        "precondition" => {
            let execution = stage("checkPreconditions", input);
            let context = evaluate::stage_context(&execution, NEW, input, &given);
            let asked = evaluate::precondition(&execution, NEW, &context.value, &given);
            let status = if asked.holds { "SUCCEEDED" } else { "TERMINAL" };
            (json!({"status": status, "expressionResult": asked.result}), names(&[&context, &asked.evaluated]))
        }
        "stageEnabled" => {
            let own = json!({"stageEnabled": input});
            let execution = stage("wait", &own);
            let context = evaluate::stage_context(&execution, NEW, &own, &given);
            let asked = evaluate::stage_enabled(&execution, NEW, &context.value["stageEnabled"], &given);
            (json!({"skipped": !asked.holds}), Vec::new())
        }
        _ => {
            let lenient = case.get("allowUnknownKeys").and_then(Value::as_bool).unwrap_or(true);
            let input = if input.is_null() { own_context(&execution, text("stage")) } else { input.clone() };
            let done = evaluate::process(&execution, text("stage"), &input, lenient, &given);
            (done.value.clone(), names(&[&done]))
        }
    };
    json!({"id": case.get("id"), "result": result, "failed": failed})
}

/// The refId of a stage that a case adds.
const NEW: &str = "under-test";

fn add_stage(execution: &Value, kind: &str, context: &Value, after: Option<&Value>) -> Value {
    let mut execution = execution.clone();
    let stage = json!({
        "id": "stage-under-test", "refId": NEW, "type": kind, "name": "Under test", "status": "RUNNING",
        "requisiteStageRefIds": after.cloned().unwrap_or_else(|| json!([])), "context": context, "outputs": {}, "tasks": [],
    });
    if let Some(stages) = execution.get_mut("stages").and_then(Value::as_array_mut) {
        stages.push(stage);
    }
    execution
}

fn own_context(execution: &Value, reference: Option<&str>) -> Value {
    let stages = execution.get("stages").and_then(Value::as_array);
    let is_meant = |stage: &&Value| stage.get("refId").and_then(Value::as_str) == reference;
    stages.into_iter().flatten().find(is_meant).and_then(|stage| stage.get("context")).cloned().unwrap_or(Value::Null)
}

/// The expressions that failed or were null, each once.
fn names(all: &[&Evaluated]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for failed in all.iter().flat_map(|done| &done.failed) {
        if !names.contains(&failed.expression) {
            names.push(failed.expression.clone());
        }
    }
    names
}
