//! The trigger, twice: `trigger` is an object with defaults, `execution.trigger` has only the fields of its kind.

use std::rc::Rc;

use expr::{Failure, Key, List, Map, Members, Text, Thing, Value};
use serde_json::Value as Json;

use super::{Execution, Fixed, Outcome, no_elements, no_members, object_of, or, plain};

/// What every trigger has.
const COMMON: [&str; 11] = [
    "type",
    "correlationId",
    "user",
    "parameters",
    "artifacts",
    "notifications",
    "rebake",
    "dryRun",
    "strategy",
    "resolvedExpectedArtifacts",
    "other",
];

/// The further fields of a kind of trigger.
fn fields(kind: &str) -> &'static [&'static str] {
    match kind {
        "jenkins" => &["master", "job", "buildNumber", "propertyFile", "properties", "buildInfo"],
        "travis" | "wercker" => &["master", "job", "buildNumber", "propertyFile", "properties", "buildInfo"],
        "concourse" => &["buildInfo", "properties", "team", "pipeline", "job"],
        "docker" => &["account", "repository", "tag"],
        "git" => &["source", "project", "branch", "slug", "hash", "action", "content", "properties"],
        "pipeline" => &["parentExecution", "parentPipelineStageId", "isPipeline"],
        "artifactory" => &["artifactorySearchName"],
        "nexus" => &["nexusSearchName"],
        "helm" => &["account", "chart", "version", "digest"],
        "plugin" => &[
            "pluginId",
            "description",
            "provider",
            "version",
            "releaseDate",
            "requires",
            "parsedRequires",
            "binaryUrl",
            "sha512sum",
            "preferred",
            "lastModified",
        ],
        _ => &[],
    }
}

/// The trigger as an object: what was sent and the defaults; members that are null do not exist, however deep.
pub(super) fn object<'a>(json: Option<&'a Json>) -> Value<'a> {
    let mut members = Members::default();
    let key = |name: &'a str| Key::Text(Text::Lent(name));
    if let Some(sent) = object_of(json) {
        for (name, value) in sent.iter().filter(|(_, value)| !value.is_null()) {
            let value = match name.as_str() {
                "artifacts" => each(Some(value), artifact_object),
                "resolvedExpectedArtifacts" => each(Some(value), expected_object),
                "buildInfo" => {
                    with_defaults(value, &[("artifacts", no_elements), ("scm", no_elements), ("building", not)])
                }
                _ => Value::lent(value, true),
            };
            members.insert(key(name), value);
        }
    }
    let defaults = [
        ("type", Value::text("none")),
        ("user", Value::text("[anonymous]")),
        ("parameters", no_members()),
        ("artifacts", no_elements()),
        ("notifications", no_elements()),
        ("rebake", Value::Bool(false)),
        ("dryRun", Value::Bool(false)),
        ("strategy", Value::Bool(false)),
        ("resolvedExpectedArtifacts", no_elements()),
    ];
    for (name, default) in defaults {
        members.entry(key(name)).or_insert(default);
    }
    let kind = json.and_then(|json| json.get("type")).and_then(Json::as_str).unwrap_or_default();
    if matches!(kind, "jenkins" | "concourse" | "wercker" | "travis") {
        members.entry(key("properties")).or_insert_with(no_members);
    }
    Value::Map(Map::made(members))
}

fn not<'a>() -> Value<'a> {
    Value::Bool(false)
}

/// A member that is there even when it was not sent.
type Missing<'a> = (&'static str, fn() -> Value<'a>);

/// An object with members that it has even when they were not sent; null members gone.
fn with_defaults<'a>(json: &'a Json, defaults: &[Missing<'a>]) -> Value<'a> {
    let Some(sent) = json.as_object() else { return Value::lent(json, true) };
    let sent = sent.iter().filter(|(_, value)| !value.is_null());
    let mut members: Members =
        sent.map(|(name, value)| (Key::Text(Text::Lent(name)), Value::lent(value, true))).collect();
    for (name, default) in defaults {
        members.entry(Key::Text(Text::Lent(name))).or_insert_with(default);
    }
    Value::Map(Map::made(members))
}

fn artifact_object<'a>(json: &'a Json) -> Value<'a> {
    with_defaults(json, &[("customKind", not), ("metadata", no_members)])
}

