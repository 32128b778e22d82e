//! Asks for the status until it is an end.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::{Effect, Map, Status, TaskInput, TaskResult, json_path};
use serde_json::{Value, json};

use super::config::Verdict;
use super::exchange::{Request, body, describe, send, single};
use super::{Asked, Caller, again, noted};

/// So many codes of earlier answers are kept.
const PAST: usize = 50;

/// Asks for the status.
pub(super) struct MonitorWebhook(pub Arc<Caller>);

#[async_trait]
impl Effect for MonitorWebhook {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let asked = match self.0.asked(&input) {
            Ok(asked) => asked,
            Err(failed) => return failed,
        };
        let (config, secrets) = (&asked.config, &asked.secrets);
        let wait = SignedDuration::from_secs(config.wait_before_monitor.unwrap_or(0).clamp(0, 86_400));
        let first = input.started.checked_add(wait).unwrap_or(Timestamp::MAX);
        if first > input.now {
            return TaskResult::again(first, "waitBeforeMonitor has not passed yet");
        }
        let mut webhook = noted(&input);
        let url = webhook.get("statusEndpoint").and_then(Value::as_str).unwrap_or(config.url()).to_owned();
        let request = Request { method: "GET", url: &url, payload: None, key: None };
        let answer = match send(&self.0.outgoing, &asked, &request).await {
            Ok(answer) => answer,
            Err(error) if error.is_transient() => {
                return again(input.now, secrets.hide(&format!("{error}; it is asked again")));
            }
            Err(error) => return asked.failed(&error.to_string(), "GET", &url),
        };
        let (code, body) = (answer.status.as_u16(), body(&answer));
        let mut monitor = describe(&answer, &body, secrets);
        note_code(&mut monitor, &webhook, code);
        if answer.status.is_success() {
            return Seen { asked: &asked, url: &url, body, now: input.now }.judge(webhook, monitor);
        }
        let error = format!("GET {} answered {code}", asked.place(&url));
        if config.monitor_verdict(code) == Verdict::Again {
            webhook.insert("monitor".into(), Value::Object(monitor));
            return again(input.now, format!("{error}; it is asked again")).context("webhook", webhook);
        }
        monitor.insert("error".into(), json!(error));
        webhook.insert("monitor".into(), Value::Object(monitor));
        asked.failed(&error, "GET", &url).context("webhook", webhook)
    }
}

/// Adds the code of this answer to those of the answers before.
fn note_code(monitor: &mut Map, webhook: &Map, code: u16) {
    let past = webhook.get("monitor").and_then(|m| m.get("pastStatusCodes")).and_then(Value::as_array);
    let mut past = past.cloned().unwrap_or_default();
    past.push(json!(code));
    let from = past.len().saturating_sub(PAST);
    monitor.insert("pastStatusCodes".into(), json!(past[from..]));
}

/// A status that was told.
pub(super) struct Seen<'a> {
    pub asked: &'a Asked,
    pub url: &'a str,
    pub body: Value,
    pub now: Timestamp,
}

impl Seen<'_> {
    /// What it says about the end.
    pub fn judge(&self, mut webhook: Map, mut monitor: Map) -> TaskResult {
        let place = self.asked.place(self.url);
        let progress = self.asked.config.progress_json_path.as_deref().map(|path| json_path::value(&self.body, path));
        if let Some(Ok(Some(progress))) = progress {
            let progress = self.asked.secrets.hide_in(single(Some(progress)).unwrap_or_default());
            if progress.is_number() {
                monitor.insert("percentComplete".into(), progress.clone());
            }
            let text = progress.as_str().map_or_else(|| progress.to_string(), str::to_owned);
            monitor.insert("progressMessage".into(), json!(text));
        }
        let found = match self.asked.config.status_path().map(|path| json_path::value(&self.body, path)) {
            None => return end(Status::Succeeded, webhook, monitor),
            Some(Err(error)) => return self.asked.failed(&format!("statusJsonPath: {error}"), "GET", self.url),
            Some(Ok(found)) => single(found).map(|found| self.asked.secrets.hide_in(found)),
        };
        let path = self.asked.config.status_json_path.as_deref().unwrap_or("");
        let reason = match &found {
            None => {
                let error = format!("{place} says nothing at {path}");
                monitor.insert("error".into(), json!(error));
                error
            }
            Some(Value::Array(_) | Value::Object(_)) => {
                let error = format!("what {place} says at {path} is neither a text nor a number");
                monitor.insert("error".into(), json!(error));
                webhook.insert("monitor".into(), Value::Object(monitor));
                return self.asked.failed(&error, "GET", self.url).context("webhook", webhook);
            }
            Some(Value::Number(percent)) => {
                monitor.insert("resolvedValue".into(), json!(percent));
                monitor.insert("percentComplete".into(), json!(percent));
                if percent.as_f64().is_some_and(|percent| percent >= 100.0) {
                    return end(Status::Succeeded, webhook, monitor);
                }
                format!("{place} says {percent} %")
            }
            Some(word) => {
                let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
                monitor.insert("resolvedValue".into(), json!(word));
                if among(&self.asked.config.success_statuses, &word) {
                    return end(Status::Succeeded, webhook, monitor);
                } else if among(&self.asked.config.canceled_statuses, &word) {
                    return end(Status::Canceled, webhook, monitor);
                } else if among(&self.asked.config.terminal_statuses, &word) {
                    let error = format!("{place} says {word}, which terminalStatuses lists");
                    monitor.insert("error".into(), json!(error));
                    webhook.insert("monitor".into(), Value::Object(monitor));
                    return self.asked.failed(&error, "GET", self.url).context("webhook", webhook);
                }
                format!("{place} says {word}")
            }
        };
        webhook.insert("monitor".into(), Value::Object(monitor));
        again(self.now, reason).context("webhook", webhook)
    }
}

/// Whether a list of words, separated by commas, holds this one.
fn among(list: &Option<String>, word: &str) -> bool {
    list.as_deref()
        .unwrap_or("")
        .split(',')
        .any(|one| !one.trim().is_empty() && one.trim().eq_ignore_ascii_case(word.trim()))
}

fn end(status: Status, mut webhook: Map, monitor: Map) -> TaskResult {
    webhook.insert("monitor".into(), Value::Object(monitor));
    TaskResult::done(status).context("webhook", webhook.clone()).output("webhook", webhook)
}
