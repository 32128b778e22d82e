//! `StartStage`: a stage's turn has come. It is skipped, refused, or planned and begun.

use serde_json::Value;

use super::work::{Work, alias};
use super::{Message, complete_stage, synthetic};
use crate::evaluate;
use crate::model::{Kind, Owner, Stage, Status, Task};
use crate::{Exception, Plan, PlanError, artifacts};

/// How deep stages may plan stages inside each other.
const DEEPEST: usize = 20;

pub(super) fn start_stage(work: &mut Work, id: &str) {
    let Some(stage) = work.stage(id) else { return };
    if stage.status != Status::NotStarted || work.run.status.is_complete() {
        return;
    }
    if work.run.canceled {
        return work.send(Message::CompleteExecution);
    }
    let (mut known, mut failed, mut waits) = (0, false, false);
    for upstream in work.run.upstream(&stage) {
        known += 1;
        failed |= upstream.status.is_halt() || halted_above(work, upstream);
        waits |= !upstream.status.lets_others_start();
    }
    if failed {
        return match &stage.parent_stage_id {
            None => work.send(Message::CompleteExecution),
            Some(parent) => work.send(Message::CompleteStage { stage: parent.clone() }),
        };
    }
    if waits || (known == 0 && !stage.requisite_stage_ref_ids.is_empty()) {
        return;
    }
    if stage.start_time_expiry.is_some_and(|expiry| expiry < work.now) {
        return work.send(Message::SkipStage { stage: id.to_owned() });
    }
    match enabled(work, &stage) {
        None => {}
        Some(false) => work.send(Message::SkipStage { stage: id.to_owned() }),
        Some(true) => begin(work, &stage),
    }
}

/// Whether something above a stage that has not started will keep it from ever starting.
fn halted_above(work: &Work, stage: &Stage) -> bool {
    let mut look = vec![stage.id.clone()];
    let mut seen = std::collections::HashSet::new();
    while let Some(id) = look.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let Some(stage) = work.run.stage(&id) else { continue };
        if stage.status.is_halt() {
            return true;
        }
        if stage.status == Status::NotStarted {
            look.extend(work.run.upstream(stage).map(|s| s.id.clone()));
        }
    }
    false
}

/// Asks `stageEnabled`. None: something has to be fetched first.
fn enabled(work: &mut Work, stage: &Stage) -> Option<bool> {
    let Some(condition) = stage.context.get("stageEnabled") else { return Some(true) };
    if work.run.kind != Kind::Pipeline || condition.is_null() {
        return Some(true);
    }
    let given = work.world.given.clone();
    let execution = work.json();
    let first = evaluate::stage_context(execution, &stage.ref_id, condition, &given);
    let condition = evaluate::stage_enabled(execution, &stage.ref_id, &first.value, &given);
    let needs: Vec<_> = first.needs.into_iter().chain(condition.evaluated.needs).collect();
    if !needs.is_empty() {
        work.needs(needs);
        return None;
    }
    Some(condition.holds)
}

fn begin(work: &mut Work, stage: &Stage) {
    let id = stage.id.clone();
    let Some(kind) = work.world.registry.stage_type(&stage.kind, alias(stage)) else {
        let named = alias(stage).unwrap_or(&stage.kind).to_owned();
        return unknown(work, stage, &named);
    };
    let Some(context) = work.evaluated(stage) else { return };
    let mut planned = stage.clone();
    planned.context = context;
    planned.status = Status::Running;
    planned.start_time = Some(work.now);
    planned.waiting = None;
    let plan = kind.plan(&work.view(&planned)).and_then(|plan| bounded(work, &planned, plan));
    match plan {
        Err(error) => {
            let exception = error.exception().to_json(&planned.name, work.timestamp());
            planned.context.insert("exception".into(), exception);
            planned.context.insert("beforeStagePlanningFailed".into(), Value::Bool(true));
            work.edit(&id, |s| *s = planned);
            work.send(Message::CompleteStage { stage: id });
        }
        Ok(mut plan) => {
            planned.context.extend(plan.context);
            if kind.makes_artifacts() && !plan.tasks.is_empty() && !artifacts::expected(&planned.context).is_empty() {
                plan.tasks.push(artifacts::BIND);
            }
            planned.tasks = tasks(&plan.tasks);
            let window = (!planned.is_synthetic()).then(|| crate::window::stage_of(&planned)).flatten();
            work.edit(&id, |s| *s = planned);
            synthetic::add(work, &id, Owner::Before, window, plan.before);
            if !synthetic::start(work, &id, Owner::Before) {
                start_work(work, &id);
            }
        }
    }
}

/// Begins a stage's own tasks, now that what runs before them is done.
pub(super) fn start_work(work: &mut Work, id: &str) {
    let Some(stage) = work.stage(id) else { return };
    match stage.tasks.iter().find(|t| t.status == Status::NotStarted) {
        Some(task) => work.send(Message::StartTask { stage: id.to_owned(), task: task.id.clone() }),
        None => work.send(Message::CompleteStage { stage: id.to_owned() }),
    }
}

fn tasks(specs: &[crate::TaskSpec]) -> Vec<Task> {
    let last = specs.len();
    let one = |(i, spec): (usize, &crate::TaskSpec)| Task {
        id: (i + 1).to_string(),
        implementing_class: spec.task.to_owned(),
        name: spec.name.to_owned(),
        stage_start: i == 0,
        stage_end: i + 1 == last,
        timeout_ms: spec.timeout.map(|t| i64::try_from(t.as_millis()).unwrap_or(i64::MAX)),
        ..Task::default()
    };
    specs.iter().enumerate().map(one).collect()
}

/// Refuses plans that would grow without end.
fn bounded(work: &Work, stage: &Stage, plan: Plan) -> Result<Plan, PlanError> {
    let (mut depth, mut at) = (0, stage.parent_stage_id.clone());
    while let Some(id) = at {
        depth += 1;
        at = work.run.stage(&id).and_then(|s| s.parent_stage_id.clone());
        if depth > DEEPEST {
            return Err(PlanError::Refused(format!("stages are planned more than {DEEPEST} levels deep")));
        }
    }
    let most = crate::start::MOST_STAGES;
    if work.run.stages.len() + plan.before.len() > most {
        return Err(PlanError::Refused(format!("this execution would have more than {most} stages")));
    }
    Ok(plan)
}

/// A stage of a type that is not there ends without having started, and the pipeline with it.
fn unknown(work: &mut Work, stage: &Stage, named: &str) {
    let place = format!("(stage '{}', refId '{}')", stage.name, stage.ref_id);
    let text = match work.world.registry.foreign(named) {
        Some(foreign) => {
            format!("this version does not run '{named}' ({}) {place}; it is stored and shown", foreign.label)
        }
        None => format!(
            "there is no stage type '{named}' {place}; `gennaker pipeline validate` says which it may have meant"
        ),
    };
    let exception = Exception::new("NoSuchStageType", text).to_json("startStage", work.timestamp());
    let now = work.now;
    work.edit(&stage.id, |s| {
        s.context.insert("exception".into(), exception);
        s.status = Status::Terminal;
        s.end_time = Some(now);
    });
    complete_stage::tell_next(work, &stage.id, Status::Terminal);
}
