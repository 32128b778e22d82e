//! From a list of packages to a shown generation: files linked, folder rendered, record and event committed, link moved.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use debian::package::{Key, Package};
use debian::sums::Sums;
use jiff::Timestamp;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::{Deserialize, Serialize};
use store::{Tx, params};

use super::render::{Index, Renderer, link, release, write};
use super::{Publication, Signing, all, save, sign};
use crate::error::{At, Error, Result};
use crate::outbox::{self, NewPackage, PUBLISHED, Published};
use crate::packages::{self, from_json, json};
use crate::pool;
use crate::report::{Line, Sink};
use crate::root::{Root, make_folder};
use crate::set;

/// How this one generation is made.
pub(super) struct Making<'a> {
    pub force_overwrite: bool,
    pub signing: &'a Signing,
    /// The date that it carries; the clock's when none is given.
    pub date: Option<Timestamp>,
}

/// A file of a kept generation, so that its by-hash name can be offered on.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    path: String,
    size: u64,
    md5: String,
    sha1: String,
    sha256: String,
    sha512: String,
}

/// The folder of a prefix.
pub(super) fn prefix_folder(root: &Root, publication: &Publication) -> Result<PathBuf> {
    let base = root.endpoint(&publication.storage)?.folder;
    Ok(if publication.prefix == "." { base } else { base.join(&publication.prefix) })
}

/// The folder of one generation.
pub(super) fn folder(root: &Root, publication: &Publication, number: i64) -> Result<PathBuf> {
    Ok(generations(root, publication)?.join(number.to_string()))
}

/// The folder of all generations of a publication.
pub(super) fn generations(root: &Root, publication: &Publication) -> Result<PathBuf> {
    let name = publication.distribution.replace('/', "%2f");
    Ok(prefix_folder(root, publication)?.join("dists/.generations").join(name))
}

/// The link that clients read through.
pub(super) fn shown_link(root: &Root, publication: &Publication) -> Result<PathBuf> {
    Ok(prefix_folder(root, publication)?.join("dists").join(&publication.distribution))
}

/// Publishes `roots` (component to list) as the next generation of `publication`.
pub(super) fn make(
    root: &Root,
    mut publication: Publication,
    roots: &BTreeMap<String, String>,
    making: &Making<'_>,
    sink: Sink<'_>,
) -> Result<Publication> {
    sink(Line::Step("Loading packages...".into()));
    let before = publication.generation;
    publication.generation += 1;
    let components = load(root, &publication, roots)?;
    sink(Line::Step("Generating metadata files and linking package files...".into()));
    for (component, packages) in &components {
        link_packages(root, &publication, component, packages, making.force_overwrite)?;
    }
    let folder = folder(root, &publication, publication.generation)?;
    remove_folder(&folder)?;
    let rendered = render(root, &publication, &folder, &components, making, before, sink);
    let indexes = match rendered {
        Ok(indexes) => indexes,
        Err(error) => {
            // Nobody has seen it; leaving it would only take room.
            let _ = remove_folder(&folder);
            return Err(error);
        }
    };
    pool::sync(&folder)?;
    let link = prepare_link(root, &publication)?;
    commit(root, &publication, roots, &components, indexes, before)?;
    flip(root, &publication, &link)?;
    root.touch_wake();
    Ok(publication)
}

