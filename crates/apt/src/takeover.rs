//! Taking over the database of an aptly, and giving one back.
//!
//! aptly keeps its records in a LevelDB below `ROOT/db`; pool and published files stay where they are. [`records`] reads them without
//! writing there, [`import`] puts them into our store in one transaction, [`export`] writes such a database. What was taken over is
//! remembered by its content, so that changes which aptly makes afterwards are noticed.

mod export;
mod import;
mod records;

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use store::clock::Clock;
use store::{SharedStore, Tx, params};

use crate::error::{At, Error, Result};
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::schema::MIGRATIONS;
use records::Records;

pub use export::Exported;

/// What was found in a database of aptly.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Taken {
    /// Packages.
    pub packages: u64,
    /// Local repositories.
    pub repos: u64,
    /// Mirrors.
    pub mirrors: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// Publications.
    pub publications: u64,
    /// What could not be taken over, each with the reason.
    pub left_out: Vec<String>,
}

/// How a root and the database of an aptly in it stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is none, or nothing new in it.
    Fine,
    /// It was never taken over, and there is nothing of ours.
    New,
    /// Somebody wrote to it after it was taken over, or beside us.
    Changed,
}

/// The name of our store in a root.
pub(crate) const STORE: &str = "gennaker.db";

/// Where aptly's database lies.
fn database(root: &Path) -> PathBuf {
    root.join("db")
}

/// Whether a folder holds the database of an aptly.
pub(crate) fn is_there(root: &Path) -> bool {
    database(root).join("CURRENT").exists()
}

/// What tells at a glance whether files changed: names, sizes and times, without those that every opening touches.
fn glance(folder: &Path) -> Result<String> {
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(folder).at("read", folder)? {
        let entry = entry.at("read", folder)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !matches!(name.as_str(), "LOG" | "LOG.old" | "LOCK" | "CURRENT.bak") {
            let meta = entry.metadata().at("read", &entry.path())?;
            let time = meta.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            seen.push(format!("{name} {} {}", meta.len(), time.map_or(0, |time| time.as_nanos())));
        }
    }
    seen.sort();
    Ok(seen.join("\n"))
}

/// Writes down what was taken over.
fn remember(tx: &mut Tx<'_>, glance: &str, content: &str) -> Result<()> {
    let now = tx.now();
    tx.execute(
        "insert into takeover (id, files, content, at) values (1, ?1, ?2, ?3)
         on conflict (id) do update set files = excluded.files, content = excluded.content, at = excluded.at",
        params![glance, content, now],
    )?;
    Ok(())
}

/// How things stand. A database that was only opened by aptly, not changed, is fine, and that is written down.
pub(crate) fn standing(root: &Path, store: &SharedStore) -> Result<Standing> {
    if !is_there(root) {
        return Ok(Standing::Fine);
    }
    let folder = database(root);
    let seen = glance(&folder)?;
    let (known, empty) = store.read(|tx| {
        let row = tx.query_opt("select files, content from takeover where id = 1", &[])?;
        let known = row.map(|row| Ok::<_, Error>((row.text(0)?, row.text(1)?))).transpose()?;
        let mut empty = true;
        for table in ["repo", "snapshot", "mirror", "publication"] {
            empty &= tx.query_opt(&format!("select 1 from {table} limit 1"), &[])?.is_none();
        }
        Ok::<_, Error>((known, empty))
    })?;
    match known {
        Some((files, _)) if files == seen => Ok(Standing::Fine),
        Some((_, content)) => {
            if Records::open(&folder)?.content()? != content {
                return Ok(Standing::Changed);
            }
            // Who may only read does not mind.
            let _ = store.write(|tx| remember(tx, &seen, &content));
            Ok(Standing::Fine)
        }
        None if empty => Ok(Standing::New),
        None => Ok(Standing::Changed),
    }
}

/// The error of a root that aptly writes to as well.
pub(crate) fn changed(root: &Path) -> Error {
    Error::Conflict(format!(
        "aptly has changed its database in {} since it was taken over, so nothing is written here: `gennaker import aptly --again` \
         takes it over anew (what was changed by gennaker meanwhile goes), moving that folder away ends its use",
        database(root).display()
    ))
}

/// Takes the database over into `store`, in one transaction. Not `anew`: somebody else may have been faster, which is fine.
pub(crate) fn take(root: &Path, store: &SharedStore, anew: bool, sink: Sink<'_>) -> Result<Taken> {
    let folder = database(root);
    sink(Line::Step(format!("Taking over aptly's database in {}...", folder.display())));
    read_into(&folder, root, store, anew, sink)
}

