//! What exists in a cloud: accounts, server groups with their instances, load balancers, images, firewalls.
//!
//! Our own shapes, for every provider alike; the JSON that clients read is made of them in `api`. What one wants a cloud to do is in
//! `operation`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::health::{self, Capacity, Health, HealthState};
use crate::names::GroupName;
use crate::operation::Allowed;
use crate::traffic::{Share, Treatment};

/// One account of one cloud: what it can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name, as operations and clients use it.
    pub name: String,
    /// Which cloud: `local`, `gce` …
    pub provider: String,
    /// Where things may be put.
    pub regions: Vec<Region>,
    /// The name under which the platform itself reports health.
    pub platform_health: String,
    /// `test`, `prod` … as people call it.
    pub environment: String,
    /// Machine sizes that may be asked for; empty when the provider has none.
    pub instance_types: Vec<String>,
    /// Certificates that listeners may show, by name.
    pub certificates: Vec<String>,
}

/// A region with its zones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Failure domains within it.
    pub zones: Vec<String>,
}

/// One version of a cluster: a number of alike instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerGroup {
    /// `app-stack-detail-vNNN`.
    pub name: GroupName,
    /// Account that holds it.
    pub account: String,
    /// Cloud of the account.
    pub provider: String,
    /// Where it is.
    pub region: String,
    /// Zones over which its instances are spread.
    pub zones: Vec<String>,
    /// When it was created.
    pub created: Timestamp,
    /// How many instances it shall have.
    pub capacity: Capacity,
    /// Whether load balancers give it no traffic.
    pub disabled: bool,
    /// Whether it is being destroyed.
    pub leaving: bool,
    /// What its instances run.
    pub image: String,
    /// Machine size.
    pub instance_type: Option<String>,
    /// Load balancers that it belongs to.
    pub load_balancers: Vec<String>,
    /// Firewalls that apply to it.
    pub firewalls: Vec<String>,
    /// An address that reaches this group alone and carries no users' traffic: `host:port`.
    pub preview_address: Option<String>,
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
    /// Environment of its instances, which only they and copies of the group need to know.
    #[serde(skip)]
    pub env: BTreeMap<String, String>,
    /// How its instances are checked when no load balancer says so.
    pub health_check: Option<HealthCheck>,
    /// What it takes of its load balancers' requests, where that is not as much as its instances make out.
    pub share: Option<Share>,
    /// Its instances.
    pub instances: Vec<Instance>,
}

impl ServerGroup {
    /// Whether it serves or could: not disabled, or a load balancer sees one of its instances up. That a machine is well says nothing of
    /// traffic.
    pub fn is_active(&self) -> bool {
        let mut health = self.instances.iter().flat_map(|instance| &instance.health);
        !self.disabled || health.any(|health| !health.platform && health.state == HealthState::Up)
    }

    /// How many instances are in which state.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for instance in &self.instances {
            let slot = match instance.state() {
                HealthState::Up => &mut counts.up,
                HealthState::Down | HealthState::Draining => &mut counts.down,
                HealthState::OutOfService => &mut counts.out_of_service,
                HealthState::Unknown => &mut counts.unknown,
                HealthState::Starting => &mut counts.starting,
                HealthState::Succeeded => &mut counts.succeeded,
                HealthState::Failed => &mut counts.failed,
            };
            *slot += 1;
            counts.total += 1;
        }
        counts
    }

    /// How many instances count as up among the given sources of health.
    pub fn up(&self, sources: Option<&[String]>) -> u32 {
        count(self.instances.iter().filter(|instance| health::is_up(&instance.health, sources)))
    }

    /// How many instances count as down among the given sources of health.
    pub fn down(&self, sources: Option<&[String]>) -> u32 {
        count(self.instances.iter().filter(|instance| health::is_down(&instance.health, sources)))
    }
}

fn count<'a>(instances: impl Iterator<Item = &'a Instance>) -> u32 {
    u32::try_from(instances.count()).unwrap_or(u32::MAX)
}

