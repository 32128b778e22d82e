//! The JSON of what exists in the clouds, in the shapes that Deck, `spin` and scripts read. Pure; the questions are in `infrastructure`.

use std::collections::BTreeSet;

use cloud::health::{Health, HealthState};
use cloud::inventory::{Account, Backend, Firewall, Image, Instance, Inventory, LoadBalancer, ServerGroup};
use cloud::names::Moniker;
use cloud::operation::Allowed;
use jiff::Timestamp;
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
fn moniker(moniker: &Moniker) -> Value {
    json!({"app": moniker.app, "cluster": moniker.cluster, "stack": moniker.stack, "detail": moniker.detail,
           "sequence": moniker.sequence})
}

fn health(health: &Health) -> Value {
    let mut value = json!({"type": health.kind, "state": health.state, "healthState": health.state});
    if health.platform {
        value["healthClass"] = json!("platform");
    }
    if let Some(why) = &health.description {
        value["description"] = json!(why);
    }
    if let Some(balancer) = &health.load_balancer {
        let state = if health.state == HealthState::Up { "InService" } else { "OutOfService" };
        value["loadBalancers"] = json!([{"loadBalancerName": balancer, "healthState": health.state, "state": state, "description": health.description}]);
    }
    value
}

/// An instance in a list.
fn instance(instance: &Instance) -> Value {
    json!({
        "id": instance.id, "name": instance.id, "zone": instance.zone, "availabilityZone": instance.zone,
        "launchTime": millis(instance.launched), "healthState": instance.state(),
        "health": instance.health.iter().map(health).collect::<Vec<_>>(), "address": instance.address, "why": instance.why,
    })
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
pub(super) fn group(group: &ServerGroup) -> Value {
    let name = group.name.to_string();
    let parts = group.name.moniker();
    json!({
        "name": name, "account": group.account, "application": parts.app, "cloudProvider": group.provider, "type": group.provider,
        "cluster": parts.cluster, "moniker": moniker(&parts), "region": group.region, "zones": group.zones,
        "createdTime": group.created.as_millisecond(), "capacity": group.capacity, "isDisabled": group.disabled,
        "disabled": group.disabled, "instanceCounts": counts(group), "instanceType": group.instance_type,
        "instances": group.instances.iter().map(instance).collect::<Vec<_>>(), "loadBalancers": group.load_balancers,
        "securityGroups": group.firewalls, "serverGroupManagers": [], "labels": group.labels, "tags": group.labels,
        "buildInfo": {"images": [group.image]}, "image": group.image, "previewAddress": group.preview_address,
        "isDestroying": group.leaving, "providerMetadata": {},
    })
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
    let listener = |listener: &cloud::inventory::Listener| json!({"protocol": listener.protocol, "port": listener.port, "externalPort": listener.port, "address": listener.address, "certificates": listener.certificates});
    let check = balancer.health_check.as_ref().map(|check| {
        json!({"healthCheckType": check.protocol, "port": check.port, "requestPath": check.path,
               "checkIntervalSec": check.interval_ms as f64 / 1000.0, "timeoutSec": check.timeout_ms as f64 / 1000.0,
               "healthyThreshold": check.healthy_threshold, "unhealthyThreshold": check.unhealthy_threshold})
    });
    let address = balancer.listeners.iter().find_map(|listener| listener.address.clone());
    let parts = balancer.name.parse::<cloud::names::GroupName>().ok().map(|name| moniker(&name.moniker()));
    json!({
        "name": balancer.name, "loadBalancerName": balancer.name, "account": balancer.account, "region": balancer.region,
        "cloudProvider": balancer.provider, "type": balancer.provider, "loadBalancerType": balancer.kind,
        "application": balancer.application, "moniker": parts, "createdTime": balancer.created.as_millisecond(),
        "listeners": balancer.listeners.iter().map(listener).collect::<Vec<_>>(), "healthCheck": check,
        "dnsName": address, "ipAddress": address, "serverGroups": groups, "instances": instances, "securityGroups": balancer.firewalls,
    })
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
            "class": "ipRange", "protocol": "tcp", "portRanges": [{"startPort": rule.ports.0, "endPort": rule.ports.1}],
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
