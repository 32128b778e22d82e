//! Tasks of firewall stages: their operations, from pipeline JSON in the spellings of the clouds.

use cloud::Operation;
use cloud::inventory::Protocol;
use cloud::operation::{Allowed, NamedAt, UpsertFirewall};
use pipeline::{Map, TaskInput, TaskResult};
use serde_json::Value;

use super::operate::Job;
use super::wishes::{self, text, texts};

/// Every port.
const ALL_PORTS: (u16, u16) = (1, u16::MAX);

/// The operations of `upsertSecurityGroup`.
pub(crate) fn upsert(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let context = wishes::context(input);
    let name = name(&context)?;
    let allowed = rules(&context)?;
    let account = wishes::account(&context)?;
    let one = |region: String| {
        let operation = UpsertFirewall {
            name: name.clone(),
            region,
            application: text(&context, &["application"]).unwrap_or(&input.execution.application).to_owned(),
            description: text(&context, &["description"]).unwrap_or_default().to_owned(),
            allowed: allowed.clone(),
        };
        Job { account: account.clone(), operation: Operation::UpsertFirewall(operation), group: None }
    };
    Ok(wishes::regions(&context).into_iter().map(one).collect())
}

/// The operations of `deleteSecurityGroup`.
pub(crate) fn delete(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let context = wishes::context(input);
    let (name, account) = (name(&context)?, wishes::account(&context)?);
    let one = |region: String| {
        let operation = Operation::DeleteFirewall(NamedAt { name: name.clone(), region });
        Job { account: account.clone(), operation, group: None }
    };
    Ok(wishes::regions(&context).into_iter().map(one).collect())
}

fn name(context: &Map) -> Result<String, TaskResult> {
    let name = text(context, &["securityGroupName", "name", "firewallName"]);
    name.map(str::to_owned).ok_or_else(|| TaskResult::failed("names no firewall: give `securityGroupName`"))
}

/// What comes in: Google's `sourceRanges` with `allowed`, or Amazon's `ipIngress`. Without any of it nothing does.
fn rules(context: &Map) -> Result<Vec<Allowed>, TaskResult> {
    let list =
        |key: &str| context.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    if list("securityGroupIngress").next().is_some() {
        return Err(TaskResult::failed(
            "rules that name other firewalls are not available: give `ipIngress` with networks",
        ));
    }
    let mut found = Vec::new();
    let from = texts(context.get("sourceRanges"));
    for rule in list("allowed") {
        let protocols = protocols(text(rule, &["ipProtocol"]).unwrap_or("tcp"))?;
        let ranges = texts(rule.get("portRanges"));
        let ranges: Vec<_> = ranges.iter().map(|range| ports(range)).collect::<Result<_, _>>()?;
        for ports in if ranges.is_empty() { vec![ALL_PORTS] } else { ranges } {
            found.extend(protocols.iter().map(|protocol| Allowed { protocol: *protocol, ports, from: from.clone() }));
        }
    }
    for rule in list("ipIngress") {
        let network =
            text(rule, &["cidr"]).ok_or_else(|| TaskResult::failed("a rule of `ipIngress` without `cidr`"))?;
        let first = rule.get("startPort").filter(|port| !port.is_null());
        let ports = match (first, rule.get("endPort").filter(|port| !port.is_null())) {
            (Some(first), Some(last)) => ports(&format!("{}-{}", plain(first), plain(last)))?,
            (Some(first), None) => ports(&plain(first))?,
            // An end alone says too little to let anybody in by.
            (None, Some(_)) => {
                return Err(TaskResult::failed("a rule of `ipIngress` with `endPort` and no `startPort`"));
            }
            (None, None) => ALL_PORTS,
        };
        let protocols = protocols(text(rule, &["type"]).unwrap_or("tcp"))?;
        let from = vec![network.to_owned()];
        found.extend(protocols.iter().map(|protocol| Allowed { protocol: *protocol, ports, from: from.clone() }));
    }
    Ok(found)
}

fn protocols(text: &str) -> Result<&'static [Protocol], TaskResult> {
    match text.to_ascii_lowercase().as_str() {
        "tcp" => Ok(&[Protocol::Tcp]),
        "udp" => Ok(&[Protocol::Udp]),
        "all" | "-1" => Ok(&[Protocol::Tcp, Protocol::Udp]),
        "http" => Ok(&[Protocol::Http]),
        _ => Err(TaskResult::failed(format!("a rule for protocol \"{text}\" is not available: give tcp, udp or all"))),
    }
}

/// A number or a text, as a text.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `80`, or `8000-8080`.
fn ports(text: &str) -> Result<(u16, u16), TaskResult> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let wrong = || TaskResult::failed(format!("`{text}` is no range of ports: give 80 or 8000-8080"));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_are_read_in_the_spellings_of_google_and_amazon() {
        let read = |value: Value| rules(value.as_object().unwrap()).ok();
        let rule = |ports, from: &str| Allowed { protocol: Protocol::Tcp, ports, from: vec![from.into()] };
        let google = json!({"sourceRanges": ["10.0.0.0/8"], "allowed": [{"ipProtocol": "tcp", "portRanges": ["80", "8000-8080"]}]});
        assert_eq!(read(google), Some(vec![rule((80, 80), "10.0.0.0/8"), rule((8000, 8080), "10.0.0.0/8")]));
        let amazon = json!({"ipIngress": [{"cidr": "192.0.2.7/32", "startPort": 443, "endPort": 443, "type": "tcp"}]});
        assert_eq!(read(amazon), Some(vec![rule((443, 443), "192.0.2.7/32")]));
        let as_text = json!({"ipIngress": [{"cidr": "192.0.2.7/32", "startPort": "80"}]});
        assert_eq!(read(as_text), Some(vec![rule((80, 80), "192.0.2.7/32")]));
        assert_eq!(read(json!({"ipIngress": [{"cidr": "192.0.2.7/32"}]})), Some(vec![rule(ALL_PORTS, "192.0.2.7/32")]));
        let of = |protocol| Allowed { protocol, ports: (53, 53), from: vec!["10.0.0.0/8".into()] };
        let by =
            |word| json!({"sourceRanges": ["10.0.0.0/8"], "allowed": [{"ipProtocol": word, "portRanges": ["53"]}]});
        assert_eq!(read(by("udp")), Some(vec![of(Protocol::Udp)]));
        assert_eq!(read(by("all")), Some(vec![of(Protocol::Tcp), of(Protocol::Udp)]));
        assert_eq!(read(json!({})), Some(vec![]), "nothing comes in");
        for wrong in [
            json!({"allowed": [{"portRanges": ["90-80"]}]}),
            json!({"ipIngress": [{"startPort": 1}]}),
            json!({"ipIngress": [{"cidr": "10.0.0.0/8", "startPort": 70000, "endPort": 70001}]}),
            json!({"ipIngress": [{"cidr": "10.0.0.0/8", "startPort": "http"}]}),
            json!({"ipIngress": [{"cidr": "10.0.0.0/8", "startPort": 90, "endPort": 80}]}),
            json!({"ipIngress": [{"cidr": "10.0.0.0/8", "endPort": 80}]}),
            json!({"allowed": [{"ipProtocol": "icmp"}]}),
            json!({"securityGroupIngress": [{"name": "other"}]}),
        ] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }
}
