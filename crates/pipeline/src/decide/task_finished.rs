//! `TaskFinished`: an effect answered, or a pure task was evaluated.

use jiff::Timestamp;

use super::Message;
use super::work::Work;
use crate::evaluate::keep_as_data;
use crate::model::{Stage, Status, Waiting};
use crate::task::Next;
use crate::{Map, TaskResult};

/// How soon a task may look again at the earliest, in milliseconds: a task that always says "at once" is no busy loop.
const SOONEST: i64 = 20;

pub(super) fn task_finished(work: &mut Work, id: &str, task_id: &str, lease: u64, result: &TaskResult) {
    let Some(stage) = work.stage(id) else { return };
    let Some(task) = stage.task(task_id) else { return };
    if task.lease != lease || !task.is_under_way() || stage.status.is_complete() {
        return;
    }
    take_from_outside(work, id, task_id, result);
}

/// Applies what an effect answered: what it brings from outside is data, even if it looks like an expression.
fn take_from_outside(work: &mut Work, id: &str, task_id: &str, result: &TaskResult) {
    work.edit(id, |s| match result {
        TaskResult::Done { context, .. } | TaskResult::Again { context, .. } => keep_as_data(&mut s.context, context),
        TaskResult::Failed { error } => keep_as_data(&mut s.context, &error.context),
        TaskResult::Needs(_) => {}
    });
    apply(work, id, task_id, result);
}

/// Applies what a task answered.
pub(super) fn apply(work: &mut Work, id: &str, task_id: &str, result: &TaskResult) {
    match result {
        TaskResult::Done { status, context, outputs, next } => {
            merge(work, id, context, outputs);
            let status = match status {
                Status::Terminal | Status::Canceled => failure(work, id, *status),
                status if status.is_complete() => *status,
                _ => Status::Succeeded,
            };
            complete(work, id, task_id, status, next.as_deref());
        }
        TaskResult::Failed { error } => {
            let name = work.run.stage(id).and_then(|s| s.task(task_id)).map_or("", |t| &t.name);
            let exception = error.to_json(name, work.timestamp());
            work.edit(id, |s| {
                s.context.extend(error.context.clone());
                s.context.insert("exception".into(), exception);
            });
            let status = failure(work, id, Status::Terminal);
            complete(work, id, task_id, status, None);
        }
        TaskResult::Again { wake_on, at_latest, reason, asks, context, outputs } => {
            merge(work, id, context, outputs);
            // The end of time is no time to look again.
            let at_latest = if *at_latest == Timestamp::MAX { super::NEVER } else { at_latest.as_millisecond() };
            let again = Again { wake_on, at_latest, reason, asks: *asks };
            wait(work, id, task_id, &again);
        }
        TaskResult::Needs(_) => {}
    }
}

/// What a failed task of this stage comes to. The stage is looked at anew: the task may have changed its context.
fn failure(work: &Work, id: &str, otherwise: Status) -> Status {
    match work.run.stage(id).map_or(otherwise, |s: &std::sync::Arc<Stage>| s.failure_status()) {
        Status::Terminal => otherwise,
        other => other,
    }
}

fn merge(work: &mut Work, id: &str, context: &Map, outputs: &Map) {
    if context.is_empty() && outputs.is_empty() {
        return;
    }
    work.edit(id, |s| {
        s.context.extend(context.clone());
        s.outputs.extend(outputs.clone());
    });
}

struct Again<'a> {
    wake_on: &'a [String],
    at_latest: i64,
    reason: &'a str,
    asks: Option<&'static str>,
}

fn wait(work: &mut Work, id: &str, task_id: &str, again: &Again) {
    let Some(stage) = work.stage(id) else { return };
    let Some(task) = stage.task(task_id) else { return };
    let woken = task.other.contains_key("woken");
    let backoff = stage.number("backoffPeriodMs").unwrap_or(0).max(SOONEST);
    let mut due = again.at_latest.max(work.now.saturating_add(backoff));
    if woken {
        due = work.now.saturating_add(SOONEST);
    }
    if let Some(deadline) = work.deadline(&stage, task) {
        due = due.min(deadline);
    }
    let now = work.now;
    work.edit(id, |s| {
        let Some(task) = s.task_mut(task_id) else { return };
        let since = task.waiting.as_ref().map(|w| w.since).or(task.start_time).unwrap_or(now);
        task.other.shift_remove("woken");
        task.waiting = Some(Waiting {
            reason: again.reason.to_owned(),
            since,
            until: (due != super::NEVER).then_some(due),
            wake_on: again.wake_on.to_vec(),
            asks: again.asks.map(str::to_owned),
        });
    });
    work.task_timer(id, task_id, Some(due));
}

fn complete(work: &mut Work, id: &str, task_id: &str, status: Status, known: Option<&Next>) {
    end(work, id, task_id, status);
    let next = work.run.stage(id).and_then(|s| s.tasks.iter().find(|t| t.status == Status::NotStarted));
    let Some(next) = next.filter(|_| status.lets_others_start()) else {
        return work.send(Message::CompleteStage { stage: id.to_owned() });
    };
    let task = next.id.clone();
    let held = work.run.status != Status::Running;
    match known.filter(|known| !held && known.task == next.implementing_class && known.is_an_end()) {
        Some(known) => {
            let now = work.now;
            work.edit(id, |s| {
                if let Some(task) = s.task_mut(&task) {
                    task.start_time = Some(now);
                }
            });
            take_from_outside(work, id, &task, &known.answer);
        }
        None => work.send(Message::StartTask { stage: id.to_owned(), task }),
    }
}

fn end(work: &mut Work, id: &str, task_id: &str, status: Status) {
    let now = work.now;
    work.edit(id, |s| {
        let Some(task) = s.task_mut(task_id) else { return };
        task.status = status;
        task.end_time = Some(now);
        task.waiting = None;
        task.lease += 1;
        task.other.shift_remove("woken");
    });
    work.clear_task_timer(id, task_id);
}
