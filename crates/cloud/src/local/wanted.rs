//! What the data plane is told, derived as a whole from the rows.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use dataplane::wanted::{self, Member, MemberState, Probe, ProxyProtocol, Stickiness, StickyKey, StickyTo, Wanted};

use super::apply::Rules;
use super::state::{Group, Instance, Leaving, State};
use crate::inventory::{HealthCheck, Protocol};
use crate::names::GroupName;
use crate::operation::WantedListener;
use crate::traffic::{Affinity, Choice, Share, Treatment};

/// The account whose names the data plane knows as they are.
pub const OWN: &str = "local";
/// Balancers that carry preview addresses are called so; users' load balancers are not.
pub const PREVIEW: &str = "preview.";

impl Rules {
    /// What the data plane calls a load balancer of this account. Accounts may have load balancers of the same name.
    pub fn called(&self, name: &str) -> String {
        if self.account == OWN { name.to_owned() } else { format!("{}.{name}", self.account) }
    }

    /// What the data plane calls the balancer that carries a server group's preview address.
    pub fn preview(&self, group: &GroupName) -> String {
        format!("{PREVIEW}{}", self.called(&group.to_string()))
    }
}

/// The whole wanted state of a machine: that of all its accounts.
pub fn wanted<'a>(accounts: impl Iterator<Item = (&'a State, &'a Rules)>) -> Wanted {
    let mut whole = Wanted::default();
    for (state, rules) in accounts {
        whole.generation = whole.generation.max(state.generation);
        whole.balancers.extend(balancers(state, rules));
        whole.instances.extend(instances(state, rules));
    }
    whole
}

fn balancers(state: &State, rules: &Rules) -> Vec<wanted::Balancer> {
    let mut balancers: Vec<wanted::Balancer> = Vec::new();
    for (name, balancer) in &state.balancers {
        let health = balancer.health_check().map(health);
        let listener = |(listener, address): (&WantedListener, &SocketAddr)| wanted::Listener {
            address: *address,
            protocol: protocol(listener.protocol, balancer.health_check()),
            allow: allowed(state, &balancer.spec.firewalls, Some((listener.protocol, address.port()))),
            proxy_protocol: balancer.spec.treatment.proxy_protocol,
            // One that was taken out of the configuration cannot be shown.
            certificates: listener
                .certificates
                .iter()
                .filter_map(|name| rules.certificates.get(name).cloned())
                .collect(),
        };
        let groups = state.groups.values().filter(|group| group.spec.load_balancers.contains(name));
        balancers.push(wanted::Balancer {
            id: rules.called(name),
            listeners: balancer.spec.listeners.iter().zip(&balancer.addresses).map(listener).collect(),
            members: groups.flat_map(|group| members(state, group, false)).collect(),
            health,
            ..treated(&balancer.spec.treatment, &shares(state, name))
        });
    }
    for group in state.groups.values().filter(|group| group.leaving.is_none()) {
        let preview = |asked| wanted::Listener {
            address: group.preview,
            protocol: protocol(asked, group_health_check(state, group)),
            // Its port was given out: no rule can name it.
            allow: allowed(state, &group.spec.firewalls, None),
            proxy_protocol: false,
            certificates: Vec::new(),
        };
        let behind = group.spec.load_balancers.iter().filter_map(|name| state.balancers.get(name));
        let datagrams = behind.flat_map(|balancer| &balancer.spec.listeners).any(|l| l.protocol.is_udp());
        balancers.push(wanted::Balancer {
            id: rules.preview(&group.name),
            listeners: [Protocol::Tcp].into_iter().chain(datagrams.then_some(Protocol::Udp)).map(preview).collect(),
            health: Some(group_check(state, group)),
            members: members(state, group, true),
            ..wanted::Balancer::default()
        });
    }
    balancers
}

fn instances(state: &State, rules: &Rules) -> Vec<wanted::Instance> {
    let of_group = |group: &Group| {
        let check = group_check(state, group);
        let there = state.instances_of(&group.name).into_iter().filter(|instance| !is_ending(instance));
        let own = |instance| wanted::Instance {
            account: if rules.account == OWN { String::new() } else { rules.account.clone() },
            ..program(group, instance, check.clone())
        };
        there.map(own).collect::<Vec<_>>()
    };
    state.groups.values().flat_map(of_group).collect()
}

