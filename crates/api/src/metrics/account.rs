//! The accounts' numbers: instances by state, load balancers, and what users had of them by server group.

use std::collections::BTreeMap;

use cloud::health::HealthState;
use cloud::measures::{BalancerMeasures, GroupMeasures, Measures};

use super::Parts;
use crate::House;
use crate::exposition::{Exposition, Kind};

/// A family: its name, what it is, what it says, and its number of a server group.
type OfGroup = (&'static str, Kind, &'static str, fn(&GroupMeasures) -> u64);

/// What is told of a server group behind a load balancer.
const OF_GROUPS: [OfGroup; 4] = [
    (
        "gennaker_balancer_requests_total",
        Kind::Counter,
        "Requests (TCP: connections) that a server group was given.",
        |group| group.requests,
    ),
    (
        "gennaker_balancer_failures_total",
        Kind::Counter,
        "Requests that failed for users: answers 500 to 599, and errors of the load balancer.",
        |group| group.failures,
    ),
    ("gennaker_balancer_retries_total", Kind::Counter, "Requests that were sent once more.", |group| group.retries),
    ("gennaker_balancer_open_requests", Kind::Gauge, "Requests and connections that are open.", |group| group.open),
];

pub(super) async fn write(house: &House, text: &mut Exposition, parts: &mut Parts) {
    let mut all: Vec<(String, Measures)> = Vec::new();
    for provider in house.clouds.providers() {
        let name = provider.describe().name;
        if let Some(measures) = parts.note(&format!("account {name}"), provider.measure().await) {
            all.push((name, measures));
        }
    }
    let name = "gennaker_instances";
    text.family(name, Kind::Gauge, "Instances by what their checks say.");
    for (account, measures) in &all {
        by_state(text, name, &[("account", account)], &measures.instances);
    }
    let name = "gennaker_server_groups";
    text.family(name, Kind::Gauge, "Server groups that have instances.");
    for (account, measures) in &all {
        text.sample(name, &[("account", account)], measures.server_groups);
    }
    let name = "gennaker_health_checks_total";
    text.family(name, Kind::Counter, "Single health checks of a server group's instances.");
    for (account, measures) in &all {
        for (group, of) in &measures.checks {
            let labels = [("account", &account[..]), ("group", group)];
            for (result, number) in [("passed", of.passed), ("failed", of.failed)] {
                text.sample(name, &[&labels[..], &[("result", result)]].concat(), number);
            }
        }
    }
    let balancers: Vec<([(&str, &str); 2], &BalancerMeasures)> = all
        .iter()
        .flat_map(|(account, measures)| {
            measures.balancers.iter().map(|(name, of)| ([("account", &account[..]), ("balancer", &name[..])], of))
        })
        .collect();
    write_balancers(text, &balancers);
}

fn write_balancers(text: &mut Exposition, balancers: &[([(&str, &str); 2], &BalancerMeasures)]) {
    let name = "gennaker_balancer_members";
    text.family(name, Kind::Gauge, "Instances behind a load balancer by what its checks say.");
    for (labels, of) in balancers {
        by_state(text, name, labels, &of.members);
    }
    for (name, kind, help, number) in OF_GROUPS {
        text.family(name, kind, help);
        for ([account, balancer], of) in balancers {
            for (group, told) in &of.groups {
                text.sample(name, &[*account, *balancer, ("group", group)], number(told));
            }
        }
    }
    let name = "gennaker_balancer_unserved_total";
    text.family(name, Kind::Counter, "Requests answered 503 because no instance could take them.");
    for (labels, of) in balancers {
        text.sample(name, labels, of.unserved);
    }
    let name = "gennaker_balancer_turned_away_total";
    text.family(name, Kind::Counter, "Requests and connections that no firewall lets in, or that are no good HTTP.");
    for (labels, of) in balancers {
        text.sample(name, labels, of.turned_away);
    }
    // Without a sum: the data plane keeps none, and a guess would be a lie.
    let name = "gennaker_balancer_answer_seconds";
    text.family(name, Kind::Histogram, "Time from a request to the head of its answer.");
    for ([account, balancer], of) in balancers {
        for (bound, count) in &of.latency {
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".into() };
            text.sample(&format!("{name}_bucket"), &[*account, *balancer, ("le", &bound)], count);
        }
    }
}

fn by_state(text: &mut Exposition, name: &str, labels: &[(&str, &str)], counts: &BTreeMap<HealthState, u64>) {
    use HealthState::{Down, Draining, Failed, OutOfService, Starting, Succeeded, Unknown, Up};
    // Each is there, also with none: a state that appears for a moment is seen.
    for state in [Up, Down, Starting, OutOfService, Draining, Unknown, Failed, Succeeded] {
        let labels = [labels, &[("state", word(state))]].concat();
        text.sample(name, &labels, counts.get(&state).copied().unwrap_or(0));
    }
}

fn word(state: HealthState) -> &'static str {
    match state {
        HealthState::Up => "up",
        HealthState::Down => "down",
        HealthState::Starting => "starting",
        HealthState::OutOfService => "out_of_service",
        HealthState::Draining => "draining",
        HealthState::Unknown => "unknown",
        HealthState::Failed => "failed",
        HealthState::Succeeded => "succeeded",
    }
}
