//! Starts: a new execution takes its first steps before it is written, so that a pipeline that needs nothing from outside is
//! written once, when it has ended. What is left to do outside, and what waits, the actor takes over after the commit.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use store::{StoreError, Tx, params};

use super::live::{Live, Pending, Rows};
use super::storm::{self, Room};
use super::{Engine, EngineError, Input, StartRequest, effects};
use crate::decide::{Message, NEVER, Order, World, settle};
use crate::evaluate::{Given, Need};
use crate::model::{Execution, Kind, Status};
use crate::start::parameters::{self, Giver};
use crate::start::{self, IdSource, Start, StartError, Started};
use crate::{Map, Registry, Trigger, applications, pipelines, records, templates};

/// Ids for a pure function, made before.
#[derive(Debug)]
struct Made(std::cell::RefCell<std::vec::IntoIter<String>>);

impl IdSource for Made {
    fn next(&self) -> String {
        self.0.borrow_mut().next().unwrap_or_default()
    }
}

/// A new execution that is ready to be written, and the key of its start.
pub(super) struct Begun {
    key: Option<String>,
    first: FirstSteps,
}

/// How far a new execution goes by itself, before it is written.
#[derive(Debug, Clone)]
pub struct FirstSteps {
    /// Its state and what is due for it.
    pub live: Live,
    /// What is to be done outside, after the commit.
    pub orders: Vec<Order>,
    /// It has ended already.
    pub ended: bool,
}

impl FirstSteps {
    /// It stays where it is.
    fn none(run: Execution) -> FirstSteps {
        FirstSteps { live: Live::new(run), orders: Vec::new(), ended: false }
    }
}

/// Begins inside a transaction of the caller's.
pub(super) fn begin(engine: &Engine, tx: &mut Tx, request: &StartRequest) -> Result<String, EngineError> {
    let key = key_of(request);
    if let Some(key) = &key
        && let Some(id) = started_by(tx, key)?
    {
        return Ok(id);
    }
    let (run, given) = make(tx, request)?;
    write(engine, tx, &Begun { key, first: engine.first_steps(run, given) })
}

/// Makes an execution without a transaction, when nothing of it has to be looked up.
pub(super) fn outside(engine: &Engine, request: &StartRequest) -> Result<Option<Begun>, EngineError> {
    if wants_prior_artifacts(&request.config) || is_templated(request) {
        return Ok(None);
    }
    let (now, ids) = (engine.store().clock().now(), engine.store().ids());
    let ids: Vec<String> = (0..ids_of(request)).map(|_| ids.ulid(now)).collect();
    let given = Given { now, seed: seed(&ids[0]), ..Given::default() };
    match start(request, &ids, &given, &[])? {
        Started::Execution(run) => Ok(Some(Begun { key: key_of(request), first: engine.first_steps(*run, given) })),
        Started::Needs(_) => Ok(None),
    }
}

/// Writes what was made outside a transaction, unless its key started an execution before.
pub(super) fn keep(engine: &Engine, tx: &mut Tx, begun: &Begun) -> Result<String, EngineError> {
    if let Some(key) = &begun.key
        && let Some(id) = started_by(tx, key)?
    {
        return Ok(id);
    }
    write(engine, tx, begun)
}

/// The same type and `correlationId` are the same start.
fn key_of(request: &StartRequest) -> Option<String> {
    request.key.clone().or_else(|| {
        let id = request.trigger.get("correlationId").and_then(Value::as_str).filter(|id| !id.is_empty())?;
        Some(format!("correlation:{}:{id}", records::kind_text(request.kind)))
    })
}

fn started_by(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    let row = tx.query_opt("select execution from start_key where key = ?1", params![key])?;
    row.map(|row| row.text(0)).transpose()
}

/// Whether a pipeline is started that has to be made out of its template first.
fn is_templated(request: &StartRequest) -> bool {
    request.kind == Kind::Pipeline && templates::is_templated(&request.config)
}

/// How many ids an execution takes: its own and one a stage.
fn ids_of(request: &StartRequest) -> usize {
    1 + request.config.get("stages").and_then(Value::as_array).map_or(0, |s| s.len().min(start::MOST_STAGES))
}

fn start(request: &StartRequest, ids: &[String], given: &Given, prior: &[Value]) -> Result<Started, StartError> {
    let stages: Vec<String> = ids.iter().skip(1).cloned().collect();
    start::execution(&Start {
        config: &request.config,
        trigger: &request.trigger,
        kind: request.kind,
        id: ids.first().cloned().unwrap_or_default(),
        ids: &Made(std::cell::RefCell::new(stages.into_iter())),
        given,
        prior_artifacts: prior,
    })
}

