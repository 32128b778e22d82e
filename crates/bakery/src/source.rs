//! Where packages come from, as the bakery sees it. The repository's side implements it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A published repository at one moment.
pub trait PackageSource: Send + Sync {
    /// For messages: "publication stretch of /var/lib/aptly".
    fn name(&self) -> String;

    /// Every published package of this name, and every one that provides it. Order does not matter.
    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, SourceError>;
}

/// A package that could be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `all`, `amd64` …
    pub architecture: String,
    /// SHA-256 of its file, in small hexadecimal digits.
    pub sha256: String,
    /// `Pre-Depends` and `Depends`, joined by a comma.
    #[serde(default)]
    pub depends: String,
    /// `Provides`.
    #[serde(default)]
    pub provides: String,
    /// Its file.
    pub file: PathBuf,
}

impl Candidate {
    /// `name_version_architecture`, as people write it.
    pub fn label(&self) -> String {
        format!("{}_{}_{}", self.name, self.version, self.architecture)
    }
}

/// The repository could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);
