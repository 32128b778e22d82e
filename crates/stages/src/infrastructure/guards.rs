//! Traffic guards: an application names clusters that must not lose their last instance in traffic, and what would do that is refused
//! before anything is started.

use std::collections::BTreeMap;

use cloud::health::{self, HealthState};
use cloud::inventory::ServerGroup;
use cloud::{CloudError, Clouds, Operation, Query};
use pipeline::{Exception, Map, TaskInput, TaskResult, applications, reports};
use serde_json::Value;
use store::{Store, StoreError};

use super::operate::{self, Job, from_error};
use super::wishes::{flag, text};

/// Starts operations that no guard refuses.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub clouds: Clouds,
    pub store: Store,
}

impl Guarded {
    /// Starts them all, or none.
    pub async fn start(&self, input: &TaskInput, jobs: Vec<Job>) -> TaskResult {
        match self.refusal(&jobs).await {
            Ok(None) => {
                if jobs.iter().any(|job| job.operation.moves_traffic()) {
                    self.want_report(&input.execution.id).await;
                }
                operate::start(&self.clouds, input, jobs).await
            }
            Ok(Some(why)) => TaskResult::Failed { error: Exception::new("TrafficGuardException", why) },
            Err(error) => from_error(&error, input),
        }
    }

    /// What users have of this is written down when the execution has ended.
    async fn want_report(&self, execution: &str) {
        let (asked, wanted) = (execution.to_owned(), execution.to_owned());
        let known = self.store.read::<_, StoreError, _>(move |tx| reports::is_wanted(tx, &asked)).await;
        if matches!(known, Ok(true)) {
            return;
        }
        if let Err(error) = self.store.write::<_, StoreError, _>(move |tx| reports::want(tx, &wanted)).await {
            tracing::warn!(%error, execution, "no report of this deployment will be written");
        }
    }

    async fn refusal(&self, jobs: &[Job]) -> Result<Option<String>, CloudError> {
        let mut accounts: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
        for job in jobs.iter().filter(|job| takes_traffic(&job.operation)) {
            accounts.entry(&job.account).or_default().push(&job.operation);
        }
        for (account, operations) in accounts {
            let query = Query { application: None, without_images: true };
            let groups = self.clouds.account(account)?.list(&query).await?.server_groups;
            for operation in &operations {
                for group in groups.iter().filter(|group| leaving(group, operation) > 0) {
                    let guards = self.guards(group.name.cluster().app()).await?;
                    if guards.iter().any(|guard| guards_cluster(guard, group))
                        && let Some(why) = refuses(group, &groups, &operations, operation.name())
                    {
                        return Ok(Some(why));
                    }
                }
            }
        }
        Ok(None)
    }

    async fn guards(&self, application: &str) -> Result<Vec<Map>, CloudError> {
        let name = application.to_owned();
        let read = self.store.read(move |tx| applications::get(tx, &name)).await;
        let attributes = read.map_err(|error: store::StoreError| CloudError::Store(error.to_string()))?;
        let guards = attributes.as_ref().and_then(|map| map.get("trafficGuards")).and_then(Value::as_array);
        Ok(guards.into_iter().flatten().filter_map(Value::as_object).cloned().collect())
    }
}

/// Whether an operation can take instances out of traffic.
fn takes_traffic(operation: &Operation) -> bool {
    match operation {
        Operation::DisableServerGroup(_)
        | Operation::DestroyServerGroup(_)
        | Operation::TerminateInstances(_)
        | Operation::DeregisterInstances(_) => true,
        Operation::ResizeServerGroup(op) => op.capacity.desired == 0,
        _ => false,
    }
}

/// Pure: how many of a group's instances in traffic an operation takes away.
fn leaving(group: &ServerGroup, operation: &Operation) -> u32 {
    let up = group.up(None);
    let here = |name: &cloud::names::GroupName, region: &str| *name == group.name && region == group.region;
    let of = |ids: &[String]| {
        let mut gone = group.clone();
        gone.instances.retain(|instance| ids.contains(&instance.id));
        gone.up(None)
    };
    match operation {
        Operation::DisableServerGroup(op) if here(&op.group, &op.region) => match op.percentage {
            Some(percentage) if percentage < 100 => {
                // Those that are out of traffic already are part of the share.
                let is_out = |state| matches!(state, HealthState::OutOfService | HealthState::Draining);
                let out = group.instances.iter().filter(|instance| is_out(instance.state())).count();
                let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
                health::portion(count(group.instances.len()), percentage).saturating_sub(count(out)).min(up)
            }
            _ => up,
        },
        Operation::DestroyServerGroup(op) if here(&op.group, &op.region) => up,
        Operation::ResizeServerGroup(op) if here(&op.group, &op.region) && op.capacity.desired == 0 => up,
        Operation::TerminateInstances(op) if op.region == group.region => of(&op.instances),
        Operation::DeregisterInstances(op) if op.region == group.region => of(&op.instances),
        _ => 0,
    }
}

/// Pure: whether a guard is meant for the cluster of a group. `*` stands for anything, nothing stands for nothing.
fn guards_cluster(guard: &Map, group: &ServerGroup) -> bool {
    let is = |key: &str, own: &str| {
        let wanted = text(guard, &[key]).unwrap_or_default();
        wanted == "*" || wanted.eq_ignore_ascii_case(own)
    };
    let cluster = group.name.cluster();
    flag(guard, "enabled").unwrap_or(true)
        && is("account", &group.account)
        && is("location", &group.region)
        && is("stack", cluster.stack())
        && is("detail", cluster.detail())
}

/// Pure: why operations that take instances of a group away are refused: of what the cluster has in traffic there nothing would be left.
fn refuses(group: &ServerGroup, all: &[ServerGroup], operations: &[&Operation], what: &str) -> Option<String> {
    let cluster = group.name.cluster();
    let (mut there, mut gone, mut names) = (0, 0, Vec::new());
    for other in all.iter().filter(|other| other.name.cluster() == cluster && other.region == group.region) {
        let up = other.up(None);
        let leaves = operations.iter().map(|operation| leaving(other, operation)).sum::<u32>().min(up);
        if leaves > 0 {
            names.push(other.name.to_string());
        }
        (there, gone) = (there + up, gone + leaves);
    }
    (there > 0 && gone >= there).then(|| {
        let place = format!("{}/{}", group.account, group.region);
        format!(
            "This cluster ('{cluster}' in {place}) has traffic guards enabled. {what} [{}] would leave the cluster with no instances up.",
            names.join(", ")
        )
    })
}