/// Makes the execution; what its expressions ask of the store is looked up in the same transaction.
fn make(tx: &mut Tx, request: &StartRequest) -> Result<(Execution, Given), EngineError> {
    let planned;
    let request = if is_templated(request) {
        let config = templates::planned(tx, request.config.clone())?;
        planned = StartRequest { config, ..request.clone() };
        &planned
    } else {
        request
    };
    let ids: Vec<String> = (0..ids_of(request)).map(|_| tx.ulid()).collect();
    let mut given = Given { now: tx.now(), seed: seed(&ids[0]), ..Given::default() };
    let prior = prior_artifacts(tx, &request.config)?;
    for _ in 0..3 {
        match start(request, &ids, &given, &prior)? {
            Started::Execution(run) => return Ok((*run, given)),
            Started::Needs(needs) => look_up(tx, &needs, &mut given)?,
        }
    }
    Err(StartError::at("$", "its expressions ask for more and more from outside").into())
}

impl Engine {
    fn first_steps(&self, run: Execution, given: Given) -> FirstSteps {
        first_steps(self.0.registry.get().map(|registry| &**registry), run, given)
    }
}

/// Lets a new execution go as far as it goes by itself. One that others of its pipeline may stand in the way of does not move
/// here: only the actor knows those. Nor does any before the stage types are known.
pub fn first_steps(registry: Option<&Registry>, run: Execution, given: Given) -> FirstSteps {
    let now = given.now.as_millisecond();
    let alone = !run.limit_concurrent && run.max_concurrent_executions <= 0;
    let registry = registry.filter(|_| alone && run.status == Status::NotStarted);
    let mut first = FirstSteps::none(run);
    let settled = registry.map(|registry| {
        let world = World { given: Arc::new(given), registry, running: 0 };
        settle(&first.live.run, vec![Message::StartExecution], &world)
    });
    match settled {
        Some(settled) if settled.needs.is_empty() => {
            first.live.run = settled.run;
            settled.timers.into_iter().for_each(|timer| first.live.apply(timer));
            first.live.later(settled.rest, now);
            for order in settled.orders {
                if let Some(key) = effects::key_of(&order) {
                    first.live.pending.insert(key, Pending { due: NEVER, message: Message::CompleteExecution });
                }
                match order {
                    Order::Ended => first.ended = true,
                    order => first.orders.push(order),
                }
            }
        }
        _ if first.live.run.status.is_complete() => {}
        _ => {
            first.live.pending.insert("start".into(), Pending { due: now, message: Message::StartExecution });
        }
    }
    first
}

/// Writes a new execution; the actor hears of it after the commit, when anything is left of it.
fn write(engine: &Engine, tx: &mut Tx, begun: &Begun) -> Result<String, EngineError> {
    let FirstSteps { live, orders, ended } = &begun.first;
    let run = &live.run;
    if let Some(key) = &begun.key {
        let sql = "insert into start_key (key, execution, at) values (?1, ?2, ?3)";
        let now = tx.now();
        tx.execute(sql, params![key, &run.id, now])?;
    }
    let rows = Rows::of_new(live, *ended);
    let followed = rows.write(tx)?.is_some();
    let (counted, kind, over) = (engine.clone(), run.kind, rows.over);
    tx.after_commit(move || {
        let meter = counted.meter();
        meter.started.count(kind);
        meter.over(&over, counted.0.registry.get().map(|registry| &**registry));
    });
    let id = run.id.clone();
    if followed || !live.is_over() {
        let (mut live, mut orders) = (live.clone(), orders.clone());
        if followed {
            live.pending.insert(effects::FOLLOW.into(), effects::follow_later());
            orders.push(Order::Ended);
        }
        let engine = engine.clone();
        tx.after_commit(move || engine.send(Input::Begun { live: Box::new(live), orders }));
    }
    Ok(id)
}

/// Looks up what stands in the store; an address is not fetched while a transaction is open.
pub(super) fn look_up(tx: &mut Tx, needs: &[Need], given: &mut Given) -> Result<(), StoreError> {
    for need in needs {
        match need {
            Need::Pipelines => given.pipelines = Some(brief(pipelines::all(tx, false)?)),
            Need::Applications => {
                given.applications = Some(applications::all(tx)?.into_iter().map(Value::Object).collect());
            }
            Need::Url(url) => {
                let why = "addresses are fetched while a pipeline runs, not at its start".to_owned();
                given.fetched.entry(url.clone()).or_insert(Err(why));
            }
        }
    }
    Ok(())
}

fn brief(all: Vec<Map>) -> Vec<Value> {
    all.into_iter()
        .map(|p| json!({"id": p.get("id"), "name": p.get("name"), "application": p.get("application")}))
        .collect()
}

pub(super) fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn wants_prior_artifacts(config: &Map) -> bool {
    let expected = config.get("expectedArtifacts").and_then(Value::as_array);
    expected.into_iter().flatten().any(|e| e.get("usePriorArtifact") == Some(&Value::Bool(true)))
}

