//! `SkipStage`: a stage is left out, or a person skips it while it runs.

use super::work::Work;
use super::{cancel_stage, complete_stage};
use crate::model::Status;

pub(super) fn skip_stage(work: &mut Work, id: &str) {
    let Some(stage) = work.stage(id) else { return };
    if stage.status.is_complete() {
        return;
    }
    let inside: Vec<String> =
        work.run.all_children(id).filter(|s| !s.status.is_complete()).map(|s| s.id.clone()).collect();
    for child in inside {
        leave_out(work, &child);
    }
    leave_out(work, id);
    complete_stage::tell_next(work, id, Status::Skipped);
}

fn leave_out(work: &mut Work, id: &str) {
    let Some(stage) = work.stage(id) else { return };
    for task in stage.tasks.iter().filter(|t| !t.status.is_complete()) {
        cancel_stage::stop_task(work, &stage, &task.id);
        work.clear_task_timer(id, &task.id);
    }
    let now = work.now;
    work.edit(id, |s| {
        for task in s.tasks.iter_mut().filter(|t| matches!(t.status, Status::Running | Status::Paused)) {
            task.status = Status::Skipped;
            task.end_time = Some(now);
            task.lease += 1;
            task.waiting = None;
        }
        s.status = Status::Skipped;
        s.end_time = Some(now);
        s.waiting = None;
    });
}
