//! A text that must not show up in a log, an error or an execution.

use std::fmt;

use serde::{Deserialize, Serializer};

/// A secret text: `Debug` prints dots, there is no `Display`, and it cannot be serialised.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text that came from a person, a file or the random source.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Each call is a place to look at when asking where a secret may leak.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

/// For `serialize_with`: dots in the place of anything. A configuration is shown with it, never kept.
pub fn dots<T, S: Serializer>(_: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("••••")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_dots() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "••••");
    }
}