/// The same, with nothing said before.
fn read_into(folder: &Path, root: &Path, store: &SharedStore, anew: bool, sink: Sink<'_>) -> Result<Taken> {
    let seen = glance(folder)?;
    let records = Records::open(folder)?;
    let content = records.content()?;
    store.write(|tx| {
        if !anew && tx.query_opt("select 1 from takeover", &[])?.is_some() {
            return Ok(Taken::default());
        }
        let taken = import::all(tx, &records, &root.join("pool"), sink)?;
        remember(tx, &seen, &content)?;
        Ok(taken)
    })
}

fn nothing_there(root: &Path) -> Error {
    Error::NotFound(format!("there is no database of aptly in {}", database(root).display()))
}

/// Takes the database in `root` over. Refused when there is something of ours already.
pub fn take_over(root: &Path, clock: Arc<dyn Clock>, sink: Sink<'_>) -> Result<Taken> {
    if !is_there(root) {
        return Err(nothing_there(root));
    }
    let store = SharedStore::open(&root.join(STORE), MIGRATIONS, clock)?;
    match standing(root, &store)? {
        Standing::New => take(root, &store, false, sink),
        Standing::Fine => Err(Error::Conflict(format!("{} is taken over already", database(root).display()))),
        Standing::Changed => Err(changed(root)),
    }
}

/// A copy of the records in `root` in our form, to look at: kept in `cache` for as long as aptly changes nothing, else in a folder that
/// goes with it.
pub(crate) fn copy(
    root: &Path,
    clock: Arc<dyn Clock>,
    cache: Option<&Path>,
) -> Result<(Option<tempfile::TempDir>, SharedStore)> {
    let short = |text: &str| debian::sums::hex(&Sha256::digest(text.as_bytes())[..12]);
    let place = cache.map(|cache| cache.join(short(&root.display().to_string())));
    let now = short(&glance(&database(root))?);
    if let Some(file) = place.as_ref().map(|place| place.join(&now).join(STORE)).filter(|file| file.exists()) {
        return Ok((None, SharedStore::open(&file, MIGRATIONS, clock)?));
    }
    // Without a place to keep it the copy goes when the caller is through with it.
    let folder = match place.as_ref().and_then(|place| folder_in(place).ok()) {
        Some(folder) => folder,
        None => tempfile::tempdir().at("make a folder in", &std::env::temp_dir())?,
    };
    let store = SharedStore::open(&folder.path().join(STORE), MIGRATIONS, clock.clone())?;
    let records = Records::open(&database(root))?;
    store.write(|tx| import::all(tx, &records, &root.join("pool"), &mut |_| {}))?;
    let Some(place) = place.filter(|place| folder.path().starts_with(place)) else { return Ok((Some(folder), store)) };
    drop(store);
    let kept = place.join(&now);
    // Somebody else may have been faster with the same; others may still be making theirs.
    if std::fs::rename(folder.path(), &kept).is_ok() {
        let _ = folder.keep();
        let old = |name: &str| name != now && !name.starts_with(MAKING);
        for entry in std::fs::read_dir(&place).into_iter().flatten().flatten() {
            if old(&entry.file_name().to_string_lossy()) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
    Ok((None, SharedStore::open(&kept.join(STORE), MIGRATIONS, clock)?))
}

/// How folders begin that are not complete yet.
const MAKING: &str = "new-";

/// A folder of its own, for this user alone.
fn folder_in(place: &Path) -> std::io::Result<tempfile::TempDir> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(place)?;
    tempfile::Builder::new().prefix(MAKING).tempdir_in(place)
}

/// What taking over the database in `root` would bring; writes nothing there.
pub fn check_takeover(root: &Path, clock: Arc<dyn Clock>, sink: Sink<'_>) -> Result<Taken> {
    if !is_there(root) {
        return Err(nothing_there(root));
    }
    let (_folder, store) = elsewhere(clock)?;
    let folder = database(root);
    sink(Line::Step(format!("Reading aptly's database in {}...", folder.display())));
    read_into(&folder, root, &store, false, sink)
}

/// A store in a folder of its own, which goes with it.
fn elsewhere(clock: Arc<dyn Clock>) -> Result<(tempfile::TempDir, SharedStore)> {
    let folder = tempfile::tempdir().at("make a folder in", &std::env::temp_dir())?;
    let store = SharedStore::open(&folder.path().join(STORE), MIGRATIONS, clock)?;
    Ok((folder, store))
}

/// Takes the database in `root` over once more: what there is of ours goes, in the same transaction.
pub fn take_over_again(root: &Path, clock: Arc<dyn Clock>, sink: Sink<'_>) -> Result<Taken> {
    if !is_there(root) {
        return Err(nothing_there(root));
    }
    let store = SharedStore::open(&root.join(STORE), MIGRATIONS, clock)?;
    take(root, &store, true, sink)
}

impl Root {
    /// Writes a folder that an aptly can open as its root: a database with all that is here, pool and published files linked.
    pub fn export_aptly(&self, to: &Path, sink: Sink<'_>) -> Result<Exported> {
        export::all(self, to, sink)
    }
}
