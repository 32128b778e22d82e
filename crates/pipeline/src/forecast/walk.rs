//! Walks an execution as if every stage ended well: evaluates, plans, and goes on.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::open::{Known, Sight, holds_expression};
use super::{Ask, Fate, Foreseen, Look, Step, answer};
use crate::evaluate::{self, Given};
use crate::model::{Owner, Stage as Record, Status};
use crate::registry::Runs;
use crate::validate::At;
use crate::{Execution, Follows, Log, Map, Plan, Stage, StageSpec, StageView, TaskInput, TaskResult, TaskSpec, window};

/// How deep stages may plan stages inside each other.
const DEEPEST: usize = 20;

pub(super) struct Walk<'a> {
    ask: &'a Ask<'a>,
    run: Execution,
    /// The same as JSON, kept in step: expressions read it.
    json: Value,
    given: &'a mut Given,
    walked: HashMap<String, Known>,
    made: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(ask: &'a Ask<'a>, run: Execution, given: &'a mut Given) -> Walk<'a> {
        let json = serde_json::to_value(&run).unwrap_or_default();
        Walk { ask, run, json, given, walked: HashMap::new(), made: 0 }
    }

    /// All stages, none before one that it requires.
    pub(super) fn all(&mut self) -> Vec<Foreseen> {
        let mut left: Vec<(String, String, Vec<String>)> = self
            .run
            .stages
            .iter()
            .map(|s| (s.id.clone(), s.ref_id.clone(), s.requisite_stage_ref_ids.clone()))
            .collect();
        let mut ended: std::collections::HashSet<String> = std::collections::HashSet::new();
        let mut out = Vec::new();
        while !left.is_empty() {
            let (ready, later): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|(_, _, requires)| requires.iter().all(|r| ended.contains(r)));
            if ready.is_empty() {
                // They wait for what is not there: the validator says so.
                for (id, _, _) in later {
                    out.extend(self.never(&id));
                }
                break;
            }
            for (id, reference, _) in ready {
                out.extend(self.stage(&id, 0));
                ended.insert(reference);
            }
            left = later;
        }
        out
    }

    fn never(&self, id: &str) -> Option<Foreseen> {
        let stage = self.run.stage(id)?;
        let mut out = described(stage);
        out.fate = Fate::Fails;
        out.why = Some("it waits for a stage that never ends".into());
        out.context = stage.context.clone();
        Some(out)
    }

    /// One stage, with those that it plans.
    fn stage(&mut self, id: &str, depth: usize) -> Option<Foreseen> {
        let stage = self.run.stage(id)?.clone();
        let mut out = described(&stage);
        let ancestors: Vec<String> = StageView::of(&self.run, id)?.ancestors().iter().map(|s| s.name.clone()).collect();
        if let Some(fate) = self.enabled(&stage, &ancestors) {
            (out.fate, out.why) = (fate.0, Some(fate.1));
            if out.fate == Fate::Skipped {
                out.context = stage.context.clone();
                self.end(&stage, Status::Skipped, Known { settled: true, ..Known::default() });
                return Some(out);
            }
        }
        let alias = stage.context.get("alias").and_then(Value::as_str).filter(|a| !a.is_empty());
        let Some(kind) = self.ask.registry.stage_type(&stage.kind, alias) else {
            let label = self.ask.registry.foreign(alias.unwrap_or(&stage.kind)).map(|f| f.label);
            let kind = alias.unwrap_or(&stage.kind);
            out.fate = Fate::Fails;
            out.why = Some(match label {
                Some(label) => format!("this version does not run {kind} ({label})"),
                None => format!("there is no stage type {kind}"),
            });
            self.evaluated(&stage, None, &ancestors, &mut out);
            self.end(&stage, Status::Succeeded, Known { context: out.context.clone(), ..Known::default() });
            return Some(out);
        };
        self.evaluated(&stage, Some(kind), &ancestors, &mut out);
        let mut planned = (*stage).clone();
        planned.context = out.context.clone();
        planned.status = Status::Running;
        let plan = match kind.plan(&StageView::with(&self.run, &planned)) {
            Ok(plan) => plan,
            Err(error) if out.unknown.is_empty() => {
                (out.fate, out.why) = (Fate::Fails, Some(error.to_string()));
                self.end(&planned, Status::Succeeded, Known { context: planned.context.clone(), ..Known::default() });
                return Some(out);
            }
            Err(error) => {
                out.notes.push(format!("what it does cannot be told yet: {error}"));
                Plan::default()
            }
        };
        planned.context.extend(plan.context);
        let gate = (!planned.is_synthetic()).then(|| window::stage_of(&planned)).flatten();
        if gate.is_some() {
            out.notes.push(window::described(&planned));
        }
        self.put(&planned);
        out.before = self.children(&planned, Owner::Before, gate, plan.before, depth);
        out.tasks = plan.tasks.iter().map(step).collect();
        let looked = self.look(&planned);
        out.operations = looked.operations;
        out.notes.extend(looked.notes);
        planned.context.extend(looked.context);
        self.put(&planned);
        let known = self.work(&mut planned, &plan.tasks, &ancestors, &mut out);
        self.put(&planned);
        match kind.after(&StageView::with(&self.run, &planned)) {
            Ok(specs) => out.after = self.children(&planned, Owner::After, None, specs, depth),
            Err(error) => out.notes.push(format!("what follows it cannot be told: {error}")),
        }
        limits(&planned, &mut out);
        self.end(&planned, Status::Succeeded, known);
        Some(out)
    }

    /// Whether it would be left out.
    fn enabled(&mut self, stage: &Record, ancestors: &[String]) -> Option<(Fate, String)> {
        let condition = stage.context.get("stageEnabled").filter(|c| c.is_object())?;
        let text = condition.get("expression").and_then(Value::as_str).unwrap_or("");
        let whole = if text.contains("${") { text.to_owned() } else { format!("${{{text}}}") };
        let sight = Sight { walked: &self.walked, ancestors, own: &stage.context, trigger: &self.run.trigger.0 };
        if !text.trim().is_empty() && sight.is_open(&whole) {
            return Some((Fate::Undecided, format!("it runs if {text}: {}", sight.reason(&whole))));
        }
        let first = evaluate::stage_context(&self.json, &stage.ref_id, condition, self.given);
        let asked = evaluate::stage_enabled(&self.json, &stage.ref_id, &first.value, self.given);
        if !asked.evaluated.needs.is_empty() {
            return Some((Fate::Undecided, format!("it runs if {text}")));
        }
        (!asked.holds).then(|| (Fate::Skipped, format!("it is skipped: {text} does not hold")))
    }

    /// Fills in the context, and what of it is not known.
    fn evaluated(&mut self, stage: &Record, kind: Option<&dyn Stage>, ancestors: &[String], out: &mut Foreseen) {
        let raw = Value::Object(stage.context.clone());
        let mut value = raw.clone();
        for _ in 0..4 {
            let done = match kind {
                Some(kind) => kind.evaluate(&self.json, &stage.ref_id, &raw, self.given),
                None => evaluate::stage_context(&self.json, &stage.ref_id, &raw, self.given),
            };
            value = done.value;
            if done.needs.is_empty() {
                break;
            }
            answer(&done.needs, self.given);
        }
        let sight = Sight { walked: &self.walked, ancestors, own: &stage.context, trigger: &self.run.trigger.0 };
        sight.hide(&raw, &mut value);
        sight.unknown(&value, &At::Root, &mut out.unknown);
        if let Value::Object(context) = value {
            out.context = context;
        }
        out.context.shift_remove(evaluate::INERT);
    }

    fn children(
        &mut self,
        parent: &Record,
        owner: Owner,
        gate: Option<StageSpec>,
        specs: Vec<StageSpec>,
        depth: usize,
    ) -> Vec<Foreseen> {
        let most = crate::start::MOST_STAGES;
        if depth >= DEEPEST || self.run.stages.len() + specs.len() > most {
            return Vec::new();
        }
        let sign = if owner == Owner::Before { '<' } else { '>' };
        let reference = |i: usize| format!("{}{sign}{}", parent.ref_id, i + 1);
        let gate_ref = gate.as_ref().map(|_| format!("{}{sign}0", parent.ref_id));
        let mut made: Vec<Record> = Vec::new();
        if let (Some(spec), Some(ref_id)) = (gate, &gate_ref) {
            made.push(self.child(parent, owner, spec, ref_id.clone(), Vec::new()));
        }
        for (i, spec) in specs.into_iter().enumerate() {
            let mut requires: Vec<String> = match &spec.follows {
                Follows::Previous if i > 0 => vec![reference(i - 1)],
                Follows::These(places) => places.iter().filter(|p| **p < i).map(|p| reference(*p)).collect(),
                _ => Vec::new(),
            };
            if requires.is_empty() {
                requires.extend(gate_ref.clone());
            }
            made.push(self.child(parent, owner, spec, reference(i), requires));
        }
        let ids: Vec<String> = made.iter().map(|s| s.id.clone()).collect();
        for one in made {
            self.run.stages.push(Arc::new(one.clone()));
            if let Some(Value::Array(stages)) = self.json.get_mut("stages") {
                stages.push(serde_json::to_value(&one).unwrap_or_default());
            }
        }
        ids.iter().filter_map(|id| self.stage(id, depth + 1)).collect()
    }

    fn child(
        &mut self,
        parent: &Record,
        owner: Owner,
        spec: StageSpec,
        ref_id: String,
        requires: Vec<String>,
    ) -> Record {
        self.made += 1;
        Record {
            id: format!("PLANNED{:019}", self.made),
            ref_id,
            name: if spec.name.is_empty() { spec.kind.clone() } else { spec.name },
            kind: spec.kind,
            context: spec.context,
            synthetic_stage_owner: Some(owner),
            parent_stage_id: Some(parent.id.clone()),
            requisite_stage_ref_ids: requires,
            ..Record::default()
        }
    }

    fn look(&self, stage: &Record) -> Look {
        match (self.ask.outlook, StageView::of(&self.run, &stage.id)) {
            (Some(outlook), Some(view)) => outlook.look(&view),
            _ => Look::default(),
        }
    }

    /// Runs the tasks that need nothing from outside, and tells what is known of the stage when it has ended.
    fn work(&mut self, stage: &mut Record, tasks: &[TaskSpec], ancestors: &[String], out: &mut Foreseen) -> Known {
        let mut judgment = false;
        let pure = |task: &TaskSpec| match self.ask.registry.task(task.task) {
            Some(Runs::Pure(run)) => Some(run),
            _ => None,
        };
        let all: Option<Vec<_>> = tasks.iter().map(pure).collect();
        let mut settled = true;
        if let Some(why) = self.undecided(stage, ancestors) {
            out.notes.push(why);
            return Known { context: stage.context.clone(), ..Known::default() };
        }
        let Some(all) = all.filter(|_| out.before.is_empty()) else {
            return Known { context: stage.context.clone(), judgment, ..Known::default() };
        };
        let mut outputs = Map::new();
        for run in all {
            let input = TaskInput {
                execution: Arc::new(self.run.clone()),
                stage_id: stage.id.clone(),
                task_id: "1".into(),
                key: format!("plan/{}", stage.ref_id),
                attempt: 1,
                started: self.given.now,
                now: self.given.now,
                given: Arc::new(self.given.clone()),
                log: Log::none(),
            };
            match run(&input, self.given.now) {
                TaskResult::Done { status, context, outputs: more, .. } => {
                    if status.is_halt() && out.unknown.is_empty() {
                        out.notes.push(
                            "as far as it is known, it ends the pipeline here: its condition does not hold".into(),
                        );
                    }
                    stage.context.extend(context.into_iter().filter(|(_, v)| !holds_expression(v)));
                    settled &= !more.values().any(holds_expression);
                    outputs.extend(more.into_iter().filter(|(_, v)| !holds_expression(v)));
                }
                TaskResult::Again { reason, at_latest, .. } => {
                    settled = false;
                    // What no time ends, a person does.
                    judgment |= at_latest == jiff::Timestamp::MAX;
                    out.notes.push(reason);
                }
                TaskResult::Failed { error } if out.unknown.is_empty() => {
                    out.notes.push(format!("as far as it is known, it fails: {}", error.errors.join("; ")));
                }
                TaskResult::Failed { .. } | TaskResult::Needs(_) => settled = false,
            }
        }
        stage.outputs.extend(outputs.clone());
        Known { settled, context: stage.context.clone(), outputs, judgment }
    }

    /// Whether its condition (that stands without `${ }`) is known only later.
    fn undecided(&self, stage: &Record, ancestors: &[String]) -> Option<String> {
        let text = stage.context.get("context")?.get("expression")?.as_str()?;
        let whole = if text.contains("${") { text.to_owned() } else { format!("${{{text}}}") };
        let sight = Sight { walked: &self.walked, ancestors, own: &stage.context, trigger: &self.run.trigger.0 };
        sight.is_open(&whole).then(|| format!("whether it holds is {}", sight.reason(&whole)))
    }

    /// Brings a stage into the execution and its JSON.
    fn put(&mut self, stage: &Record) {
        let Some(at) = self.run.stages.iter().position(|s| s.id == stage.id) else { return };
        self.run.stages[at] = Arc::new(stage.clone());
        if let Some(place) = self.json.get_mut("stages").and_then(|s| s.get_mut(at)) {
            *place = serde_json::to_value(stage).unwrap_or_default();
        }
    }

    fn end(&mut self, stage: &Record, status: Status, known: Known) {
        let mut stage = stage.clone();
        stage.status = status;
        self.put(&stage);
        self.walked.insert(stage.name.clone(), known);
    }
}

