//! Snapshots made of snapshots: filtered, merged, pulled, compared, verified.

use std::collections::{BTreeMap, BTreeSet};

use debian::package::{Key, Package, is_for};
use debian::query::Query;

use crate::error::{Error, Result};
use crate::report::{Line, Sink};
use crate::resolve::{self, Candidates, Follow};
use crate::root::Root;
use crate::select::{chosen, conflict, conflicting};
use crate::set;
use crate::snapshot::{Making, Snapshot, SourceKind, insert};

/// How snapshots are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// A later snapshot's package replaces those of the same name and architecture.
    Replace,
    /// All versions stay.
    KeepAll,
    /// Of each name and architecture the highest version stays.
    Latest,
}

/// How packages are pulled.
#[derive(Debug, Clone, Default)]
pub struct Pull {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Without dependencies.
    pub no_deps: bool,
    /// Other versions stay.
    pub no_remove: bool,
    /// All versions, not the first.
    pub all_matches: bool,
    /// Architectures and dependencies.
    pub follow: Follow,
}

/// One row of a comparison: the package on the left, on the right, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffRow {
    /// In the first list.
    pub left: Option<Key>,
    /// In the second.
    pub right: Option<Key>,
}

impl Root {
    fn save_snapshot(&self, making: &Making<'_>, keys: impl IntoIterator<Item = Key>) -> Result<Snapshot> {
        let keys: BTreeSet<Key> = keys.into_iter().collect();
        if let Some(key) = conflict(&keys) {
            return Err(conflicting(&key));
        }
        let built = set::build(keys);
        self.change(|tx| {
            let snapshot = insert(tx, making, &built.root)?;
            built.save(tx)?;
            Ok(snapshot)
        })
    }

    /// A snapshot of the packages of another that a query means. `shown` is the query as people wrote it.
    pub fn filter_snapshot(
        &self,
        source: &str,
        name: &str,
        query: &Query,
        shown: &str,
        follow: Option<&Follow>,
        sink: Sink<'_>,
    ) -> Result<Snapshot> {
        let source = self.snapshot(source)?;
        sink(Line::Step("Loading packages...".into()));
        let all = self.packages(&source.root)?;
        let keys: Vec<Key> = chosen(&all, Some(query), follow, &mut |text| sink(Line::Note(text)))?
            .iter()
            .map(|package| package.key.clone())
            .collect();
        let description = format!("Filtered '{}', query was: '{shown}'", source.name);
        let making = Making {
            name,
            kind: SourceKind::Snapshot,
            sources: vec![source.uuid.clone()],
            description,
            like: Some(&source),
        };
        self.save_snapshot(&making, keys)
    }

    /// A snapshot of several, from left to right.
    pub fn merge_snapshots(&self, name: &str, sources: &[String], how: Merge) -> Result<Snapshot> {
        let sources: Vec<Snapshot> = sources.iter().map(|source| self.snapshot(source)).collect::<Result<_>>()?;
        let mut merged: BTreeSet<Key> = BTreeSet::new();
        for source in &sources {
            let right = self.keys(&source.root)?;
            let places: BTreeSet<(&str, &str)> =
                right.iter().map(|key| (key.name.as_str(), key.architecture.as_str())).collect();
            let same: BTreeSet<(&str, &str, &str)> =
                right.iter().map(|key| (key.name.as_str(), key.version.as_str(), key.architecture.as_str())).collect();
            merged.retain(|key| {
                let replaced =
                    how == Merge::Replace && places.contains(&(key.name.as_str(), key.architecture.as_str()));
                !replaced && !same.contains(&(key.name.as_str(), key.version.as_str(), key.architecture.as_str()))
            });
            merged.extend(right);
        }
        if how == Merge::Latest {
            // In index order the highest version of a name comes first.
            let mut seen = BTreeSet::new();
            merged.retain(|key| seen.insert((key.name.clone(), key.architecture.clone())));
        }
        let names: Vec<String> = sources.iter().map(|source| format!("'{}'", source.name)).collect();
        // Of the same path the later one's file counts; nothing else is taken over from one of several.
        let appstream = sources.iter().flat_map(|source| source.appstream.clone()).collect();
        let description = format!("Merged from sources: {}", names.join(", "));
        let sources = sources.into_iter().map(|source| source.uuid).collect();
        let like = Snapshot { appstream, ..Snapshot::nothing() };
        self.save_snapshot(
            &Making { name, kind: SourceKind::Snapshot, sources, description, like: Some(&like) },
            merged,
        )
    }

