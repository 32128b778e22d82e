//! `webhook`: somebody posts to `/webhooks/webhook/SOURCE`. The event: `{source, payload}`.

use regex::Regex;
use serde_json::{Value, json};

use super::{Matches, text};
use crate::Map;

/// The kind.
pub struct Webhook;

impl Matches for Webhook {
    fn kind(&self) -> &'static str {
        "webhook"
    }
    fn fires(&self, config: &Map, event: &Value) -> Option<Map> {
        if text(config, "source") != event.get("source").and_then(Value::as_str) {
            return None;
        }
        let payload = event.get("payload").cloned().unwrap_or(json!({}));
        let constraints = config.get("payloadConstraints").and_then(Value::as_object);
        for (key, want) in constraints.into_iter().flatten() {
            let pattern = Regex::new(want.as_str()?).ok()?;
            let have = match payload.get(key)? {
                Value::String(s) => s.clone(),
                other => other.to_string(),
            };
            if !pattern.is_match(&have) {
                return None;
            }
        }
        let mut trigger = config.clone();
        trigger.insert("parameters".into(), payload.get("parameters").cloned().unwrap_or(json!({})));
        trigger.insert("artifacts".into(), payload.get("artifacts").cloned().unwrap_or(json!([])));
        trigger.insert("payload".into(), payload);
        Some(trigger)
    }
}