fn prior_artifacts(tx: &mut Tx, config: &Map) -> Result<Vec<Value>, StoreError> {
    let wanted = wants_prior_artifacts(config);
    let Some(id) = config.get("id").and_then(Value::as_str).filter(|_| wanted) else { return Ok(Vec::new()) };
    let query = records::Query { pipeline: Some(id.to_owned()), limit: 1, ..records::Query::default() };
    let Some(run) = records::list(tx, &query)?.into_iter().next() else { return Ok(Vec::new()) };
    let of = |map: &Map| map.get("artifacts").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut out = of(&run.trigger.0);
    for stage in &run.stages {
        out.extend(of(&stage.outputs));
    }
    Ok(out)
}

/// What an event asks for: the start, and its key. None: it was answered before.
fn asked(tx: &mut Tx, pipeline: &str, trigger: &Map, event: &str) -> Result<Option<StartRequest>, EngineError> {
    let key = format!("event:{pipeline}:{event}");
    if started_by(tx, &key)?.is_some() {
        return Ok(None);
    }
    let Some(config) = pipelines::by_id(tx, pipeline)? else {
        return Err(EngineError::UnknownPipeline(pipeline.to_owned()));
    };
    let mut trigger = trigger.clone();
    trigger.entry("eventId").or_insert_with(|| json!(event));
    Ok(Some(StartRequest { config, trigger, kind: Kind::Pipeline, key: Some(key) }))
}

pub(super) fn skip(
    engine: &Engine,
    tx: &mut Tx,
    pipeline: &str,
    trigger: &Map,
    event: &str,
    why: &str,
) -> Result<Option<String>, EngineError> {
    let Some(request) = asked(tx, pipeline, trigger, event)? else { return Ok(None) };
    let id = tx.ulid();
    let run = over(&request, id, tx.now().as_millisecond(), Status::Canceled, why.to_owned());
    let first = FirstSteps::none(run);
    write(engine, tx, &Begun { key: request.key, first }).map(Some)
}

pub(super) fn trigger(
    engine: &Engine,
    tx: &mut Tx,
    pipeline: &str,
    trigger: &Map,
    event: &str,
) -> Result<Option<String>, EngineError> {
    let Some(request) = asked(tx, pipeline, trigger, event)? else { return Ok(None) };
    let room = room(engine, tx, &request)?;
    let made = match room {
        Room::Full => return Ok(None),
        Room::JustFull => Err(storm_of(engine, &request).into()),
        Room::Free => {
            let room = engine.check_room().map_err(EngineError::from);
            let given = room.and_then(|()| Ok(parameters::check(&request.config, &request.trigger, Giver::Event)?));
            given.and_then(|()| make(tx, &request))
        }
    };
    let first = match made {
        Ok((run, given)) => engine.first_steps(run, given),
        Err(EngineError::Start(error)) => {
            let id = tx.ulid();
            let why = format!("Failed on startup: {error}");
            let run = over(&request, id, tx.now().as_millisecond(), Status::Terminal, why);
            FirstSteps::none(run)
        }
        Err(other) => return Err(other),
    };
    // Without the event's key what a storm cut off may start when it is over. What was refused has it: it is seen, and a person starts it.
    let key = request.key.filter(|_| room == Room::Free);
    write(engine, tx, &Begun { key, first }).map(Some)
}

/// Whether triggers may start one more pipeline of its application.
fn room(engine: &Engine, tx: &mut Tx, request: &StartRequest) -> Result<Room, StoreError> {
    let application = request.config.get("application").and_then(Value::as_str).unwrap_or_default();
    storm::enter(tx, &applications::folded(application), engine.0.most_triggered.load(Ordering::Relaxed))
}

fn storm_of(engine: &Engine, request: &StartRequest) -> StartError {
    let application = request.config.get("application").and_then(Value::as_str).unwrap_or_default().to_owned();
    let error = StartError::Storm { application, most: engine.0.most_triggered.load(Ordering::Relaxed) };
    tracing::warn!("{error}");
    error
}

/// A start that came to nothing is seen: an execution that ended before it began, and says why.
fn over(request: &StartRequest, id: String, now: i64, status: Status, why: String) -> Execution {
    let text = |key: &str| request.config.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut trigger = request.trigger.clone();
    trigger.entry("resolvedExpectedArtifacts").or_insert_with(|| json!([]));
    Execution {
        kind: request.kind,
        id,
        application: text("application").unwrap_or_default(),
        name: text("name"),
        pipeline_config_id: text("id"),
        build_time: Some(now),
        status,
        canceled: true,
        canceled_by: Some("system".into()),
        cancellation_reason: Some(why),
        trigger: Trigger(trigger),
        origin: "unknown".into(),
        ..Execution::default()
    }
}
