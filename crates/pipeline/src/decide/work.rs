//! What a decision builds up: the execution as it will be, and what goes out. Small words that the deciding files share.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::picture::Picture;
use super::{Decision, Message, NEVER, Order, Timer, World};
use crate::evaluate::SUMMARY;
use crate::model::{Execution, Stage, Status};
use crate::{Map, StageView};

pub(super) struct Work<'a> {
    pub run: Execution,
    pub world: &'a World<'a>,
    /// The present in milliseconds.
    pub now: i64,
    picture: &'a mut Picture,
    out: Decision,
}

impl<'a> Work<'a> {
    pub fn new(run: Execution, world: &'a World<'a>, picture: &'a mut Picture) -> Work<'a> {
        Work { run, world, picture, now: world.now().as_millisecond(), out: Decision::default() }
    }

    pub fn decision(self) -> Decision {
        Decision { run: self.run, ..self.out }
    }

    /// While an execution is held, what would begin something waits; it is sent again when the execution goes on.
    pub fn hold(&mut self, message: &Message) -> bool {
        let begins = matches!(
            message,
            Message::StartStage { .. }
                | Message::ContinueParent { .. }
                | Message::CompleteStage { .. }
                | Message::StartTask { .. }
                | Message::CompleteExecution
        );
        if self.run.status != Status::Paused || !begins {
            return false;
        }
        let held = match serde_json::to_value(message) {
            Ok(held) => held,
            Err(_) => return false,
        };
        let list = self.run.other.entry("heldMessages").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list
            && !list.contains(&held)
        {
            list.push(held);
        }
        true
    }

    /// Takes what was held while the execution was paused.
    pub fn take_held(&mut self) -> Vec<Message> {
        let Some(Value::Array(held)) = self.run.other.shift_remove("heldMessages") else { return Vec::new() };
        held.into_iter().filter_map(|m| serde_json::from_value(m).ok()).collect()
    }

    pub fn send(&mut self, message: Message) {
        self.out.messages.push(message);
    }

    pub fn order(&mut self, order: Order) {
        self.out.orders.push(order);
    }

    pub fn needs(&mut self, needs: Vec<crate::evaluate::Need>) {
        self.out.needs = needs;
    }

    pub fn set_timer(&mut self, key: String, due: i64, message: Message) {
        self.out.timers.push(Timer::Set { key, due, message });
    }

    pub fn clear_timer(&mut self, key: String) {
        self.out.timers.push(Timer::Clear { key });
    }

    /// Sets the one timer that a running task has.
    pub fn task_timer(&mut self, stage: &str, task: &str, due: Option<i64>) {
        let message = Message::RunTask { stage: stage.to_owned(), task: task.to_owned(), recover: false };
        self.set_timer(task_key(stage, task), due.unwrap_or(NEVER), message);
    }

    pub fn clear_task_timer(&mut self, stage: &str, task: &str) {
        self.clear_timer(task_key(stage, task));
    }

    pub fn stage(&self, id: &str) -> Option<Arc<Stage>> {
        self.run.stage(id).cloned()
    }

    /// Changes a stage; a stage that is not there stays so.
    pub fn edit(&mut self, id: &str, change: impl FnOnce(&mut Stage)) {
        if let Some(stage) = self.run.stages.iter_mut().find(|s| s.id == id) {
            change(Arc::make_mut(stage));
        }
    }

    pub fn timestamp(&self) -> Timestamp {
        self.world.now()
    }

    /// The context of a stage with its expressions evaluated. None: something has to be fetched first.
    pub fn evaluated(&mut self, stage: &Stage) -> Option<Map> {
        let kind = self.world.registry.stage_type(&stage.kind, alias(stage));
        let wanted = match kind.is_some_and(|kind| kind.evaluates_once()) {
            true => stage.status == Status::NotStarted,
            false => has_expressions(&stage.context),
        };
        if !wanted {
            return Some(stage.context.clone());
        }
        let context = Value::Object(stage.context.clone());
        let (execution, given) = (self.picture.of(&self.run), &self.world.given);
        let mut evaluated = match kind {
            Some(kind) => kind.evaluate(execution, &stage.ref_id, &context, given),
            None => crate::evaluate::stage_context(execution, &stage.ref_id, &context, given),
        };
        if !evaluated.needs.is_empty() {
            self.needs(std::mem::take(&mut evaluated.needs));
            return None;
        }
        let mut value = std::mem::take(&mut evaluated.value);
        evaluated.write_summary(&mut value);
        match value {
            Value::Object(map) => Some(map),
            _ => Some(stage.context.clone()),
        }
    }

    /// The execution as JSON.
    pub fn json(&mut self) -> &Value {
        self.picture.of(&self.run)
    }

    /// Looks at a stage whose context was just evaluated.
    pub fn view<'b>(&'b self, stage: &'b Stage) -> StageView<'b> {
        StageView::with(&self.run, stage)
    }

    /// When a stage has to be done at the latest: the nearest `stageTimeoutMs` of it and its parents, counted from the
    /// start of the stage that has it; held time does not count.
    pub fn deadline(&self, stage: &Stage, task: &crate::model::Task) -> Option<i64> {
        let mut at = Some(stage);
        for _ in 0..64 {
            let Some(here) = at else { break };
            if let Some(limit) = here.context.get("stageTimeoutMs").and_then(Value::as_i64)
                && let Some(start) = here.start_time
            {
                return Some(start.saturating_add(limit).saturating_add(self.uncounted(here, start)));
            }
            at = here.parent_stage_id.as_deref().and_then(|id| self.run.stage(id)).map(|s| s.as_ref());
        }
        let (limit, start) = (task.timeout_ms?, task.start_time?);
        Some(start.saturating_add(limit).saturating_add(self.uncounted(stage, start)))
    }

    /// Time that does not count against a limit: held, or waiting for the execution window.
    fn uncounted(&self, stage: &Stage, from: i64) -> i64 {
        let held = self.run.paused.as_ref().map_or(0, |p| p.held_between(from, self.now));
        let window = self
            .run
            .all_children(&stage.id)
            .find(|s| s.kind == crate::window::KIND)
            .and_then(|s| Some(s.end_time.unwrap_or(self.now) - s.start_time?));
        held + window.unwrap_or(0).max(0)
    }

    /// The stage of the pipeline that this one belongs to.
    pub fn top(&self, id: &str) -> Option<Arc<Stage>> {
        let mut at = self.stage(id)?;
        for _ in 0..64 {
            let Some(parent) = at.parent_stage_id.as_deref() else { break };
            at = self.stage(parent)?;
        }
        Some(at)
    }
}

pub(super) fn alias(stage: &Stage) -> Option<&str> {
    stage.context.get("alias").and_then(Value::as_str).filter(|a| !a.is_empty())
}

pub(super) fn task_key(stage: &str, task: &str) -> String {
    format!("run:{stage}:{task}")
}

/// Whether anything in a context is an expression, or was one that failed.
pub(super) fn has_expressions(context: &Map) -> bool {
    context.contains_key(SUMMARY) || context.iter().any(|(k, v)| k.contains("${") || value_has(v))
}

fn value_has(value: &Value) -> bool {
    match value {
        Value::String(s) => s.contains("${"),
        Value::Array(list) => list.iter().any(value_has),
        Value::Object(map) => map.iter().any(|(k, v)| k.contains("${") || value_has(v)),
        _ => false,
    }
}

/// An id that is the same whenever the same decision is made again: a ULID of this moment and of what it is made for.
pub(super) fn made_id(now: i64, of: &[&str]) -> String {
    // FNV-1a over 128 bits, of which a ULID keeps 80.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for part in of {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    let millis = u128::try_from(now).unwrap_or(0) & ((1 << 48) - 1);
    let bits = (millis << 80) | ((hash ^ (hash >> 64)) & ((1 << 80) - 1));
    let alphabet = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    (0..26).rev().map(|i| alphabet[((bits >> (5 * i)) & 31) as usize] as char).collect()
}
