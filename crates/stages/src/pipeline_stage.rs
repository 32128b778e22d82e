//! `pipeline`: runs another pipeline and, unless told otherwise, waits for its end and takes over its outputs.

mod child;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::engine::{Engine, EngineError};
use pipeline::validate::{About, At, Findings};
use pipeline::{
    Effect, Exception, Execution, Map, Message, Plan, PlanError, Stage, StageView, Status, TaskInput, TaskResult,
    TaskSpec, fields, records,
};
use schemars::Schema;
use serde::Deserialize;
use serde_json::Value;
use store::StoreError;

/// The stage type.
pub struct PipelineStage;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    /// Of which the pipeline is, when it is named; the stage's own when it does not say.
    pipeline_application: Option<String>,
    application: Option<String>,
    /// Its id, or its name.
    pipeline: Option<String>,
    /// What strategies call it.
    pipeline_id: Option<String>,
    pipeline_parameters: Option<Map>,
    /// True when it does not say.
    wait_for_completion: Option<bool>,
    /// Leaves the outputs of the child where they are.
    skip_downstream_output: bool,
    skippable: bool,
    /// Refuses to start what runs already, with the same parameters.
    check_duplicated: bool,
    execution_id: Option<String>,
    #[serde(rename = "_skipPipelineRestart")]
    keep_child: bool,
}

/// The key of the task that waits for the child.
const MONITOR: &str = "monitorPipeline";

const PATIENCE: SignedDuration = SignedDuration::from_hours(12);

const FIELDS: &str = "
    pipeline/pipelineId!: text, application: text, pipelineApplication: text, pipelineParameters: object, waitForCompletion: flag,
    skipDownstreamOutput: flag, skippable: flag, checkDuplicated: flag, pipelineArtifacts: [object]";

impl Stage for PipelineStage {
    fn kind(&self) -> &'static str {
        "pipeline"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written(FIELDS))
    }
    fn check(&self, config: &Map, about: &About, at: &At, findings: &mut Findings) {
        let text = |map: &Map, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let key = if config.contains_key("pipeline") { "pipeline" } else { "pipelineId" };
        let Some(id) = text(config, key).filter(|id| !id.is_empty()) else { return };
        if text(about.pipeline, "id").as_deref() == Some(&id) {
            let message = "the pipeline runs itself: it would never end";
            return findings.error(&at.key(key), message, "name another pipeline, or start this one by a trigger");
        }
        let application = text(config, "pipelineApplication").or_else(|| text(config, "application"));
        let application = application.or_else(|| text(about.pipeline, "application")).unwrap_or_default();
        let is = |pipeline: &Map, key: &str, value: &str| {
            text(pipeline, key).is_some_and(|own| own.trim().eq_ignore_ascii_case(value.trim()))
        };
        let named = |p: &Map| is(p, "name", &id) && is(p, "application", &application);
        if !about.saved.is_some_and(|saved| saved.pipelines.iter().any(named)) {
            about.pipeline_exists(&id, &at.key(key), findings);
        }
        if let Some(application) = text(config, "application") {
            about.application_exists(&application, &at.key("application"), findings);
        }
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let config: Config = stage.config()?;
        let mut tasks = vec![TaskSpec::new("startPipeline", "startPipeline")];
        if config.wait_for_completion != Some(false) {
            tasks.push(TaskSpec::new("monitorPipeline", MONITOR).timeout(PATIENCE));
        }
        Ok(Plan::tasks(tasks))
    }
    fn can_manually_skip(&self, stage: &StageView) -> bool {
        stage.config::<Config>().is_ok_and(|c| c.skippable)
    }
    fn makes_artifacts(&self) -> bool {
        true
    }
    fn on_cancel(&self, _: &StageView) -> Option<TaskSpec> {
        Some(TaskSpec::new("cancelPipeline", "startPipeline"))
    }
    fn prepare_restart(&self, context: &mut Map) {
        context.shift_remove("status");
        if context.get("_skipPipelineRestart").is_none_or(|v| *v != Value::Bool(true)) {
            context.shift_remove("executionId");
            context.shift_remove("executionName");
        }
    }
}

/// Starts the child; its `cancel` ends it.
pub struct StartPipeline(pub Engine);

