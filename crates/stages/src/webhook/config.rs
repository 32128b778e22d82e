//! What a webhook stage is told, read leniently, and what it may not be told.

use std::collections::BTreeMap;

use pipeline::{Map, PlanError, json_path};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Answers that fail at once when the stage does not say: a gateway that gave up may have passed the call on.
const FAIL_FAST: [u16; 1] = [504];
/// Answers to the call that may be better next time.
const RETRY: [u16; 3] = [429, 502, 503];
/// The ways to find the address that tells the status.
const RESOLUTIONS: [&str; 4] = ["getMethod", "locationHeader", "webhookResponse", "constant"];

/// The stage's configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Config {
    /// What is called.
    pub url: Option<String>,
    /// How; POST when it does not say.
    pub method: Option<String>,
    /// The body: JSON, or a text as it is.
    pub payload: Option<Value>,
    /// Headers; a list of values sends the header once for each.
    pub custom_headers: Option<Map>,
    /// Whether the status is asked for until it is an end.
    pub wait_for_completion: bool,
    /// Whether nothing is called first: `url` tells the status.
    pub monitor_only: bool,
    /// `getMethod`, `locationHeader`, `webhookResponse` or `constant`.
    pub status_url_resolution: Option<String>,
    /// Where the answer names the address that tells the status; of `constant` that address.
    pub status_url_json_path: Option<String>,
    /// Where the status stands; without it an answer is enough.
    pub status_json_path: Option<String>,
    /// Where the progress stands.
    pub progress_json_path: Option<String>,
    /// Words for a good end, separated by commas.
    pub success_statuses: Option<String>,
    /// Words for a cancelled end.
    pub canceled_statuses: Option<String>,
    /// Words for a bad end.
    pub terminal_statuses: Option<String>,
    /// Answers to the call that fail at once.
    pub fail_fast_status_codes: Option<Vec<u16>>,
    /// Answers to the question for the status after which it is asked again.
    pub retry_status_codes: Option<Vec<u16>>,
    /// Answers to the call after which it is made again.
    pub webhook_retry_status_codes: Option<Vec<u16>>,
    /// How often the call is made at most, by the answer's code.
    pub retries: Option<BTreeMap<String, Retry>>,
    /// Seconds until the status is first asked for.
    pub wait_before_monitor: Option<i64>,
    /// False: a cancelled stage calls nobody.
    pub signal_cancellation: Option<bool>,
    /// What is called when the stage is cancelled.
    pub cancel_endpoint: Option<String>,
    /// How; POST when it does not say.
    pub cancel_method: Option<String>,
    /// With what.
    pub cancel_payload: Option<Value>,
}

/// How often a call is made.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// At most, the first time included.
    pub max_attempts: Option<u32>,
}

/// What an answer that is no success means for a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It fails.
    Fails,
    /// It is made again.
    Again,
}

impl Config {
    /// Refuses what can never be called.
    pub fn check(&self) -> Result<(), PlanError> {
        let refused = |what: String| Err(PlanError::Refused(what));
        if self.url.as_deref().is_none_or(|url| url.trim().is_empty()) {
            return refused("a webhook needs url: the address that it calls".into());
        }
        for (key, text) in [("method", &self.method), ("cancelMethod", &self.cancel_method)] {
            let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphabetic());
            if text.as_deref().is_some_and(|text| !word(text)) {
                return refused(format!("{key} must be GET, POST, PUT, PATCH, DELETE or another word of letters"));
            }
        }
        for (name, value) in self.headers() {
            let broken = |text: &str| text.chars().any(|c| c.is_control() && c != '\t');
            if name.is_empty() || broken(name) || name.contains([' ', ':']) {
                return refused(format!("customHeaders: '{}' is no name of a header", name.escape_debug()));
            }
            if broken(&value) {
                return refused(format!("customHeaders.{name}: its value holds a line break or a control character"));
            }
        }
        if let Some(resolution) = self.status_url_resolution.as_deref()
            && !RESOLUTIONS.contains(&resolution)
        {
            return refused(format!("statusUrlResolution is '{resolution}'; there are {}", RESOLUTIONS.join(", ")));
        }
        let named = self.resolution() == "webhookResponse";
        let paths = [
            ("statusUrlJsonPath", self.status_url_json_path.as_deref().filter(|_| named)),
            ("statusJsonPath", self.status_path()),
            ("progressJsonPath", self.progress_json_path.as_deref()),
        ];
        for (key, path) in paths {
            if let Some(Err(error)) = path.map(json_path::check) {
                return refused(format!("{key}: {error}"));
            }
        }
        Ok(())
    }

    /// Names and values of the headers, each as often as it is sent.
    pub fn headers(&self) -> impl Iterator<Item = (&str, String)> {
        fn text(value: &Value) -> String {
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        }
        self.custom_headers.iter().flatten().flat_map(|(name, value)| match value {
            Value::Array(list) => list.iter().map(|v| (name.as_str(), text(v))).collect::<Vec<_>>(),
            Value::Null => Vec::new(),
            value => vec![(name.as_str(), text(value))],
        })
    }

    /// What is called.
    pub fn url(&self) -> &str {
        self.url.as_deref().unwrap_or("").trim()
    }

    /// How the address of the status is found.
    pub fn resolution(&self) -> &str {
        self.status_url_resolution.as_deref().unwrap_or("getMethod")
    }

    /// Where the status stands.
    pub fn status_path(&self) -> Option<&str> {
        self.status_json_path.as_deref().filter(|path| !path.trim().is_empty())
    }

    /// What is called when the stage is cancelled, if anything.
    pub fn cancellation(&self) -> Option<&str> {
        let on = self.signal_cancellation != Some(false);
        self.cancel_endpoint.as_deref().map(str::trim).filter(|url| on && !url.is_empty())
    }

    /// What an answer that is no success means for the call, which was made `attempts` times with this answer.
    pub fn verdict(&self, code: u16, attempts: u64) -> Verdict {
        let most = self.retries.as_ref().and_then(|retries| retries.get(&code.to_string())?.max_attempts);
        if let Some(most) = most {
            return if attempts < u64::from(most) { Verdict::Again } else { Verdict::Fails };
        }
        let lists = |codes: &Option<Vec<u16>>| codes.as_ref().is_some_and(|codes| codes.contains(&code));
        let fails = match &self.fail_fast_status_codes {
            Some(codes) => codes.contains(&code),
            None => FAIL_FAST.contains(&code) && !lists(&self.webhook_retry_status_codes),
        };
        if !fails && (lists(&self.webhook_retry_status_codes) || RETRY.contains(&code)) {
            return Verdict::Again;
        }
        Verdict::Fails
    }

    /// The same for the question for the status.
    pub fn monitor_verdict(&self, code: u16) -> Verdict {
        let listed = self.retry_status_codes.as_ref().is_some_and(|codes| codes.contains(&code));
        if listed || code == 429 || code >= 500 { Verdict::Again } else { Verdict::Fails }
    }
}