/// The networks that firewalls let through to a listener; everybody without a firewall.
fn allowed(state: &State, firewalls: &[String], listener: Option<(Protocol, u16)>) -> Option<Vec<wanted::Network>> {
    if firewalls.is_empty() {
        return None;
    }
    let rules = firewalls.iter().filter_map(|name| state.firewalls.get(name)).flat_map(|firewall| &firewall.allowed);
    let meant = rules.filter(|rule| {
        listener.is_none_or(|(protocol, port)| {
            rule.protocol.is_udp() == protocol.is_udp() && (rule.ports.0..=rule.ports.1).contains(&port)
        })
    });
    // They were read when the firewall was made.
    Some(meant.flat_map(|rule| networks(&rule.from).unwrap_or_default()).collect())
}

/// Networks as people write them.
pub fn networks(texts: &[String]) -> Result<Vec<wanted::Network>, String> {
    texts.iter().map(|text| text.parse().map_err(|error: wanted::NetworkError| error.to_string())).collect()
}

/// What groups of a load balancer take of it, oldest first: a client that lies in one share stays there when another is added.
fn shares<'a>(state: &'a State, balancer: &str) -> Vec<(&'a Group, &'a Share)> {
    let groups = state.groups.values().filter(|group| group.leaving.is_none() && !group.disabled);
    let behind = groups.filter(|group| group.spec.load_balancers.iter().any(|name| name == balancer));
    let mut found: Vec<_> = behind.filter_map(|group| Some((group, group.spec.share.as_ref()?))).collect();
    found.sort_by_key(|(group, _)| group.created);
    found
}

/// A balancer with nothing but the way in which it treats requests.
fn treated(treatment: &Treatment, shares: &[(&Group, &Share)]) -> wanted::Balancer {
    // A share of clients tells them apart in its own way, and keeps them at a group.
    let of_clients = shares.iter().find_map(|(_, share)| share.clients.as_ref());
    let own = || treatment.affinity.as_ref().map(|affinity| sticky(affinity, StickyTo::Member));
    let mut left = 100;
    let mut take = |(group, share): &(&Group, &Share)| {
        let percent = share.percentage.min(left);
        left -= percent;
        wanted::Share { group: group.name.to_string(), percent }
    };
    wanted::Balancer {
        choice: match treatment.choice {
            Some(Choice::LeastRequest) => wanted::Choice::LeastConnections,
            Some(Choice::RoundRobin) | None => wanted::Choice::RoundRobin,
        },
        stickiness: of_clients.map(|affinity| sticky(affinity, StickyTo::Group)).or_else(own),
        drain_ms: treatment.drain_ms,
        hold_ms: treatment.hold_ms,
        // They were read when the load balancer was made.
        trusted_proxies: networks(&treatment.trusted_proxies).unwrap_or_default(),
        send_proxy: treatment.send_proxy.map(|v| if v == 1 { ProxyProtocol::V1 } else { ProxyProtocol::V2 }),
        ejection: treatment.ejection.map(|e| wanted::Ejection { failures: e.failures, for_ms: e.for_ms }),
        shares: shares.iter().map(&mut take).collect(),
        ..wanted::Balancer::default()
    }
}

fn sticky(affinity: &Affinity, to: StickyTo) -> Stickiness {
    let key = match affinity.clone() {
        Affinity::Cookie { name, max_age } => StickyKey::Cookie { name, max_age_s: max_age },
        Affinity::Header { name } => StickyKey::Header { name },
    };
    Stickiness { key, to }
}

/// What cannot be done of a load balancer's listeners and treatment, and why.
pub fn check(listeners: &[WantedListener], treatment: &Treatment) -> Result<(), String> {
    networks(&treatment.trusted_proxies).map_err(|why| format!("trusted proxies: {why}"))?;
    let Some(udp) = listeners.iter().find(|listener| listener.protocol.is_udp()) else { return Ok(()) };
    let why = if !udp.certificates.is_empty() {
        "datagrams carry no TLS here: leave the certificates out"
    } else if treatment.proxy_protocol {
        "a PROXY head is taken in front of connections only: leave out `acceptProxyProtocol`"
    } else if treatment.send_proxy == Some(1) {
        "version 1 of the PROXY protocol knows no datagrams: give `\"proxyHeader\": \"PROXY_V2\"`"
    } else {
        return Ok(());
    };
    Err(format!("listener UDP {}: {why}", udp.port))
}

