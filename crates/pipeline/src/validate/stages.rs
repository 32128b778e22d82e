//! The rules for stages: their type, the fields of that type, and what every stage may have.

use serde_json::Value;

use super::about::{About, list, text};
use super::finding::{At, Findings, Severity, shortened};
use super::shape::{Shape, is_open, misspelt, number, shown};
use super::words::nearest;
use crate::{Map, fields, window};

/// Checks all stages, each by its type.
pub(super) fn all(about: &About, at: &At, findings: &mut Findings) {
    let at = at.key("stages");
    match about.pipeline.get("stages") {
        None | Some(Value::Null) => {}
        Some(Value::Array(stages)) => {
            if stages.len() > crate::start::MOST_STAGES {
                let message = format!("has {} stages; {} are the most", stages.len(), crate::start::MOST_STAGES);
                findings.error(&at, message, "let parts of it be pipelines of their own");
            }
            let common = Value::from(fields::written(fields::COMMON));
            let mut rules = Rules { about, common: &common, schemas: std::collections::HashMap::new() };
            for (i, stage) in stages.iter().enumerate().take(crate::start::MOST_STAGES) {
                rules.stage(stage, &at.item(i), findings);
            }
        }
        Some(Value::String(text)) if is_open(text) => {}
        Some(other) => findings.error(&at, format!("must be a list of stages, not {}", shown(other)), ""),
    }
}

struct Rules<'a> {
    about: &'a About<'a>,
    common: &'a Value,
    /// Made once for each type.
    schemas: std::collections::HashMap<String, Option<Value>>,
}

/// What decides what becomes of a failure.
const FLAGS: [(&str, &str, &str); 3] = [
    ("failPipeline", "a failure ends the pipeline", "a failure ends this branch only"),
    ("continuePipeline", "a failure is ignored", "a failure is not ignored"),
    (
        "completeOtherBranchesThenFail",
        "the pipeline fails when its other branches have ended",
        "other branches do not matter",
    ),
];

impl<'a> Rules<'a> {
    fn stage(&mut self, stage: &Value, at: &At, findings: &mut Findings) {
        let stage = match stage {
            Value::Object(stage) => stage,
            Value::String(text) if is_open(text) => return,
            other => return findings.error(at, format!("a stage must be an object, not {}", shown(other)), ""),
        };
        let kind = match stage.get("type") {
            Some(Value::String(kind)) if is_open(kind) => None,
            Some(Value::String(kind)) if !kind.trim().is_empty() => Some(kind.as_str()),
            None | Some(Value::Null) if self.about.partial => None,
            None | Some(Value::Null | Value::String(_)) => {
                findings.error(&at.key("type"), "a stage needs a type", "docs/stages.md lists those that there are");
                None
            }
            Some(other) => {
                findings.error(&at.key("type"), format!("must be a text, not {}", shown(other)), "");
                None
            }
        };
        self.common(stage, at, findings);
        if let Some(kind) = kind {
            self.by_type(kind, stage, at, findings);
        }
    }

    fn by_type(&mut self, kind: &str, stage: &Map, at: &At, findings: &mut Findings) {
        let registry = self.about.registry;
        let alias = text(stage, "alias");
        let found =
            registry.stage_type(kind, alias).or_else(|| registry.stage_type(kind, None).filter(|_| alias.is_none()));
        if found.is_none() {
            unknown(self.about, alias.unwrap_or(kind), if alias.is_some() { "alias" } else { "type" }, at, findings);
        }
        let name = alias.unwrap_or(kind).to_owned();
        let severity = if found.is_some() { Severity::Error } else { Severity::Warning };
        let make = || match found {
            Some(one) => one.schema().map(Value::from),
            None => registry.foreign(&name).map(|foreign| Value::from(fields::written(foreign.fields))),
        };
        let schema = self.schemas.entry(name.clone()).or_insert_with(make);
        if let Some(schema) = schema {
            let shape = Shape::new(schema, severity);
            shape.members(stage, at, findings);
            let known: Vec<&str> = shape.fields().chain(Shape::new(self.common, severity).fields()).collect();
            misspelt(stage, &known, at, findings);
        }
        if let Some(one) = found {
            one.check(stage, self.about, at, findings);
        }
    }

    /// What every stage may have, whatever its type.
    fn common(&self, stage: &Map, at: &At, findings: &mut Findings) {
        let mut without = stage.clone();
        // A type that is missing has been told.
        without.entry("type").or_insert_with(|| Value::String("?".into()));
        if !without["type"].is_string() {
            without.insert("type".into(), Value::String("?".into()));
        }
        Shape::new(self.common, Severity::Error).members(&without, at, findings);
        failure(stage, at, findings);
        enabled(self.about, stage, at, findings);
        times(stage, at, findings);
        for problem in window::problems(stage) {
            let window = at.key("restrictedExecutionWindow");
            findings.put(problem.severity, format!("{window}{}", problem.path), problem.message, problem.help);
        }
        if let Some(length) = text(stage, "refId").map(str::len).filter(|length| *length > 256) {
            findings.error(&at.key("refId"), format!("is {length} characters long; 256 are the most"), "");
        }
        for (key, ids) in artifact_ids(stage) {
            for id in ids.into_iter().filter(|id| !is_open(id) && !id.is_empty() && !self.about.has_artifact(id)) {
                let message =
                    format!("no expected artifact of the pipeline or its stages has the id {}", shortened(id, 60));
                findings.warning(&at.key(key), message, "");
            }
        }
    }
}

