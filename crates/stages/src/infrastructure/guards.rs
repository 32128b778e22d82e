//! Traffic guards: an application names clusters that must not lose their last instance in traffic, and what would do that is refused
//! before anything is started.

use std::collections::BTreeMap;

use cloud::health::{self, Capacity, HealthState};
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
    pub guards: TrafficGuards,
}

/// What is the same for all traffic guards.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TrafficGuards {
    /// What would leave this share of a cluster's instances in traffic, or less, is refused: 0 (only what would leave none) up to 0.5.
    pub min_capacity_ratio: f64,
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
                        && let Some(why) = self.guards.refuse(group, &groups, &operations, operation.name())
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

impl TrafficGuards {
    /// Pure: why operations that take instances of a group away are refused: of what the cluster has in traffic there too little, or
    /// nothing, would be left.
    fn refuse(self, group: &ServerGroup, all: &[ServerGroup], operations: &[&Operation], what: &str) -> Option<String> {
        let cluster = group.name.cluster();
        let (mut there, mut gone, mut names) = (0, 0, Vec::new());
        let mut sizes = Vec::new();
        for other in all.iter().filter(|other| other.name.cluster() == cluster && other.region == group.region) {
            let up = other.up(None);
            let leaves = operations.iter().map(|operation| leaving(other, operation)).sum::<u32>().min(up);
            if leaves > 0 {
                names.push(other.name.to_string());
            }
            if up > 0 {
                let Capacity { min, max, desired } = other.capacity;
                sizes.push((min == max).then_some(desired));
            }
            (there, gone) = (there + up, gone + leaves);
        }
        let left = there.saturating_sub(gone);
        // Groups of one fixed size follow each other whole: a share of them says nothing.
        let whole = sizes.len() > 1 && sizes[0].is_some() && sizes.iter().all(|size| *size == sizes[0]);
        let too_few = f64::from(left) <= f64::from(there) * self.min_capacity_ratio && !whole;
        let rest = match left {
            _ if there == 0 => return None,
            0 => "no instances up".to_owned(),
            left if too_few => format!("{left} of {there} instances up, which is not enough"),
            _ => return None,
        };
        let place = format!("{}/{}", group.account, group.region);
        Some(format!(
            "This cluster ('{cluster}' in {place}) has traffic guards enabled. {what} [{}] would leave the cluster with {rest}.",
            names.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use cloud::health::Health;
    use cloud::inventory::Instance;
    use cloud::operation::GroupAt;
    use jiff::Timestamp;

    use super::*;

    /// A group with so many instances in traffic.
    fn group(name: &str, up: u32, max: u32) -> ServerGroup {
        let instance = |n: u32| Instance {
            id: format!("{name}-{n}"),
            group: name.parse().unwrap(),
            zone: "here-a".into(),
            launched: None,
            address: None,
            health: vec![Health {
                kind: "LoadBalancer".into(),
                platform: false,
                state: HealthState::Up,
                description: None,
                load_balancer: Some("front".into()),
            }],
            why: None,
            details: BTreeMap::new(),
        };
        ServerGroup {
            name: name.parse().unwrap(),
            account: "test".into(),
            provider: "simulated".into(),
            region: "here".into(),
            zones: vec![],
            created: Timestamp::UNIX_EPOCH,
            capacity: Capacity { min: up, max, desired: up },
            disabled: false,
            leaving: false,
            image: "image".into(),
            instance_type: None,
            load_balancers: vec!["front".into()],
            firewalls: vec![],
            preview_address: None,
            labels: Default::default(),
            env: Default::default(),
            health_check: None,
            share: None,
            instances: (0..up).map(instance).collect(),
        }
    }

    /// What a guard says when the first group is destroyed.
    fn says(ratio: f64, groups: &[ServerGroup]) -> Option<String> {
        let operation = Operation::DestroyServerGroup(GroupAt { group: groups[0].name.clone(), region: "here".into() });
        let guards = TrafficGuards { min_capacity_ratio: ratio };
        guards.refuse(&groups[0], groups, &[&operation], operation.name())
    }

    #[test]
    fn a_cluster_keeps_the_least_share_of_its_instances() {
        let groups = [group("shop-v001", 8, 10), group("shop-v002", 2, 10)];
        assert_eq!(says(0.0, &groups), None);
        assert_eq!(says(0.1, &groups), None);
        assert_eq!(
            says(0.2, &groups).unwrap(),
            "This cluster ('shop' in test/here) has traffic guards enabled. destroyServerGroup [shop-v001] would leave the cluster with 2 of 10 instances up, which is not enough."
        );
        assert!(says(0.0, &groups[..1]).unwrap().ends_with("would leave the cluster with no instances up."));
        assert_eq!(says(0.4, &[group("shop-v001", 0, 4)]), None, "there is nothing to lose");
    }

    #[test]
    fn groups_of_one_fixed_size_follow_each_other_whole_but_never_to_nothing() {
        let fixed = |name: &str| group(name, 4, 4);
        assert_eq!(says(0.5, &[fixed("shop-v001"), fixed("shop-v002")]), None);
        assert!(says(0.5, &[fixed("shop-v001"), group("shop-v002", 4, 8)]).is_some());
        assert!(says(0.5, &[fixed("shop-v001")]).unwrap().contains("no instances up"));
    }
}