fn expected_object<'a>(json: &'a Json) -> Value<'a> {
    let whole = with_defaults(json, &[("usePriorArtifact", not), ("useDefaultArtifact", not)]);
    let Value::Map(members) = &whole else { return whole };
    let inner = |name: &str| matches!(name, "matchArtifact" | "defaultArtifact" | "boundArtifact");
    let members = members.iter().map(|(key, value)| match json.get(key.name()) {
        Some(artifact) if inner(&key.name()) => (key, artifact_object(artifact)),
        _ => (key, value),
    });
    Value::Map(Map::made(members.collect()))
}

/// The trigger as a thing.
pub(super) fn typed<'a>(json: Option<&'a Json>) -> Value<'a> {
    match json {
        Some(json @ Json::Object(_)) => Value::Thing(Rc::new(Trigger(json))),
        _ => Value::Null,
    }
}

struct Trigger<'a>(&'a Json);

impl<'a> Trigger<'a> {
    fn kind(&self) -> &'a str {
        self.0.get("type").and_then(Json::as_str).unwrap_or("none")
    }

    /// What was sent beyond the fields of its kind.
    fn other(&self) -> Value<'a> {
        let known = fields(self.kind());
        let sent = object_of(Some(self.0)).into_iter().flatten();
        let rest = sent.filter(|(name, _)| !COMMON.contains(&name.as_str()) && !known.contains(&name.as_str()));
        Value::Map(Map::made(rest.map(|(name, value)| (Key::Text(Text::Lent(name)), Value::of(value))).collect()))
    }
}

impl<'a> Thing<'a> for Trigger<'a> {
    fn what(&self) -> String {
        format!("a trigger of type {}", self.kind())
    }

    fn property(&self, name: &str) -> Option<Outcome<'a>> {
        let json = self.0;
        if !COMMON.contains(&name) && !fields(self.kind()).contains(&name) {
            return None;
        }
        Some(Ok(match name {
            "user" => or(json, name, Value::text("[anonymous]")),
            "parameters" => or(json, name, no_members()),
            "notifications" => or(json, name, no_elements()),
            "rebake" | "dryRun" | "strategy" => or(json, name, Value::Bool(false)),
            "artifacts" => each(json.get(name), artifact),
            "resolvedExpectedArtifacts" => each(json.get(name), |json| Value::Thing(Rc::new(Expected(json)))),
            "other" => self.other(),
            "properties" => or(json, name, no_members()),
            "buildInfo" => match json.get(name) {
                Some(json @ Json::Object(_)) => Value::Thing(Rc::new(Build(json))),
                _ => Value::Null,
            },
            "parentExecution" => match json.get(name) {
                Some(json @ Json::Object(_)) => Value::Thing(Execution::new(json)),
                _ => Value::Null,
            },
            _ => plain(json, name),
        }))
    }

    fn json(&self) -> Result<Json, Failure> {
        result(&object(Some(self.0)))
    }

    fn identity(&self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

fn each<'a>(json: Option<&'a Json>, of: impl Fn(&'a Json) -> Value<'a>) -> Value<'a> {
    let items = json.and_then(Json::as_array);
    Value::List(items.map_or_else(|| List::Made(Rc::default()), |items| items.iter().map(of).collect()))
}

/// A value as a result.
fn result(value: &Value) -> Result<Json, Failure> {
    expr::to_json(value, expr::Reader::Result, &expr::Budget::default())
}