    /// A snapshot of `target` with packages of `source`; nothing when it was a dry run.
    #[allow(clippy::too_many_arguments, reason = "each is an argument of the command of that name")]
    pub fn pull_snapshot(
        &self,
        target: &str,
        source: &str,
        name: &str,
        queries: &[Query],
        shown: &str,
        how: &Pull,
        sink: Sink<'_>,
    ) -> Result<Option<Snapshot>> {
        let (target, source) = (self.snapshot(target)?, self.snapshot(source)?);
        sink(Line::Note(format!(
            "Dependencies would be pulled into snapshot:\n    {target}\nfrom snapshot:\n    {source}\nand result would be saved as new snapshot {name}."
        )));
        let (into, from) = (self.packages(&target.root)?, self.packages(&source.root)?);
        sink(Line::Step(format!("Loading packages ({})...", into.len() + from.len())));
        sink(Line::Step("Building indexes...".into()));
        let architectures = resolve::architectures(&how.follow, &into, true)?;
        let wanted =
            |package: &Package| package.key.architecture == "all" || architectures.contains(&package.key.architecture);
        let mut taken: Vec<&Package> = from
            .iter()
            .filter(|package| wanted(package) && queries.iter().any(|query| query.matches(package)))
            .collect();
        if !how.no_deps {
            let beside: Vec<&Package> = into.iter().collect();
            taken = resolve::close(taken, &Candidates::new(&from), &beside, &architectures, &how.follow, &mut |text| {
                sink(Line::Note(text))
            });
        }
        taken.sort_by(|a, b| a.key.cmp(&b.key));
        let mut result: BTreeSet<Key> = into.iter().map(|package| package.key.clone()).collect();
        let mut seen = BTreeSet::new();
        for package in taken {
            let key = &package.key;
            let first = seen.insert((key.name.clone(), key.architecture.clone()));
            if first && !how.no_remove {
                let gone: Vec<Key> = result
                    .iter()
                    .filter(|old| old.name == key.name && is_for(&old.architecture, &key.architecture))
                    .cloned()
                    .collect();
                for old in gone {
                    result.remove(&old);
                    sink(Line::Removed(old, None));
                }
            }
            if first || how.all_matches {
                result.insert(key.clone());
                sink(Line::Added(key.clone()));
            }
        }
        if how.dry_run {
            return Ok(None);
        }
        let description =
            format!("Pulled into '{}' with '{}' as source, pull request was: '{shown}'", target.name, source.name);
        let sources = vec![target.uuid.clone(), source.uuid];
        self.save_snapshot(
            &Making { name, kind: SourceKind::Snapshot, sources, description, like: Some(&target) },
            result,
        )
        .map(Some)
    }

    /// What two lists differ in, by name and architecture.
    pub fn compare(&self, left: &str, right: &str) -> Result<Vec<DiffRow>> {
        let diff = self.store().read(|tx| set::diff(tx, left, right))?;
        let mut places: BTreeMap<(String, String), (Vec<Key>, Vec<Key>)> = BTreeMap::new();
        for key in diff.removed {
            places.entry((key.name.clone(), key.architecture.clone())).or_default().0.push(key);
        }
        for key in diff.added {
            places.entry((key.name.clone(), key.architecture.clone())).or_default().1.push(key);
        }
        let mut rows = Vec::new();
        for (left, right) in places.into_values() {
            let (mut left, mut right) = (left.into_iter(), right.into_iter());
            loop {
                let row = DiffRow { left: left.next(), right: right.next() };
                if row.left.is_none() && row.right.is_none() {
                    break;
                }
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// The dependencies in a snapshot that neither it nor the others satisfy, sorted as they are shown.
    pub fn verify_snapshot(&self, name: &str, others: &[String], follow: &Follow) -> Result<Vec<String>> {
        let packages = self.packages(&self.snapshot(name)?.root)?;
        let mut sources = packages.clone();
        for other in others {
            sources.extend(self.packages(&self.snapshot(other)?.root)?);
        }
        let keys: BTreeSet<Key> = sources.iter().map(|package| package.key.clone()).collect();
        if let Some(key) = conflict(&keys) {
            return Err(conflicting(&key));
        }
        let architectures = resolve::architectures(follow, &packages, true)?;
        let missing = resolve::missing(&packages, &Candidates::new(&sources), &architectures, follow);
        let mut shown: Vec<String> = missing.iter().map(debian::relation::Dependency::shown).collect();
        shown.sort();
        if shown.len() > 10_000_000 {
            return Err(Error::Invalid("too many missing dependencies to show".into()));
        }
        Ok(shown)
    }
}
