//! Starting cloud operations and following them: the two tasks that every cloud stage is made of.
//!
//! An operation is started under the task's key, so an attempt after a crash finds it again instead of doing it twice.

use std::time::Duration;

use async_trait::async_trait;
use cloud::{CloudError, Clouds, Handle, Key, Operation, Outcome, Progress};
use jiff::{SignedDuration, Timestamp};
use pipeline::{Effect, Exception, Map, TaskInput, TaskResult};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::guards::Guarded;

/// An operation and the account that does it.
pub(crate) struct Job {
    pub account: String,
    pub operation: Operation,
    /// The server group that it is about, where it is about one that exists.
    pub group: Option<Target>,
}

/// A server group that a stage works on, as it stands in the stage's context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Target {
    pub account: String,
    pub region: String,
    pub server_group_name: String,
}

/// Where the targets of a stage stand in its context.
pub(crate) const TARGETS: &str = "targetServerGroups";
/// Where the started operations stand.
const HANDLES: &str = "kato.handles";

/// The topic that an account's changes wake.
pub(crate) fn topic(account: &str) -> String {
    format!("cloud:{account}")
}

/// A cloud's error as a task's result: what may be tried again is.
pub(crate) fn from_error(error: &CloudError, input: &TaskInput) -> TaskResult {
    if error.may_retry() {
        let wait = match error {
            CloudError::Throttled { wait, .. } => {
                SignedDuration::try_from(*wait).unwrap_or(SignedDuration::from_secs(30))
            }
            _ => SignedDuration::from_secs(2),
        };
        return TaskResult::again(input.now.checked_add(wait).unwrap_or(input.now), error.to_string());
    }
    TaskResult::Failed { error: Exception::new("CloudOperationFailed", error.to_string()) }
}

/// Looks again when the account changes, and after a while in case a change was missed.
pub(crate) fn wait_for(account: &str, now: Timestamp, reason: impl Into<String>) -> TaskResult {
    let latest = now.checked_add(SignedDuration::from_secs(2)).unwrap_or(now);
    TaskResult::again(latest, reason).wake_on(topic(account))
}

/// The targets that stand in the context.
pub(crate) fn targets(input: &TaskInput) -> Vec<Target> {
    input.view().map(|view| targets_of(view.context())).unwrap_or_default()
}

/// The same of any stage's context.
pub(crate) fn targets_of(context: &Map) -> Vec<Target> {
    let own = context.get(TARGETS).cloned();
    own.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
}

/// Makes operations of a stage's context.
pub(crate) type Build = fn(&TaskInput) -> Result<Vec<Job>, TaskResult>;

/// Starts the operations that a stage's configuration asks for.
pub(crate) struct Start {
    pub site: Guarded,
    pub build: Build,
}

#[async_trait]
impl Effect for Start {
    async fn run(&self, input: TaskInput) -> TaskResult {
        match (self.build)(&input) {
            Ok(jobs) => self.site.start(&input, jobs).await,
            Err(result) => result,
        }
    }
}

/// Starts operations, each under a key made of the task's key and its place.
pub(crate) async fn start(clouds: &Clouds, input: &TaskInput, jobs: Vec<Job>) -> TaskResult {
    let mut handles = Vec::new();
    let mut targets = Vec::new();
    for (place, job) in jobs.iter().enumerate() {
        // The group belongs to the key: another attempt may find fewer groups, in other places.
        let about = job.group.as_ref().map_or_else(|| place.to_string(), |target| target.server_group_name.clone());
        let key = Key::new(format!("{}/{about}", input.key));
        let started = match clouds.account(&job.account) {
            Ok(provider) => provider.start(&job.operation, &key).await,
            Err(error) => Err(error),
        };
        match started {
            Ok(handle) => handles.push(handle),
            Err(error) => return from_error(&error, input),
        }
        input.log.line(&format!("{}: {} started", job.account, job.operation.name()));
        targets.extend(job.group.clone());
    }
    let mut result = TaskResult::succeeded();
    if let Some(last) = handles.last() {
        result = result.context("kato.last.task.id", json!({"id": last.id}));
    }
    if !targets.is_empty() {
        result = result.context(TARGETS, json!(targets));
    }
    let operation = jobs.first().map(|job| job.operation.name().to_lowercase());
    result
        .context(HANDLES, json!(handles))
        .context("kato.result.expected", false)
        .context("notification.type", operation)
}

/// Follows the operations that were started until all have ended.
pub(crate) struct Monitor {
    pub clouds: Clouds,
}

