//! What a cloud can be asked to do, as data: the same values are planned, printed, started, stored and simulated.
//!
//! How a provider does it is in the provider. Stages make these values from pipeline JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::health::Capacity;
use crate::inventory::{HealthCheck, Protocol};
use crate::names::{ClusterName, GroupName};
use crate::traffic::{Share, Treatment};

/// One operation. Where it happens (the account) is the provider that it is given to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Operation {
    /// Makes the next version of a cluster.
    CreateServerGroup(CreateServerGroup),
    /// Changes how many instances a group has.
    ResizeServerGroup(ResizeServerGroup),
    /// Gives a group traffic.
    EnableServerGroup(Traffic),
    /// Takes traffic from a group; its instances finish what they have.
    DisableServerGroup(Traffic),
    /// Says what a group takes of its load balancers' requests.
    ShareTraffic(ShareTraffic),
    /// Takes traffic away, waits until it is gone, and ends the group.
    DestroyServerGroup(GroupAt),
    /// Makes a load balancer, or makes it as described.
    UpsertLoadBalancer(UpsertLoadBalancer),
    /// Ends a load balancer.
    DeleteLoadBalancer(NamedAt),
    /// Gives single instances traffic of load balancers.
    RegisterInstances(Registration),
    /// Takes single instances out of load balancers.
    DeregisterInstances(Registration),
    /// Ends single instances; the group replaces them unless it shall shrink.
    TerminateInstances(Terminate),
    /// Ends single instances and starts the same again.
    RebootInstances(InstancesAt),
    /// Adds tags to an image.
    TagImage(TagImage),
    /// Makes a firewall, or makes it as described.
    UpsertFirewall(UpsertFirewall),
    /// Ends a firewall.
    DeleteFirewall(NamedAt),
}

impl Operation {
    /// Whether users may notice it: it makes or ends instances, or gives them other traffic.
    pub fn moves_traffic(&self) -> bool {
        !matches!(
            self,
            Self::UpsertLoadBalancer(_)
                | Self::DeleteLoadBalancer(_)
                | Self::UpsertFirewall(_)
                | Self::DeleteFirewall(_)
                | Self::TagImage(_)
        )
    }

    /// The operation's name, as in its JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateServerGroup(_) => "createServerGroup",
            Self::ResizeServerGroup(_) => "resizeServerGroup",
            Self::EnableServerGroup(_) => "enableServerGroup",
            Self::DisableServerGroup(_) => "disableServerGroup",
            Self::ShareTraffic(_) => "shareTraffic",
            Self::DestroyServerGroup(_) => "destroyServerGroup",
            Self::UpsertLoadBalancer(_) => "upsertLoadBalancer",
            Self::DeleteLoadBalancer(_) => "deleteLoadBalancer",
            Self::RegisterInstances(_) => "registerInstances",
            Self::DeregisterInstances(_) => "deregisterInstances",
            Self::TerminateInstances(_) => "terminateInstances",
            Self::RebootInstances(_) => "rebootInstances",
            Self::TagImage(_) => "upsertImageTags",
            Self::UpsertFirewall(_) => "upsertFirewall",
            Self::DeleteFirewall(_) => "deleteFirewall",
        }
    }
}

/// A server group to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateServerGroup {
    /// Cluster that it becomes the next version of; the provider counts.
    pub cluster: ClusterName,
    /// Where.
    pub region: String,
    /// Zones to spread over; empty means all of the region.
    #[serde(default)]
    pub zones: Vec<String>,
    /// How many instances.
    pub capacity: Capacity,
    /// What they run.
    pub image: String,
    /// Machine size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Load balancers that it belongs to.
    #[serde(default)]
    pub load_balancers: Vec<String>,
    /// Firewalls that apply to it.
    #[serde(default)]
    pub firewalls: Vec<String>,
    /// Whether load balancers give it traffic once it is healthy.
    pub traffic: bool,
    /// Environment of the instances.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Labels by name.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// How instances are checked when no load balancer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// What it takes of its load balancers' requests; without it as much as its instances make out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

