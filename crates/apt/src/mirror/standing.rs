//! What the last update brought, as far as its files are still in the pool: it is not downloaded, looked up or saved again.

use std::collections::HashMap;

use debian::package::{Key, PackageFile};
use debian::source::UNKNOWN_SIZE;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Mirror;
use super::offers::{Index, Offered};
use super::update::UpdateMirror;
use crate::cores;
use crate::error::Result;
use crate::packages;
use crate::pool;
use crate::resolve::Follow;
use crate::root::Root;

/// The packages of a mirror before an update.
pub struct Standing {
    /// All of them, in the order of the list.
    pub keys: Vec<Key>,
    /// Those whose files are there, by the key without the hash.
    whole: HashMap<String, (Key, Vec<PackageFile>)>,
}

impl Standing {
    /// Looks each file up in the pool.
    pub fn of(root: &Root, mirror: &Mirror) -> Result<Standing> {
        let packages = packages::files_of_list(root, &mirror.root)?;
        let keys = packages.iter().map(|(key, _)| key.clone()).collect();
        let parts: Vec<_> = packages.chunks(1_000).collect();
        let there = cores::on_all(&parts, |part| {
            part.iter().map(|(_, files)| are_there(root, files)).collect::<Result<Vec<bool>>>()
        })?;
        let whole = packages.into_iter().zip(there.into_iter().flatten()).filter(|(_, there)| *there);
        Ok(Standing { keys, whole: whole.map(|((key, files), _)| (key.short(), (key, files))).collect() })
    }

    /// Whether no file is missing.
    pub fn is_whole(&self) -> bool {
        self.whole.len() == self.keys.len()
    }

    /// The key of a package that is there as it is offered. It may differ from the offered one, because the hash is over sums that an index need
    /// not list.
    pub fn key(&self, offered: &Offered) -> Option<&Key> {
        let (key, files) = self.whole.get(&offered.package.key.short())?;
        let same = offered.files.len() == files.len()
            && offered.files.iter().all(|one| {
                let listed = &one.listed;
                files.iter().any(|file| {
                    file.name == one.name
                        && file.sums.sha256 == listed.sha256
                        && (file.sums.size == listed.size || listed.size == UNKNOWN_SIZE)
                })
            });
        same.then_some(key)
    }
}

fn are_there(root: &Root, files: &[PackageFile]) -> Result<bool> {
    for file in files {
        if !root.pool().join(pool::pool_path(&file.sums.sha256, &file.name)?).is_file() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A hash over what a list is made of: its indexes, and everything that chooses among what they list. Nothing when that cannot be told from the
/// `Release` alone.
pub fn made_of(
    mirror: &Mirror,
    how: &UpdateMirror,
    indexes: &[Index],
    listing: &debian::release::Listing,
) -> Option<String> {
    /// Another number when what follows from the rest changes.
    const RULES: u8 = 1;
    #[derive(Serialize)]
    struct MadeOf<'a> {
        rules: u8,
        archive: &'a str,
        distribution: &'a str,
        architectures: &'a [String],
        filter: &'a str,
        filter_with_deps: bool,
        latest: bool,
        follow: &'a Follow,
        indexes: Vec<(&'a str, &'a str)>,
    }
    if mirror.installer || how.ignore_checksums {
        return None;
    }
    let mut sums = Vec::new();
    for index in indexes {
        let before = sums.len();
        for name in index.forms() {
            if let Some((name, listed)) = listing.files.get_key_value(&name) {
                sums.push((name.as_str(), listed.sha256.as_str()));
            }
        }
        if sums.len() == before || sums[before..].iter().any(|(_, sum)| sum.is_empty()) {
            return None;
        }
    }
    let made_of = MadeOf {
        rules: RULES,
        archive: &mirror.archive,
        distribution: &mirror.distribution,
        architectures: &mirror.architectures,
        filter: &mirror.filter,
        filter_with_deps: mirror.filter_with_deps,
        latest: how.latest,
        follow: &how.follow,
        indexes: sums,
    };
    let text = serde_json::to_vec(&made_of).ok()?;
    Some(debian::sums::hex(&Sha256::digest(text)))
}
