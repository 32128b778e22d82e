//! What is removed when a publication goes or moves its files: whole pools are compared with what is shown. And what is forgotten
//! after each publication: generations past their time.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use jiff::SignedDuration;
use store::params;

use super::by_hash::{self, Listed};
use super::files::remove_folder;
use super::generation::{folder, generations, prefix_folder};
use super::{Publication, of_place, sweep};
use crate::error::{At, Error, Result};
use crate::packages::{self, from_json};
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::set;

/// So many generations are kept whatever their age.
const KEPT: usize = 3;
/// No generation is kept for longer than this once there are more,
const OLDEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// nor when those after it take so many bytes.
const MOST: u64 = 2 << 30;
/// Those whose files are still on disk in all forms: a reader may be in the middle of the one before.
const WHOLE: usize = 2;

/// Removes from the pools of components (of `publication`'s place) every file that no publication of the prefix shows.
pub(super) fn pools(
    root: &Root,
    publication: &Publication,
    pools: &BTreeMap<String, String>,
    sink: Sink<'_>,
) -> Result<()> {
    sink(Line::Step(format!("Cleaning up published repository {}...", publication.path())));
    let neighbours = root.store().read(|tx| of_place(tx, &publication.storage, &publication.prefix))?;
    for (component, pool) in pools {
        sink(Line::Step(format!("Cleaning up component '{component}'...")));
        let mut wanted = BTreeSet::new();
        for one in &neighbours {
            shown_files(root, one, pool, &mut wanted)?;
        }
        let base = prefix_folder(root, publication)?.join(pool);
        sweep_all(&base, &base, &wanted)?;
        let _ = fs::remove_dir(&base);
    }
    Ok(())
}

/// The files that a publication shows of a pool; with by-hash also those of the generations that are kept.
fn shown_files(root: &Root, publication: &Publication, pool: &str, wanted: &mut BTreeSet<String>) -> Result<()> {
    root.store().read(|tx| {
        for list in sweep::lists(tx, publication, pool)? {
            let mut keys = set::load(tx, &list)?;
            keys.retain(|key| publication.shows(&key.architecture));
            wanted.extend(packages::published_paths(tx, &keys)?);
        }
        Ok(())
    })
}

/// Removes the files below `folder` that are not wanted, and folders that became empty.
fn sweep_all(base: &Path, folder: &Path, wanted: &BTreeSet<String>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).at("read", folder),
    };
    for entry in entries {
        let entry = entry.at("read", folder)?;
        let path = entry.path();
        if entry.file_type().at("read", &path)?.is_dir() {
            sweep_all(base, &path, wanted)?;
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

/// A row of the table of generations.
struct Row {
    number: i64,
    is_old: bool,
    /// Component to package list.
    lists: BTreeMap<String, String>,
    /// Whether its package files are kept for it.
    pins: bool,
    files: Vec<Listed>,
}

/// Forgets generations past their time, and removes the folders of all but the one shown and the one before.
pub(super) fn old_generations(root: &Root, publication: &Publication) -> Result<()> {
    let now = root.store().clock().now();
    let oldest = now.checked_sub(OLDEST).unwrap_or(now);
    let rows = root.store().read(|tx| {
        let sql = "select number, at, components, by_hash, indexes from generation where publication = ?1 order by number desc";
        let row = |row: &store::Row| {
            Ok(Row {
                number: row.int(0)?,
                is_old: row.time(1)? < oldest,
                lists: from_json("a generation", &row.text(2)?)?,
                pins: row.int(3)? != 0,
                files: from_json("a generation", &row.text(4)?)?,
            })
        };
        tx.query(sql, params![&publication.uuid])?.iter().map(row).collect::<Result<Vec<Row>>>()
    })?;
    let (mut seen, mut bytes) = (HashSet::new(), 0);
    let mut stays = 0;
    for row in &rows {
        bytes += by_hash::new_bytes(row.files.iter().filter(|file| file.is_packed()), &mut seen);
        if stays >= KEPT && (row.is_old || bytes > MOST) {
            break;
        }
        stays += 1;
    }
    let (kept, past) = rows.split_at(stays);
    forget(root, publication, kept, past)?;
    let base = generations(root, publication)?;
    let wanted: Vec<&Listed> = kept
        .iter()
        .enumerate()
        .flat_map(|(at, row)| row.files.iter().filter(move |file| at < WHOLE || file.is_packed()))
        .collect();
    let leaving = kept.get(WHOLE).into_iter().chain(past).flat_map(|row| &row.files);
    by_hash::forget(&base, leaving, &wanted)?;
    let mut folders = vec![base.join(by_hash::SHARED)];
    for number in (publication.generation - 1)..=publication.generation {
        folders.push(folder(root, publication, number)?);
    }
    for entry in fs::read_dir(&base).at("read", &base)?.flatten() {
        if !folders.contains(&entry.path()) {
            remove_folder(&entry.path())?;
        }
    }
    Ok(())
}

/// Takes generations out of the table; what only they showed is noted for the next sweep.
fn forget(root: &Root, publication: &Publication, kept: &[Row], past: &[Row]) -> Result<()> {
    let mut newer = kept.last();
    for row in past {
        if let Some(newer) = newer.filter(|_| row.pins) {
            let removed = root.store().read(|tx| {
                let mut removed = BTreeMap::new();
                for (component, list) in &row.lists {
                    let after = newer.lists.get(component).map_or("", String::as_str);
                    removed.insert(component.clone(), set::diff(tx, list, after)?.removed);
                }
                Ok::<_, Error>(removed)
            })?;
            sweep::note(root, publication, &removed)?;
        }
        newer = Some(row);
        let sql = "delete from generation where publication = ?1 and number = ?2";
        root.store().write(|tx| Ok::<_, Error>(tx.execute(sql, params![&publication.uuid, row.number])?))?;
    }
    Ok(())
}
