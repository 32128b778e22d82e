//! One case of the pipeline fuzzer: any JSON is checked as a pipeline; what passes is started and worked through to its end.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use pipeline::decide::{NEVER, Order, Timer, World, settle};
use pipeline::evaluate::Given;
use pipeline::model::Kind;
use pipeline::start::{IdSource, Start, Started, check, execution};
use pipeline::{Map, Message, Plan, PlanError, Registry, Stage, StageView, TaskInput, TaskResult, TaskSpec};
use serde_json::Value;

/// A stage that has to look twice.
struct Twice;

impl Stage for Twice {
    fn kind(&self) -> &'static str {
        "wait"
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("twice", "twice")]))
    }
}

fn twice(input: &TaskInput, now: Timestamp) -> TaskResult {
    if input.started < now { TaskResult::succeeded() } else { TaskResult::again(later(now), "it looks twice") }
}

fn later(now: Timestamp) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_secs(1)).unwrap_or(now)
}

#[derive(Debug, Default)]
struct Counted(std::cell::Cell<u32>);

impl IdSource for Counted {
    fn next(&self) -> String {
        self.0.set(self.0.get() + 1);
        format!("STAGE{:021}", self.0.get())
    }
}

/// Starts `data`. It is refused, or it ends.
pub fn one(data: &[u8]) {
    let Ok(Value::Object(config)) = serde_json::from_slice::<Value>(data) else { return };
    let _ = check(&config);
    let trigger = Map::new();
    let mut now = Timestamp::UNIX_EPOCH;
    let given = Given { now, ..Given::default() };
    let ids = Counted::default();
    let kind = Kind::Pipeline;
    let id = "EXECUTION".to_owned();
    let start = Start { config: &config, trigger: &trigger, kind, id, ids: &ids, given: &given, prior_artifacts: &[] };
    let Ok(Started::Execution(run)) = execution(&start) else { return };
    let registry = Registry::new().stage(&Twice).pure("twice", twice);
    let (mut run, mut due) = (*run, VecDeque::from([Message::StartExecution]));
    for _ in 0..10_000 {
        let Some(message) = due.pop_front() else { break };
        let given = Arc::new(Given { now, ..Given::default() });
        let settled = settle(&run, vec![message], &World { given, registry: &registry, running: 0 });
        if !settled.needs.is_empty() {
            return;
        }
        assert!(settled.orders.iter().all(|order| matches!(order, Order::Ended)), "nothing here has effects");
        due.extend(settled.rest);
        for timer in settled.timers {
            if let Timer::Set { due: at, message, .. } = timer
                && at != NEVER
            {
                due.push_back(message);
            }
        }
        run = settled.run;
        now = later(now);
    }
    // What waits for its hours may wait for ever.
    let waits =
        config.get("stages").is_some_and(|stages| stages.to_string().contains("restrictExecutionDuringTimeWindow"));
    assert!(waits || run.status.is_complete(), "it never ends: {}", run.status);
}
