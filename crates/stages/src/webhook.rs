//! `webhook`: calls an address and, when told so, asks another one until the thing that it started has ended. Preconfigured webhooks are stage
//! types of the operator's, whose address and headers never stand in a pipeline.
//!
//! The two tasks are in `create` and `monitor`, what is sent and kept of an answer in `exchange`, what must not be shown in `secrets`.

mod config;
mod create;
mod exchange;
mod faults;
mod monitor;
mod preconfigured;
mod secrets;

use std::sync::Arc;

use events::outgoing::{self, Outgoing};
use jiff::{SignedDuration, Timestamp};
use pipeline::validate::{About, At, Findings};
use pipeline::{
    Exception, Map, Plan, PlanError, Registry, Stage, StageView, TaskInput, TaskResult, TaskSpec, evaluate, fields,
};
use schemars::Schema;
use serde_json::Value;

use config::Config;
pub use config::Retry;
pub use preconfigured::{BadWebhook, Parameter, Preconfigured};
use secrets::Secrets;

const CREATE: &str = "createWebhook";
const MONITOR: &str = "monitorWebhook";
/// How long an address may fail to answer before the stage does.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);
const MONITOR_PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// How soon something is asked again.
const AGAIN: SignedDuration = SignedDuration::from_secs(2);

const FIELDS: &str = "
    url!: text, method: GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS, payload: any, customHeaders: object, waitForCompletion: flag, monitorOnly: flag,
    statusUrlResolution: getMethod|locationHeader|webhookResponse|constant, statusUrlJsonPath: text, statusJsonPath: text,
    progressJsonPath: text, successStatuses: text, canceledStatuses: text, terminalStatuses: text, failFastStatusCodes: [whole],
    retryStatusCodes: [whole], webhookRetryStatusCodes: [whole], retries: object, waitBeforeMonitor: count, cancelEndpoint: text,
    cancelMethod: GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS, cancelPayload: any, account: text, signalCancellation: flag,
    parameterValues: object";

/// The stage type.
pub struct WebhookStage;

impl Stage for WebhookStage {
    fn kind(&self) -> &'static str {
        "webhook"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written(FIELDS))
    }
    fn check(&self, config: &Map, _: &About, at: &At, findings: &mut Findings) {
        faults::look(config, at, findings);
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let config: Config = stage.config()?;
        config.check()?;
        Ok(Plan::tasks(tasks(&config)))
    }
    fn makes_artifacts(&self) -> bool {
        true
    }
    fn on_cancel(&self, stage: &StageView) -> Option<TaskSpec> {
        stage.config::<Config>().ok()?.cancellation().map(|_| TaskSpec::new("cancelWebhook", CREATE))
    }
    fn prepare_restart(&self, context: &mut Map) {
        context.shift_remove("webhook");
    }
}

fn tasks(config: &Config) -> Vec<TaskSpec> {
    let mut tasks = Vec::new();
    if !config.monitor_only {
        tasks.push(TaskSpec::new(CREATE, CREATE).timeout(PATIENCE));
    }
    if config.wait_for_completion || config.monitor_only {
        tasks.push(TaskSpec::new(MONITOR, MONITOR).timeout(MONITOR_PATIENCE));
    }
    tasks
}

/// Adds the tasks of the stage type, which serve the preconfigured webhooks as well.
pub fn register(
    registry: Registry,
    outgoing: Arc<Outgoing>,
    prepared: Arc<Vec<Preconfigured>>,
    kept: Arc<access::Secrets>,
) -> Registry {
    let caller = Arc::new(Caller { outgoing, prepared, kept });
    registry
        .effect(CREATE, Arc::new(create::CreateWebhook(caller.clone())))
        .effect(MONITOR, Arc::new(monitor::MonitorWebhook(caller)))
}

/// Adds a stage type for each preconfigured webhook, once all others are there: none may take the place of another.
pub fn register_preconfigured(mut registry: Registry, prepared: &[Preconfigured]) -> Result<Registry, BadWebhook> {
    for webhook in prepared {
        webhook.check(&registry.kinds())?;
        registry = registry.stage(preconfigured::stage(webhook));
    }
    Ok(registry)
}

/// Makes calls for both tasks.
struct Caller {
    outgoing: Arc<Outgoing>,
    prepared: Arc<Vec<Preconfigured>>,
    /// What `${secret('name')}` stands for.
    kept: Arc<access::Secrets>,
}

/// What a task is to call, and what of it must not be shown.
struct Asked {
    config: Config,
    secrets: Secrets,
    /// The type of a preconfigured webhook, whose address is nobody's to read.
    prepared: Option<String>,
}

impl Asked {
    /// An address of this call as people may see it.
    fn place(&self, url: &str) -> String {
        self.prepared
            .as_ref()
            .map_or_else(|| self.secrets.hide(&secrets::place(url)), |kind| format!("the address of '{kind}'"))
    }

