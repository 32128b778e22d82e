//! Package records: what is known of each package, found by its full key.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use debian::package::{Key, Kind, Package, PackageFile};
use debian::query::Query;
use debian::stanza::Stanza;
use debian::sums::Sums;
use serde::{Deserialize, Serialize};
use store::{Row, Tx, Value, params};

use crate::cores;
use crate::error::{Error, Result};
use crate::root::Root;
use crate::set;

/// How many rows one query asks for.
const CHUNK: usize = 400;

#[derive(Serialize, Deserialize)]
struct FileRecord {
    name: String,
    size: u64,
    md5: String,
    sha1: String,
    sha256: String,
    sha512: String,
}

/// Writes a package; one that is known already stays.
pub(crate) fn save(tx: &mut Tx<'_>, package: &Package) -> Result<()> {
    let stanza: Vec<(&str, &str)> = package.stanza.fields().collect();
    let files: Vec<FileRecord> = package.files.iter().map(record).collect();
    let (stanza, files) = (json(&stanza)?, json(&files)?);
    let folder = package.pool_folder().unwrap_or_default();
    tx.execute(
        "insert into package (key, kind, folder, stanza, files) values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
        params![package.key.full(), package.kind.word(), folder, stanza, files],
    )?;
    Ok(())
}

fn record(file: &PackageFile) -> FileRecord {
    let Sums { size, md5, sha1, sha256, sha512 } = file.sums.clone();
    FileRecord { name: file.name.clone(), size, md5, sha1, sha256, sha512 }
}

pub(crate) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Damaged(format!("cannot be written as JSON: {error}")))
}

pub(crate) fn from_json<'a, T: Deserialize<'a>>(what: &str, text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Damaged(format!("{what} in the database is damaged: {error}")))
}

fn files(text: &str) -> Result<Vec<PackageFile>> {
    let records: Vec<FileRecord> = from_json("a list of files", text)?;
    let file = |FileRecord { name, size, md5, sha1, sha256, sha512 }| PackageFile {
        name,
        sums: Sums { size, md5, sha1, sha256, sha512 },
    };
    Ok(records.into_iter().map(file).collect())
}

fn key(row: &Row) -> Result<Key> {
    let key = row.text(0)?;
    Key::parse(&key).ok_or_else(|| Error::Damaged(format!("package {key:?} in the database is damaged")))
}

fn package(row: &Row) -> Result<Package> {
    let key = key(row)?;
    let kind = row.text(1)?;
    let damaged = || Error::Damaged(format!("package {key} in the database is damaged: it is no {kind:?}"));
    let kind = Kind::of(&kind).ok_or_else(damaged)?;
    let fields: Vec<(String, String)> = from_json("a package", &row.text(2)?)?;
    let mut stanza = Stanza::default();
    for (name, value) in fields {
        stanza.set(&name, value);
    }
    Ok(Package { key, kind, stanza, files: files(&row.text(3)?)? })
}

/// The rows of a table by these full keys: the key, then `columns`.
pub(crate) fn rows_of<K: Borrow<Key>>(
    tx: &mut Tx<'_>,
    table: &str,
    columns: &str,
    keys: &[K],
) -> Result<HashMap<String, Row>> {
    let mut found = HashMap::with_capacity(keys.len());
    for chunk in keys.chunks(CHUNK) {
        let marks = (1..=chunk.len()).map(|at| format!("?{at}")).collect::<Vec<_>>().join(",");
        let values: Vec<Value> = chunk.iter().map(|key| Value::Text(key.borrow().full())).collect();
        for row in tx.query(&format!("select key, {columns} from {table} where key in ({marks})"), &values)? {
            found.insert(row.text(0)?, row);
        }
    }
    Ok(found)
}

fn rows(tx: &mut Tx<'_>, columns: &str, keys: &[Key]) -> Result<HashMap<String, Row>> {
    rows_of(tx, "package", columns, keys)
}

/// The packages of these keys, in the same order. One that is missing is damage.
pub(crate) fn load(tx: &mut Tx<'_>, keys: &[Key]) -> Result<Vec<Package>> {
    let mut found = rows(tx, "kind, stanza, files", keys)?;
    keys.iter().map(|key| package(&found.remove(&key.full()).ok_or_else(|| missing(key))?)).collect()
}

/// How many of these packages are known.
pub(crate) fn known(tx: &mut Tx<'_>, keys: &[Key]) -> Result<usize> {
    Ok(rows(tx, "kind", keys)?.len())
}

fn missing(key: &Key) -> Error {
    Error::Damaged(format!("package {key} is in a list, but not in the database"))
}

