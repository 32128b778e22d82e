//! The executions in memory: their state, what is due for them when, and who waits for what. A batch of events is decided
//! here; it is written, and acted upon, by the actor. No clock, no store, no runtime: the time is handed in, and what a
//! batch changed goes out as rows. So a simulation can drive it, crash it, and start it anew.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::live::{Found, Live, Pending, Rows};
use super::{EngineError, begin, effects};
use crate::decide::{Message, NEVER, Order, World, settle};
use crate::evaluate::{Given, Need};
use crate::model::{Execution, Status};
use crate::{Registry, TaskResult, records};

/// How many due timers join a batch.
const DUE: usize = 1024;
/// How many woken topics are remembered for effects that were under way.
const WOKEN: usize = 4096;

/// Something that happened to the executions in memory.
#[derive(Debug)]
#[allow(missing_docs, reason = "the fields are the ids of what the event is about")]
pub enum Event {
    /// Something was told to an execution; it is noted in its journal.
    Tell { execution: String, message: Message },
    /// An effect answered. `asked`: how many topics had been woken when it was handed out.
    Finished { execution: String, stage: String, task: String, lease: u64, result: TaskResult, asked: u64 },
    /// Something that a topic stands for has changed.
    Wake(String),
    /// What expressions asked for has come: the messages that needed it are decided again.
    Fetched { execution: String, found: Found, again: Vec<(String, Message)> },
    /// Something that had to be done after a commit is done.
    Settled { execution: String, key: String },
}

/// What expressions of an execution ask for, and the pending messages that wait for it.
#[derive(Debug)]
pub struct Asked {
    /// Whose.
    pub execution: String,
    /// What.
    pub needs: Vec<Need>,
    /// Key and message, to come back in [`Event::Fetched`].
    pub again: Vec<(String, Message)>,
}

/// What a batch led to. What it changed in memory counts outside only when its rows are written.
#[derive(Debug, Default)]
pub struct Batch {
    now: Timestamp,
    before: HashMap<String, Live>,
    journal: HashMap<String, Vec<String>>,
    queue: VecDeque<(String, Vec<Message>)>,
    ended: Vec<String>,
    /// How many messages were decided, each with all that follows from it.
    pub(super) transitions: u64,
    /// What is to be done outside, after the commit.
    pub orders: Vec<(String, Order)>,
    /// What is to be fetched, after the commit.
    pub asked: Vec<Asked>,
    /// What other executions are told.
    pub told: Vec<Event>,
}

/// All executions that have not ended, or have something left to do.
pub struct Running {
    registry: Arc<Registry>,
    live: HashMap<String, Live>,
    /// Due, execution, key.
    timers: BTreeSet<(i64, String, String)>,
    /// The executions with a task that waits for a topic.
    waiting: HashMap<String, BTreeSet<String>>,
    /// The executions of a saved pipeline that run, or are held.
    at_work: HashMap<String, BTreeSet<String>>,
    /// Those that others of their pipeline keep from starting, oldest first.
    queued: HashMap<String, BTreeSet<String>>,
    /// Counts woken topics; an effect that was handed out earlier may have missed those after.
    woken: u64,
    recent: VecDeque<(u64, String)>,
    /// Had ended, and somebody tells them something.
    recalled: Vec<String>,
}

impl Running {
    /// None, over these stage types and tasks.
    pub fn new(registry: Arc<Registry>) -> Running {
        Running {
            registry,
            live: HashMap::new(),
            timers: BTreeSet::new(),
            waiting: HashMap::new(),
            at_work: HashMap::new(),
            queued: HashMap::new(),
            woken: 0,
            recent: VecDeque::new(),
            recalled: Vec::new(),
        }
    }

    /// How many topics were woken so far.
    pub fn woken(&self) -> u64 {
        self.woken
    }

