//! What happens after a commit: effects are run and cancelled, texts are fetched, pipelines that follow are started.

use std::sync::Arc;

use serde_json::{Value, json};
use store::{StoreError, Tx, params};

use super::live::Found;
use super::{Engine, EngineError, Fetch, Input, begin};
use crate::decide::{Message, Order, World, task_input};
use crate::evaluate::{Given, Need};
use crate::model::{Execution, Kind, Status};
use crate::registry::Runs;
use crate::{Exception, Log, Map, Registry, TaskResult, pipelines};

/// The key of the message that stands for "start the pipelines that follow this one".
pub(super) const FOLLOW: &str = "follow";

/// The key under which an order waits in the store until it was carried out. Effects have none: their task's timer is it.
pub(super) fn key_of(order: &Order) -> Option<String> {
    match order {
        Order::Cancel { stage, task, effect } => Some(format!("cancel:{stage}:{task}:{effect}")),
        _ => None,
    }
}

/// The order that waits under a key.
pub(super) fn order_of(key: &str) -> Option<Order> {
    if key == FOLLOW {
        return Some(Order::Ended);
    }
    let mut parts = key.strip_prefix("cancel:")?.splitn(3, ':');
    let (stage, task, effect) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Order::Cancel { stage: stage.into(), task: task.into(), effect: effect.into() })
}

pub(super) fn perform(
    engine: &Engine,
    registry: &Arc<Registry>,
    id: &str,
    run: &Execution,
    given: Arc<Given>,
    order: Order,
    asked: u64,
) {
    let run = Arc::new(run.clone());
    let world = World { given, registry, running: 0 };
    match order {
        Order::Run { stage, task, lease } => {
            let log = log(engine, id, &stage);
            let Some(input) = task_input(&run, &stage, &task, &world, log) else { return };
            let key = run.stage(&stage).and_then(|s| s.task(&task)).map(|t| t.implementing_class.clone());
            let Some(Runs::Effect(effect)) = key.and_then(|key| registry.task(&key)) else { return };
            let (engine, execution) = (engine.clone(), id.to_owned());
            tokio::spawn(async move {
                let done = tokio::spawn(async move { effect.run(input).await }).await;
                let result = done.unwrap_or_else(|broken| {
                    let text = format!("the task broke off: {broken}; this is an error of the program");
                    TaskResult::Failed { error: Exception::new("Panic", text) }
                });
                engine.send(Input::Finished { execution, stage, task, lease, result, asked });
            });
        }
        Order::Cancel { ref stage, ref task, ref effect } => {
            let Some(key) = key_of(&order) else { return };
            let (engine, execution) = (engine.clone(), id.to_owned());
            let input = task_input(&run, stage, task, &world, log(&engine, id, stage));
            let effect = registry.task(effect);
            tokio::spawn(async move {
                if let (Some(input), Some(Runs::Effect(effect))) = (input, effect) {
                    let done = tokio::spawn(async move { effect.cancel(input).await }).await;
                    if let Err(error) = done {
                        tracing::error!(%error, execution, "a cancellation broke off");
                    }
                }
                engine.send(Input::Settled { execution, key });
            });
        }
        Order::Ended => {
            let (engine, execution) = (engine.clone(), id.to_owned());
            tokio::spawn(async move {
                while let Err(error) = follow(&engine, &run).await {
                    tracing::error!(%error, execution, "cannot start the pipelines that follow; trying again");
                    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
                }
                engine.send(Input::Settled { execution, key: FOLLOW.into() });
            });
        }
        Order::RestartParent { .. } => {}
    }
}

fn log(engine: &Engine, execution: &str, stage: &str) -> Log {
    let (engine, execution, stage) = (engine.clone(), execution.to_owned(), stage.to_owned());
    Log::new(move |line| {
        let line: String = line.chars().take(8192).collect();
        engine.send(Input::Line { execution: execution.clone(), stage: stage.clone(), line });
    })
}

/// How many lines the log of an execution keeps.
const MOST_LINES: i64 = 100_000;