fn described(stage: &Record) -> Foreseen {
    Foreseen {
        ref_id: stage.ref_id.clone(),
        kind: stage.kind.clone(),
        name: stage.name.clone(),
        requisite_stage_ref_ids: stage.requisite_stage_ref_ids.clone(),
        ..Foreseen::default()
    }
}

fn step(task: &TaskSpec) -> Step {
    Step {
        name: task.name.to_owned(),
        implementing_class: task.task.to_owned(),
        timeout_ms: task.timeout.map(|t| i64::try_from(t.as_millis()).unwrap_or(i64::MAX)),
    }
}

/// What the engine itself says of a stage.
fn limits(stage: &Record, out: &mut Foreseen) {
    if let Some(limit) = stage.number("stageTimeoutMs").filter(|limit| *limit > 0) {
        let then = if stage.flag("markSuccessfulOnTimeout") == Some(true) {
            "then it counts as done"
        } else {
            "then it fails"
        };
        out.notes.push(format!("it may take {}, {then}", said(limit)));
    } else if let Some(longest) = out.tasks.iter().filter_map(|t| t.timeout_ms).max() {
        out.notes.push(format!("a task may take {} at most", said(longest)));
    }
    if !stage.is_synthetic() {
        match stage.failure_status() {
            Status::FailedContinue => out.notes.push("if it fails, the pipeline goes on".into()),
            Status::Stopped => out.notes.push("if it fails, only its branch ends".into()),
            _ => {}
        }
    }
}

/// A length of time as people say it.
fn said(millis: i64) -> String {
    match millis {
        ..=999 => format!("{millis} ms"),
        1_000..=119_999 => format!("{} s", millis / 1_000),
        120_000..=7_199_999 => format!("{} min", millis / 60_000),
        7_200_000..=172_799_999 => format!("{} h", millis / 3_600_000),
        _ => format!("{} days", millis / 86_400_000),
    }
}
