//! Old versions that a repository need not keep.

use std::collections::{BTreeMap, BTreeSet};

use debian::package::{Key, Package};
use debian::query::Query;

use crate::error::{Error, Result};
use crate::packages;
use crate::repo::Change;
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::set;

impl Root {
    /// Removes from a repository all but the `keep` highest versions of each name and architecture, of the packages that the query
    /// means (all without one). With `dry_run` it is only told.
    pub fn prune_repo(
        &self,
        repo: &str,
        keep: usize,
        query: Option<&Query>,
        dry_run: bool,
        sink: Sink<'_>,
    ) -> Result<Vec<Key>> {
        if keep == 0 {
            return Err(Error::Invalid("at least one version must be kept".into()));
        }
        let repo = self.repo(repo)?;
        sink(Line::Step("Loading packages...".into()));
        let removed: BTreeSet<Key> = if dry_run {
            surplus(&packages::of_list(self, &repo.root)?, keep, query)
        } else {
            let decide = |tx: &mut store::Tx<'_>, current: &crate::repo::Repo| {
                let keys = set::load(tx, &current.root)?;
                let remove = surplus(&packages::load(tx, &keys)?, keep, query);
                Ok(Change { remove, ..Change::default() })
            };
            self.change_repo(&repo.uuid, decide)?.remove
        };
        removed.iter().for_each(|key| sink(Line::Removed(key.clone(), None)));
        Ok(removed.into_iter().collect())
    }
}

/// Pure: what is too much. A list is in the order of an index: of each name the highest version first.
fn surplus(all: &[Package], keep: usize, query: Option<&Query>) -> BTreeSet<Key> {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let meant = all.iter().filter(|package| query.is_none_or(|query| query.matches(package)));
    let mut sorted: Vec<&Key> = meant.map(|package| &package.key).collect();
    sorted.sort();
    let too_many = sorted.into_iter().filter(|key| {
        let count = seen.entry((&key.name, &key.architecture)).or_default();
        *count += 1;
        *count > keep
    });
    too_many.cloned().collect()
}