    /// A failure that names what was called.
    fn failed(&self, error: &str, method: &str, url: &str) -> TaskResult {
        let error = Exception::new("WebhookFailed", self.secrets.hide(error));
        TaskResult::Failed { error: error.detail("url", self.place(url)).detail("method", method) }
    }
}

impl Caller {
    /// The configuration of a task's stage: its own, or the operator's with the stage's parameters.
    fn asked(&self, input: &TaskInput) -> Result<Asked, TaskResult> {
        let Some(view) = input.view() else { return Err(TaskResult::failed("the stage of this webhook is gone")) };
        let alias = view.context().get("alias").and_then(Value::as_str).filter(|alias| !alias.is_empty());
        let kind = alias.unwrap_or(&view.stage().kind);
        let found = self.prepared.iter().find(|one| one.kind == kind);
        let (config, also): (Config, &[String]) = match found {
            None => (input.config()?, &[]),
            Some(webhook) => {
                let filled = webhook.filled(input).map_err(|why| broken(Exception::new("WebhookFailed", why)))?;
                (filled, &webhook.sensitive_headers)
            }
        };
        let (config, put) = self.filled(config, &view).map_err(|why| broken(Exception::new("WebhookFailed", why)))?;
        config.check().map_err(|error| broken(error.exception()))?;
        let secrets = Secrets::of(&config, also, &put);
        Ok(Asked { config, secrets, prepared: found.map(|webhook| webhook.kind.clone()) })
    }

    /// The configuration with the secrets that its author named, each only for a host that may have it; and those secrets.
    fn filled(&self, mut config: Config, view: &StageView) -> Result<(Config, Vec<access::Secret>), String> {
        let inert = view.context().get(evaluate::INERT).and_then(Value::as_array);
        let data: Vec<&str> = inert.into_iter().flatten().filter_map(Value::as_str).collect();
        let mut used = Vec::new();
        let mut fill = |text: &mut String, to: &str| {
            // What came from outside names nothing. A call that cannot be made needs no secret: it is refused where it is made.
            let Ok(host) = outgoing::host_of(to) else { return Ok(()) };
            if !data.contains(&text.as_str()) {
                let (filled, secrets) = self.kept.fill(text, &host).map_err(|error| error.to_string())?;
                *text = filled;
                used.extend(secrets);
            }
            Ok(())
        };
        let (url, cancel) = (config.url().to_owned(), config.cancel_endpoint.clone().unwrap_or_default());
        for (value, to) in [(&mut config.url, &url), (&mut config.cancel_endpoint, &cancel)] {
            value.iter_mut().try_for_each(|text| fill(text, to))?;
        }
        for value in config.custom_headers.iter_mut().flat_map(Map::values_mut).chain(&mut config.payload) {
            each_text(value, &mut |text| fill(text, &url))?;
        }
        config.cancel_payload.iter_mut().try_for_each(|value| each_text(value, &mut |text| fill(text, &cancel)))?;
        Ok((config, used))
    }
}

/// Does something with every text in a structure.
fn each_text(value: &mut Value, work: &mut impl FnMut(&mut String) -> Result<(), String>) -> Result<(), String> {
    match value {
        Value::String(text) => work(text),
        Value::Array(list) => list.iter_mut().try_for_each(|one| each_text(one, work)),
        Value::Object(map) => map.values_mut().try_for_each(|one| each_text(one, work)),
        _ => Ok(()),
    }
}

fn broken(error: Exception) -> TaskResult {
    TaskResult::Failed { error }
}

/// What this stage noted itself: never what another webhook left for those behind it.
fn noted(input: &TaskInput) -> Map {
    let own = input.view().and_then(|view| view.context().get("webhook"));
    own.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn again(now: Timestamp, reason: String) -> TaskResult {
    TaskResult::again(now.checked_add(AGAIN).unwrap_or(Timestamp::MAX), reason)
}

/// Evaluates a text of the operator's in the scope of a stage.
fn fill(input: &TaskInput, parameters: &Map, template: &Value) -> Result<Value, String> {
    let Some(view) = input.view() else { return Err("the stage of this webhook is gone".into()) };
    let mut execution = serde_json::to_value(&*input.execution).unwrap_or_default();
    let stages = execution.get_mut("stages").and_then(Value::as_array_mut);
    for stage in stages.into_iter().flatten().filter(|s| s["id"] == view.stage().id.as_str()) {
        stage["context"]["parameterValues"] = Value::Object(parameters.clone());
    }
    let filled = evaluate::process(&execution, Some(&view.stage().ref_id), template, false, &input.given);
    match filled.failed.first() {
        Some(failed) => Err(format!("an expression of the configured webhook failed: {}", failed.description)),
        None if !filled.needs.is_empty() => Err("a configured webhook cannot read other addresses".into()),
        None => Ok(filled.value),
    }
}

#[cfg(test)]
mod tests;
