//! Operations on the wanted state: pure, and either whole or not at all. What comes later by itself (draining, endings) is in `advance`.

mod edge;

pub(super) use edge::overlap;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dataplane::wanted::{Certificate, Limits};
use jiff::{SignedDuration, Timestamp};

use super::image::Launch;
use super::state::{Balancer, Group, Instance, Leaving, State};
use crate::health::{self, Capacity};
use crate::names::GroupName;
use crate::operation::{
    CreateServerGroup, GroupAt, InstancesAt, Operation, Registration, ResizeServerGroup, ShareTraffic, Terminate,
    Traffic,
};
use crate::provider::{CloudError, Outcome};
use crate::traffic::Share;

/// What is fixed for the account.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The account's name.
    pub account: String,
    /// Its only region.
    pub region: String,
    /// Its zones.
    pub zones: Vec<String>,
    /// What its environment is called.
    pub environment: String,
    /// The address on which load balancers listen.
    pub listen: IpAddr,
    /// What instances of each type may take, by the type's name.
    pub instance_types: BTreeMap<String, Limits>,
    /// Certificates of listeners, by name.
    pub certificates: BTreeMap<String, Certificate>,
    /// Whether every listener gets a free port instead of the one that was asked for.
    pub free_listeners: bool,
    /// How long connections may drain before an instance ends.
    pub drain: SignedDuration,
}

/// What was looked up outside the transaction.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// How the image is run.
    pub launch: Option<Launch>,
    /// Ports that are free, in order of preference.
    pub ports: Vec<u16>,
}

/// What the machine's other accounts hold: no port, no address and no instance's id is given out twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Others {
    ports: BTreeSet<u16>,
    instances: BTreeSet<String>,
    listeners: Vec<Held>,
}

/// An address on which somebody's load balancer listens.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    address: SocketAddr,
    udp: bool,
    /// The load balancer, as people are told.
    by: String,
}

impl Others {
    /// All that these accounts hold.
    pub fn of<'a>(accounts: impl Iterator<Item = (&'a State, &'a Rules)>) -> Self {
        let mut others = Self::default();
        for (state, rules) in accounts {
            others.ports.extend(state.ports());
            others.instances.extend(state.instances.keys().cloned());
            for (name, balancer) in &state.balancers {
                others.listeners.extend(held(balancer, format!("load balancer {name} of account {}", rules.account)));
            }
        }
        others
    }
}

fn held(balancer: &Balancer, by: String) -> impl Iterator<Item = Held> {
    let listeners = balancer.addresses.iter().zip(&balancer.spec.listeners);
    listeners.map(move |(address, listener)| Held {
        address: *address,
        udp: listener.protocol.is_udp(),
        by: by.clone(),
    })
}

/// What an operation did at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    /// What it made.
    pub outcome: Outcome,
    /// Instances whose end is part of it.
    pub ends: Vec<String>,
}

/// One application of one operation.
pub struct Change<'a> {
    /// The state that is changed; its generation is already the new one.
    pub state: &'a mut State,
    /// The account's rules.
    pub rules: &'a Rules,
    /// What other accounts hold.
    pub others: &'a Others,
    /// What was looked up.
    pub prepared: Prepared,
    /// Now.
    pub now: Timestamp,
    /// Gives short random texts.
    pub random: &'a mut dyn FnMut() -> String,
}

