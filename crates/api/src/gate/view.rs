//! Executions as clients read them, and the questions that they ask in queries.

use pipeline::{Execution, Status};
use serde_json::{Value, json};

use crate::Problem;

/// An execution's JSON. Not expanded, its stages keep their shape but not their data: lists stay small. What Deck breaks without is always there.
pub fn execution(run: &Execution, expand: bool) -> Value {
    let mut value = serde_json::to_value(run).unwrap_or(Value::Null);
    for key in ["resolvedExpectedArtifacts", "artifacts"] {
        if let Some(trigger) = value["trigger"].as_object_mut() {
            trigger.entry(key).or_insert_with(|| json!([]));
        }
    }
    if expand {
        return value;
    }
    for stage in value["stages"].as_array_mut().into_iter().flatten() {
        let group = stage["context"].get("group").cloned();
        stage["context"] = group.map_or_else(|| json!({}), |group| json!({ "group": group }));
        stage["outputs"] = json!({});
        stage["tasks"] = json!([]);
    }
    if let Some(parent) = value["trigger"].get_mut("parentExecution").and_then(Value::as_object_mut) {
        parent.insert("stages".into(), json!([]));
    }
    value
}

/// The view of a list of jobs, as `GET /tasks/{id}` answers it: its variables are all stages' contexts, later values over earlier ones.
pub fn task(run: &Execution) -> Value {
    let mut variables = serde_json::Map::new();
    let mut steps = Vec::new();
    for stage in &run.stages {
        for (key, value) in &stage.context {
            if !value.is_null() || !variables.contains_key(key) {
                variables.insert(key.clone(), value.clone());
            }
        }
        steps.extend(stage.tasks.iter().map(|task| serde_json::to_value(task).unwrap_or(Value::Null)));
    }
    let variables: Vec<_> = variables.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({
        "id": run.id,
        "name": run.description,
        "application": run.application,
        "status": run.status,
        "variables": variables,
        "steps": steps,
        "buildTime": run.build_time,
        "startTime": run.start_time,
        "endTime": run.end_time,
        "execution": execution(run, true),
    })
}

/// `statuses=RUNNING,PAUSED`; empty or absent means all.
pub fn statuses(text: Option<&str>) -> Result<Vec<Status>, Problem> {
    let names = text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| Status::parse(name).ok_or_else(|| Problem::bad_request(format!("there is no status \"{name}\""))))
        .collect()
}
