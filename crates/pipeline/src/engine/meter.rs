//! What the engine did since the process began, and how far it is behind: numbers for a monitoring system.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use events::meter::{Counter, Counters, Histogram, MOMENTS};
use store::{StoreError, Tx, params};

use crate::model::{Kind, Stage, Status};
use crate::{Registry, TaskResult};

/// The type of stages whose type nobody knows.
const UNKNOWN: &str = "(unknown)";

/// Counts.
pub struct Meter {
    /// Executions that were begun.
    pub started: Counters<Kind>,
    /// Executions that have ended, and how.
    pub ended: Counters<(Kind, Status)>,
    /// Stages that have ended, by type, and how.
    pub stages: Counters<(&'static str, Status)>,
    /// What was decided: a message with all that follows from it at once.
    pub transitions: Counter,
    /// How long it took to decide and to commit what came together.
    pub batches: Histogram,
    /// What effects answered: `done`, `again` (it waits and looks again) or `failed`.
    pub tasks: Counters<&'static str>,
    /// How long effects ran.
    pub task_times: Histogram,
    /// What was sent to the actor and not taken by it.
    pub(super) inbox: AtomicU64,
    /// When the batch began that is at work, in milliseconds; 0 between two.
    pub(super) busy_since: AtomicI64,
    pub(super) works: AtomicBool,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            started: Counters::default(),
            ended: Counters::default(),
            stages: Counters::default(),
            transitions: Counter::default(),
            batches: Histogram::new(MOMENTS),
            tasks: Counters::default(),
            task_times: Histogram::new(MOMENTS),
            inbox: AtomicU64::new(0),
            busy_since: AtomicI64::new(0),
            works: AtomicBool::new(false),
        }
    }
}

impl Meter {
    /// What waits for the actor.
    pub fn inbox(&self) -> u64 {
        self.inbox.load(Relaxed)
    }

    /// Since when the actor has been at one batch, in milliseconds; nothing while it waits for the next one.
    pub fn busy_since(&self) -> Option<i64> {
        Some(self.busy_since.load(Relaxed)).filter(|since| *since > 0)
    }

    /// Whether the engine has taken up its work and not ended it.
    pub fn works(&self) -> bool {
        self.works.load(Relaxed)
    }

    /// Counts what has ended with a commit.
    pub(super) fn over(&self, over: &Over, registry: Option<&Registry>) {
        if let Some(how) = over.execution {
            self.ended.count(how);
        }
        for stage in &over.stages {
            let known = registry.and_then(|registry| registry.kind(&stage.kind));
            self.stages.count((known.unwrap_or(UNKNOWN), stage.status));
        }
    }

    /// Counts an effect's answer.
    pub(super) fn answered(&self, result: &TaskResult) {
        self.tasks.count(match result {
            TaskResult::Done { status: Status::Terminal, .. } | TaskResult::Failed { .. } => "failed",
            TaskResult::Done { .. } => "done",
            TaskResult::Again { .. } | TaskResult::Needs(_) => "again",
        });
    }
}

/// What of an execution has ended in one commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Over {
    /// The execution itself.
    pub execution: Option<(Kind, Status)>,
    /// Stages of it.
    pub stages: Vec<Arc<Stage>>,
}

/// What is due and not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// How many messages.
    pub depth: u64,
    /// When the first of them was due, in milliseconds.
    pub oldest: Option<i64>,
}

/// What is due by now. Only executions that have not ended have messages, so few rows are looked at.
pub fn queue(tx: &mut Tx) -> Result<Queue, StoreError> {
    let now = tx.now().as_millisecond();
    let row = tx.query_opt("select count(*), min(due) from message where due <= ?1", params![now])?;
    let Some(row) = row else { return Ok(Queue { depth: 0, oldest: None }) };
    Ok(Queue { depth: u64::try_from(row.int(0)?).unwrap_or(0), oldest: row.opt_int(1)? })
}

/// How many executions there are that have not ended, by status: a look into an index for each, however many have ended.
pub fn unended(tx: &mut Tx) -> Result<Vec<(Status, u64)>, StoreError> {
    let statuses = [Status::NotStarted, Status::Running, Status::Paused];
    let count = |status: Status| {
        let count = tx.count("select count(*) from execution where status = ?1", params![status.as_str()])?;
        Ok((status, count))
    };
    statuses.into_iter().map(count).collect()
}
