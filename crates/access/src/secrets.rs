//! Secrets that the operator keeps in files or the environment, and that configuration and pipelines name: `${secret('name')}`.
//!
//! What names a secret stays as it is written in pipelines, executions and logs; the value is put in at the last moment, by what sends it, and
//! only where the operator lets it go. Not here: which texts may name secrets (`stages::webhook`, the binary's configuration).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::Secret;

/// The largest file that is taken for a secret, in bytes.
const LARGEST: u64 = 64 << 10;

/// A `[[secret]]` of the configuration file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SecretConfig {
    /// How it is called.
    pub name: String,
    /// The file that holds it; read when it is needed, so that it may change. A line break at its end does not count.
    pub file: Option<PathBuf>,
    /// The variable of the server's environment that holds it.
    pub env: Option<String>,
    /// `host:port` to which webhooks of pipelines may send it; none without one.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// Why there is no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nobody configured one of this name.
    #[error("there is no secret '{0}': configure it under [[secret]]")]
    Unknown(String),
    /// It is not for this host.
    #[error("the secret '{name}' may not be sent to {host}: add it to `hosts` of [[secret]] {name} if it should")]
    NotFor {
        /// The secret's name.
        name: String,
        /// Host and port.
        host: String,
    },
    /// Its file or variable cannot be read.
    #[error("the secret '{name}' cannot be read: {why}")]
    Unreadable {
        /// The secret's name.
        name: String,
        /// Why.
        why: String,
    },
    /// The configuration of it says nothing, or two things.
    #[error("[[secret]] {0}: give either file or env")]
    NoPlace(String),
    /// Two of one name.
    #[error("[[secret]] {0}: the name is there twice")]
    Twice(String),
    /// A name that cannot be written in an expression.
    #[error("[[secret]] {0}: a name has letters, digits, '-', '_' and '.'")]
    BadName(String),
}

/// Where a secret is.
#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Value(Option<Secret>, String),
}

/// The configured secrets.
#[derive(Clone, Debug, Default)]
pub struct Secrets(BTreeMap<String, (Place, Vec<String>)>);

static NAMED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\$\{\s*#?secret\(\s*(?:'([A-Za-z0-9._-]+)'|"([A-Za-z0-9._-]+)")\s*\)\s*\}"#).ok());

impl Secrets {
    /// Takes the configured ones; `variable` reads the environment.
    pub fn new(configured: &[SecretConfig], variable: impl Fn(&str) -> Option<Secret>) -> Result<Self, SecretError> {
        let mut all = BTreeMap::new();
        for one in configured {
            let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if one.name.is_empty() || !one.name.chars().all(good) {
                return Err(SecretError::BadName(one.name.clone()));
            }
            let place = match (&one.file, &one.env) {
                (Some(file), None) => Place::File(file.clone()),
                (None, Some(name)) => Place::Value(variable(name), name.clone()),
                _ => return Err(SecretError::NoPlace(one.name.clone())),
            };
            if all.insert(one.name.clone(), (place, one.hosts.clone())).is_some() {
                return Err(SecretError::Twice(one.name.clone()));
            }
        }
        Ok(Self(all))
    }

    /// The secret of this name.
    pub fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let Some((place, _)) = self.0.get(name) else { return Err(SecretError::Unknown(name.into())) };
        let unreadable = |why: String| SecretError::Unreadable { name: name.into(), why };
        match place {
            Place::Value(Some(value), _) => Ok(value.clone()),
            Place::Value(None, variable) => Err(unreadable(format!("the variable {variable} is not set"))),
            Place::File(file) => {
                let size =
                    std::fs::metadata(file).map_err(|error| unreadable(format!("{}: {error}", file.display())))?.len();
                if size > LARGEST {
                    return Err(unreadable(format!("{} is larger than {LARGEST} bytes", file.display())));
                }
                let text = std::fs::read_to_string(file)
                    .map_err(|error| unreadable(format!("{}: {error}", file.display())))?;
                Ok(Secret::new(text.trim_end_matches(['\n', '\r'])))
            }
        }
    }

    /// A text of the configuration: a secret where it is nothing but the naming of one, else itself.
    pub fn resolve(&self, text: &Secret) -> Result<Secret, SecretError> {
        match named(text.reveal()) {
            Some(name) => self.get(name),
            None => Ok(text.clone()),
        }
    }

    /// A text that goes to a host (`name:port`), with the secrets that it names; also those secrets, to be hidden wherever they come back.
    pub fn fill(&self, text: &str, host: &str) -> Result<(String, Vec<Secret>), SecretError> {
        let Some(pattern) = NAMED.as_ref().filter(|_| text.contains("secret(")) else {
            return Ok((text.to_owned(), Vec::new()));
        };
        let (mut filled, mut used, mut at) = (String::with_capacity(text.len()), Vec::new(), 0);
        for found in pattern.captures_iter(text) {
            let Some((whole, name)) = found.get(0).zip(found.get(1).or_else(|| found.get(2))) else { continue };
            let name = name.as_str();
            let hosts = self.0.get(name).map(|(_, hosts)| hosts.as_slice()).unwrap_or_default();
            if self.0.contains_key(name) && !hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
                return Err(SecretError::NotFor { name: name.into(), host: host.into() });
            }
            let secret = self.get(name)?;
            filled.push_str(&text[at..whole.start()]);
            filled.push_str(secret.reveal());
            at = whole.end();
            used.push(secret);
        }
        filled.push_str(&text[at..]);
        Ok((filled, used))
    }
}

