//! Mirrors: other people's repositories, as far as they are wanted, brought here by an update and kept as a package list.
//!
//! What is downloaded is checked against a signed `Release` before it is read ([`release`]); what an index lists comes in by
//! [`update`]. How files are downloaded is the caller's ([`Fetch`]).

mod appstream;
mod installer;
mod offers;
mod queue;
mod release;
mod standing;
mod update;

use std::collections::BTreeMap;
use std::path::Path;

use debian::query;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Row, Tx, params};

use crate::error::{Error, Result};
use crate::packages::{from_json, json};
use crate::repo::{DropRefused, check_name};
use crate::root::Root;
use crate::snapshot::{self, Making, Snapshot, SourceKind};

pub(crate) use installer::folder as installer_folder;
pub use update::UpdateMirror;

/// Why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server has none there.
    #[error("{0}: not found")]
    Missing(String),
    /// Anything else, with the address.
    #[error("{0}")]
    Failed(String),
}

/// Brings files from elsewhere.
pub trait Fetch: Sync {
    /// What is at an address; an error when it is longer than `most` bytes.
    fn get(&self, url: &str, most: u64) -> Result<Vec<u8>, FetchError>;

    /// How many files are brought at the same time.
    fn at_once(&self) -> usize {
        1
    }

    /// The same into a file that does not exist yet. Whoever asked makes it durable.
    fn save(&self, url: &str, most: u64, to: &Path) -> Result<(), FetchError>;
}

/// A mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirror {
    /// Its id.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// Where it comes from, with a slash at the end.
    pub archive: String,
    /// The distribution; one that ends with a slash is flat.
    pub distribution: String,
    /// Its components; none for a flat one.
    pub components: Vec<String>,
    /// Architectures that are kept.
    pub architectures: Vec<String>,
    /// What its `Release` says besides the files.
    pub meta: BTreeMap<String, String>,
    /// When it was last updated.
    pub updated: Option<Timestamp>,
    /// Only packages that this query means; empty for all.
    pub filter: String,
    /// And their dependencies.
    pub filter_with_deps: bool,
    /// Whether components may be named that the `Release` does not name.
    pub skip_component_check: bool,
    /// Whether architectures may be named that the `Release` does not name.
    pub skip_architecture_check: bool,
    /// Source packages too.
    pub sources: bool,
    /// Packages of the installer too.
    pub udebs: bool,
    /// The installer itself too.
    #[serde(default)]
    pub installer: bool,
    /// AppStream's files too.
    #[serde(default)]
    pub appstream: bool,
    /// Those that the last update brought: path below the distribution to path in the pool.
    #[serde(default)]
    pub appstream_files: BTreeMap<String, String>,
    /// What its list was made of ([`standing::made_of`]); empty when that is not known.
    #[serde(default)]
    pub made_of: String,
    /// The process that updates it now.
    pub worker: Option<u32>,
    /// Its list of packages; not part of the document.
    #[serde(skip)]
    pub root: String,
}

/// `[name]: archive distribution [src] [udeb]`.
impl std::fmt::Display for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let distribution = if self.distribution.is_empty() { "./" } else { &self.distribution };
        write!(f, "[{}]: {} {distribution}", self.name, self.archive)?;
        f.write_str(if self.sources { " [src]" } else { "" })?;
        f.write_str(if self.udebs { " [udeb]" } else { "" })?;
        f.write_str(if self.installer { " [installer]" } else { "" })?;
        f.write_str(if self.appstream { " [appstream]" } else { "" })
    }
}

/// What is set when a mirror is made or edited; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct MirrorChange {
    /// Where it comes from.
    pub archive: Option<String>,
    /// Architectures; empty for all that there are.
    pub architectures: Option<Vec<String>>,
    /// A query.
    pub filter: Option<String>,
    /// Dependencies of what the query means.
    pub filter_with_deps: Option<bool>,
    /// Source packages.
    pub sources: Option<bool>,
    /// Packages of the installer.
    pub udebs: Option<bool>,
    /// The installer itself.
    pub installer: Option<bool>,
    /// AppStream's files.
    pub appstream: Option<bool>,
}

