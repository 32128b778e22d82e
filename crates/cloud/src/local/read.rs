//! What exists, from the rows and from what the data plane last said; and why a red instance is red. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dataplane::status::{self, InstanceState, InstanceStatus, Status};
use dataplane::wanted::MemberState;
use jiff::Timestamp;
use serde_json::json;

use super::advance::{self, Seen};
use super::apply::Rules;
use super::state::{Balancer, Group, Instance, Leaving, State};
use super::wanted::{PREVIEW, address};
use crate::health::{Health, HealthState};
use crate::inventory::{self, Backend, Listener, LoadBalancer, ServerGroup};
use crate::operation::UpsertFirewall;

/// The name under which this machine reports health.
pub const PLATFORM: &str = "Local";
/// The name under which load balancers report health.
pub const BALANCER: &str = "LoadBalancer";

/// Reads with everything they need.
pub struct Reader<'a> {
    /// The rows.
    pub state: &'a State,
    /// The data plane's word.
    pub seen: &'a Seen,
    /// The account's rules.
    pub rules: &'a Rules,
    /// Now.
    pub now: Timestamp,
}

impl Reader<'_> {
    /// One server group.
    pub fn group(&self, group: &Group) -> ServerGroup {
        let instances = self.state.instances_of(&group.name).into_iter();
        ServerGroup {
            name: group.name.clone(),
            account: self.rules.account.clone(),
            provider: "local".into(),
            region: self.rules.region.clone(),
            zones: group.spec.zones.clone(),
            created: group.created,
            capacity: group.capacity,
            disabled: group.disabled,
            leaving: group.leaving.is_some(),
            image: group.spec.image.clone(),
            instance_type: group.spec.instance_type.clone(),
            load_balancers: group.spec.load_balancers.clone(),
            firewalls: group.spec.firewalls.clone(),
            preview_address: Some(group.preview.to_string()),
            labels: group.spec.labels.clone(),
            env: group.spec.env.clone(),
            health_check: group.spec.health_check.clone(),
            share: group.spec.share.clone(),
            instances: instances.map(|instance| self.instance(group, instance)).collect(),
        }
    }

    /// One load balancer.
    pub fn balancer(&self, name: &str, balancer: &Balancer) -> LoadBalancer {
        let id = self.rules.called(name);
        let bound = |place: usize| {
            let status = self.status()?.balancers.iter().find(|status| status.id == id)?;
            status.listeners.get(place)?.bound
        };
        let listeners = balancer.spec.listeners.iter().zip(&balancer.addresses).enumerate();
        let groups =
            self.state.groups.values().filter(|group| group.spec.load_balancers.iter().any(|behind| behind == name));
        LoadBalancer {
            name: name.to_owned(),
            account: self.rules.account.clone(),
            provider: "local".into(),
            region: self.rules.region.clone(),
            application: balancer.spec.application.clone(),
            kind: "network".into(),
            created: balancer.created,
            listeners: listeners
                .map(|(place, (listener, wanted))| Listener {
                    protocol: listener.protocol,
                    port: listener.port,
                    address: Some(bound(place).unwrap_or(*wanted).to_string()),
                    certificates: listener.certificates.clone(),
                })
                .collect(),
            health_check: balancer.spec.health_check.clone(),
            firewalls: balancer.spec.firewalls.clone(),
            treatment: balancer.spec.treatment.clone(),
            groups: groups
                .map(|group| Backend {
                    group: group.name.clone(),
                    disabled: group.disabled,
                    instances: self
                        .state
                        .instances_of(&group.name)
                        .into_iter()
                        .map(|i| self.instance(group, i))
                        .collect(),
                })
                .collect(),
        }
    }

    /// One firewall.
    pub fn firewall(&self, firewall: &UpsertFirewall) -> inventory::Firewall {
        inventory::Firewall {
            name: firewall.name.clone(),
            account: self.rules.account.clone(),
            region: self.rules.region.clone(),
            application: firewall.application.clone(),
            description: firewall.description.clone(),
            allowed: firewall.allowed.clone(),
        }
    }

    fn status(&self) -> Option<&Status> {
        self.seen.status.as_ref()
    }

    /// One instance of a group.
    pub fn instance(&self, group: &Group, instance: &Instance) -> inventory::Instance {
        let said = self.status().and_then(|status| status.instances.iter().find(|said| said.id == instance.id));
        let platform = Health {
            kind: PLATFORM.into(),
            platform: true,
            state: platform_state(instance, said),
            description: said.map(|said| said.health.why.clone()).filter(|why| !why.is_empty()),
            load_balancer: None,
        };
        let mut health = vec![platform];
        health.extend(group.spec.load_balancers.iter().map(|name| self.balancer_health(name, group, instance)));
        let red = matches!(health[0].state, HealthState::Down | HealthState::Failed | HealthState::Starting);
        let problem = health[1..].iter().find(|h| h.state == HealthState::Down).and_then(|h| h.description.clone());
        inventory::Instance {
            id: instance.id.clone(),
            group: group.name.clone(),
            zone: instance.zone.clone(),
            launched: Some(instance.launched),
            address: Some(address(instance).to_string()),
            why: said.filter(|_| red).map(|said| why(said, instance.port)).or(problem),
            details: said.map(|said| details(instance, said)).unwrap_or_default(),
            health,
        }
    }

    /// What a load balancer says: taken out, draining, or as its check says.
    fn balancer_health(&self, name: &str, group: &Group, instance: &Instance) -> Health {
        let id = self.rules.called(name);
        let member = self.status().and_then(|status| {
            let balancer = status.balancers.iter().find(|balancer| balancer.id == id)?;
            balancer.members.iter().find(|member| member.id == instance.id)
        });
        let off = group.disabled || instance.out.is_some() || instance.leaving.is_some();
        let (state, description) = if off {
            (self.off_state(instance), None)
        } else {
            match member {
                Some(member) => (checked(member.health.state), Some(member.health.why.clone())),
                None => (HealthState::Starting, None),
            }
        };
        Health {
            kind: BALANCER.into(),
            platform: false,
            state,
            description: description.filter(|why| !why.is_empty()),
            load_balancer: Some(name.to_owned()),
        }
    }

    /// Out of traffic once nothing is open any more, or after the time that draining gets.
    fn off_state(&self, instance: &Instance) -> HealthState {
        let open = self.status().map_or(0, |status| advance::open(status, &instance.id));
        let late =
            instance.out.is_some_and(|since| since.checked_add(self.rules.drain).is_ok_and(|end| self.now >= end));
        let unconfirmed = self.seen.confirmed.is_none_or(|confirmed| confirmed < self.state.generation);
        if (open > 0 && !late) || (unconfirmed && instance.out.is_some() && self.seen.status.is_some() && !late) {
            HealthState::Draining
        } else {
            HealthState::OutOfService
        }
    }
}

