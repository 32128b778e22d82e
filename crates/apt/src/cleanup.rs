//! `db cleanup`: packages, list parts and pool files that nothing refers to.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use debian::package::Key;
use jiff::{SignedDuration, Timestamp};
use store::{Tx, params};

use crate::add::walk;
use crate::error::{At, Error, Result};
use crate::mirror::Mirror;
use crate::packages::from_json;
use crate::pool;
use crate::report::{Line, Progress, Sink, Work};
use crate::root::Root;
use crate::set;
use crate::snapshot;

/// What was (or would be) removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Package records.
    pub packages: u64,
    /// Pool files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// So many records are removed in one transaction.
const CHUNK: usize = 200;

/// Files that nobody knows are left alone for so long: somebody may be about to record them.
const YOUNG_SECONDS: i64 = 3600;

impl Root {
    /// Removes what nothing refers to; with `dry_run` only tells.
    pub fn cleanup(&self, dry_run: bool, verbose: bool, sink: Sink<'_>) -> Result<Cleaned> {
        let mut cleaned = Cleaned::default();
        sink(Line::Step("Loading list of all packages...".into()));
        let (unused, lists) = self.store().read(|tx| {
            let lists = lists(tx)?;
            // Lists share most of their leaves: each is read once.
            let mut leaves = HashSet::new();
            for list in &lists {
                leaves.extend(set::leaves(tx, list)?.into_iter().map(|leaf| leaf.hash));
            }
            let mut used = HashSet::new();
            for leaf in &leaves {
                used.extend(set::leaf(tx, leaf)?.iter().map(Key::full));
            }
            let rows = tx.query("select key from package", &[])?;
            let mut unused = Vec::new();
            for row in rows {
                let key = row.text(0)?;
                if !used.contains(&key) {
                    unused.push(key);
                }
            }
            Ok::<_, Error>((unused, lists))
        })?;
        sink(Line::Step(format!("Deleting unreferenced packages ({})...", unused.len())));
        cleaned.packages = unused.len() as u64;
        if verbose {
            unused.iter().for_each(|key| sink(Line::Note(format!("  {key}"))));
        }
        if !dry_run {
            self.forget_packages(&unused, &lists, sink)?;
            self.forget_lists(&lists)?;
        }
        let files = self.unused_files(&unused)?;
        sink(Line::Step(format!("Deleting unreferenced files ({})...", files.len())));
        for (path, bytes) in &files {
            if verbose {
                sink(Line::Note(format!("  {path}")));
            }
            cleaned.files += 1;
            cleaned.bytes += bytes;
        }
        if !dry_run {
            self.remove_files(files.keys())?;
        }
        if cleaned.bytes > 0 {
            sink(Line::Step(format!("Disk space freed: {}...", size(cleaned.bytes))));
        }
        if !dry_run {
            self.forget_ops()?;
        }
        sink(Line::Step("Compacting database...".into()));
        Ok(cleaned)
    }

    /// Removes records that still nobody uses; a list that is not one of those `before` is looked up in the same transaction.
    fn forget_packages(&self, unused: &[String], before: &BTreeSet<String>, sink: Sink<'_>) -> Result<()> {
        let mut progress = Progress { work: Work::Delete, total: unused.len() as u64, ..Progress::default() };
        for (done, chunk) in unused.chunks(CHUNK).enumerate() {
            progress.remaining = progress.total - (done * CHUNK) as u64;
            sink(Line::Progress(progress));
            self.store().write(|tx| {
                let keys: BTreeSet<Key> = chunk.iter().filter_map(|key| Key::parse(key)).collect();
                let mut used = BTreeSet::new();
                for list in lists(tx)?.difference(before) {
                    used.extend(set::present(tx, list, &keys)?);
                }
                for key in keys.difference(&used).map(Key::full) {
                    tx.execute("delete from package where key = ?1", params![&key])?;
                    tx.execute("delete from contents where key = ?1", params![&key])?;
                }
                Ok::<(), Error>(())
            })?;
        }
        sink(Line::Progress(Progress { remaining: 0, ..progress }));
        Ok(())
    }

