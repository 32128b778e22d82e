//! What the rules know while they look at one pipeline: its stages, parameters, artifacts, and what a server has saved.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::expressions;
use super::finding::{At, Findings, Severity};
use crate::{Map, Registry};

/// What a server has saved; a check without one does not ask.
#[derive(Debug, Clone, Default)]
pub struct Saved {
    /// Pipelines: `id`, `name`, `application` of each.
    pub pipelines: Vec<Map>,
    /// The names of the applications.
    pub applications: Vec<String>,
    /// The names of the accounts.
    pub accounts: Vec<String>,
}

impl Saved {
    /// A pipeline by its id.
    pub fn pipeline(&self, id: &str) -> Option<&Map> {
        self.pipelines.iter().find(|p| text(p, "id") == Some(id))
    }

    /// Whether there is an application of this name.
    pub fn has_application(&self, name: &str) -> bool {
        self.applications.iter().any(|a| a.eq_ignore_ascii_case(name))
    }
}

/// One pipeline, as the rules see it.
pub struct About<'a> {
    /// The stage types.
    pub registry: &'a Registry,
    /// The whole pipeline.
    pub pipeline: &'a Map,
    /// What a server has saved, when it was asked.
    pub saved: Option<&'a Saved>,
    /// Whether parts of it come from elsewhere (a template, a call of dinghy), so that what is missing may yet come.
    pub partial: bool,
    /// The variables of the template that it belongs to.
    pub variables: Option<HashSet<&'a str>>,
    stages: HashMap<&'a str, &'a str>,
    inside: HashSet<String>,
    parameters: Option<HashSet<&'a str>>,
    artifacts: HashSet<&'a str>,
}

pub(super) fn text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str).map(str::trim).filter(|s| !s.is_empty())
}

pub(super) fn list<'a>(map: &'a Map, key: &str) -> impl Iterator<Item = (usize, &'a Value)> + use<'a> {
    map.get(key).and_then(Value::as_array).into_iter().flatten().enumerate()
}

/// The stages that are looked at: more of them cannot be saved.
pub(super) fn stages(of: &Map) -> impl Iterator<Item = (usize, &Value)> {
    list(of, "stages").take(crate::start::MOST_STAGES)
}

impl<'a> About<'a> {
    /// Gathers what there is in a pipeline.
    pub fn new(pipeline: &'a Map, registry: &'a Registry, saved: Option<&'a Saved>) -> About<'a> {
        let stages: Vec<&Map> = list(pipeline, "stages").filter_map(|(_, s)| s.as_object()).collect();
        let names = stages.iter().filter_map(|s| {
            let kind = text(s, "type").unwrap_or("");
            Some((text(s, "name").or(text(s, "type"))?, kind))
        });
        let inside = stages.iter().flat_map(|s| {
            let kind = registry.stage_type(text(s, "type").unwrap_or(""), text(s, "alias"));
            kind.map(|kind| kind.names_inside(s)).unwrap_or_default()
        });
        let inside = inside.collect();
        let expected = list(pipeline, "expectedArtifacts").map(|(_, a)| a);
        let produced = stages.iter().flat_map(|s| {
            let single = s.get("expectedArtifact").into_iter();
            list(s, "expectedArtifacts").map(|(_, a)| a).chain(single)
        });
        let ids = expected.chain(produced).filter_map(|a| a.get("id").and_then(Value::as_str));
        let declared = list(pipeline, "parameterConfig").filter_map(|(_, p)| p.get("name").and_then(Value::as_str));
        let strategy = pipeline.get("strategy") == Some(&Value::Bool(true));
        let templated = pipeline.get("template").is_some_and(|t| t.as_object().is_some_and(|t| !t.is_empty()));
        About {
            registry,
            pipeline,
            saved,
            partial: templated,
            variables: None,
            stages: names.collect(),
            inside,
            // A strategy is handed its parameters by the deployment.
            parameters: (!strategy).then(|| declared.collect()),
            artifacts: ids.collect(),
        }
    }

    /// How bad it is when something is not there that another part may yet bring.
    pub fn absent(&self) -> Severity {
        if self.partial { Severity::Warning } else { Severity::Error }
    }

    /// The type of the stage of this name.
    pub fn stage_named(&self, name: &str) -> Option<&'a str> {
        self.stages.get(name).copied()
    }

    /// Whether one of its stages will plan one of this name inside itself.
    pub fn plans_inside(&self, name: &str) -> bool {
        self.inside.contains(name)
    }

    /// The names of its stages.
    pub fn stage_names(&self) -> impl Iterator<Item = &'a str> {
        self.stages.keys().copied()
    }

    /// Its parameters; none when they are not declared in it.
    pub fn parameters(&self) -> Option<&HashSet<&'a str>> {
        self.parameters.as_ref().filter(|_| !self.partial)
    }

    /// Whether it has an expected artifact of this id.
    pub fn has_artifact(&self, id: &str) -> bool {
        self.artifacts.contains(id)
    }

    /// Checks a text that is an expression as a whole, without `${ }`.
    pub fn expression(&self, text: &str, at: &At, findings: &mut Findings) {
        expressions::bare(self, text, at, findings);
    }

    /// Checks that a server has a pipeline of this id; without a server nothing is said.
    pub fn pipeline_exists(&self, id: &str, at: &At, findings: &mut Findings) {
        if let Some(saved) = self.saved
            && !super::is_open(id)
            && saved.pipeline(id).is_none()
        {
            let named = saved.pipelines.iter().find(|p| text(p, "name") == Some(id));
            let help = match named.and_then(|p| text(p, "id")) {
                Some(id) => format!("this is a name; the id of that pipeline is {id}"),
                None => "its id stands in `gennaker pipeline list`".to_owned(),
            };
            findings.error(at, format!("the server has no pipeline with the id {id}"), help);
        }
    }

    /// Checks that a server has an application of this name; without a server nothing is said.
    pub fn application_exists(&self, name: &str, at: &At, findings: &mut Findings) {
        if let Some(saved) = self.saved
            && !super::is_open(name)
            && !saved.has_application(name)
        {
            let help = super::nearest(name, saved.applications.iter().map(String::as_str));
            let help = help.map(|meant| format!("did you mean {meant}?")).unwrap_or_default();
            findings.warning(at, format!("the server has no application {name}"), help);
        }
    }

    /// Checks that a server has an account of this name; without a server nothing is said.
    pub fn account_exists(&self, name: &str, at: &At, findings: &mut Findings) {
        if let Some(saved) = self.saved
            && !super::is_open(name)
            && !saved.accounts.iter().any(|a| a == name)
        {
            let help = format!("it has {}", saved.accounts.join(", "));
            findings.error(at, format!("the server has no account {name}"), help);
        }
    }
}
