//! The rules for what a pipeline declares: parameters and expected artifacts.

use std::collections::HashMap;

use serde_json::Value;

use super::about::{About, list, text};
use super::finding::{At, Findings, Severity, shortened};
use super::shape::{Shape, is_open, number, shown};
use super::{nearest, triggers};
use crate::{Map, fields};

const PARAMETER: &str = "
    name!: text, label: text, description: text, default: any, required: flag, hasOptions: flag, options: [{value: any}|text|number|flag],
    pinned: flag, constraint: text, condition: {parameter!: text, comparator: <|>|<=|>=|=|==|!=, comparatorValue: text|number|flag}";

/// Checks `parameterConfig`.
pub(super) fn parameters(about: &About, at: &At, findings: &mut Findings) {
    let at = at.key("parameterConfig");
    if !is_list(about.pipeline.get("parameterConfig"), &at, findings) {
        return;
    }
    let schema = Value::from(fields::written(PARAMETER));
    let mut first: HashMap<&str, usize> = HashMap::new();
    let names: Vec<&str> =
        list(about.pipeline, "parameterConfig").filter_map(|(_, p)| p.get("name")?.as_str()).collect();
    for (i, one) in list(about.pipeline, "parameterConfig") {
        let at = at.item(i);
        Shape::new(&schema, Severity::Error).check(one, &at, findings);
        let Some(one) = one.as_object() else { continue };
        if let Some(name) = text(one, "name") {
            match first.get(name) {
                Some(other) => {
                    let message = format!("parameterConfig[{other}] is called {}, too", shortened(name, 60));
                    findings.error(&at.key("name"), message, "give one of them another name");
                }
                None => _ = first.insert(name, i),
            }
        }
        options(one, &at, findings);
        let asked = one.get("condition").and_then(|c| c.get("parameter")).and_then(Value::as_str);
        if let Some(asked) = asked.filter(|asked| !asked.is_empty() && !names.contains(asked) && !is_open(asked)) {
            let at = at.key("condition");
            let help = nearest(asked, names.iter().copied()).map(|meant| format!("did you mean {meant}?"));
            let message = format!("there is no parameter {}", shortened(asked, 60));
            findings.error(&at.key("parameter"), message, help.unwrap_or_default());
        }
    }
}

fn options(one: &Map, at: &At, findings: &mut Findings) {
    let flag = |key: &str| one.get(key).is_some_and(|v| *v == Value::Bool(true) || v.as_str() == Some("true"));
    if !flag("hasOptions") {
        return;
    }
    let plain = |value: &Value| match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    };
    let values: Vec<String> = list(one, "options").map(|(_, o)| plain(o.get("value").unwrap_or(o))).collect();
    if values.is_empty() {
        return findings.warning(&at.key("options"), "hasOptions is true and there are none", "");
    }
    let default = one.get("default").filter(|d| !d.is_null()).map(plain).unwrap_or_default();
    if !default.is_empty() && !is_open(&default) && !values.contains(&default) {
        let help = format!("the options are {}", shortened(&values.join(", "), 200));
        findings.warning(&at.key("default"), format!("\"{}\" is not among the options", shortened(&default, 60)), help);
    }
}

fn is_list(value: Option<&Value>, at: &At, findings: &mut Findings) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Array(_)) => true,
        Some(Value::String(text)) if is_open(text) => false,
        Some(other) => {
            findings.error(at, format!("must be a list, not {}", shown(other)), "");
            false
        }
    }
}

const ARTIFACT: &str = "
    type: text, customKind: flag, kind: text, name: text, version: any, location: any, reference: any, metadata: object, artifactAccount: text,
    provenance: any, uuid: any, id: text";

/// Checks `expectedArtifacts`, of the pipeline and of its stages.
pub(super) fn artifacts(about: &About, at: &At, findings: &mut Findings) {
    expected(about.pipeline, at, findings);
    for (i, stage) in super::about::stages(about.pipeline) {
        if let Some(stage) = stage.as_object() {
            expected(stage, &at.key("stages").item(i), findings);
        }
    }
}