impl MirrorChange {
    fn apply(&self, mirror: &mut Mirror) -> Result<()> {
        if let Some(archive) = &self.archive {
            mirror.archive = archive_root(archive)?;
        }
        if let Some(architectures) = &self.architectures {
            mirror.architectures.clone_from(architectures);
        }
        if let Some(filter) = &self.filter {
            if !filter.is_empty() {
                query::parse(filter)?;
            }
            mirror.filter.clone_from(filter);
        }
        let set = |slot: &mut bool, value: Option<bool>| *slot = value.unwrap_or(*slot);
        set(&mut mirror.filter_with_deps, self.filter_with_deps);
        set(&mut mirror.sources, self.sources);
        set(&mut mirror.udebs, self.udebs);
        set(&mut mirror.installer, self.installer);
        set(&mut mirror.appstream, self.appstream);
        if mirror.is_flat() && mirror.udebs {
            return Err(Error::Invalid("debian-installer udebs aren't supported for flat repos".into()));
        }
        if mirror.is_flat() && (mirror.appstream || mirror.installer) {
            let what = if mirror.appstream { "appstream" } else { "installer" };
            return Err(Error::Invalid(format!("{what} files aren't supported for flat repos")));
        }
        Ok(())
    }
}

/// An address with a slash at its end; only what can be downloaded.
fn archive_root(text: &str) -> Result<String> {
    debian::names::one_line("archive", text)?;
    if !["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) {
        return Err(Error::Invalid(format!("{text} is no address that can be mirrored: write http://… or https://…")));
    }
    Ok(if text.ends_with('/') { text.to_owned() } else { format!("{text}/") })
}

/// Whether a distribution is a folder with everything in it.
fn is_flat(distribution: &str) -> bool {
    distribution.is_empty() || distribution.starts_with('.') || distribution.ends_with('/')
}

fn read(row: &Row) -> Result<Mirror> {
    let mut mirror: Mirror = from_json("a mirror", &row.text(0)?)?;
    mirror.root = row.text(1)?;
    Ok(mirror)
}

pub(crate) fn not_found(name: &str) -> Error {
    Error::NotFound(format!("mirror with name {name} not found"))
}

fn find(tx: &mut Tx<'_>, column: &str, value: &str) -> Result<Option<Mirror>> {
    let sql = format!("select document, root from mirror where {column} = ?1");
    tx.query_opt(&sql, params![value])?.as_ref().map(read).transpose()
}

pub(crate) fn by_uuid(tx: &mut Tx<'_>, uuid: &str) -> Result<Option<Mirror>> {
    find(tx, "uuid", uuid)
}

fn taken(name: &str) -> Error {
    Error::Conflict(format!("mirror with name {name} already exists"))
}

fn change(tx: &mut Tx<'_>, name: &str, edit: &mut dyn FnMut(&mut Mirror) -> Result<()>) -> Result<Mirror> {
    let mut mirror = find(tx, "name", name)?.ok_or_else(|| not_found(name))?;
    edit(&mut mirror)?;
    let sql = "update mirror set name = ?2, root = ?3, document = ?4 where uuid = ?1";
    let document = json(&mirror)?;
    tx.execute(sql, params![&mirror.uuid, &mirror.name, &mirror.root, &document])?;
    Ok(mirror)
}

impl Mirror {
    /// Whether it has no components: its indexes lie in one folder.
    pub fn is_flat(&self) -> bool {
        is_flat(&self.distribution)
    }

    /// Whether a process that lives brings it up to date now.
    pub fn is_updating(&self) -> bool {
        self.worker.is_some_and(update::is_alive)
    }

    /// The address of a file beside its `Release`.
    fn beside_release(&self, path: &str) -> String {
        match (self.is_flat(), self.distribution.trim_start_matches("./")) {
            (true, "") => format!("{}{path}", self.archive),
            (true, folder) => format!("{}{folder}{path}", self.archive),
            (false, _) => format!("{}dists/{}/{path}", self.archive, self.distribution),
        }
    }

    /// A field of its `Release`.
    fn said(&self, field: &str) -> &str {
        self.meta.get(field).map_or("", String::as_str)
    }
}

impl Root {
    /// Makes a mirror of what a `Release` describes. Its signature is checked with these keyrings, unless `unchecked`.
    #[allow(clippy::too_many_arguments, reason = "each is an argument of the command of that name")]
    pub fn create_mirror(
        &self,
        name: &str,
        distribution: &str,
        components: &[String],
        change: &MirrorChange,
        forced: [bool; 2],
        trust: &release::Trust,
        fetch: &dyn Fetch,
    ) -> Result<Mirror> {
        check_name("mirror name", name)?;
        debian::names::one_line("distribution", distribution)?;
        if self.mirror(name).is_ok() {
            return Err(taken(name));
        }
        let flat = is_flat(distribution);
        if flat && !components.is_empty() {
            return Err(Error::Invalid("components aren't supported for flat repos".into()));
        }
        let whole = match flat {
            true => format!("./{}", distribution.trim_start_matches("./").trim_start_matches('/')),
            false => distribution.to_owned(),
        };
        let mut mirror = Mirror {
            uuid: self.new_uuid(),
            name: name.to_owned(),
            archive: String::new(),
            distribution: whole,
            components: components.to_vec(),
            architectures: Vec::new(),
            meta: BTreeMap::new(),
            updated: None,
            filter: String::new(),
            filter_with_deps: false,
            skip_component_check: forced[0],
            skip_architecture_check: forced[1],
            sources: false,
            udebs: false,
            installer: false,
            appstream: false,
            appstream_files: BTreeMap::new(),
            made_of: String::new(),
            worker: None,
            root: String::new(),
        };
        change.apply(&mut mirror)?;
        release::refresh(&mut mirror, trust, fetch, self.store().clock().now())?;
        let document = json(&mirror)?;
        self.change(|tx| {
            if find(tx, "name", name)?.is_some() {
                return Err(taken(name));
            }
            let sql = "insert into mirror (uuid, name, root, document) values (?1, ?2, '', ?3)";
            tx.execute(sql, params![&mirror.uuid, name, &document])?;
            Ok(())
        })?;
        Ok(mirror)
    }