#[async_trait]
impl Effect for StartPipeline {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config: Config = match input.config() {
            Ok(config) => config,
            Err(failed) => return failed,
        };
        if let (true, Some(child)) = (config.keep_child, &config.execution_id) {
            return TaskResult::succeeded()
                .context("executionId", child.clone())
                .context("_skipPipelineRestart", false);
        }
        let Some(wanted) = config.pipeline.clone().or(config.pipeline_id.clone()) else {
            return TaskResult::failed("this stage needs pipeline: the id of the pipeline that it runs");
        };
        let takes_over = !config.skip_downstream_output;
        match self.start(&input, wanted, config).await {
            Ok((execution, name, run)) => {
                let started = TaskResult::succeeded().context("executionId", execution).context("executionName", name);
                // A child that needs nothing from outside has ended by now: nobody has to come and look.
                match run.filter(|run| run.status.is_complete()) {
                    Some(run) => started.then(MONITOR, taken_over(&run, takes_over, input.now)),
                    None => started,
                }
            }
            Err(error) => TaskResult::Failed { error: Exception::new("StartPipeline", error.to_string()) },
        }
    }

    async fn cancel(&self, input: TaskInput) {
        let Some(Value::String(child)) = input.view().and_then(|v| v.context().get("executionId")).cloned() else {
            return;
        };
        let id = child.clone();
        let known = self.0.store().read(move |tx| records::get(tx, &id)).await;
        if matches!(known, Ok(Some(run)) if run.canceled) {
            // Somebody else ended it, and what they said stays.
            return;
        }
        let message = Message::CancelExecution { user: "parent pipeline".into(), reason: None };
        if let Err(error) = self.0.tell(&child, message).await {
            tracing::warn!(%error, child, "cannot cancel a child pipeline");
        }
    }
}

/// Why a child is not started.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("execution {0} runs the same pipeline with the same parameters, and checkDuplicated is set")]
    Duplicated(String),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> StartError {
        StartError::Engine(error.into())
    }
}

impl StartPipeline {
    /// Its id, its name, and the child as it was written.
    async fn start(
        &self,
        input: &TaskInput,
        wanted: String,
        config: Config,
    ) -> Result<(String, String, Option<Execution>), StartError> {
        let engine = self.0.clone();
        let (run, stage) = (input.execution.clone(), input.stage_id.clone());
        let key = format!("task:{}", input.key);
        let work = move |tx: &mut store::Tx<'_>| {
            let application = config.pipeline_application.as_ref().or(config.application.as_ref());
            let child = child::find(tx, application.unwrap_or(&run.application), &wanted)?
                .ok_or_else(|| EngineError::UnknownPipeline(wanted.clone()))?;
            let name = child.get("name").and_then(Value::as_str).unwrap_or("").to_owned();
            let parameters = config.pipeline_parameters.clone().unwrap_or_default();
            if config.check_duplicated
                && let Some(twin) = child::twin(tx, &child, &parameters, &key)?
            {
                return Err(StartError::Duplicated(twin));
            }
            let request = child::request(&run, &stage, child, &parameters, key.clone());
            let id = engine.begin_in(tx, &request)?;
            let run = records::get(tx, &id)?;
            Ok((id, name, run))
        };
        self.0.store().write(work).await
    }
}

/// Waits for the child's end.
pub struct MonitorPipeline(pub Engine);

#[async_trait]
impl Effect for MonitorPipeline {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let Some(Value::String(id)) = input.view().and_then(|v| v.context().get("executionId")).cloned() else {
            return TaskResult::failed("no pipeline was started, so there is none to wait for");
        };
        let wanted = id.clone();
        let takes_over = !input.config::<Config>().is_ok_and(|config| config.skip_downstream_output);
        match self.0.store().read(move |tx| records::get(tx, &wanted)).await {
            Ok(Some(run)) => taken_over(&run, takes_over, input.now),
            Ok(None) => TaskResult::failed(format!("execution {id} is gone")),
            Err(error) => TaskResult::again(later(input.now), format!("the store did not answer: {error}")),
        }
    }
}

/// It is woken when the child ends; this is for what nobody foresaw.
fn later(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX)
}

/// What a child comes to, with its outputs when it has ended.
fn taken_over(run: &Execution, takes_over: bool, now: Timestamp) -> TaskResult {
    let result = seen(run, now);
    if !takes_over || !run.status.is_complete() {
        return result;
    }
    records::outputs(run).into_iter().fold(result, |result, (key, value)| result.output(&key, value))
}

fn seen(run: &Execution, now: Timestamp) -> TaskResult {
    let name = run.name.clone().unwrap_or_default();
    let (result, word) = match run.status {
        Status::Succeeded => (TaskResult::succeeded(), None),
        Status::Canceled => (TaskResult::done(Status::Canceled), Some("was cancelled")),
        status if status.is_complete() => (TaskResult::done(Status::Terminal), Some("failed")),
        status => {
            let reason = format!("the pipeline '{name}' ({}) is {status}", run.id);
            return TaskResult::again(later(now), reason)
                .wake_on(format!("execution:{}", run.id))
                .context("status", status.as_str());
        }
    };
    let result = result.context("status", run.status.as_str());
    let Some(word) = word else { return result };
    let mut errors = vec![format!("the pipeline '{name}' ({}) {word}", run.id)];
    errors.extend(run.cancellation_reason.clone());
    for stage in &run.stages {
        errors.extend(stage.errors().map(|text| format!("its stage '{}': {text}", stage.name)));
    }
    let mut exception = Exception::new("ChildPipeline", String::new());
    exception.errors = errors;
    result.context("exception", exception.to_json("monitorPipeline", now))
}
