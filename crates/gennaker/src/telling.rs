//! From the configuration to the kinds of notifications that the server can send.

use std::sync::Arc;

use access::{Secret, Secrets};
use anyhow::{Context, anyhow};
use events::notify::{self, EmailConfig, Notifier, Notifiers, SlackConfig};
use events::outgoing::Outgoing;

use crate::config::{Email, Notifications, Slack};

/// The kinds that are configured, and `webhook`, which needs no more than an address that `[outgoing]` allows.
pub fn notifiers(
    config: &Notifications,
    secrets: &Arc<Secrets>,
    outgoing: &Arc<Outgoing>,
) -> anyhow::Result<Notifiers> {
    let mut all: Vec<Arc<dyn Notifier>> = Vec::new();
    if let Some(config) = &config.email {
        let email = email(config, secrets).map_err(|why| anyhow!(why)).context("[notifications.email]")?;
        all.push(Arc::new(email));
    }
    if let Some(config) = &config.slack {
        let slack = slack(config, secrets, outgoing).map_err(|why| anyhow!(why)).context("[notifications.slack]")?;
        all.push(Arc::new(slack));
    }
    all.push(Arc::new(notify::Webhook { outgoing: outgoing.clone() }));
    Ok(Notifiers::new(all))
}

fn email(config: &Email, secrets: &Arc<Secrets>) -> Result<notify::Email, String> {
    notify::Email::new(EmailConfig {
        host: config.host.clone(),
        port: config.port,
        security: config.security,
        from: config.from.clone(),
        username: config.username.clone(),
        password: config.password.as_ref().map(|text| when_needed(text, secrets)),
    })
}

fn slack(config: &Slack, secrets: &Arc<Secrets>, outgoing: &Arc<Outgoing>) -> Result<notify::Slack, String> {
    let config = SlackConfig {
        token: config.token.as_ref().map(|text| when_needed(text, secrets)),
        webhook: config.webhook.as_ref().map(|text| when_needed(text, secrets)),
        base_url: config.base_url.clone(),
    };
    notify::Slack::new(config, outgoing.clone())
}

/// Reads a secret each time that it is used, so that a new one counts without a restart.
fn when_needed(text: &Secret, secrets: &Arc<Secrets>) -> notify::Secret {
    let (text, secrets) = (text.clone(), secrets.clone());
    Arc::new(move || match secrets.resolve(&text) {
        Ok(secret) => Ok(secret.reveal().to_owned()),
        Err(error) => Err(error.to_string()),
    })
}
