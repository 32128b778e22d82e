//! Package files that nothing shows any more. A change notes the folders of the packages that it takes out of sight; a sweep looks
//! into those only. The notes are durable, so what a crash or `-skip-cleanup` left is swept by the next update.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use debian::package::Key;
use store::{Tx, params};

use super::generation::prefix_folder;
use super::{Publication, of_place};
use crate::error::{At, Error, Result};
use crate::packages::{self, from_json};
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::set;

/// How many rows one transaction writes, and how many keys are looked up at once.
const CHUNK: usize = 400;

/// Notes the folders of packages that left these components; before they leave, so that a crash forgets none.
pub(super) fn note(root: &Root, publication: &Publication, removed: &BTreeMap<String, Vec<Key>>) -> Result<()> {
    for (component, keys) in removed {
        for chunk in keys.chunks(CHUNK) {
            let folders = root.store().read(|tx| packages::folders(tx, chunk))?;
            root.store()
                .write(|tx| folders.iter().try_for_each(|folder| insert(tx, publication, component, folder)))?;
        }
    }
    Ok(())
}

/// Notes one folder.
fn insert(tx: &mut Tx<'_>, publication: &Publication, component: &str, folder: &str) -> Result<()> {
    let sql = "insert into unswept (storage, prefix, pool, folder) values (?1, ?2, ?3, ?4) on conflict do nothing";
    let pool = publication.pool_of(component);
    tx.execute(sql, params![&publication.storage, &publication.prefix, pool, folder])?;
    Ok(())
}

/// Removes what nothing shows from the noted folders of the publication's place.
pub(super) fn sweep(root: &Root, publication: &Publication, components: &[String], sink: Sink<'_>) -> Result<()> {
    sink(Line::Step(format!("Cleaning up published repository {}...", publication.path())));
    for component in components {
        sink(Line::Step(format!("Cleaning up component '{component}'...")));
    }
    let (storage, prefix) = (&publication.storage, &publication.prefix);
    let noted: Vec<(String, String)> = root.store().read(|tx| {
        let sql = "select pool, folder from unswept where storage = ?1 and prefix = ?2";
        let rows = tx.query(sql, params![storage, prefix])?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect::<Result<_>>()
    })?;
    let mut by_pool: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (pool, folder) in &noted {
        by_pool.entry(pool).or_default().push(folder);
    }
    let place = prefix_folder(root, publication)?;
    for (pool, folders) in by_pool {
        for folders in folders.chunks(CHUNK) {
            let wanted = root.store().read(|tx| wanted(tx, publication, pool, folders))?;
            for folder in folders {
                sweep_folder(&place.join(pool), folder, &wanted)?;
            }
        }
    }
    for chunk in noted.chunks(CHUNK) {
        root.store().write(|tx| {
            for (pool, folder) in chunk {
                let sql = "delete from unswept where storage = ?1 and prefix = ?2 and pool = ?3 and folder = ?4";
                tx.execute(sql, params![storage, prefix, pool, folder])?;
            }
            Ok::<(), Error>(())
        })?;
    }
    Ok(())
}

/// The files (`h/hello/hello_1_all.deb`) in these folders of a pool that a publication of the place shows; with by-hash also those of
/// the generations that are kept.
fn wanted(tx: &mut Tx<'_>, publication: &Publication, pool: &str, folders: &[&str]) -> Result<BTreeSet<String>> {
    let mut files: HashMap<Key, Vec<String>> = HashMap::new();
    for folder in folders {
        files.extend(packages::in_folder(tx, folder)?);
    }
    let keys: BTreeSet<Key> = files.keys().cloned().collect();
    let mut wanted = BTreeSet::new();
    for one in of_place(tx, &publication.storage, &publication.prefix)? {
        for list in lists(tx, &one, pool)? {
            for key in set::present(tx, &list, &keys)? {
                if one.shows(&key.architecture) {
                    wanted.extend(files.get(&key).into_iter().flatten().cloned());
                }
            }
        }
    }
    Ok(wanted)
}

/// The package lists that a publication needs the files of, for the components that have their files in `pool`.
pub(super) fn lists(tx: &mut Tx<'_>, publication: &Publication, pool: &str) -> Result<BTreeSet<String>> {
    let sql = "select components from generation where publication = ?1 and (number = ?2 or by_hash = 1)";
    let mut lists = BTreeSet::new();
    for row in tx.query(sql, params![&publication.uuid, publication.generation])? {
        let components: BTreeMap<String, String> = from_json("a generation", &row.text(0)?)?;
        let here = components.into_iter().filter(|(component, _)| publication.pool_of(component) == pool);
        lists.extend(here.map(|(_, list)| list));
    }
    Ok(lists)
}

/// Removes the files of one folder that are not wanted, and the folders above that became empty.
fn sweep_folder(pool: &Path, folder: &str, wanted: &BTreeSet<String>) -> Result<()> {
    let path = pool.join(folder);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).at("read", &path),
    };
    for entry in entries {
        let entry = entry.at("read", &path)?;
        let file = entry.path();
        if entry.file_type().at("read", &file)?.is_dir() {
            continue;
        }
        let is_wanted = entry.file_name().to_str().is_some_and(|name| wanted.contains(&format!("{folder}/{name}")));
        if !is_wanted {
            fs::remove_file(&file).at("remove", &file)?;
        }
    }
    // Fails when something is in it, which is right.
    for above in path.ancestors().take_while(|above| above.starts_with(pool)) {
        if fs::remove_dir(above).is_err() {
            break;
        }
    }
    Ok(())
}
