//! aptly's records into our store. Everything keeps its id, so that what refers to it still does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use debian::package::{Key, Kind, Package, PackageFile, files_hash};
use debian::stanza::Stanza;
use debian::sums::Sums;
use store::{Tx, params};

use super::Taken;
use super::records::{Fields, Records, list, texts};
use crate::error::{Error, Result};
use crate::mirror::Mirror;
use crate::publish::{self, Publication, Settings, Source};
use crate::report::{Line, Sink};
use crate::snapshot::SourceKind;
use crate::uploaders::{Rule, Uploaders};
use crate::{packages, pool, set};

/// After how many packages progress is told.
const TOLD: u64 = 10_000;

/// What is known while records are read.
struct Import<'a> {
    records: &'a Records,
    /// Where files are looked up whose sums the old database does not know.
    pool: &'a Path,
    taken: Taken,
    /// Packages by the key that lists use; keys of old databases have no hash.
    keys: HashMap<String, Key>,
    /// What was left out already.
    told: BTreeSet<String>,
}

/// Puts everything into an emptied store.
pub(super) fn all(tx: &mut Tx<'_>, records: &Records, pool: &Path, sink: Sink<'_>) -> Result<Taken> {
    for table in
        ["generation", "publication", "snapshot", "mirror", "repo", "contents", "package", "pool_file", "root", "leaf"]
    {
        tx.execute(&format!("delete from {table}"), &[])?;
    }
    let mut import = Import { records, pool, taken: Taken::default(), keys: HashMap::new(), told: BTreeSet::new() };
    import.pool_files(tx)?;
    import.packages(tx, sink)?;
    let repos = import.repos(tx)?;
    import.mirrors(tx)?;
    let snapshots = import.snapshots(tx)?;
    import.publications(tx, &repos, &snapshots)?;
    Ok(import.taken)
}

fn sums(fields: &Fields) -> Sums {
    Sums {
        size: fields.number("Size"),
        md5: fields.text("MD5"),
        sha1: fields.text("SHA1"),
        sha256: fields.text("SHA256"),
        sha512: fields.text("SHA512"),
    }
}

