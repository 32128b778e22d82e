//! The call itself, and the call that takes it back.

use std::sync::Arc;

use async_trait::async_trait;
use events::outgoing::Answer;
use pipeline::{Effect, Map, StageView, Status, TaskInput, TaskResult};
use serde_json::{Value, json};

use super::config::Verdict;
use super::exchange::{Request, body, describe, send, status_endpoint};
use super::{Asked, Caller, again, noted};

/// Makes the call; its `cancel` calls `cancelEndpoint`.
pub(super) struct CreateWebhook(pub Arc<Caller>);

#[async_trait]
impl Effect for CreateWebhook {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let asked = match self.0.asked(&input) {
            Ok(asked) => asked,
            Err(failed) => return failed,
        };
        let (config, secrets) = (&asked.config, &asked.secrets);
        let method = config.method.as_deref().unwrap_or("POST");
        let request =
            Request { method, url: config.url(), payload: config.payload.as_ref(), key: Some(input.key.as_str()) };
        match send(&self.0.outgoing, &asked, &request).await {
            Ok(answer) => answered(&asked, method, &answer, &input),
            Err(error) if error.is_transient() => {
                again(input.now, secrets.hide(&format!("{error}; it is called again")))
            }
            Err(error) => asked.failed(&error.to_string(), method, config.url()),
        }
    }

    async fn cancel(&self, input: TaskInput) {
        if !input.view().is_some_and(|view| was_stopped(&view)) {
            return;
        }
        let Ok(asked) = self.0.asked(&input) else { return };
        let Some(endpoint) = asked.config.cancellation() else { return };
        let method = asked.config.cancel_method.as_deref().unwrap_or("POST");
        let payload = asked.config.cancel_payload.as_ref();
        let request = Request { method, url: endpoint, payload, key: Some(&input.key) };
        if let Err(error) = send(&self.0.outgoing, &asked, &request).await {
            let error = asked.secrets.hide(&error.to_string());
            tracing::warn!(error, "cannot call a webhook's cancelEndpoint");
        }
    }
}

/// Whether the stage was cancelled, or took too long: when the other side itself told of a bad end there is nothing to call off.
pub(super) fn was_stopped(view: &StageView) -> bool {
    let exception = view.context().get("exception").and_then(|e| e.get("exceptionType")).and_then(Value::as_str);
    view.stage().status == Status::Canceled || exception == Some("TimeoutException")
}

/// What an answer makes of the task.
pub(super) fn answered(asked: &Asked, method: &str, answer: &Answer, input: &TaskInput) -> TaskResult {
    let config = &asked.config;
    let (body, code) = (body(answer), answer.status.as_u16());
    let mut webhook = describe(answer, &body, &asked.secrets);
    let place = asked.place(config.url());
    if !answer.status.is_success() && !answer.status.is_redirection() {
        let attempts = 1 + count(&mut webhook, &noted(input), code);
        if config.verdict(code, attempts) == Verdict::Again {
            let reason = format!("{place} answered {code}; it is called again");
            return again(input.now, reason).context("webhook", webhook);
        }
        let error = format!("{method} {place} answered {code}");
        webhook.insert("error".into(), json!(error));
        return asked.failed(&error, method, config.url()).context("webhook", webhook);
    }
    if config.wait_for_completion {
        match status_endpoint(config, answer, &body) {
            // The operator's own address is no pipeline's to read; it is asked as it is configured.
            Ok(endpoint) if endpoint == config.url() => {}
            Ok(endpoint) if asked.secrets.are_in(&endpoint) => {
                let what = "the address that tells the status holds a secret, which would stand in the execution";
                return asked.failed(what, method, config.url()).context("webhook", webhook);
            }
            Ok(endpoint) => drop(webhook.insert("statusEndpoint".into(), json!(endpoint))),
            Err(what) => return asked.failed(&what, method, config.url()).context("webhook", webhook),
        }
    }
    let result = TaskResult::succeeded().context("webhook", webhook.clone()).output("webhook", webhook);
    match body.get("artifacts").filter(|list| list.is_array()) {
        Some(artifacts) => result.output("artifacts", asked.secrets.hide_in(artifacts.clone())),
        None => result,
    }
}

/// Notes how often each code was answered; tells how often this one was before.
fn count(webhook: &mut Map, before: &Map, code: u16) -> u64 {
    let mut attempts = before.get("attempts").and_then(Value::as_object).cloned().unwrap_or_default();
    let so_far = attempts.get(&code.to_string()).and_then(Value::as_u64).unwrap_or(0);
    attempts.insert(code.to_string(), json!(so_far + 1));
    webhook.insert("attempts".into(), Value::Object(attempts));
    so_far
}
