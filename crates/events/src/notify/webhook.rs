//! By a request to an address: the facts as JSON, for programs.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Message, Notifier, NotifyError};
use crate::outgoing::{Call, Outgoing};

/// The kind `webhook`.
pub struct Webhook {
    /// Calls.
    pub outgoing: Arc<Outgoing>,
}

#[async_trait]
impl Notifier for Webhook {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        let headers = vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Idempotency-Key".to_owned(), message.id.clone()),
        ];
        let body = Some(message.facts.to_string().into());
        let url = message.to.trim().to_owned();
        let answer = self.outgoing.call(Call { method: "POST".into(), url, headers, body }).await?;
        match answer.status {
            status if status.is_success() => Ok(()),
            status if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) => {
                Err(NotifyError::Later(format!("it answered {status}")))
            }
            status => Err(NotifyError::Never(format!("it answered {status}"))),
        }
    }
}
