//! An update: indexes, then the files that are not in the pool yet, then the new list. Files that came in before an interruption are in
//! the pool, so the next update goes on where the last one ended.

use std::collections::{BTreeMap, BTreeSet};

use debian::control;
use debian::package::{Key, Kind, Package, PackageFile};
use debian::query;
use debian::source::{self, Listed};
use debian::stanza::Stanza;
use debian::sums::Sums;
use store::params;

use super::queue;
use super::release::{self, Trust};
use super::{Fetch, FetchError, Mirror};
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

/// A package of an index, with where its files are.
struct Offered {
    package: Package,
    /// Address and what is listed, for each file.
    files: Vec<(String, Listed)>,
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
        Ok((self.take_in(offered, how, fetch, sink)?, mirror))
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
        for (url, listed) in offered.iter().flat_map(|one| &one.files).filter(|(url, _)| !there.contains_key(url)) {
            queue.insert(url, listed);
        }
        there.extend(queue::bring(self, &queue, how.ignore_checksums, fetch, sink)?);
        let (mut keys, mut all) = (BTreeSet::new(), Vec::new());
        for one in offered {
            let files: Vec<PackageFile> = one
                .files
                .iter()
                .filter_map(|(url, listed)| {
                    Some(PackageFile { name: listed.name.clone(), sums: there.get(url)?.clone() })
                })
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
            let sql = "select size, md5, sha1, sha256, sha512 from pool_file where path = ?1";
            let mut found = BTreeMap::new();
            let named = offered.iter().flat_map(|one| &one.files).filter(|(_, listed)| !listed.sha256.is_empty());
            for (url, listed) in named {
                let path = pool::pool_path(&listed.sha256, &listed.name)?;
                let Some(row) = tx.query_opt(sql, params![&path])? else { continue };
                // What is written down may be gone: then it comes again.
                if pool.join(&path).is_file() {
                    let size = u64::try_from(row.int(0)?).unwrap_or(0);
                    let [md5, sha1, sha256, sha512] = [row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?];
                    found.insert(url.clone(), Sums { size, md5, sha1, sha256, sha512 });
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
    if kind == Kind::Source {
        return Ok(Package::source(stanza, files)?);
    }
    let file = files.into_iter().next().ok_or_else(|| Error::Damaged("a package without a file".into()))?;
    stanza.set("Filename", "");
    Ok(Package::binary(stanza, kind, file)?)
}

fn is_alive(pid: u32) -> bool {
    std::path::Path::new("/proc").join(pid.to_string()).exists()
}

/// Everything that the indexes of a mirror list.
fn offers(
    mirror: &Mirror,
    listing: &debian::release::Listing,
    how: &UpdateMirror,
    fetch: &dyn Fetch,
    sink: Sink<'_>,
) -> Result<Vec<Offered>> {
    let mut paths: Vec<(String, Kind)> = Vec::new();
    if mirror.is_flat() {
        paths.push(("Packages".into(), Kind::Deb));
        paths.extend(mirror.sources.then(|| ("Sources".to_owned(), Kind::Source)));
    }
    for component in &mirror.components {
        for architecture in mirror.architectures.iter().filter(|one| *one != "source") {
            paths.push((format!("{component}/binary-{architecture}/Packages"), Kind::Deb));
            if mirror.udebs {
                paths.push((format!("{component}/debian-installer/binary-{architecture}/Packages"), Kind::Udeb));
            }
        }
        paths.extend(mirror.sources.then(|| (format!("{component}/source/Sources"), Kind::Source)));
    }
    let mut offered = Vec::new();
    for (path, kind) in paths {
        let Some(bytes) = release::index(mirror, listing, &path, how.ignore_checksums, fetch)? else {
            return Err(Error::NotFound(format!("no candidates for {} found", mirror.beside_release(&path))));
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::Invalid(format!("{path} is not valid UTF-8")))?;
        for paragraph in control::paragraphs(text) {
            let paragraph = paragraph.map_err(|error| Error::Invalid(format!("{path}: {error}")))?;
            let stanza = Stanza::from_paragraph(&paragraph);
            let one = if kind == Kind::Source {
                offered_source(mirror, stanza)
            } else {
                offered_binary(mirror, stanza, kind)
            };
            match one {
                Ok(one) if mirror.is_flat() && !wanted(mirror, &one.package) => {}
                Ok(one) => offered.push(one),
                // One package that nobody can have does not keep the others away.
                Err(error) => {
                    sink(Line::Warning(format!("skipping a package of {path}, line {}: {error}", paragraph.line)))
                }
            }
        }
    }
    // A package for all architectures stands in every index.
    offered.sort_by(|a, b| a.package.key.cmp(&b.package.key));
    offered.dedup_by(|a, b| a.package.key == b.package.key);
    Ok(offered)
}

/// A flat mirror has one index for all architectures.
fn wanted(mirror: &Mirror, package: &Package) -> bool {
    let own = &package.key.architecture;
    own == "all" || package.kind == Kind::Source || mirror.architectures.contains(own)
}

fn offered_binary(mirror: &Mirror, stanza: Stanza, kind: Kind) -> Result<Offered> {
    let path = stanza.get("Filename").trim_start_matches("./").to_owned();
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let size = stanza.get("Size").parse().map_err(|_| Error::Invalid("its size is not a number".into()))?;
    let sum = |field: &str| stanza.get(field).to_ascii_lowercase();
    let listed = Listed {
        name: name.clone(),
        size,
        md5: sum("MD5sum"),
        sha1: sum("SHA1"),
        sha256: sum("SHA256"),
        sha512: sum("SHA512"),
    };
    let url = address(mirror, &path)?;
    let sums = sums(&listed);
    Ok(Offered { package: Package::binary(stanza, kind, PackageFile { name, sums })?, files: vec![(url, listed)] })
}

fn offered_source(mirror: &Mirror, stanza: Stanza) -> Result<Offered> {
    let files = source::listed(&stanza).map_err(|error| Error::Invalid(error.to_string()))?;
    let folder = stanza.get("Directory").trim_start_matches("./").trim_end_matches('/').to_owned();
    let mut found = Vec::new();
    let mut kept = Vec::new();
    for listed in files {
        let path =
            if folder.is_empty() || folder == "." { listed.name.clone() } else { format!("{folder}/{}", listed.name) };
        kept.push(PackageFile { name: listed.name.clone(), sums: sums(&listed) });
        found.push((address(mirror, &path)?, listed));
    }
    Ok(Offered { package: Package::source(stanza, kept)?, files: found })
}

fn sums(listed: &Listed) -> Sums {
    let Listed { size, md5, sha1, sha256, sha512, .. } = listed.clone();
    Sums { size, md5, sha1, sha256, sha512 }
}

/// The address of a package's file: paths in an index stay below the archive.
fn address(mirror: &Mirror, path: &str) -> Result<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let odd = parts.iter().any(|part| matches!(*part, "" | "." | ".."));
    if odd || path.chars().any(|c| c.is_control() || matches!(c, '?' | '#' | '\\')) {
        return Err(Error::Invalid(format!("{path:?} is no path of a file in an archive")));
    }
    let flat = mirror.distribution.trim_start_matches("./");
    let base = if mirror.is_flat() { format!("{}{flat}", mirror.archive) } else { mirror.archive.clone() };
    // In an address a plus and a tilde may stand as they are; a percent sign may not.
    Ok(format!("{base}{}", path.replace('%', "%25").replace(' ', "%20")))
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
