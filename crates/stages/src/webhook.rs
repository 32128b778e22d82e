//! `webhook`: calls an address and, when told so, asks another one until the thing that it started has ended.

use std::sync::Arc;

use async_trait::async_trait;
use events::outgoing::{Answer, Call, CallError, Outgoing};
use jiff::{SignedDuration, Timestamp};
use pipeline::{
    Effect, Exception, Map, Plan, PlanError, Stage, StageView, Status, TaskInput, TaskResult, TaskSpec, fields,
};
use schemars::Schema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The stage type.
pub struct WebhookStage;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    url: Option<String>,
    method: Option<String>,
    payload: Option<Value>,
    custom_headers: Option<Map>,
    wait_for_completion: bool,
    monitor_only: bool,
    status_url_resolution: Option<String>,
    status_url_json_path: Option<String>,
    status_json_path: Option<String>,
    progress_json_path: Option<String>,
    success_statuses: Option<String>,
    canceled_statuses: Option<String>,
    terminal_statuses: Option<String>,
    fail_fast_status_codes: Option<Vec<u16>>,
    retry_status_codes: Option<Vec<u16>>,
    webhook_retry_status_codes: Option<Vec<u16>>,
    wait_before_monitor: Option<i64>,
    cancel_endpoint: Option<String>,
    cancel_method: Option<String>,
    cancel_payload: Option<Value>,
}

/// How long an address may fail to answer before the stage does.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);
const MONITOR_PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// How soon something is asked again.
const AGAIN: SignedDuration = SignedDuration::from_secs(2);
/// Answers that may be better next time.
const RETRY: [u16; 4] = [429, 502, 503, 504];

const FIELDS: &str = "
    url!: text, method: GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS, payload: any, customHeaders: object, waitForCompletion: flag, monitorOnly: flag,
    statusUrlResolution: getMethod|locationHeader|webhookResponse|constant, statusUrlJsonPath: text, statusJsonPath: text,
    progressJsonPath: text, successStatuses: text, canceledStatuses: text, terminalStatuses: text, failFastStatusCodes: [whole],
    retryStatusCodes: [whole], webhookRetryStatusCodes: [whole], retries: object, waitBeforeMonitor: count, cancelEndpoint: text,
    cancelMethod: GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS, cancelPayload: any, account: text, signalCancellation: flag,
    parameterValues: object";

impl Stage for WebhookStage {
    fn kind(&self) -> &'static str {
        "webhook"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written(FIELDS))
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let config: Config = stage.config()?;
        if config.url.is_none() {
            return Err(PlanError::Refused("a webhook needs url: the address that it calls".into()));
        }
        let mut tasks = Vec::new();
        if !config.monitor_only {
            tasks.push(TaskSpec::new("createWebhook", "createWebhook").timeout(PATIENCE));
        }
        if config.wait_for_completion || config.monitor_only {
            tasks.push(TaskSpec::new("monitorWebhook", "monitorWebhook").timeout(MONITOR_PATIENCE));
        }
        Ok(Plan::tasks(tasks))
    }
    fn on_cancel(&self, stage: &StageView) -> Option<TaskSpec> {
        let config: Config = stage.config().unwrap_or_default();
        config.cancel_endpoint.map(|_| TaskSpec::new("cancelWebhook", "createWebhook"))
    }
    fn prepare_restart(&self, context: &mut Map) {
        context.shift_remove("webhook");
    }
}

/// Makes the call; its `cancel` calls `cancelEndpoint`.
pub struct CreateWebhook(pub Arc<Outgoing>);

