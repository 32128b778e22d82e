//! What is removed after a publication changed: package files that nothing shows any more, and old generations.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use debian::package::is_for;
use jiff::SignedDuration;
use store::params;

use super::generation::{folder, generations, prefix_folder, remove_folder};
use super::{Publication, all};
use crate::error::{At, Error, Result};
use crate::packages::{self, from_json};
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::set;

/// So many generations are kept whatever their age.
const KEPT: usize = 3;
/// No generation is kept for longer than this once there are more.
const OLDEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Removes from the pools of `components` (of `publication`'s place) every file that no publication of the prefix shows.
pub(super) fn pools(root: &Root, publication: &Publication, components: &[String], sink: Sink<'_>) -> Result<()> {
    sink(Line::Step(format!("Cleaning up published repository {}...", publication.path())));
    let neighbours: Vec<Publication> = root
        .store()
        .read(all)?
        .into_iter()
        .filter(|one| one.storage == publication.storage && one.prefix == publication.prefix)
        .collect();
    for component in components {
        sink(Line::Step(format!("Cleaning up component '{component}'...")));
        let pool = publication.pool_of(component);
        let mut wanted = BTreeSet::new();
        for one in neighbours.iter().filter(|one| one.pool_of(component) == pool) {
            shown_files(root, one, component, &mut wanted)?;
        }
        let base = prefix_folder(root, publication)?.join(&pool);
        sweep(&base, &base, &wanted)?;
        let _ = fs::remove_dir(&base);
    }
    Ok(())
}

/// The files that a publication shows in a component; with by-hash also those of the generations that are kept.
fn shown_files(root: &Root, publication: &Publication, component: &str, wanted: &mut BTreeSet<String>) -> Result<()> {
    root.store().read(|tx| {
        let sql = "select components from generation where publication = ?1 and (number = ?2 or by_hash = 1)";
        let mut lists = BTreeSet::new();
        for row in tx.query(sql, params![&publication.uuid, publication.generation])? {
            let components: BTreeMap<String, String> = from_json("a generation", &row.text(0)?)?;
            lists.extend(components.get(component).cloned());
        }
        for list in lists {
            let mut keys = set::load(tx, &list)?;
            keys.retain(|key| {
                publication.architectures.iter().any(|architecture| is_for(&key.architecture, architecture))
            });
            wanted.extend(packages::published_paths(tx, &keys)?);
        }
        Ok(())
    })
}

/// Removes the files below `folder` that are not wanted, and folders that became empty.
fn sweep(base: &Path, folder: &Path, wanted: &BTreeSet<String>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).at("read", folder),
    };
    for entry in entries {
        let entry = entry.at("read", folder)?;
        let path = entry.path();
        if entry.file_type().at("read", &path)?.is_dir() {
            sweep(base, &path, wanted)?;
            // Fails when something is in it, which is right.
            let _ = fs::remove_dir(&path);
            continue;
        }
        let below = path.strip_prefix(base).ok().and_then(Path::to_str);
        if !below.is_some_and(|below| wanted.contains(below)) {
            fs::remove_file(&path).at("remove", &path)?;
        }
    }
    Ok(())
}

/// Forgets generations past their time, and removes the folders of all but the one shown and the one before: a reader may
/// be in the middle of that.
pub(super) fn old_generations(root: &Root, publication: &Publication) -> Result<()> {
    let now = root.store().clock().now();
    let oldest = now.checked_sub(OLDEST).unwrap_or(now);
    root.store().write(|tx| {
        let sql = "select number, at from generation where publication = ?1 order by number desc";
        for row in tx.query(sql, params![&publication.uuid])?.iter().skip(KEPT) {
            if row.time(1)? < oldest {
                tx.execute(
                    "delete from generation where publication = ?1 and number = ?2",
                    params![&publication.uuid, row.int(0)?],
                )?;
            }
        }
        Ok::<(), Error>(())
    })?;
    let base = generations(root, publication)?;
    let kept =
        [folder(root, publication, publication.generation)?, folder(root, publication, publication.generation - 1)?];
    for entry in fs::read_dir(&base).at("read", &base)?.flatten() {
        if !kept.contains(&entry.path()) {
            remove_folder(&entry.path())?;
        }
    }
    Ok(())
}