/// Fields of a stage that name expected artifacts.
fn artifact_ids(stage: &Map) -> Vec<(&str, Vec<&str>)> {
    fn ids(value: &Value) -> Vec<&str> {
        match value {
            Value::String(id) => vec![id.as_str()],
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
    let named = stage.iter().filter(|(key, _)| key.ends_with("ArtifactId") || key.ends_with("ArtifactIds"));
    named.map(|(key, value)| (key.as_str(), ids(value))).collect()
}

/// A type that is not there: one of Spinnaker's, a slip of the fingers, or somebody's own.
fn unknown(about: &About, kind: &str, field: &str, at: &At, findings: &mut Findings) {
    let at = at.key(field);
    if let Some(foreign) = about.registry.foreign(kind) {
        let message = format!("this version does not run {kind} ({})", foreign.label);
        return findings.warning(&at, message, "it is stored and shown; when it runs it fails and says so");
    }
    if is_open(kind) {
        return;
    }
    let known = about.registry.kinds().into_iter().chain(about.registry.foreign_kinds());
    match nearest(kind, known) {
        Some(meant) => {
            let message = format!("there is no stage type {}", shortened(kind, 60));
            findings.error(&at, message, format!("did you mean {meant}?"));
        }
        None => {
            let message = format!("the stage type {} is not known here", shortened(kind, 60));
            findings.warning(
                &at,
                message,
                "it is stored and shown; unless it is configured here it fails when it runs",
            );
        }
    }
}

fn failure(stage: &Map, at: &At, findings: &mut Findings) {
    for (key, yes, no) in FLAGS {
        let Some(Value::String(word)) = stage.get(key) else { continue };
        let read = match word.trim().to_ascii_lowercase().as_str() {
            "true" => yes,
            "false" => no,
            _ => continue,
        };
        let message = format!(
            "{key} is a text, with which Spinnaker waits for ever; here \"{word}\" is read as {}: {read}",
            word.trim().to_lowercase()
        );
        findings.warning(&at.key(key), message, format!("write {} without quotes", word.trim().to_lowercase()));
    }
    let on = |key: &str| stage.get(key) == Some(&Value::Bool(true));
    if on("continuePipeline") && on("failPipeline") {
        let message = "both failPipeline and continuePipeline are true: the failure is ignored";
        findings.hint(&at.key("continuePipeline"), message, "take one of them away");
    }
}

fn enabled(about: &About, stage: &Map, at: &At, findings: &mut Findings) {
    let Some(enabled) = stage.get("stageEnabled").and_then(Value::as_object) else { return };
    let at = at.key("stageEnabled");
    if let Some(kind) = text(enabled, "type").filter(|kind| *kind != "expression") {
        let message = format!("\"{}\" is no type of condition, the stage runs always", shortened(kind, 40));
        findings.warning(&at.key("type"), message, "write expression");
    }
    if let Some(expression) = text(enabled, "expression") {
        about.expression(expression, &at.key("expression"), findings);
    }
}

/// Limits of time that can hardly be meant.
fn times(stage: &Map, at: &At, findings: &mut Findings) {
    let Some(limit) = stage.get("stageTimeoutMs").and_then(number) else { return };
    let at = at.key("stageTimeoutMs");
    if (0.0..1000.0).contains(&limit) {
        let message = format!("the stage may take {limit} ms and hardly will");
        findings.warning(&at, message, "stageTimeoutMs counts milliseconds");
    } else if limit > 366.0 * 86_400_000.0 {
        findings.warning(&at, "the stage may take more than a year", "stageTimeoutMs counts milliseconds");
    }
}

/// The names under `notifications`, of the pipeline and of its stages.
pub(super) fn notifications(about: &About, at: &At, findings: &mut Findings) {
    const PIPELINE: [&str; 3] = ["pipeline.starting", "pipeline.complete", "pipeline.failed"];
    const STAGE: [&str; 7] = [
        "stage.starting",
        "stage.complete",
        "stage.failed",
        "manualJudgment",
        "manualJudgmentContinue",
        "manualJudgmentStop",
        "awaiting_judgement",
    ];
    notify(about.pipeline, &PIPELINE, at, findings);
    for (i, stage) in super::about::stages(about.pipeline) {
        if let Some(stage) = stage.as_object() {
            notify(stage, &STAGE, &at.key("stages").item(i), findings);
        }
    }
}

const NOTIFICATION: &str = "
    type!: text, address: text|[text], cc: text, level: text, when: [text], message: object, publisherName: text, name: text,
    customSubject: text, customBody: text";

fn notify(of: &Map, events: &[&str], at: &At, findings: &mut Findings) {
    let at = at.key("notifications");
    match of.get("notifications") {
        None | Some(Value::Null) => return,
        Some(Value::Array(_)) => {}
        // A stage's is told by its shape.
        Some(_) if events[0].starts_with("stage") => return,
        Some(Value::String(text)) if is_open(text) => return,
        Some(other) => return findings.error(&at, format!("must be a list, not {}", shown(other)), ""),
    }
    let schema = Value::from(fields::written(NOTIFICATION));
    for (i, one) in list(of, "notifications") {
        let at = at.item(i);
        Shape::new(&schema, Severity::Warning).check(one, &at, findings);
        for (j, when) in one.as_object().into_iter().flat_map(|one| list(one, "when")) {
            let Some(when) = when.as_str().filter(|when| !events.contains(when) && !is_open(when)) else { continue };
            let help = match nearest(when, events.iter().copied()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("it is one of {}", events.join(", ")),
            };
            findings.warning(
                &at.key("when").item(j),
                format!("nothing happens that is called {}", shortened(when, 60)),
                help,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_notation_can_be_read() {
        assert_eq!(crate::fields::read(super::NOTIFICATION).map(drop), Ok(()));
    }
}
