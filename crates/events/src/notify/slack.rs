//! In a channel of Slack, or of what speaks its language (Mattermost, Rocket.Chat): by a bot's token, or to an incoming webhook.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Message, Notifier, NotifyError, Secret, Tone};
use crate::outgoing::{Call, Outgoing};

/// Where Slack's API is.
const API: &str = "https://slack.com/api";

/// How Slack is reached.
#[derive(Clone, Default)]
pub struct SlackConfig {
    /// A bot's token: then the address of a notification is any channel that the bot is in.
    pub token: Option<Secret>,
    /// The address of an incoming webhook, which is a secret by itself.
    pub webhook: Option<Secret>,
    /// Where the API is; empty for Slack's own.
    pub base_url: String,
}

/// The kind `slack`.
pub struct Slack {
    config: SlackConfig,
    outgoing: Arc<Outgoing>,
}

impl Slack {
    /// One of token and webhook must be there.
    pub fn new(config: SlackConfig, outgoing: Arc<Outgoing>) -> Result<Self, String> {
        match (&config.token, &config.webhook) {
            (Some(_), Some(_)) => Err("give token or webhook, not both".into()),
            (None, None) => Err("give the token of a bot, or the address of an incoming webhook".into()),
            _ => Ok(Self { config, outgoing }),
        }
    }
}

/// What Slack is posted.
fn body(message: &Message) -> Value {
    let color = match message.tone {
        Tone::Neutral => "#2f80ed",
        Tone::Good => "good",
        Tone::Bad => "danger",
    };
    let mut attachment = json!({
        "color": color, "fallback": escaped(&message.subject), "title": escaped(&message.subject), "text": escaped(&message.text),
    });
    if let Some(link) = &message.link {
        attachment["title_link"] = json!(link);
    }
    json!({"channel": channel(&message.to), "attachments": [attachment]})
}

/// A channel is called by its name with `#`; ids and people stay as they are.
fn channel(name: &str) -> String {
    let name = name.trim();
    let id = name.len() >= 9 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if id || name.starts_with(['#', '@']) { name.to_owned() } else { format!("#{name}") }
}

/// What would be Slack's own marks is text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[async_trait]
impl Notifier for Slack {
    fn kind(&self) -> &'static str {
        "slack"
    }

    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        let mut headers = vec![("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())];
        let url = match (&self.config.webhook, &self.config.token) {
            (Some(webhook), _) => webhook().map_err(NotifyError::Later)?,
            (None, Some(token)) => {
                headers.push(("Authorization".into(), format!("Bearer {}", token().map_err(NotifyError::Later)?)));
                let base = Some(self.config.base_url.trim_end_matches('/')).filter(|url| !url.is_empty());
                format!("{}/chat.postMessage", base.unwrap_or(API))
            }
            (None, None) => return Err(NotifyError::Never("Slack is not configured".into())),
        };
        let body = body(message).to_string().into();
        let answer = self.outgoing.call(Call { method: "POST".into(), url, headers, body: Some(body) }).await?;
        if !answer.status.is_success() {
            let text = format!("Slack answered {}", answer.status);
            let later = answer.status.is_server_error() || answer.status.as_u16() == 429;
            return Err(if later { NotifyError::Later(text) } else { NotifyError::Never(text) });
        }
        // The API answers 200 to everything, and says in the body whether it did it; a webhook says `ok`.
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(said) if said["ok"] == false => {
                let why: String = said["error"].as_str().unwrap_or("no").chars().take(80).collect();
                Err(NotifyError::Never(format!("Slack did not take it: {why}")))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_in_a_text_are_text() {
        let message = Message {
            id: "1".into(),
            to: "deployments".into(),
            cc: String::new(),
            subject: "ship failed".into(),
            text: "<!channel> a & b".into(),
            link: Some("http://x/run".into()),
            tone: Tone::Bad,
            facts: Value::Null,
        };
        let expected = json!({"channel": "#deployments", "attachments": [{
            "color": "danger", "fallback": "ship failed", "title": "ship failed", "text": "&lt;!channel&gt; a &amp; b", "title_link": "http://x/run",
        }]});
        assert_eq!(body(&message), expected);
    }

    #[test]
    fn channels_people_and_ids_are_told_apart() {
        for (given, expected) in
            [("ops", "#ops"), ("#ops", "#ops"), ("@kim", "@kim"), ("C024BE91L", "C024BE91L"), (" ops ", "#ops")]
        {
            assert_eq!(channel(given), expected);
        }
    }
}
