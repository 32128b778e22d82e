//! The jobs of `POST /tasks` that change what is saved: applications, pipelines, projects. Each is a stage with one task.

use async_trait::async_trait;
use base64::Engine as _;
use pipeline::applications::{self, ApplicationError, Save};
use pipeline::engine::Engine;
use pipeline::evaluate::{self, Evaluated, Given};
use pipeline::model::Kind;
use pipeline::pipelines::{self, PipelineError};
use pipeline::start::StartError;
use pipeline::templates::{self, TemplateError, Version};
use pipeline::{
    Effect, Exception, Map, Plan, PlanError, Stage, StageView, TaskInput, TaskResult, TaskSpec, fields, projects,
};
use schemars::Schema;
use serde_json::{Value, json};
use store::{StoreError, Tx};

use crate::circles;

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
            "createV2PipelineTemplate" | "updateV2PipelineTemplate" => {
                "pipelineTemplate!: text|object, tag: text, skipPlanDependents: flag"
            }
            "deleteV2PipelineTemplate" => "pipelineTemplateId!: text, tag: text, digest: text",
            _ => return None,
        };
        Some(fields::written(notation))
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new(self.0, self.0)]))
    }
    /// What is saved is saved as written: its `${…}` are for its own runs. In a pipeline a text beside it (`pipeline` in base64, say) may be an
    /// expression of that pipeline's.
    fn evaluate(&self, execution: &Value, stage_ref: &str, context: &Value, given: &Given) -> Evaluated {
        let whole = || Evaluated { value: context.clone(), failed: Vec::new(), needs: Vec::new(), now: given.now };
        let Some(members) = context.as_object().filter(|_| execution["type"] == json!(Kind::Pipeline)) else {
            return whole();
        };
        let texts: Map = members.iter().filter(|(_, v)| v.is_string()).map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut evaluated = evaluate::stage_context(execution, stage_ref, &Value::Object(texts), given);
        let mut all = members.clone();
        if let Value::Object(texts) = evaluated.value {
            all.extend(texts);
        }
        evaluated.value = Value::Object(all);
        evaluated
    }
}

/// All of them.
pub static ALL: [Job; 14] = [
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
    Job("createV2PipelineTemplate"),
    Job("updateV2PipelineTemplate"),
    Job("deleteV2PipelineTemplate"),
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
    #[error(transparent)]
    Project(#[from] projects::ProjectError),
    #[error(transparent)]
    Template(#[from] TemplateError),
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
        let who = view.user().to_owned();
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
    let flag =
        |key: &str| matches!(context.get(key), Some(Value::Bool(true))) || context.get(key) == Some(&json!("true"));
    let text = |key: &str| context.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
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
            let stale = flag("staleCheck");
            if flag("isBulkSavingPipelines") {
                let list = list_of(context).ok_or(JobError::Missing("pipelines: a list, or that in base64"))?;
                out.insert("bulksave".into(), Value::Object(save_all(tx, &list, stale, who)?));
                return Ok(out);
            }
            let pipeline = pipeline_of(context).ok_or(JobError::Missing("pipeline: its JSON, or that in base64"))?;
            let saved = circles::save(tx, &pipeline, stale, who)?;
            for (key, from) in [("pipeline.id", "id"), ("pipeline.name", "name"), ("application", "application")] {
                out.insert(key.into(), saved.get(from).cloned().unwrap_or(Value::Null));
            }
        }
        "deletePipeline" => {
            let pipeline = pipeline_of(context).ok_or(JobError::Missing("pipeline: what is to be deleted"))?;
            let text = |key: &str| pipeline.get(key).and_then(Value::as_str).unwrap_or("");
            let name = if text("name").is_empty() { text("id") } else { text("name") };
            pipelines::delete(tx, text("application"), name, pipeline.get("strategy") == Some(&json!(true)), who)?;
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
        "createV2PipelineTemplate" | "updateV2PipelineTemplate" => {
            let template = in_base64(context, "pipelineTemplate");
            let template = template.ok_or(JobError::Missing("pipelineTemplate: its JSON, or that in base64"))?;
            let check_dependents = context.get("skipPlanDependents") != Some(&Value::Bool(true));
            let how = if kind == "createV2PipelineTemplate" {
                templates::Save::Create
            } else {
                templates::Save::Update { check_dependents }
            };
            let saved = templates::save(tx, &template, text("tag").as_deref(), how, who)?;
            out.insert("pipelineTemplate.id".into(), saved.get("id").cloned().unwrap_or(Value::Null));
        }
        "deleteV2PipelineTemplate" => {
            let id = text("pipelineTemplateId").ok_or(JobError::Missing("pipelineTemplateId: which one"))?;
            let version = Version { digest: text("digest"), ..Version::tagged(text("tag").as_deref()) };
            templates::delete(tx, &id, &version, who)?;
        }
        _ => return Err(JobError::Missing("a type that this version knows")),
    }
    out.entry("notification.type").or_insert_with(|| json!(kind.to_lowercase()));
    Ok(out)
}

/// Saves many pipelines, each for itself, and tells which could be saved. Only the store's own failure ends it.
pub(crate) fn save_all(tx: &mut Tx, list: &[Value], stale: bool, who: &str) -> Result<Map, PipelineError> {
    let (mut saved, mut failed) = (Vec::new(), Vec::new());
    for pipeline in list {
        let name = pipeline.get("name").cloned().unwrap_or(Value::Null);
        let done = match pipeline.as_object() {
            Some(pipeline) => circles::save(tx, pipeline, stale, who).map(drop),
            None => Err(PipelineError::Malformed(StartError::Malformed {
                path: "$.pipelines".into(),
                what: "each entry must be an object".into(),
            })),
        };
        match done {
            Ok(()) => saved.push(name),
            Err(PipelineError::Store(error)) => return Err(error.into()),
            Err(error) => failed.push(json!({"name": name, "errorMsg": error.to_string()})),
        }
    }
    let told = json!({
        "successful_pipelines_count": saved.len(),
        "successful_pipelines": saved,
        "failed_pipelines_count": failed.len(),
        "failed_pipelines": failed,
    });
    Ok(told.as_object().cloned().unwrap_or_default())
}

/// A pipeline comes as an object, or as the base64 of its text.
fn pipeline_of(context: &Map) -> Option<Map> {
    in_base64(context, "pipeline")
}

fn in_base64(context: &Map, key: &str) -> Option<Map> {
    match read(context.get(key)?)? {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

/// Many come as a list, or as the base64 of its text.
fn list_of(context: &Map) -> Option<Vec<Value>> {
    match read(context.get("pipelines").or_else(|| context.get("pipeline"))?)? {
        Value::Array(list) => Some(list),
        _ => None,
    }
}

fn read(value: &Value) -> Option<Value> {
    let Value::String(text) = value else { return Some(value.clone()) };
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()?;
    serde_json::from_slice(&bytes).ok()
}
