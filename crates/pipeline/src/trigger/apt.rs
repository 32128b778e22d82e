//! `apt`: a package became visible in a publication. One event a generation, with the packages that are new in it.
//!
//! The event: `{id, root, repository, prefix, distribution, component, generation, packages: [{name, version,
//! architecture, sha256, component?, reference}]}`. A pipeline fires once, with the highest matching version.
//!
//! A mirror that was updated is an event of the same shape with `mirror`, and starts pipelines whose trigger names that mirror.

use std::cmp::Ordering;

use debian::version::compare;
use serde_json::{Value, json};

use super::{Matches, text};
use crate::Map;

/// The kind.
pub struct Apt;

impl Matches for Apt {
    fn kind(&self) -> &'static str {
        "apt"
    }

    fn fires(&self, config: &Map, event: &Value) -> Option<Map> {
        for key in ["root", "repository", "prefix", "distribution"] {
            let here = event.get(key);
            let fits = |want: &str| match here {
                Some(Value::String(have)) => have == want,
                Some(Value::Array(list)) => list.iter().any(|v| v.as_str() == Some(want)),
                // An event that does not say is no reason to stay silent.
                _ => true,
            };
            if !text(config, key).is_none_or(fits) {
                return None;
            }
        }
        if text(config, "mirror") != event.get("mirror").and_then(Value::as_str) {
            return None;
        }
        let packages = event.get("packages").and_then(Value::as_array)?;
        let best = packages
            .iter()
            .filter(|p| wanted(config, p))
            .max_by(|a, b| compare(field(a, "version"), field(b, "version")).then_with(|| prefer(a).cmp(&prefer(b))))?;
        Some(trigger(config, event, best))
    }
}

fn field<'a>(package: &'a Value, key: &str) -> &'a str {
    package.get(key).and_then(Value::as_str).unwrap_or("")
}

/// Among the same versions: `all`, then `amd64`, so that the number of architectures does not matter.
fn prefer(package: &Value) -> u8 {
    match field(package, "architecture") {
        "all" => 2,
        "amd64" => 1,
        _ => 0,
    }
}

fn wanted(config: &Map, package: &Value) -> bool {
    let component = field(package, "component");
    let in_component = text(config, "component").is_none_or(|c| component.is_empty() || c == component);
    let constraint = text(config, "version").or_else(|| text(config, "versionConstraint"));
    in_component
        && text(config, "package").is_none_or(|name| name == field(package, "name"))
        && text(config, "architecture").is_none_or(|a| a == field(package, "architecture"))
        && constraint.is_none_or(|c| holds(c, field(package, "version")))
}

/// Whether a version fits: `>= 1.0`, `<< 2.0`, `= 1.5`, `1.*`, several with commas between them.
pub fn holds(constraint: &str, version: &str) -> bool {
    constraint.split(',').map(str::trim).filter(|c| !c.is_empty()).all(|one| {
        let (sign, want) = match one.find(|c: char| !"<>=!".contains(c)) {
            Some(at) => (&one[..at], one[at..].trim()),
            None => return false,
        };
        let order = compare(version, want);
        match sign {
            "" if want.contains('*') => wildcard(want, version),
            "" | "=" | "==" => order == Ordering::Equal,
            "!=" => order != Ordering::Equal,
            ">=" => order != Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">" | ">>" => order == Ordering::Greater,
            "<" | "<<" => order == Ordering::Less,
            _ => false,
        }
    })
}

fn wildcard(pattern: &str, text: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The trigger of the execution: what bake takes the exact package from.
fn trigger(config: &Map, event: &Value, package: &Value) -> Map {
    let mut out = config.clone();
    for key in ["root", "prefix", "distribution", "generation", "repository"] {
        if let Some(value) = event.get(key) {
            out.insert(key.into(), value.clone());
        }
    }
    for key in ["version", "architecture", "sha256"] {
        out.insert(key.into(), json!(field(package, key)));
    }
    let name = field(package, "name");
    let component = match field(package, "component") {
        "" => event.get("component").cloned().unwrap_or(Value::Null),
        component => json!(component),
    };
    let reference = match field(package, "reference") {
        "" => format!("{name}_{}_{}", field(package, "version"), field(package, "architecture")),
        reference => reference.to_owned(),
    };
    out.insert("type".into(), json!("apt"));
    out.insert("user".into(), json!("apt"));
    out.insert("package".into(), json!(name));
    out.insert("component".into(), component);
    out.insert(
        "artifacts".into(),
        json!([{"type": "deb", "name": name, "version": field(package, "version"), "reference": reference}]),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: Value) -> Map {
        value.as_object().cloned().expect("an object")
    }
    fn event() -> Value {
        json!({
            "root": "/srv/aptly", "prefix": ".", "distribution": "stretch", "component": "main", "generation": 7,
            "packages": [
                {"name": "helloterry", "version": "1.9", "architecture": "all", "sha256": "aa"},
                {"name": "helloterry", "version": "1.10", "architecture": "amd64", "sha256": "bb"},
                {"name": "helloterry", "version": "1.10", "architecture": "all", "sha256": "cc"},
                {"name": "other", "version": "9", "architecture": "all", "sha256": "dd"},
            ],
        })
    }

    #[test]
    fn the_highest_version_wins_whatever_the_architectures() {
        let trigger = Apt.fires(&config(json!({"distribution": "stretch", "package": "helloterry"})), &event());
        let trigger = trigger.expect("it fires");
        assert_eq!((&trigger["version"], &trigger["sha256"]), (&json!("1.10"), &json!("cc")));
        assert_eq!(
            trigger["artifacts"],
            json!([{"type": "deb", "name": "helloterry", "version": "1.10", "reference": "helloterry_1.10_all"}])
        );
    }

    #[test]
    fn another_distribution_or_package_does_not_fire() {
        assert_eq!(Apt.fires(&config(json!({"distribution": "buster"})), &event()), None);
        assert_eq!(Apt.fires(&config(json!({"package": "nothing"})), &event()), None);
    }

    #[test]
    fn versions_fit_their_constraint_in_debians_order() {
        let check = |constraint: &str, version: &str, expect: bool| {
            assert_eq!(holds(constraint, version), expect, "{version} {constraint}");
        };
        check(">= 1.0", "1.0", true);
        check(">= 1.0", "1.0~rc1", false);
        check(">> 1.9, << 2", "1.10", true);
        check("<< 2", "1:0.1", false);
        check("= 2.0", "2.0", true);
        check("1.*", "1.10", true);
        check("1.*", "2.1", false);
        check("nonsense>", "1", false);
    }
}
