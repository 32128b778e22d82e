//! The runtime: takes messages that are due, has them decided, commits what follows in one transaction, and only then acts.
//!
//! One actor owns the running executions in memory. A crash at any point loses nothing: what is to be done stands in the
//! `message` table, and effects that were under way are run again with the same idempotency key. Nothing polls: a task that
//! waits is woken by a topic or by its timer.

mod actor;
mod begin;
mod effects;
mod flights;
mod live;
mod meter;
mod recover;
mod running;
mod storm;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use store::{Store, StoreError, Tx};
use tokio::sync::{mpsc, oneshot};

use crate::decide::{Message, Order};
use crate::model::{Kind, Status};
use crate::start::StartError;
use crate::templates::TemplateError;
pub use begin::{FirstSteps, first_steps};
pub use effects::parent;
pub use live::{Found, Live, Pending, Rows};
pub use meter::{Meter, Queue, queue, unended};
pub use recover::take_up;
pub use running::{Asked, Batch, Event, Running, given};
pub use storm::STARTS_PER_MINUTE;

use crate::{Map, Registry, pipelines, records};

/// Why the engine did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The pipeline cannot be started as asked.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no such execution.
    #[error("there is no execution {0}")]
    UnknownExecution(String),
    /// There is no such stage.
    #[error("execution {execution} has no stage {stage}")]
    UnknownStage {
        /// The execution that was named.
        execution: String,
        /// The stage that was named.
        stage: String,
    },
    /// There is no such pipeline.
    #[error("there is no pipeline {0}")]
    UnknownPipeline(String),
    /// It cannot be deleted while it runs.
    #[error("execution {0} is still running; cancel it first")]
    StillRunning(String),
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

impl From<TemplateError> for EngineError {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Store(error) => error.into(),
            other => StartError::Template(other.to_string()).into(),
        }
    }
}

/// Fetches a text for `#fromUrl` and its kin.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// The body, or why there is none.
    async fn fetch(&self, url: &str) -> Result<String, String>;
}

/// Fetches nothing.
pub struct FetchNothing;

#[async_trait]
impl Fetch for FetchNothing {
    async fn fetch(&self, url: &str) -> Result<String, String> {
        Err(format!("{url} cannot be fetched: no outgoing calls are configured"))
    }
}

/// What reaches the actor.
enum Input {
    /// A new execution stands in the store, and what its first transition led to is to be done.
    Begun { live: Box<live::Live>, orders: Vec<Order> },
    /// Something is told to an execution.
    Tell { execution: String, message: Message, reply: Option<oneshot::Sender<Result<(), EngineError>>> },
    /// Something happened.
    Event(running::Event),
    /// A line of a task's live log.
    Line { execution: String, stage: String, line: String },
    /// End.
    Stop(oneshot::Sender<()>),
}

/// How a pipeline is started.
#[derive(Debug, Clone, Default)]
pub struct StartRequest {
    /// The pipeline's JSON (of jobs: `application`, `description`, `stages`).
    pub config: Map,
    /// Why.
    pub trigger: Map,
    /// Pipeline or jobs.
    pub kind: Kind,
    /// Two starts with the same key are one.
    pub key: Option<String>,
}

/// The engine. Cheap to clone; made first, started when all stage types are known.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: Store,
    /// What runs right now.
    flights: flights::Flights,
    inbox: mpsc::UnboundedSender<Input>,
    outbox: std::sync::Mutex<Option<mpsc::UnboundedReceiver<Input>>>,
    /// Known from the start on: then a new execution takes its first steps before it is written.
    registry: OnceLock<Arc<Registry>>,
    /// How many pipelines of an application triggers may start in a minute.
    most_triggered: AtomicU32,
    /// Why no pipeline may be started just now.
    refusal: std::sync::RwLock<Option<String>>,
    meter: Meter,
}

impl Engine {
    /// The engine over a store. It takes starts and messages at once, and works on them when it is started.
    pub fn new(store: Store) -> Engine {
        let (inbox, outbox) = mpsc::unbounded_channel();
        let (outbox, registry) = (std::sync::Mutex::new(Some(outbox)), OnceLock::new());
        let (flights, most_triggered) = (flights::Flights::default(), AtomicU32::new(STARTS_PER_MINUTE));
        let refusal = std::sync::RwLock::default();
        let meter = Meter::default();
        Engine(Arc::new(Inner { store, flights, inbox, outbox, registry, most_triggered, refusal, meter }))
    }

    /// Takes up what the store holds and begins to work. A second call does nothing.
    pub async fn start(&self, registry: Registry, fetch: Arc<dyn Fetch>) -> Result<(), EngineError> {
        let outbox = match self.0.outbox.lock() {
            Ok(mut outbox) => outbox.take(),
            Err(_) => None,
        };
        let Some(outbox) = outbox else { return Ok(()) };
        let registry = Arc::new(registry);
        self.0.store.write(pipelines::index_followers).await?;
        let mut actor = actor::Actor::new(self.clone(), registry.clone(), fetch, outbox);
        actor.recover().await?;
        let _ = self.0.registry.set(registry);
        self.0.meter.works.store(true, Ordering::Relaxed);
        tokio::spawn(actor.work());
        Ok(())
    }

