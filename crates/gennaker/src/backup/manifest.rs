//! What a backup says of itself: versions, places, and every file with its hash. It comes from a disk that anybody may have written to: paths
//! are checked before they are used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use anyhow::bail;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The number of the form that this program writes.
pub const FORMAT: u32 = 1;

/// A backup, described.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The form: [`FORMAT`].
    pub format: u32,
    /// When the databases were copied.
    pub made: Timestamp,
    /// The version of the program that made it.
    pub version: String,
    /// The data folder that was backed up.
    pub data: PathBuf,
    /// The configuration file, if there was one.
    pub config: Option<PathBuf>,
    /// Whether the control store is in it; one in PostgreSQL is not.
    pub control_store: bool,
    /// The number of each domain's schema.
    pub schemas: BTreeMap<String, i64>,
    /// The apt roots, in the order of `root/N`.
    pub roots: Vec<PathBuf>,
    /// Everything in it, folders before what is in them.
    pub entries: Vec<Entry>,
}

/// One path: beneath `data/`, `root/N/`, or `config`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Where it goes.
    pub path: String,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
}

/// What stands at a path.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum What {
    /// A folder.
    Folder {
        /// Its mode bits.
        mode: u32,
    },
    /// A file.
    File {
        /// Its mode bits.
        mode: u32,
        /// Its bytes.
        size: u64,
        /// When it was changed, in nanoseconds since 1970.
        modified: i64,
        /// The SHA-256 of its content.
        sha256: String,
        /// By what it is recognised when it did not change: device, number, size, time.
        stamp: String,
    },
    /// The same file as another one: a hard link.
    Same {
        /// The path of the other, which stands before.
        of: String,
    },
    /// A symbolic link.
    Link {
        /// Where it leads.
        target: PathBuf,
    },
}

/// How much is in a backup, or how much of it is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Files, hard links not counted twice.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Total {
    /// Counts one more file. What a manifest says of sizes may be anything.
    pub fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The number of the apt root that a path `root/N/...` lies in, and what stands behind it.
pub fn root_of(path: &str) -> Option<(usize, &str)> {
    let below = path.strip_prefix("root/")?;
    let (number, below) = below.split_once('/').unwrap_or((below, ""));
    Some((number.parse().ok()?, below))
}

impl Manifest {
    /// How much is in it.
    pub fn total(&self) -> Total {
        let mut total = Total::default();
        for (_, size, _) in self.files() {
            total.add(size);
        }
        total
    }

    /// Every file: its path, size and hash.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64, &str)> {
        self.entries.iter().filter_map(|entry| match &entry.what {
            What::File { size, sha256, .. } => Some((entry.path.as_str(), *size, sha256.as_str())),
            _ => None,
        })
    }

    /// The hash of every file, each once.
    pub fn hashes(&self) -> BTreeSet<&str> {
        self.files().map(|(_, _, sha256)| sha256).collect()
    }

    /// Refuses a hash that is none: as the name of a file it leads out of the backup.
    pub fn check_hashes(&self) -> anyhow::Result<()> {
        match self.files().find(|(_, _, sha256)| !store::id::is_sha256(sha256)) {
            Some((path, _, _)) => bail!("it holds {path:?}, which no backup of ours does"),
            None => Ok(()),
        }
    }

    /// Refuses what this program cannot read, and what a manifest of ours never says.
    pub fn check(&self, known: &BTreeMap<String, i64>) -> anyhow::Result<()> {
        if self.format > FORMAT {
            bail!(
                "it has form {}, this version knows up to {FORMAT}: use the newer version of the program",
                self.format
            );
        }
        for (domain, found) in &self.schemas {
            let highest = known.get(domain).copied().unwrap_or(0);
            if *found > highest {
                bail!(
                    "it holds schema {found} of \"{domain}\", this version ({}) knows up to {highest}: restore it with version {} or newer",
                    env!("CARGO_PKG_VERSION"),
                    self.version
                );
            }
        }
        for Entry { path, what } in &self.entries {
            let bad_link = matches!(what, What::Same { of } if !self.is_ours(of));
            if !self.is_ours(path) || bad_link {
                bail!("it holds {path:?}, which no backup of ours does");
            }
        }
        Ok(())
    }

    /// Whether a path stays where backups are unpacked to.
    fn is_ours(&self, path: &str) -> bool {
        let parts: Vec<_> = Path::new(path).components().collect();
        let plain = parts.iter().all(|part| matches!(part, Component::Normal(_)));
        let names: Vec<&str> = path.split('/').collect();
        plain
            && names.len() == parts.len()
            && match names[..] {
                ["config"] => true,
                ["data", _, ..] => true,
                ["root", ..] => root_of(path).is_some_and(|(number, _)| number < self.roots.len()),
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(path: &str, what: What) -> Manifest {
        Manifest {
            format: FORMAT,
            made: Timestamp::UNIX_EPOCH,
            version: "7.0.0".into(),
            data: "/var/lib/gennaker".into(),
            config: None,
            control_store: true,
            schemas: [("pipeline".to_owned(), 7)].into(),
            roots: vec!["/srv/apt".into()],
            entries: vec![Entry { path: path.into(), what }],
        }
    }

    #[test]
    fn what_leads_out_of_its_place_is_refused() {
        let known = BTreeMap::from([("pipeline".to_owned(), 7)]);
        for good in ["data/gennaker.db", "root/0/pool/aa/x.deb", "config"] {
            manifest(good, What::Folder { mode: 0o755 }).check(&known).expect(good);
        }
        for bad in [
            "data",
            "/etc/passwd",
            "data/../../etc/passwd",
            "root/1/x",
            "root/x/y",
            "data//x",
            "",
            "root",
            "data/./x",
            "etc/passwd",
        ] {
            let error = manifest(bad, What::Folder { mode: 0o755 }).check(&known).expect_err(bad).to_string();
            assert!(error.ends_with("which no backup of ours does"), "{error}");
        }
        manifest("data/x", What::Same { of: "../y".into() }).check(&known).expect_err("a link out of it");
    }

    #[test]
    fn one_of_a_newer_version_is_refused_by_name() {
        let newer = manifest("config", What::Folder { mode: 0o755 });
        let error = newer.check(&[("pipeline".to_owned(), 6)].into()).expect_err("newer").to_string();
        assert_eq!(
            error,
            format!(
                "it holds schema 7 of \"pipeline\", this version ({}) knows up to 6: restore it with version 7.0.0 or newer",
                env!("CARGO_PKG_VERSION")
            )
        );
    }
}
