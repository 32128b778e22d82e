//! Dependencies: `a (>= 1) | b:any [amd64] <!x>, c`, as lists of alternatives.

use crate::version::Relation;

/// One thing that is asked for: a package's name, a version if any, an architecture if any.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dependency {
    /// The package's (or virtual package's) name.
    pub name: String,
    /// What its version must be.
    pub version: Option<(Relation, String)>,
    /// The architecture after `:` (`any` included) or in braces; empty when none is named.
    pub architecture: String,
}

impl Dependency {
    /// As aptly prints it: `name [arch]` or `name (>= 1.0) [arch]`.
    pub fn shown(&self) -> String {
        match &self.version {
            Some((relation, version)) => {
                format!("{} ({} {}) [{}]", self.name, relation.sign(), version, self.architecture)
            }
            None => format!("{} [{}]", self.name, self.architecture),
        }
    }
}

/// Splits the text of a list field at its commas; parts that are blank are left out.
pub fn list(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The alternatives of one part of a list. A part that cannot be read gives an error with its text.
pub fn alternatives(part: &str) -> Result<Vec<Dependency>, RelationError> {
    part.split('|').map(|one| dependency(one.trim())).collect()
}

/// A dependency that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unable to parse dependency {0:?}")]
pub struct RelationError(pub String);

/// One alternative.
pub fn dependency(text: &str) -> Result<Dependency, RelationError> {
    let broken = || RelationError(text.chars().take(200).collect());
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '<' | '{')).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.is_empty() {
        return Err(broken());
    }
    let (name, architecture) = word.split_once(':').unwrap_or((word, ""));
    let mut found = Dependency { name: name.to_owned(), version: None, architecture: architecture.to_owned() };
    let rest = rest.trim_start();
    if let Some(inside) = rest.strip_prefix('(') {
        let (condition, _) = inside.split_once(')').ok_or_else(broken)?;
        let condition = condition.trim();
        let sign_end = condition.find(|c| !matches!(c, '<' | '>' | '=')).ok_or_else(broken)?;
        let (sign, version) = condition.split_at(sign_end);
        let relation = if sign.is_empty() { Relation::Equal } else { Relation::of(sign).ok_or_else(broken)? };
        found.version = Some((relation, version.trim().to_owned()));
    }
    if let Some((_, inside)) = rest.split_once('{') {
        found.architecture = inside.split_once('}').ok_or_else(broken)?.0.trim().to_owned();
    }
    Ok(found)
}

/// What a package provides: name, and the version if one is given with `=`.
pub fn provided(part: &str) -> Option<(String, Option<String>)> {
    let found = dependency(part).ok()?;
    match found.version {
        None => Some((found.name, None)),
        Some((Relation::Equal, version)) => Some((found.name, Some(version))),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read() {
        let check = |text: &str, want: &str| assert_eq!(dependency(text).unwrap().shown(), want);
        check("libc6", "libc6 []");
        check("libc6 (>= 2.36)", "libc6 (>= 2.36) []");
        check("libc6(>=2.36)", "libc6 (>= 2.36) []");
        check("python3:any (<< 3.12) [amd64] <!nocheck>", "python3 (<< 3.12) [any]");
        check("app (= 1.0) {source}", "app (= 1.0) [source]");
        check("old (< 2)", "old (<= 2) []");
        assert!(dependency("").is_err());
        assert!(dependency("a (>= 1").is_err());
    }

    #[test]
    fn alternatives_and_lists() {
        assert_eq!(list("a, b | c,, d "), ["a", "b | c", "d"]);
        assert_eq!(alternatives("b | c (= 2)").unwrap().len(), 2);
        assert_eq!(provided("mta (= 2.0)"), Some(("mta".into(), Some("2.0".into()))));
        assert_eq!(provided("mta (>= 2.0)"), None);
    }
}
