//! What happens next: a total, pure function from an execution and a message to changes and further messages.
//!
//! No clock, no store, no network: the time comes in the [`World`], what must be done outside goes out as orders. One file
//! per kind of message. [`settle`] applies messages until nothing is due: that is one transition of an execution.

mod cancel_execution;
mod cancel_stage;
mod complete_execution;
mod complete_stage;
mod force_cancel;
mod patch_stage;
mod pause_execution;
mod picture;
mod restart_stage;
mod run_task;
mod skip_stage;
mod start_execution;
mod start_stage;
mod synthetic;
mod task_finished;
mod work;

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::evaluate::{Given, Need};
use crate::model::Execution;
use crate::{Map, Registry, TaskResult};
use picture::Picture;
pub use run_task::input as task_input;
use work::Work;

/// Something that happened to an execution, or that it told itself to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields are the ids of what the message is about")]
pub enum Message {
    /// It may start, unless others of its pipeline run.
    StartExecution,
    /// One of its branches ended: see whether all have.
    CompleteExecution,
    /// Somebody wants it to end.
    CancelExecution { user: String, reason: Option<String> },
    /// Somebody wants it to end at once, whatever it is at.
    ForceCancel { user: String, reason: Option<String> },
    /// Somebody holds it.
    PauseExecution { user: String },
    /// Somebody lets it go on.
    ResumeExecution { user: String },
    /// A stage's turn may have come.
    StartStage { stage: String },
    /// A synthetic stage ended: its parent goes on.
    ContinueParent { stage: String, phase: crate::model::Owner },
    /// A stage's last task or child ended, or it failed.
    CompleteStage { stage: String },
    /// A stage is left out.
    SkipStage { stage: String },
    /// A stage has to stop because another one failed.
    CancelStage { stage: String },
    /// Somebody wants a stage and all behind it anew.
    RestartStage { stage: String, user: String, context: Map },
    /// Somebody changes a stage's context.
    PatchStage { stage: String, user: String, context: Map },
    /// The task before it ended.
    StartTask { stage: String, task: String },
    /// Its time has come, or something woke it. `recover`: whoever ran it is gone.
    RunTask { stage: String, task: String, recover: bool },
    /// An effect answered.
    #[serde(skip)]
    TaskFinished { stage: String, task: String, lease: u64, result: TaskResult },
}

/// What a decision may know beside the execution and the message.
pub struct World<'a> {
    /// The present, and what was fetched for expressions.
    pub given: Arc<Given>,
    /// Stage types and tasks.
    pub registry: &'a Registry,
    /// How many other executions of the same saved pipeline run.
    pub running: usize,
}

impl World<'_> {
    fn now(&self) -> Timestamp {
        self.given.now
    }
}

/// Something to be done outside, after the commit.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are the ids of what the order is about")]
pub enum Order {
    /// Run an effect; its answer comes back as [`Message::TaskFinished`] with this lease.
    Run { stage: String, task: String, lease: u64 },
    /// Call the `cancel` of the effect under this key of the registry.
    Cancel { stage: String, task: String, effect: String },
    /// The execution has ended: tell those that wait for it, those that queue behind it, those that follow it.
    Ended,
    /// A stage was restarted in an execution that a `pipeline` stage started: restart that one, too.
    RestartParent { execution: String, stage: String, user: String },
}

/// The task of an [`Order::Cancel`] that is about all that a stage has started.
pub(crate) const WHOLE_STAGE: &str = "cancel";

/// A message for later.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum Timer {
    /// Due at `due` (milliseconds); replaces the one of the same key.
    Set { key: String, due: i64, message: Message },
    /// Not needed any more.
    Clear { key: String },
}

/// What one message leads to.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// The execution afterwards; unchanged stages are the same allocation.
    pub run: Execution,
    /// Messages that are due at once.
    pub messages: Vec<Message>,
    /// Messages for later.
    pub timers: Vec<Timer>,
    /// What to do outside.
    pub orders: Vec<Order>,
    /// What expressions asked for and did not have: fetch it and decide again; nothing else of this decision counts.
    pub needs: Vec<Need>,
}

/// A time that never comes: what waits for it waits to be woken.
pub const NEVER: i64 = i64::MAX;

/// Decides about one message. Total: a message that makes no sense (any more) changes nothing.
pub fn decide(run: Execution, message: &Message, world: &World) -> Decision {
    decide_by(run, message, world, &mut Picture::default())
}

fn decide_by(run: Execution, message: &Message, world: &World, picture: &mut Picture) -> Decision {
    let mut work = Work::new(run, world, picture);
    if work.hold(message) {
        return work.decision();
    }
    match message {
        Message::StartExecution => start_execution::start_execution(&mut work),
        Message::CompleteExecution => complete_execution::complete_execution(&mut work),
        Message::CancelExecution { user, reason } => {
            cancel_execution::cancel_execution(&mut work, user, reason.as_deref());
        }
        Message::ForceCancel { user, reason } => force_cancel::force_cancel(&mut work, user, reason.as_deref()),
        Message::PauseExecution { user } => pause_execution::pause(&mut work, user),
        Message::ResumeExecution { user } => pause_execution::resume(&mut work, user),
        Message::StartStage { stage } => start_stage::start_stage(&mut work, stage),
        Message::ContinueParent { stage, phase } => synthetic::continue_parent(&mut work, stage, *phase),
        Message::CompleteStage { stage } => complete_stage::complete_stage(&mut work, stage),
        Message::SkipStage { stage } => skip_stage::skip_stage(&mut work, stage),
        Message::CancelStage { stage } => cancel_stage::cancel_stage(&mut work, stage),
        Message::RestartStage { stage, user, context } => {
            restart_stage::restart_stage(&mut work, stage, user, context);
        }
        Message::PatchStage { stage, user, context } => patch_stage::patch_stage(&mut work, stage, user, context),
        Message::StartTask { stage, task } => run_task::start_task(&mut work, stage, task),
        Message::RunTask { stage, task, recover } => run_task::run_task(&mut work, stage, task, *recover),
        Message::TaskFinished { stage, task, lease, result } => {
            task_finished::task_finished(&mut work, stage, task, *lease, result);
        }
    }
    work.decision()
}

/// How many messages one transition may take; the rest goes on in the next.
const MOST: usize = 1000;

/// What a message and all that follows from it at once lead to.
#[derive(Debug, Default)]
pub struct Settled {
    /// The execution afterwards.
    pub run: Execution,
    /// In order: a later one for a key replaces an earlier one.
    pub timers: Vec<Timer>,
    /// In order.
    pub orders: Vec<Order>,
    /// Not decided yet: the transition was cut off.
    pub rest: Vec<Message>,
    /// See [`Decision::needs`]: then nothing of this transition counts.
    pub needs: Vec<Need>,
}

/// Decides about messages in order, and about those that follow from them, until none is due.
pub fn settle(run: &Execution, messages: Vec<Message>, world: &World) -> Settled {
    let mut settled = Settled { run: run.clone(), ..Settled::default() };
    let mut queue: VecDeque<Message> = messages.into();
    let mut picture = Picture::default();
    for _ in 0..MOST {
        let Some(message) = queue.pop_front() else { break };
        let decision = decide_by(settled.run, &message, world, &mut picture);
        settled.run = decision.run;
        if !decision.needs.is_empty() {
            settled.needs = decision.needs;
            return settled;
        }
        settled.timers.extend(decision.timers);
        settled.orders.extend(decision.orders);
        queue.extend(decision.messages);
    }
    settled.rest = queue.into();
    settled
}