#[async_trait]
impl Effect for CreateWebhook {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config: Config = match input.config() {
            Ok(config) => config,
            Err(failed) => return failed,
        };
        let url = config.url.clone().unwrap_or_default();
        let method = config.method.clone().unwrap_or_else(|| "POST".into());
        let answer = send(&self.0, &method, &url, config.payload.as_ref(), &config, Some(&input.key)).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.is_transient() => return retry(input.now, format!("{error}; it is called again")),
            Err(error) => return failed(error.to_string(), &url, &method),
        };
        let code = answer.status.as_u16();
        let mut webhook = describe(&answer);
        if answer.status.is_success() || answer.status.is_redirection() {
            let endpoint = status_endpoint(&config, &url, &answer);
            let artifacts = webhook.pointer("/body/artifacts").filter(|a| a.is_array()).cloned();
            if let Some(endpoint) = endpoint {
                webhook["statusEndpoint"] = json!(endpoint);
            } else if config.wait_for_completion {
                let what = "the answer names no address to ask for the status: look at statusUrlResolution";
                return failed(what.into(), &url, &method).context("webhook", webhook);
            }
            let result = TaskResult::succeeded().context("webhook", webhook.clone()).output("webhook", webhook);
            return match artifacts {
                Some(artifacts) => result.output("artifacts", artifacts),
                None => result,
            };
        }
        let fails_at_once = config.fail_fast_status_codes.as_ref().is_some_and(|codes| codes.contains(&code));
        let retried = config.webhook_retry_status_codes.as_ref().is_some_and(|codes| codes.contains(&code));
        if !fails_at_once && (retried || RETRY.contains(&code)) {
            let reason = format!("{url} answered {code}; it is called again");
            return retry(input.now, reason).context("webhook", webhook);
        }
        let error = format!("{method} {url} answered {code}");
        webhook["error"] = json!(error);
        failed(error, &url, &method).context("webhook", webhook)
    }

    async fn cancel(&self, input: TaskInput) {
        let Ok(config) = input.config::<Config>() else { return };
        let Some(endpoint) = &config.cancel_endpoint else { return };
        let method = config.cancel_method.clone().unwrap_or_else(|| "POST".into());
        let called = send(&self.0, &method, endpoint, config.cancel_payload.as_ref(), &config, Some(&input.key)).await;
        if let Err(error) = called {
            tracing::warn!(%error, "cannot call a webhook's cancelEndpoint");
        }
    }
}

/// Asks for the status until it is an end.
pub struct MonitorWebhook(pub Arc<Outgoing>);

#[async_trait]
impl Effect for MonitorWebhook {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config: Config = match input.config() {
            Ok(config) => config,
            Err(failed) => return failed,
        };
        let wait = SignedDuration::from_secs(config.wait_before_monitor.unwrap_or(0).clamp(0, 86_400));
        let first = input.started.checked_add(wait).unwrap_or(Timestamp::MAX);
        if first > input.now {
            return TaskResult::again(first, "waitBeforeMonitor has not passed yet");
        }
        let mut webhook = input.get("webhook").unwrap_or_else(|| json!({}));
        let named = webhook.get("statusEndpoint").and_then(Value::as_str).map(str::to_owned);
        let url = named.or_else(|| config.url.clone()).unwrap_or_default();
        let answer = match send(&self.0, "GET", &url, None, &config, None).await {
            Ok(answer) => answer,
            Err(error) if error.is_transient() => return retry(input.now, format!("{error}; it is asked again")),
            Err(error) => return failed(error.to_string(), &url, "GET"),
        };
        let code = answer.status.as_u16();
        webhook["monitor"] = describe(&answer);
        if !answer.status.is_success() {
            let listed = config.retry_status_codes.as_ref().is_some_and(|codes| codes.contains(&code));
            if listed || RETRY.contains(&code) {
                let reason = format!("{url} answered {code}; it is asked again");
                return retry(input.now, reason).context("webhook", webhook);
            }
            let error = format!("GET {url} answered {code}");
            webhook["monitor"]["error"] = json!(error);
            return failed(error, &url, "GET").context("webhook", webhook);
        }
        judge(&config, &url, webhook, input.now)
    }
}

/// What the body of a status says.
fn judge(config: &Config, url: &str, mut webhook: Value, now: Timestamp) -> TaskResult {
    let body = webhook["monitor"]["body"].clone();
    if let Some(progress) = config.progress_json_path.as_deref().and_then(|path| json_path(&body, path)) {
        webhook["monitor"]["progressMessage"] = progress;
    }
    let found = match config.status_json_path.as_deref().filter(|p| !p.trim().is_empty()) {
        None => return done(Status::Succeeded, webhook),
        Some(path) => json_path(&body, path),
    };
    let Some(found) = found else {
        let reason = format!("{url} says nothing at {}", config.status_json_path.as_deref().unwrap_or(""));
        return retry(now, reason).context("webhook", webhook);
    };
    webhook["monitor"]["resolvedValue"] = found.clone();
    if let Some(percent) = found.as_f64() {
        webhook["monitor"]["percentComplete"] = found;
        if percent >= 100.0 {
            return done(Status::Succeeded, webhook);
        }
        return retry(now, format!("{url} says {percent} %")).context("webhook", webhook);
    }
    let word = found.as_str().map_or_else(|| found.to_string(), str::to_owned).to_uppercase();
    let among = |list: &Option<String>| {
        list.as_deref().unwrap_or("").split(',').any(|w| !w.trim().is_empty() && w.trim().to_uppercase() == word)
    };
    if among(&config.success_statuses) {
        done(Status::Succeeded, webhook)
    } else if among(&config.canceled_statuses) {
        done(Status::Canceled, webhook)
    } else if among(&config.terminal_statuses) {
        failed(format!("{url} says {word}, which terminalStatuses lists"), url, "GET").context("webhook", webhook)
    } else {
        retry(now, format!("{url} says {word}")).context("webhook", webhook)
    }
}