fn expected(of: &Map, at: &At, findings: &mut Findings) {
    let at = at.key("expectedArtifacts");
    if !is_list(of.get("expectedArtifacts"), &at, findings) {
        return;
    }
    let notation = format!(
        "id: text, displayName: text, matchArtifact: {{{ARTIFACT}}}, usePriorArtifact: flag, usePriorExecution: flag,
         useDefaultArtifact: flag, defaultArtifact: {{{ARTIFACT}}}, boundArtifact: {{{ARTIFACT}}}"
    );
    let schema = Value::from(fields::written(&notation));
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (i, one) in list(of, "expectedArtifacts") {
        let at = at.item(i);
        Shape::new(&schema, Severity::Error).check(one, &at, findings);
        let Some(one) = one.as_object() else { continue };
        match text(one, "id") {
            None => findings.warning(&at.key("id"), "an expected artifact without an id cannot be asked for", ""),
            Some(id) => match first.get(id) {
                Some(other) => {
                    let message = format!("expectedArtifacts[{other}] has the id {}, too", shortened(id, 60));
                    findings.error(&at.key("id"), message, "each needs its own");
                }
                None => _ = first.insert(id, i),
            },
        }
        let on = one.get("useDefaultArtifact") == Some(&Value::Bool(true));
        if on && one.get("defaultArtifact").is_none_or(Value::is_null) {
            let message = "useDefaultArtifact is true and there is no defaultArtifact";
            findings.error(&at.key("defaultArtifact"), message, "");
        }
        let Some(wanted) = one.get("matchArtifact").and_then(Value::as_object) else { continue };
        for field in ["type", "name", "version", "location", "reference"] {
            // A name that is no pattern is compared as it is.
            if let Some(pattern) = text(wanted, field) {
                triggers::regex(pattern, Severity::Warning, &at.key("matchArtifact").key(field), findings);
            }
        }
    }
}

/// What a pipeline itself has.
const PIPELINE: &str = "
    id: text, name: text, application: text, type: text, schema: text|number, config: object, triggers: any, index: number, createTs: text|number,
    updateTs: text|number, lastModified: text|number, lastModifiedBy: text, email: text, disabled: flag, template: object, roles: [text],
    serviceAccount: text, executionEngine: text, stageCounter: number, stages: any, constraints: any, payloadConstraints: any,
    keepWaitingPipelines: flag, limitConcurrent: flag, maxConcurrentExecutions: count, parameterConfig: any, spelEvaluator: text,
    expectedArtifacts: any, notifications: any, description: text, respectQuietPeriod: flag, tags: list, locked: object|flag,
    manualStartAlert: object, source: any, appConfig: object, strategy: flag, exclude: [text], variables: any, isNew: flag,
    startTimeExpiry: number, templateVariables: object, parallel: flag, origin: text, trigger: object, user: text, version: any, parameters: any";

/// Checks the fields of the pipeline itself.
pub(super) fn pipeline(about: &About, at: &At, findings: &mut Findings) {
    let schema = Value::from(fields::written(PIPELINE));
    let shape = Shape::new(&schema, Severity::Error);
    shape.members(about.pipeline, at, findings);
    super::shape::misspelt(about.pipeline, &shape.fields().collect::<Vec<_>>(), at, findings);
    for field in ["name", "application"] {
        if text(about.pipeline, field).is_none() {
            findings.hint(&at.key(field), format!("{field} is not set"), "it is needed when the pipeline is saved");
        }
    }
    if let Some(application) = text(about.pipeline, "application") {
        about.application_exists(application, &at.key("application"), findings);
    }
    if let Some(evaluator) = text(about.pipeline, "spelEvaluator").filter(|e| !["v3", "v4"].contains(e) && !is_open(e))
    {
        let message = format!("\"{}\" is no evaluator of expressions", shortened(evaluator, 40));
        findings.warning(&at.key("spelEvaluator"), message, "v3 (as soon as possible) or v4 (when a stage starts)");
    }
    let limited = about.pipeline.get("limitConcurrent") == Some(&Value::Bool(true));
    let most = about.pipeline.get("maxConcurrentExecutions").and_then(number).unwrap_or(0.0);
    if limited && most > 1.0 {
        let message = "limitConcurrent is true: one execution at a time, whatever this says";
        findings.hint(&at.key("maxConcurrentExecutions"), message, "");
    }
    if !about.partial && about.pipeline.get("stages").is_none_or(|s| s.as_array().is_some_and(Vec::is_empty)) {
        findings.warning(&at.key("stages"), "the pipeline has no stages: it does nothing", "");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_notations_can_be_read() {
        for notation in [super::PARAMETER, super::ARTIFACT, super::PIPELINE] {
            assert_eq!(crate::fields::read(notation).map(drop), Ok(()), "{notation}");
        }
    }
}
