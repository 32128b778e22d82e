//! An update: indexes, then the files that are not in the pool yet, then the new list. Files that came in before an interruption are in
//! the pool, so the next update goes on where the last one ended.

use std::collections::{BTreeMap, BTreeSet};

use debian::package::{Key, Kind, Package, PackageFile};
use debian::query;
use debian::release::Listing;
use debian::source::Listed;
use debian::sums::Sums;
use store::Tx;

use super::offers::{self, Index, Offered, OfferedFile};
use super::release::{self, Trust};
use super::standing::{self, Standing};
use super::{Fetch, FetchError, Mirror};
use super::{appstream, installer, queue};
use crate::error::{Error, Result};
use crate::outbox::{self, MIRRORED, Mirrored, NewPackage};
use crate::packages;
use crate::pool;
use crate::report::{Line, Sink};
use crate::resolve::Follow;
use crate::root::Root;
use crate::select::chosen;
use crate::set::{self, Diff};

/// How a mirror is updated.
#[derive(Debug, Clone, Default)]
pub struct UpdateMirror {
    /// Also while another process says that it updates it, and by a `Release` that is older than the last one.
    pub force: bool,
    /// Files are taken whatever their sums are.
    pub ignore_checksums: bool,
    /// Of each name and architecture only the highest version.
    pub latest: bool,
    /// Signatures.
    pub trust: Trust,
    /// How dependencies of filtered packages are followed.
    pub follow: Follow,
}

/// What an update brought, not yet recorded.
struct Brought {
    /// Everything that is to be in the list.
    keys: Vec<Key>,
    /// Those that may not be known yet.
    new: Vec<Package>,
    /// The mirror as its `Release` has it.
    seen: Mirror,
    /// The list that had the others.
    before: String,
}

impl Root {
    /// Brings a mirror up to date.
    pub fn update_mirror(&self, name: &str, how: &UpdateMirror, fetch: &dyn Fetch, sink: Sink<'_>) -> Result<Mirror> {
        let own = std::process::id();
        self.change_mirror(name, |mirror| match mirror.worker {
            Some(pid) if pid != own && !how.force && is_alive(pid) => {
                Err(Error::Conflict(format!("mirror is locked by update operation, PID {pid}")))
            }
            _ => {
                mirror.worker = Some(own);
                Ok(())
            }
        })?;
        let done = self.bring(name, how, fetch, sink).and_then(|brought| self.keep(name, &brought));
        if done.is_err() {
            self.change_mirror(name, |mirror| {
                mirror.worker = None;
                Ok(())
            })?;
        }
        done
    }

    /// Records the packages and the list in one transaction, so that no cleanup finds them unused.
    fn keep(&self, name: &str, brought: &Brought) -> Result<Mirror> {
        let Brought { keys, new, seen, before: known } = brought;
        let built = set::build(keys.iter().cloned());
        let kept = self.change(|tx| {
            new.iter().try_for_each(|package| packages::save(tx, package))?;
            built.save(tx)?;
            let now = tx.now();
            let mut before = String::new();
            let mirror = super::change(tx, name, &mut |mirror| {
                before = std::mem::replace(&mut mirror.root, built.root.clone());
                mirror.meta.clone_from(&seen.meta);
                mirror.appstream_files.clone_from(&seen.appstream_files);
                mirror.made_of.clone_from(&seen.made_of);
                (mirror.updated, mirror.worker) = (Some(now), None);
                Ok(())
            })?;
            // The packages that were not saved were in a list. If that was undone meanwhile, a cleanup may have been there.
            if before != *known && packages::known(tx, keys)? < keys.len() {
                let what = format!("mirror {name} was changed by somebody else while it was updated: update it again");
                return Err(Error::Conflict(what));
            }
            let Diff { added, removed } = set::diff(tx, &before, &built.root)?;
            let added: BTreeSet<Key> = added.into_iter().collect();
            let event = Mirrored {
                root: self.path().display().to_string(),
                mirror: name.to_owned(),
                distribution: mirror.distribution.clone(),
                packages: new_packages(tx, new, &added)?,
                removed: removed.iter().map(Key::full).collect(),
            };
            outbox::write(tx, MIRRORED, &event)?;
            Ok::<_, Error>(mirror)
        })?;
        self.touch_wake();
        Ok(kept)
    }

