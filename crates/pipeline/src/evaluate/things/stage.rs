//! A stage, its family and what came before it.

use std::rc::Rc;

use expr::{Failure, Thing, Value};
use serde_json::Value as Json;

use super::{Execution, Outcome, context, no_elements, no_members, or, plain, status};

/// A stage of an execution.
#[derive(Clone)]
pub(in crate::evaluate) struct Stage<'a> {
    pub(super) execution: Rc<Execution<'a>>,
    pub(super) json: &'a Json,
}

impl<'a> Stage<'a> {
    pub(in crate::evaluate) fn text(&self, name: &str) -> Option<&'a str> {
        self.json.get(name).and_then(Json::as_str)
    }

    /// What the stage's own context says.
    pub(in crate::evaluate) fn own_context(&self, name: &str) -> Option<Value<'a>> {
        self.context(name).map(Value::of)
    }

    pub(in crate::evaluate) fn context(&self, name: &str) -> Option<&'a Json> {
        self.json.get("context")?.get(name)
    }

    pub(in crate::evaluate) fn output(&self, name: &str) -> Option<Value<'a>> {
        self.json.get("outputs")?.get(name).map(Value::of)
    }

    fn requisites(&self) -> Vec<&'a str> {
        let all = self.json.get("requisiteStageRefIds").and_then(Json::as_array);
        all.map_or_else(Vec::new, |all| all.iter().filter_map(Json::as_str).collect())
    }

    fn parent(&self) -> Option<Stage<'a>> {
        let id = self.text("parentStageId")?;
        self.execution.stages().find(|stage| stage.text("id") == Some(id))
    }

    /// The stage itself and all before it, nearest first.
    pub(in crate::evaluate) fn ancestors(&self) -> Vec<Stage<'a>> {
        let mut found = vec![self.clone()];
        let mut visited = vec![self.identity()];
        let mut next = vec![self.clone()];
        while let Some(stage) = next.pop() {
            let before = stage.directly_before(&visited);
            visited.extend(before.leading.iter().map(Stage::identity));
            // The nearest of the leading is gone into first.
            next.extend(before.leading.iter().rev().cloned());
            found.extend(before.leading);
            found.extend(before.beside);
        }
        found
    }

    /// The stages it waits for, with their synthetic stages; for a synthetic stage its parent.
    fn directly_before(&self, visited: &[usize]) -> Before<'a> {
        let unseen = |stage: &Stage<'a>| !visited.contains(&stage.identity());
        let requisites = self.requisites();
        if !requisites.is_empty() {
            let is_requisite =
                |stage: &Stage<'a>| stage.text("refId").is_some_and(|reference| requisites.contains(&reference));
            let leading: Vec<Stage> =
                self.execution.stages().filter(|stage| is_requisite(stage) && unseen(stage)).collect();
            let is_child = |stage: &Stage<'a>| {
                let parent = stage.text("parentStageId");
                parent.is_some() && leading.iter().any(|of| of.text("id") == parent)
            };
            let beside = self.execution.stages().filter(is_child).collect();
            return Before { leading, beside };
        }
        let Some(parent) = self.parent().filter(unseen) else {
            return Before { leading: Vec::new(), beside: Vec::new() };
        };
        let is_before = |stage: &Stage<'a>| {
            stage.text("parentStageId") == parent.text("id")
                && stage.text("syntheticStageOwner") == Some("STAGE_BEFORE")
        };
        let after = self.text("syntheticStageOwner") == Some("STAGE_AFTER");
        let beside = if after { self.execution.stages().filter(is_before).collect() } else { Vec::new() };
        Before { leading: vec![parent], beside }
    }

    /// The stage and the stages that planned it.
    pub(in crate::evaluate) fn family(&self) -> Vec<Stage<'a>> {
        let mut family = vec![self.clone()];
        // A cycle of parents ends after as many steps as there are stages.
        while let Some(parent) =
            family.last().and_then(Stage::parent).filter(|_| family.len() <= self.execution.stages.len())
        {
            family.push(parent);
        }
        family
    }

    fn top_level(&self) -> Stage<'a> {
        self.family().pop().unwrap_or_else(|| self.clone())
    }

    /// All stages that wait for this one.
    fn downstream(&self) -> Vec<Stage<'a>> {
        let reference = self.text("refId");
        self.execution.stages().filter(|stage| stage.requisites().iter().any(|of| Some(*of) == reference)).collect()
    }

    fn is(&self, statuses: &[&str]) -> Value<'a> {
        Value::Bool(self.text("status").is_some_and(|status| statuses.contains(&status)))
    }
}

/// What directly precedes a stage: what is gone into further, and what stands beside it.
struct Before<'a> {
    leading: Vec<Stage<'a>>,
    beside: Vec<Stage<'a>>,
}

fn listed<'a>(stages: Vec<Stage<'a>>) -> Value<'a> {
    Value::List(stages.into_iter().map(|stage| Value::Thing(Rc::new(stage))).collect())
}

impl<'a> Thing<'a> for Stage<'a> {
    fn what(&self) -> String {
        "a stage".to_owned()
    }

    fn property(&self, name: &str) -> Option<Outcome<'a>> {
        let json = self.json;
        Some(Ok(match name {
            "id" | "refId" | "type" | "name" | "startTime" | "endTime" | "startTimeExpiry" | "parentStageId"
            | "scheduledTime" => plain(json, name),
            "status" => status(json),
            "context" => context(self),
            "outputs" => or(json, name, no_members()),
            "tasks" | "requisiteStageRefIds" => or(json, name, no_elements()),
            "execution" => Value::Thing(self.execution.clone()),
            "topLevelStage" => Value::Thing(Rc::new(self.top_level())),
            "parent" => match self.parent() {
                Some(parent) => Value::Thing(Rc::new(parent)),
                None => return Some(Err(Failure::new("the stage has no parent"))),
            },
            "hasSucceeded" => self.is(&["SUCCEEDED"]),
            "hasFailed" => self.is(&["TERMINAL"]),
            "join" => Value::Bool(self.requisites().len() > 1),
            "manualJudgmentType" => Value::Bool(self.text("type") == Some("manualJudgment")),
            "ancestors" => listed(self.ancestors()),
            "upstreamStages" => listed(self.directly_before(&[]).leading),
            "downstreamStages" => listed(self.downstream()),
            _ => return None,
        }))
    }

    fn method(&self, name: &str, args: &[Value<'a>]) -> Option<Outcome<'a>> {
        let callable =
            matches!(name, "hasSucceeded" | "hasFailed" | "ancestors" | "upstreamStages" | "downstreamStages");
        (callable && args.is_empty()).then(|| self.property(name)).flatten()
    }

    fn json(&self) -> Result<Json, Failure> {
        Ok(self.json.clone())
    }

    fn identity(&self) -> usize {
        std::ptr::from_ref(self.json).addr()
    }
}
