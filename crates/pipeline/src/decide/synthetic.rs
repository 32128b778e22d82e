//! Synthetic stages: those that a stage plans before and after its own tasks, and `ContinueParent`, by which it goes on.

use std::sync::Arc;

use super::Message;
use super::start_stage::start_work;
use super::work::{Work, made_id};
use crate::model::{Owner, Stage, Status};
use crate::{Follows, StageSpec};

/// Adds planned stages to the execution. The execution window, when there is one, comes first and all others follow it.
pub(super) fn add(work: &mut Work, parent: &str, owner: Owner, window: Option<StageSpec>, specs: Vec<StageSpec>) {
    let Some(stage) = work.stage(parent) else { return };
    let sign = match owner {
        Owner::Before => '<',
        Owner::After => '>',
    };
    let first = 1 + work.run.children(parent, owner).filter(|s| s.kind != crate::window::KIND).count();
    let reference = |i: usize| format!("{}{sign}{}", stage.ref_id, first + i);
    let gate = window.as_ref().map(|_| format!("{}{sign}0", stage.ref_id));
    let mut made = Vec::new();
    if let (Some(spec), Some(ref_id)) = (window, &gate) {
        made.push(child(work, &stage, owner, spec, ref_id.clone(), Vec::new()));
    }
    for (i, spec) in specs.into_iter().enumerate() {
        let mut requires: Vec<String> = match &spec.follows {
            Follows::Nothing => Vec::new(),
            Follows::Previous if i > 0 => vec![reference(i - 1)],
            Follows::Previous => Vec::new(),
            Follows::These(places) => places.iter().filter(|p| **p < i).map(|p| reference(*p)).collect(),
        };
        if requires.is_empty() {
            requires.extend(gate.clone());
        }
        made.push(child(work, &stage, owner, spec, reference(i), requires));
    }
    insert(work, parent, owner, made);
}

fn child(
    work: &Work,
    parent: &Stage,
    owner: Owner,
    spec: StageSpec,
    ref_id: String,
    requires: Vec<String>,
) -> Arc<Stage> {
    let round = parent.restarts.to_string();
    Arc::new(Stage {
        id: made_id(work.now, &[&work.run.id, &parent.id, &ref_id, &round]),
        ref_id,
        name: if spec.name.is_empty() { spec.kind.clone() } else { spec.name },
        kind: spec.kind,
        context: spec.context,
        synthetic_stage_owner: Some(owner),
        parent_stage_id: Some(parent.id.clone()),
        requisite_stage_ref_ids: requires,
        ..Stage::default()
    })
}

/// Before-stages stand just before their parent, after-stages right behind it (and behind those already there).
fn insert(work: &mut Work, parent: &str, owner: Owner, made: Vec<Arc<Stage>>) {
    let Some(at) = work.run.stages.iter().position(|s| s.id == parent) else { return };
    let at = match owner {
        Owner::Before => at,
        Owner::After => {
            let inside = |s: &Arc<Stage>| s.parent_stage_id.as_deref() == Some(parent);
            work.run.stages.iter().rposition(inside).map_or(at, |last| last.max(at)) + 1
        }
    };
    work.run.stages.splice(at..at, made);
}

/// Starts the stages on one side that wait for none of their siblings; tells whether there was one.
pub(super) fn start(work: &mut Work, parent: &str, owner: Owner) -> bool {
    let first: Vec<String> = work
        .run
        .children(parent, owner)
        .filter(|s| s.status == Status::NotStarted && s.requisite_stage_ref_ids.is_empty())
        .map(|s| s.id.clone())
        .collect();
    for stage in &first {
        work.send(Message::StartStage { stage: stage.clone() });
    }
    !first.is_empty()
}

/// The last stage of one side ended well: its parent goes on.
pub(super) fn continue_parent(work: &mut Work, parent: &str, phase: Owner) {
    let Some(stage) = work.stage(parent) else { return };
    if stage.status != Status::Running {
        return;
    }
    let (mut at_work, mut to_come, mut any_failed) = (false, false, false);
    for child in work.run.children(parent, phase) {
        at_work |= child.status == Status::Running;
        to_come |= child.status == Status::NotStarted;
        any_failed |= child.status.is_halt();
        any_failed |= child.status == Status::FailedContinue && !siblings_continue(&stage);
    }
    if at_work || (to_come && !any_failed) {
        return;
    }
    if any_failed || phase == Owner::After {
        return work.send(Message::CompleteStage { stage: parent.to_owned() });
    }
    let busy = stage.tasks.iter().any(|t| t.status != Status::NotStarted);
    if !busy {
        start_work(work, parent);
    }
}

/// A child that failed and lets others go on ends its parent all the same, unless the parent says otherwise.
fn siblings_continue(parent: &Stage) -> bool {
    parent.flag("allowSiblingStagesToContinueOnFailure") == Some(true)
}

/// A synthetic stage has ended: the stages behind it start, or its parent goes on.
pub(super) fn ended(work: &mut Work, child: &Stage, status: Status) {
    let (Some(parent), Some(owner)) = (child.parent_stage_id.clone(), child.synthetic_stage_owner) else { return };
    if status.is_halt() {
        return work.send(Message::CompleteStage { stage: parent });
    }
    let next: Vec<String> = work.run.downstream(child).map(|s| s.id.clone()).collect();
    let stops = status == Status::FailedContinue
        && work.stage(&parent).is_some_and(|p| !siblings_continue(&p))
        && child.kind != crate::window::KIND;
    if stops {
        return work.send(Message::CompleteStage { stage: parent });
    }
    if next.is_empty() {
        return work.send(Message::ContinueParent { stage: parent, phase: owner });
    }
    for stage in next {
        work.send(Message::StartStage { stage });
    }
}
