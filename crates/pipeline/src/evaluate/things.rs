//! Typed things: an execution, its stages, and what has a fixed set of properties. Looked at where they lie in the execution's JSON.

use std::rc::Rc;
use std::sync::LazyLock;

use expr::{Failure, Further, List, Map, Members, Text, Thing, Value};
use serde_json::{Map as Object, Value as Json};

mod stage;
mod trigger;

pub(super) use stage::Stage;
pub(super) use trigger::{SourceControl, artifact};

type Outcome<'a> = Result<Value<'a>, Failure>;

/// An execution.
pub(super) struct Execution<'a> {
    json: &'a Json,
    stages: Vec<&'a Json>,
}

impl<'a> Execution<'a> {
    pub(super) fn new(json: &'a Json) -> Rc<Execution<'a>> {
        let stages =
            json.get("stages").and_then(Json::as_array).map_or_else(Vec::new, |stages| stages.iter().collect());
        Rc::new(Execution { json, stages })
    }

    pub(super) fn json(&self) -> &'a Json {
        self.json
    }

    /// All stages, synthetic ones too.
    pub(super) fn stages(self: &Rc<Self>) -> impl Iterator<Item = Stage<'a>> + use<'a> {
        let execution = self.clone();
        (0..self.stages.len()).map(move |at| Stage { execution: execution.clone(), json: execution.stages[at] })
    }

    pub(super) fn stage_by_ref(self: &Rc<Self>, reference: &str) -> Option<Stage<'a>> {
        self.stages().find(|stage| stage.text("refId") == Some(reference))
    }

    /// `trigger` as an object: the request's fields and defaults, null members gone.
    pub(super) fn trigger_object(&self) -> Value<'a> {
        trigger::object(self.json.get("trigger"))
    }
}

/// A property that is what the JSON says, or null.
fn plain<'a>(json: &'a Json, name: &str) -> Value<'a> {
    json.get(name).map_or(Value::Null, Value::of)
}

/// A property that is never null.
fn or<'a>(json: &'a Json, name: &str, default: Value<'a>) -> Value<'a> {
    match plain(json, name) {
        Value::Null => default,
        found => found,
    }
}

fn no_members<'a>() -> Value<'a> {
    Value::Map(Map::made(Members::default()))
}

fn no_elements<'a>() -> Value<'a> {
    Value::List(List::Made(Rc::default()))
}

/// A status of an execution or a stage.
fn status<'a>(json: &'a Json) -> Value<'a> {
    match json.get("status").and_then(Json::as_str) {
        Some(name) => Value::Symbol(Text::Lent(name)),
        None => Value::Null,
    }
}

/// `successful` and its kin of a status.
pub(super) fn status_property(status: &str, property: &str) -> Option<bool> {
    Some(match property {
        "successful" => matches!(status, "SUCCEEDED" | "STOPPED" | "SKIPPED"),
        "failure" => matches!(status, "TERMINAL" | "STOPPED" | "FAILED_CONTINUE"),
        "skipped" => status == "SKIPPED",
        "complete" => {
            matches!(status, "SUCCEEDED" | "FAILED_CONTINUE" | "TERMINAL" | "CANCELED" | "STOPPED" | "SKIPPED")
        }
        "halt" => matches!(status, "TERMINAL" | "CANCELED" | "STOPPED"),
        _ => return None,
    })
}

/// Nobody is known to have started it.
static NOBODY: LazyLock<Json> = LazyLock::new(|| serde_json::json!({"allowedAccounts": []}));

impl<'a> Thing<'a> for Execution<'a> {
    fn what(&self) -> String {
        "an execution".to_owned()
    }

    fn property(&self, name: &str) -> Option<Outcome<'a>> {
        let json = self.json;
        Some(Ok(match name {
            "id" | "application" | "name" | "buildTime" | "canceledBy" | "cancellationReason" | "description"
            | "pipelineConfigId" | "spelEvaluator" | "partition" | "startTime" | "endTime" | "startTimeExpiry"
            | "templateVariables" | "paused" => plain(json, name),
            "origin" => or(json, name, Value::text("unknown")),
            "maxConcurrentExecutions" => or(json, name, Value::int(0)),
            "canceled" | "limitConcurrent" | "keepWaitingPipelines" => or(json, name, Value::Bool(false)),
            "notifications" | "systemNotifications" => or(json, name, no_elements()),
            "initialConfig" => or(json, name, no_members()),
            "status" => status(json),
            "authentication" => {
                let json = json.get(name).filter(|json| json.is_object()).unwrap_or(&NOBODY);
                Value::Thing(Rc::new(Fixed { what: "who started it", json, names: &["user", "allowedAccounts"] }))
            }
            "trigger" => trigger::typed(json.get(name)),
            "stages" => {
                // Stages know their execution, so it is made anew around the same JSON.
                let whole = Execution::new(json);
                Value::List(whole.stages().map(|stage| Value::Thing(Rc::new(stage))).collect())
            }
            _ => return None,
        }))
    }

    fn method(&self, name: &str, args: &[Value<'a>]) -> Option<Outcome<'a>> {
        let field = match name {
            "stageById" => "id",
            "stageByRef" => "refId",
            "namedStage" => "type",
            _ => return None,
        };
        let [wanted] = args else { return None };
        let found = Execution::new(self.json).stages().find(|stage| {
            let value = stage.text(field);
            value.is_some() && value == wanted.as_str()
        });
        let missing = || Failure::new(format!("there is no stage with that {field}"));
        Some(found.map(|stage| Value::Thing(Rc::new(stage))).ok_or_else(missing))
    }

    fn json(&self) -> Result<Json, Failure> {
        Ok(self.json.clone())
    }

    fn identity(&self) -> usize {
        std::ptr::from_ref(self.json).addr()
    }
}

/// A thing with these properties, each what the JSON says or null.
pub(super) struct Fixed<'a> {
    what: &'static str,
    json: &'a Json,
    names: &'static [&'static str],
}

impl<'a> Thing<'a> for Fixed<'a> {
    fn what(&self) -> String {
        self.what.to_owned()
    }

    fn property(&self, name: &str) -> Option<Outcome<'a>> {
        self.names.contains(&name).then(|| Ok(plain(self.json, name)))
    }

    fn json(&self) -> Result<Json, Failure> {
        Ok(self.json.clone())
    }

    fn identity(&self) -> usize {
        std::ptr::from_ref(self.json).addr()
    }
}

/// The context of a stage: what is not there is looked for in the outputs of the stages before it.
pub(super) fn context<'a>(stage: &Stage<'a>) -> Value<'a> {
    match stage.json.get("context") {
        Some(Json::Object(members)) => Value::Map(Map::Reaching { members, further: Rc::new(Outputs(stage.clone())) }),
        _ => no_members(),
    }
}

struct Outputs<'a>(Stage<'a>);

impl<'a> Further<'a> for Outputs<'a> {
    fn member(&self, name: &str) -> Option<Value<'a>> {
        self.0.ancestors().iter().find_map(|stage| stage.output(name))
    }
}

/// The members of an object in JSON.
fn object_of(json: Option<&Json>) -> Option<&Object<String, Json>> {
    json.and_then(Json::as_object)
}
