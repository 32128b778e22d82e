//! What a pipeline would do if it were started now: its stages in order, with the values as far as they are known, the stages that each
//! plans, its tasks, and why something is not known yet. Nothing is started or stored.
//!
//! It is the engine's own way, walked without effects: the execution is made as at a start, each stage is evaluated and planned as at its
//! turn, and taken to end well. What only a run can tell stays `${…}`, with the reason. Pure.

mod open;
mod walk;

use serde::Serialize;
use serde_json::Value;

use crate::evaluate::{Given, Need};
use crate::model::Kind;
use crate::start::parameters::{self, Giver};
use crate::start::{self, IdSource, Start, StartError, Started};
use crate::{Execution, Map, Registry, StageView};

/// What is asked.
pub struct Ask<'a> {
    /// The pipeline's JSON.
    pub config: &'a Map,
    /// Why it would start.
    pub trigger: &'a Map,
    /// The stage types, and the tasks that need nothing from outside.
    pub registry: &'a Registry,
    /// What expressions may know from outside, the time among it.
    pub given: Given,
    /// Who looks at the present state of the clouds.
    pub outlook: Option<&'a dyn Outlook>,
}

/// Looks at what a stage would find and start, without starting it.
pub trait Outlook {
    /// What is known of this stage beforehand; its context is evaluated.
    fn look(&self, stage: &StageView) -> Look;

    /// What is to be said of the whole.
    fn note(&self) -> Option<String> {
        None
    }
}

/// What an outlook tells of one stage.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// The operations that it would start, as they would be started.
    pub operations: Vec<Value>,
    /// What its tasks would note in its context.
    pub context: Map,
    /// Sentences for people.
    pub notes: Vec<String>,
}

/// What a pipeline would do.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// Its application.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The trigger, completed as at a start.
    pub trigger: Value,
    /// Sentences for people about the whole.
    pub notes: Vec<String>,
    /// The stages, none before one that it requires.
    pub stages: Vec<Foreseen>,
}

/// Whether a stage would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It runs.
    #[default]
    Runs,
    /// It is left out.
    Skipped,
    /// It is known only later whether it runs.
    Undecided,
    /// It runs and fails at once.
    Fails,
}

/// One stage.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Foreseen {
    /// Its `refId`.
    pub ref_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The stages that must have ended before it starts.
    pub requisite_stage_ref_ids: Vec<String>,
    /// Whether it runs.
    pub fate: Fate,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its configuration, as far as it is known.
    pub context: Map,
    /// What is not known yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<Unknown>,
    /// Stages that run before its tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Foreseen>,
    /// Its tasks.
    pub tasks: Vec<Step>,
    /// What it would start in clouds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Value>,
    /// Stages that run after its tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Foreseen>,
    /// Sentences for people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A value that is not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// Where in the stage: `$.payload.version`.
    pub path: String,
    /// As it is written.
    pub expression: String,
    /// When it will be known, or why it never is.
    pub reason: String,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What people see.
    pub name: String,
    /// The key in the registry.
    pub implementing_class: String,
    /// How long it may take altogether.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<i64>,
}

/// Numbers as ids: nothing of this is kept.
#[derive(Debug, Default)]
struct Counted(std::cell::Cell<u64>);

impl IdSource for Counted {
    fn next(&self) -> String {
        self.0.set(self.0.get() + 1);
        format!("{:026}", self.0.get())
    }
}

/// Tells what a pipeline would do.
pub fn forecast(ask: &Ask) -> Result<Forecast, StartError> {
    let mut notes = Vec::new();
    let mut given = ask.given.clone();
    let (run, mut given) = begin(ask, &mut notes, &mut given)?;
    let given_parameters = parameters::check(ask.config, &run.trigger.0, Giver::Event);
    if let Err(StartError::MissingParameter(name)) = given_parameters {
        notes.push(format!("the parameter {name} must be given when it is started"));
    }
    if run.limit_concurrent {
        notes.push("it waits while another execution of it runs (limitConcurrent)".into());
    } else if run.max_concurrent_executions > 0 {
        notes.push(format!(
            "it waits while {} others of it run (maxConcurrentExecutions)",
            run.max_concurrent_executions
        ));
    }
    match ask.outlook {
        None => notes.push("the clouds were not asked: what they are asked to do is left out".into()),
        Some(outlook) => notes.extend(outlook.note()),
    }
    let (application, name) = (run.application.clone(), run.name.clone());
    let trigger = Value::Object(run.trigger.0.clone());
    let mut walk = walk::Walk::new(ask, run, &mut given);
    let stages = walk.all();
    Ok(Forecast { application, name, trigger, notes, stages })
}

/// The execution as at a start. What stands in the way of a start alone is noted.
fn begin(ask: &Ask, notes: &mut Vec<String>, given: &mut Given) -> Result<(Execution, Given), StartError> {
    let mut config = ask.config.clone();
    if config.get("disabled") == Some(&Value::Bool(true)) {
        config.shift_remove("disabled");
        notes.push("the pipeline is disabled: it must be enabled before it can be started".into());
    }
    let ids = Counted::default();
    for _ in 0..8 {
        let start = Start {
            config: &config,
            trigger: ask.trigger,
            kind: Kind::Pipeline,
            id: ids.next(),
            ids: &ids,
            given,
            prior_artifacts: &[],
        };
        match start::execution(&start) {
            Ok(Started::Execution(run)) => return Ok((*run, given.clone())),
            Ok(Started::Needs(needs)) => answer(&needs, given),
            Err(error @ (StartError::Unmatched(_) | StartError::Ambiguous(_))) => {
                notes.push(error.to_string());
                config.shift_remove("expectedArtifacts");
            }
            Err(error) => return Err(error),
        }
    }
    Err(StartError::at("$", "its expressions ask for more and more from outside"))
}

/// Answers what nobody may fetch now.
fn answer(needs: &[Need], given: &mut Given) {
    for need in needs {
        match need {
            Need::Pipelines => given.pipelines = Some(Vec::new()),
            Need::Applications => given.applications = Some(Vec::new()),
            Need::Url(url) => {
                let why = "is fetched when the pipeline runs".to_owned();
                given.fetched.entry(url.clone()).or_insert(Err(why));
            }
        }
    }
}

#[cfg(test)]
mod tests;
