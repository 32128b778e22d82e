//! A publication or a mirror has new packages: pipelines with a trigger of type `apt` start. What matches is `pipeline::trigger::apt`.
//!
//! The server tails each apt root's outbox. One transaction of the control store moves the root's cursor and inserts the executions,
//! unique by pipeline and event, so whatever is read twice starts nothing twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use apt::{Event, MIRRORED, Mirrored, NewPackage, PUBLISHED, Published, Root};
use events::meter::Counter;
use jiff::SignedDuration;
use pipeline::{Engine, EngineError, Map};
use serde_json::{Value, json};
use store::{StoreError, Tx, params};

use super::wake::Wake;
use crate::infrastructure::stops;

/// What happened longer ago while no server ran starts nothing.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// The outbox is read at least so often.
const POLL: Duration = Duration::from_secs(1);
/// Events of one transaction.
const AT_ONCE: u32 = 50;

/// Follows one apt root.
pub struct Tail {
    /// The root.
    pub root: Root,
    /// Starts executions, and holds the control store.
    pub engine: Engine,
    /// What is older starts nothing.
    pub window: SignedDuration,
    /// Where it tells how it goes.
    pub pulse: Arc<Pulse>,
}

/// How it goes with following one root.
#[derive(Debug, Default)]
pub struct Pulse {
    /// When the outbox was last read, in milliseconds; 0 before the first time.
    read_at: AtomicI64,
    /// Times that it could not be read, or what stood there not be acted upon.
    pub failures: Counter,
    /// New generations of publications that were seen.
    pub published: Counter,
}

impl Pulse {
    /// When the outbox was last read to its end or a piece further, in milliseconds since 1970.
    pub fn read_at(&self) -> Option<i64> {
        Some(self.read_at.load(Relaxed)).filter(|at| *at > 0)
    }

    /// It was read now.
    pub fn beat(&self, now: i64) {
        self.read_at.store(now, Relaxed);
    }
}

impl Tail {
    /// Follows the root until the task is dropped.
    pub async fn run(self) {
        let mut wake = Wake::on(self.root.wake());
        loop {
            let done = self.step().await;
            if done.is_ok() {
                self.pulse.beat(self.engine.store().clock().now().as_millisecond());
            }
            match done {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    self.pulse.failures.add(1);
                    tracing::warn!(root = %self.root.path().display(), %error, "cannot follow the outbox; trying again")
                }
            }
            wake.wait(POLL).await;
        }
    }

    /// Reads what is new; whether there may be more.
    pub async fn step(&self) -> Result<bool, TailError> {
        let name = self.root.path().display().to_string();
        let of = name.clone();
        let store = self.engine.store();
        let cursor = store.read(move |tx| cursor(tx, &of)).await?;
        let root = self.root.clone();
        let events = tokio::task::spawn_blocking(move || root.outbox_after(cursor, AT_ONCE))
            .await
            .map_err(|e| TailError::Apt(e.to_string()))?
            .map_err(|e| TailError::Apt(e.to_string()))?;
        if events.is_empty() {
            return Ok(false);
        }
        let more = events.len() as u32 == AT_ONCE;
        let published = events.iter().filter(|event| event.kind == PUBLISHED).count() as u64;
        let (engine, window) = (self.engine.clone(), self.window);
        store
            .write(move |tx| {
                for event in &events {
                    react(tx, &engine, event, window)?;
                }
                let last = events.last().map_or(cursor, |e| e.seq);
                tx.execute(
                    "insert into apt_cursor (root, seq) values (?1, ?2) on conflict (root) do update set seq = excluded.seq",
                    params![name.as_str(), last],
                )?;
                tx.change("apt", &name)?;
                Ok::<_, TailError>(())
            })
            .await?;
        self.pulse.published.add(published);
        Ok(more)
    }
}

/// Why an outbox could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// The apt root.
    #[error("{0}")]
    Apt(String),
    /// The control store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A version that a person may start a pipeline with: what the event of its publication would have given.
pub struct Choice {
    /// The trigger of the execution.
    pub trigger: Map,
    /// Why the server would not start it by itself, if it is held back.
    pub held_back: Option<String>,
}

/// What a publication would start of a pipeline: nothing, if none of its triggers listens to it.
pub fn choice(tx: &mut Tx, pipeline: &Map, published: Published) -> Result<Option<Choice>, StoreError> {
    let news = News::of("", published);
    let Some(mut trigger) = pipeline::trigger::fires(pipeline, "apt", &news.shown) else { return Ok(None) };
    let held = stops(tx, pipeline, &release(&trigger))?;
    trigger.insert("versionShown".into(), json!(version_shown(&trigger, &news.packages)));
    Ok(Some(Choice { trigger, held_back: held.map(|held| held.sentence()) }))
}

/// Forgets what was missed before a moment; with `dry_run` only counts it.
pub fn forget_missed(tx: &mut Tx, before: jiff::Timestamp, dry_run: bool) -> Result<u64, StoreError> {
    if dry_run {
        return tx.count("select count(*) from apt_missed where at < ?1", params![before]);
    }
    tx.execute("delete from apt_missed where at < ?1", params![before])
}

