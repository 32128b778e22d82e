//! The configuration: flags over `GENNAKER_SECTION__KEY` over the file over defaults, as one merge of tables.

mod accounts;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use access::{Secret, SecretConfig, TokenConfig};
use anyhow::{Context, bail};
use events::notify;
use events::outgoing::Allow;
use serde::{Deserialize, Serialize, Serializer};
use stages::tidy::Keep;
use stages::webhook::Preconfigured;
use url::Url;

pub use self::accounts::{CloudName, LocalAccount, MoreAccount, NamedCertificate};
use crate::environment::Environment;

/// The whole file. Unknown keys are errors that name the known ones.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[[token]]`
    pub token: Vec<TokenConfig>,
    /// `[[secret]]`
    pub secret: Vec<SecretConfig>,
    /// `[outgoing]`
    pub outgoing: Outgoing,
    /// `[notifications]`
    pub notifications: Notifications,
    /// `[apt]`
    pub apt: Apt,
    /// `[webhook]`
    pub webhook: Webhook,
    /// `[script]`
    pub script: Script,
    /// `[triggers]`
    pub triggers: Triggers,
    /// `[local]`
    pub local: LocalAccount,
    /// `[[account]]`
    pub account: Vec<MoreAccount>,
    /// `[traffic_guards]`
    pub traffic_guards: TrafficGuards,
    /// `[retention]`
    pub retention: Retention,
}

/// Where the server keeps its data and listens.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The data folder; without one the default of the user.
    pub data: Option<PathBuf>,
    /// The page and the API.
    pub listen: SocketAddr,
    /// The same again on the port that Spinnaker's users know; `none` switches it off.
    pub gate_listen: GateListen,
    /// Further names under which a loopback listener may be called.
    pub hosts: Vec<String>,
    /// Origins whose pages may use the API, besides loopback names.
    pub allowed_origins: Vec<String>,
    /// What listeners beyond loopback show; read again when the files change.
    pub tls: Option<Tls>,
    /// Addresses, or ranges of them, of proxies that speak TLS for this server: requests without it come from them alone.
    pub trusted_proxies: Allow,
    /// `postgres://…` instead of the file in the data folder.
    #[serde(serialize_with = "hidden")]
    pub store: Option<Secret>,
    /// Where people reach the page, for links in what they are told: `https://gennaker.example.org`.
    pub public_url: Option<PublicUrl>,
    /// `plain` for people, `json` for machines.
    pub log: LogFormat,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            data: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 9000)),
            gate_listen: GateListen(Some(SocketAddr::from(([127, 0, 0, 1], 8084)))),
            hosts: Vec::new(),
            allowed_origins: Vec::new(),
            tls: None,
            trusted_proxies: Allow::default(),
            store: None,
            public_url: None,
            log: LogFormat::Plain,
        }
    }
}

/// A certificate and its key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The chain, PEM, the server's own first.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// A secret as it is shown: that there is one.
fn hidden<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => access::secret::dots(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// An address, or none.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct GateListen(pub Option<SocketAddr>);

impl From<GateListen> for String {
    fn from(listen: GateListen) -> Self {
        listen.0.map_or_else(|| "none".to_owned(), |address| address.to_string())
    }
}

impl TryFrom<String> for GateListen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        text.parse()
            .map(|address| Self(Some(address)))
            .map_err(|_| format!("\"{text}\" is neither address:port nor none"))
    }
}

/// An address of the web, without a slash at its end.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl(pub String);

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Self(text.trim_end_matches('/').to_owned())),
            _ => Err(format!("\"{text}\" is no address like https://gennaker.example.org")),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line for a person.
    #[default]
    Plain,
    /// A JSON object a line.
    Json,
}

/// What the server may call.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outgoing {
    /// `host:port`, ranges of addresses, `public`; empty allows nothing.
    pub allow: Allow,
}

/// By what people are told, besides requests to addresses that [`Outgoing`] allows.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notifications {
    /// `[notifications.email]`
    pub email: Option<Email>,
    /// `[notifications.slack]`
    pub slack: Option<Slack>,
}

/// Through which server mail goes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Its name.
    pub host: String,
    /// Its port; that of `security` without one.
    pub port: Option<u16>,
    /// `starttls` (port 587), `tls` (465) or `none` (25).
    #[serde(default)]
    pub security: notify::Security,
    /// The sender.
    pub from: String,
    /// The user, where the server wants one.
    pub username: Option<String>,
    /// Their password, mostly `${secret('name')}`.
    #[serde(serialize_with = "hidden")]
    pub password: Option<Secret>,
}

