//! What the validator says: findings, each at a JSON path.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Hint,
    /// It runs, but hardly as it was meant.
    Warning,
    /// It is refused, or fails when it runs.
    Error,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where: `$.stages[3].waitTime`.
    pub path: String,
    /// What is there.
    pub message: String,
    /// What to do about it; empty when the message says it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
}

/// A place in a document, without a text being made for each step.
#[derive(Clone, Copy)]
pub enum At<'a> {
    /// The whole.
    Root,
    /// A member of an object.
    Key(&'a At<'a>, &'a str),
    /// An element of a list.
    Item(&'a At<'a>, usize),
}

impl<'a> At<'a> {
    /// The member `name` of what is here.
    pub fn key(&'a self, name: &'a str) -> At<'a> {
        At::Key(self, name)
    }

    /// The element `index` of what is here.
    pub fn item(&'a self, index: usize) -> At<'a> {
        At::Item(self, index)
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Root => f.write_str("$"),
            At::Item(of, index) => write!(f, "{of}[{index}]"),
            At::Key(of, name) => {
                let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
                if !name.is_empty() && name.chars().all(plain) {
                    return write!(f, "{of}.{name}");
                }
                write!(f, "{of}['{}']", shortened(name, 60).replace('\\', "\\\\").replace('\'', "\\'"))
            }
        }
    }
}

/// At most so many characters of a text that somebody else wrote.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// More than this nobody reads.
const MOST: usize = 1000;

/// Findings as they come.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    dropped: usize,
    worst_dropped: Option<Severity>,
}

impl Findings {
    /// Adds one.
    pub fn add(&mut self, severity: Severity, at: &At, message: impl Into<String>, help: impl Into<String>) {
        self.put(severity, at.to_string(), message, help);
    }

    /// Adds one whose path is a text already.
    pub(super) fn put(
        &mut self,
        severity: Severity,
        path: String,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.list.len() >= MOST {
            self.dropped += 1;
            self.worst_dropped = self.worst_dropped.max(Some(severity));
            return;
        }
        self.list.push(Finding { severity, path, message: message.into(), help: help.into() });
    }

    /// Adds an error.
    pub fn error(&mut self, at: &At, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Error, at, message, help);
    }

    /// Adds a warning.
    pub fn warning(&mut self, at: &At, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, at, message, help);
    }

    /// Adds a hint.
    pub fn hint(&mut self, at: &At, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Hint, at, message, help);
    }

    /// Whether none is as bad as this.
    pub(super) fn is_bearable(&self, severity: Severity) -> bool {
        self.list.iter().all(|one| one.severity < severity)
    }

    /// Whether there is an error at this place or inside it.
    pub(super) fn has_error_at(&self, path: &str) -> bool {
        self.dropped > 0 || self.list.iter().any(|f| f.severity == Severity::Error && f.path.starts_with(path))
    }

    /// Does this when nothing has been found so far.
    pub(super) fn none_yet(&mut self, add: impl FnOnce(&mut Findings)) {
        if self.list.is_empty() {
            add(self);
        }
    }

    /// Adds those of another.
    pub(super) fn take(&mut self, other: Findings) {
        for one in other.list {
            self.put(one.severity, one.path, one.message, one.help);
        }
    }

    /// All of them, each once.
    pub fn done(self) -> Vec<Finding> {
        let mut list: Vec<Finding> = Vec::with_capacity(self.list.len());
        let mut seen = std::collections::HashSet::new();
        for one in self.list {
            if seen.insert((one.path.clone(), one.message.clone())) {
                list.push(one);
            }
        }
        if let Some(severity) = self.worst_dropped {
            list.push(Finding {
                severity,
                path: "$".into(),
                message: format!("there are {} more findings", self.dropped),
                help: "mend these first".into(),
            });
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_json_paths_are() {
        let stages = At::Root.key("stages");
        assert_eq!(stages.item(3).key("waitTime").to_string(), "$.stages[3].waitTime");
        assert_eq!(At::Root.key("a.b").key("it's").to_string(), "$['a.b']['it\\'s']");
    }

    #[test]
    fn the_thousand_and_first_finding_is_only_counted() {
        let mut findings = Findings::default();
        for i in 0..1500 {
            findings.hint(&At::Root.item(i), "x", "");
        }
        findings.error(&At::Root, "the worst", "");
        let all = findings.done();
        assert_eq!((all.len(), all[1000].severity), (1001, Severity::Error));
        assert_eq!(all[1000].message, "there are 501 more findings");
    }
}