pub(super) fn write_lines(tx: &mut Tx, lines: &[(String, String, String)]) -> Result<(), StoreError> {
    let mut last: std::collections::HashMap<&str, i64> = std::collections::HashMap::new();
    let now = tx.now();
    for (execution, stage, line) in lines {
        let number = match last.get(execution.as_str()) {
            Some(number) => *number,
            None => {
                let sql = "select coalesce(max(number), 0) from log_line where execution = ?1";
                tx.query_opt(sql, params![execution])?.map_or(Ok(0), |row| row.int(0))?
            }
        };
        let number = number + 1;
        last.insert(execution, number);
        if number > MOST_LINES {
            continue;
        }
        let sql = "insert into log_line (execution, number, stage, at, line) values (?1, ?2, ?3, ?4, ?5)";
        tx.execute(sql, params![execution, number, stage, now, line])?;
    }
    for execution in last.keys() {
        tx.change("log", execution)?;
    }
    Ok(())
}

/// Fetches what expressions asked for, then has their messages decided again.
pub(super) fn fetch(
    engine: &Engine,
    fetch: Arc<dyn Fetch>,
    execution: String,
    needs: Vec<Need>,
    again: Vec<(String, Message)>,
) {
    let engine = engine.clone();
    tokio::spawn(async move {
        let mut found = Found::default();
        for need in &needs {
            if let Need::Url(url) = need {
                found.fetched.insert(url.clone(), fetch.fetch(url).await);
            }
        }
        let stored: Vec<Need> = needs.into_iter().filter(|n| !matches!(n, Need::Url(_))).collect();
        let read = engine.store().read(move |tx| {
            let mut given = Given::default();
            begin::look_up(tx, &stored, &mut given)?;
            Ok::<_, StoreError>(given)
        });
        match read.await {
            Ok(given) => {
                found.pipelines = given.pipelines;
                found.applications = given.applications;
            }
            Err(error) => tracing::error!(%error, execution, "cannot look up what an expression asks for"),
        }
        engine.send(Input::Fetched { execution, found, again });
    });
}

/// Starts the pipelines that have a trigger on the end of this one. Each at most once: the keys say so.
async fn follow(engine: &Engine, run: &Arc<Execution>) -> Result<(), EngineError> {
    if run.kind != Kind::Pipeline || run.pipeline_config_id.is_none() || run.start_time.is_none() {
        return Ok(());
    }
    let (engine, run) = (engine.clone(), run.clone());
    let store = engine.store().clone();
    store
        .write(move |tx| {
            for pipeline in pipelines::with_trigger(tx, "pipeline")? {
                let triggers = pipeline.get("triggers").and_then(Value::as_array);
                let matching = triggers.into_iter().flatten().find(|t| crate::trigger::pipeline::matches(t, &run));
                let (Some(matching), Some(id)) = (matching, pipeline.get("id").and_then(Value::as_str)) else {
                    continue;
                };
                let trigger = parent_trigger(matching, &run);
                engine.trigger(tx, id, &trigger, &run.id)?;
            }
            Ok(())
        })
        .await
}

fn parent_trigger(config: &Value, run: &Execution) -> Map {
    let mut trigger = config.as_object().cloned().unwrap_or_default();
    trigger.insert("type".into(), json!("pipeline"));
    trigger.insert("user".into(), json!(run.trigger.user()));
    trigger.extend(parent(run));
    trigger
}

/// What the trigger of a child says about its parent: the whole of it, and of its own parents their names.
pub fn parent(run: &Execution) -> Map {
    let mut parent = serde_json::to_value(run).unwrap_or_default();
    if let Some(above) = parent.pointer_mut("/trigger/parentExecution") {
        let brief = |key: &str| above.get(key).cloned().unwrap_or(Value::Null);
        let depth = brief("pipelineDepth");
        *above = json!({
            "id": brief("id"), "name": brief("name"), "application": brief("application"), "status": brief("status"),
            "pipelineConfigId": brief("pipelineConfigId"), "type": "PIPELINE", "stages": [], "trigger": {},
            "pipelineDepth": depth,
        });
    }
    let status = match run.status {
        Status::NotStarted => "RUNNING",
        status => status.as_str(),
    };
    let mut out = Map::new();
    out.insert("parentPipelineId".into(), json!(run.id));
    out.insert("parentPipelineName".into(), json!(run.name));
    out.insert("parentPipelineApplication".into(), json!(run.application));
    out.insert("parentStatus".into(), json!(status));
    out.insert("isPipeline".into(), json!(true));
    out.insert("parentExecution".into(), parent);
    out
}
