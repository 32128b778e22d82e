//! The rules for templates of version 2, and for pipelines that are made of them.

use std::collections::HashSet;

use serde_json::Value;

use super::about::{About, Saved, list, text};
use super::finding::{At, Findings, Severity, shortened};
use super::nearest;
use super::shape::{Shape, is_open, shown};
use crate::{Map, Registry, fields};

const TEMPLATE: &str = "
    schema!: text, id!: text, metadata: {name: text, description: text, owner: text, scopes: [text]}, protect: flag, variables: [object],
    pipeline!: object, tag: any, source: text";

const VARIABLE: &str = "
    name!: text, description: text, type: int|integer|string|list|object|float|boolean|bool, defaultValue: any, example: any, nullable: flag,
    merge: flag, remove: flag, group: text";

/// Checks a template.
pub(super) fn template(template: &Map, registry: &Registry, saved: Option<&Saved>, findings: &mut Findings) {
    let at = At::Root;
    let schema = Value::from(fields::written(TEMPLATE));
    Shape::new(&schema, Severity::Error).members(template, &at, findings);
    let variables = at.key("variables");
    let schema = Value::from(fields::written(VARIABLE));
    let mut names: HashSet<&str> = HashSet::new();
    for (i, one) in list(template, "variables") {
        let here = variables.item(i);
        Shape::new(&schema, Severity::Error).check(one, &here, findings);
        let Some(one) = one.as_object() else { continue };
        if let Some(name) = text(one, "name")
            && !names.insert(name)
        {
            findings.error(&here.key("name"), format!("another variable is called {}, too", shortened(name, 60)), "");
        }
        default(one, &here, findings);
    }
    if let Some(Value::Object(pipeline)) = template.get("pipeline") {
        // Name and application come from the pipeline that is made of it.
        let mut whole = pipeline.clone();
        for key in ["name", "application"] {
            whole.entry(key).or_insert_with(|| Value::String("${templateVariables}".into()));
        }
        let mut about = About::new(&whole, registry, saved);
        about.variables = Some(names);
        super::rules(&about, &at.key("pipeline"), findings);
    }
}

/// Whether a variable's default has the variable's type.
fn default(one: &Map, at: &At, findings: &mut Findings) {
    let (Some(kind), Some(value)) = (text(one, "type"), one.get("defaultValue").filter(|v| !v.is_null())) else {
        return;
    };
    let schema = match kind {
        "int" | "integer" => "v: whole",
        "float" => "v: number",
        "boolean" | "bool" => "v: flag",
        "list" => "v: list",
        "object" => "v: object",
        "string" => "v: text",
        _ => return,
    };
    let schema = Value::from(fields::written(schema));
    let Some(of) = schema.pointer("/properties/v") else { return };
    Shape::new(of, Severity::Error).check(value, &at.key("defaultValue"), findings);
}

/// Checks what a pipeline says about its template.
pub(super) fn reference(about: &About, at: &At, findings: &mut Findings) {
    let Some(template) = about.pipeline.get("template").and_then(Value::as_object).filter(|t| !t.is_empty()) else {
        return;
    };
    let here = at.key("template");
    let place = text(template, "reference").or_else(|| text(template, "source"));
    match place {
        None => {
            findings.error(&here.key("reference"), "the template is not named", "spinnaker://ID, of a saved template")
        }
        Some(place) if !place.contains("://") && !is_open(place) => {
            let message = format!("\"{}\" names no template", shortened(place, 60));
            findings.error(&here.key("reference"), message, "spinnaker://ID, of a saved template");
        }
        Some(_) => {}
    }
    let parts = ["triggers", "parameters", "notifications", "expectedArtifacts", "concurrent"];
    for (i, one) in list(about.pipeline, "exclude") {
        let Some(one) = one.as_str().filter(|one| !parts.contains(one) && !is_open(one)) else { continue };
        let help = nearest(one, parts).map(|meant| format!("did you mean {meant}?"));
        let message = format!("a template has no {}", shortened(one, 60));
        findings.warning(&at.key("exclude").item(i), message, help.unwrap_or_default());
    }
    match about.pipeline.get("variables") {
        None | Some(Value::Null | Value::Object(_)) => {}
        Some(Value::String(text)) if is_open(text) => {}
        Some(other) => findings.error(&at.key("variables"), format!("must be an object, not {}", shown(other)), ""),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_notations_can_be_read() {
        for notation in [super::TEMPLATE, super::VARIABLE] {
            assert_eq!(crate::fields::read(notation).map(drop), Ok(()), "{notation}");
        }
    }
}
