//! What happens after a commit: effects are run and cancelled, texts are fetched, pipelines that follow are started.

use std::sync::Arc;

use serde_json::{Value, json};
use store::StoreError;

use super::live::{Found, Pending};
use super::running::{Asked, Event};
use super::{Engine, EngineError, Fetch, Input, begin};
use crate::decide::{Message, NEVER, Order, WHOLE_STAGE, World, task_input};
use crate::evaluate::{Given, Need};
use crate::model::{Execution, Status};
use crate::registry::Runs;
use crate::{Exception, Log, Map, Registry, TaskResult, pipelines};

/// The key of the message that stands for "start the pipelines that follow this one".
pub(super) const FOLLOW: &str = "follow";

/// That message; it waits until it was carried out.
pub(super) fn follow_later() -> Pending {
    Pending { due: NEVER, message: Message::CompleteExecution }
}

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
    run: &Arc<Execution>,
    given: Arc<Given>,
    order: Order,
    asked: u64,
) {
    let world = World { given, registry, running: 0 };
    match order {
        Order::Run { stage, task, lease } => {
            let log = log(engine, id, &stage);
            let Some(input) = task_input(run, &stage, &task, &world, log) else { return };
            let key = run.stage(&stage).and_then(|s| s.task(&task)).map(|t| t.implementing_class.clone());
            let Some(Runs::Effect(effect)) = key.and_then(|key| registry.task(&key)) else { return };
            let flight = engine.0.flights.begin(id, &stage);
            let (engine, execution) = (engine.clone(), id.to_owned());
            tokio::spawn(async move {
                let began = std::time::Instant::now();
                let done = tokio::spawn(async move { effect.run(input).await }).await;
                drop(flight);
                let result = done.unwrap_or_else(|broken| {
                    let text = format!("the task broke off: {broken}; this is an error of the program");
                    TaskResult::Failed { error: Exception::new("Panic", text) }
                });
                engine.meter().task_times.observe(began.elapsed());
                engine.meter().answered(&result);
                engine.send(Input::Event(Event::Finished { execution, stage, task, lease, result, asked }));
            });
        }
        Order::Cancel { ref stage, ref task, ref effect } => {
            let Some(key) = key_of(&order) else { return };
            let (engine, execution) = (engine.clone(), id.to_owned());
            let input = task_input(run, stage, task, &world, log(&engine, id, stage));
            let effect = registry.task(effect);
            // What a task has going is stopped at once; what a whole stage has started, when all is started.
            let whole = (task == WHOLE_STAGE).then(|| (engine.0.flights.clone(), run.clone(), stage.clone()));
            tokio::spawn(async move {
                if let Some((flights, run, stage)) = whole {
                    flights.ended(&run, &stage).await;
                }
                if let (Some(input), Some(Runs::Effect(effect))) = (input, effect) {
                    let done = tokio::spawn(async move { effect.cancel(input).await }).await;
                    if let Err(error) = done {
                        tracing::error!(%error, execution, "a cancellation broke off");
                    }
                }
                engine.send(Input::Event(Event::Settled { execution, key }));
            });
        }
        Order::Ended => {
            let (engine, execution, run) = (engine.clone(), id.to_owned(), run.clone());
            tokio::spawn(async move {
                while let Err(error) = follow(&engine, &run).await {
                    tracing::error!(%error, execution, "cannot start the pipelines that follow; trying again");
                    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
                }
                engine.send(Input::Event(Event::Settled { execution, key: FOLLOW.into() }));
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

/// Fetches what expressions asked for, then has their messages decided again.
pub(super) fn fetch(engine: &Engine, fetch: Arc<dyn Fetch>, asked: Asked) {
    let engine = engine.clone();
    let Asked { execution, needs, again } = asked;
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
        engine.send(Input::Event(Event::Fetched { execution, found, again }));
    });
}

/// Starts the pipelines that have a trigger on the end of this one. Each at most once: the keys say so.
async fn follow(engine: &Engine, run: &Arc<Execution>) -> Result<(), EngineError> {
    let Some(ended) = run.pipeline_config_id.clone() else { return Ok(()) };
    let (engine, run) = (engine.clone(), run.clone());
    let store = engine.store().clone();
    store
        .write(move |tx| {
            for pipeline in pipelines::followers(tx, &ended)? {
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
    let user = trigger.get("runAsUser").and_then(Value::as_str).filter(|user| !user.is_empty());
    let user = user.unwrap_or(run.trigger.user()).to_owned();
    trigger.insert("user".into(), json!(user));
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