impl Import<'_> {
    fn leave_out(&mut self, what: impl std::fmt::Display, why: impl std::fmt::Display) {
        let line = format!("{what}: {why}");
        if self.told.insert(line.clone()) {
            self.taken.left_out.push(line);
        }
    }

    /// All records whose key begins so, by key; those that cannot be read are left out. Not for packages: there are too many.
    fn every(&mut self, prefix: &str) -> Result<Vec<(String, Fields)>> {
        let mut every = Vec::new();
        for (key, value) in self.records.below(prefix)? {
            let key = String::from_utf8_lossy(&key).into_owned();
            match Fields::read(&value) {
                Ok(fields) => every.push((key, fields)),
                Err(error) => self.leave_out(key, error),
            }
        }
        Ok(every)
    }

    fn pool_files(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for (key, value) in self.records.below("C")? {
            let path = String::from_utf8_lossy(&key[1..]).into_owned();
            match Fields::read(&value) {
                Ok(fields) => pool::note(tx, &sums(&fields), &path)?,
                Err(error) => self.leave_out(path, error),
            }
        }
        Ok(())
    }

    /// Packages, with what belongs to each under the same key: all in one order, so that each record is read once.
    fn packages(&mut self, tx: &mut Tx<'_>, sink: Sink<'_>) -> Result<()> {
        let mut beside = ["xF", "xD", "xE", "xC"].map(|prefix| self.records.below(prefix));
        for (key, value) in self.records.below("P")? {
            let mut parts = [const { None }; 4];
            for ((prefix, below), part) in ["xF", "xD", "xE", "xC"].iter().zip(&mut beside).zip(&mut parts) {
                let wanted = [prefix.as_bytes(), &key].concat();
                *part = below.as_mut().ok().and_then(|below| below.at(&wanted));
            }
            let old = String::from_utf8_lossy(&key).into_owned();
            match self.package(&old, &value, &parts) {
                Ok(package) => {
                    packages::save(tx, &package)?;
                    if let Some(contents) = parts[3].as_deref().and_then(|bytes| texts(bytes).ok()) {
                        let text = contents.join("\n");
                        let sql = "insert into contents (key, paths) values (?1, ?2) on conflict do nothing";
                        tx.execute(sql, params![package.key.full(), text])?;
                    }
                    self.keys.insert(old, package.key);
                    self.taken.packages += 1;
                    if self.taken.packages.is_multiple_of(TOLD) {
                        sink(Line::Step(format!("{} packages...", self.taken.packages)));
                    }
                }
                Err(why) => self.leave_out(old, why),
            }
        }
        Ok(())
    }

    fn package(&self, old: &str, value: &[u8], parts: &[Option<Vec<u8>>; 4]) -> Result<Package> {
        let main = Fields::read(value)?;
        let read = |at: usize| parts[at].as_deref().map(Fields::read).transpose();
        // Before 0.4 everything stood in one record.
        let listed = match &parts[0] {
            Some(bytes) => list(bytes)?,
            None => main.each("Files"),
        };
        let files = listed.iter().map(|file| self.file(file)).collect::<Result<Vec<_>>>()?;
        if main.flag("IsInstaller") {
            let mut package = Package::installer(&main.text("Architecture"), files)?;
            package.key = Key::parse(old).unwrap_or(package.key);
            return Ok(package);
        }
        let relations = read(1)?;
        let relations = relations.as_ref().unwrap_or(&main);
        let mut stanza = Stanza::default();
        let extra = match read(2)? {
            Some(extra) => extra.all(),
            None => main.map("Extra"),
        };
        for (name, value) in extra {
            // aptly keeps the blank before the first line, and the end of the last.
            let value = value.trim_end_matches('\n');
            stanza.set(&name, value.strip_prefix(' ').unwrap_or(value));
        }
        let is_source = main.flag("IsSource");
        stanza.set("Package", main.text("Name"));
        stanza.set("Version", main.text("Version"));
        for (name, values) in [
            ("Provides", main.texts("Provides")),
            ("Depends", relations.texts("Depends")),
            ("Pre-Depends", relations.texts("PreDepends")),
            ("Suggests", relations.texts("Suggests")),
            ("Recommends", relations.texts("Recommends")),
            ("Build-Depends", relations.texts("BuildDepends")),
            ("Build-Depends-Indep", relations.texts("BuildDependsInDep")),
        ] {
            stanza.set(name, values.join(", "));
        }
        let mut package = if is_source {
            stanza.set("Architecture", main.text("SourceArchitecture"));
            Package::source(stanza, files)?
        } else {
            stanza.set("Architecture", main.text("Architecture"));
            stanza.set("Source", main.text("Source"));
            let kind = if main.flag("IsUdeb") { Kind::Udeb } else { Kind::Deb };
            let file = files.into_iter().next().ok_or_else(|| Error::Damaged("it has no file".into()))?;
            Package::binary(stanza, kind, file)?
        };
        // What lists call it, whatever the sums are that make it up.
        if let Some(key) = Key::parse(old) {
            package.key = key;
        } else {
            package.key.files = files_hash(&package.files);
        }
        Ok(package)
    }

    fn file(&self, fields: &Fields) -> Result<PackageFile> {
        let name = fields.text("Filename").trim_start_matches("./").to_owned();
        debian::names::path(&name)?;
        let mut file = PackageFile { name, sums: fields.inner("Checksums").as_ref().map(sums).unwrap_or_default() };
        if file.sums.sha256.is_empty() {
            // Databases of old aptlys know no more than the MD5, which is where the file lies.
            let path = self.pool.join(pool::old_path(&file.sums.md5, &file.name)?);
            file.sums = pool::sums(&path)?;
        }
        Ok(file)
    }

    /// The list under this key, saved; empty when there is none.
    fn list(&mut self, tx: &mut Tx<'_>, key: &str) -> Result<Option<String>> {
        let Some(bytes) = self.records.get(key) else { return Ok(None) };
        let refs = match Fields::read(&bytes) {
            Ok(fields) => fields.texts("Refs"),
            Err(error) => {
                self.leave_out(key, error);
                return Ok(None);
            }
        };
        let mut keys = Vec::with_capacity(refs.len());
        for name in refs {
            match self.keys.get(&name) {
                Some(key) => keys.push(key.clone()),
                None => self.leave_out(name, "is in a list, but not in the database"),
            }
        }
        let built = set::build(keys);
        built.save(tx)?;
        Ok(Some(built.root))
    }

    /// Names of repositories by id.
    fn repos(&mut self, tx: &mut Tx<'_>) -> Result<HashMap<String, String>> {
        let mut names = HashMap::new();
        for (_, fields) in self.every("L")? {
            let (uuid, name) = (fields.text("UUID"), fields.text("Name"));
            let root = self.list(tx, &format!("E{uuid}"))?.unwrap_or_default();
            let uploaders = fields.inner("Uploaders").map(|fields| uploaders(&fields));
            let uploaders = uploaders.as_ref().map(packages::json).transpose()?;
            let component = match fields.text("DefaultComponent") {
                none if none.is_empty() => "main".to_owned(),
                some => some,
            };
            let sql = "insert into repo (uuid, name, comment, distribution, component, uploaders, root, version)
                       values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)";
            let (comment, distribution) = (fields.text("Comment"), fields.text("DefaultDistribution"));
            tx.execute(sql, params![&uuid, &name, comment, distribution, component, uploaders, root])?;
            names.insert(uuid, name);
            self.taken.repos += 1;
        }
        Ok(names)
    }

    fn mirrors(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for (_, fields) in self.every("R")? {
            let (uuid, name) = (fields.text("UUID"), fields.text("Name"));
            let root = self.list(tx, &format!("E{uuid}"))?.unwrap_or_default();
            let mirror = Mirror {
                uuid: uuid.clone(),
                name: name.clone(),
                archive: fields.text("ArchiveRoot"),
                distribution: fields.text("Distribution"),
                components: fields.texts("Components"),
                architectures: fields.texts("Architectures"),
                meta: fields.map("Meta").into_iter().collect(),
                updated: fields.time("LastDownloadDate"),
                filter: fields.text("Filter"),
                filter_with_deps: fields.flag("FilterWithDeps"),
                skip_component_check: fields.flag("SkipComponentCheck"),
                skip_architecture_check: fields.flag("SkipArchitectureCheck"),
                sources: fields.flag("DownloadSources"),
                udebs: fields.flag("DownloadUdebs"),
                installer: fields.flag("DownloadInstaller"),
                appstream: fields.flag("DownloadAppStream"),
                appstream_files: fields.map("AppStreamFiles").into_iter().collect(),
                made_of: String::new(),
                worker: None,
                root: String::new(),
            };
            let sql = "insert into mirror (uuid, name, root, document) values (?1, ?2, ?3, ?4)";
            tx.execute(sql, params![&uuid, &name, root, packages::json(&mirror)?])?;
            self.taken.mirrors += 1;
        }
        Ok(())
    }

    /// Names and lists of snapshots by id.
    fn snapshots(&mut self, tx: &mut Tx<'_>) -> Result<HashMap<String, (String, String)>> {
        let mut known = HashMap::new();
        for (_, fields) in self.every("S")? {
            let (uuid, name) = (fields.text("UUID"), fields.text("Name"));
            let root = self.list(tx, &format!("E{uuid}"))?.unwrap_or_default();
            let kind = SourceKind::of(&fields.text("SourceKind")).unwrap_or(SourceKind::Snapshot);
            let created = fields.time("CreatedAt").unwrap_or(jiff::Timestamp::UNIX_EPOCH);
            let sql = "insert into snapshot (uuid, name, created, kind, sources, description, origin, not_automatic,
                       but_automatic_upgrades, root, appstream) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
            let sources = packages::json(&fields.texts("SourceIDs"))?;
            let appstream: BTreeMap<String, String> = fields.map("AppStreamFiles").into_iter().collect();
            let appstream = (!appstream.is_empty()).then(|| packages::json(&appstream)).transpose()?;
            tx.execute(
                sql,
                params![
                    &uuid,
                    &name,
                    created,
                    kind.word(),
                    sources,
                    fields.text("Description"),
                    fields.text("Origin"),
                    fields.text("NotAutomatic"),
                    fields.text("ButAutomaticUpgrades"),
                    &root,
                    appstream
                ],
            )?;
            known.insert(uuid, (name, root));
            self.taken.snapshots += 1;
        }
        Ok(known)
    }

    fn publications(
        &mut self,
        tx: &mut Tx<'_>,
        repos: &HashMap<String, String>,
        snapshots: &HashMap<String, (String, String)>,
    ) -> Result<()> {
        for (key, fields) in self.every("U")? {
            let shown = key[1..].replace(">>", "/");
            // Very old ones name no kind, and one snapshot only.
            let kind = SourceKind::of(&fields.text("SourceKind")).unwrap_or(SourceKind::Snapshot);
            let mut wanted = fields.map("Sources");
            if wanted.is_empty() {
                let component = fields.text("Component");
                let component = if component.is_empty() { "main".to_owned() } else { component };
                wanted.push((component, fields.text("SnapshotUUID")));
            }
            let uuid = fields.text("UUID");
            let (mut sources, mut lists) = (BTreeMap::new(), BTreeMap::new());
            for (component, source) in wanted {
                let found = match kind {
                    SourceKind::Local => {
                        let frozen = match self.list(tx, &format!("E{uuid}{component}"))? {
                            Some(root) => Some(root),
                            // Before 0.6 there was one list for all.
                            None => self.list(tx, &format!("E{uuid}"))?,
                        };
                        repos.get(&source).map(|name| (name.clone(), frozen.unwrap_or_default()))
                    }
                    _ => snapshots.get(&source).cloned(),
                };
                let Some((name, root)) = found else {
                    self.leave_out(&shown, format!("what its component {component} shows is gone"));
                    continue;
                };
                sources.insert(component.clone(), Source { uuid: source, name });
                lists.insert(component, root);
            }
            let pending = fields.inner("Revision").map(|revision| revision.map("Sources").into_iter().collect());
            let publication = Publication {
                uuid,
                storage: fields.text("Storage"),
                prefix: fields.text("Prefix"),
                distribution: fields.text("Distribution"),
                kind,
                architectures: fields.texts("Architectures"),
                settings: settings(&fields),
                sources,
                pending,
                generation: 1,
                shown: BTreeMap::new(),
            };
            publish::take_over(tx, &publication, &lists)?;
            self.taken.publications += 1;
        }
        Ok(())
    }
}

fn settings(fields: &Fields) -> Settings {
    Settings {
        origin: fields.text("Origin"),
        label: fields.text("Label"),
        suite: fields.text("Suite"),
        codename: fields.text("Codename"),
        version: fields.text("Version"),
        not_automatic: fields.text("NotAutomatic"),
        but_automatic_upgrades: fields.text("ButAutomaticUpgrades"),
        signed_by: fields.text("SignedBy"),
        skip_contents: fields.flag("SkipContents"),
        skip_bz2: fields.flag("SkipBz2"),
        acquire_by_hash: fields.flag("AcquireByHash"),
        multi_dist: fields.flag("MultiDist"),
    }
}

fn uploaders(fields: &Fields) -> Uploaders {
    let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
    let rule = |fields: &Fields| Rule {
        condition: fields.text("condition"),
        allow: some(fields.texts("allow")),
        deny: some(fields.texts("deny")),
    };
    let groups = fields.inner("groups");
    let groups = groups.iter().flat_map(|groups| {
        let names = groups.all().into_iter().map(|(name, _)| name);
        names.map(|name| (name.clone(), groups.texts(&name))).collect::<Vec<_>>()
    });
    Uploaders { groups: groups.collect(), rules: fields.each("rules").iter().map(rule).collect() }
}
