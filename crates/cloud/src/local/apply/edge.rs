//! Operations on what stands between users and instances: load balancers and firewalls.

use std::net::SocketAddr;

use super::{Applied, Change, Held, held};
use crate::local::state::Balancer;
use crate::local::wanted::{self, PREVIEW};
use crate::names;
use crate::operation::{NamedAt, UpsertFirewall, UpsertLoadBalancer, WantedListener};
use crate::provider::{CloudError, Outcome};

impl Change<'_> {
    pub(super) fn upsert_balancer(&mut self, op: &UpsertLoadBalancer) -> Result<Applied, CloudError> {
        self.region(&op.region)?;
        names::check_plain("load balancer", &op.name)?;
        if op.name.starts_with(PREVIEW) {
            return Err(CloudError::Refused(format!(
                "names that begin with \"{PREVIEW}\" are kept for preview addresses"
            )));
        }
        wanted::check(&op.listeners, &op.treatment).map_err(CloudError::Refused)?;
        self.check_firewalls(&op.firewalls)?;
        if op.listeners.is_empty() {
            return Err(CloudError::Refused(format!(
                "load balancer {} has no listener; give a protocol and a port",
                op.name
            )));
        }
        let mut shown = op.listeners.iter().flat_map(|listener| &listener.certificates);
        if let Some(name) = shown.find(|name| !self.rules.certificates.contains_key(*name)) {
            let account = self.rules.account.clone();
            return Err(CloudError::NotFound { what: "certificate", name: name.clone(), account });
        }
        let before = self.state.balancers.get(&op.name).cloned();
        let mut addresses = Vec::new();
        for (place, listener) in op.listeners.iter().enumerate() {
            addresses.push(self.listener_address(op, place, listener, before.as_ref())?);
        }
        let outcome = Outcome {
            region: op.region.clone(),
            load_balancers: vec![op.name.clone()],
            addresses: addresses.iter().map(|address| (op.name.clone(), address.to_string())).collect(),
            server_groups: Vec::new(),
        };
        let created = before.map_or(self.now, |before| before.created);
        let balancer = Balancer { spec: op.clone(), created, addresses };
        self.state.balancers.insert(op.name.clone(), balancer);
        Ok(Applied { outcome, ends: Vec::new() })
    }

    /// The port as asked; a free one when it is 0 or the account says so. A listener that exists keeps its port.
    fn listener_address(
        &mut self,
        op: &UpsertLoadBalancer,
        place: usize,
        listener: &WantedListener,
        before: Option<&Balancer>,
    ) -> Result<SocketAddr, CloudError> {
        if listener.port != 0 && !self.rules.free_listeners {
            let address = SocketAddr::from((self.rules.listen, listener.port));
            let is_udp = listener.protocol.is_udp();
            let twice = op.listeners[..place].iter().any(|l| l.port == listener.port && l.protocol.is_udp() == is_udp);
            if twice {
                return Err(CloudError::Refused(format!("two listeners of {} want port {}", op.name, listener.port)));
            }
            let own = self.state.balancers.iter().filter(|(name, _)| **name != op.name);
            let mut own = own.flat_map(|(name, other)| held(other, format!("load balancer {name}")));
            let same = |held: &Held| overlap(held.address, address) && held.udp == is_udp;
            let holder = own.find(same).or_else(|| self.others.listeners.iter().find(|held| same(held)).cloned());
            return match holder {
                Some(held) => Err(CloudError::Refused(format!("{} belongs to {}", held.address, held.by))),
                None => Ok(address),
            };
        }
        let kept = before.and_then(|before| {
            let same = before.spec.listeners.get(place)?.port == listener.port;
            before.addresses.get(place).copied().filter(|_| same)
        });
        match kept {
            Some(address) => Ok(address),
            None => Ok(SocketAddr::from((self.rules.listen, self.port()?))),
        }
    }

    pub(super) fn delete_balancer(&mut self, op: &NamedAt) -> Result<Applied, CloudError> {
        self.region(&op.region)?;
        let user = self
            .state
            .groups
            .values()
            .find(|group| group.leaving.is_none() && group.spec.load_balancers.contains(&op.name));
        if let Some(group) = user {
            return Err(CloudError::Refused(format!(
                "server group {} stands behind load balancer {}; destroy it first",
                group.name, op.name
            )));
        }
        match self.state.balancers.remove(&op.name) {
            Some(_) => Ok(self.applied(&op.region, Vec::new())),
            None => Err(CloudError::NotFound {
                what: "load balancer",
                name: op.name.clone(),
                account: self.rules.account.clone(),
            }),
        }
    }

    pub(super) fn check_firewalls(&self, names: &[String]) -> Result<(), CloudError> {
        match names.iter().find(|name| !self.state.firewalls.contains_key(*name)) {
            Some(name) => Err(self.no_firewall(name)),
            None => Ok(()),
        }
    }

    fn no_firewall(&self, name: &str) -> CloudError {
        CloudError::NotFound { what: "firewall", name: name.to_owned(), account: self.rules.account.clone() }
    }

    pub(super) fn upsert_firewall(&mut self, op: &UpsertFirewall) -> Result<Applied, CloudError> {
        self.region(&op.region)?;
        names::check_plain("firewall", &op.name)?;
        for rule in &op.allowed {
            wanted::networks(&rule.from).map_err(CloudError::Refused)?;
        }
        self.state.firewalls.insert(op.name.clone(), op.clone());
        Ok(self.applied(&op.region, Vec::new()))
    }

    pub(super) fn delete_firewall(&mut self, op: &NamedAt) -> Result<Applied, CloudError> {
        self.region(&op.region)?;
        // Without it everybody could come.
        let behind = |firewalls: &[String]| firewalls.contains(&op.name);
        let balancers = self.state.balancers.values().filter(|one| behind(&one.spec.firewalls));
        let groups = self.state.groups.values().filter(|one| behind(&one.spec.firewalls));
        let user = balancers.map(|one| format!("load balancer {}", one.spec.name));
        if let Some(user) = user.chain(groups.map(|one| format!("server group {}", one.name))).next() {
            return Err(CloudError::Refused(format!("{user} is behind firewall {}; change or end it first", op.name)));
        }
        match self.state.firewalls.remove(&op.name) {
            Some(_) => Ok(self.applied(&op.region, Vec::new())),
            None => Err(self.no_firewall(&op.name)),
        }
    }
}

/// Whether two listeners would be in each other's way: one on every address is in the way of all on its port.
pub(in crate::local) fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let same = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && same
}