fn is_ending(instance: &Instance) -> bool {
    matches!(instance.leaving, Some(Leaving::Ending { .. }))
}

/// The health check of a group: of its first load balancer that has one, else its own.
pub fn group_health_check<'a>(state: &'a State, group: &'a Group) -> Option<&'a HealthCheck> {
    let mut balancers = group.spec.load_balancers.iter().filter_map(|name| state.balancers.get(name));
    balancers.find_map(|balancer| balancer.health_check()).or(group.spec.health_check.as_ref())
}

/// Without any check a connection to the instance's port is one.
fn group_check(state: &State, group: &Group) -> wanted::HealthCheck {
    group_health_check(state, group).map(health).unwrap_or_else(|| wanted::HealthCheck {
        probe: Probe::Tcp { port: None },
        interval_ms: 2_000,
        timeout_ms: 2_000,
        rise: 1,
        fall: 2,
    })
}

/// The port of a check means the traffic port: every instance has a port of its own.
fn health(check: &HealthCheck) -> wanted::HealthCheck {
    let probe = match check.protocol {
        Protocol::Http => Probe::Http {
            path: if check.path.starts_with('/') { check.path.clone() } else { format!("/{}", check.path) },
            port: None,
            expect: vec![wanted::StatusRange { from: 200, to: 399 }],
        },
        Protocol::Tcp | Protocol::Udp => Probe::Tcp { port: None },
    };
    wanted::HealthCheck {
        probe,
        interval_ms: check.interval_ms.max(10),
        timeout_ms: check.timeout_ms.max(10),
        rise: check.healthy_threshold.max(1),
        fall: check.unhealthy_threshold.max(1),
    }
}

/// A TCP listener whose check is HTTP carries HTTP, too, so that keep-alive clients follow when traffic moves.
fn protocol(asked: Protocol, check: Option<&HealthCheck>) -> wanted::Protocol {
    match (asked, check.map(|check| check.protocol)) {
        (Protocol::Http, _) => wanted::Protocol::Http,
        (Protocol::Tcp, Some(Protocol::Http)) => wanted::Protocol::Auto,
        (Protocol::Tcp, _) => wanted::Protocol::Tcp,
        (Protocol::Udp, _) => wanted::Protocol::Udp,
    }
}

fn members(state: &State, group: &Group, preview: bool) -> Vec<Member> {
    let there = state.instances_of(&group.name).into_iter().filter(|instance| !is_ending(instance));
    let member = |instance: &Instance| {
        let off = instance.leaving.is_some() || (!preview && (group.disabled || instance.out.is_some()));
        Member {
            id: instance.id.clone(),
            group: group.name.to_string(),
            address: address(instance),
            weight: 1,
            state: if off { MemberState::Draining } else { MemberState::Active },
        }
    };
    there.map(member).collect()
}

/// Where an instance listens.
pub fn address(instance: &Instance) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, instance.port))
}

fn program(group: &Group, instance: &Instance, check: wanted::HealthCheck) -> wanted::Instance {
    let launch = &group.launch;
    let mut env: BTreeMap<String, String> = launch.env.clone();
    env.extend(group.spec.env.clone());
    // On the host's network each instance has a port of its own; what a unit says is where it listens when it is alone.
    for given in ["PORT", "HOST"] {
        env.remove(given);
    }
    wanted::Instance {
        zone: instance.zone.clone(),
        env,
        port: Some(instance.port),
        user: launch.user.clone(),
        directory: launch.directory.clone(),
        extra_binds: launch.extra_binds.clone(),
        path: launch.path.clone(),
        health: Some(check),
        limits: group.limits.clone(),
        run: instance.run,
        ..wanted::Instance::new(
            instance.id.clone(),
            group.name.to_string(),
            launch.root.clone(),
            launch.command.clone(),
        )
    }
}
