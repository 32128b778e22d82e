//! Lists by the full keys of their packages, as aptly's API names them.

use std::collections::BTreeSet;

use debian::package::{Key, Package};
use store::{Tx, params};

use crate::error::{Error, Result};
use crate::packages;
use crate::repo::{Change, Repo};
use crate::root::Root;
use crate::select::{conflict, conflicting};
use crate::set;
use crate::snapshot::{self, Making, Snapshot, SourceKind};

/// Full keys that the root knows; the first that it does not know is named.
fn known(tx: &mut Tx<'_>, refs: &[String]) -> Result<BTreeSet<Key>> {
    let mut found = BTreeSet::new();
    for text in refs {
        let missing = || Error::NotFound(format!("package {text}: key not found"));
        let key = Key::parse(text).ok_or_else(missing)?;
        tx.query_opt("select 1 from package where key = ?1", params![key.full()])?.ok_or_else(missing)?;
        found.insert(key);
    }
    Ok(found)
}

impl Root {
    /// Puts packages into a repository.
    pub fn add_refs(&self, repo: &str, refs: &[String]) -> Result<Repo> {
        let uuid = self.repo(repo)?.uuid;
        self.change_repo(&uuid, |tx, repo| {
            let add = known(tx, refs)?;
            let all: BTreeSet<Key> = set::load(tx, &repo.root)?.into_iter().chain(add.iter().cloned()).collect();
            match conflict(&all) {
                Some(key) => Err(conflicting(&key)),
                None => Ok(Change { add, ..Change::default() }),
            }
        })?;
        self.repo(repo)
    }

    /// Takes packages out of a repository; what is not in it is no error.
    pub fn remove_refs(&self, repo: &str, refs: &[String]) -> Result<Repo> {
        let uuid = self.repo(repo)?.uuid;
        self.change_repo(&uuid, |tx, _| Ok(Change { remove: known(tx, refs)?, ..Change::default() }))?;
        self.repo(repo)
    }

    /// The package of a full key.
    pub fn package(&self, key: &str) -> Result<Package> {
        self.store().read(|tx| {
            let keys: Vec<Key> = known(tx, &[key.to_owned()])?.into_iter().collect();
            packages::load(tx, &keys)?.pop().ok_or_else(|| Error::NotFound("key not found".into()))
        })
    }

    /// A snapshot of other snapshots together with single packages.
    pub fn snapshot_refs(
        &self,
        name: &str,
        description: &str,
        sources: &[String],
        refs: &[String],
    ) -> Result<Snapshot> {
        let sources: Vec<Snapshot> = sources.iter().map(|source| self.snapshot(source)).collect::<Result<_>>()?;
        self.change(|tx| {
            let mut keys = known(tx, refs)?;
            for source in &sources {
                keys.extend(set::load(tx, &source.root)?);
            }
            if let Some(key) = conflict(&keys) {
                return Err(conflicting(&key));
            }
            let built = set::build(keys);
            let making = Making {
                name,
                kind: SourceKind::Snapshot,
                sources: sources.iter().map(|source| source.uuid.clone()).collect(),
                description: if description.is_empty() { "Created as empty".into() } else { description.to_owned() },
                like: None,
            };
            let snapshot = snapshot::insert(tx, &making, &built.root)?;
            built.save(tx)?;
            Ok(snapshot)
        })
    }

    /// Says something else of a snapshot.
    pub fn describe_snapshot(&self, name: &str, description: &str) -> Result<Snapshot> {
        debian::names::one_line("description", description)?;
        self.change(|tx| {
            let mut snapshot = snapshot::by_name(tx, name)?;
            tx.execute("update snapshot set description = ?2 where uuid = ?1", params![&snapshot.uuid, description])?;
            snapshot.description = description.to_owned();
            Ok(snapshot)
        })
    }
}