    fn bring(&self, name: &str, how: &UpdateMirror, fetch: &dyn Fetch, sink: Sink<'_>) -> Result<Brought> {
        let before = self.mirror(name)?;
        let mut mirror = before.clone();
        sink(Line::Step("Downloading & parsing package files...".into()));
        let listing = release::refresh(&mut mirror, &how.trust, fetch, self.store().clock().now())?;
        if !how.force {
            release::not_older(&before, &mirror)?;
        }
        let indexes = offers::indexes(&mirror);
        let standing = Standing::of(self, &mirror)?;
        let made_of = standing::made_of(&mirror, how, &indexes, &listing);
        let same = mirror.updated.is_some() && made_of.as_ref() == Some(&mirror.made_of) && standing.is_whole();
        mirror.made_of = made_of.unwrap_or_default();
        let (keys, new) = if same {
            sink(Line::Step("Nothing has changed since the last update...".into()));
            // Scripts look for how long the queue is.
            queue::bring(self, &BTreeMap::new(), false, fetch, sink)?;
            (standing.keys, Vec::new())
        } else {
            let offered = self.offered(&mirror, &indexes, &listing, how, fetch, sink)?;
            self.take_in(offered, &standing, how, fetch, sink)?
        };
        if mirror.appstream {
            mirror.appstream_files = appstream::bring(self, &mirror, &listing, how.ignore_checksums, fetch, sink)?;
        }
        Ok(Brought { keys, new, seen: mirror, before: before.root })
    }

    /// What is to be in the list, in the order of an index.
    fn offered(
        &self,
        mirror: &Mirror,
        indexes: &[Index],
        listing: &Listing,
        how: &UpdateMirror,
        fetch: &dyn Fetch,
        sink: Sink<'_>,
    ) -> Result<Vec<Offered>> {
        let mut offered = offers::offers(mirror, indexes, listing, how, fetch, sink)?;
        if mirror.installer {
            offered.extend(installer::offers(mirror, listing, how, fetch, self.store().clock().now())?);
            offered.sort_by(|a, b| a.package.key.cmp(&b.package.key));
        }
        if !mirror.filter.is_empty() {
            sink(Line::Step("Applying filter...".into()));
            let before = offered.len();
            offered = filtered(mirror, offered, &how.follow, sink)?;
            sink(Line::Note(format!("Packages filtered: {before} -> {}.", offered.len())));
        }
        if how.latest {
            offered = newest(offered);
        }
        Ok(offered)
    }

    /// Downloads what is missing into the pool; gives the keys of all, and the packages that are not in the list yet.
    fn take_in(
        &self,
        mut offered: Vec<Offered>,
        standing: &Standing,
        how: &UpdateMirror,
        fetch: &dyn Fetch,
        sink: Sink<'_>,
    ) -> Result<(Vec<Key>, Vec<Package>)> {
        sink(Line::Step("Building download queue...".into()));
        // Two of one name, version and architecture cannot stand in one list: the first one does.
        offered.dedup_by(|one, first| {
            let doubled = one.package.key.same_place(&first.package.key);
            if doubled {
                let what = format!("skipping package {}: duplicate in packages index", one.package.key);
                sink(Line::Warning(what));
            }
            doubled
        });
        let (mut keys, mut missing) = (Vec::with_capacity(offered.len()), Vec::new());
        for one in offered {
            match standing.key(&one) {
                Some(key) => keys.push(key.clone()),
                None => missing.push(one),
            }
        }
        let mut there = self.known(&missing)?;
        let mut queue: BTreeMap<&String, &Listed> = BTreeMap::new();
        for file in missing.iter().flat_map(|one| &one.files).filter(|file| !there.contains_key(&file.url)) {
            queue.insert(&file.url, &file.listed);
        }
        there.extend(queue::bring(self, &queue, how.ignore_checksums, fetch, sink)?);
        let mut new = Vec::with_capacity(missing.len());
        for one in missing {
            let files: Vec<PackageFile> = one
                .files
                .iter()
                .filter_map(|file| Some(PackageFile { name: file.name.clone(), sums: there.get(&file.url)?.clone() }))
                .collect();
            new.push(complete(one.package, files)?);
        }
        keys.extend(new.iter().map(|package| package.key.clone()));
        Ok((keys, new))
    }