impl CreateServerGroup {
    /// A group with traffic and with what every one needs; the rest is left to the provider.
    pub fn new(cluster: ClusterName, region: impl Into<String>, image: impl Into<String>, capacity: Capacity) -> Self {
        Self {
            cluster,
            region: region.into(),
            zones: Vec::new(),
            capacity,
            image: image.into(),
            instance_type: None,
            load_balancers: Vec::new(),
            firewalls: Vec::new(),
            traffic: true,
            env: BTreeMap::new(),
            labels: BTreeMap::new(),
            health_check: None,
            share: None,
        }
    }
}

/// A group with a new capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResizeServerGroup {
    /// The group.
    pub group: GroupName,
    /// Where it is.
    pub region: String,
    /// How many instances it shall have.
    pub capacity: Capacity,
}

/// Traffic for a group, or a share of its instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// The group.
    pub group: GroupName,
    /// Where it is.
    pub region: String,
    /// Share of the instances that is meant, in per cent; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<u32>,
}

/// What a group takes of its load balancers' requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShareTraffic {
    /// The group.
    pub group: GroupName,
    /// Where it is.
    pub region: String,
    /// Its share; without it as much as its instances make out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

/// A group in a region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupAt {
    /// The group.
    pub group: GroupName,
    /// Where it is.
    pub region: String,
}

/// A load balancer as it shall be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpsertLoadBalancer {
    /// Its name.
    pub name: String,
    /// Where.
    pub region: String,
    /// Application that it is for.
    pub application: String,
    /// What it listens on.
    pub listeners: Vec<WantedListener>,
    /// How it checks what stands behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Firewalls that its listeners are behind: what none of them lets in is turned away. Without any everybody may come.
    #[serde(default)]
    pub firewalls: Vec<String>,
    /// How it treats requests.
    #[serde(default)]
    pub treatment: Treatment,
}

impl UpsertLoadBalancer {
    /// A load balancer with what every one needs.
    pub fn new(
        name: impl Into<String>,
        region: impl Into<String>,
        application: impl Into<String>,
        listeners: Vec<WantedListener>,
    ) -> Self {
        Self {
            name: name.into(),
            region: region.into(),
            application: application.into(),
            listeners,
            health_check: None,
            firewalls: Vec::new(),
            treatment: Treatment::default(),
        }
    }
}

/// A listener as it shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedListener {
    /// Protocol.
    pub protocol: Protocol,
    /// Port; 0 leaves the choice to the provider.
    pub port: u16,
    /// Names of the account's certificates: with any of them TLS is spoken, and inside it the protocol. The first is for clients that
    /// name no other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
}

impl WantedListener {
    /// Without TLS.
    pub fn new(protocol: Protocol, port: u16) -> Self {
        Self { protocol, port, certificates: Vec::new() }
    }
}

/// A thing with a name in a region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedAt {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub region: String,
}

/// Instances and the load balancers that they join or leave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// The instances.
    pub instances: Vec<String>,
    /// Where they are.
    pub region: String,
    /// The load balancers; empty means all of their group.
    pub load_balancers: Vec<String>,
}

/// Instances to be ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terminate {
    /// The instances.
    pub instances: Vec<String>,
    /// Where they are.
    pub region: String,
    /// Whether their group wants fewer afterwards, instead of replacing them.
    pub shrink: bool,
}

/// Instances in a region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstancesAt {
    /// The instances.
    pub instances: Vec<String>,
    /// Where they are.
    pub region: String,
}

/// Tags that an image gets, beside those that it has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TagImage {
    /// The image's id.
    pub image: String,
    /// Where.
    pub region: String,
    /// Tags by name.
    pub tags: BTreeMap<String, String>,
}

/// A firewall as it shall be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpsertFirewall {
    /// Its name.
    pub name: String,
    /// Where.
    pub region: String,
    /// Application that it is for.
    #[serde(default)]
    pub application: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// What may come in; nothing else does.
    #[serde(default)]
    pub allowed: Vec<Allowed>,
}

/// Traffic that a firewall lets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allowed {
    /// Protocol.
    pub protocol: Protocol,
    /// First and last port.
    pub ports: (u16, u16),
    /// Networks that it may come from.
    pub from: Vec<String>,
}
