//! A stage with its surroundings, as stage types and tasks read it.

use std::collections::HashSet;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Execution, Owner, Stage, Trigger};
use crate::{Map, PlanError};

/// One stage of one execution, read-only.
#[derive(Debug, Clone, Copy)]
pub struct StageView<'a> {
    execution: &'a Execution,
    stage: &'a Stage,
}

impl<'a> StageView<'a> {
    /// The view of a stage; none when the execution has no such stage.
    pub fn of(execution: &'a Execution, stage_id: &str) -> Option<StageView<'a>> {
        let stage = execution.stage(stage_id)?;
        Some(StageView { execution, stage })
    }

    /// The view of a stage whose context may be newer than the execution's (it was just evaluated).
    pub fn with(execution: &'a Execution, stage: &'a Stage) -> StageView<'a> {
        StageView { execution, stage }
    }

    /// The whole run.
    pub fn execution(&self) -> &'a Execution {
        self.execution
    }

    /// The stage.
    pub fn stage(&self) -> &'a Stage {
        self.stage
    }

    /// Its context, expressions evaluated.
    pub fn context(&self) -> &'a Map {
        &self.stage.context
    }

    /// Why the run was started.
    pub fn trigger(&self) -> &'a Trigger {
        &self.execution.trigger
    }

    /// Reads its configuration leniently: `"30"` is a number, `"true"` a truth value.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, PlanError> {
        crate::lenient::from_map(&self.stage.context).map_err(PlanError::from)
    }

    /// A value of its context, else the nearest ancestor's output of that name.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        if let Some(value) = self.stage.context.get(key) {
            return Some(value);
        }
        self.ancestors().into_iter().find_map(|s| s.outputs.get(key))
    }

    /// The same as a text.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str)
    }

    /// Who this stage acts for: whoever answered the nearest judgment before it that hands its authentication on
    /// (`propagateAuthenticationContext`), else whoever started the run.
    pub fn user(&self) -> &'a str {
        let hands_on = |s: &&Arc<Stage>| s.flag("propagateAuthenticationContext") == Some(true);
        let judged = self
            .ancestors()
            .into_iter()
            .filter(hands_on)
            .find_map(|s| s.last_modified.as_ref().filter(|_| s.status.lets_others_start())?.get("user")?.as_str());
        let started = || self.execution.authentication.get("user").and_then(Value::as_str);
        judged.or_else(started).unwrap_or_else(|| self.execution.trigger.user())
    }

    /// The stage that planned this one.
    pub fn parent(&self) -> Option<StageView<'a>> {
        StageView::of(self.execution, self.stage.parent_stage_id.as_deref()?)
    }

    /// The stage of the pipeline that this one belongs to (itself when it is one).
    pub fn top(&self) -> StageView<'a> {
        let top = self.execution.around(&self.stage.id).skip(1).last();
        top.map_or(*self, |stage| StageView { execution: self.execution, stage })
    }

    /// The synthetic stages that it planned.
    pub fn children(&self) -> Vec<&'a Arc<Stage>> {
        self.execution.stages.iter().filter(|s| s.parent_stage_id.as_deref() == Some(&self.stage.id)).collect()
    }

    /// Every stage that ends before this one can: nearest first, each once, without itself. They are the stages that
    /// it requires, the synthetic stages of those, its parent (with what ran before it), and theirs in turn.
    pub fn ancestors(&self) -> Vec<&'a Arc<Stage>> {
        let mut seen: HashSet<&str> = HashSet::from([self.stage.id.as_str()]);
        let mut found: Vec<&'a Arc<Stage>> = Vec::new();
        let mut at = 0;
        let mut current: &Stage = self.stage;
        loop {
            for next in self.nearer(current) {
                if seen.insert(&next.id) {
                    found.push(next);
                }
            }
            let Some(next) = found.get(at) else {
                return found;
            };
            current = next;
            at += 1;
        }
    }

    fn nearer(&self, stage: &Stage) -> Vec<&'a Arc<Stage>> {
        let all = &self.execution.stages;
        let mut out: Vec<_> = if stage.requisite_stage_ref_ids.is_empty() {
            Vec::new()
        } else {
            all.iter()
                .filter(|s| {
                    s.parent_stage_id == stage.parent_stage_id && stage.requisite_stage_ref_ids.contains(&s.ref_id)
                })
                .collect()
        };
        // What ran inside a stage counts as its past, too: for the stage itself only what ran before its tasks.
        let own = stage.id == self.stage.id;
        out.extend(all.iter().filter(|s| {
            s.parent_stage_id.as_deref() == Some(&stage.id)
                && (!own || s.synthetic_stage_owner == Some(Owner::Before))
                && !self.is_inside(stage)
        }));
        if let Some(parent) = stage.parent_stage_id.as_deref() {
            out.extend(all.iter().filter(|s| s.id == parent));
            if stage.synthetic_stage_owner == Some(Owner::After) {
                out.extend(all.iter().filter(|s| {
                    s.parent_stage_id.as_deref() == Some(parent) && s.synthetic_stage_owner == Some(Owner::Before)
                }));
            }
        }
        out
    }

    /// Whether this view's stage lies inside `stage`: then its siblings are not its past.
    fn is_inside(&self, stage: &Stage) -> bool {
        let mut at = self.stage.parent_stage_id.as_deref();
        for _ in 0..64 {
            match at {
                None => return false,
                Some(id) if id == stage.id => return true,
                Some(id) => at = self.execution.stage(id).and_then(|s| s.parent_stage_id.as_deref()),
            }
        }
        false
    }
}