    /// The sums of the files that the pool has already under their names, by address.
    fn known(&self, missing: &[Offered]) -> Result<BTreeMap<String, Sums>> {
        let pool = self.pool();
        self.store().read(|tx| {
            let mut found = BTreeMap::new();
            let named = missing.iter().flat_map(|one| &one.files).filter(|file| !file.listed.sha256.is_empty());
            for OfferedFile { url, listed, .. } in named {
                let path = pool::pool_path(&listed.sha256, &listed.name)?;
                let Some(sums) = pool::recorded(tx, &path)? else { continue };
                // What is written down may be gone: then it comes again.
                if pool.join(&path).is_file() {
                    found.insert(url.clone(), sums);
                }
            }
            Ok::<_, Error>(found)
        })
    }
}

/// Those of `packages` that `added` names, as events tell them.
fn new_packages(tx: &mut Tx<'_>, packages: &[Package], added: &BTreeSet<Key>) -> Result<Vec<NewPackage>> {
    let told = |package: &Package| NewPackage::of(package, "", "");
    let mut new: Vec<NewPackage> =
        packages.iter().filter(|package| added.contains(&package.key)).filter_map(told).collect();
    if new.len() < added.len() {
        // Known already: another update or an undo changed the list meanwhile.
        let mine: BTreeSet<&Key> = packages.iter().map(|package| &package.key).collect();
        let others: Vec<Key> = added.iter().filter(|key| !mine.contains(key)).cloned().collect();
        new.extend(packages::load(tx, &others)?.iter().filter_map(told));
    }
    Ok(new)
}

/// A package with the sums that its files really have.
fn complete(package: Package, files: Vec<PackageFile>) -> Result<Package> {
    let Package { kind, mut stanza, .. } = package;
    match kind {
        Kind::Source => return Ok(Package::source(stanza, files)?),
        Kind::Installer => return Ok(Package::installer(stanza.get("Architecture"), files)?),
        Kind::Deb | Kind::Udeb => {}
    }
    let file = files.into_iter().next().ok_or_else(|| Error::Damaged("a package without a file".into()))?;
    stanza.set("Filename", "");
    Ok(Package::binary(stanza, kind, file)?)
}

pub(super) fn is_alive(pid: u32) -> bool {
    std::path::Path::new("/proc").join(pid.to_string()).exists()
}

fn filtered(mirror: &Mirror, offered: Vec<Offered>, follow: &Follow, sink: Sink<'_>) -> Result<Vec<Offered>> {
    let query = query::parse(&mirror.filter)?;
    let follow = mirror.filter_with_deps.then(|| {
        let mut follow = follow.clone();
        if follow.architectures.is_empty() {
            follow.architectures.clone_from(&mirror.architectures);
        }
        follow
    });
    let all: Vec<Package> = offered.iter().map(|one| one.package.clone()).collect();
    let keys: BTreeSet<Key> = chosen(&all, Some(&query), follow.as_ref(), &mut |text| sink(Line::Note(text)))?
        .into_iter()
        .map(|package| package.key.clone())
        .collect();
    Ok(offered.into_iter().filter(|one| keys.contains(&one.package.key)).collect())
}

/// Of each name and architecture the highest version; the list is in the order of an index, the highest first.
fn newest(mut offered: Vec<Offered>) -> Vec<Offered> {
    let mut seen = BTreeSet::new();
    offered.retain(|one| seen.insert((one.package.key.name.clone(), one.package.key.architecture.clone())));
    offered
}

impl From<FetchError> for Error {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Missing(_) => Error::NotFound(error.to_string()),
            FetchError::Failed(_) => Error::Invalid(error.to_string()),
        }
    }
}