/// Instances by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All.
    pub total: u32,
    /// Well and in traffic.
    pub up: u32,
    /// Not well, or leaving.
    pub down: u32,
    /// Taken out of traffic.
    pub out_of_service: u32,
    /// Nothing known.
    pub unknown: u32,
    /// On their way.
    pub starting: u32,
    /// Ended well.
    pub succeeded: u32,
    /// Ended with an error.
    pub failed: u32,
}

/// One running copy of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id in the account; also its name.
    pub id: String,
    /// The group that it belongs to.
    pub group: GroupName,
    /// Where it runs.
    pub zone: String,
    /// When it was started.
    pub launched: Option<Timestamp>,
    /// Where it answers: `host:port`.
    pub address: Option<String>,
    /// What each source says of it.
    pub health: Vec<Health>,
    /// Why it is not well: one sentence with what was asked and answered, ports, exit code and last lines.
    pub why: Option<String>,
    /// What else the provider knows: process id, restarts, ports …
    pub details: BTreeMap<String, serde_json::Value>,
}

impl Instance {
    /// All sources in one word.
    pub fn state(&self) -> HealthState {
        health::overall(&self.health)
    }
}

/// A load balancer with its listeners and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// Its name in the account and region.
    pub name: String,
    /// Account that holds it.
    pub account: String,
    /// Cloud of the account.
    pub provider: String,
    /// Where it is.
    pub region: String,
    /// Application that it was made for.
    pub application: String,
    /// `network`, `http` …
    pub kind: String,
    /// When it was created.
    pub created: Timestamp,
    /// What it listens on.
    pub listeners: Vec<Listener>,
    /// How it checks what stands behind it.
    pub health_check: Option<HealthCheck>,
    /// Firewalls that its listeners are behind.
    pub firewalls: Vec<String>,
    /// How it treats requests.
    pub treatment: Treatment,
    /// Server groups behind it.
    pub groups: Vec<Backend>,
}

/// One listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Protocol.
    pub protocol: Protocol,
    /// The port that was asked for.
    pub port: u16,
    /// Where it really answers: `host:port`.
    pub address: Option<String>,
    /// Certificates that it shows; without any it does not speak TLS.
    pub certificates: Vec<String>,
}

/// What a listener or a health check speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// Bytes as they come.
    Tcp,
    /// HTTP/1.1, request by request.
    Http,
    /// Datagrams, flow by flow. Checks never do.
    Udp,
}

impl Protocol {
    /// Whether it is datagrams: these have ports of their own, and firewalls tell them apart.
    pub fn is_udp(self) -> bool {
        self == Self::Udp
    }
}

/// How instances are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// TCP: a connection is enough; HTTP: the answer must be 200 to 399.
    pub protocol: Protocol,
    /// Port; providers whose instances choose their own take it as "the traffic port".
    pub port: u16,
    /// Path that is asked for.
    pub path: String,
    /// Milliseconds from check to check.
    pub interval_ms: u64,
    /// Milliseconds until an answer is late.
    pub timeout_ms: u64,
    /// Good answers in a row until an instance is healthy.
    pub healthy_threshold: u32,
    /// Bad answers in a row until it is not.
    pub unhealthy_threshold: u32,
}

/// A server group behind a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// The group.
    pub group: GroupName,
    /// Whether it gets no traffic.
    pub disabled: bool,
    /// Its instances, with the health that this load balancer sees.
    pub instances: Vec<Instance>,
}

/// Something that instances can be made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// What an operation names.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Account that holds it.
    pub account: String,
    /// Where it may be used; empty means everywhere.
    pub regions: Vec<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Tags by name.
    pub tags: BTreeMap<String, String>,
}

/// A firewall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firewall {
    /// Its name.
    pub name: String,
    /// Account that holds it.
    pub account: String,
    /// Where it is.
    pub region: String,
    /// Application that it is for.
    pub application: String,
    /// What it is for.
    pub description: String,
    /// What may come in.
    pub allowed: Vec<Allowed>,
}

/// Everything of one account that a query asked for, seen at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Server groups with their instances.
    pub server_groups: Vec<ServerGroup>,
    /// Load balancers.
    pub load_balancers: Vec<LoadBalancer>,
    /// Images.
    pub images: Vec<Image>,
    /// Firewalls.
    pub firewalls: Vec<Firewall>,
}