/// A root stands elsewhere now: its outbox is read on from where it was left.
pub fn moved(tx: &mut Tx, from: &str, to: &str) -> Result<(), StoreError> {
    let at = cursor(tx, from)?;
    tx.execute("delete from apt_cursor where root = ?1", params![from])?;
    let sql = "insert into apt_cursor (root, seq) values (?1, ?2) on conflict (root) do update set seq = excluded.seq";
    tx.execute(sql, params![to, at]).map(drop)
}

/// How far the outbox of a root was read: the number of the last event that was acted upon.
pub fn cursor(tx: &mut Tx, root: &str) -> Result<i64, StoreError> {
    tx.query_opt("select seq from apt_cursor where root = ?1", params![root])?.map_or(Ok(0), |row| row.int(0))
}

fn react(tx: &mut Tx, engine: &Engine, event: &Event, window: SignedDuration) -> Result<(), TailError> {
    let Some(news) = News::read(event) else { return Ok(()) };
    let late = tx.now().duration_since(event.at) > window;
    for pipeline in pipeline::pipelines::with_trigger(tx, "apt")? {
        let Some(id) = pipeline.get("id").and_then(Value::as_str) else { continue };
        if late {
            if pipeline::trigger::fires(&pipeline, "apt", &news.shown).is_none() {
                continue;
            }
            let now = tx.now();
            tx.execute(
                "insert into apt_missed (pipeline, event, happened, at) values (?1, ?2, ?3, ?4) on conflict do nothing",
                params![id, event.id.as_str(), event.at, now],
            )?;
            tracing::info!(pipeline = id, event = event.id, "missed: it was published while no server ran");
        } else {
            news.start(tx, engine, &pipeline, event)?;
        }
    }
    Ok(())
}

/// What an event did to a pipeline.
pub enum Started {
    /// It runs; none if it has been started by this event before.
    Run(Option<String>),
    /// It does not, for this reason.
    Held(String),
}

/// Starts a pipeline with an event, if it listens to it; once, whoever else starts it.
pub fn start(tx: &mut Tx, engine: &Engine, pipeline: &Map, event: &Event) -> Result<Option<Started>, EngineError> {
    match News::read(event) {
        Some(news) => news.start(tx, engine, pipeline, event),
        None => Ok(None),
    }
}

/// What the trigger would bring: `package-version`.
fn release(trigger: &Map) -> String {
    let part = |key: &str| trigger.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("{}-{}", part("package"), part("version"))
}

/// An event that may start something.
struct News {
    /// As triggers match it.
    shown: Value,
    packages: Vec<NewPackage>,
}

impl News {
    fn start(
        &self,
        tx: &mut Tx,
        engine: &Engine,
        pipeline: &Map,
        event: &Event,
    ) -> Result<Option<Started>, EngineError> {
        let Some(mut trigger) = pipeline::trigger::fires(pipeline, "apt", &self.shown) else { return Ok(None) };
        let Some(id) = pipeline.get("id").and_then(Value::as_str) else { return Ok(None) };
        add_facts(&mut trigger, event, &self.packages);
        if let Some(held) = stops(tx, pipeline, &release(&trigger))? {
            engine.skip(tx, id, &trigger, &event.id, &held.sentence())?;
            return Ok(Some(Started::Held(held.sentence())));
        }
        Ok(Some(Started::Run(engine.trigger(tx, id, &trigger, &event.id)?)))
    }

    fn of(id: &str, published: Published) -> News {
        let shown = json!({
            "id": id,
            "root": published.root,
            "prefix": published.prefix,
            "distribution": published.distribution,
            "generation": published.generation,
            "packages": published.packages,
        });
        News { shown, packages: published.packages }
    }

    /// `None` for one that starts nothing.
    fn read(event: &Event) -> Option<News> {
        let read = match event.kind.as_str() {
            PUBLISHED => serde_json::from_str(&event.body).map(|published| News::of(&event.id, published)),
            MIRRORED => serde_json::from_str(&event.body).map(|mirrored: Mirrored| News {
                shown: json!({
                    "id": event.id,
                    "root": mirrored.root,
                    "mirror": mirrored.mirror,
                    "distribution": mirrored.distribution,
                    "packages": mirrored.packages,
                }),
                packages: mirrored.packages,
            }),
            _ => return None,
        };
        if let Err(error) = &read {
            tracing::warn!(event = event.id, %error, "an event of an apt root cannot be read; it starts nothing");
        }
        read.ok()
    }
}

/// What people want to see beside it: when it was published, and whether the same version had other bytes before.
fn add_facts(trigger: &mut Map, event: &Event, packages: &[NewPackage]) {
    trigger.insert("versionShown".into(), json!(version_shown(trigger, packages)));
    trigger.insert("publishedAt".into(), json!(event.at.as_millisecond()));
    trigger.insert("eventId".into(), json!(event.id));
}

fn version_shown(trigger: &Map, packages: &[NewPackage]) -> String {
    let part = |key: &str| trigger.get(key).and_then(Value::as_str).unwrap_or_default();
    let replaced = packages.iter().any(|one| one.replaced && one.sha256 == part("sha256"));
    if replaced { format!("{} (replaced)", part("version")) } else { part("version").to_owned() }
}