#[async_trait]
impl Effect for Monitor {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let mut outcomes = Vec::new();
        for handle in handles(&input) {
            match self.follow(&handle).await {
                Ok(Progress::Done { result }) => outcomes.push((handle, result)),
                Ok(Progress::Running { reason }) => return wait_for(&handle.account, input.now, reason),
                Ok(Progress::Failed { error }) => return failed(&handle, &error),
                Ok(Progress::Cancelled) => return failed(&handle, "the operation was cancelled"),
                Err(error) => return from_error(&error, &input),
            }
        }
        done(&outcomes)
    }

    async fn cancel(&self, input: TaskInput) {
        for handle in handles(&input) {
            if let Ok(provider) = self.clouds.account(&handle.account)
                && let Err(error) = provider.cancel(&handle).await
            {
                tracing::warn!(%error, operation = handle.id, "a cloud operation could not be cancelled");
            }
        }
    }
}

impl Monitor {
    /// Polls, and once more when something changes within a moment: most operations of a quick cloud end here.
    async fn follow(&self, handle: &Handle) -> Result<Progress, CloudError> {
        let provider = self.clouds.account(&handle.account)?;
        let mut changes = provider.watch();
        for _ in 0..3 {
            changes.mark_unchanged();
            let progress = provider.poll(handle).await?;
            if !matches!(progress, Progress::Running { .. }) {
                return Ok(progress);
            }
            if tokio::time::timeout(Duration::from_millis(300), changes.changed()).await.is_err() {
                return Ok(progress);
            }
        }
        provider.poll(handle).await
    }
}

fn handles(input: &TaskInput) -> Vec<Handle> {
    let own = input.view().and_then(|view| view.context().get(HANDLES).cloned());
    own.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
}

fn failed(handle: &Handle, why: &str) -> TaskResult {
    let task = json!([{
        "id": handle.id, "status": {"completed": true, "failed": true, "retryable": false}, "history": [], "resultObjects": [],
        "exception": {"message": why, "type": "EXCEPTION"},
    }]);
    TaskResult::Failed { error: Exception::new("CloudOperationFailed", why) }.context("kato.tasks", task)
}

/// What clients and expressions read of ended operations.
fn done(outcomes: &[(Handle, Outcome)]) -> TaskResult {
    let mut result = TaskResult::succeeded();
    let tasks: Vec<Value> = outcomes.iter().map(|(handle, outcome)| kato_task(handle, outcome)).collect();
    result = result.context("kato.tasks", tasks).context("kato.task.lastStatus", "SUCCEEDED");
    let made: Vec<(&Handle, &Outcome, &String)> = outcomes
        .iter()
        .flat_map(|(handle, outcome)| outcome.server_groups.iter().map(move |name| (handle, outcome, name)))
        .collect();
    if let Some((handle, ..)) = made.first() {
        let mut groups = Map::new();
        let mut deployed = Vec::new();
        let mut targets = Vec::new();
        for (handle, outcome, name) in &made {
            if let Value::Array(names) = groups.entry(outcome.region.clone()).or_insert_with(|| json!([])) {
                names.push(json!(name));
            }
            deployed.push(json!({
                "name": name, "serverGroupName": name, "account": handle.account, "region": outcome.region,
                "previewAddress": address_of(outcome, name),
            }));
            targets.push(Target {
                account: handle.account.clone(),
                region: outcome.region.clone(),
                server_group_name: (*name).clone(),
            });
        }
        for (key, value) in [
            ("deploy.server.groups", Value::Object(groups)),
            ("deploy.account.name", json!(handle.account)),
            ("deployedServerGroups", json!(deployed)),
            ("previewAddress", json!(made.first().and_then(|(_, outcome, name)| address_of(outcome, name)))),
            ("serverGroupName", json!(made.first().map(|(_, _, name)| name))),
        ] {
            result = result.context(key, value.clone()).output(key, value);
        }
        result = result.context(TARGETS, json!(targets));
    }
    let addresses: Vec<Value> = outcomes.iter().flat_map(|(_, outcome)| balancers_of(outcome)).collect();
    if let Some(first) = addresses.first() {
        let (dns, targets) = (first["address"].clone(), json!(addresses));
        result = result.context("dnsName", dns.clone()).output("dnsName", dns);
        result = result.context("targets", targets.clone()).output("targets", targets);
    }
    result
}

fn address_of(outcome: &Outcome, name: &str) -> Option<String> {
    outcome.addresses.iter().find(|(of, _)| of == name).map(|(_, address)| address.clone())
}

fn balancers_of(outcome: &Outcome) -> Vec<Value> {
    let address = |name: &String| json!({"name": name, "region": outcome.region, "address": address_of(outcome, name)});
    outcome.load_balancers.iter().map(address).collect()
}

fn kato_task(handle: &Handle, outcome: &Outcome) -> Value {
    let mut groups = Map::new();
    groups.insert(outcome.region.clone(), json!(outcome.server_groups));
    let names: Vec<String> = outcome.server_groups.iter().map(|name| format!("{}:{name}", outcome.region)).collect();
    json!({
        "id": handle.id,
        "status": {"completed": true, "failed": false, "retryable": false},
        "history": [{"phase": "ORCHESTRATION", "status": "Orchestration completed."}],
        "resultObjects": [{"type": "CREATE", "serverGroupNames": names, "serverGroupNameByRegion": groups}],
    })
}
