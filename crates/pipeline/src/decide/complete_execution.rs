//! `CompleteExecution`: a branch ended; have all?

use super::work::Work;
use super::{Message, Order};
use crate::Exception;
use crate::model::{Execution, Stage, Status};

pub(super) fn complete_execution(work: &mut Work) {
    if work.run.status.is_complete() || work.run.status == Status::NotStarted {
        return;
    }
    let Some(status) = outcome(&work.run) else { return };
    if status == Status::Terminal {
        name_what_never_starts(work);
    }
    work.run.status = status;
    work.run.end_time = Some(work.now);
    if status != Status::Succeeded {
        let running: Vec<String> = work
            .run
            .top_stages()
            .filter(|s| matches!(s.status, Status::Running | Status::Paused))
            .map(|s| s.id.clone())
            .collect();
        for stage in running {
            work.send(Message::CancelStage { stage });
        }
    }
    work.order(Order::Ended);
}

/// The status with which an execution ends now; none while something of it can still happen.
fn outcome(run: &Execution) -> Option<Status> {
    let any = |status| run.top_stages().any(|s| s.status == status);
    if run.top_stages().all(|s| s.status.lets_others_start()) {
        return Some(Status::Succeeded);
    }
    if any(Status::Terminal) {
        return Some(Status::Terminal);
    }
    if any(Status::Canceled) {
        return Some(Status::Canceled);
    }
    // Of one that was cancelled nothing starts any more.
    let moves = run
        .top_stages()
        .any(|s| matches!(s.status, Status::Running | Status::Paused) || (!run.canceled && can_start(run, s)));
    if moves {
        return None;
    }
    if run.canceled {
        return Some(Status::Canceled);
    }
    if any(Status::Stopped) {
        let fails = run
            .top_stages()
            .any(|s| s.status == Status::Stopped && s.flag("completeOtherBranchesThenFail") == Some(true));
        return Some(if fails { Status::Terminal } else { Status::Succeeded });
    }
    // Stages are left that nothing will ever start.
    Some(Status::Terminal)
}

/// Whether a stage's turn has come: all that it requires is there and done. (One behind it needs no look: it starts after it.)
fn can_start(run: &Execution, stage: &Stage) -> bool {
    if stage.status != Status::NotStarted {
        return false;
    }
    let mut known = 0;
    let ready = run.upstream(stage).all(|s| {
        known += 1;
        s.status.lets_others_start()
    });
    ready && (known > 0 || stage.requisite_stage_ref_ids.is_empty())
}

/// A stage that requires what is not there, or itself in the end, says so.
fn name_what_never_starts(work: &mut Work) {
    let (now, at) = (work.now, work.timestamp());
    let lost: Vec<(String, String)> = work
        .run
        .top_stages()
        .filter(|s| s.status == Status::NotStarted)
        .filter_map(|s| {
            let ghost = s.requisite_stage_ref_ids.iter().find(|r| work.run.stage_by_ref(r).is_none())?;
            Some((s.id.clone(), format!("stage '{}' requires '{ghost}', which is no stage of this pipeline", s.ref_id)))
        })
        .collect();
    let _ = now;
    for (id, text) in lost {
        work.edit(&id, |s| {
            s.context.insert("exception".into(), Exception::new("UnknownRequisite", text).to_json("startStage", at));
        });
    }
}
