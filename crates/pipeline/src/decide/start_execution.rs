//! `StartExecution`: an execution starts when no other one of its pipeline is in its way.

use super::work::Work;
use super::{Message, NEVER, Order};
use crate::model::{Status, Waiting};

pub(super) const KEY: &str = "start";

pub(super) fn start_execution(work: &mut Work) {
    if work.run.status != Status::NotStarted {
        return work.clear_timer(KEY.into());
    }
    if work.run.canceled {
        return give_up(work, Status::Canceled);
    }
    if work.run.start_time_expiry.is_some_and(|expiry| expiry < work.now) {
        work.run.canceled = true;
        work.run.canceled_by = Some("spinnaker".into());
        work.run.cancellation_reason = Some("Could not begin execution before start time expiry".into());
        return give_up(work, Status::Canceled);
    }
    if let Some(reason) = in_the_way(work) {
        let since = work.run.waiting.as_ref().map_or(work.now, |w| w.since);
        let until = work.run.start_time_expiry;
        work.run.waiting = Some(Waiting { reason, since, until, ..Waiting::default() });
        return work.set_timer(KEY.into(), until.unwrap_or(NEVER), Message::StartExecution);
    }
    work.run.waiting = None;
    work.clear_timer(KEY.into());
    let ready: Vec<String> = work
        .run
        .top_stages()
        .filter(|s| s.status == Status::NotStarted)
        .filter(|s| {
            let mut known = 0;
            let done = work.run.upstream(s).all(|u| {
                known += 1;
                u.status.lets_others_start()
            });
            done && (known > 0 || s.requisite_stage_ref_ids.is_empty())
        })
        .map(|s| s.id.clone())
        .collect();
    if ready.is_empty() && work.run.top_stages().all(|s| s.status == Status::NotStarted) {
        // No stage to begin with: nothing runs, so there is neither a start nor an end.
        return give_up(work, Status::Terminal);
    }
    work.run.status = Status::Running;
    work.run.start_time = Some(work.now);
    if ready.is_empty() {
        work.send(Message::CompleteExecution);
    }
    for stage in ready {
        work.send(Message::StartStage { stage });
    }
}

/// It ends without having started.
fn give_up(work: &mut Work, status: Status) {
    work.run.status = status;
    work.run.waiting = None;
    work.clear_timer(KEY.into());
    work.order(Order::Ended);
}

fn in_the_way(work: &Work) -> Option<String> {
    let (running, most) = (work.world.running, work.run.max_concurrent_executions);
    if work.run.limit_concurrent && running > 0 {
        return Some("another execution of this pipeline is running, and it allows one at a time".into());
    }
    if most > 0 && i64::try_from(running).unwrap_or(i64::MAX) >= most {
        return Some(format!("{running} executions of this pipeline are running, and it allows {most} at a time"));
    }
    None
}
