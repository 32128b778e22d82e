//! What is wrong with a webhook stage that does not run yet, beyond the kinds of its fields.

use pipeline::validate::{At, Findings, is_open};
use pipeline::{Map, json_path};
use serde_json::Value;

use super::secrets;

pub(super) fn look(config: &Map, at: &At, findings: &mut Findings) {
    addresses(config, at, findings);
    headers(config, at, findings);
    paths(config, at, findings);
    let text = |key: &str| text(config, key);
    let on = |key: &str| config.get(key).is_some_and(|v| *v == Value::Bool(true) || v == "true");
    if on("waitForCompletion")
        && text("statusUrlResolution") == Some("webhookResponse")
        && text("statusUrlJsonPath").is_none()
    {
        let help = "where in the answer the address stands that is asked for the status, as in $.links.status";
        findings.error(&at.key("statusUrlJsonPath"), "statusUrlJsonPath is missing", help);
    }
    for key in ["successStatuses", "canceledStatuses", "terminalStatuses"] {
        if on("waitForCompletion")
            && text(key).is_some()
            && config.get("statusJsonPath").is_none_or(|v| v.is_null() || v == "")
        {
            let help = "say where in the answer the status stands";
            findings.warning(&at.key(key), "is not looked at without statusJsonPath", help);
        }
    }
}

fn text<'a>(config: &'a Map, key: &str) -> Option<&'a str> {
    config.get(key).and_then(Value::as_str).filter(|s| !s.is_empty() && !is_open(s))
}

fn addresses(config: &Map, at: &At, findings: &mut Findings) {
    for key in ["url", "cancelEndpoint"] {
        let Some(url) = text(config, key) else { continue };
        let lower = url.trim().to_ascii_lowercase();
        if !["http://", "https://"].iter().any(|begin| lower.starts_with(begin)) {
            findings.error(&at.key(key), format!("\"{url}\" is no address"), "it begins with http:// or https://");
        } else if secrets::has_user(url) {
            let help = "use a header, and keep secrets in a preconfigured webhook";
            findings.error(&at.key(key), "user and password in an address are not sent", help);
        }
    }
}

fn headers(config: &Map, at: &At, findings: &mut Findings) {
    let headers = at.key("customHeaders");
    for (name, value) in config.get("customHeaders").and_then(Value::as_object).into_iter().flatten() {
        let breaks = |text: &str| text.contains(['\r', '\n', '\0']);
        let values: Vec<&str> = match value {
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            value => value.as_str().into_iter().collect(),
        };
        if breaks(name) || values.iter().any(|value| breaks(value)) {
            findings.error(&headers.key(name), "holds a line break", "a header is one line");
        } else if secrets::names(name) && values.iter().any(|value| !is_open(value)) {
            let help = "whoever may read the pipeline reads it; a preconfigured webhook keeps it in the configuration";
            findings.hint(&headers.key(name), "looks like a secret", help);
        }
    }
}

fn paths(config: &Map, at: &At, findings: &mut Findings) {
    let named = text(config, "statusUrlResolution") == Some("webhookResponse");
    for key in ["statusJsonPath", "progressJsonPath", "statusUrlJsonPath"] {
        let Some(path) = text(config, key).filter(|_| key != "statusUrlJsonPath" || named) else { continue };
        if let Err(error) = json_path::check(path) {
            findings.error(&at.key(key), error.to_string(), "as in $.status, or $.jobs[?(@.name == 'x')].state");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_fault_is_named_with_its_place() {
        let check = |config: Value, expect: &[&str]| {
            let mut findings = Findings::default();
            look(config.as_object().expect("an object"), &At::Root, &mut findings);
            let said: Vec<String> = findings.done().iter().map(|f| format!("{}: {}", f.path, f.message)).collect();
            assert_eq!(said, expect, "{config}");
        };
        check(json!({"url": "https://a", "statusJsonPath": "$.a[?(@.b == 1)].c", "customHeaders": {"X-A": "1"}}), &[]);
        check(json!({"url": "${parameters.url}", "statusJsonPath": "${path}"}), &[]);
        check(json!({"url": "ftp://a"}), &["$.url: \"ftp://a\" is no address"]);
        check(json!({"url": "http://u:p@a"}), &["$.url: user and password in an address are not sent"]);
        check(json!({"customHeaders": {"X-A": "1\n2"}}), &["$.customHeaders.X-A: holds a line break"]);
        check(
            json!({"customHeaders": {"Authorization": "Bearer x"}}),
            &["$.customHeaders.Authorization: looks like a secret"],
        );
        check(json!({"customHeaders": {"Authorization": "${parameters.token}"}}), &[]);
        let wrong = "$.statusJsonPath: the JSON path '$.a[' is wrong at column 5: an index, a slice, '*', a filter '?' or a key in quotes is missing";
        check(json!({"statusJsonPath": "$.a["}), &[wrong]);
    }
}
