//! `ForceCancel`: somebody wants it to end now, whatever it is at. What runs outside is told to stop and not waited for.

use super::Order;
use super::cancel_stage::cancel_stage;
use super::work::Work;
use crate::model::Status;

pub(super) fn force_cancel(work: &mut Work, user: &str, reason: Option<&str>) {
    if work.run.status.is_complete() {
        return;
    }
    super::cancel_execution::cancel_execution(work, user, reason);
    if work.run.status.is_complete() {
        return;
    }
    let open: Vec<String> = work
        .run
        .stages
        .iter()
        .filter(|s| !s.status.is_complete() && s.status != Status::NotStarted)
        .map(|s| s.id.clone())
        .collect();
    for stage in open {
        cancel_stage(work, &stage);
    }
    work.run.status = Status::Canceled;
    work.run.end_time = Some(work.now);
    work.run.waiting = None;
    work.order(Order::Ended);
}
