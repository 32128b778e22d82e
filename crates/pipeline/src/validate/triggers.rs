//! The rules for triggers: what each type needs, patterns that can be read, artifacts that are there.

use regex::Regex;
use serde_json::Value;

use super::about::{About, list, text};
use super::finding::{At, Findings, Severity, shortened};
use super::shape::{Shape, is_open, misspelt, shown};
use super::words::nearest;
use crate::trigger::cron::{self, Quartz};
use crate::{Map, fields, json_path, trigger};

/// What a type of trigger has, and which of its fields are regular expressions.
struct Kind {
    name: &'static str,
    fields: &'static str,
    patterns: &'static [&'static str],
}

const COMMON: &str = "
    type: text, enabled: flag, id: text, description: text, expectedArtifactIds: list, payloadConstraints: object,
    attributeConstraints: object, runAsUser: text, link: text, linkText: text, status: any, user: text, rebake: flag, dryRun: flag,
    notifications: list, parameters: object, payload: any, artifacts: list, inheritFrom: text, application: text, source: text";

const KINDS: [Kind; 20] = [
    Kind { name: "manual", fields: "", patterns: &[] },
    Kind { name: "cron", fields: "cronExpression!: text, timeZone: text, timezone: text, action: text", patterns: &[] },
    Kind { name: "pipeline", fields: "application: text, pipeline!: text, status: [successful|failed|canceled|suspended]", patterns: &[] },
    Kind { name: "webhook", fields: "source!: text, secret: text, customHeaders: object", patterns: &[] },
    Kind {
        name: "git",
        fields: "source!: text, project!: text, slug!: text, branch: text, secret: text, events: [text], hash: text, action: text",
        patterns: &["branch"],
    },
    Kind {
        name: "apt",
        fields: "root: text, prefix: text, distribution: text, component: text, package: text, version: text, versionConstraint: text,
                 architecture: text, repository: text, mirror: text",
        patterns: &[],
    },
    Kind { name: "jenkins", fields: BUILD, patterns: &[] },
    Kind { name: "travis", fields: BUILD, patterns: &[] },
    Kind { name: "wercker", fields: BUILD, patterns: &[] },
    Kind { name: "gitlab-ci", fields: BUILD, patterns: &[] },
    Kind { name: "concourse", fields: "master!: text, team!: text, project!: text, jobName: text, job: text, propertyFile: text", patterns: &[] },
    Kind {
        name: "docker",
        fields: "account!: text, organization: text, registry: text, repository!: text, tag: text",
        patterns: &["tag"],
    },
    Kind { name: "helm", fields: "account!: text, chart!: text, version: text", patterns: &[] },
    Kind { name: "helm/oci", fields: "account: text, chart: text, version: text", patterns: &[] },
    Kind { name: "pubsub", fields: "pubsubSystem!: text, subscriptionName/subscription!: text", patterns: &[] },
    Kind { name: "artifactory", fields: "artifactorySearchName!: text", patterns: &[] },
    Kind { name: "nexus", fields: "nexusSearchName!: text", patterns: &[] },
    Kind { name: "plugin", fields: "pluginEventType: text, pluginId: text", patterns: &[] },
    Kind { name: "cdevents", fields: "source: text, cdEventsType: text", patterns: &[] },
    Kind { name: "stash", fields: "source: text, project: text, slug: text, branch: text", patterns: &["branch"] },
];

const BUILD: &str = "master!: text, job!: text, propertyFile: text, project: text, buildNumber: any";

/// Checks all triggers.
pub(super) fn all(about: &About, at: &At, findings: &mut Findings) {
    let at = at.key("triggers");
    match about.pipeline.get("triggers") {
        None | Some(Value::Null) => return,
        Some(Value::Array(_)) => {}
        Some(Value::String(text)) if is_open(text) => return,
        Some(other) => return findings.error(&at, format!("must be a list of triggers, not {}", shown(other)), ""),
    }
    for (i, one) in list(about.pipeline, "triggers") {
        match one {
            Value::Object(one) => trigger(about, one, &at.item(i), findings),
            Value::String(text) if is_open(text) => {}
            other => findings.error(&at.item(i), format!("a trigger must be an object, not {}", shown(other)), ""),
        }
    }
}

fn trigger(about: &About, one: &Map, at: &At, findings: &mut Findings) {
    let Some(name) = text(one, "type") else {
        return findings.error(
            &at.key("type"),
            "a trigger needs a type",
            "manual, cron, pipeline, webhook, git, apt, …",
        );
    };
    if is_open(name) {
        return;
    }
    let fired = trigger::all().iter().any(|kind| kind.kind() == name);
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        let known = KINDS.iter().map(|kind| kind.name);
        return match nearest(name, known) {
            Some(meant) => {
                let message = format!("there is no type of trigger called {}", shortened(name, 60));
                findings.error(&at.key("type"), message, format!("did you mean {meant}?"));
            }
            None => {
                let message = format!("the type of trigger {} is not known here", shortened(name, 60));
                findings.warning(&at.key("type"), message, "it is stored and shown, and starts nothing");
            }
        };
    };
    if !fired {
        let message = format!("this version starts nothing on {name}");
        findings.warning(&at.key("type"), message, "the trigger is stored and shown");
    }
    let off = one.get("enabled") == Some(&Value::Bool(false));
    // What is switched off, or starts nothing here, does no harm.
    let severity = if fired && !off { Severity::Error } else { Severity::Warning };
    let schema = Value::from(fields::written(kind.fields));
    Shape::new(&schema, severity).members(one, at, findings);
    let common = Value::from(fields::written(COMMON));
    Shape::new(&common, severity).members(one, at, findings);
    let known: Vec<&str> =
        Shape::new(&schema, severity).fields().chain(Shape::new(&common, severity).fields()).collect();
    misspelt(one, &known, at, findings);
    for field in kind.patterns {
        if let Some(pattern) = text(one, field) {
            regex(pattern, severity, &at.key(field), findings);
        }
    }
    constraints(one, severity, at, findings);
    artifacts(about, one, at, findings);
    match name {
        "cron" => time(one, severity, at, findings),
        "pipeline" => of_pipeline(about, one, at, findings),
        "apt" => apt(one, severity, at, findings),
        _ => {}
    }
}

