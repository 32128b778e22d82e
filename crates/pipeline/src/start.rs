//! From a pipeline's JSON and a trigger to an execution that has not started: parameters, artifacts, expressions, limits.
//! Pure: what must be looked up is handed in.

pub(crate) mod artifacts;
mod check;
pub mod parameters;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::Map;
use crate::evaluate::{self, Given, INERT, Need};
use crate::model::{Execution, Kind, Stage, Status, Trigger};

pub(crate) use artifacts::matches;
pub use check::check;

/// How many stages an execution may have.
pub const MOST_STAGES: usize = 2000;
/// How many pipelines may start each other in a line.
pub const DEEPEST_CHAIN: i64 = 20;

/// Why a pipeline is not started, or not saved.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StartError {
    /// Its JSON is not a pipeline's. The path says where.
    #[error("{path}: {what}")]
    Malformed {
        /// A JSON path, `$.stages[2].refId`.
        path: String,
        /// What is wrong there.
        what: String,
    },
    /// It is switched off.
    #[error("the pipeline '{0}' is disabled; enable it to start it")]
    Disabled(String),
    /// An expected artifact was not among those given.
    #[error("Unmatched expected artifact {0} could not be resolved.")]
    Unmatched(String),
    /// An expected artifact matches several.
    #[error("expected artifact {0} matches several artifacts; make its matchArtifact more exact")]
    Ambiguous(String),
    /// Pipelines start each other without end.
    #[error("pipelines have started each other {0} times in a line; a pipeline that starts itself never ends")]
    TooDeep(i64),
    /// Triggers start more than anybody wants.
    #[error(
        "triggers started more than {most} pipelines of application '{application}' within a minute; neither this one nor further \
         ones of that minute are started (starts_per_minute under [triggers])"
    )]
    Storm {
        /// The application.
        application: String,
        /// How many may start.
        most: u32,
    },
    /// No pipeline may be started just now.
    #[error("{0}")]
    Refused(String),
    /// It is made from a template, and cannot be.
    #[error("{0}")]
    Template(String),
    /// A parameter that must be given was not.
    #[error("Required parameter {0} is missing")]
    MissingParameter(String),
    /// A parameter's value is none of its options.
    #[error("the parameter {name} cannot be '{value}'; it is one of: {}", options.join(", "))]
    NotAnOption {
        /// The parameter.
        name: String,
        /// What was given.
        value: String,
        /// What may be given.
        options: Vec<String>,
    },
    /// A parameter's value is no date.
    #[error("the parameter {name} cannot be '{value}'; it is a date, as 2027-03-01")]
    NotADate {
        /// The parameter.
        name: String,
        /// What was given.
        value: String,
    },
}

impl StartError {
    pub(crate) fn at(path: impl Into<String>, what: impl Into<String>) -> StartError {
        StartError::Malformed { path: path.into(), what: what.into() }
    }
}

/// What a start is made of.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// The pipeline's JSON.
    pub config: &'a Map,
    /// Why it starts.
    pub trigger: &'a Map,
    /// Pipeline or jobs.
    pub kind: Kind,
    /// The execution's id; `executionId` of the config wins.
    pub id: String,
    /// Gives each stage its id.
    pub ids: &'a dyn IdSource,
    /// What expressions may know from outside, the time among it.
    pub given: &'a Given,
    /// The artifacts of the pipeline's latest execution, for `usePriorArtifact`.
    pub prior_artifacts: &'a [Value],
}

/// Makes ids.
pub trait IdSource: std::fmt::Debug {
    /// A new ULID.
    fn next(&self) -> String;
}

/// What a start leads to.
#[derive(Debug)]
pub enum Started {
    /// An execution that has not started.
    Execution(Box<Execution>),
    /// Expressions ask for something first.
    Needs(Vec<Need>),
}

/// Makes the execution of a start.
pub fn execution(start: &Start) -> Result<Started, StartError> {
    let mut config = start.config.clone();
    let name = text(&config, "name").unwrap_or_default().to_owned();
    if config.get("disabled") == Some(&Value::Bool(true)) && start.kind == Kind::Pipeline {
        return Err(StartError::Disabled(name));
    }
    check::bounds(&config)?;
    let mut trigger = start.trigger.clone();
    complete_trigger(&mut trigger, &config);
    if start.kind == Kind::Pipeline {
        artifacts::resolve(&mut trigger, &config, start.prior_artifacts)?;
    }
    let depth =
        1 + trigger.get("parentExecution").and_then(|p| p.get("pipelineDepth")).and_then(Value::as_i64).unwrap_or(0);
    if depth > DEEPEST_CHAIN {
        return Err(StartError::TooDeep(depth - 1));
    }
    config.insert("trigger".into(), Value::Object(trigger));
    if start.kind == Kind::Pipeline {
        let evaluated = evaluate::pipeline(&Value::Object(config), start.given);
        if !evaluated.needs.is_empty() {
            return Ok(Started::Needs(evaluated.needs));
        }
        config = match evaluated.value {
            Value::Object(map) => map,
            // An object stays one.
            _ => Map::new(),
        };
    }
    let mut run = header(start, &mut config);
    run.other.insert("pipelineDepth".into(), json!(depth));
    run.stages = stages(start, config.shift_remove("stages"))?;
    Ok(Started::Execution(Box::new(run)))
}

fn text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str)
}

