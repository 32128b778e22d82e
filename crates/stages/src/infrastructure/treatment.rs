//! How a load balancer shall treat requests and what a group shall take of them, read from pipeline JSON in the spellings of the clouds.

use cloud::traffic::{Affinity, Choice, Ejection, Share, Treatment};
use pipeline::{Map, TaskResult};
use serde_json::{Value, json};

use super::wishes::{count, flag, number, text, texts};

/// The cookie of load balancers whose description names none.
const COOKIE: &str = "gennaker";

/// The treatment that a load balancer's description asks for.
pub(crate) fn read(map: &Map) -> Result<Treatment, TaskResult> {
    let millis = |keys: &[&str]| keys.iter().find_map(|key| number(map, key)).map(|seconds| (seconds * 1000.0) as u64);
    Ok(Treatment {
        choice: choice(map)?,
        affinity: affinity(map)?,
        drain_ms: millis(&["connectionDrainingTimeoutSec", "deregistrationDelay"]),
        hold_ms: millis(&["holdTimeoutSec"]),
        trusted_proxies: texts(map.get("trustedProxies")),
        proxy_protocol: flag(map, "acceptProxyProtocol") == Some(true),
        send_proxy: proxy_header(map)?,
        ejection: ejection(map),
    })
}

/// A treatment as a load balancer's description asks for it: what [`read`] reads back.
pub(crate) fn written(treatment: &Treatment) -> Map {
    let seconds = |millis: u64| json!(millis as f64 / 1000.0);
    let mut map = Map::new();
    let mut say = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            map.insert(key.into(), value);
        }
    };
    say("localityLbPolicy", treatment.choice.map(|choice| json!(choice)));
    match &treatment.affinity {
        None => {}
        Some(Affinity::Cookie { name, max_age }) => {
            say("sessionAffinity", Some(json!("GENERATED_COOKIE")));
            say("affinityCookieName", Some(json!(name)));
            say("affinityCookieTtlSec", max_age.map(|seconds| json!(seconds)));
        }
        Some(Affinity::Header { name }) => {
            say("sessionAffinity", Some(json!("HEADER_FIELD")));
            say("affinityHeaderName", Some(json!(name)));
        }
    }
    say("connectionDrainingTimeoutSec", treatment.drain_ms.map(seconds));
    say("holdTimeoutSec", treatment.hold_ms.map(seconds));
    say("trustedProxies", (!treatment.trusted_proxies.is_empty()).then(|| json!(treatment.trusted_proxies)));
    say("acceptProxyProtocol", treatment.proxy_protocol.then(|| json!(true)));
    say("proxyHeader", treatment.send_proxy.map(|version| json!(format!("PROXY_V{version}"))));
    let ejection =
        |one: Ejection| json!({"consecutiveErrors": one.failures, "baseEjectionTimeSec": one.for_ms as f64 / 1000.0});
    say("outlierDetection", treatment.ejection.map(ejection));
    map
}

/// `proxyHeader: NONE | PROXY_V1 | PROXY_V2`.
fn proxy_header(map: &Map) -> Result<Option<u8>, TaskResult> {
    match text(map, &["proxyHeader"]).map(str::to_ascii_uppercase).as_deref() {
        None | Some("NONE") => Ok(None),
        Some("PROXY_V1") => Ok(Some(1)),
        Some("PROXY_V2") => Ok(Some(2)),
        Some(other) => {
            Err(TaskResult::failed(format!("proxyHeader \"{other}\" is not known; give NONE, PROXY_V1 or PROXY_V2")))
        }
    }
}

/// `outlierDetection: {consecutiveErrors, baseEjectionTimeSec}`.
fn ejection(map: &Map) -> Option<Ejection> {
    let given = map.get("outlierDetection")?.as_object()?;
    let seconds = number(given, "baseEjectionTimeSec").unwrap_or(10.0).max(0.0);
    Some(Ejection {
        failures: count(given, "consecutiveErrors").unwrap_or(5).max(1),
        for_ms: (seconds * 1000.0) as u64,
    })
}

fn choice(map: &Map) -> Result<Option<Choice>, TaskResult> {
    let Some(name) = text(map, &["localityLbPolicy", "algorithm"]) else { return Ok(None) };
    match name.to_ascii_lowercase().as_str() {
        "round_robin" => Ok(Some(Choice::RoundRobin)),
        "least_request" | "least_outstanding_requests" | "leastconn" => Ok(Some(Choice::LeastRequest)),
        _ => Err(TaskResult::failed(format!(
            "localityLbPolicy \"{name}\" is not known; give ROUND_ROBIN or LEAST_REQUEST"
        ))),
    }
}

