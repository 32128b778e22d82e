//! Looks at pipelines that do not run: everything that will be refused, will fail, or is hardly meant, each with its JSON path.
//!
//! Pure: a text or a value in, findings out. It never stops at the first finding and is bounded in depth, stages and findings. What the
//! single stage types know of their fields they say themselves (`Stage::schema`, `Stage::check`).

mod about;
mod declared;
mod expressions;
mod finding;
pub mod graph;
mod read;
pub mod shape;
mod stages;
mod templates;
mod triggers;
mod words;

use serde_json::Value;

use crate::{Map, Registry};

pub use about::{About, Saved};
pub use finding::{At, Finding, Findings, Severity};
pub use read::{Document, document};
pub use shape::is_open;
pub use words::nearest;

/// What a text or value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One pipeline.
    Pipeline,
    /// A list of pipelines.
    Pipelines,
    /// `{application, pipelines: […]}`, as dinghy reads it.
    Dinghyfile,
    /// A template of version 2.
    Template,
    /// A pipeline that is made of a template of version 2.
    Templated,
    /// A template of version 1, or what is made of one.
    OldTemplate,
    /// `{pipeline: {stages: …}}`: a pipeline with something around it.
    Wrapped,
    /// A run of a pipeline.
    Execution,
    /// Nothing of all this.
    Unknown,
}

/// What a value is.
pub fn form(value: &Value) -> Form {
    let map = match value {
        Value::Array(_) => return Form::Pipelines,
        Value::Object(map) => map,
        _ => return Form::Unknown,
    };
    let has = |key: &str| map.get(key).is_some_and(|v| !v.is_null());
    let is = |key: &str, kind: fn(&Value) -> bool| map.get(key).is_some_and(kind);
    let schema = map.get("schema").map(|s| s.as_str().map_or_else(|| s.to_string(), str::to_owned)).unwrap_or_default();
    if is("pipelines", Value::is_array) && !has("stages") {
        return Form::Dinghyfile;
    }
    if schema == "v2" {
        let template = is("pipeline", Value::is_object) && !has("template");
        return if template { Form::Template } else { Form::Templated };
    }
    let old_template = has("id") && has("metadata") && (has("variables") || has("stages") || has("source"));
    let old_config =
        is("pipeline", |p| p.get("template").is_some() || p.get("application").is_some() && p.get("stages").is_none());
    let dependent = |s: &Value| s.get("dependsOn").is_some() && s.get("id").is_some();
    let old_stages = map.get("stages").and_then(Value::as_array).is_some_and(|list| list.iter().any(dependent));
    if schema == "1" && (old_template || old_config || old_stages || has("modules") || has("partials")) {
        return Form::OldTemplate;
    }
    if is("template", |t| t.as_object().is_some_and(|t| !t.is_empty())) {
        return Form::Templated;
    }
    let ran = |s: &Value| s.get("status").is_some() && (s.get("context").is_some() || s.get("tasks").is_some());
    let runs = map.get("stages").and_then(Value::as_array).is_some_and(|list| list.iter().any(ran));
    let kept = map
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|t| ["PIPELINE", "ORCHESTRATION"].contains(&t.to_uppercase().as_str()));
    if (has("status") && runs)
        || (has("buildTime") && has("status"))
        || (kept && (has("status") || has("buildTime") || runs))
    {
        return Form::Execution;
    }
    let known =
        ["stages", "triggers", "name", "application", "parameterConfig", "id", "notifications", "expectedArtifacts"];
    if map.is_empty() || known.iter().any(|key| map.contains_key(*key)) {
        return Form::Pipeline;
    }
    if is("pipeline", Value::is_object) { Form::Wrapped } else { Form::Unknown }
}

/// Checks a text: its JSON, and what it describes.
pub fn text(text: &str, registry: &Registry, saved: Option<&Saved>) -> (Document, Vec<Finding>) {
    let mut findings = Findings::default();
    let document = document(text, &mut findings);
    whole(&document.value, registry, saved, &mut findings);
    (document, findings.done())
}

/// Checks a value.
pub fn value(value: &Value, registry: &Registry, saved: Option<&Saved>) -> Vec<Finding> {
    let mut findings = Findings::default();
    whole(value, registry, saved, &mut findings);
    findings.done()
}