fn done(status: Status, webhook: Value) -> TaskResult {
    TaskResult::done(status).context("webhook", webhook.clone()).output("webhook", webhook)
}

fn retry(now: Timestamp, reason: String) -> TaskResult {
    TaskResult::again(now.checked_add(AGAIN).unwrap_or(Timestamp::MAX), reason)
}

fn failed(error: String, url: &str, method: &str) -> TaskResult {
    let error = Exception::new("WebhookFailed", error).detail("url", url).detail("method", method);
    TaskResult::Failed { error }
}

async fn send(
    outgoing: &Outgoing,
    method: &str,
    url: &str,
    payload: Option<&Value>,
    config: &Config,
    key: Option<&str>,
) -> Result<Answer, CallError> {
    let method = method.to_uppercase();
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in config.custom_headers.iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        headers.push((name.clone(), value));
    }
    let has = |headers: &[(String, String)], name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    if let Some(key) = key.filter(|_| !has(&headers, "idempotency-key")) {
        headers.push(("Idempotency-Key".into(), key.to_owned()));
    }
    let body = match payload.filter(|p| !p.is_null() && !matches!(method.as_str(), "GET" | "HEAD")) {
        Some(Value::String(text)) => Some(text.clone().into_bytes()),
        Some(value) => Some(value.to_string().into_bytes()),
        None => None,
    };
    if body.is_some() && !has(&headers, "content-type") {
        headers.push(("Content-Type".into(), "application/json".into()));
    }
    outgoing.call(Call { method, url: url.to_owned(), headers, body: body.map(Into::into) }).await
}

/// `context.webhook` of an answer.
fn describe(answer: &Answer) -> Value {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        if name.as_str() != "set-cookie" {
            headers.insert(name.as_str().to_owned(), json!(String::from_utf8_lossy(value.as_bytes())));
        }
    }
    let reason = answer.status.canonical_reason().unwrap_or("").to_uppercase().replace(' ', "_");
    json!({"statusCode": reason, "statusCodeValue": answer.status.as_u16(), "headers": headers, "body": body})
}

fn status_endpoint(config: &Config, url: &str, answer: &Answer) -> Option<String> {
    if !config.wait_for_completion {
        return None;
    }
    match config.status_url_resolution.as_deref().unwrap_or("getMethod") {
        "locationHeader" => {
            let location = answer.headers.get("location")?.to_str().ok()?;
            Some(if location.starts_with('/') { format!("{}{location}", origin(url)?) } else { location.to_owned() })
        }
        "webhookResponse" => {
            let body: Value = serde_json::from_slice(&answer.body).ok()?;
            json_path(&body, config.status_url_json_path.as_deref()?)?.as_str().map(str::to_owned)
        }
        "constant" => config.status_url_json_path.clone(),
        _ => Some(url.to_owned()),
    }
}

fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    Some(&url[..end])
}

/// The value at a simple path: `$.a.b[0]['c d']`.
pub(crate) fn json_path(value: &Value, path: &str) -> Option<Value> {
    let mut at = value;
    let mut rest = path.trim().strip_prefix('$').unwrap_or(path.trim());
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('[') {
            let (inside, tail) = tail.split_once(']')?;
            rest = tail;
            at = match inside.trim().parse::<usize>() {
                Ok(index) => at.get(index)?,
                Err(_) => at.get(inside.trim().trim_matches(['\'', '"']))?,
            };
            continue;
        }
        let tail = rest.strip_prefix('.').unwrap_or(rest);
        let end = tail.find(['.', '[']).unwrap_or(tail.len());
        let (key, next) = tail.split_at(end);
        if key.is_empty() {
            return None;
        }
        at = at.get(key)?;
        rest = next;
    }
    Some(at.clone())
}

#[cfg(test)]
mod tests {
    use super::json_path;
    use serde_json::json;

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        let body = json!({"a": [{"b c": 1}, {"d": "x"}]});
        let check =
            |path: &str, expect: Option<serde_json::Value>| assert_eq!(json_path(&body, path), expect, "{path}");
        check("$.a[1].d", Some(json!("x")));
        check("a[0]['b c']", Some(json!(1)));
        check("$.nothing", None);
        check("$", Some(body.clone()));
        check("$..d", None);
    }
}
