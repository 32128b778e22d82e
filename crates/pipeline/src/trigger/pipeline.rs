//! `pipeline`: another pipeline has ended. The engine does it by itself, with the execution that ended.

use serde_json::Value;

use super::{Matches, text};
use crate::Map;
use crate::model::{Execution, Status};

/// The kind.
pub struct Pipeline;

impl Matches for Pipeline {
    fn kind(&self) -> &'static str {
        "pipeline"
    }
    /// The event is the execution that ended.
    fn fires(&self, config: &Map, event: &Value) -> Option<Map> {
        let run: Execution = serde_json::from_value(event.clone()).ok()?;
        matches(&Value::Object(config.clone()), &run).then(|| config.clone())
    }
    fn brings_artifacts(&self) -> bool {
        false
    }
}

/// Whether a trigger's configuration names the pipeline that ended, and this end of it.
pub fn matches(config: &Value, run: &Execution) -> bool {
    let Some(config) = config.as_object() else { return false };
    let on = config.get("enabled") != Some(&Value::Bool(false)) && text(config, "type") == Some("pipeline");
    if !on || text(config, "pipeline") != run.pipeline_config_id.as_deref() {
        return false;
    }
    let ended = match run.status {
        Status::Succeeded => "successful",
        Status::Canceled => "canceled",
        _ => "failed",
    };
    let wanted = config.get("status").and_then(Value::as_array);
    wanted.into_iter().flatten().any(|s| s.as_str() == Some(ended))
}
