//! Why an execution was started. A trigger is JSON with a few keys that the engine knows; all others are kept as they are.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Map;

/// The `trigger` of an execution.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trigger(pub Map);

impl Trigger {
    /// `manual`, `pipeline`, `apt`, `webhook` …
    pub fn kind(&self) -> &str {
        self.0.get("type").and_then(Value::as_str).unwrap_or("manual")
    }

    /// A key's value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The parameters given by whoever started it, with the pipeline's defaults.
    pub fn parameters(&self) -> Option<&Map> {
        self.0.get("parameters").and_then(Value::as_object)
    }

    /// Who started it; `[anonymous]` when nobody said so.
    pub fn user(&self) -> &str {
        self.0.get("user").and_then(Value::as_str).unwrap_or("[anonymous]")
    }

    /// What makes two starts the same start.
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.get("correlationId").and_then(Value::as_str)
    }

    /// The execution whose `pipeline` stage or whose end started this one.
    pub fn parent_execution(&self) -> Option<&Map> {
        self.0.get("parentExecution").and_then(Value::as_object)
    }
}
