//! By e-mail, over SMTP.

use std::time::Duration;

use async_trait::async_trait;
use lettre::address::AddressError;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde::{Deserialize, Serialize};

use super::{Message, Notifier, NotifyError, Secret};

/// The longest that one mail may take.
const TIME: Duration = Duration::from_secs(30);
/// How many people one notification may go to.
const MOST: usize = 50;

/// How a connection is kept from others' eyes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS after STARTTLS; a server that does not offer it gets no mail. Port 587.
    #[default]
    Starttls,
    /// TLS from the first byte. Port 465.
    Tls,
    /// None: for a relay on this machine. Port 25.
    None,
}

/// Through which server mail goes.
#[derive(Clone)]
pub struct EmailConfig {
    /// Its name.
    pub host: String,
    /// Its port, where it is not the usual one.
    pub port: Option<u16>,
    /// How the connection is secured.
    pub security: Security,
    /// The sender, `name@host` or `Name <name@host>`.
    pub from: String,
    /// The user, where the server asks for one.
    pub username: Option<String>,
    /// Their password.
    pub password: Option<Secret>,
}

/// The kind `email`.
pub struct Email {
    config: EmailConfig,
    from: Mailbox,
}

impl Email {
    /// Refuses a sender that is none, and a user whose password everybody on the way could read.
    pub fn new(config: EmailConfig) -> Result<Self, String> {
        let from: Mailbox =
            config.from.parse().map_err(|error: AddressError| format!("from = \"{}\": {error}", config.from))?;
        let local = matches!(config.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if config.security == Security::None && config.username.is_some() && !local {
            return Err("a username with security = \"none\" would send the password in the clear".into());
        }
        if config.username.is_some() != config.password.is_some() {
            return Err("username and password go together".into());
        }
        Ok(Self { config, from })
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, NotifyError> {
        let config = &self.config;
        let tls = || TlsParameters::new(config.host.clone()).map_err(|error| NotifyError::Never(error.to_string()));
        let (tls, port) = match config.security {
            Security::Starttls => (Tls::Required(tls()?), 587),
            Security::Tls => (Tls::Wrapper(tls()?), 465),
            Security::None => (Tls::None, 25),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(TIME));
        if let (Some(user), Some(password)) = (&config.username, &config.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password().map_err(NotifyError::Later)?));
        }
        Ok(builder.build())
    }

    fn mail(&self, message: &Message) -> Result<lettre::Message, NotifyError> {
        let never = |error: String| NotifyError::Never(error);
        let (to, cc) = (addresses(&message.to)?, addresses(&message.cc)?);
        if to.is_empty() {
            return Err(never("it names no address".into()));
        }
        if to.len() + cc.len() > MOST {
            return Err(never(format!("it names more than {MOST} addresses")));
        }
        let domain = self.from.email.domain();
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .subject(one_line(&message.subject))
            .message_id(Some(format!("<{}@{domain}>", message.id)))
            .header(Automatic)
            .header(ContentType::TEXT_PLAIN);
        for one in to {
            builder = builder.to(one);
        }
        for one in cc {
            builder = builder.cc(one);
        }
        builder.body(message.text.clone()).map_err(|error| never(error.to_string()))
    }
}

/// Says that nobody wrote it, so that no answering machine answers (RFC 3834).
#[derive(Clone)]
struct Automatic;

impl Header for Automatic {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// A subject with a line break in it could bring headers of its own.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The addresses in a text, with commas, semicolons or blanks between them.
fn addresses(text: &str) -> Result<Vec<Mailbox>, NotifyError> {
    let parts = text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty());
    let read = |part: &str| {
        part.parse::<Mailbox>().map_err(|error| {
            let shown: String = part.chars().take(80).flat_map(char::escape_debug).collect();
            NotifyError::Never(format!("\"{shown}\" is no e-mail address: {error}"))
        })
    };
    parts.map(read).collect()
}

#[async_trait]
impl Notifier for Email {
    fn kind(&self) -> &'static str {
        "email"
    }

    async fn send(&self, message: &Message) -> Result<(), NotifyError> {
        let mail = self.mail(message)?;
        let host = &self.config.host;
        // A connection a mail: they are few, and a server that was restarted is no reason to fail.
        self.transport()?.send(mail).await.map(drop).map_err(|error| {
            let text = format!("the mail server {host} did not take it: {}", innermost(&error));
            if error.is_permanent() { NotifyError::Never(text) } else { NotifyError::Later(text) }
        })
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::notify::Tone;

    fn config() -> EmailConfig {
        EmailConfig {
            host: "mail.example.org".into(),
            port: None,
            security: Security::Starttls,
            from: "Gennaker <gennaker@example.org>".into(),
            username: None,
            password: None,
        }
    }

    fn message(to: &str, subject: &str) -> Message {
        Message {
            id: "01J".into(),
            to: to.into(),
            cc: String::new(),
            subject: subject.into(),
            text: "it failed\nhttp://x/".into(),
            link: None,
            tone: Tone::Bad,
            facts: Value::Null,
        }
    }

    #[test]
    fn a_mail_goes_to_everybody_it_names() {
        let email = Email::new(config()).expect("good");
        let mail =
            email.mail(&message("a@example.org, Kim <kim@example.org>; c@example.org", "배포 failed")).expect("a mail");
        let to: Vec<String> = mail.envelope().to().iter().map(ToString::to_string).collect();
        assert_eq!(to, ["a@example.org", "kim@example.org", "c@example.org"]);
        let text = String::from_utf8(mail.formatted()).expect("ASCII");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
        assert!(text.contains("Message-ID: <01J@example.org>\r\n"), "{text}");
    }

    #[test]
    fn a_subject_brings_no_headers_of_its_own() {
        let email = Email::new(config()).expect("good");
        let mail = email.mail(&message("a@example.org", "failed\r\nBcc: evil@example.org")).expect("a mail");
        let text = String::from_utf8(mail.formatted()).expect("ASCII");
        assert!(text.contains("Subject: failed Bcc: evil@example.org\r\n") && !text.contains("\nBcc:"), "{text}");
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        let email = Email::new(config()).expect("good");
        let error = email.mail(&message("nobody", "x")).expect_err("refused");
        assert!(error.to_string().starts_with("\"nobody\" is no e-mail address"), "{error}");
        assert_eq!(email.mail(&message(" , ", "x")).expect_err("refused").to_string(), "it names no address");
    }

    #[test]
    fn a_password_is_not_sent_where_others_read_along() {
        let password: Secret = Arc::new(|| Ok("hunter2".into()));
        let open =
            EmailConfig { security: Security::None, username: Some("g".into()), password: Some(password), ..config() };
        let error = Email::new(open.clone()).err().expect("refused");
        assert_eq!(error, "a username with security = \"none\" would send the password in the clear");
        assert!(Email::new(EmailConfig { host: "localhost".into(), ..open }).is_ok());
    }
}
