//! `RestartStage`: a stage of the pipeline and all behind it are done anew.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::work::{Work, alias};
use super::{Message, NEVER, Order};
use crate::Map;
use crate::evaluate::SUMMARY;
use crate::model::{Paused, Stage, Status};

pub(super) fn restart_stage(work: &mut Work, id: &str, user: &str, context: &Map) {
    let Some(top) = work.top(id) else { return };
    if !(top.status.is_complete() || top.status == Status::NotStarted) || work.run.status == Status::Paused {
        return;
    }
    let from_parent = context.contains_key("_skipPipelineRestart");
    for stage in behind(work, &top) {
        reset(work, &stage, user, if stage == top.id { Some(context) } else { None });
    }
    work.run.canceled = false;
    work.run.canceled_by = None;
    work.run.cancellation_reason = None;
    work.run.end_time = None;
    work.run.paused = None::<Paused>;
    if work.run.status == Status::Running {
        work.send(Message::StartStage { stage: top.id.clone() });
    } else {
        work.run.status = Status::NotStarted;
        work.set_timer(super::start_execution::KEY.into(), NEVER, Message::StartExecution);
        work.send(Message::StartExecution);
    }
    if !from_parent && let Some((execution, stage)) = started_by(work) {
        work.order(Order::RestartParent { execution, stage, user: user.to_owned() });
    }
}

/// The stage and all that require it, directly or through others.
fn behind(work: &Work, top: &Stage) -> Vec<String> {
    let (mut found, mut seen) = (vec![top.id.clone()], HashSet::from([top.id.clone()]));
    let mut at = 0;
    while let Some(id) = found.get(at).cloned() {
        at += 1;
        let Some(stage) = work.run.stage(&id) else { continue };
        for next in work.run.downstream(stage) {
            if seen.insert(next.id.clone()) {
                found.push(next.id.clone());
            }
        }
    }
    found
}

fn reset(work: &mut Work, id: &str, user: &str, patch: Option<&Map>) {
    let Some(stage) = work.stage(id) else { return };
    remove_children(work, id);
    for task in &stage.tasks {
        work.clear_task_timer(id, &task.id);
    }
    let kind = work.world.registry.stage_type(&stage.kind, alias(&stage));
    let now = work.now;
    work.edit(id, |s| {
        if let Some(patch) = patch {
            s.context.extend(patch.clone());
        }
        let previous = s.context.shift_remove("exception").unwrap_or(Value::Null);
        for key in [SUMMARY, "beforeStagePlanningFailed", "afterStagePlanningFailed", "manualSkip"] {
            s.context.shift_remove(key);
        }
        if patch.is_some() {
            let details = json!({"restartedBy": user, "restartTime": now, "previousException": previous});
            s.context.insert("restartDetails".into(), details);
        }
        if let Some(kind) = kind {
            kind.prepare_restart(&mut s.context);
        }
        if s.start_time.is_some() {
            s.restarts += 1;
        }
        s.other.clear();
        s.tasks.clear();
        s.status = Status::NotStarted;
        s.start_time = None;
        s.end_time = None;
        s.waiting = None;
    });
}

fn remove_children(work: &mut Work, id: &str) {
    let children: Vec<String> = work.run.all_children(id).map(|s| s.id.clone()).collect();
    for child in children {
        remove_children(work, &child);
        let tasks: Vec<String> = work.stage(&child).iter().flat_map(|s| s.tasks.iter().map(|t| t.id.clone())).collect();
        for task in tasks {
            work.clear_task_timer(&child, &task);
        }
        work.run.stages.retain(|s| s.id != child);
    }
}

/// The execution and the stage that started this one.
fn started_by(work: &Work) -> Option<(String, String)> {
    let execution = work.run.trigger.parent_execution()?.get("id")?.as_str()?;
    let stage = work.run.trigger.get("parentPipelineStageId")?.as_str()?;
    Some((execution.to_owned(), stage.to_owned()))
}
