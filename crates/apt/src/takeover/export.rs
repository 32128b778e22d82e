//! A root that an aptly opens: its records in a fresh LevelDB, package files and published ones as links to ours.
//!
//! MessagePack is written in its old form, which is all that aptly's reader wants: texts and bytes alike, no type for either alone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use debian::package::{Kind, Package};
use jiff::Timestamp;
use rmpv::Value;
use rusty_leveldb::{DB, Options};
use store::{Tx, params};

use crate::error::{At, Error, Result};
use crate::packages::from_json;
use crate::publish::Publication;
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::snapshot::SourceKind;
use crate::uploaders::Uploaders;
use crate::{packages, pool, set};

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
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
}

/// How many package records are written at a time.
const CHUNK: usize = 1000;

pub(super) fn all(root: &Root, to: &Path, sink: Sink<'_>) -> Result<Exported> {
    let empty = fs::read_dir(to).map_or(true, |mut entries| entries.next().is_none());
    if !empty {
        return Err(Error::Conflict(format!("{} is not empty: name a new folder", to.display())));
    }
    fs::DirBuilder::new().recursive(true).mode(0o777).create(to).at("make", to)?;
    sink(Line::Step("Linking package files...".into()));
    link_tree(&root.pool(), &to.join("pool"), &|name| name != ".incoming")?;
    sink(Line::Step("Writing aptly's database...".into()));
    let folder = to.join("db");
    let db = DB::open(&folder, Options::default()).map_err(failed)?;
    let mut export = Export { db, done: Exported::default() };
    root.store().read(|tx| {
        // A read may be begun anew.
        export.done = Exported::default();
        export.packages(tx)?;
        export.repos(tx)?;
        export.mirrors(tx)?;
        export.snapshots(tx)?;
        export.publications(tx)
    })?;
    export.db.flush().and_then(|()| export.db.close()).map_err(failed)?;
    sink(Line::Step("Linking published files...".into()));
    for publication in root.publications()?.iter().filter(|publication| publication.storage.is_empty()) {
        let below = Path::new("public").join(if publication.prefix == "." { "" } else { &publication.prefix });
        let (from, to) = (root.path().join(&below), to.join(&below));
        let shown = Path::new("dists").join(&publication.distribution);
        // Taken over, but its files are gone: aptly makes them with the next update.
        let Ok(rendered) = from.join(&shown).canonicalize() else { continue };
        link_tree(&rendered, &to.join(&shown), &|_| true)?;
        link_tree(&from.join("pool"), &to.join("pool"), &|_| true)?;
    }
    pool::sync(to)?;
    Ok(export.done)
}

fn failed(error: rusty_leveldb::Status) -> Error {
    Error::Damaged(format!("aptly's database cannot be written: {error}"))
}

/// Links all files below a folder to the same places below another, or copies them where links cannot reach.
fn link_tree(from: &Path, to: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    crate::root::make_folder(to)?;
    for entry in fs::read_dir(from).at("read", from)? {
        let entry = entry.at("read", from)?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if !wanted(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let kind = entry.file_type().at("read", &source)?;
        if kind.is_dir() {
            link_tree(&source, &target, wanted)?;
        } else if kind.is_file() && !target.exists() && fs::hard_link(&source, &target).is_err() {
            fs::copy(&source, &target).at("copy", &source)?;
        }
    }
    Ok(())
}

fn text(value: impl Into<String>) -> Value {
    Value::from(value.into())
}

fn texts<'a>(values: impl IntoIterator<Item = &'a String>) -> Value {
    Value::Array(values.into_iter().map(|value| text(value.as_str())).collect())
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (text(name), value)).collect())
}

fn pairs<'a>(fields: impl IntoIterator<Item = (&'a String, &'a String)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (text(name.as_str()), text(value.as_str()))).collect())
}

/// A time as a text of 8 bytes; written by hand, because it is no UTF-8.
struct Time(Option<Timestamp>);

