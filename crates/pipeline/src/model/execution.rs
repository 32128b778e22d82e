//! One run of a pipeline, or of the jobs that somebody posted as a task.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Owner, Stage, Status, Trigger};
use crate::Map;

/// Whether it is a pipeline's run or a list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Kind {
    /// A run of a pipeline.
    #[default]
    #[serde(rename = "PIPELINE")]
    Pipeline,
    /// Jobs posted to `/tasks`.
    #[serde(rename = "ORCHESTRATION")]
    Orchestration,
}

/// Who held it, and for how long.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Paused {
    /// Who paused it.
    pub paused_by: Option<String>,
    /// Who let it go on.
    pub resumed_by: Option<String>,
    /// Since when, in milliseconds.
    pub pause_time: Option<i64>,
    /// Until when, in milliseconds.
    pub resume_time: Option<i64>,
}

impl Paused {
    /// How long it was held between `from` and `to`.
    pub fn held_between(&self, from: i64, to: i64) -> i64 {
        let Some(start) = self.pause_time else {
            return 0;
        };
        let end = self.resume_time.filter(|r| *r >= start).unwrap_or(to);
        (end.min(to) - start.max(from)).max(0)
    }
}

/// One run. Stages are shared: a copy of an execution is cheap, a changed stage is a new one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Execution {
    /// Pipeline or jobs.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// ULID.
    pub id: String,
    /// The application it belongs to.
    pub application: String,
    /// The pipeline's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the jobs are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The id of the saved pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_config_id: Option<String>,
    /// When it was made, in milliseconds.
    pub build_time: Option<i64>,
    /// When it started, in milliseconds.
    pub start_time: Option<i64>,
    /// When it ended, in milliseconds.
    pub end_time: Option<i64>,
    /// Started later than this it is cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time_expiry: Option<i64>,
    /// How far it has come.
    pub status: Status,
    /// Somebody asked for its end.
    pub canceled: bool,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canceled_by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<String>,
    /// One run of this pipeline at a time.
    pub limit_concurrent: bool,
    /// Those that wait are all run, not only the newest.
    pub keep_waiting_pipelines: bool,
    /// How many runs at a time; 0 means any number.
    pub max_concurrent_executions: i64,
    /// Its stages; a synthetic one stands beside its parent.
    pub stages: Vec<Arc<Stage>>,
    /// Why it was started.
    pub trigger: Trigger,
    /// Who it runs for: user, allowedAccounts.
    pub authentication: Map,
    /// Who held it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// Which client started it.
    pub origin: String,
    /// `v3` or `v4`; absent means `v3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spel_evaluator: Option<String>,
    /// The pipeline's notifications, as given.
    pub notifications: Vec<Value>,
    /// Kept for clients that read it.
    pub initial_config: Map,
    /// Values of a template's variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_variables: Option<Value>,
    /// Why it has not started yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<super::Waiting>,
    /// Every key that is not named above.
    #[serde(flatten)]
    pub other: Map,
}

impl Execution {
    /// A stage by its id.
    pub fn stage(&self, id: &str) -> Option<&Arc<Stage>> {
        self.stages.iter().find(|s| s.id == id)
    }

    /// The stage of the pipeline with this refId (synthetic ones have their own).
    pub fn stage_by_ref(&self, ref_id: &str) -> Option<&Arc<Stage>> {
        self.stages.iter().find(|s| s.ref_id == ref_id)
    }

    /// The stages of the pipeline itself.
    pub fn top_stages(&self) -> impl Iterator<Item = &Arc<Stage>> {
        self.stages.iter().filter(|s| !s.is_synthetic())
    }

    /// The synthetic stages that a stage planned, on one side of it.
    pub fn children<'a>(&'a self, parent: &'a str, owner: Owner) -> impl Iterator<Item = &'a Arc<Stage>> {
        self.stages
            .iter()
            .filter(move |s| s.parent_stage_id.as_deref() == Some(parent) && s.synthetic_stage_owner == Some(owner))
    }

    /// All synthetic stages that a stage planned.
    pub fn all_children<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a Arc<Stage>> {
        self.stages.iter().filter(move |s| s.parent_stage_id.as_deref() == Some(parent))
    }

    /// A stage and those around it, the inner first. Bounded, whatever a store may hold.
    pub fn around<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Arc<Stage>> {
        let outer = |stage: &&'a Arc<Stage>| self.stage(stage.parent_stage_id.as_deref()?);
        std::iter::successors(self.stage(id), outer).take(64)
    }

    /// The stages that `stage` directly requires (its siblings on the same level).
    pub fn upstream<'a>(&'a self, stage: &'a Stage) -> impl Iterator<Item = &'a Arc<Stage>> {
        self.stages.iter().filter(move |s| {
            s.parent_stage_id == stage.parent_stage_id && stage.requisite_stage_ref_ids.contains(&s.ref_id)
        })
    }

    /// The stages that directly require `stage`.
    pub fn downstream<'a>(&'a self, stage: &'a Stage) -> impl Iterator<Item = &'a Arc<Stage>> {
        self.stages.iter().filter(move |s| {
            s.parent_stage_id == stage.parent_stage_id && s.requisite_stage_ref_ids.contains(&stage.ref_id)
        })
    }

    /// Whether two states of it differ in nothing but their stages.
    pub(crate) fn is_same_but_for_stages(&self, than: &Execution) -> bool {
        // All fields by name: a new one cannot be forgotten.
        let Execution {
            stages: _,
            kind,
            id,
            application,
            name,
            description,
            pipeline_config_id,
            build_time,
            start_time,
            end_time,
            start_time_expiry,
            status,
            canceled,
            canceled_by,
            cancellation_reason,
            limit_concurrent,
            keep_waiting_pipelines,
            max_concurrent_executions,
            trigger,
            authentication,
            paused,
            origin,
            spel_evaluator,
            notifications,
            initial_config,
            template_variables,
            waiting,
            other,
        } = self;
        *status == than.status
            && *kind == than.kind
            && *id == than.id
            && *application == than.application
            && *name == than.name
            && *description == than.description
            && *pipeline_config_id == than.pipeline_config_id
            && *build_time == than.build_time
            && *start_time == than.start_time
            && *end_time == than.end_time
            && *start_time_expiry == than.start_time_expiry
            && *canceled == than.canceled
            && *canceled_by == than.canceled_by
            && *cancellation_reason == than.cancellation_reason
            && *limit_concurrent == than.limit_concurrent
            && *keep_waiting_pipelines == than.keep_waiting_pipelines
            && *max_concurrent_executions == than.max_concurrent_executions
            && *trigger == than.trigger
            && *authentication == than.authentication
            && *paused == than.paused
            && *origin == than.origin
            && *spel_evaluator == than.spel_evaluator
            && *notifications == than.notifications
            && *initial_config == than.initial_config
            && *template_variables == than.template_variables
            && *waiting == than.waiting
            && *other == than.other
    }

    /// A copy without its stages.
    pub(crate) fn header(&self) -> Execution {
        Execution { stages: Vec::new(), ..self.clone() }
    }

    /// Whether expressions are evaluated stage by stage, in order (`v4`).
    pub fn is_v4(&self) -> bool {
        self.spel_evaluator.as_deref() == Some("v4")
    }
}
