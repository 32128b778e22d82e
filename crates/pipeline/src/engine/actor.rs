//! The actor: a batch of inputs, one transaction, then the effects.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::live::{Found, Live, Pending, Rows, load};
use super::{Engine, EngineError, Fetch, Input, begin, effects};
use crate::decide::{Message, NEVER, Order, World, settle};
use crate::evaluate::{Given, Need};
use crate::model::Status;
use crate::{Registry, TaskResult, records};

/// How many inputs share a transaction.
const BATCH: usize = 256;
/// How many woken topics are remembered for effects that were under way.
const WOKEN: usize = 4096;

pub(super) struct Actor {
    engine: Engine,
    registry: Arc<Registry>,
    fetch: Arc<dyn Fetch>,
    inbox: mpsc::UnboundedReceiver<Input>,
    live: HashMap<String, Live>,
    timers: BTreeSet<(i64, String, String)>,
    /// Counts woken topics; an effect that was handed out earlier may have missed those after.
    woken: u64,
    recent: VecDeque<(u64, String)>,
    stopped: Option<oneshot::Sender<()>>,
}

type Reply = oneshot::Sender<Result<(), EngineError>>;

/// What expressions of an execution ask for, and the pending messages that wait for it.
type Asked = (String, Vec<Need>, Vec<(String, Message)>);

/// What a batch builds up; nothing of it counts before the commit.
#[derive(Default)]
struct Batch {
    next: HashMap<String, Live>,
    journal: HashMap<String, Vec<String>>,
    orders: Vec<(String, Order)>,
    fetch: Vec<Asked>,
    replies: Vec<Reply>,
    lines: Vec<(String, String, String)>,
    queue: VecDeque<(String, Vec<Message>)>,
}

