//! `CompleteStage`: a stage's last task or child ended, or one of them failed. What becomes of it, and what comes next.

use serde_json::{Value, json};

use super::work::{Work, alias};
use super::{Message, cancel_stage, synthetic};
use crate::evaluate::SUMMARY;
use crate::model::{Execution, Owner, Stage, Status};
use crate::{Exception, Follows, Map, StageSpec};

/// Marks in a stage's JSON that its later stages were planned: it happens once.
const AFTER: &str = "afterStagesPlanned";
const ON_FAILURE: &str = "onFailureStagesPlanned";

pub(super) fn complete_stage(work: &mut Work, id: &str) {
    let Some(stage) = work.stage(id) else { return };
    if stage.status != Status::Running {
        return;
    }
    let mut status = outcome(&work.run, &stage);
    if !status.is_complete() {
        synthetic::start(work, id, Owner::After);
        return;
    }
    if status == Status::FailedContinue && work.run.all_children(id).any(|s| s.status == Status::Running) {
        // What still runs inside it ends first; then it is asked again.
        return;
    }
    let failed_expressions = failed_expressions(&stage);
    if !failed_expressions.is_empty() && stage.flag("failOnFailedExpressions") == Some(true) {
        status = Status::Terminal;
    } else if tidies_up(work, &stage) {
        return;
    } else if status.lets_others_start() {
        match plan_after(work, &stage) {
            Planned::Nothing => {}
            Planned::Waits => return,
            Planned::Failed => return complete_stage(work, id),
        }
    } else if status.is_failure() && plan_on_failure(work, &stage) {
        return;
    }
    // A failure that lets others go on is still one.
    if status == Status::FailedContinue && plan_on_failure(work, &stage) {
        return;
    }
    finish(work, id, status, &failed_expressions);
}

fn finish(work: &mut Work, id: &str, status: Status, failed_expressions: &[String]) {
    let (now, at) = (work.now, work.timestamp());
    work.edit(id, |s| {
        s.status = status;
        s.end_time = Some(now);
        s.waiting = None;
        if !failed_expressions.is_empty() {
            add_errors(&mut s.context, failed_expressions, at);
        }
    });
    tell_next(work, id, status);
}

/// A stage has ended: what stands behind it starts, or its parent or the execution looks whether it has ended, too.
pub(super) fn tell_next(work: &mut Work, id: &str, status: Status) {
    let Some(stage) = work.stage(id) else { return };
    if status.is_halt() {
        let running: Vec<String> =
            work.run.all_children(id).filter(|s| s.status == Status::Running).map(|s| s.id.clone()).collect();
        for child in running {
            cancel_stage::cancel_stage(work, &child);
        }
        cancel_stage::stop_stage(work, id);
    }
    if stage.is_synthetic() {
        return synthetic::ended(work, &stage, status);
    }
    let next: Vec<String> = if status.lets_others_start() {
        work.run.downstream(&stage).map(|s| s.id.clone()).collect()
    } else {
        Vec::new()
    };
    if next.is_empty() {
        work.send(Message::CompleteExecution);
    }
    for stage in next {
        work.send(Message::StartStage { stage });
    }
}

/// What a stage comes to by its children and its tasks; RUNNING when some are still to do.
fn outcome(run: &Execution, stage: &Stage) -> Status {
    if stage.flag("beforeStagePlanningFailed") == Some(true) || stage.flag("afterStagePlanningFailed") == Some(true) {
        return stage.failure_status();
    }
    let all: Vec<Status> =
        run.all_children(&stage.id).map(|s| s.status).chain(stage.tasks.iter().map(|t| t.status)).collect();
    let any = |status| all.contains(&status);
    if all.is_empty() {
        Status::Skipped
    } else if any(Status::Terminal) {
        stage.failure_status()
    } else if any(Status::Stopped) {
        Status::Stopped
    } else if any(Status::Canceled) {
        Status::Canceled
    } else if any(Status::FailedContinue) {
        Status::FailedContinue
    } else if all.iter().all(|s| matches!(s, Status::Succeeded | Status::Skipped)) {
        Status::Succeeded
    } else {
        Status::Running
    }
}