    /// The mirror of that name.
    pub fn mirror(&self, name: &str) -> Result<Mirror> {
        self.store().read(|tx| find(tx, "name", name)?.ok_or_else(|| not_found(name)))
    }

    /// All mirrors by name.
    pub fn mirrors(&self) -> Result<Vec<Mirror>> {
        self.store().read(|tx| {
            let rows = tx.query("select document, root from mirror order by name", &[])?;
            rows.iter().map(read).collect()
        })
    }

    /// Changes what is mirrored. Another archive or other architectures are checked against the `Release` again.
    pub fn edit_mirror(
        &self,
        name: &str,
        change: &MirrorChange,
        trust: &release::Trust,
        fetch: &dyn Fetch,
    ) -> Result<Mirror> {
        let mut wanted = self.mirror(name)?;
        change.apply(&mut wanted)?;
        if change.archive.is_some() || change.architectures.is_some() {
            release::refresh(&mut wanted, trust, fetch, self.store().clock().now())?;
        }
        self.change_mirror(name, |mirror| {
            let kept = (mirror.root.clone(), mirror.made_of.clone(), mirror.updated, mirror.worker);
            *mirror = wanted.clone();
            (mirror.root, mirror.made_of, mirror.updated, mirror.worker) = kept;
            Ok(())
        })
    }

    /// Changes the record of a mirror in one transaction.
    fn change_mirror(&self, name: &str, mut edit: impl FnMut(&mut Mirror) -> Result<()>) -> Result<Mirror> {
        self.change(|tx| change(tx, name, &mut edit))
    }

    /// Gives a mirror another name.
    pub fn rename_mirror(&self, name: &str, new: &str) -> Result<Mirror> {
        check_name("mirror name", new)?;
        if self.mirror(new).is_ok() {
            return Err(taken(new));
        }
        self.change_mirror(name, |mirror| {
            new.clone_into(&mut mirror.name);
            Ok(())
        })
    }

    /// Removes a mirror; its packages stay until a cleanup. Refused, unless forced, while snapshots were made of it.
    pub fn drop_mirror(&self, name: &str, force: bool) -> Result<Mirror, DropRefused> {
        self.change(|tx| {
            let mirror = find(tx, "name", name)?.ok_or_else(|| not_found(name))?;
            let snapshots = snapshot::made_of(tx, &mirror.uuid)?;
            if !snapshots.is_empty() && !force {
                return Err(DropRefused::Snapshots(snapshots.iter().map(ToString::to_string).collect()));
            }
            tx.execute("delete from mirror where uuid = ?1", params![&mirror.uuid])?;
            Ok(mirror)
        })
    }

    /// A snapshot of what the last update brought.
    pub fn snapshot_mirror(&self, name: &str, mirror: &str) -> Result<Snapshot> {
        self.change(|tx| {
            let mirror = find(tx, "name", mirror)?.ok_or_else(|| not_found(mirror))?;
            mirror.updated.ok_or_else(|| Error::Invalid("mirror not updated".into()))?;
            let like = Snapshot {
                origin: mirror.said("Origin").to_owned(),
                not_automatic: mirror.said("NotAutomatic").to_owned(),
                but_automatic_upgrades: mirror.said("ButAutomaticUpgrades").to_owned(),
                appstream: mirror.appstream_files.clone(),
                ..Snapshot::nothing()
            };
            let making = Making {
                name,
                kind: SourceKind::Mirror,
                sources: vec![mirror.uuid.clone()],
                description: format!("Snapshot from mirror {mirror}"),
                like: Some(&like),
            };
            snapshot::insert(tx, &making, &mirror.root)
        })
    }
}

pub use release::Trust;
