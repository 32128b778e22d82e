//! Webhooks that the operator prepared: each is a stage type of its own. Where it calls and with which headers stands in the configuration and nowhere
//! else; a pipeline gives the parameters, `parameterValues`.

use std::collections::BTreeMap;

use pipeline::{Map, Plan, PlanError, Stage, StageView, TaskInput, TaskSpec, fields};
use schemars::Schema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::config::{Config, Retry};
use super::{CREATE, fill, tasks};

/// A `[[webhook.preconfigured]]` of the configuration.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Preconfigured {
    /// What people see.
    pub label: String,
    /// What it does, for people.
    pub description: String,
    /// The stage type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Switched off it is not listed, and fails when it runs. On when it does not say.
    pub enabled: Option<bool>,
    /// What is called; `${parameterValues['x']}` is a parameter. Some services take whoever knows the address for entitled: it is shown as dots.
    #[serde(serialize_with = "access::secret::dots")]
    pub url: String,
    /// Headers; the same holds for their values.
    #[serde(serialize_with = "access::secret::dots")]
    pub custom_headers: BTreeMap<String, String>,
    /// Headers whose values are secrets, besides those whose names say so.
    pub sensitive_headers: Vec<String>,
    /// `GET`, `POST` …; POST when it does not say.
    pub method: Option<String>,
    /// The body; JSON is filled text by text, so that a parameter cannot break out of its place.
    #[serde(serialize_with = "access::secret::dots")]
    pub payload: Option<String>,
    /// As in the stage `webhook`.
    pub wait_for_completion: bool,
    /// As in the stage `webhook`.
    pub status_url_resolution: Option<String>,
    /// As in the stage `webhook`.
    pub status_url_json_path: Option<String>,
    /// As in the stage `webhook`.
    pub status_json_path: Option<String>,
    /// As in the stage `webhook`.
    pub progress_json_path: Option<String>,
    /// As in the stage `webhook`.
    pub success_statuses: Option<String>,
    /// As in the stage `webhook`.
    pub canceled_statuses: Option<String>,
    /// As in the stage `webhook`.
    pub terminal_statuses: Option<String>,
    /// As in the stage `webhook`.
    pub fail_fast_status_codes: Option<Vec<u16>>,
    /// As in the stage `webhook`.
    pub retry_status_codes: Option<Vec<u16>>,
    /// As in the stage `webhook`.
    pub webhook_retry_status_codes: Option<Vec<u16>>,
    /// As in the stage `webhook`.
    pub retries: BTreeMap<String, Retry>,
    /// As in the stage `webhook`.
    pub wait_before_monitor: Option<i64>,
    /// As in the stage `webhook`.
    pub signal_cancellation: Option<bool>,
    /// As in the stage `webhook`.
    pub cancel_endpoint: Option<String>,
    /// As in the stage `webhook`.
    pub cancel_method: Option<String>,
    /// As in the stage `webhook`.
    pub cancel_payload: Option<String>,
    /// What a pipeline gives.
    pub parameters: Vec<Parameter>,
    /// Who may see it (`READ`) and run it (`WRITE`): names of users. A list that is not there means everybody.
    pub permissions: BTreeMap<String, Vec<String>>,
}

/// A parameter of a preconfigured webhook.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    /// The key in `parameterValues`.
    pub name: String,
    /// What people see.
    pub label: String,
    /// What it is for.
    pub description: String,
    /// `string` when it does not say; for the form alone.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its value when the pipeline gives none; without it one must be given.
    pub default_value: Option<String>,
    /// Its place in the form.
    pub order: i64,
    /// The only values that it may have.
    pub options: Vec<String>,
}

/// A configured webhook that cannot be a stage type.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("[[webhook.preconfigured]] {kind}: {why}")]
pub struct BadWebhook {
    kind: String,
    why: String,
}

