//! The engine's numbers: queue, executions, transitions, stages and tasks.

use pipeline::engine::{queue, unended};
use pipeline::model::Kind as Of;
use store::StoreError;

use super::{Parts, seconds};
use crate::House;
use crate::exposition::{Exposition, Kind};

pub(super) async fn write(house: &House, text: &mut Exposition, parts: &mut Parts) {
    let now = house.now().as_millisecond();
    let read = house.store.read::<_, StoreError, _>(|tx| Ok((queue(tx)?, unended(tx)?))).await;
    if let Some((queue, unended)) = parts.note("store", read) {
        let age = queue.oldest.map_or(0, |oldest| now - oldest).max(0);
        gauge(text, "gennaker_queue_messages", "Messages of executions that are due and not done.", queue.depth);
        gauge(
            text,
            "gennaker_queue_oldest_message_age_seconds",
            "For how long the oldest of them has been due.",
            seconds(age),
        );
        let name = "gennaker_executions";
        text.family(name, Kind::Gauge, "Executions that have not ended, by status.");
        for (status, count) in unended {
            text.sample(name, &[("status", status.as_str())], count);
        }
    }
    let meter = house.engine.meter();
    let busy = meter.busy_since().map_or(0, |since| now - since).max(0);
    gauge(text, "gennaker_engine_up", "Whether the engine works.", u8::from(meter.works()));
    gauge(text, "gennaker_engine_inbox_messages", "What was sent to the engine and not taken by it.", meter.inbox());
    gauge(
        text,
        "gennaker_engine_busy_seconds",
        "For how long the engine has been at one batch; 0 between two.",
        seconds(busy),
    );
    counter(
        text,
        "gennaker_engine_transitions_total",
        "Messages that were decided, each with what follows from it.",
        meter.transitions.get(),
    );
    let name = "gennaker_engine_batch_seconds";
    text.family(name, Kind::Histogram, "Time to decide and commit what came together.");
    text.histogram(name, &[], &meter.batches.read());
    let name = "gennaker_executions_started_total";
    text.family(name, Kind::Counter, "Executions that were begun, by kind.");
    for (kind, count) in meter.started.read() {
        text.sample(name, &[("kind", word(kind))], count);
    }
    let name = "gennaker_executions_ended_total";
    text.family(name, Kind::Counter, "Executions that have ended, by kind and status.");
    for ((kind, status), count) in meter.ended.read() {
        text.sample(name, &[("kind", word(kind)), ("status", status.as_str())], count);
    }
    stages(house, text);
    gauge(
        text,
        "gennaker_tasks_running",
        "Tasks of stages that are at work outside right now.",
        house.engine.tasks_running(),
    );
    let name = "gennaker_task_runs_total";
    text.family(
        name,
        Kind::Counter,
        "Runs of tasks by what came of them: done, again (it waits and looks again), failed.",
    );
    for (result, count) in meter.tasks.read() {
        text.sample(name, &[("result", result)], count);
    }
    let name = "gennaker_task_run_seconds";
    text.family(name, Kind::Histogram, "How long runs of tasks took.");
    text.histogram(name, &[], &meter.task_times.read());
}

/// Stages by type; those that deploy are told once more, as what most are looked for.
fn stages(house: &House, text: &mut Exposition) {
    let ended = house.engine.meter().stages.read();
    let name = "gennaker_stages_ended_total";
    text.family(name, Kind::Counter, "Stages that have ended, by type and status.");
    for ((kind, status), count) in &ended {
        text.sample(name, &[("type", kind), ("status", status.as_str())], count);
    }
    let deployments = |failed: bool| -> u64 {
        let meant = ended.iter().filter(|((kind, status), _)| *kind == "deploy" && (!failed || status.is_halt()));
        meant.map(|(_, count)| count).sum()
    };
    counter(
        text,
        "gennaker_deployments_total",
        "Deployments (stages of type deploy) that have ended.",
        deployments(false),
    );
    counter(
        text,
        "gennaker_deployments_failed_total",
        "Those of them that failed or were cancelled.",
        deployments(true),
    );
}

fn word(kind: Of) -> &'static str {
    match kind {
        Of::Pipeline => "pipeline",
        Of::Orchestration => "jobs",
    }
}

pub(super) fn gauge(text: &mut Exposition, name: &str, help: &str, value: impl std::fmt::Display) {
    text.family(name, Kind::Gauge, help);
    text.sample(name, &[], value);
}

pub(super) fn counter(text: &mut Exposition, name: &str, help: &str, value: u64) {
    text.family(name, Kind::Counter, help);
    text.sample(name, &[], value);
}
