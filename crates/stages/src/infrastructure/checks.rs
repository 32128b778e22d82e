//! What is looked at in stages over clouds before they run: accounts, names, strategies, capacities.

use pipeline::Map;
use pipeline::validate::{About, At, Findings, Severity, is_open, nearest};
use serde_json::Value;

use super::strategy::Strategy;
use super::wishes;

/// The strategies by name, those that are not there yet included.
const STRATEGIES: [&str; 10] = [
    "none",
    "redblack",
    "highlander",
    "rollingredblack",
    "rolling",
    "canary",
    "monitored",
    "cfrollingredblack",
    "rollingpush",
    "custom",
];

/// Whether the server has the account that a stage names.
pub(crate) fn account(config: &Map, about: &About, at: &At, findings: &mut Findings) {
    for key in ["credentials", "account"] {
        if let Some(name) = wishes::text(config, &[key]) {
            about.account_exists(name, &at.key(key), findings);
        }
    }
}

/// A cluster that is deployed into.
pub(crate) fn cluster(config: &Map, about: &About, at: &At, findings: &mut Findings) {
    account(config, about, at, findings);
    let open = |key: &str| wishes::text(config, &[key]).is_some_and(is_open);
    if let Some(name) = wishes::text(config, &["strategy"]).filter(|name| !is_open(name)) {
        let small = name.to_ascii_lowercase();
        if let Err(why) = Strategy::read(name) {
            findings.warning(&at.key("strategy"), why, "the stage fails when it runs");
        } else if !STRATEGIES.contains(&small.as_str()) {
            let help = nearest(&small, STRATEGIES).map(|meant| format!("did you mean {meant}?"));
            findings.warning(
                &at.key("strategy"),
                format!("\"{name}\" is no strategy and counts as none"),
                help.unwrap_or_default(),
            );
        }
    }
    let application = wishes::text(about.pipeline, &["application"]).unwrap_or("app").to_owned();
    let fields = ["application", "stack", "freeFormDetails"];
    if !fields.iter().any(|key| open(key)) && !is_open(&application) {
        let moniker = config.contains_key("moniker");
        if let Err(pipeline::TaskResult::Failed { error }) = wishes::cluster_of(config, &application)
            && !moniker
        {
            // Other clouds have other rules for names.
            let local = wishes::text(config, &["cloudProvider", "provider"]).is_none_or(|name| name == "local");
            let severity = if local { Severity::Error } else { Severity::Warning };
            findings.add(
                severity,
                &at.key("stack"),
                error.errors.join("; "),
                "letters, digits, . and _; details may have - as well",
            );
        }
    }
    capacity(config, at, findings);
}

fn capacity(config: &Map, at: &At, findings: &mut Findings) {
    let Some(capacity) = config.get("capacity").and_then(Value::as_object) else { return };
    let number = |key: &str| wishes::number(capacity, key);
    if let (Some(min), Some(desired), Some(max)) = (number("min"), number("desired"), number("max"))
        && !(min <= desired && desired <= max)
    {
        let message = format!("min {min}, desired {desired}, max {max} do not ascend");
        findings.warning(&at.key("capacity"), message, "desired lies between min and max");
    }
}