/// How Slack is reached.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The token of a bot, mostly `${secret('name')}`.
    #[serde(serialize_with = "hidden")]
    pub token: Option<Secret>,
    /// Instead of it the address of an incoming webhook, which is a secret as well.
    #[serde(serialize_with = "hidden")]
    pub webhook: Option<Secret>,
    /// Where the API is, when it is not Slack's own.
    #[serde(default)]
    pub base_url: String,
}

/// Webhooks that pipelines may use without knowing where they lead.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// `[[webhook.preconfigured]]`: each is a stage type, with Spinnaker's keys.
    pub preconfigured: Vec<Preconfigured>,
}

/// What script stages may use of this machine.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Folders whose files may be run by their path, and in which scripts may run; empty allows none.
    pub allow: Vec<PathBuf>,
}

/// What is the same for the traffic guards of all applications.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrafficGuards {
    /// What would leave this share of a guarded cluster's instances, or less, is refused.
    min_capacity_ratio: f64,
}

impl TrafficGuards {
    /// At least 0 (only what would leave none is refused), less than 0.5.
    pub fn min_capacity_ratio(&self) -> anyhow::Result<f64> {
        let ratio = self.min_capacity_ratio;
        if (0.0..0.5).contains(&ratio) {
            return Ok(ratio);
        }
        bail!("min_capacity_ratio under [traffic_guards] is {ratio}; it must be at least 0 and less than 0.5")
    }
}

/// How long things are kept, in days.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Executions that have ended.
    pub executions_days: u32,
    /// So many of each pipeline, however old they are.
    pub executions_of_each_pipeline: u32,
    /// Journals of executions that have ended.
    pub journal_days: u32,
    /// Live logs of executions that have ended, and logs of instances that are gone.
    pub logs_days: u32,
    /// Entries of the audit log.
    pub audit_days: u32,
    /// Events of apt roots.
    pub events_days: u32,
    /// Images that nothing uses.
    pub images_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            executions_days: 90,
            executions_of_each_pipeline: 30,
            journal_days: 7,
            logs_days: 30,
            audit_days: 400,
            events_days: 30,
            images_days: 7,
        }
    }
}

impl Retention {
    /// The same for those who forget. Nothing is kept for less than a day.
    pub fn keep(&self) -> anyhow::Result<Keep> {
        let all = [
            ("executions_days", self.executions_days),
            ("journal_days", self.journal_days),
            ("logs_days", self.logs_days),
            ("audit_days", self.audit_days),
            ("events_days", self.events_days),
            ("images_days", self.images_days),
        ];
        if let Some((key, _)) = all.into_iter().find(|(_, days)| *days == 0) {
            bail!("{key} under [retention] is 0; it must be at least 1");
        }
        let pipeline = pipeline::retention::Keep {
            executions: self.executions_days.into(),
            of_each_pipeline: self.executions_of_each_pipeline.into(),
            journal: self.journal_days.into(),
            logs: self.logs_days.into(),
            ..pipeline::retention::Keep::default()
        };
        Ok(Keep {
            pipeline,
            audit: self.audit_days,
            events: self.events_days,
            logs: self.logs_days,
            images: self.images_days,
        })
    }
}

/// Which aptly roots the server follows.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Apt {
    /// `[[apt.root]]`; without one, the root of the user's `aptly config show`.
    pub root: Vec<AptRoot>,
}

/// One aptly root.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AptRoot {
    /// The folder that holds `pool` and `public`.
    pub path: PathBuf,
}

/// How pipelines start by themselves.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Triggers {
    /// The time zone of cron triggers that name none.
    pub cron_zone: String,
    /// What a cron trigger missed while no server ran fires if it is younger than so many minutes.
    pub missed_minutes: u32,
    /// How many pipelines of one application may be started by triggers in a minute.
    pub starts_per_minute: u32,
}

impl Default for Triggers {
    fn default() -> Self {
        Self { cron_zone: "UTC".into(), missed_minutes: 30, starts_per_minute: pipeline::engine::STARTS_PER_MINUTE }
    }
}

/// What stands on the command line, `(section, key, value)`.
pub type Flags = Vec<(&'static str, &'static str, String)>;