pub fn checked(state: status::HealthState) -> HealthState {
    match state {
        status::HealthState::Up => HealthState::Up,
        status::HealthState::Down => HealthState::Down,
        status::HealthState::Starting => HealthState::Starting,
        status::HealthState::Unknown => HealthState::Unknown,
    }
}

fn platform_state(instance: &Instance, said: Option<&InstanceStatus>) -> HealthState {
    if matches!(instance.leaving, Some(Leaving::Ending { .. })) {
        return HealthState::Draining;
    }
    said.map_or(HealthState::Starting, said_state)
}

/// What the data plane says of an instance, in one word.
pub fn said_state(said: &InstanceStatus) -> HealthState {
    match said.state {
        InstanceState::Starting => HealthState::Starting,
        InstanceState::Running => checked(said.health.state),
        InstanceState::Waiting | InstanceState::Failed | InstanceState::Ended => HealthState::Down,
        InstanceState::Stopping => HealthState::Draining,
    }
}

/// One sentence: what the last check asked and got, where the program listens, how it ended, what it wrote last.
fn why(said: &InstanceStatus, port: u16) -> String {
    let mut text =
        if said.health.why.is_empty() { "it has not been checked yet".to_owned() } else { said.health.why.clone() };
    match said.ports.as_slice() {
        [] => text.push_str("; it listens on no port"),
        ports if ports.contains(&port) => {}
        ports => {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            let _ =
                write!(text, "; it listens on {}, not on the port {port} that it was given as PORT", ports.join(", "));
        }
    }
    if let Some(exit) = &said.exit {
        let how = match (exit.code, exit.signal) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown end".to_owned(),
        };
        let _ = write!(text, "; it ended with {how} and was started again {} times", said.restarts);
    }
    if let Some(warning) = said.warnings.first() {
        let _ = write!(text, "; {warning}");
    }
    let last: Vec<&str> =
        said.lines.iter().rev().take(3).rev().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    if !last.is_empty() {
        let _ = write!(text, "; it last wrote: {}", last.join(" / "));
    }
    text
}

fn details(instance: &Instance, said: &InstanceStatus) -> BTreeMap<String, serde_json::Value> {
    let pairs = [
        ("pid", json!(said.pid)),
        ("state", json!(said.state)),
        ("restarts", json!(said.restarts)),
        ("ports", json!(said.ports)),
        ("port", json!(instance.port)),
        ("exit", json!(said.exit)),
        ("isolation", json!(said.isolation)),
        ("warnings", json!(said.warnings)),
        ("lines", json!(said.lines)),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What of a status is worth telling: counters change all the time, this does not.
pub fn digest(status: &Status) -> String {
    let mut text = format!("{:?}", status.generation);
    for instance in &status.instances {
        let _ = write!(
            text,
            "|{} {:?} {:?} {:?} {} {:?}",
            instance.id, instance.state, instance.health.state, instance.pid, instance.restarts, instance.health.why
        );
    }
    for balancer in &status.balancers {
        for listener in &balancer.listeners {
            let _ = write!(text, "|{} {:?} {:?}", balancer.id, listener.bound, listener.problem);
        }
        if balancer.id.starts_with(PREVIEW) {
            continue;
        }
        for member in &balancer.members {
            let _ = write!(text, "|{} {:?} {:?}", member.id, member.state, member.health.state);
            // While traffic flows this flickers; when it has been taken away it is waited for.
            if member.state != MemberState::Active {
                let _ = write!(text, " {}", member.counters.open == 0);
            }
        }
    }
    text
}
