//! The actor: a batch of inputs, one transaction, then the effects. What is decided stands in `running`.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::live::{Live, Rows, load};
use super::running::{Batch, Event, Running, given};
use super::{Engine, EngineError, Fetch, Input, effects};
use crate::decide::Order;
use crate::{Registry, records};

/// How many inputs share a transaction.
const BATCH: usize = 256;

pub(super) struct Actor {
    engine: Engine,
    registry: Arc<Registry>,
    fetch: Arc<dyn Fetch>,
    inbox: mpsc::UnboundedReceiver<Input>,
    running: Running,
    stopped: Option<oneshot::Sender<()>>,
}

type Reply = oneshot::Sender<Result<(), EngineError>>;

/// What stands beside the events of a batch.
#[derive(Default)]
struct Beside {
    replies: Vec<Reply>,
    lines: Vec<(String, String, String)>,
}

impl Actor {
    pub fn new(
        engine: Engine,
        registry: Arc<Registry>,
        fetch: Arc<dyn Fetch>,
        inbox: mpsc::UnboundedReceiver<Input>,
    ) -> Actor {
        let running = Running::new(registry.clone());
        Actor { engine, registry, fetch, inbox, running, stopped: None }
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn now(&self) -> i64 {
        self.engine.store().clock().now().as_millisecond()
    }

    /// Puts an execution into memory, with its timers; what was to be done outside after a commit is done (again).
    pub fn adopt(&mut self, live: Live) {
        let (id, state) = (live.run.id.clone(), live.clone());
        let orders = self.running.adopt(live);
        self.perform(&id, &state, orders);
    }

    pub async fn work(mut self) {
        loop {
            let mut inputs = Vec::new();
            let wait = self.until_next();
            tokio::select! {
                count = self.inbox.recv_many(&mut inputs, BATCH) => if count == 0 { return },
                () = tokio::time::sleep(wait) => {}
            }
            let meter = self.engine.meter();
            meter.inbox.fetch_sub(inputs.len() as u64, Relaxed);
            meter.busy_since.store(self.now(), Relaxed);
            let began = Instant::now();
            self.batch(inputs).await;
            let meter = self.engine.meter();
            meter.batches.observe(began.elapsed());
            meter.busy_since.store(0, Relaxed);
            if let Some(reply) = self.stopped.take() {
                meter.works.store(false, Relaxed);
                let _ = reply.send(());
                return;
            }
        }
    }

    fn until_next(&self) -> Duration {
        // Clocks jump: look at least once a minute.
        let most = Duration::from_secs(60);
        let Some(due) = self.running.next_due() else { return most };
        Duration::from_millis(u64::try_from(due.saturating_sub(self.now())).unwrap_or(0)).min(most)
    }

    async fn batch(&mut self, inputs: Vec<Input>) {
        self.load_missing(&inputs).await;
        let mut beside = Beside::default();
        let events = inputs.into_iter().filter_map(|input| self.take(input, &mut beside)).collect();
        let batch = self.running.decide(events, self.engine.store().clock().now());
        self.commit(batch, beside).await;
    }

    /// Executions that are named and not in memory: new ones, and those that had ended.
    async fn load_missing(&mut self, inputs: &[Input]) {
        let mut missing: Vec<String> = Vec::new();
        for input in inputs {
            if let Input::Tell { execution: id, .. } = input
                && self.running.get(id).is_none()
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
            Ok(found) => found.into_iter().for_each(|live| self.recall(live)),
            Err(error) => tracing::error!(%error, "cannot read executions"),
        }
    }

    /// One that had ended is asked about again: it stays in memory until that is answered.
    fn recall(&mut self, live: Live) {
        match live.is_over() {
            true => self.running.recall(live),
            false => self.adopt(live),
        }
    }

    fn take(&mut self, input: Input, beside: &mut Beside) -> Option<Event> {
        match input {
            Input::Begun { live, orders } => {
                let (id, state) = (live.run.id.clone(), (*live).clone());
                // What it left behind for after the commit is among its orders.
                let _ = self.running.adopt(*live);
                self.perform(&id, &state, orders);
                None
            }
            Input::Tell { execution, message, reply } => {
                if let Some(error) = self.running.refuses(&execution, &message) {
                    if let Some(reply) = reply {
                        let _ = reply.send(Err(error));
                    }
                    return None;
                }
                beside.replies.extend(reply);
                Some(Event::Tell { execution, message })
            }
            Input::Event(event) => Some(event),
            Input::Line { execution, stage, line } => {
                beside.lines.push((execution, stage, line));
                None
            }
            Input::Stop(reply) => {
                self.stopped = Some(reply);
                None
            }
        }
    }

    /// Writes a batch, takes it over, and acts.
    async fn commit(&mut self, mut batch: Batch, beside: Beside) {
        let rows = self.running.rows(&mut batch);
        let over: Vec<_> = rows.iter().map(|rows| rows.over.clone()).collect();
        let mut followed = Vec::new();
        if !rows.is_empty() || !beside.lines.is_empty() {
            followed = self.write(rows, beside.lines).await;
        }
        let meter = self.engine.meter();
        meter.transitions.add(batch.transitions);
        over.iter().for_each(|over| meter.over(over, Some(&self.registry)));
        let orders = std::mem::take(&mut batch.orders);
        let mut acting: Vec<(Live, Vec<Order>)> = Vec::new();
        for (id, order) in orders.into_iter().chain(followed.iter().map(|id| (id.clone(), Order::Ended))) {
            match acting.iter_mut().find(|(live, _)| live.run.id == id) {
                Some((_, orders)) => orders.push(order),
                None => acting.extend(self.running.get(&id).map(|live| (live.clone(), vec![order]))),
            }
        }
        self.running.written(&batch, &followed);
        for (live, orders) in acting {
            self.perform(&live.run.id, &live, orders);
        }
        for asked in batch.asked {
            effects::fetch(&self.engine, self.fetch.clone(), asked);
        }
        for event in batch.told {
            if let Event::Tell { execution, message } = event {
                self.engine.send(Input::Tell { execution, message, reply: None });
            }
        }
        for reply in beside.replies {
            let _ = reply.send(Ok(()));
        }
    }

    /// Writes until it is written: a full disk may have room again. Answers the executions that ended and are followed.
    async fn write(&self, rows: Vec<Rows>, lines: Vec<(String, String, String)>) -> Vec<String> {
        let (rows, lines) = (Arc::new(rows), Arc::new(lines));
        let mut wait = Duration::from_millis(50);
        loop {
            let (rows, lines) = (rows.clone(), lines.clone());
            let written = self.engine.store().write(move |tx| {
                let mut followed = Vec::new();
                for rows in rows.iter() {
                    followed.extend(rows.write(tx)?);
                }
                records::add_lines(tx, &lines)?;
                Ok::<_, store::StoreError>(followed)
            });
            match written.await {
                Ok(followed) => return followed,
                Err(error) => tracing::error!(%error, "cannot write what the engine decided; trying again"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(5));
        }
    }

    fn perform(&self, id: &str, live: &Live, orders: Vec<Order>) {
        if orders.is_empty() {
            return;
        }
        let given = Arc::new(given(live, self.engine.store().clock().now()));
        let run = Arc::new(live.run.clone());
        for order in orders {
            effects::perform(&self.engine, &self.registry, id, &run, given.clone(), order, self.running.woken());
        }
    }
}