/// The packages of each component that the architectures show.
fn load(
    root: &Root,
    publication: &Publication,
    roots: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Vec<Package>>> {
    let mut components = BTreeMap::new();
    for (component, list) in roots {
        let mut packages = packages::of_list(root, list)?;
        packages.retain(|package| publication.architectures.iter().any(|architecture| package.is_for(architecture)));
        if let Some(short) = packages.iter().find(|package| package.pool_folder().is_none()) {
            return Err(Error::Invalid(format!("unable to publish: package source {} too short", short.source_name())));
        }
        components.insert(component.clone(), packages);
    }
    Ok(components)
}

fn link_packages(
    root: &Root,
    publication: &Publication,
    component: &str,
    packages: &[Package],
    force: bool,
) -> Result<()> {
    let endpoint = root.endpoint(&publication.storage)?;
    let base = prefix_folder(root, publication)?.join(publication.pool_of(component));
    make_folder(&base)?;
    for package in packages {
        let folder = base.join(package.pool_folder().unwrap_or_default());
        make_folder(&folder)?;
        for file in &package.files {
            endpoint.put(&pool::located(root, file)?, &folder.join(&file.name), force)?;
        }
    }
    Ok(())
}

/// Renders the folder, with the by-hash files of generations that readers may still ask for, and signs.
fn render(
    root: &Root,
    publication: &Publication,
    folder: &Path,
    components: &BTreeMap<String, Vec<Package>>,
    making: &Making<'_>,
    before: i64,
    sink: Sink<'_>,
) -> Result<Vec<Index>> {
    make_folder(folder)?;
    let indexes = Renderer::new(root, publication, folder).render(components, sink)?;
    keep_by_hash(root, publication, folder, before)?;
    sink(Line::Step("Finalizing metadata files...".into()));
    let now = making.date.unwrap_or_else(|| root.store().clock().now());
    let valid_until =
        if publication.settings.signed_by.is_empty() { String::new() } else { date(hundred_years_after(now)) };
    let listed: Vec<(String, Sums)> = indexes.iter().map(|index| (index.path.clone(), index.sums.clone())).collect();
    let names: Vec<String> = components.keys().cloned().collect();
    let text = release(publication).render(&date(now), &valid_until, &publication.architectures, &names, &listed);
    let path = folder.join("Release");
    write(&path, text.as_bytes())?;
    sign::sign(folder, &text, making.signing, making.date, sink)?;
    date_after(folder, &self::folder(root, publication, before)?)?;
    Ok(indexes)
}

/// Dates the files of a generation at least a second after those of the one before. Clients ask with whole seconds whether
/// something is newer, so of two generations within one second they would keep the first.
fn date_after(folder: &Path, before: &Path) -> Result<()> {
    let time = |folder: &Path| fs::metadata(folder.join("Release")).and_then(|meta| meta.modified());
    let Ok(old) = time(before) else { return Ok(()) };
    let new = time(folder).at("read", folder)?;
    let seconds =
        |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if seconds(new) > seconds(old) {
        return Ok(());
    }
    let next = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds(old) + 1);
    let mut files = Vec::new();
    crate::add::walk(folder, 0, &mut |file| {
        // The by-hash names are links to the same files, or belong to older generations.
        if !file.components().any(|part| part.as_os_str() == "by-hash") {
            files.push(file.to_owned());
        }
    });
    for file in files {
        let opened = fs::OpenOptions::new().write(true).open(&file);
        opened.and_then(|opened| opened.set_modified(next)).at("write", &file)?;
    }
    Ok(())
}

fn hundred_years_after(now: Timestamp) -> Timestamp {
    // A century without its leap days' exactness matters to nobody here.
    now.checked_add(jiff::SignedDuration::from_hours(24 * 36_525)).unwrap_or(Timestamp::MAX)
}

/// `Mon, 2 Jan 2006 15:04:05 UTC`: the day without a zero before it.
fn date(at: Timestamp) -> String {
    at.strftime("%a, %-d %b %Y %H:%M:%S UTC").to_string()
}

/// Links the packed by-hash files of kept generations into the new folder: whoever read an older InRelease gets them.
fn keep_by_hash(root: &Root, publication: &Publication, folder: &Path, before: i64) -> Result<()> {
    let old = self::folder(root, publication, before)?;
    let rows = root.store().read(|tx| {
        let sql = "select indexes from generation where publication = ?1";
        Ok::<_, Error>(tx.query(sql, params![&publication.uuid])?)
    })?;
    for row in rows {
        let kept: Vec<Kept> = from_json("a generation", &row.text(0)?)?;
        for file in kept {
            let Some((below, _)) = file.path.rsplit_once('/') else { continue };
            for (name, sum) in
                [("MD5Sum", &file.md5), ("SHA1", &file.sha1), ("SHA256", &file.sha256), ("SHA512", &file.sha512)]
            {
                let by_hash = Path::new(below).join("by-hash").join(name).join(sum);
                let (from, to) = (old.join(&by_hash), folder.join(&by_hash));
                if from.exists() {
                    make_folder(to.parent().unwrap_or(folder))?;
                    link(&from, &to)?;
                }
            }
        }
    }
    Ok(())
}

