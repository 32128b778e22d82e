//! `monitorPipeline` and `dependsOnExecution`: wait for executions that somebody else started.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::engine::Engine;
use pipeline::{
    Effect, Exception, Execution, Plan, PlanError, Stage, StageView, Status, TaskInput, TaskResult, TaskSpec, fields,
    records,
};
use schemars::Schema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::StoreError;

/// The keys of the tasks.
pub(crate) const MONITOR: &str = "monitorExecutions";
pub(crate) const DEPENDS: &str = "dependsOnExecution";

const PATIENCE: SignedDuration = SignedDuration::from_hours(12);
/// Their ends wake the task; this is for what nobody foresaw.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// The stage type `monitorPipeline`.
pub struct MonitorPipelineStage;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    /// Which executions.
    execution_ids: Vec<String>,
    /// The same when it is one.
    execution_id: Option<String>,
    monitor_behavior: Behavior,
}

/// When a failure ends the stage.
#[derive(Deserialize, Default, Clone, Copy, PartialEq, Debug)]
enum Behavior {
    /// At once.
    #[default]
    FailFast,
    /// When all have ended.
    WaitForAllToComplete,
}

impl Config {
    fn ids(&self) -> Vec<String> {
        self.execution_ids.iter().chain(&self.execution_id).cloned().collect()
    }
}

impl Stage for MonitorPipelineStage {
    fn kind(&self) -> &'static str {
        "monitorPipeline"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written("executionIds/executionId!: [text]|text, monitorBehavior: FailFast|WaitForAllToComplete"))
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        if stage.config::<Config>()?.ids().is_empty() {
            return Err(PlanError::Refused("this stage needs executionIds: the executions that it waits for".into()));
        }
        Ok(Plan::tasks([TaskSpec::new("monitorPipeline", MONITOR).timeout(PATIENCE)]))
    }
    fn prepare_restart(&self, context: &mut pipeline::Map) {
        context.shift_remove("executionStatuses");
    }
}

/// Waits for several executions.
pub struct MonitorExecutions(pub Engine);

#[async_trait]
impl Effect for MonitorExecutions {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config: Config = match input.config() {
            Ok(config) => config,
            Err(failed) => return failed,
        };
        let (ids, wanted) = (config.ids(), config.ids());
        let read = self.0.store().read(move |tx| {
            let found: Result<Vec<Option<Execution>>, StoreError> =
                wanted.iter().map(|id| records::get(tx, id)).collect();
            found
        });
        match read.await {
            Ok(runs) => seen(&ids, &runs, config.monitor_behavior, input.now),
            Err(error) => TaskResult::again(later(input.now), format!("the store did not answer: {error}")),
        }
    }
}

fn later(now: Timestamp) -> Timestamp {
    now.checked_add(AGAIN).unwrap_or(Timestamp::MAX)
}

fn seen(ids: &[String], runs: &[Option<Execution>], behavior: Behavior, now: Timestamp) -> TaskResult {
    let (mut statuses, mut failures, mut open) = (Map::new(), Vec::new(), Vec::new());
    for (id, run) in ids.iter().zip(runs) {
        let Some(run) = run else {
            return TaskResult::failed(format!("there is no execution {id}"));
        };
        let name = run.name.as_deref().unwrap_or("");
        let mut entry = json!({"status": run.status, "application": run.application, "name": name});
        if run.status.is_complete() && run.status != Status::Succeeded {
            failures.push(format!("the pipeline '{name}' ({id}) is {}", run.status));
            if let Some(exception) = run.stages.iter().find_map(|s| s.context.get("exception")) {
                entry["exception"] = json!({"details": exception.get("details")});
            }
        } else if !run.status.is_complete() {
            open.push(id);
        }
        statuses.insert(id.clone(), entry);
    }
    let statuses = Value::Object(statuses);
    if !failures.is_empty() && (open.is_empty() || behavior == Behavior::FailFast) {
        let mut error = Exception::new("MonitoredPipeline", String::new());
        error.errors = failures;
        return TaskResult::Failed { error }.context("executionStatuses", statuses);
    }
    if open.is_empty() {
        return TaskResult::succeeded().context("executionStatuses", statuses);
    }
    let reason = format!("{} of {} executions have not ended, {} the first of them", open.len(), ids.len(), open[0]);
    let again = TaskResult::again(later(now), reason).context("executionStatuses", statuses);
    open.iter().fold(again, |again, id| again.wake_on(format!("execution:{id}")))
}

