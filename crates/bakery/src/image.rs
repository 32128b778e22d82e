//! An image as the index knows it, and what an instance of it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::source::Candidate;

/// What an instance runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageConfig {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Port that it listens on when nothing else is said.
    #[serde(default)]
    pub port: Option<u16>,
    /// Where it runs.
    #[serde(default)]
    pub directory: Option<String>,
    /// As whom it runs.
    #[serde(default)]
    pub user: Option<String>,
}

/// A baked image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// `sha256:` and the digest of its manifest.
    pub id: String,
    /// For people: `helloterry-all-20271231120000-host`.
    pub name: String,
    /// Key of the recipe that it was made by.
    pub recipe: String,
    /// When, in UTC milliseconds.
    pub made: i64,
    /// The base image: `host` or another.
    pub base: String,
    /// Digest of the base image.
    pub base_digest: String,
    /// Who made it.
    pub builder: String,
    /// The packages in it.
    pub packages: Vec<Candidate>,
    /// Dependencies that the base satisfies.
    pub from_base: Vec<String>,
    /// What an instance runs.
    pub config: ImageConfig,
    /// Bytes of its layer.
    pub size: u64,
    /// What people should know: maintainer scripts did not run.
    pub notes: Vec<String>,
    /// Where it comes from: publication, generation, build.
    #[serde(default)]
    pub provenance: serde_json::Value,
}

impl Image {
    /// Name and version of the package that it is named after.
    pub fn main_package(&self) -> Option<&Candidate> {
        self.packages.first()
    }

    /// `name-version`, as clients know it.
    pub fn app_version(&self) -> String {
        self.main_package().map(|p| format!("{}-{}", p.name, p.version)).unwrap_or_default()
    }
}
