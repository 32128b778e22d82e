//! `CancelStage`: a stage has to stop, with all that runs inside it.

use super::work::Work;
use super::{Message, Order, WHOLE_STAGE};
use crate::model::{Stage, Status};
use crate::registry::Runs;

/// Stops what runs inside a stage; the stage itself ends through the tasks that are cancelled.
pub(super) fn cancel_stage(work: &mut Work, id: &str) {
    let Some(stage) = work.stage(id) else { return };
    if stage.status.is_complete() || stage.status == Status::NotStarted {
        return;
    }
    let children: Vec<String> = work.run.all_children(id).map(|s| s.id.clone()).collect();
    for child in children {
        cancel_stage(work, &child);
    }
    for task in stage.tasks.iter().filter(|t| matches!(t.status, Status::Running | Status::Paused)) {
        stop_task(work, &stage, &task.id);
        work.clear_task_timer(&stage.id, &task.id);
    }
    let now = work.now;
    work.edit(id, |s| {
        for task in s.tasks.iter_mut().filter(|t| matches!(t.status, Status::Running | Status::Paused)) {
            task.status = Status::Canceled;
            task.end_time = Some(now);
            task.lease += 1;
            task.waiting = None;
        }
        s.status = Status::Canceled;
        s.end_time = Some(now);
        s.waiting = None;
    });
    stop_stage(work, id);
    if stage.parent_stage_id.is_none() {
        work.send(Message::CompleteExecution);
    }
}

/// Tells a running effect to stop. Its answer, should it still come, has an old lease.
pub(super) fn stop_task(work: &mut Work, stage: &Stage, task: &str) {
    let Some(found) = stage.task(task) else { return };
    if found.lease > 0 && matches!(work.world.registry.task(&found.implementing_class), Some(Runs::Effect(_))) {
        work.order(Order::Cancel {
            stage: stage.id.clone(),
            task: task.to_owned(),
            effect: found.implementing_class.clone(),
        });
    }
}

/// A stage ended badly: what it started elsewhere ends, too.
pub(super) fn stop_stage(work: &mut Work, id: &str) {
    let Some(stage) = work.stage(id) else { return };
    let Some(kind) = work.world.registry.stage_type(&stage.kind, super::work::alias(&stage)) else { return };
    if let Some(spec) = kind.on_cancel(&work.view(&stage)) {
        let effect = spec.task.to_owned();
        work.order(Order::Cancel { stage: id.to_owned(), task: WHOLE_STAGE.into(), effect });
    }
}
