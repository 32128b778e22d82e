//! `findArtifactFromExecution`: looks for artifacts in the latest execution of another pipeline.

use async_trait::async_trait;
use pipeline::engine::Engine;
use pipeline::records::{self, Query};
use pipeline::{
    Effect, Exception, Execution, Plan, PlanError, Stage, StageView, Status, TaskInput, TaskResult, TaskSpec,
    artifacts, fields, pipelines,
};
use schemars::Schema;
use serde::Deserialize;
use serde_json::{Value, json};
use store::StoreError;

/// The key of the task.
pub(crate) const FIND: &str = "findArtifactFromExecution";

/// The stage type.
pub struct FindArtifactStage;

#[derive(Deserialize, Default, Clone)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    /// Of which the pipeline is; the stage's own when it does not say.
    application: Option<String>,
    /// The pipeline's id or name.
    pipeline: String,
    execution_options: Options,
    expected_artifacts: Vec<Value>,
    /// How older pipelines name the only one.
    expected_artifact: Option<Value>,
}

/// Which executions count; a successful one when it does not say.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Options {
    successful: bool,
    /// Another name for the same.
    succeeded: bool,
    terminal: bool,
    running: bool,
}

impl Options {
    fn statuses(&self) -> Vec<Status> {
        let all = [
            (self.successful || self.succeeded, Status::Succeeded),
            (self.terminal, Status::Terminal),
            (self.running, Status::Running),
        ];
        let wanted: Vec<Status> = all.into_iter().filter(|(on, _)| *on).map(|(_, status)| status).collect();
        if wanted.is_empty() { vec![Status::Succeeded] } else { wanted }
    }
}

impl Stage for FindArtifactStage {
    fn kind(&self) -> &'static str {
        FIND
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written(
            "application: text, pipeline!: text, executionOptions: {succeeded: flag, successful: flag, terminal: flag, running: flag}, expectedArtifact: object",
        ))
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let config: Config = stage.config()?;
        if config.pipeline.is_empty() {
            return Err(PlanError::Refused("this stage needs pipeline: whose artifacts it looks for".into()));
        }
        Ok(Plan::tasks([TaskSpec::new(FIND, FIND)]))
    }
}

/// Looks for them.
pub struct FindArtifact(pub Engine);

#[async_trait]
impl Effect for FindArtifact {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config: Config = match input.config() {
            Ok(config) => config,
            Err(failed) => return failed,
        };
        let mut expected = config.expected_artifacts.clone();
        expected.extend(config.expected_artifact.clone());
        let (own, application) = (input.execution.id.clone(), input.execution.application.clone());
        let statuses = config.execution_options.statuses();
        let words: Vec<&str> = statuses.iter().map(|s| s.as_str()).collect();
        let which = format!("no execution of the pipeline '{}' is {}", config.pipeline, words.join(" or "));
        let found = self.0.store().read(move |tx| latest(tx, &config, &application, &own, statuses.clone())).await;
        let failed = |kind: &str, text: String| TaskResult::Failed { error: Exception::new(kind, text) };
        let run = match found {
            Ok(Some(run)) => run,
            Ok(None) => return failed("NoExecution", which),
            Err(error) => return failed("Store", format!("the store did not answer: {error}")),
        };
        match artifacts::bind(&expected, &artifacts::of_execution(&run)) {
            Ok(bound) => TaskResult::succeeded()
                .context("foundInExecution", run.id.clone())
                .output("artifacts", json!(bound.artifacts))
                .output("resolvedExpectedArtifacts", json!(bound.resolved)),
            Err(error) => failed("UnmatchedArtifact", format!("{error} (execution {})", run.id)),
        }
    }
}

/// The latest execution that counts, other than the one that asks.
fn latest(
    tx: &mut store::Tx<'_>,
    config: &Config,
    application: &str,
    own: &str,
    statuses: Vec<Status>,
) -> Result<Option<Execution>, StoreError> {
    let application = config.application.as_deref().unwrap_or(application);
    let named = match pipelines::by_id(tx, &config.pipeline)? {
        Some(found) => Some(found),
        None => pipelines::by_name_or_id(tx, application, &config.pipeline)?,
    };
    // A pipeline that was deleted may have run.
    let id = named.and_then(|p| p.get("id").and_then(Value::as_str).map(str::to_owned));
    let pipeline = Some(id.unwrap_or_else(|| config.pipeline.clone()));
    let query = Query { pipeline, statuses, limit: 2, ..Query::default() };
    for id in records::find(tx, &query)? {
        if id != own {
            return records::get(tx, &id);
        }
    }
    Ok(None)
}
