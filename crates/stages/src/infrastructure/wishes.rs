//! What people write in pipeline JSON about server groups and load balancers, read leniently, in the spellings of the clouds.

use std::collections::BTreeMap;

use cloud::health::Capacity;
use cloud::inventory::{HealthCheck, Listener, LoadBalancer, Protocol};
use cloud::names::ClusterName;
use cloud::operation::{CreateServerGroup, UpsertLoadBalancer, WantedListener};
use pipeline::{Map, TaskInput, TaskResult, lenient};
use serde::Deserialize;
use serde_json::{Value, json};

use super::treatment;

/// The configuration of a task's stage, with its expressions evaluated.
pub(crate) fn context(input: &TaskInput) -> Map {
    input.view().map(|view| view.context().clone()).unwrap_or_default()
}

/// The text under the first of these keys that has one.
pub(crate) fn text<'a>(map: &'a Map, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| map.get(*key)?.as_str().map(str::trim).filter(|text| !text.is_empty()))
}

/// A truth value; the texts count.
pub(crate) fn flag(map: &Map, key: &str) -> Option<bool> {
    match map.get(key)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number; a text of digits counts.
pub(crate) fn number(map: &Map, key: &str) -> Option<f64> {
    as_number(map.get(key)?)
}

/// The same of a value.
pub(crate) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A whole number that is not negative.
pub(crate) fn count(map: &Map, key: &str) -> Option<u32> {
    number(map, key).filter(|n| *n >= 0.0 && *n <= f64::from(u32::MAX)).map(|n| n as u32)
}

pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        Some(Value::String(text)) => text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect(),
        _ => Vec::new(),
    }
}