/// Whether stages that tidy up after a failure are at work: the stage ends when they have.
fn tidies_up(work: &Work, stage: &Stage) -> bool {
    if stage.other.get(ON_FAILURE) != Some(&Value::Bool(true)) {
        return false;
    }
    let after: Vec<Status> = work.run.children(&stage.id, Owner::After).map(|s| s.status).collect();
    after.contains(&Status::Running)
}

enum Planned {
    Nothing,
    Waits,
    Failed,
}

/// Plans the stages that run after a stage's tasks, once.
fn plan_after(work: &mut Work, stage: &Stage) -> Planned {
    if stage.other.contains_key(AFTER) || stage.other.contains_key(ON_FAILURE) {
        return Planned::Nothing;
    }
    let Some(kind) = work.world.registry.stage_type(&stage.kind, alias(stage)) else { return Planned::Nothing };
    let planned = kind.after(&work.view(stage));
    let at = work.timestamp();
    work.edit(&stage.id, |s| {
        s.other.insert(AFTER.into(), Value::Bool(true));
    });
    match planned {
        Ok(specs) if specs.is_empty() => Planned::Nothing,
        Ok(specs) => {
            synthetic::add(work, &stage.id, Owner::After, None, specs);
            if synthetic::start(work, &stage.id, Owner::After) { Planned::Waits } else { Planned::Nothing }
        }
        Err(error) => {
            work.edit(&stage.id, |s| {
                s.context.insert("exception".into(), error.exception().to_json(&s.name, at));
                s.context.insert("afterStagePlanningFailed".into(), Value::Bool(true));
            });
            Planned::Failed
        }
    }
}

/// Plans the stages that tidy up after a failure, once, in a line; tells whether there are any.
fn plan_on_failure(work: &mut Work, stage: &Stage) -> bool {
    if stage.other.contains_key(ON_FAILURE) {
        return false;
    }
    let Some(kind) = work.world.registry.stage_type(&stage.kind, alias(stage)) else { return false };
    let mut specs: Vec<StageSpec> = kind.on_failure(&work.view(stage));
    specs.retain(|spec| !work.run.all_children(&stage.id).any(|s| s.name == spec.name && s.status.is_complete()));
    if specs.is_empty() {
        return false;
    }
    for spec in &mut specs {
        spec.follows = Follows::Previous;
    }
    let id = stage.id.as_str();
    let running: Vec<String> =
        work.run.all_children(id).filter(|s| s.status == Status::Running).map(|s| s.id.clone()).collect();
    for child in running {
        cancel_stage::cancel_stage(work, &child);
    }
    work.run.stages.retain(|s| s.parent_stage_id.as_deref() != Some(id) || s.status != Status::NotStarted);
    work.edit(id, |s| {
        s.other.insert(ON_FAILURE.into(), Value::Bool(true));
    });
    synthetic::add(work, id, Owner::After, None, specs);
    synthetic::start(work, id, Owner::After)
}

/// One sentence for each expression of a stage that failed, or that was null.
fn failed_expressions(stage: &Stage) -> Vec<String> {
    let Some(summary) = stage.context.get(SUMMARY).and_then(Value::as_object) else { return Vec::new() };
    let entries = summary.values().filter_map(Value::as_array).flatten();
    entries.filter_map(|e| e.get("description").and_then(Value::as_str).map(str::to_owned)).collect()
}

/// Adds error texts to a context's exception, or makes one.
fn add_errors(context: &mut Map, errors: &[String], at: jiff::Timestamp) {
    if let Some(Value::Array(list)) = context.get_mut("exception").and_then(|e| e.pointer_mut("/details/errors")) {
        list.extend(errors.iter().map(|e| json!(e)));
        return;
    }
    let mut exception = Exception::new("FailedExpressions", String::new());
    exception.errors = errors.to_vec();
    context.insert("exception".into(), exception.to_json("evaluate expressions", at));
}
