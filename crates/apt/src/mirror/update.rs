//! An update: indexes, then the files that are not in the pool yet, then the new list. Files that came in before an interruption are in
//! the pool, so the next update goes on where the last one ended.

use std::collections::{BTreeMap, BTreeSet};

use debian::package::{Key, Kind, Package, PackageFile};
use debian::query;
use debian::source::Listed;
use debian::sums::Sums;

use super::offers::{Offered, OfferedFile, offers};
use super::release::{self, Trust};
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
    /// Also while another process says that it updates it.
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
        let done = self.bring(name, how, fetch, sink);
        let done = done.and_then(|(packages, seen)| self.keep(name, &packages, &seen));
        if done.is_err() {
            self.change_mirror(name, |mirror| {
                mirror.worker = None;
                Ok(())
            })?;
        }
        done
    }

    /// Records the packages and the list in one transaction, so that no cleanup finds them unused.
    fn keep(&self, name: &str, packages: &[Package], seen: &Mirror) -> Result<Mirror> {
        let built = set::build(packages.iter().map(|package| package.key.clone()));
        let kept = self.change(|tx| {
            packages.iter().try_for_each(|package| packages::save(tx, package))?;
            built.save(tx)?;
            let now = tx.now();
            let mut before = String::new();
            let mirror = super::change(tx, name, &mut |mirror| {
                before = std::mem::replace(&mut mirror.root, built.root.clone());
                mirror.meta.clone_from(&seen.meta);
                mirror.appstream_files.clone_from(&seen.appstream_files);
                (mirror.updated, mirror.worker) = (Some(now), None);
                Ok(())
            })?;
            let Diff { added, removed } = set::diff(tx, &before, &built.root)?;
            let event = Mirrored {
                root: self.path().display().to_string(),
                mirror: name.to_owned(),
                distribution: mirror.distribution.clone(),
                packages: new_packages(packages, &added),
                removed: removed.iter().map(Key::full).collect(),
            };
            outbox::write(tx, MIRRORED, &event)?;
            Ok::<_, Error>(mirror)
        })?;
        self.touch_wake();
        Ok(kept)
    }

    fn bring(
        &self,
        name: &str,
        how: &UpdateMirror,
        fetch: &dyn Fetch,
        sink: Sink<'_>,
    ) -> Result<(Vec<Package>, Mirror)> {
        let mut mirror = self.mirror(name)?;
        sink(Line::Step("Downloading & parsing package files...".into()));
        let listing = release::refresh(&mut mirror, &how.trust, fetch)?;
        let mut offered = offers(&mirror, &listing, how, fetch, sink)?;
        if mirror.installer {
            offered.extend(installer::offers(&mirror, &listing, how, fetch)?);
        }
        if !mirror.filter.is_empty() {
            sink(Line::Step("Applying filter...".into()));
            let before = offered.len();
            offered = filtered(&mirror, offered, &how.follow, sink)?;
            sink(Line::Note(format!("Packages filtered: {before} -> {}.", offered.len())));
        }
        if how.latest {
            offered = newest(offered);
        }
        sink(Line::Step("Building download queue...".into()));
        let packages = self.take_in(offered, how, fetch, sink)?;
        if mirror.appstream {
            mirror.appstream_files = appstream::bring(self, &mirror, &listing, how.ignore_checksums, fetch, sink)?;
        }
        Ok((packages, mirror))
    }

    /// Downloads what is missing into the pool; gives the packages as they are then.
    fn take_in(
        &self,
        offered: Vec<Offered>,
        how: &UpdateMirror,
        fetch: &dyn Fetch,
        sink: Sink<'_>,
    ) -> Result<Vec<Package>> {
        let mut there = self.known(&offered)?;
        let mut queue: BTreeMap<&String, &Listed> = BTreeMap::new();
        for file in offered.iter().flat_map(|one| &one.files).filter(|file| !there.contains_key(&file.url)) {
            queue.insert(&file.url, &file.listed);
        }
        there.extend(queue::bring(self, &queue, how.ignore_checksums, fetch, sink)?);
        let (mut keys, mut all) = (BTreeSet::new(), Vec::new());
        for one in offered {
            let files: Vec<PackageFile> = one
                .files
                .iter()
                .filter_map(|file| Some(PackageFile { name: file.name.clone(), sums: there.get(&file.url)?.clone() }))
                .collect();
            let package = complete(one.package, files)?;
            // Two of one name, version and architecture cannot stand in one list: the first one does.
            if keys.insert((package.key.name.clone(), package.key.version.clone(), package.key.architecture.clone())) {
                all.push(package);
            } else {
                sink(Line::Warning(format!("skipping package {}: duplicate in packages index", package.key)));
            }
        }
        Ok(all)
    }

    /// The sums of the files that the pool has already under their names, by address.
    fn known(&self, offered: &[Offered]) -> Result<BTreeMap<String, Sums>> {
        let pool = self.pool();
        self.store().read(|tx| {
            let mut found = BTreeMap::new();
            let named = offered.iter().flat_map(|one| &one.files).filter(|file| !file.listed.sha256.is_empty());
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
fn new_packages(packages: &[Package], added: &[Key]) -> Vec<NewPackage> {
    let added: BTreeSet<&Key> = added.iter().collect();
    let new = packages.iter().filter(|package| added.contains(&package.key));
    let told = |package: &Package| NewPackage {
        component: String::new(),
        name: package.key.name.clone(),
        version: package.key.version.to_string(),
        architecture: package.key.architecture.clone(),
        sha256: package.files.first().map(|file| file.sums.sha256.clone()).unwrap_or_default(),
        reference: String::new(),
        replaced: false,
    };
    new.map(told).collect()
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

fn is_alive(pid: u32) -> bool {
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
