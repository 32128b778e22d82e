//! The JSON of what exists in the clouds, in the shapes that Deck, `spin` and scripts read. Pure; the questions are in `infrastructure`.

use std::collections::{BTreeMap, BTreeSet};

use cloud::health::{Capacity, Health, HealthState};
use cloud::inventory::{Account, Backend, Firewall, Image, Instance, Inventory, LoadBalancer, ServerGroup};
use cloud::names::Moniker;
use cloud::operation::Allowed;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

fn millis(at: Option<Timestamp>) -> Value {
    json!(at.map(Timestamp::as_millisecond))
}

/// An account with everything that is known of it.
pub(super) fn account(account: &Account) -> Value {
    let region = |region: &cloud::inventory::Region| json!({"name": region.name, "availabilityZones": region.zones});
    json!({
        "name": account.name, "accountName": account.name, "accountId": account.name, "type": account.provider,
        "cloudProvider": account.provider, "environment": account.environment, "accountType": account.environment,
        "authorized": true, "challengeDestructiveActions": false, "primaryAccount": true, "requiredGroupMembership": [],
        "permissions": {}, "regions": account.regions.iter().map(region).collect::<Vec<_>>(),
    })
}

/// A moniker with absent parts as null, as clients expect them.
#[derive(Serialize)]
struct MonikerView<'a> {
    app: &'a str,
    cluster: &'a str,
    stack: Option<&'a str>,
    detail: Option<&'a str>,
    sequence: Option<u32>,
}

impl<'a> From<&'a Moniker> for MonikerView<'a> {
    fn from(one: &'a Moniker) -> Self {
        let (stack, detail) = (one.stack.as_deref(), one.detail.as_deref());
        Self { app: &one.app, cluster: &one.cluster, stack, detail, sequence: one.sequence }
    }
}

fn moniker(one: &Moniker) -> Value {
    json!(MonikerView::from(one))
}

/// What one source says of an instance.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthView<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    state: HealthState,
    health_state: HealthState,
    #[serde(skip_serializing_if = "Option::is_none")]
    health_class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load_balancers: Option<[Behind<'a>; 1]>,
}

/// How an instance stands behind a load balancer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Behind<'a> {
    load_balancer_name: &'a str,
    health_state: HealthState,
    state: &'static str,
    description: Option<&'a str>,
}

impl<'a> From<&'a Health> for HealthView<'a> {
    fn from(one: &'a Health) -> Self {
        let description = one.description.as_deref();
        let behind = one.load_balancer.as_deref().map(|name| {
            let state = if one.state == HealthState::Up { "InService" } else { "OutOfService" };
            [Behind { load_balancer_name: name, health_state: one.state, state, description }]
        });
        Self {
            kind: &one.kind,
            state: one.state,
            health_state: one.state,
            health_class: one.platform.then_some("platform"),
            description,
            load_balancers: behind,
        }
    }
}

/// An instance in a list. Lists of thousands are written from these directly, not by way of [`Value`]s.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceView<'a> {
    id: &'a str,
    name: &'a str,
    zone: &'a str,
    availability_zone: &'a str,
    launch_time: Option<i64>,
    health_state: HealthState,
    health: Vec<HealthView<'a>>,
    address: Option<&'a str>,
    why: Option<&'a str>,
}

impl<'a> From<&'a Instance> for InstanceView<'a> {
    fn from(one: &'a Instance) -> Self {
        Self {
            id: &one.id,
            name: &one.id,
            zone: &one.zone,
            availability_zone: &one.zone,
            launch_time: one.launched.map(|at| at.as_millisecond()),
            health_state: one.state(),
            health: one.health.iter().map(HealthView::from).collect(),
            address: one.address.as_deref(),
            why: one.why.as_deref(),
        }
    }
}

fn instance(one: &Instance) -> Value {
    json!(InstanceView::from(one))
}

