//! What a webhook sends and nobody may read afterwards: it is replaced by value in whatever is kept, wherever an answer repeats it.

use base64::Engine as _;
use serde_json::Value;

use super::config::Config;

/// Parts of the names of headers whose values are secrets.
const SENSITIVE: [&str; 9] =
    ["authorization", "cookie", "token", "secret", "passw", "api-key", "apikey", "credential", "signature"];
/// A shorter value would be found everywhere by chance.
const SHORTEST: usize = 4;
/// What stands in their place.
const HIDDEN: &str = "[hidden]";

/// The values, the longest first, and the names of headers that the operator counts among the sensitive ones.
#[derive(Default)]
pub(super) struct Secrets {
    values: Vec<String>,
    also: Vec<String>,
}

impl Secrets {
    /// The values of a call's sensitive headers, those that `also` names among them, the password of its address, and what was `put` into it.
    pub fn of(config: &Config, also: &[String], put: &[access::Secret]) -> Secrets {
        let mut found: Vec<String> = put.iter().map(|secret| secret.reveal().to_owned()).collect();
        let mut secrets = Secrets { values: Vec::new(), also: also.to_vec() };
        for (_, value) in config.headers().filter(|(name, _)| secrets.names(name)) {
            add(&mut found, &value);
        }
        for url in [config.url(), config.cancel_endpoint.as_deref().unwrap_or("")] {
            if let Some((user, _)) = user_info(url) {
                found.push(user.to_owned());
                found.extend(user.split_once(':').map(|(_, password)| password.to_owned()));
            }
        }
        found.retain(|secret| secret.len() >= SHORTEST);
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        found.dedup();
        secrets.values = found;
        secrets
    }

    /// Whether a text holds one of them.
    pub fn are_in(&self, text: &str) -> bool {
        self.values.iter().any(|secret| text.contains(secret.as_str()))
    }

    /// Whether the value of a header of this name is a secret.
    pub fn names(&self, header: &str) -> bool {
        names(header) || self.also.iter().any(|a| a.eq_ignore_ascii_case(header))
    }

    /// A text without them.
    pub fn hide(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), HIDDEN) } else { text }
        })
    }

    /// A structure without them, names of keys included.
    pub fn hide_in(&self, value: Value) -> Value {
        if self.values.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.hide(&text)),
            Value::Array(list) => list.into_iter().map(|v| self.hide_in(v)).collect(),
            Value::Object(map) => map.into_iter().map(|(k, v)| (self.hide(&k), self.hide_in(v))).collect(),
            other => other,
        }
    }
}

/// Whether the name of a header says that its value is a secret.
pub(super) fn names(header: &str) -> bool {
    let header = header.to_lowercase();
    SENSITIVE.iter().any(|part| header.contains(part))
}

/// Whether an address holds a user.
pub(super) fn has_user(url: &str) -> bool {
    user_info(url).is_some()
}

/// A header's value, what stands behind its scheme, and what that says in base64.
fn add(found: &mut Vec<String>, value: &str) {
    let value = value.trim();
    found.push(value.to_owned());
    for part in value.split([' ', ';', ',', '=']).filter(|part| part.len() >= 2 * SHORTEST) {
        found.push(part.to_owned());
    }
    let Some((_, behind)) = value.split_once(' ') else { return };
    found.push(behind.trim().to_owned());
    let decoded = base64::engine::general_purpose::STANDARD.decode(behind.trim());
    if let Some(text) = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
        found.extend(text.split_once(':').map(|(_, password)| password.to_owned()));
        found.push(text);
    }
}

/// The user information of an address, and the address without it.
fn user_info(url: &str) -> Option<(&str, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let (user, host) = authority.rsplit_once('@')?;
    Some((user, format!("{scheme}://{host}{path}")))
}

/// An address as people may see it: without user information, and without its query, where tokens often stand.
pub(super) fn place(url: &str) -> String {
    let shown = user_info(url).map_or_else(|| url.to_owned(), |(_, rest)| rest);
    match shown.split_once('?') {
        Some((path, query)) if !query.is_empty() => format!("{path}?…"),
        _ => shown,
    }
}