impl Actor {
    pub fn new(
        engine: Engine,
        registry: Registry,
        fetch: Arc<dyn Fetch>,
        inbox: mpsc::UnboundedReceiver<Input>,
    ) -> Actor {
        Actor {
            engine,
            registry: Arc::new(registry),
            fetch,
            inbox,
            live: HashMap::new(),
            timers: BTreeSet::new(),
            woken: 0,
            recent: VecDeque::new(),
            stopped: None,
        }
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn now(&self) -> i64 {
        self.engine.store().clock().now().as_millisecond()
    }

    /// Puts an execution into memory, with its timers; what was to be done outside after a commit is done (again).
    pub fn adopt(&mut self, live: Live) {
        let id = live.run.id.clone();
        for (key, pending) in &live.pending {
            self.timers.insert((pending.due, id.clone(), key.clone()));
            if let Some(order) = effects::order_of(key) {
                self.perform(&id, &live, order);
            }
        }
        self.live.insert(id, live);
    }

    pub async fn work(mut self) {
        loop {
            let mut inputs = Vec::new();
            let wait = self.until_next();
            tokio::select! {
                count = self.inbox.recv_many(&mut inputs, BATCH) => if count == 0 { return },
                () = tokio::time::sleep(wait) => {}
            }
            self.batch(inputs).await;
            if let Some(reply) = self.stopped.take() {
                let _ = reply.send(());
                return;
            }
        }
    }

    fn until_next(&self) -> Duration {
        // Clocks jump: look at least once a minute.
        let most = Duration::from_secs(60);
        let Some((due, ..)) = self.timers.first() else { return most };
        Duration::from_millis(u64::try_from(due.saturating_sub(self.now())).unwrap_or(0)).min(most)
    }

    async fn batch(&mut self, inputs: Vec<Input>) {
        let mut batch = Batch::default();
        self.load_missing(&inputs).await;
        for input in inputs {
            self.take(input, &mut batch);
        }
        self.due(&mut batch);
        while let Some((id, messages)) = batch.queue.pop_front() {
            self.step(&id, messages, &mut batch);
        }
        self.commit(batch).await;
    }

    /// Executions that are named and not in memory: new ones, and those that had ended.
    async fn load_missing(&mut self, inputs: &[Input]) {
        let mut missing: Vec<String> = Vec::new();
        for input in inputs {
            if let Input::Load(id) | Input::Tell { execution: id, .. } = input
                && !self.live.contains_key(id)
                && !missing.contains(id)
            {
                missing.push(id.clone());
            }
        }
        if missing.is_empty() {
            return;
        }
        let read = self.engine.store().read(move |tx| {
            let mut out = Vec::new();
            for id in &missing {
                out.extend(load(tx, id)?);
            }
            Ok::<_, store::StoreError>(out)
        });
        match read.await {
            Ok(found) => found.into_iter().for_each(|live| self.adopt(live)),
            Err(error) => tracing::error!(%error, "cannot read executions"),
        }
    }

    fn take(&mut self, input: Input, batch: &mut Batch) {
        match input {
            Input::Load(_) => {}
            Input::Tell { execution, message, reply } => self.tell(execution, message, reply, batch),
            Input::Finished { execution, stage, task, lease, result, asked } => {
                let missed = match &result {
                    TaskResult::Again { wake_on, .. } => {
                        self.recent.iter().any(|(seen, topic)| *seen > asked && wake_on.contains(topic))
                    }
                    _ => false,
                };
                let (s, t) = (stage.clone(), task.clone());
                let mut messages = vec![Message::TaskFinished { stage, task, lease, result }];
                if missed {
                    messages.push(Message::RunTask { stage: s, task: t, recover: false });
                }
                batch.queue.push_back((execution, messages));
            }
            Input::Wake(topic) => self.wake(&topic, batch),
            Input::Fetched { execution, found, again } => {
                let Some(live) = self.latest(&execution, batch) else { return };
                let mut live = live.clone();
                let mut known = Found::clone(&live.found);
                known.take(found);
                live.found = Arc::new(known);
                let mut messages = Vec::new();
                for (key, message) in again {
                    if live.pending.remove(&key).is_some() {
                        messages.push(message);
                    }
                }
                batch.next.insert(execution.clone(), live);
                batch.queue.push_back((execution, messages));
            }
            Input::Settled { execution, key } => {
                if let Some(live) = self.latest(&execution, batch) {
                    let mut live = live.clone();
                    live.pending.remove(&key);
                    batch.next.insert(execution, live);
                }
            }
            Input::Line { execution, stage, line } => batch.lines.push((execution, stage, line)),
            Input::Stop(reply) => self.stopped = Some(reply),
        }
    }

    fn tell(&mut self, execution: String, message: Message, reply: Option<Reply>, batch: &mut Batch) {
        let Some(live) = self.latest(&execution, batch) else {
            if let Some(reply) = reply {
                let _ = reply.send(Err(EngineError::UnknownExecution(execution)));
            }
            return;
        };
        let stage = match &message {
            Message::PatchStage { stage, .. } | Message::RestartStage { stage, .. } => Some(stage),
            _ => None,
        };
        if let Some(stage) = stage.filter(|s| live.run.stage(s).is_none()) {
            let error = EngineError::UnknownStage { execution: execution.clone(), stage: stage.clone() };
            if let Some(reply) = reply {
                let _ = reply.send(Err(error));
            }
            return;
        }
        batch.replies.extend(reply);
        batch.journal.entry(execution.clone()).or_default().push(records::json(&message));
        batch.queue.push_back((execution, vec![message]));
    }

    /// The state of an execution as this batch sees it.
    fn latest<'a>(&'a self, id: &str, batch: &'a Batch) -> Option<&'a Live> {
        batch.next.get(id).or_else(|| self.live.get(id))
    }

    fn wake(&mut self, topic: &str, batch: &mut Batch) {
        self.woken += 1;
        self.recent.push_back((self.woken, topic.to_owned()));
        if self.recent.len() > WOKEN {
            self.recent.pop_front();
        }
        let ids: HashSet<&String> = self.live.keys().chain(batch.next.keys()).collect();
        let mut found = Vec::new();
        for id in ids {
            let Some(live) = self.latest(id, batch) else { continue };
            for stage in live.run.stages.iter().filter(|s| s.status == Status::Running) {
                for task in &stage.tasks {
                    if task.waiting.as_ref().is_some_and(|w| w.wake_on.iter().any(|t| t == topic)) {
                        let (stage, task) = (stage.id.clone(), task.id.clone());
                        found.push((id.clone(), vec![Message::RunTask { stage, task, recover: false }]));
                    }
                }
            }
        }
        batch.queue.extend(found);
    }

    /// What is due by the clock.
    fn due(&mut self, batch: &mut Batch) {
        let now = self.now();
        while let Some((due, id, key)) = self.timers.first().cloned() {
            if due > now || batch.queue.len() > BATCH * 4 {
                break;
            }
            self.timers.remove(&(due, id.clone(), key.clone()));
            let Some(live) = self.latest(&id, batch) else { continue };
            let Some(pending) = live.pending.get(&key).filter(|p| p.due == due) else { continue };
            let message = pending.message.clone();
            if effects::order_of(&key).is_some() {
                continue;
            }
            let mut live = live.clone();
            live.pending.remove(&key);
            batch.next.insert(id.clone(), live);
            batch.queue.push_back((id, vec![message]));
        }
    }

    /// Decides about messages of one execution, and queues what follows for others.
    fn step(&mut self, id: &str, messages: Vec<Message>, batch: &mut Batch) {
        let Some(live) = self.latest(id, batch) else { return };
        let mut live = live.clone();
        let given = self.given(&live);
        let running = self.running_beside(&live, batch);
        let world = World { given: Arc::new(given), registry: &self.registry, running };
        let settled = settle(&live.run, messages.clone(), &world);
        if !settled.needs.is_empty() {
            return self.ask(id, live, settled.needs, messages, batch);
        }
        live.run = settled.run;
        settled.timers.into_iter().for_each(|timer| live.apply(timer));
        let now = self.now();
        for (i, message) in settled.rest.into_iter().enumerate() {
            live.pending.insert(format!("rest:{i:06}"), Pending { due: now, message });
        }
        let mut ended = false;
        for order in settled.orders {
            match order {
                Order::Ended => ended = true,
                Order::RestartParent { execution, stage, user } => self.restart_parent(execution, stage, user, id),
                order => {
                    if let Some(key) = effects::key_of(&order) {
                        live.pending.insert(key, Pending { due: NEVER, message: Message::CompleteExecution });
                    }
                    batch.orders.push((id.to_owned(), order));
                }
            }
        }
        if ended {
            live.pending.insert(effects::FOLLOW.into(), Pending { due: NEVER, message: Message::CompleteExecution });
            batch.orders.push((id.to_owned(), Order::Ended));
        }
        batch.next.insert(id.to_owned(), live.clone());
        if ended {
            self.wake(&format!("execution:{id}"), batch);
            self.start_waiting(&live, batch);
        }
    }

    fn given(&self, live: &Live) -> Given {
        let now = self.engine.store().clock().now();
        Given {
            now,
            seed: begin::seed(&live.run.id) ^ u64::try_from(now.as_millisecond()).unwrap_or(0),
            pipelines: live.found.pipelines.clone(),
            applications: live.found.applications.clone(),
            fetched: live.found.fetched.clone(),
        }
    }

    /// How many other executions of the same saved pipeline run (a paused one runs, too).
    fn running_beside(&self, live: &Live, batch: &Batch) -> usize {
        let Some(pipeline) = live.run.pipeline_config_id.as_deref() else { return 0 };
        let same = |l: &Live| {
            l.run.pipeline_config_id.as_deref() == Some(pipeline)
                && l.run.id != live.run.id
                && matches!(l.run.status, Status::Running | Status::Paused)
        };
        let stored = self.live.iter().filter(|(id, l)| !batch.next.contains_key(*id) && same(l)).count();
        stored + batch.next.values().filter(|l| same(l)).count()
    }

    /// An execution has ended: those of its pipeline that wait may start. Without `keepWaitingPipelines` only the newest
    /// does, and the others are cancelled.
    fn start_waiting(&self, ended: &Live, batch: &mut Batch) {
        let Some(pipeline) = ended.run.pipeline_config_id.as_deref() else { return };
        let ids: HashSet<&String> = self.live.keys().chain(batch.next.keys()).collect();
        let mut waiting: Vec<String> = ids
            .into_iter()
            .filter_map(|id| self.latest(id, batch))
            .filter(|l| l.run.pipeline_config_id.as_deref() == Some(pipeline) && l.run.status == Status::NotStarted)
            .filter(|l| l.run.waiting.is_some())
            .map(|l| l.run.id.clone())
            .collect();
        waiting.sort_unstable();
        if !ended.run.keep_waiting_pipelines
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

    fn restart_parent(&self, execution: String, stage: String, user: String, child: &str) {
        let mut context = crate::Map::new();
        context.insert("_skipPipelineRestart".into(), serde_json::Value::Bool(true));
        context.insert("executionId".into(), serde_json::Value::String(child.to_owned()));
        let message = Message::RestartStage { stage, user, context };
        self.engine.send(Input::Tell { execution, message, reply: None });
    }

    /// Expressions ask for something: the messages stay pending until it has been fetched.
    fn ask(&mut self, id: &str, mut live: Live, needs: Vec<Need>, messages: Vec<Message>, batch: &mut Batch) {
        let late = self.now() + 60_000;
        let first = live.pending.keys().filter(|k| k.starts_with("needs:")).count();
        let mut again = Vec::new();
        for (i, message) in messages.into_iter().enumerate() {
            let key = format!("needs:{late}:{:04}", first + i);
            live.pending.insert(key.clone(), Pending { due: late, message: message.clone() });
            again.push((key, message));
        }
        batch.next.insert(id.to_owned(), live);
        batch.fetch.push((id.to_owned(), needs, again));
    }

    /// Writes a batch, takes it over, and acts.
    async fn commit(&mut self, batch: Batch) {
        let Batch { next, mut journal, orders, fetch, replies, lines, .. } = batch;
        let mut rows = Vec::new();
        for (id, new) in &next {
            let Some(old) = self.live.get(id) else { continue };
            rows.push(Rows::between(old, new, journal.remove(id).unwrap_or_default()));
        }
        if !rows.is_empty() || !lines.is_empty() {
            self.write(rows, lines).await;
        }
        for (id, live) in next {
            self.replace(id, live);
        }
        for (id, order) in orders {
            if let Some(live) = self.live.get(&id).cloned() {
                self.perform(&id, &live, order);
            }
        }
        for (id, needs, again) in fetch {
            effects::fetch(&self.engine, self.fetch.clone(), id, needs, again);
        }
        for reply in replies {
            let _ = reply.send(Ok(()));
        }
        self.live.retain(|_, live| !live.is_over());
    }

    /// Writes until it is written: a full disk may have room again.
    async fn write(&self, rows: Vec<Rows>, lines: Vec<(String, String, String)>) {
        let (rows, lines) = (Arc::new(rows), Arc::new(lines));
        let mut wait = Duration::from_millis(50);
        loop {
            let (rows, lines) = (rows.clone(), lines.clone());
            let written = self.engine.store().write(move |tx| {
                rows.iter().try_for_each(|rows| rows.write(tx))?;
                effects::write_lines(tx, &lines)
            });
            match written.await {
                Ok(()) => return,
                Err(error) => tracing::error!(%error, "cannot write what the engine decided; trying again"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(5));
        }
    }

    fn replace(&mut self, id: String, live: Live) {
        if let Some(old) = self.live.get(&id) {
            for (key, pending) in &old.pending {
                self.timers.remove(&(pending.due, id.clone(), key.clone()));
            }
        }
        for (key, pending) in &live.pending {
            self.timers.insert((pending.due, id.clone(), key.clone()));
        }
        self.live.insert(id, live);
    }

    fn perform(&self, id: &str, live: &Live, order: Order) {
        let given = Arc::new(self.given(live));
        effects::perform(&self.engine, &self.registry, id, &live.run, given, order, self.woken);
    }
}
