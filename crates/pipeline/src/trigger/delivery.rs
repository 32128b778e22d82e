//! What somebody sent to `/webhooks/TYPE/SOURCE`, and which pipelines it starts. Nothing of it is trusted: a trigger with a secret looks at the
//! signature first, and what does not fit leaves no trace in an execution.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::signature::{self, Verdict};
use super::{entries, fires_entry, git, text};
use crate::Map;

/// The headers that mean something to a trigger.
const HEADERS: &[&str] = &[
    "x-github-delivery",
    "x-github-event",
    "x-gitlab-event",
    "x-gitlab-event-uuid",
    "x-gitlab-token",
    "x-event-key",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-request-id",
    "x-request-uuid",
    "idempotency-key",
];
/// A name of a delivery is not longer.
const LONGEST_NAME: usize = 200;

/// A delivery.
#[derive(Clone)]
pub struct Delivery {
    kind: String,
    source: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    payload: Map,
    stranger: bool,
}

/// Its headers hold what proves its sender.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Delivery({} {}, {} bytes)", self.kind, self.source, self.body.len())
    }
}

/// What a delivery does to a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It starts it.
    Fires(Map),
    /// It has nothing to do with it.
    Silent,
    /// Its sender does not prove to know the secret of a trigger for this source.
    Refused,
}

impl Delivery {
    /// `payload` is the body, read.
    pub fn new<'a>(
        kind: &str,
        source: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: Vec<u8>,
        payload: Map,
    ) -> Delivery {
        let known = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let headers = known.filter(|(name, _)| HEADERS.contains(&name.as_str())).collect();
        Delivery { kind: kind.to_ascii_lowercase(), source: source.to_owned(), headers, body, payload, stranger: false }
    }

    /// The same from somebody of whom nothing is known: only triggers with a secret listen.
    #[must_use]
    pub fn of_a_stranger(self) -> Delivery {
        Delivery { stranger: true, ..self }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn is(&self, kind: &str, source: &str) -> bool {
        self.kind == kind && self.source.eq_ignore_ascii_case(source)
    }

    /// The type in its path, in small letters.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The source in its path.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The name that its sender gave it; the same one is the same delivery, sent again.
    pub fn given_name(&self) -> Option<String> {
        let of_git = match self.source.to_ascii_lowercase().as_str() {
            "github" => self.header("x-github-delivery"),
            "gitlab" => self.header("idempotency-key").or_else(|| self.header("x-gitlab-event-uuid")),
            "bitbucket" | "stash" => self.header("x-request-uuid").or_else(|| self.header("x-request-id")),
            _ => None,
        };
        let name = if self.kind == "git" {
            of_git
        } else {
            let own = text(&self.payload, "eventId").or_else(|| text(&self.payload, "correlationId"));
            own.or_else(|| self.header("idempotency-key"))
        };
        name.map(str::trim).filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME).map(str::to_owned)
    }

    /// The event that triggers match: `{type, source, payload}`, of a Git host with its `changes`.
    pub fn event(&self) -> Value {
        let mut event = json!({ "type": self.kind, "source": self.source, "payload": self.payload });
        if self.kind == "git" {
            event["changes"] = json!(git::changes(self, &self.payload));
        }
        event
    }
}

/// What a delivery does to a pipeline; `event` is [`Delivery::event`], made once for all pipelines.
pub fn outcome(pipeline: &Map, delivery: &Delivery, event: &Value) -> Outcome {
    let mut refused = false;
    for config in entries(pipeline, delivery.kind()) {
        let mine = match delivery.kind() {
            "git" => text(config, "source").is_some_and(|source| source.eq_ignore_ascii_case(delivery.source())),
            _ => text(config, "source") == Some(delivery.source()),
        };
        if !mine {
            continue;
        }
        match signature::verdict(config, delivery) {
            Verdict::Good => {}
            Verdict::Open if !delivery.stranger => {}
            Verdict::Open | Verdict::Missing | Verdict::Wrong => {
                refused = true;
                continue;
            }
        }
        if let Some(fired) = fires_entry(pipeline, config, event) {
            return Outcome::Fires(fired);
        }
    }
    if refused { Outcome::Refused } else { Outcome::Silent }
}