    /// Ends the work at the next edge; effects under way are run again at the next start.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        self.send(Input::Stop(reply));
        let _ = done.await;
    }

    /// What it did, and how far it is behind.
    pub fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// How many effects run right now.
    pub fn tasks_running(&self) -> usize {
        self.0.flights.count()
    }

    /// The store that it works on.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Starts a pipeline or a list of jobs; answers the execution's id when it is durable.
    pub async fn begin(&self, request: StartRequest) -> Result<String, EngineError> {
        // Jobs go on: what makes room is one, and so is a rollback.
        if request.kind == Kind::Pipeline {
            self.check_room()?;
        }
        let engine = self.clone();
        match begin::outside(self, &request)? {
            Some(begun) => self.0.store.write(move |tx| begin::keep(&engine, tx, &begun)).await,
            None => self.0.store.write(move |tx| begin::begin(&engine, tx, &request)).await,
        }
    }

    /// [`Engine::begin`] inside a transaction of the caller's: its own change and the start happen both or not at all.
    pub fn begin_in(&self, tx: &mut Tx, request: &StartRequest) -> Result<String, EngineError> {
        begin::begin(self, tx, request)
    }

    /// Starts a saved pipeline because of an event, once: a repetition of the same event is harmless and answers `None`.
    /// In the caller's transaction, so that its cursor moves with it. A pipeline that cannot be started leaves a failed
    /// execution that says why; so does the first one of a storm, of which the rest starts nothing.
    pub fn trigger(
        &self,
        tx: &mut Tx,
        pipeline: &str,
        trigger: &Map,
        event: &str,
    ) -> Result<Option<String>, EngineError> {
        begin::trigger(self, tx, pipeline, trigger, event)
    }

    /// An event would start a saved pipeline, and something stands in its way: leaves a cancelled execution that says what, once.
    pub fn skip(
        &self,
        tx: &mut Tx,
        pipeline: &str,
        trigger: &Map,
        event: &str,
        why: &str,
    ) -> Result<Option<String>, EngineError> {
        begin::skip(self, tx, pipeline, trigger, event, why)
    }

    /// Sets how many pipelines of an application triggers may start in a minute.
    pub fn limit_triggers(&self, per_minute: u32) {
        self.0.most_triggered.store(per_minute, Ordering::Relaxed);
    }

    /// From now on no pipeline starts, for this reason; `None` lets them start again. What runs goes on, and so do its own children and jobs.
    pub fn refuse_new(&self, why: Option<String>) {
        *self.0.refusal.write().unwrap_or_else(std::sync::PoisonError::into_inner) = why;
    }

    fn check_room(&self) -> Result<(), StartError> {
        let why = self.0.refusal.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        why.as_ref().map_or(Ok(()), |why| Err(StartError::Refused(why.clone())))
    }

    /// Tells an execution something; answers when what follows from it is durable.
    pub async fn tell(&self, execution: &str, message: Message) -> Result<(), EngineError> {
        let (reply, answer) = oneshot::channel();
        let input = Input::Tell { execution: execution.to_owned(), message, reply: Some(reply) };
        self.send(input);
        answer.await.unwrap_or(Err(EngineError::Stopped))
    }

    /// Wakes the tasks that wait for this topic.
    pub fn wake(&self, topic: &str) {
        self.send(Input::Event(running::Event::Wake(topic.to_owned())));
    }

    /// Waits until an execution has ended, at most `limit`; answers its status then.
    pub async fn ended(&self, execution: &str, limit: Duration) -> Result<Option<Status>, EngineError> {
        let until = tokio::time::Instant::now() + limit;
        let mut changes = self.0.store.changes();
        loop {
            changes.mark_unchanged();
            let id = execution.to_owned();
            let status = self.0.store.read(move |tx| records::status(tx, &id)).await?;
            if status.is_none_or(Status::is_complete) {
                return Ok(status);
            }
            match tokio::time::timeout_at(until, changes.changed()).await {
                Ok(Ok(())) => {}
                _ => return Ok(status),
            }
        }
    }

    /// Forgets an execution that has ended.
    pub async fn delete(&self, execution: &str) -> Result<(), EngineError> {
        let id = execution.to_owned();
        self.0
            .store
            .write(move |tx| match records::status(tx, &id)? {
                None => Err(EngineError::UnknownExecution(id.clone())),
                Some(status) if !status.is_complete() => Err(EngineError::StillRunning(id.clone())),
                Some(_) => Ok(records::delete(tx, &id).map(drop)?),
            })
            .await
    }

    fn send(&self, input: Input) {
        self.0.meter.inbox.fetch_add(1, Ordering::Relaxed);
        // The actor is gone only when the process ends.
        let _ = self.0.inbox.send(input);
    }
}