    /// The state of one.
    pub fn get(&self, id: &str) -> Option<&Live> {
        self.live.get(id)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Puts an execution into memory; answers what was to be done outside after a commit and may not have been.
    pub fn adopt(&mut self, live: Live) -> Vec<Order> {
        let orders = live.pending.keys().filter_map(|key| effects::order_of(key)).collect();
        if !live.is_over() {
            self.put(live);
        }
        orders
    }

    /// Takes one that has ended back into memory, for the next batch.
    pub fn recall(&mut self, live: Live) {
        self.recalled.push(live.run.id.clone());
        self.put(live);
    }

    /// When the next timer is due, in milliseconds.
    pub fn next_due(&self) -> Option<i64> {
        self.timers.first().map(|(due, ..)| *due)
    }

    /// Why an execution cannot be told this.
    pub fn refuses(&self, execution: &str, message: &Message) -> Option<EngineError> {
        let Some(live) = self.live.get(execution) else {
            return Some(EngineError::UnknownExecution(execution.to_owned()));
        };
        let stage = match message {
            Message::PatchStage { stage, .. } | Message::RestartStage { stage, .. } => stage,
            _ => return None,
        };
        let error = || EngineError::UnknownStage { execution: execution.to_owned(), stage: stage.clone() };
        live.run.stage(stage).is_none().then(error)
    }

    /// Decides about events in their order, each with all that follows from it, then about what is due by now.
    pub fn decide(&mut self, events: Vec<Event>, now: Timestamp) -> Batch {
        let mut batch = Batch { now, ..Batch::default() };
        for event in events {
            // One after the other: an answer that says what it waits for must be there before the next event wakes it.
            self.take(event, &mut batch);
            self.settle(&mut batch);
        }
        self.due(&mut batch);
        self.settle(&mut batch);
        batch
    }

    fn settle(&mut self, batch: &mut Batch) {
        while let Some((id, messages)) = batch.queue.pop_front() {
            self.step(&id, messages, batch);
        }
    }

    /// What a batch changed, as rows to be written in one transaction.
    pub fn rows(&self, batch: &mut Batch) -> Vec<Rows> {
        let mut rows = Vec::new();
        for (id, old) in &batch.before {
            let Some(new) = self.live.get(id) else { continue };
            let journal = batch.journal.remove(id).unwrap_or_default();
            rows.push(Rows::between(old, new, journal, batch.ended.contains(id)));
        }
        rows
    }

    /// A batch is written. `followed`: the executions that ended and that others follow: their start is left to do.
    pub fn written(&mut self, batch: &Batch, followed: &[String]) {
        let recalled = std::mem::take(&mut self.recalled);
        for id in batch.before.keys().chain(&recalled) {
            let Some(live) = self.live.get(id) else { continue };
            if followed.contains(id) {
                let mut live = live.clone();
                live.pending.insert(effects::FOLLOW.into(), effects::follow_later());
                self.put(live);
            } else if live.is_over() {
                self.remove(id);
            }
        }
    }

    fn take(&mut self, event: Event, batch: &mut Batch) {
        match event {
            Event::Tell { execution, message } => {
                batch.journal.entry(execution.clone()).or_default().push(records::json(&message));
                batch.queue.push_back((execution, vec![message]));
            }
            Event::Finished { execution, stage, task, lease, result, asked } => {
                let missed = match &result {
                    TaskResult::Again { wake_on, .. } => {
                        self.recent.iter().rev().take_while(|(seen, _)| *seen > asked).any(|(_, t)| wake_on.contains(t))
                    }
                    _ => false,
                };
                let again =
                    missed.then(|| Message::RunTask { stage: stage.clone(), task: task.clone(), recover: false });
                let finished = Message::TaskFinished { stage, task, lease, result };
                batch.queue.push_back((execution, std::iter::once(finished).chain(again).collect()));
            }
            Event::Wake(topic) => self.wake(&topic, batch),
            Event::Fetched { execution, found, again } => {
                let Some(live) = self.live.get(&execution) else { return };
                let mut live = live.clone();
                let mut known = Found::clone(&live.found);
                known.take(found);
                live.found = Arc::new(known);
                let again = again.into_iter().filter(|(key, _)| live.pending.remove(key).is_some());
                let messages: Vec<Message> = again.map(|(_, message)| message).collect();
                self.change(live, batch);
                batch.queue.push_back((execution, messages));
            }
            Event::Settled { execution, key } => {
                let Some(live) = self.live.get(&execution) else { return };
                let mut live = live.clone();
                live.pending.remove(&key);
                self.change(live, batch);
            }
        }
    }

    /// Those that wait for a topic look again.
    fn wake(&mut self, topic: &str, batch: &mut Batch) {
        self.woken += 1;
        self.recent.push_back((self.woken, topic.to_owned()));
        if self.recent.len() > WOKEN {
            self.recent.pop_front();
        }
        for id in self.waiting.get(topic).into_iter().flatten() {
            let Some(live) = self.live.get(id) else { continue };
            for stage in live.run.stages.iter().filter(|s| s.status == Status::Running) {
                for task in &stage.tasks {
                    if task.waiting.as_ref().is_some_and(|w| w.wake_on.iter().any(|t| t == topic)) {
                        let (stage, task) = (stage.id.clone(), task.id.clone());
                        batch.queue.push_back((id.clone(), vec![Message::RunTask { stage, task, recover: false }]));
                    }
                }
            }
        }
    }

    /// What is due by the clock.
    fn due(&mut self, batch: &mut Batch) {
        let now = batch.now.as_millisecond();
        let mut taken = 0;
        while let Some((due, id, key)) = self.timers.first().filter(|(due, ..)| *due <= now && taken < DUE).cloned() {
            taken += 1;
            let Some(live) = self.live.get(&id) else {
                self.timers.pop_first();
                continue;
            };
            let pending = live.pending.get(&key).filter(|p| p.due == due && effects::order_of(&key).is_none());
            let Some(message) = pending.map(|p| p.message.clone()) else {
                self.timers.pop_first();
                continue;
            };
            let mut live = live.clone();
            live.pending.remove(&key);
            self.change(live, batch);
            batch.queue.push_back((id, vec![message]));
        }
    }

    /// Decides about messages of one execution, and queues what follows for others.
    fn step(&mut self, id: &str, messages: Vec<Message>, batch: &mut Batch) {
        let Some(live) = self.live.get(id) else { return };
        batch.transitions += messages.len() as u64;
        let mut live = live.clone();
        let given = Arc::new(given(&live, batch.now));
        let world = World { given, registry: &self.registry, running: self.running_beside(&live.run) };
        let settled = settle(&live.run, messages.clone(), &world);
        if !settled.needs.is_empty() {
            return self.ask(live, settled.needs, messages, batch);
        }
        live.run = settled.run;
        settled.timers.into_iter().for_each(|timer| live.apply(timer));
        live.later(settled.rest, batch.now.as_millisecond());
        let mut ended = false;
        for order in settled.orders {
            match order {
                Order::Ended => ended = true,
                Order::RestartParent { execution, stage, user } => {
                    batch.told.push(restart_parent(execution, stage, user, id));
                }
                order => {
                    if let Some(key) = effects::key_of(&order) {
                        live.pending.insert(key, Pending { due: NEVER, message: Message::CompleteExecution });
                    }
                    batch.orders.push((id.to_owned(), order));
                }
            }
        }
        let run = ended.then(|| live.run.clone());
        self.change(live, batch);
        if let Some(run) = run {
            batch.ended.push(id.to_owned());
            self.wake(&format!("execution:{id}"), batch);
            self.start_waiting(&run, batch);
        }
    }

    /// How many other executions of the same saved pipeline run (a paused one runs, too).
    fn running_beside(&self, run: &Execution) -> usize {
        if !run.limit_concurrent && run.max_concurrent_executions <= 0 {
            // Nobody asks.
            return 0;
        }
        let Some(at_work) = run.pipeline_config_id.as_ref().and_then(|pipeline| self.at_work.get(pipeline)) else {
            return 0;
        };
        at_work.len() - usize::from(at_work.contains(&run.id))
    }

    /// An execution has ended: those of its pipeline that wait may start. Without `keepWaitingPipelines` only the newest
    /// does, and the others are cancelled.
    fn start_waiting(&self, ended: &Execution, batch: &mut Batch) {
        let queued = ended.pipeline_config_id.as_ref().and_then(|pipeline| self.queued.get(pipeline));
        let mut waiting: Vec<String> = queued.into_iter().flatten().cloned().collect();
        if !ended.keep_waiting_pipelines
            && let Some(newest) = waiting.pop()
        {
            for old in waiting.drain(..) {
                let reason = Some(format!("This execution was superseded by a newer one: {newest}"));
                let message = Message::CancelExecution { user: "spinnaker".into(), reason };
                batch.queue.push_back((old, vec![message]));
            }
            waiting.push(newest);
        }
        for id in waiting {
            batch.queue.push_back((id, vec![Message::StartExecution]));
        }
    }

    /// Expressions ask for something: the messages stay pending until it has been fetched.
    fn ask(&mut self, mut live: Live, needs: Vec<Need>, messages: Vec<Message>, batch: &mut Batch) {
        let execution = live.run.id.clone();
        let late = batch.now.as_millisecond() + 60_000;
        let first = live.pending.keys().filter(|k| k.starts_with("needs:")).count();
        let mut again = Vec::new();
        for (i, message) in messages.into_iter().enumerate() {
            let key = format!("needs:{late}:{:04}", first + i);
            live.pending.insert(key.clone(), Pending { due: late, message: message.clone() });
            again.push((key, message));
        }
        self.change(live, batch);
        batch.asked.push(Asked { execution, needs, again });
    }

    /// Takes over a new state within a batch.
    fn change(&mut self, live: Live, batch: &mut Batch) {
        if let Some(old) = self.put(live) {
            batch.before.entry(old.run.id.clone()).or_insert(old);
        }
    }

    /// Puts a state into memory and brings what leads to it up to date.
    fn put(&mut self, live: Live) -> Option<Live> {
        let id = live.run.id.clone();
        let old = self.live.remove(&id);
        let (gone, come) = (old.as_ref().map(|l| &l.pending), Some(&live.pending));
        for (key, pending) in gone.into_iter().flatten() {
            if come.and_then(|p| p.get(key)).is_none_or(|p| p.due != pending.due) {
                self.timers.remove(&(pending.due, id.clone(), key.clone()));
            }
        }
        for (key, pending) in come.into_iter().flatten() {
            if gone.and_then(|p| p.get(key)).is_none_or(|p| p.due != pending.due) {
                self.timers.insert((pending.due, id.clone(), key.clone()));
            }
        }
        let (gone, come) = (old.as_ref().map(topics).unwrap_or_default(), topics(&live));
        for topic in gone.difference(&come) {
            forget(&mut self.waiting, topic, &id);
        }
        for topic in come.difference(&gone) {
            self.waiting.entry((*topic).to_owned()).or_default().insert(id.clone());
        }
        let (was, is) = (old.as_ref().and_then(standing), standing(&live));
        if was != is {
            self.stands_no_more(was, &id);
            if let Some((place, pipeline)) = is {
                self.index(place).entry(pipeline.to_owned()).or_default().insert(id.clone());
            }
        }
        self.live.insert(id, live);
        old
    }

    fn remove(&mut self, id: &str) {
        let Some(old) = self.live.remove(id) else { return };
        for (key, pending) in &old.pending {
            self.timers.remove(&(pending.due, id.to_owned(), key.clone()));
        }
        for topic in topics(&old) {
            forget(&mut self.waiting, topic, id);
        }
        self.stands_no_more(standing(&old), id);
    }

    fn stands_no_more(&mut self, was: Option<(Place, &str)>, id: &str) {
        if let Some((place, pipeline)) = was {
            forget(self.index(place), pipeline, id);
        }
    }

    fn index(&mut self, place: Place) -> &mut HashMap<String, BTreeSet<String>> {
        match place {
            Place::AtWork => &mut self.at_work,
            Place::Queued => &mut self.queued,
        }
    }
}

/// What expressions of an execution may know at `now`.
pub fn given(live: &Live, now: Timestamp) -> Given {
    Given {
        now,
        seed: begin::seed(&live.run.id) ^ u64::try_from(now.as_millisecond()).unwrap_or(0),
        pipelines: live.found.pipelines.clone(),
        applications: live.found.applications.clone(),
        fetched: live.found.fetched.clone(),
    }
}

/// Where an execution stands among those of its saved pipeline.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    AtWork,
    Queued,
}

