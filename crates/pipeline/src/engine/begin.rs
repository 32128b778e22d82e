//! Starts: an execution and its first message are inserted in one transaction; the actor hears of it after the commit.

use serde_json::{Value, json};
use store::{StoreError, Tx, params};

use super::{Engine, EngineError, Input, StartRequest};
use crate::decide::Message;
use crate::evaluate::{Given, Need};
use crate::model::{Execution, Kind, Status};
use crate::start::{self, IdSource, Start, StartError, Started};
use crate::{Map, Trigger, applications, pipelines, records};

/// Ids from the store, for a pure function.
#[derive(Debug)]
struct FromStore(std::cell::RefCell<std::vec::IntoIter<String>>);

impl IdSource for FromStore {
    fn next(&self) -> String {
        self.0.borrow_mut().next().unwrap_or_default()
    }
}

pub(super) fn begin(engine: &Engine, tx: &mut Tx, request: &StartRequest) -> Result<String, EngineError> {
    let key = request.key.clone().or_else(|| correlation(request));
    if let Some(key) = &key
        && let Some(id) = started_by(tx, key)?
    {
        return Ok(id);
    }
    let run = make(tx, request)?;
    insert(engine, tx, &run, key.as_deref())?;
    Ok(run.id)
}

/// The same type and `correlationId` are the same start.
fn correlation(request: &StartRequest) -> Option<String> {
    let id = request.trigger.get("correlationId").and_then(Value::as_str).filter(|id| !id.is_empty())?;
    Some(format!("correlation:{}:{id}", records::kind_text(request.kind)))
}

fn started_by(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    let row = tx.query_opt("select execution from start_key where key = ?1", params![key])?;
    row.map(|row| row.text(0)).transpose()
}

/// Makes the execution; what its expressions ask of the store is looked up in the same transaction.
fn make(tx: &mut Tx, request: &StartRequest) -> Result<Execution, EngineError> {
    let count =
        1 + request.config.get("stages").and_then(Value::as_array).map_or(0, |s| s.len().min(start::MOST_STAGES));
    let ids: Vec<String> = (0..count).map(|_| tx.ulid()).collect();
    let id = ids.first().cloned().unwrap_or_default();
    let now = tx.now();
    let seed = seed(&id);
    let mut given = Given { now, seed, ..Given::default() };
    let prior = prior_artifacts(tx, &request.config)?;
    for _ in 0..3 {
        let source = FromStore(std::cell::RefCell::new(ids.iter().skip(1).cloned().collect::<Vec<_>>().into_iter()));
        let start = Start {
            config: &request.config,
            trigger: &request.trigger,
            kind: request.kind,
            id: id.clone(),
            ids: &source,
            given: &given,
            prior_artifacts: &prior,
        };
        match start::execution(&start)? {
            Started::Execution(run) => return Ok(*run),
            Started::Needs(needs) => look_up(tx, &needs, &mut given)?,
        }
    }
    Err(StartError::at("$", "its expressions ask for more and more from outside").into())
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

fn prior_artifacts(tx: &mut Tx, config: &Map) -> Result<Vec<Value>, StoreError> {
    let expected = config.get("expectedArtifacts").and_then(Value::as_array);
    let wanted = expected.into_iter().flatten().any(|e| e.get("usePriorArtifact") == Some(&Value::Bool(true)));
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

/// Writes a new execution with its first message, and tells the actor after the commit.
fn insert(engine: &Engine, tx: &mut Tx, run: &Execution, key: Option<&str>) -> Result<(), StoreError> {
    let now = tx.now().as_millisecond();
    records::put_header(tx, run)?;
    for stage in &run.stages {
        records::put_stage(tx, &run.id, stage)?;
    }
    if let Some(key) = key {
        tx.execute("insert into start_key (key, execution, at) values (?1, ?2, ?3)", params![key, &run.id, now])?;
    }
    if !run.status.is_complete() {
        tx.execute(
            "insert into message (execution, key, due, body) values (?1, 'start', ?2, ?3)",
            params![&run.id, now, records::json(&Message::StartExecution)],
        )?;
        let (engine, id) = (engine.clone(), run.id.clone());
        tx.after_commit(move || engine.send(Input::Load(id)));
    }
    Ok(())
}

pub(super) fn trigger(
    engine: &Engine,
    tx: &mut Tx,
    pipeline: &str,
    trigger: &Map,
    event: &str,
) -> Result<Option<String>, EngineError> {
    let key = format!("event:{pipeline}:{event}");
    if started_by(tx, &key)?.is_some() {
        return Ok(None);
    }
    let Some(config) = pipelines::by_id(tx, pipeline)? else {
        return Err(EngineError::UnknownPipeline(pipeline.to_owned()));
    };
    let mut trigger = trigger.clone();
    trigger.entry("eventId").or_insert_with(|| json!(event));
    let request = StartRequest { config, trigger, kind: Kind::Pipeline, key: Some(key.clone()) };
    match make(tx, &request) {
        Ok(run) => {
            insert(engine, tx, &run, Some(&key))?;
            Ok(Some(run.id))
        }
        Err(EngineError::Start(error)) => {
            let id = tx.ulid();
            let run = failed(&request, id, tx.now().as_millisecond(), &error);
            insert(engine, tx, &run, Some(&key))?;
            Ok(Some(run.id))
        }
        Err(other) => Err(other),
    }
}

/// A start that failed is seen: an execution that ended before it began, and says why.
fn failed(request: &StartRequest, id: String, now: i64, error: &StartError) -> Execution {
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
        status: Status::Terminal,
        canceled: true,
        canceled_by: Some("system".into()),
        cancellation_reason: Some(format!("Failed on startup: {error}")),
        trigger: Trigger(trigger),
        origin: "unknown".into(),
        ..Execution::default()
    }
}
