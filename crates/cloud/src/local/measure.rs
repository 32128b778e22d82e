//! The data plane's status as numbers for a monitoring system. Pure.

use std::collections::BTreeSet;

use dataplane::status::{BalancerStatus, Checked, Counters, MemberStatus, Status};
use dataplane::wanted::MemberState;

use super::apply::Rules;
use super::read::{checked, said_state};
use super::state::{Group, State};
use crate::health::HealthState;
use crate::measures::{BalancerMeasures, CheckMeasures, GroupMeasures, Measures};

/// So long a server group that left is still told, in milliseconds: its last requests are seen by whoever asks now and then.
const LEFT: i64 = 60 * 60 * 1000;
/// Upper bounds of the times that are told, in microseconds: the balancer's own are finer.
const BOUNDS: [u64; 12] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000];

/// What users' load balancers and the instances of an account do.
pub fn measures(status: &Status, state: &State, rules: &Rules) -> Measures {
    let mut measures = Measures::default();
    let mut groups = BTreeSet::new();
    for instance in status.instances.iter().filter(|said| state.instances.contains_key(&said.id)) {
        groups.insert(&instance.group);
        *measures.instances.entry(said_state(instance)).or_default() += 1;
    }
    measures.server_groups = groups.len() as u64;
    let balancer = |id: &str| status.balancers.iter().find(|balancer| balancer.id == id);
    // Every instance of a group is behind its preview address, and checked there as everywhere.
    let checked = |group: &Group| {
        let Checked { passed, failed } = balancer(&rules.preview(&group.name))?.checks;
        Some((group.name.to_string(), CheckMeasures { passed, failed }))
    };
    measures.checks = state.groups.values().filter_map(checked).collect();
    let there = |name: &String| {
        let told = of(balancer(&rules.called(name))?, status.at);
        Some((name.clone(), told))
    };
    measures.balancers = state.balancers.keys().filter_map(there).collect();
    measures
}

fn of(balancer: &BalancerStatus, now: i64) -> BalancerMeasures {
    let mut measures = BalancerMeasures {
        unserved: balancer.no_member,
        turned_away: balancer.turned_away + balancer.refused_requests,
        latency: latency(&balancer.total),
        ..BalancerMeasures::default()
    };
    let mut there = BTreeSet::new();
    for member in &balancer.members {
        there.insert(member.group.as_str());
        *measures.members.entry(standing(member)).or_default() += 1;
    }
    let recent = |at: Option<i64>| at.is_some_and(|at| now - at < LEFT);
    for group in &balancer.groups {
        if there.contains(group.group.as_str()) || recent(group.last_request_at) {
            let Counters { requests, status_5xx, failed, retried, open, .. } = group.counters;
            let told = GroupMeasures { requests, failures: status_5xx + failed, retries: retried, open };
            measures.groups.insert(group.group.clone(), told);
        }
    }
    measures
}

fn standing(member: &MemberStatus) -> HealthState {
    match member.state {
        MemberState::Active => checked(member.health.state),
        _ if member.counters.open > 0 => HealthState::Draining,
        _ => HealthState::OutOfService,
    }
}

