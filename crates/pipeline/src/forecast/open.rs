//! What is not known yet, and when it will be.

use std::collections::{BTreeSet, HashMap};

use expr::{Mention, Template};
use serde_json::Value;

use super::Unknown;
use crate::Map;
use crate::validate::At;

/// What is known of a stage that has been walked.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Whether its outputs are all there.
    pub settled: bool,
    pub context: Map,
    pub outputs: Map,
    pub judgment: bool,
}

/// What a stage's expressions may ask of.
pub(super) struct Sight<'a> {
    /// All stages that have been walked, by name.
    pub walked: &'a HashMap<String, Known>,
    /// The names of those that end before this one.
    pub ancestors: &'a [String],
    /// The stage's own configuration.
    pub own: &'a Map,
    /// The trigger.
    pub trigger: &'a Map,
}

const URLS: [&str; 4] = ["fromUrl", "jsonFromUrl", "yamlFromUrl", "propertiesFromUrl"];
const SERVER: [&str; 5] =
    ["pipelineId", "pipelineIdOrNull", "pipelineIdInApplication", "applicationMetadata", "canaryConfigNameToId"];
/// Names that have a meaning of their own.
const DERIVED: [&str; 7] =
    ["execution", "trigger", "parameters", "scmInfo", "buildInfo", "templateVariables", "deployedServerGroups"];
/// What a stage that ended well says of itself, whatever it has done.
const PLAIN: [&str; 7] = ["status", "name", "type", "refId", "hasSucceeded", "hasFailed", "requisiteStageRefIds"];

impl Sight<'_> {
    /// Whether only a run can tell what a text comes to.
    pub(super) fn is_open(&self, text: &str) -> bool {
        Template::parse(text).is_ok_and(|t| t.mentions().iter().any(|m| self.reason_of(m).is_some()))
    }

    /// When it will be known what a text comes to.
    pub(super) fn reason(&self, text: &str) -> String {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(failure) => return format!("it cannot be read: column {}: {}", failure.column + 1, failure.message),
        };
        let all: BTreeSet<String> =
            template.mentions().iter().filter_map(|m| self.reason_of(m).or_else(|| self.absent(m))).collect();
        if all.is_empty() { "it comes to nothing".into() } else { all.into_iter().collect::<Vec<_>>().join("; ") }
    }

    fn reason_of(&self, mention: &Mention) -> Option<String> {
        let Some((function, args)) = &mention.call else { return self.name(mention) };
        let first = args.first().cloned().flatten();
        match function.as_str() {
            "stage" | "judgment" | "judgement" => {
                let name = first?;
                let Some(stage) = self.walked.get(&name) else {
                    return Some(format!("no stage '{name}' runs before it"));
                };
                let asked: Vec<&str> = mention.path.iter().map(String::as_str).collect();
                let there = match asked.as_slice() {
                    _ if function.starts_with("judg") => stage.context.contains_key("judgmentInput"),
                    [] => true,
                    [plain, ..] if PLAIN.contains(plain) => true,
                    ["context", key, ..] => stage.settled || stage.context.contains_key(*key),
                    ["outputs", key, ..] => stage.settled || stage.outputs.contains_key(*key),
                    _ => stage.settled,
                };
                let when = || match stage.judgment {
                    true => format!("known when a person has answered '{name}'"),
                    false => format!("known when stage '{name}' has run"),
                };
                (!there).then(when)
            }
            "deployedServerGroups" | "manifestLabelValue" => {
                Some("known when the deployments before it have run".into())
            }
            name if URLS.contains(&name) => Some("read from its address when the stage starts".into()),
            name if SERVER.contains(&name) => Some("looked up on the server when the stage starts".into()),
            _ => None,
        }
    }

    fn name(&self, mention: &Mention) -> Option<String> {
        let name = mention.path.first()?;
        if name == "deployedServerGroups" {
            return Some("known when the deployments before it have run".into());
        }
        if DERIVED.contains(&name.as_str()) || self.own.contains_key(name) {
            return None;
        }
        let before = || self.ancestors.iter().filter_map(|name| Some((name, self.walked.get(name)?)));
        if before().any(|(_, stage)| stage.outputs.contains_key(name)) {
            return None;
        }
        let open: Vec<String> =
            before().filter(|(_, stage)| !stage.settled).map(|(name, _)| format!("'{name}'")).collect();
        match open.len() {
            0 => None,
            1 => Some(format!("{name} may come from stage {}, when it has run", open[0])),
            _ => Some(format!("{name} may come from a stage before it, when that has run: {}", open.join(", "))),
        }
    }

    /// What is not there although nothing is awaited.
    fn absent(&self, mention: &Mention) -> Option<String> {
        let name = mention.path.first()?;
        match name.as_str() {
            "parameters" => {
                let parameter = mention.path.get(1)?;
                let given = self.trigger.get("parameters").and_then(|p| p.get(parameter));
                given
                    .is_none_or(Value::is_null)
                    .then(|| format!("the parameter {parameter} is given when it is started"))
            }
            "trigger" => Some("known from what triggers it".into()),
            "execution" => Some("known when it has started".into()),
            "buildInfo" | "scmInfo" => Some("known from the build that triggers it".into()),
            "templateVariables" => Some("known when the pipeline is made of its template".into()),
            _ if mention.call.is_none() && !self.own.contains_key(name) => {
                Some(format!("nothing before it is called {name}"))
            }
            _ => None,
        }
    }

    /// Puts back what only a run can tell.
    pub(super) fn hide(&self, raw: &Value, evaluated: &mut Value) {
        match (raw, evaluated) {
            (Value::String(text), evaluated) if Template::is_in(text) && self.is_open(text) => {
                *evaluated = raw.clone();
            }
            (Value::Array(raw), Value::Array(evaluated)) => {
                raw.iter().zip(evaluated).for_each(|(raw, evaluated)| self.hide(raw, evaluated));
            }
            (Value::Object(raw), Value::Object(evaluated)) => {
                for (key, raw) in raw {
                    if let Some(evaluated) = evaluated.get_mut(key) {
                        self.hide(raw, evaluated);
                    }
                }
            }
            _ => {}
        }
    }

    /// The texts of a value that are still expressions.
    pub(super) fn unknown(&self, value: &Value, at: &At, found: &mut Vec<Unknown>) {
        match value {
            Value::String(text) if Template::is_in(text) => {
                found.push(Unknown { path: at.to_string(), expression: text.clone(), reason: self.reason(text) })
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, item)| self.unknown(item, &at.item(i), found));
            }
            Value::Object(members) => members.iter().for_each(|(key, item)| self.unknown(item, &at.key(key), found)),
            _ => {}
        }
    }
}

/// Whether a value holds a text that is still an expression.
pub(super) fn holds_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => Template::is_in(text),
        Value::Array(items) => items.iter().any(holds_expression),
        Value::Object(members) => members.values().any(holds_expression),
        _ => false,
    }
}
