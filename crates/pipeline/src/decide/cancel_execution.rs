//! `CancelExecution`: somebody wants it to end.

use super::work::Work;
use super::{Message, Order};
use crate::model::Status;

pub(super) fn cancel_execution(work: &mut Work, user: &str, reason: Option<&str>) {
    work.run.canceled = true;
    work.run.canceled_by = Some(user.to_owned());
    if let Some(reason) = reason {
        work.run.cancellation_reason = Some(reason.to_owned());
    }
    match work.run.status {
        Status::NotStarted => {
            work.run.status = Status::Canceled;
            work.run.waiting = None;
            work.clear_timer(super::start_execution::KEY.into());
            work.order(Order::Ended);
        }
        status if status.is_complete() => {}
        _ => {
            if work.run.status == Status::Paused {
                super::pause_execution::resume(work, user);
            }
            let running: Vec<String> =
                work.run.top_stages().filter(|s| s.status == Status::Running).map(|s| s.id.clone()).collect();
            if running.is_empty() {
                work.send(Message::CompleteExecution);
            }
            for stage in running {
                work.send(Message::CancelStage { stage });
            }
        }
    }
}
