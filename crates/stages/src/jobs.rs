//! The jobs of `POST /tasks` that change what is saved: applications, pipelines, projects. Each is a stage with one task.

use async_trait::async_trait;
use base64::Engine as _;
use pipeline::applications::{self, ApplicationError, Save};
use pipeline::engine::Engine;
use pipeline::pipelines::{self, PipelineError};
use pipeline::{
    Effect, Exception, Map, Plan, PlanError, Stage, StageView, TaskInput, TaskResult, TaskSpec, fields, projects,
};
use schemars::Schema;
use serde_json::{Value, json};
use store::{StoreError, Tx};

/// A job type: a stage with one task of the same name.
pub struct Job(&'static str);

impl Stage for Job {
    fn kind(&self) -> &'static str {
        self.0
    }
    fn schema(&self) -> Option<Schema> {
        let notation = match self.0 {
            "createApplication" | "updateApplication" | "upsertApplication" | "deleteApplication" => {
                "application!: object"
            }
            "savePipeline" | "updatePipeline" | "saveStrategy" => {
                "pipeline/pipelines!: text|object|list, pipelineId: text, staleCheck: flag, isBulkSavingPipelines: flag, application: text"
            }
            "deletePipeline" => "pipeline!: text|object, application: text",
            "reorderPipelines" => "idsToIndices!: object, application: text",
            "upsertProject" | "deleteProject" => "project!: object, user: text",
            _ => return None,
        };
        Some(fields::written(notation))
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new(self.0, self.0)]))
    }
    /// What is saved is saved as written: its `${…}` are for its own runs.
    fn evaluate(
        &self,
        _: &Value,
        _: &str,
        context: &Value,
        given: &pipeline::evaluate::Given,
    ) -> pipeline::evaluate::Evaluated {
        pipeline::evaluate::Evaluated { value: context.clone(), failed: Vec::new(), needs: Vec::new(), now: given.now }
    }
}

/// All of them.
pub static ALL: [Job; 11] = [
    Job("createApplication"),
    Job("updateApplication"),
    Job("upsertApplication"),
    Job("deleteApplication"),
    Job("savePipeline"),
    Job("updatePipeline"),
    Job("deletePipeline"),
    Job("reorderPipelines"),
    Job("upsertProject"),
    Job("deleteProject"),
    Job("saveStrategy"),
];

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Application(#[from] ApplicationError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error("this job needs {0}")]
    Missing(&'static str),
}

/// Does the job that its stage's type names.
pub struct DoJob(pub Engine);

#[async_trait]
impl Effect for DoJob {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let Some(view) = input.view() else { return TaskResult::failed("the stage of this job is gone") };
        let (kind, context) = (view.stage().kind.clone(), view.context().clone());
        let who = view.trigger().user().to_owned();
        match self.0.store().write(move |tx| perform(tx, &kind, &context, &who)).await {
            Ok(context) => {
                let mut result = TaskResult::succeeded();
                for (key, value) in context {
                    result = result.context(&key, value);
                }
                result
            }
            Err(error) => TaskResult::Failed { error: Exception::new("JobFailed", error.to_string()) },
        }
    }
}

fn perform(tx: &mut Tx, kind: &str, context: &Map, who: &str) -> Result<Map, JobError> {
    let object = |key: &str| context.get(key).and_then(Value::as_object).cloned();
    let application = || object("application").ok_or(JobError::Missing("application: its attributes"));
    let mut out = Map::new();
    match kind {
        "createApplication" => drop(applications::save(tx, &application()?, Save::Upsert, who)?),
        "updateApplication" => drop(applications::save(tx, &application()?, Save::Update, who)?),
        "upsertApplication" => drop(applications::save(tx, &application()?, Save::Upsert, who)?),
        "deleteApplication" => {
            let application = application()?;
            applications::delete(tx, application.get("name").and_then(Value::as_str).unwrap_or(""), who)?;
        }
        "savePipeline" | "updatePipeline" | "saveStrategy" => {
            let stale = context.get("staleCheck") == Some(&Value::Bool(true));
            let pipeline = pipeline_of(context).ok_or(JobError::Missing("pipeline: its JSON, or that in base64"))?;
            let saved = pipelines::save(tx, &pipeline, stale, who)?;
            for (key, from) in [("pipeline.id", "id"), ("pipeline.name", "name"), ("application", "application")] {
                out.insert(key.into(), saved.get(from).cloned().unwrap_or(Value::Null));
            }
        }
        "deletePipeline" => {
            let pipeline = pipeline_of(context).ok_or(JobError::Missing("pipeline: what is to be deleted"))?;
            let text = |key: &str| pipeline.get(key).and_then(Value::as_str).unwrap_or("");
            pipelines::delete(tx, text("application"), text("name"), false, who)?;
        }
        "reorderPipelines" => {
            let places = object("idsToIndices").ok_or(JobError::Missing("idsToIndices: the place of each pipeline"))?;
            pipelines::reorder(tx, &places, who)?;
        }
        "upsertProject" => {
            let project = object("project").ok_or(JobError::Missing("project: its JSON"))?;
            let saved = projects::save(tx, &project, who)?;
            out.insert("projectId".into(), saved.get("id").cloned().unwrap_or(Value::Null));
        }
        "deleteProject" => {
            let project = object("project").ok_or(JobError::Missing("project: its JSON"))?;
            let text = |key: &str| project.get(key).and_then(Value::as_str);
            projects::delete(tx, text("id").or_else(|| text("name")).unwrap_or(""), who)?;
        }
        _ => return Err(JobError::Missing("a type that this version knows")),
    }
    out.entry("notification.type").or_insert_with(|| json!(kind.to_lowercase()));
    Ok(out)
}

/// A pipeline comes as an object, or as the base64 of its text.
fn pipeline_of(context: &Map) -> Option<Map> {
    match context.get("pipeline")? {
        Value::Object(map) => Some(map.clone()),
        Value::String(text) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
            serde_json::from_slice(&bytes).ok()
        }
        _ => None,
    }
}