    /// Removes roots and leaves of lists that are gone. Those that are in use now are asked for in the same transaction.
    fn forget_lists(&self, before: &BTreeSet<String>) -> Result<()> {
        self.store().write(|tx| {
            let mut wanted = lists(tx)?;
            wanted.extend(before.iter().cloned());
            let mut leaves = BTreeSet::new();
            for list in &wanted {
                if tx.query_opt("select 1 from root where hash = ?1", params![list])?.is_some() {
                    leaves.extend(set::leaves(tx, list)?.into_iter().map(|leaf| leaf.hash));
                }
            }
            for (table, wanted) in [("root", &wanted), ("leaf", &leaves)] {
                for row in tx.query(&format!("select hash from {table}"), &[])? {
                    let hash = row.text(0)?;
                    if !wanted.contains(&hash) {
                        tx.execute(&format!("delete from {table} where hash = ?1"), params![hash])?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Files of the pool that no package names (those of `unused` do not count), with their sizes.
    fn unused_files(&self, unused: &[String]) -> Result<BTreeMap<String, u64>> {
        let gone: BTreeSet<&String> = unused.iter().collect();
        let (named, known, staged) = self.store().read(|tx| {
            let mut named = BTreeSet::new();
            for row in tx.query("select key, files from package", &[])? {
                if gone.contains(&row.text(0)?) {
                    continue;
                }
                #[derive(serde::Deserialize)]
                struct File {
                    name: String,
                    md5: String,
                    sha256: String,
                }
                let files: Vec<File> = from_json("a list of files", &row.text(1)?)?;
                for file in files {
                    named.insert(pool::pool_path(&file.sha256, &file.name)?);
                    // It may lie where an old aptly put it.
                    named.extend(pool::old_path(&file.md5, &file.name).ok());
                }
            }
            for snapshot in snapshot::all(tx)? {
                named.extend(snapshot.appstream.into_values());
            }
            for row in tx.query("select document from mirror", &[])? {
                let mirror: Mirror = from_json("a mirror", &row.text(0)?)?;
                named.extend(mirror.appstream_files.into_values());
            }
            let column = |tx: &mut Tx<'_>, sql: &str| -> Result<BTreeSet<String>> {
                tx.query(sql, &[])?.iter().map(|row| Ok(row.text(0)?)).collect()
            };
            let known = column(tx, "select path from pool_file")?;
            let staged = column(tx, "select path from staging")?;
            Ok::<_, Error>((named, known, staged))
        })?;
        let pool = self.pool();
        let now = self.store().clock().now();
        let mut found = BTreeMap::new();
        walk(&pool, 0, &mut |path| {
            let Some(below) = path.strip_prefix(&pool).ok().and_then(Path::to_str) else { return };
            if named.contains(below) || staged.contains(below) {
                return;
            }
            let Ok(meta) = fs::symlink_metadata(path) else { return };
            let modified = meta.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or(now);
            if known.contains(below) || modified.as_second() + YOUNG_SECONDS < now.as_second() {
                found.insert(below.to_owned(), meta.len());
            }
        });
        Ok(found)
    }

    fn remove_files<'a>(&self, paths: impl Iterator<Item = &'a String>) -> Result<()> {
        for path in paths {
            let free = self.store().write(|tx| {
                // Somebody may have begun to add the same file again.
                if tx.query_opt("select 1 from staging where path = ?1", params![path])?.is_some() {
                    return Ok(false);
                }
                tx.execute("delete from pool_file where path = ?1", params![path])?;
                Ok::<_, Error>(true)
            })?;
            if !free {
                continue;
            }
            let file = self.pool().join(path);
            fs::remove_file(&file).at("remove", &file)?;
            for folder in file.ancestors().skip(1).take(2) {
                // Fails when something is in it, which is right.
                let _ = fs::remove_dir(folder);
            }
        }
        Ok(())
    }
}

/// Every list that something refers to.
fn lists(tx: &mut Tx<'_>) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for sql in ["select root from repo", "select root from snapshot", "select root from mirror"] {
        for row in tx.query(sql, &[])? {
            found.insert(row.text(0)?);
        }
    }
    for row in tx.query("select components from generation", &[])? {
        let components: BTreeMap<String, String> = from_json("a generation", &row.text(0)?)?;
        found.extend(components.into_values());
    }
    // Publications in the making; whoever took longer than a day is no more.
    let since = tx.now().checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    for row in tx.query("select list from pin where at > ?1", params![since])? {
        found.insert(row.text(0)?);
    }
    found.remove("");
    Ok(found)
}

/// Bytes for people, as aptly writes them.
pub fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 512.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.2} {unit}") }
}
