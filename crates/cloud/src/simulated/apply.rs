//! What operations do to the simulated world. Pure.

use jiff::Timestamp;

use super::{PLATFORM, Things};
use crate::health::{self, Capacity, Health, HealthState};
use crate::inventory::{Account, Firewall, Instance, Listener, LoadBalancer, Region, ServerGroup};
use crate::names::GroupName;
use crate::operation::{CreateServerGroup, Operation, Registration, Traffic, UpsertLoadBalancer};
use crate::provider::{CloudError, Outcome};

/// Does it at once; being done with it takes the time that the world says.
pub(super) fn apply(
    things: &mut Things,
    account: &Account,
    operation: &Operation,
    now: Timestamp,
) -> Result<Outcome, CloudError> {
    match operation {
        Operation::CreateServerGroup(op) => create(things, account, op, now),
        Operation::ResizeServerGroup(op) => {
            check(op.capacity)?;
            let group = group(things, account, &op.region, &op.group)?;
            group.capacity = op.capacity;
            fill(things, &op.region, &op.group, now);
            Ok(at(&op.region))
        }
        Operation::EnableServerGroup(op) => traffic(things, account, op, true),
        Operation::DisableServerGroup(op) => traffic(things, account, op, false),
        Operation::ShareTraffic(op) => {
            group(things, account, &op.region, &op.group)?.share = op.share.clone();
            Ok(at(&op.region))
        }
        Operation::DestroyServerGroup(op) => {
            let group = group(things, account, &op.region, &op.group)?;
            (group.leaving, group.disabled) = (true, true);
            Ok(at(&op.region))
        }
        Operation::UpsertLoadBalancer(op) => upsert(things, account, op, now),
        Operation::DeleteLoadBalancer(op) => {
            let removed = things.balancers.remove(&(op.region.clone(), op.name.clone()));
            removed.map(|_| at(&op.region)).ok_or_else(|| missing("load balancer", &op.name, account))
        }
        Operation::TerminateInstances(op) => {
            for id in &op.instances {
                let holder = things.groups.values_mut().find(|group| group.instances.iter().any(|i| i.id == *id));
                let holder = holder.ok_or_else(|| missing("instance", id, account))?;
                holder.instances.retain(|instance| instance.id != *id);
                if op.shrink {
                    holder.capacity.desired = holder.capacity.desired.saturating_sub(1);
                    holder.capacity.min = holder.capacity.min.min(holder.capacity.desired);
                }
                let name = holder.name.clone();
                fill(things, &op.region, &name, now);
            }
            Ok(at(&op.region))
        }
        Operation::RebootInstances(op) => Ok(at(&op.region)),
        Operation::RegisterInstances(op) => register(things, account, op, true),
        Operation::DeregisterInstances(op) => register(things, account, op, false),
        Operation::TagImage(op) => {
            things.image_tags.entry(op.image.clone()).or_default().extend(op.tags.clone());
            Ok(at(&op.region))
        }
        Operation::UpsertFirewall(op) => {
            region(account, &op.region)?;
            let firewall = Firewall {
                name: op.name.clone(),
                account: account.name.clone(),
                region: op.region.clone(),
                application: op.application.clone(),
                description: op.description.clone(),
                allowed: op.allowed.clone(),
            };
            things.firewalls.insert((op.region.clone(), op.name.clone()), firewall);
            Ok(at(&op.region))
        }
        Operation::DeleteFirewall(op) => {
            if let Some(user) = things.balancers.values().find(|one| one.firewalls.contains(&op.name)) {
                return Err(CloudError::Refused(format!("load balancer {} is behind firewall {}", user.name, op.name)));
            }
            let removed = things.firewalls.remove(&(op.region.clone(), op.name.clone()));
            removed.map(|_| at(&op.region)).ok_or_else(|| missing("firewall", &op.name, account))
        }
    }
}

fn at(region: &str) -> Outcome {
    Outcome { region: region.to_owned(), ..Outcome::default() }
}

fn missing(what: &'static str, name: &str, account: &Account) -> CloudError {
    CloudError::NotFound { what, name: name.to_owned(), account: account.name.clone() }
}

fn region<'a>(account: &'a Account, name: &str) -> Result<&'a Region, CloudError> {
    let found = account.regions.iter().find(|region| region.name == name);
    found.ok_or_else(|| CloudError::Refused(format!("account {} has no region \"{name}\"", account.name)))
}

fn group<'a>(
    things: &'a mut Things,
    account: &Account,
    at: &str,
    name: &GroupName,
) -> Result<&'a mut ServerGroup, CloudError> {
    region(account, at)?;
    let found = things.groups.get_mut(&(at.to_owned(), name.to_string()));
    found.ok_or_else(|| missing("server group", &name.to_string(), account))
}

fn check(capacity: Capacity) -> Result<(), CloudError> {
    let Capacity { min, max, desired } = capacity;
    if capacity.in_order() {
        return Ok(());
    }
    Err(CloudError::Refused(format!("capacity min {min}, desired {desired}, max {max} is not in ascending order")))
}