fn whole(value: &Value, registry: &Registry, saved: Option<&Saved>, findings: &mut Findings) {
    let root = At::Root;
    if value.is_null() {
        // That nothing could be read has been told.
        return findings.none_yet(|f| {
            f.error(&root, "there is no pipeline here", "a pipeline is a JSON object: {\"stages\": […]}")
        });
    }
    match (form(value), value) {
        (Form::Pipelines, Value::Array(list)) => each(list, &root, registry, saved, findings),
        (Form::Dinghyfile, Value::Object(file)) => {
            let list = file.get("pipelines").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
            each(list, &root.key("pipelines"), registry, saved, findings);
        }
        (Form::Template, Value::Object(template)) => templates::template(template, registry, saved, findings),
        (Form::OldTemplate, _) => {
            let message = "this is a template of version 1, or a configuration for one: it is not checked";
            findings.warning(&root, message, "templates of version 1 belong to a later version");
        }
        (Form::Execution, value) => run(value, findings),
        (Form::Wrapped, Value::Object(map)) => {
            let inner = map.get("pipeline").and_then(Value::as_object);
            inner.into_iter().for_each(|inner| one(inner, &root.key("pipeline"), registry, saved, findings));
        }
        (Form::Pipeline | Form::Templated, Value::Object(map)) => one(map, &root, registry, saved, findings),
        (_, other) => {
            let what = if other.is_object() {
                "it has neither stages nor a template".to_owned()
            } else {
                format!("it is {}", shape::shown(other))
            };
            findings.error(
                &root,
                format!("this is no pipeline: {what}"),
                "a pipeline is a JSON object: {\"stages\": […]}",
            );
        }
    }
}

/// A run of a pipeline: whether it can be read is all that is looked at.
fn run(value: &Value, findings: &mut Findings) {
    let root = At::Root;
    match serde_json::from_value::<crate::Execution>(crate::lenient::without_nulls(value)) {
        Ok(run) => {
            let message =
                format!("this is a run of a pipeline ({} stages, {}): it is not checked", run.stages.len(), run.status);
            findings.warning(&root, message, "`gennaker expression evaluate --execution FILE` looks into it");
        }
        Err(error) => findings.error(&root, format!("this run of a pipeline cannot be read: {error}"), ""),
    }
}

fn each(list: &[Value], at: &At, registry: &Registry, saved: Option<&Saved>, findings: &mut Findings) {
    if list.is_empty() {
        findings.warning(at, "the list is empty", "");
    }
    for (i, item) in list.iter().enumerate() {
        let at = at.item(i);
        match (form(item), item) {
            (Form::OldTemplate, _) => {
                findings.warning(&at, "this is a template of version 1: it is not checked", "");
            }
            (_, Value::Object(map)) => one(map, &at, registry, saved, findings),
            (_, Value::String(text)) if is_open(text) => {}
            (_, other) => findings.error(&at, format!("a pipeline must be an object, not {}", shape::shown(other)), ""),
        }
    }
}

/// Checks one pipeline.
fn one(pipeline: &Map, at: &At, registry: &Registry, saved: Option<&Saved>, findings: &mut Findings) {
    let mut about = About::new(pipeline, registry, saved);
    let rendered = |key: &str| {
        let list = pipeline.get(key).and_then(Value::as_array);
        list.into_iter().flatten().any(|s| s.as_str().is_some_and(is_open))
    };
    about.partial |= ["stages", "parameterConfig", "expectedArtifacts"].iter().any(|key| rendered(key));
    if about.pipeline.get("template").is_some_and(Value::is_object) {
        templates::reference(&about, at, findings);
    }
    rules(&about, at, findings);
}

/// All rules, for a pipeline or for what a template makes one of.
fn rules(about: &About, at: &At, findings: &mut Findings) {
    declared::pipeline(about, at, findings);
    graph::all(about, at, findings);
    stages::all(about, at, findings);
    triggers::all(about, at, findings);
    declared::parameters(about, at, findings);
    declared::artifacts(about, at, findings);
    stages::notifications(about, at, findings);
    saving(about, at, findings);
    for (key, value) in about.pipeline {
        // The last run's trigger and the template's own texts are no part of what runs.
        if !["trigger", "source", "appConfig", "description", "template"].contains(&key.as_str()) {
            expressions::all(about, value, &at.key(key), findings);
        }
    }
}

/// What saving refuses, and no other rule has found.
fn saving(about: &About, at: &At, findings: &mut Findings) {
    let Err(crate::start::StartError::Malformed { path, what }) = crate::start::check(about.pipeline) else { return };
    let inside = path.trim_start_matches('$');
    // A name may come when it is saved; what comes from a template cannot be looked at.
    let bearable = [".name", ".application"].contains(&inside) || about.partial;
    let path = format!("{at}{inside}");
    if !bearable && !findings.has_error_at(&path) {
        findings.put(Severity::Error, path, what, "it is refused when it is saved");
    }
}

#[cfg(test)]
mod tests;