impl Preconfigured {
    /// Refuses what could never run.
    pub fn check(&self, taken: &[&str]) -> Result<(), BadWebhook> {
        let bad = |why: String| Err(BadWebhook { kind: self.kind.clone(), why });
        if self.kind.trim().is_empty() || self.kind.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return bad("its type must be one word".into());
        }
        if taken.contains(&self.kind.as_str()) {
            return bad("there is a stage of this type already".into());
        }
        self.raw().check().or_else(|error| bad(error.to_string()))
    }

    /// Whether a person may do this (`READ`, `WRITE`) with it.
    pub fn permits(&self, what: &str, user: &str) -> bool {
        self.permissions.get(what).is_none_or(|names| names.is_empty() || names.iter().any(|name| name == user))
    }

    /// As `GET /webhooks/preconfigured` shows it. Its address, headers and payload are not shown.
    pub fn listed(&self) -> Value {
        let mut parameters: Vec<&Parameter> = self.parameters.iter().collect();
        parameters.sort_by_key(|p| p.order);
        let shown = |p: &Parameter| {
            json!({
                "name": p.name, "label": p.label, "description": p.description, "order": p.order,
                "type": p.kind.as_deref().unwrap_or("string"), "defaultValue": p.default_value, "options": p.options,
            })
        };
        json!({
            "type": self.kind,
            "label": self.label,
            "description": self.description,
            "waitForCompletion": self.wait_for_completion,
            "noUserConfigurableFields": true,
            "preconfiguredProperties": FIELDS,
            "parameters": parameters.into_iter().map(shown).collect::<Vec<_>>(),
        })
    }

    /// Its configuration, parameters not filled in.
    fn raw(&self) -> Config {
        let text = |text: &Option<String>| text.clone().filter(|t| !t.trim().is_empty());
        let payload = |text: &Option<String>| {
            text.as_deref().map(|t| serde_json::from_str(t).unwrap_or_else(|_| Value::String(t.to_owned())))
        };
        Config {
            url: Some(self.url.clone()),
            method: text(&self.method),
            payload: payload(&self.payload),
            custom_headers: Some(self.custom_headers.iter().map(|(k, v)| (k.clone(), json!(v))).collect()),
            wait_for_completion: self.wait_for_completion,
            monitor_only: false,
            status_url_resolution: text(&self.status_url_resolution),
            status_url_json_path: text(&self.status_url_json_path),
            status_json_path: text(&self.status_json_path),
            progress_json_path: text(&self.progress_json_path),
            success_statuses: text(&self.success_statuses),
            canceled_statuses: text(&self.canceled_statuses),
            terminal_statuses: text(&self.terminal_statuses),
            fail_fast_status_codes: self.fail_fast_status_codes.clone(),
            retry_status_codes: self.retry_status_codes.clone(),
            webhook_retry_status_codes: self.webhook_retry_status_codes.clone(),
            retries: Some(self.retries.clone()),
            wait_before_monitor: self.wait_before_monitor,
            signal_cancellation: self.signal_cancellation,
            cancel_endpoint: text(&self.cancel_endpoint),
            cancel_method: text(&self.cancel_method),
            cancel_payload: payload(&self.cancel_payload),
        }
    }

    /// Its configuration with a stage's parameters filled in. What the pipeline says about the call itself is not looked at.
    pub(super) fn filled(&self, input: &TaskInput) -> Result<Config, String> {
        let given = input.view().and_then(|view| view.context().get("parameterValues"));
        let values = self.values(given.and_then(Value::as_object))?;
        let in_address: Map =
            values.iter().map(|(k, v)| Ok((k.clone(), json!(encoded(k, v)?)))).collect::<Result<_, String>>()?;
        let mut config = self.raw();
        for text in [&mut config.url, &mut config.cancel_endpoint].into_iter().flatten() {
            *text = printed(fill(input, &in_address, &json!(text))?);
        }
        for value in [&mut config.payload, &mut config.cancel_payload].into_iter().flatten() {
            *value = fill(input, &values, value)?;
        }
        if let Some(headers) = config.custom_headers.take() {
            config.custom_headers = fill(input, &values, &Value::Object(headers))?.as_object().cloned();
        }
        Ok(config)
    }

    /// The parameters of a stage, with their defaults.
    fn values(&self, given: Option<&Map>) -> Result<Map, String> {
        let mut values = Map::new();
        for parameter in &self.parameters {
            let name = &parameter.name;
            let value = given.and_then(|given| given.get(name)).filter(|v| !v.is_null() && **v != json!(""));
            let value = match (value, &parameter.default_value) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => json!(default),
                (None, None) => return Err(format!("parameterValues.{name} is missing")),
            };
            let text = printed(value.clone());
            if !parameter.options.is_empty() && !parameter.options.contains(&text) {
                let options = parameter.options.join(", ");
                return Err(format!("parameterValues.{name} is '{text}'; it may be {options}"));
            }
            values.insert(name.clone(), value);
        }
        Ok(values)
    }
}

/// What the configuration decides, by Spinnaker's names.
const FIELDS: [&str; 14] = [
    "url",
    "customHeaders",
    "method",
    "payload",
    "failFastStatusCodes",
    "waitForCompletion",
    "statusUrlResolution",
    "statusUrlJsonPath",
    "statusJsonPath",
    "progressJsonPath",
    "successStatuses",
    "canceledStatuses",
    "terminalStatuses",
    "cancelEndpoint",
];

fn printed(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A parameter as it stands in an address: it can neither leave its path nor begin another argument.
fn encoded(name: &str, value: &Value) -> Result<String, String> {
    let text = printed(value.clone());
    if text.split('/').any(|part| part == "." || part == "..") {
        return Err(format!("parameterValues.{name} may not hold '.' or '..' as a part of a path"));
    }
    let keeps = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:".contains(&b);
    Ok(text.bytes().map(|b| if keeps(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect())
}

/// The stage type of a preconfigured webhook.
struct PreconfiguredStage {
    kind: &'static str,
    webhook: Preconfigured,
}

/// Made once for the life of the process, like every other stage type.
pub(super) fn stage(webhook: &Preconfigured) -> &'static dyn Stage {
    let kind = Box::leak(webhook.kind.clone().into_boxed_str());
    Box::leak(Box::new(PreconfiguredStage { kind, webhook: webhook.clone() }))
}

impl Stage for PreconfiguredStage {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written("parameterValues: object"))
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let webhook = &self.webhook;
        if webhook.enabled == Some(false) {
            return Err(PlanError::Refused(format!("the configured webhook '{}' is switched off", webhook.kind)));
        }
        let user = stage.user();
        if !webhook.permits("WRITE", user) {
            return Err(PlanError::Refused(format!("'{user}' may not run the configured webhook '{}'", webhook.kind)));
        }
        let given = stage.context().get("parameterValues").and_then(Value::as_object);
        let values = webhook.values(given).map_err(PlanError::Refused)?;
        let mut all = given.cloned().unwrap_or_default();
        all.extend(values);
        Ok(Plan::tasks(tasks(&webhook.raw())).with("parameterValues", all))
    }
    fn makes_artifacts(&self) -> bool {
        true
    }
    fn on_cancel(&self, _: &StageView) -> Option<TaskSpec> {
        self.webhook.raw().cancellation().map(|_| TaskSpec::new("cancelWebhook", CREATE))
    }
    fn prepare_restart(&self, context: &mut Map) {
        context.shift_remove("webhook");
    }
}