/// Record, generation and event in one transaction.
fn commit(
    root: &Root,
    publication: &Publication,
    roots: &BTreeMap<String, String>,
    components: &BTreeMap<String, Vec<Package>>,
    indexes: Vec<Index>,
    before: i64,
) -> Result<()> {
    let kept: Vec<Kept> = indexes
        .into_iter()
        .filter(|index| index.stored && [".gz", ".bz2", ".xz"].iter().any(|end| index.path.ends_with(end)))
        .map(|Index { path, sums: Sums { size, md5, sha1, sha256, sha512 }, .. }| Kept {
            path,
            size,
            md5,
            sha1,
            sha256,
            sha512,
        })
        .collect();
    let (kept, lists) = (json(&kept)?, json(roots)?);
    // Computed outside the write transaction: the lock of the prefix keeps everything here as it is.
    let event = Published {
        root: root.path().display().to_string(),
        prefix: publication.place(),
        distribution: publication.distribution.clone(),
        generation: publication.generation,
        packages: root.store().read(|tx| news(tx, publication, components, before))?,
    };
    root.store().write(|tx| {
        save(tx, publication)?;
        tx.execute(
            "insert into generation (publication, number, at, components, indexes, by_hash) values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (publication, number) do update set at = excluded.at, components = excluded.components,
             indexes = excluded.indexes, by_hash = excluded.by_hash",
            params![&publication.uuid, publication.generation, tx.now(), &lists, &kept, publication.settings.acquire_by_hash],
        )?;
        outbox::write(tx, PUBLISHED, &event)
    })
}

/// What is visible in these components and was not in generation `before`.
fn news(
    tx: &mut Tx<'_>,
    publication: &Publication,
    components: &BTreeMap<String, Vec<Package>>,
    before: i64,
) -> Result<Vec<NewPackage>> {
    let row = tx.query_opt(
        "select components from generation where publication = ?1 and number = ?2",
        params![&publication.uuid, before],
    )?;
    let old: BTreeMap<String, String> =
        row.map(|row| from_json("a generation", &row.text(0)?)).transpose()?.unwrap_or_default();
    let mut found = Vec::new();
    for (component, packages) in components {
        let known: BTreeSet<Key> = match old.get(component) {
            Some(list) => set::load(tx, list)?.into_iter().collect(),
            None => BTreeSet::new(),
        };
        for package in packages.iter().filter(|package| !known.contains(&package.key)) {
            let main = package.files.iter().find(|file| file.name.ends_with(".dsc")).or(package.files.first());
            let Some(file) = main else { continue };
            found.push(NewPackage {
                component: component.clone(),
                name: package.key.name.clone(),
                version: package.key.version.clone(),
                architecture: package.key.architecture.clone(),
                sha256: file.sums.sha256.clone(),
                reference: format!(
                    "{}/{}/{}",
                    publication.pool_of(component),
                    package.pool_folder().unwrap_or_default(),
                    file.name
                ),
                replaced: known.iter().any(|key| key.same_place(&package.key)),
            });
        }
    }
    Ok(found)
}

/// Makes the new link beside the shown one, so that after the commit only a rename is left to do.
fn prepare_link(root: &Root, publication: &Publication) -> Result<PathBuf> {
    let shown = shown_link(root, publication)?;
    let parent = shown.parent().unwrap_or(&shown).to_owned();
    make_folder(&parent)?;
    let name = publication.distribution.replace('/', "%2f");
    let up = "../".repeat(publication.distribution.matches('/').count());
    let target = format!("{up}.generations/{name}/{}", publication.generation);
    let beside = parent.join(format!(".{}.new", shown.file_name().unwrap_or_default().to_string_lossy()));
    let _ = fs::remove_file(&beside);
    std::os::unix::fs::symlink(target, &beside).at("link", &beside)?;
    Ok(beside)
}

/// Moves the link. A folder in its place (as aptly leaves one) is swapped with it and removed.
fn flip(root: &Root, publication: &Publication, beside: &Path) -> Result<()> {
    let shown = shown_link(root, publication)?;
    let is_folder = fs::symlink_metadata(&shown).is_ok_and(|meta| meta.is_dir());
    if is_folder {
        renameat_with(CWD, beside, CWD, &shown, RenameFlags::EXCHANGE).at("write", &shown)?;
        remove_folder(beside)?;
    } else {
        fs::rename(beside, &shown).at("write", &shown)?;
    }
    let parent = shown.parent().unwrap_or(&shown);
    fs::File::open(parent).and_then(|folder| folder.sync_all()).at("sync", parent)
}

/// Finishes what a crash left between the commit and the rename, for all publications of a prefix.
pub(super) fn recover(root: &Root, storage: &str, prefix: &str) -> Result<()> {
    let publications = root.store().read(all)?;
    for publication in publications.iter().filter(|one| one.storage == storage && one.prefix == prefix) {
        let wanted = folder(root, publication, publication.generation)?;
        let shown = shown_link(root, publication)?;
        let right = fs::canonicalize(&shown).ok() == fs::canonicalize(&wanted).ok();
        if !right && wanted.is_dir() {
            let link = prepare_link(root, publication)?;
            flip(root, publication, &link)?;
            root.touch_wake();
        }
    }
    Ok(())
}

/// Removes a folder with all that is in it; one that is not there is fine.
pub(super) fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at("remove", path),
        _ => Ok(()),
    }
}
