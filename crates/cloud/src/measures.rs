//! Numbers of an account for a monitoring system: how many instances are in which state, and what load balancers did. Cheap to get, whatever
//! there is; names of instances are not among them.

use std::collections::BTreeMap;

use crate::health::HealthState;
use crate::inventory::Inventory;

/// An account at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measures {
    /// Instances by state.
    pub instances: BTreeMap<HealthState, u64>,
    /// How many server groups have instances.
    pub server_groups: u64,
    /// Single health checks of instances, by server group; empty where the provider does not count them.
    pub checks: BTreeMap<String, CheckMeasures>,
    /// Load balancers by name; their numbers are empty where the provider does not measure.
    pub balancers: BTreeMap<String, BalancerMeasures>,
}

/// How single health checks ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckMeasures {
    /// As expected.
    pub passed: u64,
    /// Otherwise, or not in time.
    pub failed: u64,
}

/// A load balancer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BalancerMeasures {
    /// Instances behind it by what its checks say; those that are taken out of traffic are out of service.
    pub members: BTreeMap<HealthState, u64>,
    /// Requests that no instance could take.
    pub unserved: u64,
    /// Requests and connections that were turned away: of clients that no firewall lets in, and those that are no good HTTP.
    pub turned_away: u64,
    /// How long answers took: upper bound in seconds, and how many took at most so long, ascending; empty when nobody measures.
    pub latency: Vec<(f64, u64)>,
    /// Server groups behind it, and those that left a while ago.
    pub groups: BTreeMap<String, GroupMeasures>,
}

/// A server group behind a load balancer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupMeasures {
    /// Requests (connections, where HTTP is not spoken) that it was given.
    pub requests: u64,
    /// What clients saw fail of them: answers 500 to 599, and errors that the load balancer made.
    pub failures: u64,
    /// Requests that were sent once more.
    pub retries: u64,
    /// Requests and connections that are open.
    pub open: u64,
}

impl Measures {
    /// What an inventory shows, of a provider that has nothing better.
    pub fn of(inventory: &Inventory) -> Measures {
        let mut measures = Measures::default();
        for group in &inventory.server_groups {
            measures.server_groups += u64::from(!group.instances.is_empty());
            for instance in &group.instances {
                *measures.instances.entry(instance.state()).or_default() += 1;
            }
        }
        for balancer in &inventory.load_balancers {
            let of = measures.balancers.entry(balancer.name.clone()).or_default();
            for instance in balancer.groups.iter().flat_map(|group| &group.instances) {
                let said = instance.health.iter().find(|health| health.load_balancer.as_ref() == Some(&balancer.name));
                *of.members.entry(said.map_or(HealthState::Unknown, |health| health.state)).or_default() += 1;
            }
        }
        measures
    }
}
