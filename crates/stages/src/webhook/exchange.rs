//! One call of a webhook: what is sent, what is kept of the answer, and where the answer says that the status can be asked for.

use events::outgoing::{Answer, Call, CallError, Outgoing};
use pipeline::{Map, json_path};
use serde_json::{Value, json};

use super::Asked;
use super::config::Config;
use super::secrets::Secrets;

/// More of an answer is not kept with the execution.
const MOST_KEPT: usize = 1 << 20;

/// What is sent.
pub(super) struct Request<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub payload: Option<&'a Value>,
    /// The same on every attempt, so that whoever is called can tell a repetition.
    pub key: Option<&'a str>,
}

/// Makes the call, with the stage's headers. An address that an answer named gets no secrets unless it is on the same host.
pub(super) async fn send(outgoing: &Outgoing, asked: &Asked, request: &Request<'_>) -> Result<Answer, CallError> {
    let method = request.method.to_uppercase();
    let config = &asked.config;
    let trusted =
        [config.url(), config.cancel_endpoint.as_deref().unwrap_or("")].map(origin).contains(&origin(request.url));
    let given =
        config.headers().filter(|(name, value)| trusted || !(asked.secrets.names(name) || asked.secrets.are_in(value)));
    let mut headers: Vec<(String, String)> = given.map(|(name, value)| (name.to_owned(), value)).collect();
    let has = |headers: &[(String, String)], name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    if let Some(key) = request.key.filter(|_| !has(&headers, "idempotency-key")) {
        headers.push(("Idempotency-Key".into(), key.to_owned()));
    }
    let body = match request.payload.filter(|p| !p.is_null() && !matches!(method.as_str(), "GET" | "HEAD")) {
        Some(Value::String(text)) => Some(text.clone().into_bytes()),
        Some(value) => Some(value.to_string().into_bytes()),
        None => None,
    };
    if body.is_some() && !has(&headers, "content-type") {
        headers.push(("Content-Type".into(), "application/json".into()));
    }
    outgoing.call(Call { method, url: request.url.to_owned(), headers, body: body.map(Into::into) }).await
}

/// The body of an answer: JSON, or its text.
pub(super) fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&answer.body).into_owned()))
}

/// What the execution keeps of an answer.
pub(super) fn describe(answer: &Answer, body: &Value, secrets: &Secrets) -> Map {
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        if name.as_str() != "set-cookie" {
            headers.insert(name.as_str().to_owned(), json!(secrets.hide(&String::from_utf8_lossy(value.as_bytes()))));
        }
    }
    let size = answer.body.len();
    let kept = match size > MOST_KEPT {
        true => json!(format!("[an answer of {size} bytes is not kept; {MOST_KEPT} are the most]")),
        false => secrets.hide_in(body.clone()),
    };
    let mut out = Map::new();
    out.insert("statusCode".into(), json!(reason(answer)));
    out.insert("statusCodeValue".into(), json!(answer.status.as_u16()));
    out.insert("headers".into(), Value::Object(headers));
    out.insert("body".into(), kept);
    out
}

fn reason(answer: &Answer) -> String {
    answer.status.canonical_reason().unwrap_or("").to_uppercase().replace([' ', '-'], "_").replace('\'', "")
}

/// The address that tells the status, as the stage wants it found.
pub(super) fn status_endpoint(config: &Config, answer: &Answer, body: &Value) -> Result<String, String> {
    let missing = |what: &str| format!("the answer names no address that tells the status: {what}");
    match config.resolution() {
        "locationHeader" => {
            let location = answer.headers.get("location").and_then(|l| l.to_str().ok());
            location.map(|to| absolute(config.url(), to)).ok_or_else(|| missing("it has no Location header"))
        }
        "webhookResponse" => {
            let path = config.status_url_json_path.as_deref().unwrap_or("");
            let found = json_path::value(body, path).map_err(|error| format!("statusUrlJsonPath: {error}"))?;
            let found = single(found);
            let url = found.as_ref().and_then(Value::as_str);
            url.map(|to| absolute(config.url(), to)).ok_or_else(|| missing(&format!("there is no text at {path}")))
        }
        "constant" => {
            config.status_url_json_path.clone().ok_or_else(|| missing("statusUrlJsonPath holds it, and is empty"))
        }
        _ => Ok(config.url().to_owned()),
    }
}

/// An address that may lack its host: then it is that of the call.
fn absolute(from: &str, to: &str) -> String {
    if to.contains("://") || !to.starts_with('/') { to.to_owned() } else { format!("{}{to}", origin(from)) }
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let url = url.trim();
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(start..).and_then(|rest| rest.find(['/', '?', '#', '\\'])).map_or(url.len(), |at| start + at);
    url.get(..end).unwrap_or(url)
}

/// Of a list with one entry that entry: a path with a filter often names one value.
pub(super) fn single(found: Option<Value>) -> Option<Value> {
    match found {
        Some(Value::Array(mut list)) if list.len() == 1 => list.pop(),
        found => found,
    }
}
