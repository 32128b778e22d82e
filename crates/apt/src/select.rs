//! Packages chosen by queries: searched, removed, copied, moved.

use std::collections::BTreeSet;

use debian::package::{Key, Package};
use debian::query::Query;
use store::Tx;

use crate::error::{Error, Result};
use crate::packages;
use crate::repo::{Change, Repo};
use crate::report::{Line, Sink};
use crate::resolve::{self, Candidates, Follow};
use crate::root::Root;
use crate::set;

/// How packages go from one list to another.
#[derive(Debug, Clone, Default)]
pub struct Transfer {
    /// They leave the first.
    pub moves: bool,
    /// Only say what would be done.
    pub dry_run: bool,
    /// With what they depend on.
    pub with_deps: Option<Follow>,
}

/// One package of each place: two with the same name, version and architecture must not stand in one list.
pub(crate) fn conflict<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Option<Key> {
    let mut seen = BTreeSet::new();
    keys.into_iter().find(|key| !seen.insert((&key.name, &key.version, &key.architecture))).cloned()
}

pub(crate) fn conflicting(key: &Key) -> Error {
    Error::Conflict(format!("package already exists and is different: {key}"))
}

impl Root {
    /// All packages of a list, in the order of an index.
    pub fn packages(&self, list: &str) -> Result<Vec<Package>> {
        packages::of_list(self, list)
    }

    /// Every package that the root knows.
    pub fn all_packages(&self) -> Result<Vec<Package>> {
        packages::all(self)
    }

    /// The packages of a list that a query means, with their dependencies if asked for.
    pub fn search(&self, list: &str, query: Option<&Query>, follow: Option<&Follow>) -> Result<Vec<Package>> {
        let all = match query {
            Some(query) if follow.is_none() => packages::candidates(self, list, query)?,
            _ => self.packages(list)?,
        };
        chosen(&all, query, follow, &mut |_| {}).map(|found| found.into_iter().cloned().collect())
    }

    /// Removes the packages that a query means from a repository.
    pub fn remove_packages(&self, repo: &str, query: &Query, dry_run: bool, sink: Sink<'_>) -> Result<Vec<Key>> {
        let repo = self.repo(repo)?;
        sink(Line::Step("Loading packages...".into()));
        let find = |list: &str| -> Result<BTreeSet<Key>> {
            Ok(packages::candidates(self, list, query)?
                .into_iter()
                .filter(|package| query.matches(package))
                .map(|package| package.key)
                .collect())
        };
        let removed = if dry_run {
            find(&repo.root)?
        } else {
            self.change_repo(&repo.uuid, |_, current| {
                Ok(Change { remove: find(&current.root)?, add: BTreeSet::new() })
            })?
            .remove
        };
        for key in &removed {
            sink(Line::Removed(key.clone(), None));
        }
        Ok(removed.into_iter().collect())
    }

    /// Copies or moves the packages that a query means from one repository to another.
    pub fn transfer(&self, from: &str, to: &str, query: &Query, how: &Transfer, sink: Sink<'_>) -> Result<Vec<Key>> {
        let (from, to) = (self.repo(from)?, self.repo(to)?);
        let word = if how.moves { "moved" } else { "copied" };
        if from.uuid == to.uuid {
            return Err(Error::Invalid("source and destination are the same".into()));
        }
        let leave = how.moves.then_some(from.uuid.as_str());
        Ok(self.bring_in((&from.root, leave), &to, query, how, word, sink)?.into_iter().collect())
    }

    /// Copies the packages that a query means from a mirror to a repository.
    pub fn import_packages(
        &self,
        mirror: &str,
        to: &str,
        query: &Query,
        how: &Transfer,
        sink: Sink<'_>,
    ) -> Result<Vec<Key>> {
        let (mirror, to) = (self.mirror(mirror)?, self.repo(to)?);
        mirror.updated.ok_or_else(|| Error::Invalid("mirror not updated".into()))?;
        Ok(self.bring_in((&mirror.root, None), &to, query, how, "imported", sink)?.into_iter().collect())
    }

    /// Copies what is meant of a list; a repository that it leaves loses it in the same transaction.
    fn bring_in(
        &self,
        (from, leave): (&str, Option<&str>),
        to: &Repo,
        query: &Query,
        how: &Transfer,
        word: &'static str,
        sink: Sink<'_>,
    ) -> Result<BTreeSet<Key>> {
        sink(Line::Step("Loading packages...".into()));
        let source = self.packages(from)?;
        let destination = self.packages(&to.root)?;
        let mut taken: Vec<&Package> = source.iter().filter(|package| query.matches(package)).collect();
        if let Some(follow) = &how.with_deps {
            let architectures = resolve::architectures(follow, &destination, false)?;
            let beside: Vec<&Package> = destination.iter().collect();
            taken = resolve::close(taken, &Candidates::new(&source), &beside, &architectures, follow, &mut |text| {
                sink(Line::Note(text))
            });
        }
        let keys: BTreeSet<Key> = taken.iter().map(|package| package.key.clone()).collect();
        let check = |there: &mut dyn Iterator<Item = Key>| -> Result<()> {
            let all: BTreeSet<Key> = there.chain(keys.iter().cloned()).collect();
            conflict(&all).map_or(Ok(()), |key| Err(conflicting(&key)))
        };
        if how.dry_run {
            check(&mut destination.iter().map(|package| package.key.clone()))?;
        } else {
            let add = |tx: &mut Tx<'_>, current: &Repo| {
                check(&mut set::load(tx, &current.root)?.into_iter())?;
                Ok(Change { remove: BTreeSet::new(), add: keys.clone() })
            };
            self.change_repo_with(&to.uuid, add, |tx| match leave {
                Some(uuid) => self.take_away(tx, uuid, &keys),
                None => Ok(()),
            })?;
        }
        for key in &keys {
            sink(Line::Copied(key.clone(), word));
        }
        Ok(keys)
    }
}

/// The packages that a query means, with their dependencies if asked for, in the order of an index.
pub(crate) fn chosen<'a>(
    all: &'a [Package],
    query: Option<&Query>,
    follow: Option<&Follow>,
    note: &mut dyn FnMut(String),
) -> Result<Vec<&'a Package>> {
    let mut found: Vec<&Package> =
        all.iter().filter(|package| query.is_none_or(|query| query.matches(package))).collect();
    if let Some(follow) = follow {
        let architectures = resolve::architectures(follow, all, false)?;
        found = resolve::close(found, &Candidates::new(all), &[], &architectures, follow, note);
        found.sort_by(|a, b| a.key.cmp(&b.key));
    }
    Ok(found)
}
