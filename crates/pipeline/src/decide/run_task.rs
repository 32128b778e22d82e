//! `StartTask` and `RunTask`: a task's turn, and each time that it looks again.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::work::Work;
use super::{Message, Order, cancel_stage, task_finished};
use crate::model::{Execution, Stage, Status, Task, Waiting};
use crate::registry::Runs;
use crate::{Exception, Log, TaskInput, TaskResult};

pub(super) fn start_task(work: &mut Work, id: &str, task: &str) {
    let Some(stage) = work.stage(id) else { return };
    if stage.status != Status::Running || stage.task(task).is_none_or(|t| t.status != Status::NotStarted) {
        return;
    }
    let now = work.now;
    drop(stage);
    work.edit(id, |s| {
        if let Some(task) = s.task_mut(task) {
            task.status = Status::Running;
            task.start_time = Some(now);
        }
    });
    // Should the runtime end before this transition is through, the timer finds the task again.
    work.task_timer(id, task, Some(now));
    work.send(Message::RunTask { stage: id.to_owned(), task: task.to_owned(), recover: false });
}

pub(super) fn run_task(work: &mut Work, id: &str, task_id: &str, recover: bool) {
    let Some(stage) = work.stage(id) else { return };
    let Some(task) = stage.task(task_id) else { return };
    if task.status.is_complete() || stage.status.is_complete() || work.run.status.is_complete() {
        return work.clear_task_timer(id, task_id);
    }
    if task.status != Status::Running || work.run.status != Status::Running {
        if recover && task.is_under_way() {
            interrupted(work, id, task_id);
        }
        return;
    }
    let deadline = work.deadline(&stage, task);
    if deadline.is_some_and(|d| d <= work.now) {
        return timed_out(work, &stage, task);
    }
    if task.is_under_way() && !recover {
        // It is at work outside and may have looked before whatever woke it: it is to look once more.
        work.edit(id, |s| {
            if let Some(task) = s.task_mut(task_id) {
                task.other.insert("woken".into(), Value::Bool(true));
            }
        });
        return work.task_timer(id, task_id, deadline);
    }
    let Some(context) = work.evaluated(&stage) else { return };
    if context != stage.context {
        work.edit(id, |s| s.context = context);
    }
    match work.world.registry.task(&task.implementing_class) {
        None => {
            let text = format!("no task '{}' is known to this version", task.implementing_class);
            let error = Exception::new("NoSuchTask", text);
            task_finished::apply(work, id, task_id, &TaskResult::Failed { error });
        }
        Some(Runs::Pure(run)) => {
            // It is lent to the task and taken back: it may be large.
            let execution = Arc::new(std::mem::take(&mut work.run));
            let result =
                input(&execution, id, task_id, work.world, Log::none()).map(|input| run(&input, work.timestamp()));
            work.run = Arc::unwrap_or_clone(execution);
            let Some(result) = result else { return };
            drop(stage);
            match result {
                TaskResult::Needs(needs) => work.needs(needs),
                result => task_finished::apply(work, id, task_id, &result),
            }
        }
        Some(Runs::Effect(_)) => {
            let mut lease = 0;
            work.edit(id, |s| {
                if let Some(task) = s.task_mut(task_id) {
                    task.lease += 1;
                    task.attempt += 1;
                    if let Some(waited) = task.waiting.take() {
                        task.other.insert(WAITED_FOR.into(), waited.reason.into());
                    }
                    task.other.shift_remove("woken");
                    lease = task.lease;
                }
            });
            work.task_timer(id, task_id, deadline);
            work.order(Order::Run { stage: id.to_owned(), task: task_id.to_owned(), lease });
        }
    }
}

/// What a task waited for before it looked again.
const WAITED_FOR: &str = "waitedFor";

/// Whoever ran it is gone, and the execution is held: it is run again when that goes on.
fn interrupted(work: &mut Work, id: &str, task_id: &str) {
    let now = work.now;
    work.edit(id, |s| {
        if let Some(task) = s.task_mut(task_id) {
            task.lease += 1;
            let reason = "it was interrupted, and the execution is held".to_owned();
            task.waiting = Some(Waiting { reason, since: now, ..Waiting::default() });
        }
    });
}

/// What a task gets. None: the execution has no such task.
pub fn input(
    execution: &Arc<Execution>,
    stage_id: &str,
    task_id: &str,
    world: &super::World,
    log: Log,
) -> Option<TaskInput> {
    let stage = execution.stage(stage_id)?;
    let task = stage.task(task_id);
    let now = world.given.now;
    let started = task.and_then(|t| t.start_time).or(stage.start_time);
    Some(TaskInput {
        execution: execution.clone(),
        stage_id: stage_id.to_owned(),
        task_id: task_id.to_owned(),
        key: key(&execution.id, stage, task_id),
        attempt: task.map_or(1, |t| t.attempt.max(1)),
        started: started.and_then(|t| Timestamp::from_millisecond(t).ok()).unwrap_or(now),
        now,
        given: world.given.clone(),
        log,
    })
}

/// The idempotency key: the same on every attempt, another one after a restart of the stage.
fn key(execution: &str, stage: &Stage, task: &str) -> String {
    match stage.restarts {
        0 => format!("{execution}/{}/{task}", stage.id),
        n => format!("{execution}/{}/{task}/{n}", stage.id),
    }
}

fn timed_out(work: &mut Work, stage: &Stage, task: &Task) {
    cancel_stage::stop_task(work, stage, &task.id);
    if stage.flag("markSuccessfulOnTimeout") == Some(true) {
        return task_finished::apply(work, &stage.id, &task.id, &TaskResult::succeeded());
    }
    let since = task.start_time.or(stage.start_time).unwrap_or(work.now);
    let seconds = (work.now - since) / 1000;
    let mut text = format!("{} of stage {} timed out after {seconds} s", task.name, stage.name);
    let reason = task.waiting.as_ref().map(|waiting| waiting.reason.as_str());
    // While it looks again it waits for nothing; what it waited for before is why it is late.
    if let Some(reason) = reason.or_else(|| task.other.get(WAITED_FOR)?.as_str()) {
        text = format!("{text}; it was waiting because {reason}");
    }
    let error = Exception::new("TimeoutException", text);
    task_finished::apply(work, &stage.id, &task.id, &TaskResult::Failed { error });
}
