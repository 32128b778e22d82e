//! Who may upload what: aptly's `uploaders.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Groups of keys and the rules over them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaders {
    /// Names for lists of keys; a list may name other groups.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<String>>,
    /// The rules in order.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// A query over the fields of the upload.
    #[serde(default)]
    pub condition: String,
    /// Keys or groups that may.
    #[serde(default)]
    pub allow: Option<Vec<String>>,
    /// Keys or groups that may not.
    #[serde(default)]
    pub deny: Option<Vec<String>>,
}

impl Uploaders {
    /// Reads the file's text; `//` comments and trailing commas are tolerated. Every condition must be a query.
    pub fn parse(text: &str) -> Result<Uploaders> {
        let found: Uploaders = serde_json::from_str(&plain_json(text))
            .map_err(|error| Error::Invalid(format!("error loading uploaders: {error}")))?;
        for rule in &found.rules {
            debian::query::parse(&rule.condition).map_err(|error| {
                Error::Invalid(format!("error compiling query in uploaders: {error}: {:?}", rule.condition))
            })?;
        }
        Ok(found)
    }

    /// As aptly prints it: one line.
    pub fn compact(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether an upload with these fields, signed by these keys, may come in; else why not.
    pub fn decide(&self, field: &dyn Fn(&str) -> String, keys: &[String]) -> std::result::Result<(), String> {
        for rule in &self.rules {
            let Ok(condition) = debian::query::parse(&rule.condition) else { continue };
            if !condition.matches_fields(field) {
                continue;
            }
            let text = || format!("according to rule: {}", serde_json::to_string(rule).unwrap_or_default());
            if self.names(rule.deny.as_deref().unwrap_or_default(), keys) {
                return Err(format!("denied {}", text()));
            }
            if self.names(rule.allow.as_deref().unwrap_or_default(), keys) {
                return Ok(());
            }
        }
        Err("denied as no rule matches".into())
    }

    fn names(&self, words: &[String], keys: &[String]) -> bool {
        let mut wanted: Vec<&str> = Vec::new();
        let mut open: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(word) = open.pop() {
            match self.groups.get(word) {
                Some(group) if seen.insert(word) => open.extend(group.iter().map(String::as_str)),
                Some(_) => {}
                None => wanted.push(word),
            }
        }
        keys.iter().any(|key| wanted.iter().any(|word| *word == "*" || same_key(word, key)))
    }
}

/// Ids of 8 and 16 digits name the same key when the longer one ends in the shorter.
fn same_key(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_ascii_uppercase(), b.to_ascii_uppercase());
    a == b || (a.len() == 16 && b.len() == 8 && a.ends_with(&b)) || (b.len() == 16 && a.len() == 8 && b.ends_with(&a))
}

/// Takes away what aptly tolerates in JSON that people write: `//` comments and commas before a closing bracket.
pub fn plain_json(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let (mut quoted, mut escaped) = (false, false);
    while let Some(letter) = letters.next() {
        if quoted {
            kept.push(letter);
            (escaped, quoted) = (letter == '\\' && !escaped, letter != '"' || escaped);
            continue;
        }
        match letter {
            '/' if letters.peek() == Some(&'/') => {
                while letters.peek().is_some_and(|next| *next != '\n') {
                    letters.next();
                }
            }
            '}' | ']' => {
                let end = kept.trim_end().len();
                if kept[..end].ends_with(',') {
                    kept.truncate(end - 1);
                }
                kept.push(letter);
            }
            letter => {
                quoted = letter == '"';
                kept.push(letter);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::plain_json;

    #[test]
    fn comments_and_trailing_commas_are_tolerated_but_not_inside_texts() {
        let text = "{ // first\n \"url\": \"http://x\\\"//y\", \"list\": [1, 2, ],\n}";
        assert_eq!(plain_json(text).replace(['\n', ' '], ""), "{\"url\":\"http://x\\\"//y\",\"list\":[1,2]}");
    }
}