/// Values of `payloadConstraints` and `attributeConstraints` are regular expressions.
fn constraints(one: &Map, severity: Severity, at: &At, findings: &mut Findings) {
    for field in ["payloadConstraints", "attributeConstraints"] {
        let at = at.key(field);
        for (key, pattern) in one.get(field).and_then(Value::as_object).into_iter().flatten() {
            if key.starts_with('$')
                && let Err(error) = json_path::check(key)
            {
                findings.add(severity, &at.key(key), format!("the key is no JSONPath: {error}"), "");
            }
            match pattern {
                Value::String(pattern) => regex(pattern, severity, &at.key(key), findings),
                Value::Number(_) | Value::Bool(_) | Value::Null => {}
                other => findings.add(
                    severity,
                    &at.key(key),
                    format!("must be a regular expression, not {}", shown(other)),
                    "",
                ),
            }
        }
    }
}

/// Checks a regular expression.
pub(super) fn regex(pattern: &str, severity: Severity, at: &At, findings: &mut Findings) {
    if is_open(pattern) || pattern.len() > 10_000 {
        return;
    }
    let Err(error) = Regex::new(pattern) else { return };
    let text = error.to_string();
    // The last line says what; those before it draw the place.
    let what = text.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
    let (pattern, message) = (shortened(pattern, 60), format!("is no regular expression: {what}"));
    if what.contains("look-around") || what.contains("backreference") {
        return findings.warning(
            at,
            format!("\"{pattern}\" {message}"),
            "patterns here take linear time: say it without looking ahead or back",
        );
    }
    findings.add(
        severity,
        at,
        format!("\"{pattern}\" {message}"),
        "a character with a meaning of its own is written with \\ before it",
    );
}

/// `expectedArtifactIds`: ids, or whole artifacts.
fn artifacts(about: &About, one: &Map, at: &At, findings: &mut Findings) {
    let at = at.key("expectedArtifactIds");
    for (i, id) in list(one, "expectedArtifactIds") {
        let id = id.as_str().or_else(|| id.get("id").and_then(Value::as_str));
        let Some(id) = id.filter(|id| !is_open(id)) else { continue };
        if !about.has_artifact(id) {
            let message = format!("the pipeline expects no artifact with the id {}", shortened(id, 60));
            findings.add(
                about.absent(),
                &at.item(i),
                message,
                "the trigger would never find it: look at expectedArtifacts",
            );
        }
    }
}

fn time(one: &Map, severity: Severity, at: &At, findings: &mut Findings) {
    if let Some(text) = text(one, "cronExpression").filter(|text| !is_open(text))
        && let Err(error) = Quartz::parse(text)
    {
        let message = format!("\"{}\" is no time: {error}", shortened(text, 60));
        let help = "second minute hour day-of-month month day-of-week, as in 0 30 8 ? * MON-FRI";
        findings.add(severity, &at.key("cronExpression"), message, help);
    }
    for key in ["timeZone", "timezone"] {
        if let Some(Err(error)) = text(one, key).filter(|zone| !is_open(zone)).map(cron::zone_of) {
            findings.add(severity, &at.key(key), error.to_string(), "");
        }
    }
}

fn of_pipeline(about: &About, one: &Map, at: &At, findings: &mut Findings) {
    let Some(id) = text(one, "pipeline") else { return };
    if text(about.pipeline, "id") == Some(id) {
        let message = "the pipeline starts itself when it ends: it would run for ever";
        return findings.error(&at.key("pipeline"), message, "name the pipeline that this one shall follow");
    }
    about.pipeline_exists(id, &at.key("pipeline"), findings);
    if let Some(application) = text(one, "application") {
        about.application_exists(application, &at.key("application"), findings);
    }
    if one.get("status").is_none_or(|s| s.is_null() || s.as_array().is_some_and(Vec::is_empty)) {
        findings.warning(&at.key("status"), "no end is named: the trigger never fires", "successful, failed, canceled");
    }
}

fn apt(one: &Map, severity: Severity, at: &At, findings: &mut Findings) {
    for key in ["version", "versionConstraint"] {
        let Some(text) = text(one, key).filter(|text| !is_open(text)) else { continue };
        for part in text.split(',').map(str::trim) {
            let sign: String = part.chars().take_while(|c| "<>=!".contains(*c)).collect();
            let signs = ["", "=", "==", "!=", ">=", "<=", ">", ">>", "<", "<<"];
            if !signs.contains(&sign.as_str()) || part.len() == sign.len() {
                let message = format!("\"{}\" is no constraint on a version", shortened(part, 60));
                findings.add(severity, &at.key(key), message, "as in >= 1.0, << 2.0 or 1.*");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_notations_can_be_read() {
        for kind in super::KINDS.iter().map(|kind| kind.fields).chain([super::COMMON]) {
            assert_eq!(crate::fields::read(kind).map(drop), Ok(()), "{kind}");
        }
    }
}