/// The name in a text that is nothing but the naming of a secret.
fn named(text: &str) -> Option<&str> {
    let text = text.trim();
    let found = NAMED.as_ref()?.captures(text).filter(|found| found.get(0).is_some_and(|all| all.as_str() == text))?;
    found.get(1).or_else(|| found.get(2)).map(|name| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(file: &std::path::Path) -> Secrets {
        let one = |name: &str, file: Option<PathBuf>, env: Option<&str>, hosts: &[&str]| SecretConfig {
            name: name.into(),
            file,
            env: env.map(Into::into),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        let all = [
            one("ci", Some(file.to_owned()), None, &["ci.example.org:443"]),
            one("smtp", None, Some("SMTP"), &[]),
            one("gone", None, Some("GONE"), &[]),
        ];
        Secrets::new(&all, |name| (name == "SMTP").then(|| Secret::new("from the environment"))).expect("good")
    }

    #[test]
    fn a_secret_goes_where_it_may_and_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ci");
        std::fs::write(&file, "t0ken\n").expect("written");
        let secrets = secrets(&file);
        let filled = |text: &str, host: &str| secrets.fill(text, host).map(|(text, used)| (text, used.len()));
        let named = "Bearer ${secret('ci')} ${#secret(\"ci\")}";
        assert_eq!(filled(named, "CI.example.org:443"), Ok(("Bearer t0ken t0ken".into(), 2)));
        let error = filled(named, "evil.example.org:443").expect_err("refused").to_string();
        assert_eq!(
            error,
            "the secret 'ci' may not be sent to evil.example.org:443: add it to `hosts` of [[secret]] ci if it should"
        );
        assert!(filled("${secret('smtp')}", "ci.example.org:443").is_err(), "it is the configuration's alone");
        assert_eq!(filled("${secret('nope')}", "a:1").expect_err("refused"), SecretError::Unknown("nope".into()));
        assert_eq!(filled("${trigger.user}", "a:1"), Ok(("${trigger.user}".into(), 0)));
        std::fs::write(&file, "new").expect("written");
        assert_eq!(filled("${secret('ci')}", "ci.example.org:443"), Ok(("new".into(), 1)), "it is read anew");
    }

    #[test]
    fn the_configuration_names_a_secret_or_holds_it() {
        let secrets = secrets(std::path::Path::new("/nowhere/ci"));
        let resolved = |text: &str| secrets.resolve(&Secret::new(text)).map(|secret| secret.reveal().to_owned());
        assert_eq!(resolved("plain").as_deref(), Ok("plain"));
        assert_eq!(resolved("${secret('smtp')}").as_deref(), Ok("from the environment"));
        let error = resolved("${secret('gone')}").expect_err("not set").to_string();
        assert_eq!(error, "the secret 'gone' cannot be read: the variable GONE is not set");
        let error = resolved("${secret('ci')}").expect_err("no file").to_string();
        assert!(error.starts_with("the secret 'ci' cannot be read: /nowhere/ci: "), "{error}");
    }

    #[test]
    fn a_secret_has_one_name_and_one_place() {
        let one = SecretConfig { name: "a".into(), file: None, env: Some("A".into()), hosts: Vec::new() };
        let made = |all: &[SecretConfig]| Secrets::new(all, |_| None).map(drop);
        assert_eq!(made(&[one.clone(), one.clone()]), Err(SecretError::Twice("a".into())));
        let both = SecretConfig { file: Some("/a".into()), ..one.clone() };
        assert_eq!(made(&[both]), Err(SecretError::NoPlace("a".into())));
        assert_eq!(made(&[SecretConfig { name: "a b".into(), ..one }]), Err(SecretError::BadName("a b".into())));
    }
}