fn number(map: &Map, key: &str) -> Option<i64> {
    match map.get(key)? {
        Value::Number(n) => n.as_i64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

fn flag(map: &Map, key: &str) -> bool {
    matches!(map.get(key), Some(Value::Bool(true)))
}

/// Defaults of a trigger: its type, its user, the pipeline's parameters, and the lists that clients read.
fn complete_trigger(trigger: &mut Map, config: &Map) {
    // What signs deliveries is nobody's to read, also when somebody starts by hand what a trigger would.
    if matches!(text(trigger, "type"), Some("git" | "webhook")) {
        trigger.shift_remove("secret");
    }
    let mut set = |key: &str, value: Value| {
        if trigger.get(key).is_none_or(Value::is_null) {
            trigger.insert(key.to_owned(), value);
        }
    };
    set("type", json!("manual"));
    set("user", json!("[anonymous]"));
    set("parameters", json!({}));
    set("artifacts", json!([]));
    set("notifications", json!([]));
    set("rebake", json!(false));
    set("dryRun", json!(false));
    set("strategy", json!(false));
    set("resolvedExpectedArtifacts", json!([]));
    set("expectedArtifacts", json!([]));
    if let Some(Value::Object(parameters)) = trigger.get_mut("parameters") {
        parameters::fill(parameters, config);
    }
}

fn header(start: &Start, config: &mut Map) -> Execution {
    let trigger = match config.shift_remove("trigger") {
        Some(Value::Object(map)) => Trigger(map),
        _ => Trigger::default(),
    };
    let mut authentication = Map::new();
    authentication.insert("user".into(), json!(trigger.user()));
    authentication.insert("allowedAccounts".into(), json!([]));
    let own = |key: &str| text(config, key).map(str::to_owned);
    Execution {
        kind: start.kind,
        id: own("executionId").filter(|id| is_ulid(id)).unwrap_or_else(|| start.id.clone()),
        application: own("application").unwrap_or_default(),
        name: own("name"),
        description: own("description"),
        pipeline_config_id: own("id"),
        build_time: Some(start.given.now.as_millisecond()),
        start_time_expiry: number(config, "startTimeExpiry"),
        status: Status::NotStarted,
        limit_concurrent: flag(config, "limitConcurrent"),
        keep_waiting_pipelines: flag(config, "keepWaitingPipelines"),
        max_concurrent_executions: number(config, "maxConcurrentExecutions").unwrap_or(0),
        trigger,
        authentication,
        origin: own("origin").unwrap_or_else(|| "api".into()),
        spel_evaluator: own("spelEvaluator"),
        notifications: config.get("notifications").and_then(Value::as_array).cloned().unwrap_or_default(),
        initial_config: config.get("initialConfig").and_then(Value::as_object).cloned().unwrap_or_default(),
        template_variables: config.get("templateVariables").cloned(),
        other: kept(config),
        ..Execution::default()
    }
}

/// Keys of a pipeline that its executions show, too.
fn kept(config: &Map) -> Map {
    let keys = ["source", "partition", "rootId", "failureMessage", "expressionEvaluationSummary", INERT];
    keys.iter().filter_map(|k| config.get(*k).map(|v| ((*k).to_owned(), v.clone()))).collect()
}

fn is_ulid(id: &str) -> bool {
    id.len() == 26 && id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// The stages of a pipeline. When none has a `refId` they are chained in a line, as old pipelines were.
fn stages(start: &Start, stages: Option<Value>) -> Result<Vec<Arc<Stage>>, StartError> {
    let list = match stages {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(StartError::at("$.stages", "must be a list")),
    };
    let named = |stage: &Value| reference(stage.get("refId")).is_some_and(|name| !name.is_empty());
    let in_line = start.kind == Kind::Orchestration || !list.iter().any(named);
    let mut out = Vec::with_capacity(list.len());
    for (i, stage) in list.into_iter().enumerate() {
        let Value::Object(mut context) = stage else {
            return Err(StartError::at(format!("$.stages[{i}]"), "must be an object"));
        };
        let taken = |context: &mut Map, key: &str| context.shift_remove(key);
        let kind = match taken(&mut context, "type") {
            Some(Value::String(kind)) => kind,
            _ => return Err(StartError::at(format!("$.stages[{i}].type"), "must be a text")),
        };
        let name = match taken(&mut context, "name") {
            Some(Value::String(name)) => name,
            _ => kind.clone(),
        };
        let ref_id = taken(&mut context, "refId");
        let requisites = taken(&mut context, "requisiteStageRefIds");
        let expiry = number(&context, "startTimeExpiry");
        taken(&mut context, "startTimeExpiry");
        let (ref_id, requisites) = if in_line {
            (i.to_string(), if i == 0 { Vec::new() } else { vec![(i - 1).to_string()] })
        } else {
            (reference(ref_id.as_ref()).unwrap_or_default(), references(requisites.as_ref()))
        };
        out.push(Arc::new(Stage {
            id: start.ids.next(),
            ref_id,
            kind,
            name,
            start_time_expiry: expiry,
            context,
            requisite_stage_ref_ids: requisites,
            ..Stage::default()
        }));
    }
    Ok(out)
}

/// How a stage is called, or what one requires: a number is as good as its text.
pub(crate) fn reference(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// What a stage requires, each once.
fn references(value: Option<&Value>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for one in value.and_then(Value::as_array).into_iter().flatten() {
        if let Some(one) = reference(Some(one))
            && !out.contains(&one)
        {
            out.push(one);
        }
    }
    out
}
