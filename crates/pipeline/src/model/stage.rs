//! A stage of an execution, and its tasks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Status;
use crate::Map;

/// On which side of its parent's tasks a synthetic stage runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// Before the parent's own tasks.
    #[serde(rename = "STAGE_BEFORE")]
    Before,
    /// After the parent's own tasks.
    #[serde(rename = "STAGE_AFTER")]
    After,
}

/// Why a task does nothing at the moment: each waiting thing says so.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// One sentence for people.
    pub reason: String,
    /// Since when, in milliseconds.
    pub since: i64,
    /// When it looks again at the latest, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// The topics that wake it earlier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wake_on: Vec<String>,
    /// The event by which people may be told that it waits for one of them; see [`crate::notices`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
}

/// One step of a stage.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// `1`, `2` … within the stage.
    pub id: String,
    /// The key in the registry.
    #[serde(default)]
    pub implementing_class: String,
    /// What people see.
    pub name: String,
    #[serde(default)]
    /// When it started, in milliseconds.
    pub start_time: Option<i64>,
    #[serde(default)]
    /// When it ended, in milliseconds.
    pub end_time: Option<i64>,
    #[serde(default)]
    /// How far it has come.
    pub status: Status,
    /// The first task of its stage.
    #[serde(default)]
    pub stage_start: bool,
    /// The last task of its stage.
    #[serde(default)]
    pub stage_end: bool,
    /// Kept for clients that read it.
    #[serde(default)]
    pub loop_start: bool,
    /// Kept for clients that read it.
    #[serde(default)]
    pub loop_end: bool,
    /// Kept for clients that read it.
    #[serde(default)]
    pub task_exception_details: Map,
    /// How long it may take altogether, in milliseconds, when its stage does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<i64>,
    /// Fencing token: a result with an older one is dropped.
    #[serde(default)]
    pub lease: u64,
    /// How often it was run.
    #[serde(default)]
    pub attempt: u32,
    /// Why it does nothing just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Every key that is not named above.
    #[serde(flatten)]
    pub other: Map,
}

impl Task {
    /// Whether an effect of it is at work outside: it was handed out and has not answered.
    pub fn is_under_way(&self) -> bool {
        self.lease > 0 && self.waiting.is_none() && !self.status.is_complete()
    }
}

/// A stage of an execution: one of the pipeline's, or a synthetic one that another stage planned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stage {
    /// ULID.
    pub id: String,
    /// The name by which other stages of the pipeline require it.
    pub ref_id: String,
    /// The stage type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What people see.
    pub name: String,
    /// When it started, in milliseconds.
    pub start_time: Option<i64>,
    /// When it ended, in milliseconds.
    pub end_time: Option<i64>,
    /// Started later than this it is skipped.
    pub start_time_expiry: Option<i64>,
    /// How far it has come.
    pub status: Status,
    /// Its configuration, and what its tasks noted.
    pub context: Map,
    /// What stages behind it may use.
    pub outputs: Map,
    /// Its steps, in order; empty until it starts.
    pub tasks: Vec<Task>,
    /// Set on synthetic stages.
    pub synthetic_stage_owner: Option<Owner>,
    /// Set on synthetic stages.
    pub parent_stage_id: Option<String>,
    /// The stages that must have ended before it starts.
    pub requisite_stage_ref_ids: Vec<String>,
    /// Kept for clients that read it.
    pub scheduled_time: Option<i64>,
    /// Who changed it by hand last: user, allowedAccounts, lastModifiedTime.
    pub last_modified: Option<Value>,
    /// How often it was restarted: part of the idempotency key, so that a restart does the thing again.
    #[serde(skip_serializing_if = "is_zero")]
    pub restarts: u32,
    /// Why it has not started although its turn has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Every key that is not named above.
    #[serde(flatten)]
    pub other: Map,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Stage {
    /// Whether another stage planned it.
    pub fn is_synthetic(&self) -> bool {
        self.parent_stage_id.is_some()
    }

    /// A task by its id.
    pub fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.iter().find(|t| t.id == id)
    }

    /// A task by its id, to be changed.
    pub fn task_mut(&mut self, id: &str) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|t| t.id == id)
    }

    /// Why it failed, in sentences.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        let errors = self.context.get("exception").and_then(|exception| exception.pointer("/details/errors"));
        errors.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// A truth value of the context; the texts "true" and "false" count.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.context.get(key)? {
            Value::Bool(b) => Some(*b),
            Value::String(s) if s.eq_ignore_ascii_case("true") => Some(true),
            Value::String(s) if s.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A whole number of the context; a text of digits counts.
    pub fn number(&self, key: &str) -> Option<i64> {
        match self.context.get(key)? {
            Value::Number(n) => n.as_i64().or_else(|| n.as_f64().map(|f| f as i64)),
            Value::String(s) => s.trim().parse().ok(),
            _ => None,
        }
    }

    /// What a failure of this stage makes of it: it ends the pipeline, only its branch, or nothing.
    pub fn failure_status(&self) -> Status {
        if self.flag("continuePipeline") == Some(true) {
            Status::FailedContinue
        } else if self.flag("failPipeline").unwrap_or(true) {
            Status::Terminal
        } else {
            Status::Stopped
        }
    }
}
