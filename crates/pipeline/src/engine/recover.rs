//! Taking up the work after a restart, however the last run ended.

use store::{StoreError, Tx};

use super::live::{self, Live};
use super::{EngineError, actor::Actor};
use crate::decide::{Message, NEVER};
use crate::model::Status;

impl Actor {
    /// Loads what has not ended, and makes due what waited for somebody who is gone.
    pub async fn recover(&mut self) -> Result<(), EngineError> {
        let found: Vec<Live> = self.engine().store().read(unfinished).await?;
        let now = self.now();
        for mut live in found {
            take_up(&mut live, now);
            self.adopt(live);
        }
        Ok(())
    }
}

/// Makes due, in an execution that a run before this one left, what waited for somebody who is gone.
pub fn take_up(live: &mut Live, now: i64) {
    for (key, pending) in &mut live.pending {
        if key == "start" || key.starts_with("needs:") || key.starts_with("rest:") {
            pending.due = now;
        }
        if let Message::RunTask { stage, task, recover } = &mut pending.message {
            let Some(found) = live.run.stage(stage).and_then(|s| s.task(task)) else { continue };
            if found.is_under_way() {
                // Whoever ran it is gone: it is run again, with the same key.
                *recover = true;
                pending.due = now;
            } else if found.waiting.as_ref().is_some_and(|w| !w.wake_on.is_empty()) {
                // It may have been woken while nobody listened.
                pending.due = now;
            }
        }
    }
    let done = live.run.status.is_complete() || live.run.status == Status::Paused;
    if done {
        return;
    }
    // What stands in no message is found by its state.
    for stage in &live.run.stages {
        for task in stage.tasks.iter().filter(|t| t.status == Status::Running) {
            let key = format!("run:{}:{}", stage.id, task.id);
            let message = Message::RunTask { stage: stage.id.clone(), task: task.id.clone(), recover: true };
            live.pending.entry(key).or_insert(live::Pending { due: now, message });
        }
    }
    let message = match live.run.status {
        Status::NotStarted => Message::StartExecution,
        _ => Message::CompleteExecution,
    };
    if live.pending.values().all(|p| p.due == NEVER) {
        live.pending.entry("start".into()).or_insert(live::Pending { due: now, message });
    }
}

fn unfinished(tx: &mut Tx) -> Result<Vec<Live>, StoreError> {
    let sql = "select id from execution where status in ('NOT_STARTED', 'RUNNING', 'PAUSED')
               union select execution from message order by 1";
    let mut out = Vec::new();
    for row in tx.query(sql, &[])? {
        out.extend(live::load(tx, &row.text(0)?)?);
    }
    Ok(out)
}