fn pairs(value: Option<&Value>) -> BTreeMap<String, String> {
    let Some(Value::Object(map)) = value else {
        return BTreeMap::new();
    };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    map.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The account that a stage names.
pub(crate) fn account(map: &Map) -> Result<String, TaskResult> {
    let found = text(map, &["credentials", "account", "accountName"]);
    found.map(str::to_owned).ok_or_else(|| TaskResult::failed("names no account: give `credentials` (or `account`)"))
}

/// The account of one of the clusters that a stage deploys: its own, or the stage's for all.
pub(crate) fn account_of_cluster(cluster: &Map, stage: &Map) -> Option<String> {
    account(cluster).or_else(|_| account(stage)).ok()
}

/// The regions that a stage names, in the spellings of the clouds; at least one.
pub(crate) fn regions(map: &Map) -> Vec<String> {
    if let Some(region) = text(map, &["region", "location"]) {
        return vec![region.to_owned()];
    }
    let mut found = texts(map.get("regions"));
    if found.is_empty()
        && let Some(Value::Object(zones)) = map.get("availabilityZones")
    {
        found.extend(zones.keys().cloned());
    }
    if found.is_empty() { vec!["local".to_owned()] } else { found }
}

/// A capacity written as an object or in the single fields that some clouds use.
pub(crate) fn capacity(map: &Map) -> Result<Option<Capacity>, TaskResult> {
    #[derive(Deserialize)]
    struct Given {
        min: Option<u32>,
        max: Option<u32>,
        desired: Option<u32>,
    }
    if let Some(value) = map.get("capacity").filter(|value| value.is_object()) {
        let given: Given = lenient::from_value(value).map_err(|e| TaskResult::failed(format!("`capacity`: {e}")))?;
        let Some(desired) = given.desired.or(given.min).or(given.max) else {
            return Ok(None);
        };
        return Ok(Some(Capacity { min: given.min.unwrap_or(desired), max: given.max.unwrap_or(desired), desired }));
    }
    let single = ["targetSize", "desiredCapacity", "instances"].iter().find_map(|key| count(map, key));
    Ok(single.map(Capacity::exactly))
}

/// The configuration of a `createServerGroup`: flat, or under `cluster`.
pub(crate) fn cluster_config(context: &Map) -> Map {
    let mut config = context.clone();
    if let Some(Value::Object(cluster)) = context.get("cluster") {
        config.remove("cluster");
        for (key, value) in cluster {
            config.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    config
}

/// The cluster that a deployment makes a version of.
pub(crate) fn cluster_of(config: &Map, application: &str) -> Result<ClusterName, TaskResult> {
    let moniker = config.get("moniker").and_then(Value::as_object);
    let part = |keys: &[&str], of: &str| {
        let own = text(config, keys).map(str::to_owned);
        own.or_else(|| text(moniker?, &[of]).map(str::to_owned)).unwrap_or_default()
    };
    let app = text(config, &["application"]).unwrap_or(application);
    ClusterName::new(app, &part(&["stack"], "stack"), &part(&["freeFormDetails", "detail"], "detail"))
        .map_err(|error| TaskResult::failed(error.to_string()))
}

/// Whether load balancers shall send traffic to the new group.
pub(crate) fn wants_traffic(config: &Map) -> bool {
    flag(config, "enableTraffic").unwrap_or_else(|| {
        let off = |key| flag(config, key).unwrap_or(false);
        !(off("disableTraffic") || off("startDisabled"))
    })
}

/// The operation that a `createServerGroup` asks for.
pub(crate) fn create(input: &TaskInput, image: String) -> Result<(String, CreateServerGroup), TaskResult> {
    let config = cluster_config(&context(input));
    let region = regions(&config).remove(0);
    let by_region = config.get("availabilityZones").and_then(|zones| zones.get(&region));
    let mut zones = texts(by_region.or(config.get("zones")));
    zones.extend(text(&config, &["zone"]).map(str::to_owned));
    let mut env = pairs(config.get("instanceMetadata"));
    env.extend(pairs(config.get("env")));
    let capacity = capacity(&config)?.unwrap_or(Capacity::exactly(1));
    let operation = CreateServerGroup {
        cluster: cluster_of(&config, &input.execution.application)?,
        region,
        zones,
        capacity,
        image,
        instance_type: text(&config, &["instanceType"]).map(str::to_owned),
        load_balancers: texts(config.get("loadBalancers")),
        firewalls: texts(config.get("securityGroups")),
        traffic: wants_traffic(&config),
        env,
        labels: pairs(config.get("labels").or(config.get("tags"))),
        health_check: health_check(&config, None),
        share: treatment::share(&config)?,
    };
    Ok((account(&config)?, operation))
}

/// The operations that one load balancer description asks for: one a region.
pub(crate) fn load_balancer(map: &Map, application: &str) -> Result<Vec<(String, UpsertLoadBalancer)>, TaskResult> {
    let name = text(map, &["loadBalancerName", "name"]);
    let name = name.ok_or_else(|| TaskResult::failed("names no load balancer: give `loadBalancerName`"))?;
    let listeners = listeners(map)?;
    let port = listeners.first().map(|listener| listener.port);
    let account = account(map)?;
    let wanted = treatment::read(map)?;
    let one = |region: String| {
        let operation = UpsertLoadBalancer {
            name: name.to_owned(),
            region,
            application: text(map, &["application"]).unwrap_or(application).to_owned(),
            listeners: listeners.clone(),
            health_check: health_check(map, port),
            firewalls: texts(map.get("securityGroups").or(map.get("firewalls"))),
            treatment: wanted.clone(),
        };
        (account.clone(), operation)
    };
    Ok(regions(map).into_iter().map(one).collect())
}

fn protocol(text: Option<&str>) -> Protocol {
    match text {
        Some(text) if ["http", "https"].iter().any(|known| text.eq_ignore_ascii_case(known)) => Protocol::Http,
        Some(text) if text.eq_ignore_ascii_case("udp") => Protocol::Udp,
        _ => Protocol::Tcp,
    }
}

/// A port as a number, as text, as the first of a range, or `auto` for a free one.
fn port(value: &Value) -> Result<u16, TaskResult> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    if text.eq_ignore_ascii_case("auto") {
        return Ok(0);
    }
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
        (Ok(first), Ok(last)) if first == last => Ok(first),
        (Ok(_), Ok(_)) => Err(TaskResult::failed(format!("port range `{text}`: give one port; a listener has one"))),
        _ => Err(TaskResult::failed(format!("`{text}` is no port: give 1 to 65535, or `auto` for a free one"))),
    }
}

/// The certificates that a listener shows, in the spellings of the clouds.
fn certificates(listener: &Map, protocol: Option<&str>) -> Result<Vec<String>, TaskResult> {
    let mut names: Vec<String> = match listener.get("certificates").or(listener.get("certificate")) {
        Some(Value::Array(list)) => {
            let name = |one: &Value| {
                one.as_str().or_else(|| text(one.as_object()?, &["certificateArn", "name"])).map(str::to_owned)
            };
            list.iter().filter_map(name).collect()
        }
        one => texts(one),
    };
    names.extend(text(listener, &["sslCertificateName", "sslCertificateId"]).map(str::to_owned));
    let tls = protocol.filter(|word| ["https", "ssl", "tls"].iter().any(|known| word.eq_ignore_ascii_case(known)));
    match tls {
        Some(word) if names.is_empty() => Err(TaskResult::failed(format!(
            "a listener for {word} needs `sslCertificateName`: the name of a certificate of the account"
        ))),
        _ => Ok(names),
    }
}

fn listeners(map: &Map) -> Result<Vec<WantedListener>, TaskResult> {
    let mut found = Vec::new();
    if let Some(Value::Array(list)) = map.get("listeners") {
        for listener in list.iter().filter_map(Value::as_object) {
            let number = ["externalPort", "port", "loadBalancerPort"].iter().find_map(|key| listener.get(*key));
            let number =
                number.ok_or_else(|| TaskResult::failed("a listener without a port: give `externalPort` or `port`"))?;
            let spoken = text(listener, &["externalProtocol", "protocol"]);
            found.push(WantedListener {
                protocol: protocol(spoken),
                port: port(number)?,
                certificates: certificates(listener, spoken)?,
            });
        }
    }
    let word = text(map, &["ipProtocol", "protocol"]);
    let shown = certificates(map, word)?;
    let spoken = protocol(word);
    let ports = match map.get("ports") {
        Some(Value::Array(list)) => list.clone(),
        _ => map.get("portRange").or(map.get("port")).cloned().into_iter().collect(),
    };
    for value in ports.iter().filter(|_| found.is_empty()).cloned().collect::<Vec<_>>() {
        found.push(WantedListener { protocol: spoken, port: port(&value)?, certificates: shown.clone() });
    }
    if found.is_empty() {
        return Err(TaskResult::failed("no listener: give `listeners`, `portRange` or `ports`"));
    }
    Ok(found)
}

/// `"HTTP:8080/health"`, or an object in the spellings of the clouds.
fn health_check(map: &Map, port: Option<u16>) -> Option<HealthCheck> {
    let plain = |protocol, port, path: &str| HealthCheck {
        protocol,
        port,
        path: path.to_owned(),
        interval_ms: 2_000,
        timeout_ms: 2_000,
        healthy_threshold: 2,
        unhealthy_threshold: 2,
    };
    let (mut check, more) = match map.get("healthCheck")? {
        Value::String(text) => {
            let (spoken, rest) = text.split_once(':')?;
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let path = if rest[digits..].is_empty() { "/" } else { &rest[digits..] };
            (plain(protocol(Some(spoken)), rest[..digits].parse().ok()?, path), map)
        }
        Value::Object(given) => {
            let spoken = protocol(text(given, &["healthCheckType", "protocol", "type"]));
            let number = count(given, "port").and_then(|n| u16::try_from(n).ok()).or(port).unwrap_or(0);
            (plain(spoken, number, text(given, &["requestPath", "path"]).unwrap_or("/")), given)
        }
        _ => return None,
    };
    let millis =
        |keys: [&str; 3]| keys.iter().find_map(|key| number(more, key)).map(|seconds| (seconds * 1000.0) as u64);
    check.interval_ms =
        millis(["checkIntervalSec", "healthInterval", "intervalSec"]).unwrap_or(check.interval_ms).max(50);
    check.timeout_ms = millis(["timeoutSec", "healthTimeout", "timeout"]).unwrap_or(check.timeout_ms).max(50);
    check.healthy_threshold = count(more, "healthyThreshold").unwrap_or(check.healthy_threshold);
    check.unhealthy_threshold = count(more, "unhealthyThreshold").unwrap_or(check.unhealthy_threshold);
    Some(check)
}

/// A load balancer as a description asks for it, in the words of the stage that makes one: whoever changes it can hand it back.
pub fn written_balancer(balancer: &LoadBalancer) -> Map {
    let listener = |one: &Listener| json!({"protocol": one.protocol, "port": one.port, "externalPort": one.port, "address": one.address, "certificates": one.certificates});
    let mut map = treatment::written(&balancer.treatment);
    map.insert("loadBalancerName".into(), json!(balancer.name));
    map.insert("listeners".into(), balancer.listeners.iter().map(listener).collect());
    map.insert("healthCheck".into(), json!(balancer.health_check.as_ref().map(written_check)));
    map.insert("securityGroups".into(), json!(balancer.firewalls));
    map
}

/// A health check as a description asks for it: what [`health_check`] reads back.
pub(crate) fn written_check(check: &HealthCheck) -> Value {
    let seconds = |millis: u64| millis as f64 / 1000.0;
    json!({
        "healthCheckType": check.protocol, "port": check.port, "requestPath": check.path,
        "checkIntervalSec": seconds(check.interval_ms), "timeoutSec": seconds(check.timeout_ms),
        "healthyThreshold": check.healthy_threshold, "unhealthyThreshold": check.unhealthy_threshold,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_load_balancer_is_read_in_the_spellings_of_google_and_amazon() {
        let google = json!({"loadBalancerName": "hello", "region": "local", "credentials": "local", "ipProtocol": "TCP", "portRange": "8080-8080",
            "healthCheck": {"healthCheckType": "HTTP", "port": "8080", "requestPath": "/", "checkIntervalSec": 0.5, "timeoutSec": 1,
                            "healthyThreshold": 1, "unhealthyThreshold": 3}});
        let amazon = json!({"name": "hello", "regions": ["local"], "credentials": "local", "healthCheck": "HTTP:8080/", "healthInterval": 0.5,
            "healthTimeout": 1, "healthyThreshold": 1, "unhealthyThreshold": 3,
            "listeners": [{"externalProtocol": "TCP", "externalPort": 8080, "internalProtocol": "TCP", "internalPort": 8080}]});
        let read = |value| {
            load_balancer(&map(value), "shop").ok().and_then(|mut list| list.pop()).map(|(_, operation)| operation)
        };
        let expected = UpsertLoadBalancer {
            name: "hello".into(),
            region: "local".into(),
            application: "shop".into(),
            listeners: vec![WantedListener::new(Protocol::Tcp, 8080)],
            health_check: Some(HealthCheck {
                protocol: Protocol::Http,
                port: 8080,
                path: "/".into(),
                interval_ms: 500,
                timeout_ms: 1000,
                healthy_threshold: 1,
                unhealthy_threshold: 3,
            }),
            firewalls: Vec::new(),
            treatment: Default::default(),
        };
        assert_eq!(read(google), Some(expected.clone()));
        assert_eq!(read(amazon), Some(expected));
    }

    #[test]
    fn a_listener_that_speaks_tls_names_its_certificates() {
        let read = |value: Value| listeners(&map(value)).ok().map(|list| list[0].clone());
        let https = |names: &[&str]| {
            let certificates = names.iter().map(|name| (*name).to_owned()).collect();
            Some(WantedListener { protocol: Protocol::Http, port: 443, certificates })
        };
        let amazon =
            json!({"listeners": [{"externalProtocol": "HTTPS", "externalPort": 443, "sslCertificateName": "shop"}]});
        assert_eq!(read(amazon), https(&["shop"]));
        let google = json!({"ipProtocol": "HTTPS", "portRange": "443", "certificate": "shop"});
        assert_eq!(read(google), https(&["shop"]));
        let several = json!({"listeners": [{"protocol": "HTTPS", "port": 443, "certificates": [{"certificateArn": "shop"}, "blog"]}]});
        assert_eq!(read(several), https(&["shop", "blog"]));
        assert_eq!(read(json!({"listeners": [{"protocol": "HTTPS", "port": 443}]})), None);
    }

    #[test]
    fn a_capacity_may_be_written_with_texts() {
        let read = |value| capacity(&map(value)).ok().flatten();
        assert_eq!(read(json!({"capacity": {"min": "4", "max": "4", "desired": "4"}})), Some(Capacity::exactly(4)));
        assert_eq!(read(json!({"capacity": {"desired": 2}})), Some(Capacity::exactly(2)));
        assert_eq!(read(json!({"targetSize": "3"})), Some(Capacity::exactly(3)));
        assert_eq!(read(json!({})), None);
    }

    #[test]
    fn the_port_auto_means_a_free_one_and_nonsense_is_refused() {
        let read = |value: Value| listeners(&map(json!({"ports": [value]}))).map(|list| list[0].port).ok();
        assert_eq!(read(json!("auto")), Some(0));
        assert_eq!(read(json!(8080)), Some(8080));
        assert_eq!(read(json!("8080-8090")), None);
        assert_eq!(read(json!("http")), None);
        assert_eq!(read(json!(70000)), None);
    }
}