/// How many answers took at most so long. A bucket of the balancer counts where all of it lies below.
fn latency(total: &Counters) -> Vec<(f64, u64)> {
    let below = |bound: u64| total.latency.buckets.iter().filter(|(most, _)| *most <= bound).map(|(_, n)| n).sum();
    let all = total.latency.buckets.iter().map(|(_, n)| n).sum();
    let bounded = BOUNDS.iter().map(|bound| (*bound as f64 / 1e6, below(*bound)));
    bounded.chain([(f64::INFINITY, all)]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn status() -> Status {
        let counters = json!({
            "requests": 100, "open": 2, "status_5xx": 3, "refused": 1, "reset": 0, "timed_out": 0, "retried": 4, "abandoned": 0, "failed": 5,
            "latency": {"buckets": [[895, 60], [1023, 20], [2_047, 15], [20_000_000, 5]]}});
        let health = |state: &str| json!({"state": state, "since": 0, "why": ""});
        let member = |id: &str, group: &str, state: &str, is: &str| json!({"id": id, "group": group, "address": "127.0.0.1:1", "weight": 1, "state": state, "health": health(is), "counters": counters});
        let balancer = |id: &str| {
            json!({"id": id, "listeners": [], "total": counters, "no_member": 7, "refused_requests": 1, "turned_away": 2, "last_switch": null, "checks": {"passed": 40, "failed": 2},
                "members": [member("a", "shop-v001", "active", "up"), member("b", "shop-v001", "active", "down"), member("c", "shop-v000", "out", "up")],
                "groups": [{"group": "shop-v001", "counters": counters, "last_request_at": null},
                    {"group": "shop-v000", "counters": counters, "last_request_at": null},
                    {"group": "old-v001", "counters": counters, "last_request_at": 10_000_000 - LEFT + 1},
                    {"group": "old-v000", "counters": counters, "last_request_at": 10_000_000 - LEFT}]})
        };
        let instance = |id: &str, state: &str, is: &str| {
            json!({"id": id, "group": "shop-v001", "zone": "local-a", "state": state, "since": 0, "shim_pid": null, "pid": null, "port": null,
                "exit": null, "restarts": 0, "health": health(is), "isolation": "none"})
        };
        let all = json!({"schema": 1, "version": "1", "pid": 1, "started_at": 0, "at": 10_000_000, "generation": 1, "seq": 1,
            "isolation": {"kind": "none", "why": ""}, "balancers": [balancer("shop"), balancer("preview.shop-v001"), balancer("prod.shop")],
            "instances": [instance("a", "running", "up"), instance("b", "waiting", "down"), instance("c", "stopping", "up"), instance("of another account", "running", "up")]});
        serde_json::from_value(all).expect("a status")
    }

    fn rules() -> Rules {
        let account = super::super::machine::Named::local();
        super::super::machine::Options::new("/", "/", "").rules(&account)
    }

    /// An account with the load balancer `shop` and the instances `a`, `b` and `c`.
    fn state() -> State {
        let instance = |id: &str| {
            let made = json!({"id": id, "group": "shop-v001", "number": 1, "zone": "local-a", "port": 1, "launched": "1970-01-01T00:00:00Z",
                "out": null, "leaving": null, "run": 0});
            (id.to_owned(), serde_json::from_value(made).expect("an instance"))
        };
        let spec = crate::operation::UpsertLoadBalancer::new("shop", "local", "shop", Vec::new());
        let shop = super::super::state::Balancer { spec, created: jiff::Timestamp::UNIX_EPOCH, addresses: Vec::new() };
        let launch = json!({"root": {"kind": "host", "layers": []}, "command": []});
        let spec = serde_json::to_value(crate::operation::CreateServerGroup::new(
            "shop".parse().expect("a name"),
            "local",
            "/image",
            crate::health::Capacity::exactly(3),
        ));
        let group = json!({"name": "shop-v001", "spec": spec.expect("JSON"), "launch": launch, "created": "1970-01-01T00:00:00Z",
            "capacity": {"min": 3, "max": 3, "desired": 3}, "disabled": false, "leaving": null, "preview": "127.0.0.1:1", "made": 3});
        State {
            groups: BTreeMap::from([("shop-v001".to_owned(), serde_json::from_value(group).expect("a group"))]),
            instances: ["a", "b", "c"].map(instance).into(),
            balancers: BTreeMap::from([("shop".to_owned(), shop)]),
            ..State::default()
        }
    }

    #[test]
    fn a_status_is_told_in_numbers() {
        let measures = measures(&status(), &state(), &rules());
        assert_eq!(
            measures.instances,
            BTreeMap::from([(HealthState::Up, 1), (HealthState::Down, 1), (HealthState::Draining, 1)])
        );
        assert_eq!(measures.server_groups, 1);
        assert_eq!(
            measures.balancers.keys().collect::<Vec<_>>(),
            ["shop"],
            "preview addresses have no users, and another account tells its own"
        );
        assert_eq!(
            measures.checks,
            BTreeMap::from([("shop-v001".to_owned(), CheckMeasures { passed: 40, failed: 2 })])
        );
        let shop = &measures.balancers["shop"];
        assert_eq!(
            shop.members,
            BTreeMap::from([(HealthState::Up, 1), (HealthState::Down, 1), (HealthState::Draining, 1)])
        );
        assert_eq!((shop.unserved, shop.turned_away), (7, 3));
        assert_eq!(
            shop.groups.keys().collect::<Vec<_>>(),
            ["old-v001", "shop-v000", "shop-v001"],
            "who left an hour ago is not told any more"
        );
        let told = GroupMeasures { requests: 100, failures: 8, retries: 4, open: 2 };
        assert_eq!(shop.groups["shop-v001"], told);
        assert_eq!(shop.latency[..2], [(0.001, 60), (0.0025, 95)]);
        assert_eq!(shop.latency[11..], [(10.0, 95), (f64::INFINITY, 100)]);
    }
}