impl Config {
    /// Reads `file` (or the default one when it exists) and lays environment and flags over it.
    pub fn load(file: Option<&Path>, environment: &Environment, flags: Flags) -> anyhow::Result<Self> {
        let default = environment.default_config();
        let path = file.unwrap_or(&default);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read the configuration {}", path.display()));
            }
        };
        // Once as it is, so that an error shows line and column; then with what lies over it.
        toml::from_str::<Self>(&text).with_context(|| format!("in the configuration {}", path.display()))?;
        let mut table: toml::Table = toml::from_str(&text)?;
        for ((section, key), value) in &environment.settings {
            lay(&mut table, section, key, value).with_context(|| Environment::setting(section, key))?;
        }
        for (section, key, value) in &flags {
            lay(&mut table, section, key, value)?;
        }
        table.try_into().context("in the environment (GENNAKER_SECTION__KEY) or a flag")
    }

    /// The data folder.
    pub fn data(&self, environment: &Environment) -> PathBuf {
        self.server.data.clone().unwrap_or_else(|| environment.default_data())
    }

    /// Every address that the server listens on.
    pub fn listeners(&self) -> Vec<SocketAddr> {
        std::iter::once(self.server.listen).chain(self.server.gate_listen.0).collect()
    }
}

/// Whether a key holds a whole number.
fn is_number(section: &str, key: &str) -> bool {
    section == "retention" || matches!(key, "missed_minutes" | "starts_per_minute" | "drain_seconds")
}

/// Lays one text value over a table; lists are separated by commas.
fn lay(table: &mut toml::Table, section: &str, key: &str, value: &str) -> anyhow::Result<()> {
    let entry = table.entry(section).or_insert_with(|| toml::Table::new().into());
    let Some(keys) = entry.as_table_mut() else { bail!("{section} is a list in the file and cannot be set so") };
    let list = matches!(key, "allow" | "hosts" | "allowed_origins" | "trusted_proxies" | "zones");
    let value = if list {
        value
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(toml::Value::from)
            .collect::<Vec<_>>()
            .into()
    } else if let (true, Ok(number)) = (is_number(section, key), value.parse::<i64>()) {
        number.into()
    } else if let ("min_capacity_ratio", Ok(number)) = (key, value.parse::<f64>()) {
        number.into()
    } else {
        toml::Value::from(value)
    };
    keys.insert(key.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &Environment, flags: Flags) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gennaker.toml");
        std::fs::write(&file, text).expect("written");
        Config::load(Some(&file), environment, flags)
    }

    #[test]
    fn flags_win_over_the_environment_which_wins_over_the_file() {
        let mut environment = Environment::default();
        environment.settings.insert(("server".into(), "listen".into()), "127.0.0.1:2".into());
        environment.settings.insert(("outgoing".into(), "allow".into()), "a:1, 10.0.0.0/8".into());
        let file = "[server]\nlisten = \"127.0.0.1:1\"\ngate_listen = \"none\"\n";
        let config = load(file, &environment, Vec::new()).expect("good");
        assert_eq!(config.server.listen.port(), 2);
        assert!(config.server.gate_listen.0.is_none());
        assert!(config.outgoing.allow.permits("x", "10.1.2.3:80".parse().expect("an address")));
        let config = load(file, &environment, vec![("server", "listen", "127.0.0.1:3".into())]).expect("good");
        assert_eq!(config.server.listen.port(), 3);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_known_ones() {
        let error =
            format!("{:#}", load("[server]\nlitsen = 1\n", &Environment::default(), Vec::new()).expect_err("refused"));
        assert!(error.contains("line 2") && error.contains("litsen") && error.contains("`listen`"), "{error}");
    }

    #[test]
    fn a_preconfigured_webhook_has_spinnakers_keys() {
        let file = "[[webhook.preconfigured]]\ntype = \"chat\"\nlabel = \"Chat\"\nurl = \"https://chat/hook\"\nsensitiveHeaders = [\"X-Mine\"]\n\
                    [webhook.preconfigured.customHeaders]\nX-Mine = \"value\"\n";
        let config = load(file, &Environment::default(), Vec::new()).expect("good");
        let [webhook] = config.webhook.preconfigured.as_slice() else { panic!("there is one") };
        assert_eq!((webhook.kind.as_str(), webhook.check(&["wait"])), ("chat", Ok(())));
        let error = load("[[webhook.preconfigured]]\nurll = \"x\"\n", &Environment::default(), Vec::new());
        let error = format!("{:#}", error.expect_err("refused"));
        assert!(error.contains("line 2") && error.contains("urll"), "{error}");
    }
}
