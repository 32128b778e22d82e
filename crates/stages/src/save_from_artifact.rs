//! `savePipelinesFromArtifact`: saves the pipelines that an artifact holds, `{application: [pipeline, …]}`. One that is there already, by its name, is
//! changed and keeps its id.

use std::sync::Arc;

use async_trait::async_trait;
use events::outgoing::Outgoing;
use pipeline::engine::Engine;
use pipeline::pipelines::{self, PipelineError};
use pipeline::{
    Effect, Exception, Map, Plan, PlanError, Stage, StageView, TaskInput, TaskResult, TaskSpec, artifacts, fields,
};
use schemars::Schema;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;

use crate::{artifact_text, jobs};

/// The key of the task.
pub(crate) const SAVE: &str = "savePipelinesFromArtifact";

/// The stage type.
pub struct SavePipelinesFromArtifactStage;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    /// Under which id the artifact was bound.
    pipelines_artifact_id: Option<String>,
    /// The artifact itself.
    pipelines_artifact: Option<Value>,
}

impl Stage for SavePipelinesFromArtifactStage {
    fn kind(&self) -> &'static str {
        SAVE
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written("pipelinesArtifactId/pipelinesArtifact!: text|object"))
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new(SAVE, SAVE)]))
    }
}

/// Reads the artifact and saves what it holds.
pub struct SaveFromArtifact {
    /// Holds the control store.
    pub engine: Engine,
    /// Fetches artifacts.
    pub outgoing: Arc<Outgoing>,
}

#[async_trait]
impl Effect for SaveFromArtifact {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config: Config = match input.config() {
            Ok(config) => config,
            Err(failed) => return failed,
        };
        let Some(view) = input.view() else { return TaskResult::failed("the stage of this job is gone") };
        let who = view.user().to_owned();
        let id = config.pipelines_artifact_id.as_deref();
        let Some(artifact) = artifacts::chosen(&view, id, config.pipelines_artifact.as_ref()) else {
            return TaskResult::failed(
                "this stage needs pipelinesArtifactId or pipelinesArtifact: what holds the pipelines",
            );
        };
        let read = artifact_text::read(&self.outgoing, &artifact).await.and_then(|text| pipelines_of(&text));
        let list = match read {
            Ok(list) => list,
            Err(error) => return TaskResult::failed(error),
        };
        match self.engine.store().write(move |tx| save(tx, &list, &who)).await {
            Err(error) => TaskResult::Failed { error: Exception::new("JobFailed", error.to_string()) },
            Ok(told) if told.get("failed_pipelines_count") != Some(&json!(0)) => {
                let failed = told.get("failed_pipelines").and_then(Value::as_array).into_iter().flatten();
                let mut error = Exception::new("JobFailed", String::new());
                error.errors = failed.map(|one| format!("{}: {}", one["name"], one["errorMsg"])).collect();
                TaskResult::Failed { error }.context("bulksave", told)
            }
            Ok(told) => TaskResult::succeeded().context("bulksave", told),
        }
    }
}

/// The pipelines of all applications of a text, each with its application.
fn pipelines_of(text: &str) -> Result<Vec<Value>, String> {
    let read: Map = serde_json::from_str(text)
        .map_err(|error| format!("the artifact is no JSON object of applications with their pipelines: {error}"))?;
    let mut out = Vec::new();
    for (application, list) in &read {
        let Some(list) = list.as_array() else {
            return Err(format!("the artifact holds no list of pipelines at $.{application}"));
        };
        for (i, pipeline) in list.iter().enumerate() {
            let Some(pipeline) = pipeline.as_object() else {
                return Err(format!("the artifact holds no pipeline at $.{application}[{i}]"));
            };
            let mut pipeline = pipeline.clone();
            pipeline.insert("application".into(), json!(application));
            out.push(Value::Object(pipeline));
        }
    }
    Ok(out)
}

fn save(tx: &mut Tx, list: &[Value], who: &str) -> Result<Map, PipelineError> {
    let mut known = Vec::new();
    for pipeline in list {
        let mut pipeline = pipeline.clone();
        let text = |key: &str| pipeline.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        let there = pipelines::by_name_or_id(tx, &text("application"), &text("name"))?;
        if let Some(id) = there.and_then(|there| there.get("id").cloned()) {
            pipeline["id"] = id;
        }
        known.push(pipeline);
    }
    jobs::save_all(tx, &known, false, who)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_holds_applications_with_their_pipelines() {
        let list =
            pipelines_of(r#"{"shop": [{"name": "a"}], "bank": [{"name": "b"}, {"name": "c"}]}"#).expect("it does");
        let names: Vec<String> = list.iter().map(|p| format!("{}/{}", p["application"], p["name"])).collect();
        assert_eq!(names, ["\"shop\"/\"a\"", "\"bank\"/\"b\"", "\"bank\"/\"c\""]);
        assert_eq!(pipelines_of(r#"{"shop": {}}"#), Err("the artifact holds no list of pipelines at $.shop".into()));
        assert_eq!(pipelines_of(r#"{"shop": [1]}"#), Err("the artifact holds no pipeline at $.shop[0]".into()));
        assert!(pipelines_of("[]").expect_err("no object").contains("no JSON object"));
    }
}