impl Change<'_> {
    /// Does it, or says why not.
    pub fn apply(&mut self, operation: &Operation) -> Result<Applied, CloudError> {
        match operation {
            Operation::CreateServerGroup(op) => self.create(op),
            Operation::ResizeServerGroup(op) => self.resize(op),
            Operation::EnableServerGroup(op) => self.traffic(op, true),
            Operation::DisableServerGroup(op) => self.traffic(op, false),
            Operation::ShareTraffic(op) => self.share(op),
            Operation::DestroyServerGroup(op) => self.destroy(op),
            Operation::UpsertLoadBalancer(op) => self.upsert_balancer(op),
            Operation::DeleteLoadBalancer(op) => self.delete_balancer(op),
            Operation::RegisterInstances(op) => self.register(op, true),
            Operation::DeregisterInstances(op) => self.register(op, false),
            Operation::TerminateInstances(op) => self.terminate(op),
            Operation::RebootInstances(op) => self.reboot(op),
            Operation::TagImage(op) => {
                self.region(&op.region)?;
                self.state.image_tags.entry(op.image.clone()).or_default().extend(op.tags.clone());
                Ok(self.applied(&op.region, Vec::new()))
            }
            Operation::UpsertFirewall(op) => self.upsert_firewall(op),
            Operation::DeleteFirewall(op) => self.delete_firewall(op),
        }
    }

    fn region(&self, region: &str) -> Result<(), CloudError> {
        if region == self.rules.region {
            return Ok(());
        }
        Err(CloudError::Refused(format!(
            "account {} has no region \"{region}\"; its region is \"{}\"",
            self.rules.account, self.rules.region
        )))
    }

    fn group(&mut self, name: &GroupName, region: &str) -> Result<&mut Group, CloudError> {
        self.region(region)?;
        let missing =
            CloudError::NotFound { what: "server group", name: name.to_string(), account: self.rules.account.clone() };
        self.state.groups.get_mut(&name.to_string()).ok_or(missing)
    }

    fn port(&mut self) -> Result<u16, CloudError> {
        let taken = self.state.ports();
        loop {
            match self.prepared.ports.pop() {
                Some(port) if !taken.contains(&port) && !self.others.ports.contains(&port) => return Ok(port),
                Some(_) => {}
                None => {
                    let why = "no loopback port between 15000 and 31999 is free; end something that listens there";
                    return Err(CloudError::Refused(why.into()));
                }
            }
        }
    }

    fn create(&mut self, op: &CreateServerGroup) -> Result<Applied, CloudError> {
        self.region(&op.region)?;
        check_capacity(op.capacity)?;
        check_share(op.share.as_ref())?;
        let zones = self.zones(&op.zones)?;
        let limits = self.limits(op.instance_type.as_deref())?;
        for name in &op.load_balancers {
            if !self.state.balancers.contains_key(name) {
                return Err(CloudError::NotFound {
                    what: "load balancer",
                    name: name.clone(),
                    account: self.rules.account.clone(),
                });
            }
        }
        self.check_firewalls(&op.firewalls)?;
        let existing: Vec<_> = self.state.groups.values().map(|group| (group.name.clone(), group.created)).collect();
        let name = op.cluster.next(&existing)?;
        let launch = self.prepared.launch.take();
        let launch = launch.ok_or_else(|| CloudError::Refused(format!("image \"{}\" was not looked up", op.image)))?;
        let preview = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port()?));
        let group = Group {
            name: name.clone(),
            spec: CreateServerGroup { zones, ..op.clone() },
            limits,
            launch,
            created: self.now,
            capacity: op.capacity,
            disabled: !op.traffic,
            leaving: None,
            preview,
            made: 0,
        };
        self.state.groups.insert(name.to_string(), group);
        self.grow(&name, op.capacity.desired)?;
        Ok(Applied {
            outcome: Outcome {
                region: op.region.clone(),
                server_groups: vec![name.to_string()],
                load_balancers: Vec::new(),
                addresses: vec![(name.to_string(), preview.to_string())],
            },
            ends: Vec::new(),
        })
    }

    /// What instances of a type may take. Where no types are configured any name is taken, as pipelines of other clouds give some.
    fn limits(&self, asked: Option<&str>) -> Result<Limits, CloudError> {
        let types = &self.rules.instance_types;
        let Some(name) = asked.filter(|_| !types.is_empty()) else { return Ok(Limits::default()) };
        types.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = types.keys().map(String::as_str).collect();
            let (account, known) = (&self.rules.account, known.join(", "));
            CloudError::Refused(format!("account {account} has no instance type \"{name}\"; its types are {known}"))
        })
    }

    /// The zones that were asked for, all of them without a wish.
    fn zones(&self, asked: &[String]) -> Result<Vec<String>, CloudError> {
        if let Some(unknown) = asked.iter().find(|zone| !self.rules.zones.contains(zone)) {
            return Err(CloudError::Refused(format!(
                "region {} has no zone \"{unknown}\"; its zones are {}",
                self.rules.region,
                self.rules.zones.join(", ")
            )));
        }
        Ok(if asked.is_empty() { self.rules.zones.clone() } else { asked.to_vec() })
    }

    /// Adds instances until the group has `desired`; each goes to the zone that has the fewest.
    fn grow(&mut self, name: &GroupName, desired: u32) -> Result<(), CloudError> {
        let staying = u32::try_from(self.state.staying_of(name).len()).unwrap_or(u32::MAX);
        for _ in staying..desired {
            let port = self.port()?;
            let zone = self.emptiest_zone(name);
            let id = self.instance_id(name);
            let Some(group) = self.state.groups.get_mut(&name.to_string()) else {
                break;
            };
            group.made += 1;
            let instance = Instance {
                id: id.clone(),
                group: name.clone(),
                number: group.made,
                zone,
                port,
                launched: self.now,
                out: None,
                leaving: None,
                run: 0,
            };
            self.state.instances.insert(id, instance);
        }
        Ok(())
    }

    fn emptiest_zone(&self, name: &GroupName) -> String {
        let zones = self.state.groups.get(&name.to_string()).map(|group| group.spec.zones.clone()).unwrap_or_default();
        let staying = self.state.staying_of(name);
        let used = |zone: &String| staying.iter().filter(|instance| instance.zone == *zone).count();
        zones.iter().min_by_key(|zone| used(zone)).cloned().unwrap_or_default()
    }

    fn instance_id(&mut self, name: &GroupName) -> String {
        loop {
            let suffix: String = (self.random)().chars().take(4).collect();
            let id = format!("{name}-{suffix}");
            if !self.state.instances.contains_key(&id) && !self.others.instances.contains(&id) {
                return id;
            }
        }
    }

    fn resize(&mut self, op: &ResizeServerGroup) -> Result<Applied, CloudError> {
        check_capacity(op.capacity)?;
        let group = self.group(&op.group, &op.region)?;
        if group.leaving.is_some() {
            return Err(CloudError::Refused(format!("{} is being destroyed", op.group)));
        }
        group.capacity = op.capacity;
        self.grow(&op.group, op.capacity.desired)?;
        let mut ends = Vec::new();
        // The youngest go first: the others are warm.
        let staying: Vec<String> =
            self.state.staying_of(&op.group).iter().map(|instance| instance.id.clone()).collect();
        for id in staying.iter().skip(op.capacity.desired as usize) {
            self.leave(id);
            ends.push(id.clone());
        }
        Ok(self.applied(&op.region, ends))
    }

    fn applied(&self, region: &str, ends: Vec<String>) -> Applied {
        Applied { outcome: Outcome { region: region.to_owned(), ..Outcome::default() }, ends }
    }

    fn leave(&mut self, id: &str) {
        let deadline = self.now.checked_add(self.rules.drain).unwrap_or(Timestamp::MAX);
        let generation = self.state.generation;
        if let Some(instance) = self.state.instances.get_mut(id)
            && instance.leaving.is_none()
        {
            instance.out.get_or_insert(self.now);
            instance.leaving = Some(Leaving::Draining { generation, deadline });
        }
    }

    fn traffic(&mut self, op: &Traffic, on: bool) -> Result<Applied, CloudError> {
        let now = self.now;
        let group = self.group(&op.group, &op.region)?;
        if on && group.leaving.is_some() {
            return Err(CloudError::Refused(format!("{} is being destroyed", op.group)));
        }
        let all = op.percentage.is_none_or(|percentage| percentage >= 100);
        group.disabled = if on { false } else { group.disabled || all };
        let staying = self.state.staying_of(&op.group);
        let (meant, rest) = health::part(staying, op.percentage, |instance| instance.out.is_none() == on);
        let ids = |some: Vec<&Instance>| some.into_iter().map(|instance| instance.id.clone()).collect::<Vec<_>>();
        let (meant, rest) = (ids(meant), ids(rest));
        let (into, out_of) = if on { (meant, rest) } else { (Vec::new(), meant) };
        for id in into {
            self.instance(&id)?.out = None;
        }
        for id in out_of {
            self.instance(&id)?.out.get_or_insert(now);
        }
        Ok(self.applied(&op.region, Vec::new()))
    }

    fn share(&mut self, op: &ShareTraffic) -> Result<Applied, CloudError> {
        check_share(op.share.as_ref())?;
        self.group(&op.group, &op.region)?.spec.share = op.share.clone();
        Ok(self.applied(&op.region, Vec::new()))
    }

    fn destroy(&mut self, op: &GroupAt) -> Result<Applied, CloudError> {
        let now = self.now;
        let group = self.group(&op.group, &op.region)?;
        group.leaving.get_or_insert(now);
        group.disabled = true;
        let ids: Vec<String> = self.state.instances_of(&op.group).iter().map(|instance| instance.id.clone()).collect();
        for id in &ids {
            self.leave(id);
        }
        if ids.is_empty() {
            self.state.groups.remove(&op.group.to_string());
        }
        Ok(self.applied(&op.region, ids))
    }

    fn instance(&mut self, id: &str) -> Result<&mut Instance, CloudError> {
        let missing =
            CloudError::NotFound { what: "instance", name: id.to_owned(), account: self.rules.account.clone() };
        self.state.instances.get_mut(id).ok_or(missing)
    }

    fn register(&mut self, op: &Registration, on: bool) -> Result<Applied, CloudError> {
        self.region(&op.region)?;
        let now = self.now;
        for id in &op.instances {
            let instance = self.instance(id)?;
            instance.out = if on { None } else { instance.out.or(Some(now)) };
        }
        Ok(self.applied(&op.region, Vec::new()))
    }

    fn terminate(&mut self, op: &Terminate) -> Result<Applied, CloudError> {
        self.region(&op.region)?;
        for id in &op.instances {
            let name = self.instance(id)?.group.clone();
            self.leave(id);
            let group = self.group(&name, &op.region)?;
            if op.shrink {
                group.capacity.desired = group.capacity.desired.saturating_sub(1);
                group.capacity.min = group.capacity.min.min(group.capacity.desired);
            }
            let desired = if group.leaving.is_some() { 0 } else { group.capacity.desired };
            self.grow(&name, desired)?;
        }
        Ok(self.applied(&op.region, op.instances.clone()))
    }

    fn reboot(&mut self, op: &InstancesAt) -> Result<Applied, CloudError> {
        self.region(&op.region)?;
        for id in &op.instances {
            self.instance(id)?.run += 1;
        }
        Ok(self.applied(&op.region, Vec::new()))
    }
}

fn check_share(share: Option<&Share>) -> Result<(), CloudError> {
    match share {
        Some(Share { percentage: 101.., .. }) => Err(CloudError::Refused("a share is at most 100 %".into())),
        _ => Ok(()),
    }
}

/// More instances than this on one machine are a slip of the keyboard.
const MOST: u32 = 1000;

fn check_capacity(capacity: Capacity) -> Result<(), CloudError> {
    let Capacity { min, max, desired } = capacity;
    if !capacity.in_order() {
        return Err(CloudError::Refused(format!(
            "capacity min {min}, desired {desired}, max {max} is not in ascending order"
        )));
    }
    if desired > MOST {
        return Err(CloudError::Refused(format!("{desired} instances are more than this account's {MOST}")));
    }
    Ok(())
}