/// An instance by itself.
pub(super) fn instance_details(one: &Instance, account: &Account, region: &str) -> Value {
    let mut value = instance(one);
    let name = one.group.to_string();
    value["account"] = json!(account.name);
    value["cloudProvider"] = json!(account.provider);
    value["provider"] = json!(account.provider);
    value["region"] = json!(region);
    value["serverGroup"] = json!(name);
    value["cluster"] = json!(one.group.cluster().to_string());
    value["moniker"] = moniker(&one.group.moniker());
    value["privateIpAddress"] = json!(one.address);
    value["details"] = json!(one.details);
    value
}

pub(super) fn counts(group: &ServerGroup) -> Value {
    let counts = group.counts();
    json!({"total": counts.total, "up": counts.up, "down": counts.down + counts.failed, "unknown": counts.unknown,
           "outOfService": counts.out_of_service, "starting": counts.starting, "succeeded": counts.succeeded,
           "failed": counts.failed})
}

/// A server group in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupView<'a> {
    name: String,
    account: &'a str,
    application: &'a str,
    cloud_provider: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    cluster: &'a str,
    moniker: MonikerView<'a>,
    region: &'a str,
    zones: &'a [String],
    created_time: i64,
    capacity: Capacity,
    is_disabled: bool,
    disabled: bool,
    instance_counts: Value,
    instance_type: Option<&'a str>,
    instances: Vec<InstanceView<'a>>,
    load_balancers: &'a [String],
    security_groups: &'a [String],
    server_group_managers: [(); 0],
    labels: &'a BTreeMap<String, String>,
    tags: &'a BTreeMap<String, String>,
    build_info: Value,
    image: &'a str,
    preview_address: Option<&'a str>,
    is_destroying: bool,
    traffic_percentage: Option<u8>,
    provider_metadata: BTreeMap<String, String>,
}

impl<'a> GroupView<'a> {
    fn new(one: &'a ServerGroup, parts: &'a Moniker) -> Self {
        Self {
            name: one.name.to_string(),
            account: &one.account,
            application: &parts.app,
            cloud_provider: &one.provider,
            kind: &one.provider,
            cluster: &parts.cluster,
            moniker: parts.into(),
            region: &one.region,
            zones: &one.zones,
            created_time: one.created.as_millisecond(),
            capacity: one.capacity,
            is_disabled: one.disabled,
            disabled: one.disabled,
            instance_counts: counts(one),
            instance_type: one.instance_type.as_deref(),
            instances: one.instances.iter().map(InstanceView::from).collect(),
            load_balancers: &one.load_balancers,
            security_groups: &one.firewalls,
            server_group_managers: [],
            labels: &one.labels,
            tags: &one.labels,
            build_info: json!({"images": [one.image]}),
            image: &one.image,
            preview_address: one.preview_address.as_deref(),
            is_destroying: one.leaving,
            traffic_percentage: one.share.as_ref().map(|share| share.percentage),
            provider_metadata: BTreeMap::new(),
        }
    }
}

pub(super) fn group(one: &ServerGroup) -> Value {
    json!(GroupView::new(one, &one.name.moniker()))
}

/// A list of server groups, as the bytes of its JSON.
pub(super) fn groups<'a>(all: impl Iterator<Item = &'a ServerGroup>) -> serde_json::Result<Vec<u8>> {
    let mut out = vec![b'['];
    for (place, one) in all.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut out, &GroupView::new(one, &one.name.moniker()))?;
    }
    out.push(b']');
    Ok(out)
}

/// A server group by itself.
pub(super) fn group_details(one: &ServerGroup) -> Value {
    let mut value = group(one);
    let capacity = one.capacity;
    value["asg"] = json!({"minSize": capacity.min, "maxSize": capacity.max, "desiredCapacity": capacity.desired});
    value["launchConfig"] = json!({"createdTime": one.created.as_millisecond(), "imageId": one.image, "instanceType": one.instance_type,
        "launchConfigurationName": one.name.to_string()});
    value["imageId"] = json!(one.image);
    value["currentActions"] = json!({});
    value
}