fn create(
    things: &mut Things,
    account: &Account,
    op: &CreateServerGroup,
    now: Timestamp,
) -> Result<Outcome, CloudError> {
    check(op.capacity)?;
    let all = region(account, &op.region)?.zones.clone();
    for name in &op.load_balancers {
        if !things.balancers.contains_key(&(op.region.clone(), name.clone())) {
            return Err(missing("load balancer", name, account));
        }
    }
    let here = things.groups.values().filter(|group| group.region == op.region);
    let existing: Vec<_> = here.map(|group| (group.name.clone(), group.created)).collect();
    let name = op.cluster.next(&existing)?;
    let preview = format!("{name}.preview.invalid:80");
    let group = ServerGroup {
        name: name.clone(),
        account: account.name.clone(),
        provider: account.provider.clone(),
        region: op.region.clone(),
        zones: if op.zones.is_empty() { all } else { op.zones.clone() },
        created: now,
        capacity: op.capacity,
        disabled: !op.traffic,
        leaving: false,
        image: op.image.clone(),
        instance_type: op.instance_type.clone(),
        load_balancers: op.load_balancers.clone(),
        firewalls: op.firewalls.clone(),
        preview_address: Some(preview.clone()),
        labels: op.labels.clone(),
        env: op.env.clone(),
        health_check: op.health_check.clone(),
        share: op.share.clone(),
        instances: Vec::new(),
    };
    things.groups.insert((op.region.clone(), name.to_string()), group);
    fill(things, &op.region, &name, now);
    let name = name.to_string();
    Ok(Outcome { server_groups: vec![name.clone()], addresses: vec![(name, preview)], ..at(&op.region) })
}

/// Adds or removes instances until there are as many as wanted.
fn fill(things: &mut Things, region: &str, name: &GroupName, now: Timestamp) {
    let Some(group) = things.groups.get_mut(&(region.to_owned(), name.to_string())) else { return };
    let desired = group.capacity.desired as usize;
    group.instances.truncate(desired);
    while group.instances.len() < desired {
        things.made += 1;
        let zone = group.zones.get(group.instances.len() % group.zones.len().max(1)).cloned().unwrap_or_default();
        let says = |kind: &str, balancer: Option<&String>| Health {
            kind: kind.into(),
            platform: balancer.is_none(),
            state: HealthState::Starting,
            description: None,
            load_balancer: balancer.cloned(),
        };
        let mut health = vec![says(PLATFORM, None)];
        health.extend(group.load_balancers.iter().map(|name| says("LoadBalancer", Some(name))));
        group.instances.push(Instance {
            id: format!("{name}-{:04}", things.made),
            group: name.clone(),
            zone,
            launched: Some(now),
            address: None,
            health,
            why: None,
            details: Default::default(),
        });
    }
}

fn register(things: &mut Things, account: &Account, op: &Registration, on: bool) -> Result<Outcome, CloudError> {
    for id in &op.instances {
        let here = things.groups.values().filter(|group| group.region == op.region);
        if !here.flat_map(|group| &group.instances).any(|instance| instance.id == *id) {
            return Err(missing("instance", id, account));
        }
    }
    match on {
        true => things.out.retain(|id| !op.instances.contains(id)),
        false => things.out.extend(op.instances.iter().cloned()),
    }
    Ok(at(&op.region))
}

fn traffic(things: &mut Things, account: &Account, op: &Traffic, on: bool) -> Result<Outcome, CloudError> {
    let group = group(things, account, &op.region, &op.group)?;
    let whole = op.percentage.is_none_or(|percentage| percentage >= 100);
    let all: Vec<String> = group.instances.iter().map(|instance| instance.id.clone()).collect();
    if on || whole {
        group.disabled = !on;
    }
    let (meant, rest) = health::part(all.iter().cloned(), op.percentage, |id| things.out.contains(id) != on);
    match (on, whole) {
        (_, true) => things.out.retain(|id| !all.contains(id)),
        (true, false) => {
            things.out.retain(|id| !meant.contains(id));
            things.out.extend(rest);
        }
        (false, false) => things.out.extend(meant),
    }
    Ok(at(&op.region))
}

fn upsert(
    things: &mut Things,
    account: &Account,
    op: &UpsertLoadBalancer,
    now: Timestamp,
) -> Result<Outcome, CloudError> {
    region(account, &op.region)?;
    for name in &op.firewalls {
        if !things.firewalls.contains_key(&(op.region.clone(), name.clone())) {
            return Err(missing("firewall", name, account));
        }
    }
    let key = (op.region.clone(), op.name.clone());
    let address = |port: u16| Some(format!("{}.invalid:{port}", op.name));
    let listeners = op.listeners.iter().map(|listener| Listener {
        protocol: listener.protocol,
        port: listener.port,
        address: address(listener.port),
        certificates: listener.certificates.clone(),
    });
    let balancer = LoadBalancer {
        name: op.name.clone(),
        account: account.name.clone(),
        provider: account.provider.clone(),
        region: op.region.clone(),
        application: op.application.clone(),
        kind: "network".into(),
        created: things.balancers.get(&key).map_or(now, |before| before.created),
        listeners: listeners.collect(),
        health_check: op.health_check.clone(),
        firewalls: op.firewalls.clone(),
        treatment: op.treatment.clone(),
        groups: Vec::new(),
    };
    things.balancers.insert(key, balancer);
    Ok(Outcome { load_balancers: vec![op.name.clone()], ..at(&op.region) })
}