/// The stage type `dependsOnExecution`.
pub struct DependsOnExecutionStage;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct DependsOn {
    /// Which execution; of which type it is (`executionType`) is known.
    execution_id: String,
}

impl Stage for DependsOnExecutionStage {
    fn kind(&self) -> &'static str {
        "dependsOnExecution"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written("executionId!: text, executionType: text"))
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        if stage.config::<DependsOn>()?.execution_id.is_empty() {
            return Err(PlanError::Refused("this stage needs executionId: the execution that it waits for".into()));
        }
        Ok(Plan::tasks([TaskSpec::new("dependsOnExecution", DEPENDS)]))
    }
}

/// Waits for one execution.
pub struct DependsOnExecution(pub Engine);

#[async_trait]
impl Effect for DependsOnExecution {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config: DependsOn = match input.config() {
            Ok(config) => config,
            Err(failed) => return failed,
        };
        let id = config.execution_id;
        let wanted = id.clone();
        let status = match self.0.store().read(move |tx| records::status(tx, &wanted)).await {
            Ok(Some(status)) => status,
            Ok(None) => return TaskResult::failed(format!("there is no execution {id}")),
            Err(error) => return TaskResult::again(later(input.now), format!("the store did not answer: {error}")),
        };
        match status {
            Status::Succeeded => TaskResult::succeeded(),
            Status::Canceled => {
                let reason = format!("execution {id}, on which this one depends, was cancelled");
                TaskResult::done(Status::Canceled).context("reason", reason)
            }
            status if status.is_complete() => {
                TaskResult::failed(format!("execution {id}, on which this one depends, is {status}"))
            }
            status => TaskResult::again(later(input.now), format!("execution {id} is {status}"))
                .wake_on(format!("execution:{id}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(status: Status) -> Option<Execution> {
        Some(Execution { status, name: Some("p".into()), ..Execution::default() })
    }

    fn told(runs: &[Option<Execution>], behavior: Behavior) -> String {
        let ids: Vec<String> = (1..=runs.len()).map(|i| format!("E{i}")).collect();
        match seen(&ids, runs, behavior, Timestamp::UNIX_EPOCH) {
            TaskResult::Done { status, context, .. } => {
                format!("{status} {}", context["executionStatuses"]["E1"]["status"])
            }
            TaskResult::Again { reason, wake_on, .. } => format!("{reason}; {}", wake_on.join(",")),
            TaskResult::Failed { error } => error.errors.join("; "),
            TaskResult::Needs(_) => "needs".into(),
        }
    }

    #[test]
    fn executions_are_waited_for_until_all_ended_or_one_failed() {
        use Behavior::{FailFast, WaitForAllToComplete};
        use Status::{Canceled, NotStarted, Running, Succeeded, Terminal};
        let check = |statuses: &[Status], behavior, expect: &str| {
            let runs: Vec<_> = statuses.iter().map(|s| run(*s)).collect();
            assert_eq!(told(&runs, behavior), expect, "{statuses:?} {behavior:?}");
        };
        check(&[Succeeded, Succeeded], FailFast, "SUCCEEDED \"SUCCEEDED\"");
        let open = "2 of 3 executions have not ended, E2 the first of them; execution:E2,execution:E3";
        check(&[Succeeded, Running, NotStarted], FailFast, open);
        check(&[Running, Terminal], FailFast, "the pipeline 'p' (E2) is TERMINAL");
        let open = "1 of 2 executions have not ended, E1 the first of them; execution:E1";
        check(&[Running, Terminal], WaitForAllToComplete, open);
        let both = "the pipeline 'p' (E1) is CANCELED; the pipeline 'p' (E2) is TERMINAL";
        check(&[Canceled, Terminal], WaitForAllToComplete, both);
        assert_eq!(told(&[None], FailFast), "there is no execution E1");
    }
}