fn backend(balancer: &LoadBalancer, one: &Backend) -> Value {
    let member = |instance: &Instance| {
        let seen = instance.health.iter().find(|health| health.load_balancer.as_deref() == Some(&balancer.name));
        let state = seen.map_or(instance.state(), |health| health.state);
        let word = if state == HealthState::Up { "InService" } else { "OutOfService" };
        json!({"id": instance.id, "name": instance.id, "zone": instance.zone,
               "health": {"state": word, "healthState": state, "description": seen.and_then(|h| h.description.clone())}})
    };
    json!({"name": one.group.to_string(), "account": balancer.account, "region": balancer.region, "cloudProvider": balancer.provider,
           "isDisabled": one.disabled, "detachedInstances": [], "instances": one.instances.iter().map(member).collect::<Vec<_>>()})
}

/// A load balancer with what stands behind it.
pub(super) fn balancer(balancer: &LoadBalancer) -> Value {
    let groups: Vec<Value> = balancer.groups.iter().map(|one| backend(balancer, one)).collect();
    let instances: Vec<Value> =
        groups.iter().filter_map(|group| group["instances"].as_array()).flatten().cloned().collect();
    let address = balancer.listeners.iter().find_map(|listener| listener.address.clone());
    let parts = balancer.name.parse::<cloud::names::GroupName>().ok().map(|name| moniker(&name.moniker()));
    let mut shown = json!({
        "name": balancer.name, "account": balancer.account, "region": balancer.region,
        "cloudProvider": balancer.provider, "type": balancer.provider, "loadBalancerType": balancer.kind,
        "application": balancer.application, "moniker": parts, "createdTime": balancer.created.as_millisecond(),
        "dnsName": address, "ipAddress": address, "serverGroups": groups, "instances": instances,
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(stages::infrastructure::written_balancer(balancer));
    }
    shown
}

/// The clusters in an inventory: account, provider, name.
pub(super) fn clusters(all: &Inventory) -> BTreeSet<(String, String, String)> {
    let of = |group: &ServerGroup| (group.account.clone(), group.provider.clone(), group.name.cluster().to_string());
    all.server_groups.iter().map(of).collect()
}

/// One cluster with its server groups.
pub(super) fn cluster(all: &Inventory, account: &str, provider: &str, name: &str) -> Value {
    let own: Vec<&ServerGroup> = all
        .server_groups
        .iter()
        .filter(|group| group.account == account && group.name.cluster().to_string() == name)
        .collect();
    let balancers: BTreeSet<&String> = own.iter().flat_map(|group| &group.load_balancers).collect();
    json!({
        "name": name, "accountName": account, "type": provider, "loadBalancers": balancers,
        "moniker": own.first().map(|group| { let mut parts = group.name.moniker(); parts.sequence = None; moniker(&parts) }),
        "serverGroups": own.into_iter().map(group).collect::<Vec<_>>(),
    })
}

/// A firewall in the list of all.
fn firewall(one: &Firewall) -> Value {
    let parts = one.name.parse::<cloud::names::ClusterName>().ok();
    let parts = parts.map(
        |name| json!({"app": name.app(), "cluster": name.to_string(), "stack": name.stack(), "detail": name.detail()}),
    );
    json!({"name": one.name, "id": one.name, "description": one.description, "application": one.application, "moniker": parts})
}

/// A firewall with its rules.
pub(super) fn firewall_in_detail(one: &Firewall, provider: &str) -> Value {
    let mut value = firewall(one);
    let rule = |rule: &Allowed, from: &String| {
        let (ip, cidr) = from.split_once('/').unwrap_or((from, ""));
        json!({
            "class": "ipRange", "protocol": if rule.protocol.is_udp() { "udp" } else { "tcp" }, "portRanges": [{"startPort": rule.ports.0, "endPort": rule.ports.1}],
            "range": {"ip": ip, "cidr": if cidr.is_empty() { String::new() } else { format!("/{cidr}") }},
        })
    };
    let rules: Vec<Value> =
        one.allowed.iter().flat_map(|allowed| allowed.from.iter().map(move |from| rule(allowed, from))).collect();
    value["accountName"] = json!(one.account);
    value["cloudProvider"] = json!(provider);
    value["region"] = json!(one.region);
    value["inboundRules"] = json!(rules);
    value["outboundRules"] = json!([]);
    value
}

/// Firewalls by account, provider and region; every account is there.
pub(super) fn firewalls(accounts: &[Account], all: &Inventory) -> Value {
    let mut value = Map::new();
    for account in accounts {
        let mut regions = Map::new();
        for region in &account.regions {
            let own = all.firewalls.iter().filter(|f| f.account == account.name && f.region == region.name);
            let list: Vec<Value> = own.map(firewall).collect();
            regions.insert(region.name.clone(), json!(list));
        }
        value.insert(account.name.clone(), json!({ account.provider.clone(): regions }));
    }
    Value::Object(value)
}

/// An image that can be deployed.
pub(super) fn image(image: &Image) -> Value {
    json!({"imageName": image.name, "imageId": image.id, "account": image.account, "regions": image.regions,
           "creationDate": millis(image.created), "attributes": {"creationDate": millis(image.created)}, "tags": image.tags})
}

/// The things of one kind whose names hold a text.
pub(super) fn search(all: &Inventory, text: &str, kind: &str) -> Vec<Value> {
    let text = text.to_lowercase();
    let holds = |name: &str| name.to_lowercase().contains(&text);
    match kind {
        "clusters" => {
            let own = clusters(all).into_iter().filter(|(_, _, name)| holds(name));
            let one = |(account, provider, name): (String, String, String)| {
                let application = name.split('-').next().unwrap_or_default().to_owned();
                json!({"type": "clusters", "cluster": name, "account": account, "provider": provider,
                    "url": format!("/applications/{application}/clusters/{account}/{name}"), "application": application})
            };
            own.map(one).collect()
        }
        "serverGroups" => {
            let own = all.server_groups.iter().filter(|group| holds(&group.name.to_string()));
            own.map(|group| {
                let url = format!("/serverGroups/{}/{}/{}", group.account, group.region, group.name);
                of_group(group, json!({"type": "serverGroups", "sequence": group.name.moniker().sequence, "url": url}))
            })
            .collect()
        }
        "instances" => {
            let every = all.server_groups.iter().flat_map(|group| group.instances.iter().map(move |one| (group, one)));
            let own = every.filter(|(_, instance)| holds(&instance.id));
            own.map(|(group, instance)| of_group(group, json!({"type": "instances", "instanceId": instance.id})))
                .collect()
        }
        "loadBalancers" => {
            let own = all.load_balancers.iter().filter(|balancer| holds(&balancer.name));
            let one = |balancer: &LoadBalancer| {
                json!({"type": "loadBalancers", "loadBalancer": balancer.name, "account": balancer.account,
                    "region": balancer.region, "provider": balancer.provider, "application": balancer.application})
            };
            own.map(one).collect()
        }
        "securityGroups" => {
            let own = all.firewalls.iter().filter(|firewall| holds(&firewall.name));
            own.map(|firewall| {
                json!({"type": "securityGroups", "name": firewall.name, "id": firewall.name, "account": firewall.account,
                    "region": firewall.region, "application": firewall.name.split('-').next()})
            })
            .collect()
        }
        _ => Vec::new(),
    }
}

fn of_group(group: &ServerGroup, more: Value) -> Value {
    let parts = group.name.moniker();
    let mut value = json!({"account": group.account, "region": group.region, "provider": group.provider, "application": parts.app,
        "cluster": parts.cluster, "serverGroup": group.name.to_string()});
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}
