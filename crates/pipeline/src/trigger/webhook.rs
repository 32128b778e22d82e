//! `webhook`: somebody posts to `/webhooks/webhook/SOURCE`. The event: `{source, payload}`. Each of `payloadConstraints` must be found in the
//! payload: its key is a key of the payload or a JSONPath, its value a regular expression.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{Matches, pattern, text};
use crate::{Map, json_path};

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
        let payload = event.get("payload")?;
        let constraints = config.get("payloadConstraints").and_then(Value::as_object);
        if !constraints.into_iter().flatten().all(|(key, want)| holds(payload, key, want)) {
            return None;
        }
        let mut trigger = config.clone();
        let given = |key: &str| payload.get(key).cloned();
        if let Some(Value::Object(parameters)) = given("parameters") {
            trigger.insert("parameters".into(), json!(parameters));
        }
        if let Some(Value::Array(artifacts)) = given("artifacts") {
            trigger.insert("artifacts".into(), json!(artifacts));
        }
        if let Some(Value::String(id)) = given("correlationId") {
            trigger.insert("correlationId".into(), json!(id));
        }
        trigger.insert("payload".into(), payload.clone());
        Some(trigger)
    }
}

/// Whether one constraint holds: any of the values that the key names contains what its expression finds.
pub(super) fn holds(payload: &Value, key: &str, want: &Value) -> bool {
    let values = match payload.get(key) {
        Some(value) => return pattern::find(&shown(want), &shown(value)),
        None if key.starts_with('$') => json_path::find(payload, key).unwrap_or_default(),
        None => Vec::new(),
    };
    values.iter().any(|value| pattern::find(&shown(want), &shown(value)))
}

fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(config: &Value, payload: Value) -> Option<Map> {
        let event = json!({"source": "ci", "payload": payload});
        Webhook.fires(config.as_object().expect("an object"), &event)
    }

    #[test]
    fn each_constraint_must_be_found_in_the_payload() {
        let check = |constraints: Value, expect: bool| {
            let payload = json!({
                "foo": "bar", "bing": "a boooop!", "n": 7, "yes": true, "none": null, "list": ["1", "2"],
                "$.odd": "literal",
                "a": {"b": [{"x": "y", "v": "one"}, {"x": "z", "v": "two"}]},
            });
            let config = json!({"source": "ci", "payloadConstraints": constraints});
            assert_eq!(fires(&config, payload).is_some(), expect, "{constraints}");
        };
        check(json!({}), true);
        check(json!(null), true);
        check(json!({"foo": "bar"}), true);
        check(json!({"foo": "^ba$"}), false);
        check(json!({"foo": "a"}), true);
        check(json!({"bing": "b.*p", "foo": "bar"}), true);
        check(json!({"bing": "b.*p", "foo": "baz"}), false);
        check(json!({"absent": ".*"}), false);
        check(json!({"n": "^7$", "yes": "true", "list": "\"2\""}), true);
        check(json!({"n": 7}), true);
        check(json!({"none": "null"}), true);
        check(json!({"a.b": ".*"}), false);
        check(json!({"$.a.b[0].v": "^one$"}), true);
        check(json!({"$.a.b[?(@.x=='z')].v": "two"}), true);
        check(json!({"$.a.b[?(@.x=='q')].v": ".*"}), false);
        check(json!({"$.a.b[*].v": "^two$"}), true);
        check(json!({"$.odd": "^literal$"}), true);
        check(json!({"$[": ".*"}), false);
        check(json!({"foo": "("}), false);
        check(json!({"foo": "(?=bar)"}), false);
    }

    #[test]
    fn parameters_and_artifacts_come_from_the_payload() {
        let config = json!({"source": "ci", "type": "webhook", "id": "kept", "parameters": {"own": 1}});
        let artifacts = json!([{"type": "docker/image", "name": "img"}]);
        let payload = json!({"parameters": {"version": "1.0"}, "artifacts": artifacts, "correlationId": "c-1"});
        let fired = fires(&config, payload.clone()).expect("it fires");
        assert_eq!(fired["parameters"], json!({"version": "1.0"}));
        assert_eq!((&fired["artifacts"], &fired["payload"], &fired["id"]), (&artifacts, &payload, &json!("kept")));
        assert_eq!(fired["correlationId"], "c-1");
        let fired = fires(&config, json!({"parameters": "no", "artifacts": {}})).expect("it fires");
        assert_eq!((&fired["parameters"], fired.get("artifacts")), (&json!({"own": 1}), None));
    }

    #[test]
    fn another_source_does_not_fire() {
        assert_eq!(fires(&json!({"source": "CI"}), json!({})), None);
        assert_eq!(fires(&json!({}), json!({})), None);
    }
}
