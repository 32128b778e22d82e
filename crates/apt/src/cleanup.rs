//! `db cleanup`: packages, list parts and pool files that nothing refers to.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use debian::package::Key;
use jiff::{SignedDuration, Timestamp};
use store::{Row, Tx, params};

use crate::add::walk;
use crate::cores;
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
        let (unused, used) = self.store().read(|tx| {
            let used = Used::now(tx)?;
            // Lists share most of their leaves: each is read once.
            let texts = used.leaves.iter().map(|leaf| set::leaf_text(tx, leaf)).collect::<Result<Vec<String>>>()?;
            let keys: HashSet<&str> = texts.iter().flat_map(|text| text.lines()).collect();
            let mut unused = column(tx, "select key from package")?;
            unused.retain(|key| !keys.contains(key.as_str()));
            Ok::<_, Error>((unused, used))
        })?;
        sink(Line::Step(format!("Deleting unreferenced packages ({})...", unused.len())));
        cleaned.packages = unused.len() as u64;
        if verbose {
            unused.iter().for_each(|key| sink(Line::Note(format!("  {key}"))));
        }
        if !dry_run {
            self.forget_packages(&unused, &used.lists, sink)?;
            self.forget_lists(used)?;
        }
        // What was removed is not asked for any more; what is needed again meanwhile is.
        let files = self.unused_files(if dry_run { &unused } else { &[] })?;
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
    fn forget_lists(&self, mut used: Used) -> Result<()> {
        self.store().write(|tx| {
            used.add(tx)?;
            let mut forget = |table: &str, is_used: &dyn Fn(&String) -> bool| {
                let mut hashes = column(tx, &format!("select hash from {table}"))?;
                hashes.retain(|hash| !is_used(hash));
                hashes.iter().try_for_each(|hash| {
                    tx.execute(&format!("delete from {table} where hash = ?1"), params![hash])?;
                    Ok::<(), Error>(())
                })
            };
            forget("root", &|hash| used.lists.contains(hash))?;
            forget("leaf", &|hash| used.leaves.contains(hash))
        })
    }

    /// Files of the pool that no package names (those of `unused` do not count), with their sizes.
    fn unused_files(&self, unused: &[String]) -> Result<BTreeMap<String, u64>> {
        let unused: HashSet<&String> = unused.iter().collect();
        // All of one moment, before the folders are looked at: what is recorded later is young and stays.
        let (rows, mut needed, known) = self.store().read(|tx| {
            let mut needed = column(tx, "select path from staging")?;
            needed.extend(appstream(tx)?);
            let rows = tx.query("select key, files from package", &[])?;
            Ok::<_, Error>((rows, needed, column(tx, "select path from pool_file")?))
        })?;
        let chunks: Vec<&[Row]> = rows.chunks(1_000).collect();
        let named = cores::on_all(&chunks, |rows| {
            let mut paths = Vec::with_capacity(rows.len() * 2);
            for row in *rows {
                if unused.is_empty() || !unused.contains(&row.text(0)?) {
                    name_files(&row.text(1)?, |path, old| paths.extend(std::iter::once(path).chain(old)))?;
                }
            }
            Ok(paths)
        })?;
        needed.extend(named.into_iter().flatten());
        Ok(self.spare_files(&needed.into_iter().collect(), &known.into_iter().collect()))
    }

    /// The files of the pool that are not among the `needed` ones, with their sizes: `known` ones, and old ones.
    fn spare_files(&self, needed: &HashSet<String>, known: &HashSet<String>) -> BTreeMap<String, u64> {
        let pool = self.pool();
        let now = self.store().clock().now();
        let spare = |path: &Path| -> Option<(String, u64)> {
            let below =
                path.strip_prefix(&pool).ok().and_then(Path::to_str).filter(|below| !needed.contains(*below))?;
            let meta = fs::symlink_metadata(path).ok()?;
            let modified = meta.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or(now);
            let is_spare = known.contains(below) || modified.as_second() + YOUNG_SECONDS < now.as_second();
            is_spare.then(|| (below.to_owned(), meta.len()))
        };
        let tops: Vec<fs::DirEntry> = fs::read_dir(&pool).into_iter().flatten().flatten().collect();
        let found = cores::on_all(&tops, |top| {
            let mut found = Vec::new();
            let mut each = |path: &Path| found.extend(spare(path));
            match top.file_type() {
                Ok(kind) if kind.is_dir() => walk(&top.path(), 1, &mut each),
                _ => each(&top.path()),
            }
            Ok(found)
        });
        found.into_iter().flatten().flatten().collect()
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

/// Lists that something refers to, and their leaves.
#[derive(Default)]
struct Used {
    lists: BTreeSet<String>,
    leaves: HashSet<String>,
}

impl Used {
    fn now(tx: &mut Tx<'_>) -> Result<Used> {
        let mut used = Used::default();
        used.add(tx)?;
        Ok(used)
    }

    /// Those that are new since then are added.
    fn add(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for list in lists(tx)? {
            if !self.lists.contains(&list) {
                set::gather_leaves(tx, &list, &mut self.leaves)?;
                self.lists.insert(list);
            }
        }
        Ok(())
    }
}

/// AppStream's files of snapshots and mirrors, by path below the pool.
pub(crate) fn appstream(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for snapshot in snapshot::all(tx)? {
        found.extend(snapshot.appstream.into_values());
    }
    for document in column(tx, "select document from mirror")? {
        let mirror: Mirror = from_json("a mirror", &document)?;
        found.extend(mirror.appstream_files.into_values());
    }
    Ok(found)
}

/// The first column of what a query finds.
fn column(tx: &mut Tx<'_>, sql: &str) -> Result<Vec<String>> {
    tx.query(sql, &[])?.iter().map(|row| Ok(row.text(0)?)).collect()
}

/// Where each of a package's files is in the pool, from its record, and where an old aptly may have put it.
pub(crate) fn name_files(record: &str, mut each: impl FnMut(String, Option<String>)) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct File<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
        md5: &'a str,
        sha256: &'a str,
    }
    let files: Vec<File<'_>> = from_json("a list of files", record)?;
    for file in files {
        each(pool::pool_path(file.sha256, &file.name)?, pool::old_path(file.md5, &file.name).ok());
    }
    Ok(())
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
