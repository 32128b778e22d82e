//! `pipeline`: runs another pipeline and, unless told otherwise, waits for its end and takes over its outputs.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::engine::{self, Engine, EngineError, StartRequest};
use pipeline::model::Kind;
use pipeline::{
    Effect, Exception, Execution, Map, Message, Plan, PlanError, Stage, StageView, Status, TaskInput, TaskResult,
    TaskSpec, fields, pipelines, records,
};
use schemars::Schema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The stage type.
pub struct PipelineStage;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    pipeline: Option<String>,
    #[serde(default)]
    pipeline_id: Option<String>,
    #[serde(default)]
    pipeline_parameters: Option<Map>,
    #[serde(default = "yes")]
    wait_for_completion: bool,
    #[serde(default)]
    skippable: bool,
    #[serde(default)]
    execution_id: Option<String>,
    #[serde(default, rename = "_skipPipelineRestart")]
    keep_child: bool,
}

fn yes() -> bool {
    true
}

const PATIENCE: SignedDuration = SignedDuration::from_hours(12);

const FIELDS: &str = "
    pipeline/pipelineId!: text, application: text, pipelineApplication: text, pipelineParameters: object, waitForCompletion: flag,
    skipDownstreamOutput: flag, skippable: flag, pipelineArtifacts: [object]";

impl Stage for PipelineStage {
    fn kind(&self) -> &'static str {
        "pipeline"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written(FIELDS))
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let config: Config = stage.config()?;
        let mut tasks = vec![TaskSpec::new("startPipeline", "startPipeline")];
        if config.wait_for_completion {
            tasks.push(TaskSpec::new("monitorPipeline", "monitorPipeline").timeout(PATIENCE));
        }
        Ok(Plan::tasks(tasks))
    }
    fn can_manually_skip(&self, stage: &StageView) -> bool {
        stage.config::<Config>().is_ok_and(|c| c.skippable)
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
        if let (true, Some(child)) = (config.keep_child, config.execution_id) {
            return TaskResult::succeeded().context("executionId", child).context("_skipPipelineRestart", false);
        }
        let Some(id) = config.pipeline.or(config.pipeline_id) else {
            return TaskResult::failed("this stage needs pipeline: the id of the pipeline that it runs");
        };
        match self.start(&input, id, config.pipeline_parameters.unwrap_or_default()).await {
            Ok((execution, name)) => {
                TaskResult::succeeded().context("executionId", execution).context("executionName", name)
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

impl StartPipeline {
    async fn start(&self, input: &TaskInput, id: String, parameters: Map) -> Result<(String, String), EngineError> {
        let engine = self.0.clone();
        let run = input.execution.clone();
        let (stage, key) = (input.stage_id.clone(), format!("task:{}", input.key));
        let work = move |tx: &mut store::Tx<'_>| {
            let Some(config) = pipelines::by_id(tx, &id)? else {
                return Err(EngineError::UnknownPipeline(id.clone()));
            };
            let name = config.get("name").and_then(Value::as_str).unwrap_or("").to_owned();
            let trigger = trigger(&run, &stage, &parameters);
            let request = StartRequest { config, trigger, kind: Kind::Pipeline, key: Some(key.clone()) };
            Ok((engine.begin_in(tx, &request)?, name))
        };
        self.0.store().write(work).await
    }
}

fn trigger(run: &Execution, stage: &str, parameters: &Map) -> Map {
    let mut trigger = engine::parent(run);
    trigger.insert("type".into(), json!("pipeline"));
    trigger.insert("user".into(), json!(run.trigger.user()));
    trigger.insert("parentPipelineStageId".into(), json!(stage));
    trigger.insert("parameters".into(), json!(parameters));
    trigger
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
        match self.0.store().read(move |tx| records::get(tx, &wanted)).await {
            Ok(Some(run)) => seen(&run, input.now),
            Ok(None) => TaskResult::failed(format!("execution {id} is gone")),
            Err(error) => TaskResult::again(later(input.now), format!("the store did not answer: {error}")),
        }
    }
}

/// It is woken when the child ends; this is for what nobody foresaw.
fn later(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX)
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
    let mut result = result.context("status", run.status.as_str());
    for (key, value) in records::outputs(run) {
        result = result.output(&key, value);
    }
    let Some(word) = word else { return result };
    let mut errors = vec![format!("the pipeline '{name}' ({}) {word}", run.id)];
    errors.extend(run.cancellation_reason.clone());
    for stage in &run.stages {
        let found = stage.context.get("exception").and_then(|e| e.pointer("/details/errors")).and_then(Value::as_array);
        let texts = found.into_iter().flatten().filter_map(Value::as_str);
        errors.extend(texts.map(|text| format!("its stage '{}': {text}", stage.name)));
    }
    let mut exception = Exception::new("ChildPipeline", String::new());
    exception.errors = errors;
    result.context("exception", exception.to_json("monitorPipeline", now))
}