/// An artifact as a thing.
pub(in crate::evaluate) fn artifact<'a>(json: &'a Json) -> Value<'a> {
    if json.is_null() { Value::Null } else { Value::Thing(Rc::new(Artifact(json))) }
}

struct Artifact<'a>(&'a Json);

impl<'a> Thing<'a> for Artifact<'a> {
    fn what(&self) -> String {
        "an artifact".to_owned()
    }

    fn property(&self, name: &str) -> Option<Outcome<'a>> {
        Some(Ok(match name {
            "customKind" => or(self.0, name, Value::Bool(false)),
            "metadata" => or(self.0, name, no_members()),
            "type" | "name" | "version" | "location" | "reference" | "artifactAccount" | "provenance" | "uuid" => {
                plain(self.0, name)
            }
            _ => return None,
        }))
    }

    fn method(&self, name: &str, args: &[Value<'a>]) -> Option<Outcome<'a>> {
        match (name, args) {
            ("getMetadata", [Value::Text(key)]) => {
                Some(Ok(self.0.get("metadata").map_or(Value::Null, |metadata| plain(metadata, key))))
            }
            _ => None,
        }
    }

    fn json(&self) -> Result<Json, Failure> {
        result(&artifact_object(self.0))
    }

    fn identity(&self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

/// An artifact that was expected, and what it was bound to.
struct Expected<'a>(&'a Json);

impl<'a> Thing<'a> for Expected<'a> {
    fn what(&self) -> String {
        "an expected artifact".to_owned()
    }

    fn property(&self, name: &str) -> Option<Outcome<'a>> {
        Some(Ok(match name {
            "matchArtifact" | "defaultArtifact" | "boundArtifact" => self.0.get(name).map_or(Value::Null, artifact),
            "usePriorArtifact" | "useDefaultArtifact" => or(self.0, name, Value::Bool(false)),
            "id" => plain(self.0, name),
            _ => return None,
        }))
    }

    fn json(&self) -> Result<Json, Failure> {
        result(&expected_object(self.0))
    }

    fn identity(&self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

/// What a build server told about a build.
struct Build<'a>(&'a Json);

impl<'a> Thing<'a> for Build<'a> {
    fn what(&self) -> String {
        "a build".to_owned()
    }

    fn property(&self, name: &str) -> Option<Outcome<'a>> {
        Some(Ok(match name {
            "scm" => each(self.0.get(name), |json| match json {
                Json::Object(members) => Value::Thing(Rc::new(SourceControl(Map::Lent { members, sparse: false }))),
                other => Value::of(other),
            }),
            "artifacts" => each(self.0.get(name), |json| {
                Value::Thing(Rc::new(Fixed {
                    what: "an artifact of a build",
                    json,
                    names: &["fileName", "relativePath", "displayPath"],
                }))
            }),
            "building" => or(self.0, name, Value::Bool(false)),
            "name" | "number" | "url" | "result" | "fullDisplayName" | "timestamp" | "duration" => plain(self.0, name),
            _ => return None,
        }))
    }

    fn json(&self) -> Result<Json, Failure> {
        Ok(self.0.clone())
    }

    fn identity(&self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

/// A commit that a build was made of.
pub(in crate::evaluate) struct SourceControl<'a>(pub(in crate::evaluate) Map<'a>);

impl<'a> Thing<'a> for SourceControl<'a> {
    fn what(&self) -> String {
        "a commit of a build".to_owned()
    }

    fn property(&self, name: &str) -> Option<Outcome<'a>> {
        matches!(name, "name" | "branch" | "sha1" | "message" | "committer" | "timestamp" | "compareUrl")
            .then(|| Ok(self.0.get(name).unwrap_or(Value::Null)))
    }

    fn json(&self) -> Result<Json, Failure> {
        result(&Value::Map(self.0.clone()))
    }

    fn identity(&self) -> usize {
        match &self.0 {
            Map::Lent { members, .. } => std::ptr::from_ref(*members).addr(),
            _ => 0,
        }
    }
}