/// Writes a value in MessagePack's old form.
fn pack(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => pack_bytes(text.as_bytes(), out),
        Value::Binary(bytes) => pack_bytes(bytes, out),
        Value::Array(values) => {
            // Into memory.
            let _ = rmp::encode::write_array_len(out, values.len() as u32);
            values.iter().for_each(|value| pack(value, out));
        }
        Value::Map(fields) => {
            let _ = rmp::encode::write_map_len(out, fields.len() as u32);
            for (name, value) in fields {
                pack(name, out);
                pack(value, out);
            }
        }
        other => drop(rmpv::encode::write_value(out, other)),
    }
}

fn pack_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    match bytes.len() {
        n @ 0..=31 => out.push(0xa0 | n as u8),
        n @ 32..=0xffff => {
            out.push(0xda);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            out.push(0xdb);
            out.extend_from_slice(&(n as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

impl From<Time> for Value {
    fn from(Time(at): Time) -> Value {
        let Some(at) = at else { return Value::Nil };
        let seconds = u64::try_from(at.as_second()).unwrap_or(0) & 0x3_ffff_ffff;
        let nanos = u64::try_from(at.subsec_nanosecond()).unwrap_or(0);
        Value::Binary((nanos << 34 | seconds).to_be_bytes().to_vec())
    }
}

fn sums(sums: &debian::sums::Sums) -> Value {
    map([
        ("Size", Value::from(sums.size)),
        ("MD5", text(&sums.md5)),
        ("SHA1", text(&sums.sha1)),
        ("SHA256", text(&sums.sha256)),
        ("SHA512", text(&sums.sha512)),
    ])
}

struct Export {
    db: DB,
    done: Exported,
}

impl Export {
    fn put(&mut self, key: &str, mark: &[u8], value: &Value) -> Result<()> {
        let mut bytes = mark.to_vec();
        pack(value, &mut bytes);
        self.db.put(key.as_bytes(), &bytes).map_err(failed)
    }

    fn packages(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let keys: Vec<debian::package::Key> = tx
            .query("select key from package", &[])?
            .iter()
            .map(|row| {
                let key = row.text(0)?;
                debian::package::Key::parse(&key).ok_or_else(|| Error::Damaged(format!("package {key:?} is damaged")))
            })
            .collect::<Result<_>>()?;
        for chunk in keys.chunks(CHUNK) {
            for package in packages::load(tx, chunk)? {
                self.package(&package)?;
                let key = package.key.full();
                if let Some(row) = tx.query_opt("select paths from contents where key = ?1", params![&key])? {
                    let paths: Vec<String> = row.text(0)?.lines().map(str::to_owned).collect();
                    self.put(&format!("xC{key}"), b"", &texts(&paths))?;
                }
                self.done.packages += 1;
            }
        }
        for row in tx.query("select path, size, md5, sha1, sha256, sha512 from pool_file", &[])? {
            let known = pool::sums_of(&row, 1)?;
            self.put(&format!("C{}", row.text(0)?), b"", &sums(&known))?;
        }
        Ok(())
    }

    fn package(&mut self, package: &Package) -> Result<()> {
        let key = package.key.full();
        let mut stanza = package.stanza.clone();
        let mut take = |name: &str| stanza.remove(name).unwrap_or_default();
        let is_source = package.kind == Kind::Source;
        let list = |value: String| match value.is_empty() {
            true => Value::Nil,
            false => texts(&debian::relation::list(&value).into_iter().map(str::to_owned).collect::<Vec<_>>()),
        };
        let (_, _, architecture) = (take("Package"), take("Version"), take("Architecture"));
        let main = map([
            ("Name", text(&package.key.name)),
            ("Version", text(&package.key.version)),
            ("Architecture", text(&package.key.architecture)),
            ("SourceArchitecture", text(if is_source { architecture } else { String::new() })),
            ("Source", text(if is_source { String::new() } else { take("Source") })),
            ("Provides", list(take("Provides"))),
            ("FilesHash", Value::from(package.key.files)),
            ("IsInstaller", Value::from(package.kind == Kind::Installer)),
            ("IsSource", Value::from(is_source)),
            ("IsUdeb", Value::from(package.kind == Kind::Udeb)),
            ("V06Plus", Value::from(true)),
        ]);
        let relations = map([
            ("Depends", list(take("Depends"))),
            ("BuildDepends", list(take("Build-Depends"))),
            ("BuildDependsInDep", list(take("Build-Depends-Indep"))),
            ("PreDepends", list(take("Pre-Depends"))),
            ("Suggests", list(take("Suggests"))),
            ("Recommends", list(take("Recommends"))),
        ]);
        let extra = stanza.fields().map(|(name, value)| {
            // aptly keeps the blank before the first line and the end of the last of what has several.
            let several = match value.starts_with('\n') {
                true => format!("{value}\n"),
                false => format!(" {value}\n"),
            };
            let kept = matches!(name, "Description" | "Package-List" | "Changes");
            (text(name), text(if kept { several } else { value.to_owned() }))
        });
        let extra = Value::Map(extra.collect());
        let files = package.files.iter().map(|file| {
            let path = pool::pool_path(&file.sums.sha256, &file.name)?;
            Ok(map([("Filename", text(&file.name)), ("Checksums", sums(&file.sums)), ("PoolPath", text(path))]))
        });
        let files = Value::Array(files.collect::<Result<_>>()?);
        self.put(&key, b"\xc1\x01", &main)?;
        self.put(&format!("xD{key}"), b"", &relations)?;
        self.put(&format!("xE{key}"), b"", &extra)?;
        self.put(&format!("xF{key}"), b"", &files)
    }

    /// A list, in the order of its keys' bytes.
    fn list(&mut self, tx: &mut Tx<'_>, key: &str, root: &str) -> Result<()> {
        let mut refs: Vec<String> = set::load(tx, root)?.iter().map(debian::package::Key::full).collect();
        refs.sort_unstable();
        self.put(key, b"", &map([("Refs", texts(&refs))]))
    }

    fn repos(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for row in tx.query("select uuid, name, comment, distribution, component, uploaders, root from repo", &[])? {
            let uuid = row.text(0)?;
            let mut fields = vec![
                ("UUID", text(&uuid)),
                ("Name", text(row.text(1)?)),
                ("Comment", text(row.text(2)?)),
                ("DefaultDistribution", text(row.text(3)?)),
                ("DefaultComponent", text(row.text(4)?)),
            ];
            if let Some(json) = row.opt_text(5)? {
                fields.push(("Uploaders", uploaders(&from_json("an uploaders list", &json)?)));
            }
            let fields = Value::Map(fields.into_iter().map(|(name, value)| (text(name), value)).collect());
            self.put(&format!("L{uuid}"), b"", &fields)?;
            self.list(tx, &format!("E{uuid}"), &row.text(6)?)?;
            self.done.repos += 1;
        }
        Ok(())
    }

    fn mirrors(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for row in tx.query("select document, root from mirror", &[])? {
            let mirror: crate::mirror::Mirror = from_json("a mirror", &row.text(0)?)?;
            let fields = map([
                ("UUID", text(&mirror.uuid)),
                ("Name", text(&mirror.name)),
                ("ArchiveRoot", text(&mirror.archive)),
                ("Distribution", text(&mirror.distribution)),
                ("Components", texts(&mirror.components)),
                ("Architectures", texts(&mirror.architectures)),
                ("Meta", pairs(&mirror.meta)),
                ("LastDownloadDate", Time(mirror.updated).into()),
                ("Filter", text(&mirror.filter)),
                ("Status", Value::from(0)),
                ("WorkerPID", Value::from(0)),
                ("FilterWithDeps", Value::from(mirror.filter_with_deps)),
                ("SkipComponentCheck", Value::from(mirror.skip_component_check)),
                ("SkipArchitectureCheck", Value::from(mirror.skip_architecture_check)),
                ("DownloadSources", Value::from(mirror.sources)),
                ("DownloadUdebs", Value::from(mirror.udebs)),
                ("DownloadInstaller", Value::from(mirror.installer)),
                ("DownloadAppStream", Value::from(mirror.appstream)),
                ("AppStreamFiles", pairs(&mirror.appstream_files)),
            ]);
            self.put(&format!("R{}", mirror.uuid), b"", &fields)?;
            if mirror.updated.is_some() {
                self.list(tx, &format!("E{}", mirror.uuid), &row.text(1)?)?;
            }
            self.done.mirrors += 1;
        }
        Ok(())
    }

    fn snapshots(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for snapshot in crate::snapshot::all(tx)? {
            let fields = map([
                ("UUID", text(&snapshot.uuid)),
                ("Name", text(&snapshot.name)),
                ("CreatedAt", Time(Some(snapshot.created)).into()),
                ("SourceKind", text(snapshot.kind.word())),
                ("SourceIDs", texts(&snapshot.sources)),
                ("Description", text(&snapshot.description)),
                ("Origin", text(&snapshot.origin)),
                ("NotAutomatic", text(&snapshot.not_automatic)),
                ("ButAutomaticUpgrades", text(&snapshot.but_automatic_upgrades)),
                ("AppStreamFiles", pairs(&snapshot.appstream)),
            ]);
            self.put(&format!("S{}", snapshot.uuid), b"", &fields)?;
            self.list(tx, &format!("E{}", snapshot.uuid), &snapshot.root)?;
            self.done.snapshots += 1;
        }
        Ok(())
    }

    fn publications(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for publication in crate::publish::all(tx)? {
            let ids: BTreeMap<String, String> = publication
                .sources
                .iter()
                .map(|(component, source)| (component.clone(), source.uuid.clone()))
                .collect();
            self.put(
                &format!("U{}>>{}", publication.place(), publication.distribution),
                b"",
                &published(&publication, &ids),
            )?;
            if publication.kind == SourceKind::Local {
                for (component, root) in crate::publish::shown_lists(tx, &publication)? {
                    self.list(tx, &format!("E{}{component}", publication.uuid), &root)?;
                }
            }
            self.done.publications += 1;
        }
        Ok(())
    }
}

fn published(publication: &Publication, ids: &BTreeMap<String, String>) -> Value {
    let settings = &publication.settings;
    let revision = publication.pending.as_ref().map(|pending| map([("Sources", pairs(pending))]));
    map([
        ("UUID", text(&publication.uuid)),
        ("Storage", text(&publication.storage)),
        ("Prefix", text(&publication.prefix)),
        ("Distribution", text(&publication.distribution)),
        ("Origin", text(&settings.origin)),
        ("NotAutomatic", text(&settings.not_automatic)),
        ("ButAutomaticUpgrades", text(&settings.but_automatic_upgrades)),
        ("Label", text(&settings.label)),
        ("Suite", text(&settings.suite)),
        ("Codename", text(&settings.codename)),
        ("Version", text(&settings.version)),
        ("Architectures", texts(&publication.architectures)),
        ("SourceKind", text(publication.kind.word())),
        ("Sources", pairs(ids)),
        ("Component", text("")),
        ("SnapshotUUID", text("")),
        ("SkipContents", Value::from(settings.skip_contents)),
        ("SkipBz2", Value::from(settings.skip_bz2)),
        ("AcquireByHash", Value::from(settings.acquire_by_hash)),
        ("SignedBy", text(&settings.signed_by)),
        ("MultiDist", Value::from(settings.multi_dist)),
        ("Revision", revision.unwrap_or(Value::Nil)),
    ])
}

fn uploaders(uploaders: &Uploaders) -> Value {
    let some = |list: &Option<Vec<String>>| list.as_ref().map_or(Value::Nil, texts);
    let rules = uploaders.rules.iter().map(|rule| {
        map([("condition", text(&rule.condition)), ("allow", some(&rule.allow)), ("deny", some(&rule.deny))])
    });
    let groups = uploaders.groups.iter().map(|(name, keys)| (text(name), texts(keys)));
    map([("groups", Value::Map(groups.collect())), ("rules", Value::Array(rules.collect()))])
}