/// Where the files of these packages are published below a component's pool: `h/hello/hello_1_all.deb`.
pub(crate) fn published_paths(tx: &mut Tx<'_>, keys: &[Key]) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for (_, row) in rows(tx, "folder, files", keys)? {
        let folder = row.text(1)?;
        paths.extend(files(&row.text(2)?)?.into_iter().map(|file| format!("{folder}/{}", file.name)));
    }
    Ok(paths)
}

/// The folders below a component's pool where the files of these packages are published.
pub(crate) fn folders(tx: &mut Tx<'_>, keys: &[Key]) -> Result<BTreeSet<String>> {
    rows(tx, "folder", keys)?.values().map(|row| Ok(row.text(1)?)).collect()
}

/// The packages whose files are published in that folder, with the paths of these files below a component's pool.
pub(crate) fn in_folder(tx: &mut Tx<'_>, folder: &str) -> Result<Vec<(Key, Vec<String>)>> {
    let mut found = Vec::new();
    for row in tx.query("select key, files from package where folder = ?1", params![folder])? {
        let Some(key) = Key::parse(&row.text(0)?) else { continue };
        let paths = files(&row.text(1)?)?.into_iter().map(|file| format!("{folder}/{}", file.name));
        found.push((key, paths.collect()));
    }
    Ok(found)
}

/// Reads each package of a list from `columns` of its row, on all cores.
fn each_of_list<T: Send>(
    root: &Root,
    list: &str,
    columns: &str,
    read: impl Fn(&Row) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let rows = root.store().read(|tx| {
        let keys = set::load(tx, list)?;
        let mut found = rows(tx, columns, &keys)?;
        keys.iter().map(|key| found.remove(&key.full()).ok_or_else(|| missing(key))).collect::<Result<Vec<Row>>>()
    })?;
    let chunks: Vec<&[Row]> = rows.chunks(CHUNK).collect();
    let packages = cores::on_all(&chunks, |rows| rows.iter().map(&read).collect::<Result<Vec<_>>>())?;
    Ok(packages.into_iter().flatten().collect())
}

/// All packages of a list.
pub(crate) fn of_list(root: &Root, list: &str) -> Result<Vec<Package>> {
    each_of_list(root, list, "kind, stanza, files", package)
}

/// The packages of a list by their name, as far as `keep` wants their keys.
pub(crate) fn named(root: &Root, list: &str, name: &str, keep: impl Fn(&Key) -> bool) -> Result<Vec<Package>> {
    root.store().read(|tx| {
        let mut keys = set::named(tx, list, name)?;
        keys.retain(&keep);
        load(tx, &keys)
    })
}

/// The files of all packages of a list.
pub(crate) fn files_of_list(root: &Root, list: &str) -> Result<Vec<(Key, Vec<PackageFile>)>> {
    each_of_list(root, list, "files", |row| Ok((key(row)?, files(&row.text(1)?)?)))
}

/// The packages of a list that may be meant by a query, in order: all, but for queries that name what they mean.
pub(crate) fn candidates(root: &Root, list: &str, query: &Query) -> Result<Vec<Package>> {
    // What JSON writes otherwise cannot be looked for in it.
    let plain = |name: &&str| !name.contains(|letter: char| letter.is_control() || letter == '"' || letter == '\\');
    let Some(names) = query.names().filter(|names| names.iter().all(plain)) else { return of_list(root, list) };
    root.store().read(|tx| {
        let (mut own, mut found) = (BTreeSet::new(), BTreeMap::new());
        for name in &names {
            own.extend(set::named(tx, list, name)?);
            // As the index `package_provides` is made, word for word: only those that provide something are looked at.
            let sql = "select key, kind, stanza, files from package where instr(stanza, '[\"Provides\"') > 0 and instr(stanza, ?1) > 0";
            for row in tx.query(sql, params![*name])? {
                let package = package(&row)?;
                found.insert(package.key.clone(), package);
            }
        }
        let there = set::present(tx, list, &found.keys().cloned().collect())?;
        found.retain(|key, _| there.contains(key));
        let own: Vec<Key> = own.into_iter().collect();
        found.extend(load(tx, &own)?.into_iter().map(|package| (package.key.clone(), package)));
        Ok(found.into_values().collect())
    })
}

/// Every package that the root knows.
pub(crate) fn all(root: &Root) -> Result<Vec<Package>> {
    let mut packages: Vec<Package> = root.store().read(|tx| {
        let rows = tx.query("select key, kind, stanza, files from package", &[])?;
        rows.iter().map(package).collect::<Result<_>>()
    })?;
    packages.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(packages)
}