/// Its place, and its pipeline. None: it is in nobody's way and nobody is in its.
fn standing(live: &Live) -> Option<(Place, &str)> {
    let pipeline = live.run.pipeline_config_id.as_deref()?;
    match live.run.status {
        Status::Running | Status::Paused => Some((Place::AtWork, pipeline)),
        Status::NotStarted if live.run.waiting.is_some() => Some((Place::Queued, pipeline)),
        _ => None,
    }
}

/// The topics that its tasks wait for.
fn topics(live: &Live) -> BTreeSet<&str> {
    let running = live.run.stages.iter().filter(|s| s.status == Status::Running);
    let waiting = running.flat_map(|s| &s.tasks).filter_map(|t| t.waiting.as_ref());
    waiting.flat_map(|w| w.wake_on.iter().map(String::as_str)).collect()
}

fn forget(index: &mut HashMap<String, BTreeSet<String>>, key: &str, id: &str) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

fn restart_parent(execution: String, stage: String, user: String, child: &str) -> Event {
    let mut context = crate::Map::new();
    context.insert("_skipPipelineRestart".into(), serde_json::Value::Bool(true));
    context.insert("executionId".into(), serde_json::Value::String(child.to_owned()));
    Event::Tell { execution, message: Message::RestartStage { stage, user, context } }
}
