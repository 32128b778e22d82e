//! Names that come from packages and from people, checked before they become part of a path, a field or an argument.

use thiserror::Error;

/// A name that does not have the grammar of its kind.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{name:?} is not a {kind}: {rule}")]
pub struct NameError {
    /// What the name should be.
    pub kind: &'static str,
    /// The name as given (shortened).
    pub name: String,
    /// What would be allowed.
    pub rule: &'static str,
}

fn refuse(kind: &'static str, name: &str, rule: &'static str) -> NameError {
    NameError { kind, name: name.chars().take(120).collect(), rule }
}

/// Letters, digits and `extra`, the first one a letter or digit.
fn is_word(name: &str, extra: &[u8], longest: usize) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.len() <= longest
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(byte))
}

/// The name of a package, binary or source, as dpkg accepts it.
pub fn package(name: &str) -> Result<(), NameError> {
    if is_word(name, b"+-._", 200) && !name.contains("..") {
        return Ok(());
    }
    Err(refuse("package name", name, "letters, digits and + - . _, beginning with a letter or digit"))
}

/// A version.
pub fn version(version: &str) -> Result<(), NameError> {
    if crate::version::is_version(version) && !version.contains("..") {
        return Ok(());
    }
    Err(refuse("version", version, "an epoch of digits if any, then letters, digits and . + ~ - :"))
}

/// An architecture.
pub fn architecture(name: &str) -> Result<(), NameError> {
    if is_word(name, b"-_", 64) {
        return Ok(());
    }
    Err(refuse("architecture", name, "letters, digits and -"))
}

/// The base name of a file that a package consists of.
pub fn file(name: &str) -> Result<(), NameError> {
    let lower = name.to_ascii_lowercase();
    let escaped = ["%2e", "%2f", "%5c", "%00"].iter().any(|code| lower.contains(code));
    let clean = !name.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '/' | '\\'));
    if clean && !escaped && !name.starts_with(['-', '.']) && !name.is_empty() && name.len() <= 255 {
        return Ok(());
    }
    Err(refuse("file name", name, "no blanks, slashes, control characters or escaped dots, and no - or . first"))
}

/// The path of a file below a folder that is known.
pub fn path(path: &str) -> Result<(), NameError> {
    path.split('/').try_for_each(file)
}

fn is_path(name: &str) -> bool {
    name.len() <= 255 && name.split('/').all(|part| is_word(part, b"+-._~", 100) && !part.contains(".."))
}

/// A component; it may have several parts (`updates/main`).
pub fn component(name: &str) -> Result<(), NameError> {
    if is_path(name) {
        return Ok(());
    }
    Err(refuse("component", name, "letters, digits and + - . _ ~, parts divided by /"))
}

/// A distribution; it may have several parts (`bookworm/updates`).
pub fn distribution(name: &str) -> Result<(), NameError> {
    if is_path(name) {
        return Ok(());
    }
    Err(refuse("distribution", name, "letters, digits and + - . _ ~, parts divided by /"))
}

/// The folder below a storage in which a repository is published; `.` is the storage itself.
pub fn prefix(name: &str) -> Result<(), NameError> {
    let free = name.split('/').all(|part| !matches!(part, "dists" | "pool"));
    if name == "." || (is_path(name) && free) {
        return Ok(());
    }
    Err(refuse("prefix", name, "letters, digits and + - . _ ~, parts divided by /, none of them dists or pool"))
}

/// A value that becomes one line of an index: nothing that could begin another line.
pub fn one_line(kind: &'static str, text: &str) -> Result<(), NameError> {
    if text.chars().any(char::is_control) {
        return Err(refuse(kind, text, "one line without control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_folder_are_refused_by_every_grammar() {
        for bad in ["", "..", "../x", "/etc", "a/../b", "a\\b", "-rf", "a\nb", "a\0b", "%2e%2e", ".hidden", "a b"] {
            assert!(package(bad).is_err(), "{bad:?}");
            assert!(version(bad).is_err(), "{bad:?}");
            assert!(architecture(bad).is_err(), "{bad:?}");
            assert!(file(bad).is_err(), "{bad:?}");
            assert!(component(bad).is_err(), "{bad:?}");
            assert!(distribution(bad).is_err(), "{bad:?}");
            assert!(prefix(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn usual_names_pass() {
        assert_eq!(package("libstdc++6"), Ok(()));
        assert_eq!(file("hello_1%3a2.0-1_all.deb"), Ok(()));
        assert_eq!(component("updates/main"), Ok(()));
        assert_eq!(distribution("bookworm-backports/updates"), Ok(()));
        assert_eq!(prefix("."), Ok(()));
        assert_eq!(prefix("ppa/team"), Ok(()));
        assert!(prefix("ppa/dists").is_err());
    }
}
