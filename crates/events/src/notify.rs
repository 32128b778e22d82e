//! By what people are told: one file a kind, each behind [`Notifier`]. Not here: who is told what (`pipeline::notices`) and in which words
//! (`stages::react::notices`).

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

mod email;
mod slack;
mod webhook;

pub use email::{Email, EmailConfig, Security};
pub use slack::{Slack, SlackConfig};
pub use webhook::Webhook;

/// Gives a secret at the moment when it is needed, or says why it cannot.
pub type Secret = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// How bad the news are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something began, or somebody is asked.
    Neutral,
    /// It ended well.
    Good,
    /// It failed.
    Bad,
}

/// What is told.
#[derive(Clone, Debug)]
pub struct Message {
    /// Names this telling, the same on every try: who gets it twice can see that.
    pub id: String,
    /// Where it goes, as the notification says: an address, a channel, a URL.
    pub to: String,
    /// Further addresses, of the kinds that know them.
    pub cc: String,
    /// One line.
    pub subject: String,
    /// What happened and why, in a few lines. A link stands at its end where there is one.
    pub text: String,
    /// Where to look.
    pub link: Option<String>,
    /// How bad it is.
    pub tone: Tone,
    /// The same for programs.
    pub facts: Value,
}

/// Why somebody was not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// The same may well succeed later.
    #[error("{0}")]
    Later(String),
    /// It will never: something has to be changed first.
    #[error("{0}")]
    Never(String),
}

impl From<crate::outgoing::CallError> for NotifyError {
    fn from(error: crate::outgoing::CallError) -> Self {
        if error.is_transient() { Self::Later(error.to_string()) } else { Self::Never(error.to_string()) }
    }
}

/// A kind of notification.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// As it stands under `type`.
    fn kind(&self) -> &'static str;
    /// Tells.
    async fn send(&self, message: &Message) -> Result<(), NotifyError>;
}

/// The kinds that this server can send.
#[derive(Clone, Default)]
pub struct Notifiers(Vec<Arc<dyn Notifier>>);

impl Notifiers {
    /// These kinds.
    pub fn new(all: Vec<Arc<dyn Notifier>>) -> Self {
        Self(all)
    }

    /// Their names.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.0.iter().map(|one| one.kind()).collect()
    }

    /// Tells by the kind of this name.
    pub async fn send(&self, kind: &str, message: &Message) -> Result<(), NotifyError> {
        if message.to.trim().is_empty() {
            return Err(NotifyError::Never("it names no address".into()));
        }
        let Some(notifier) = self.0.iter().find(|one| one.kind() == kind) else {
            let kinds = self.kinds().join(", ");
            let shown: String = kind.chars().take(40).flat_map(char::escape_debug).collect();
            return Err(NotifyError::Never(match kind {
                "email" | "slack" => {
                    format!("this server sends nothing by {kind}: configure it under [notifications.{kind}]")
                }
                _ => format!("this server sends nothing by \"{shown}\": it knows {kinds}"),
            }));
        };
        notifier.send(message).await
    }
}
