//! `PauseExecution` and `ResumeExecution`: held by a person, and let go on.

use super::Message;
use super::work::Work;
use crate::model::{Paused, Status};

pub(super) fn pause(work: &mut Work, user: &str) {
    if work.run.status != Status::Running {
        return;
    }
    work.run.status = Status::Paused;
    work.run.paused =
        Some(Paused { paused_by: Some(user.to_owned()), pause_time: Some(work.now), ..Paused::default() });
    let ids: Vec<String> =
        work.run.stages.iter().filter(|s| s.status == Status::Running).map(|s| s.id.clone()).collect();
    for id in ids {
        work.edit(&id, |s| {
            s.status = Status::Paused;
            for task in s.tasks.iter_mut().filter(|t| t.status == Status::Running) {
                task.status = Status::Paused;
            }
        });
    }
}

pub(super) fn resume(work: &mut Work, user: &str) {
    if work.run.status != Status::Paused {
        return;
    }
    work.run.status = Status::Running;
    if let Some(paused) = &mut work.run.paused {
        paused.resumed_by = Some(user.to_owned());
        paused.resume_time = Some(work.now);
    }
    let ids: Vec<String> =
        work.run.stages.iter().filter(|s| s.status == Status::Paused).map(|s| s.id.clone()).collect();
    for id in ids {
        let mut again = Vec::new();
        work.edit(&id, |s| {
            s.status = Status::Running;
            for task in s.tasks.iter_mut().filter(|t| t.status == Status::Paused) {
                task.status = Status::Running;
                again.push(task.id.clone());
            }
        });
        for task in again {
            work.send(Message::RunTask { stage: id.clone(), task, recover: false });
        }
    }
    for message in work.take_held() {
        work.send(message);
    }
}