fn affinity(map: &Map) -> Result<Option<Affinity>, TaskResult> {
    let Some(name) = text(map, &["sessionAffinity"]) else { return Ok(None) };
    match name.to_ascii_uppercase().as_str() {
        "NONE" => Ok(None),
        "GENERATED_COOKIE" | "HTTP_COOKIE" => Ok(Some(Affinity::Cookie {
            name: text(map, &["affinityCookieName"]).unwrap_or(COOKIE).to_owned(),
            max_age: count(map, "affinityCookieTtlSec").filter(|seconds| *seconds > 0),
        })),
        "HEADER_FIELD" => {
            let header = text(map, &["affinityHeaderName"]);
            let header =
                header.ok_or_else(|| TaskResult::failed("sessionAffinity HEADER_FIELD needs `affinityHeaderName`"))?;
            Ok(Some(Affinity::Header { name: header.to_owned() }))
        }
        _ => Err(TaskResult::failed(format!(
            "sessionAffinity \"{name}\" is not available; give NONE, GENERATED_COOKIE or HEADER_FIELD"
        ))),
    }
}

/// What a group shall take: `trafficPercentage`, and `trafficClients: {cookie | header}` when it is a share of clients.
pub(crate) fn share(map: &Map) -> Result<Option<Share>, TaskResult> {
    let Some(percentage) = number(map, "trafficPercentage") else { return Ok(None) };
    if !(0.0..=100.0).contains(&percentage) {
        return Err(TaskResult::failed(format!("trafficPercentage {percentage} is not between 0 and 100")));
    }
    let clients = map.get("trafficClients").and_then(Value::as_object);
    let clients = match clients {
        None => None,
        Some(clients) => match (text(clients, &["cookie"]), text(clients, &["header"])) {
            (Some(name), None) => Some(Affinity::Cookie { name: name.to_owned(), max_age: count(clients, "ttlSec") }),
            (None, Some(name)) => Some(Affinity::Header { name: name.to_owned() }),
            _ => return Err(TaskResult::failed("`trafficClients` needs a `cookie` or a `header`, and not both")),
        },
    };
    Ok(Some(Share { percentage: percentage as u8, clients }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_load_balancer_says_how_it_treats_requests() {
        let read = |value| read(&map(value)).ok();
        assert_eq!(read(json!({})), Some(Treatment::default()));
        let all = json!({"localityLbPolicy": "LEAST_REQUEST", "sessionAffinity": "GENERATED_COOKIE", "affinityCookieTtlSec": "600",
            "deregistrationDelay": 30, "holdTimeoutSec": "0.5", "trustedProxies": ["10.0.0.0/8"], "acceptProxyProtocol": true, "proxyHeader": "PROXY_V2",
            "outlierDetection": {"consecutiveErrors": 3, "baseEjectionTimeSec": "1.5"}});
        let expected = Treatment {
            choice: Some(Choice::LeastRequest),
            affinity: Some(Affinity::Cookie { name: "gennaker".into(), max_age: Some(600) }),
            drain_ms: Some(30_000),
            hold_ms: Some(500),
            trusted_proxies: vec!["10.0.0.0/8".into()],
            proxy_protocol: true,
            send_proxy: Some(2),
            ejection: Some(Ejection { failures: 3, for_ms: 1500 }),
        };
        assert_eq!(read(all), Some(expected.clone()));
        assert_eq!(read(Value::Object(written(&expected))), Some(expected));
        let by_header =
            Treatment { affinity: Some(Affinity::Header { name: "X-User".into() }), ..Treatment::default() };
        assert_eq!(read(Value::Object(written(&by_header))), Some(by_header));
        assert_eq!(written(&Treatment::default()), Map::new());
        for wrong in [
            json!({"sessionAffinity": "CLIENT_IP"}),
            json!({"sessionAffinity": "HEADER_FIELD"}),
            json!({"localityLbPolicy": "MAGLEV"}),
        ] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn a_group_takes_a_share_of_requests_or_of_clients() {
        let read = |value| share(&map(value)).ok();
        assert_eq!(read(json!({})), Some(None));
        assert_eq!(read(json!({"trafficPercentage": "5"})), Some(Some(Share { percentage: 5, clients: None })));
        let users = json!({"trafficPercentage": 10, "trafficClients": {"header": "X-User"}});
        let clients = Some(Affinity::Header { name: "X-User".into() });
        assert_eq!(read(users), Some(Some(Share { percentage: 10, clients })));
        assert_eq!(read(json!({"trafficPercentage": 101})), None);
        assert_eq!(read(json!({"trafficPercentage": 1, "trafficClients": {}})), None);
    }
}
