//! Snapshots: lists of packages that never change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Row, Tx, params};

use crate::error::{Error, Result};
use crate::packages::{from_json, json};
use crate::repo::{DropRefused, check_name};
use crate::root::Root;
use crate::set;

/// What a snapshot was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceKind {
    /// A mirror.
    #[serde(rename = "repo")]
    Mirror,
    /// A local repository.
    #[serde(rename = "local")]
    Local,
    /// Other snapshots, or nothing.
    #[serde(rename = "snapshot")]
    Snapshot,
}

impl SourceKind {
    /// aptly's word for it.
    pub fn word(self) -> &'static str {
        match self {
            SourceKind::Mirror => "repo",
            SourceKind::Local => "local",
            SourceKind::Snapshot => "snapshot",
        }
    }

    pub(crate) fn of(word: &str) -> Result<SourceKind> {
        match word {
            "repo" => Ok(SourceKind::Mirror),
            "local" => Ok(SourceKind::Local),
            "snapshot" => Ok(SourceKind::Snapshot),
            other => Err(Error::Damaged(format!("unknown kind of source {other:?}"))),
        }
    }
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// What it was made of.
    pub kind: SourceKind,
    /// The ids of what it was made of.
    pub sources: Vec<String>,
    /// How it was made.
    pub description: String,
    /// `Origin` of the mirror that it came from.
    pub origin: String,
    /// `NotAutomatic` of that mirror.
    pub not_automatic: String,
    /// `ButAutomaticUpgrades` of that mirror.
    pub but_automatic_upgrades: String,
    /// Its list of packages.
    pub root: String,
    /// AppStream's files of the mirror that it came from: path below the distribution to path in the pool.
    pub appstream: BTreeMap<String, String>,
}

impl Snapshot {
    /// One that nothing is taken over from.
    pub(crate) fn nothing() -> Snapshot {
        Snapshot {
            uuid: String::new(),
            name: String::new(),
            created: Timestamp::UNIX_EPOCH,
            kind: SourceKind::Snapshot,
            sources: Vec::new(),
            description: String::new(),
            origin: String::new(),
            not_automatic: String::new(),
            but_automatic_upgrades: String::new(),
            root: String::new(),
            appstream: BTreeMap::new(),
        }
    }
}

/// `[name]: description`.
impl std::fmt::Display for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}]: {}", self.name, self.description)
    }
}

const COLUMNS: &str =
    "uuid, name, created, kind, sources, description, origin, not_automatic, but_automatic_upgrades, root, appstream";

fn read(row: &Row) -> Result<Snapshot> {
    Ok(Snapshot {
        uuid: row.text(0)?,
        name: row.text(1)?,
        created: row.time(2)?,
        kind: SourceKind::of(&row.text(3)?)?,
        sources: from_json("a snapshot's sources", &row.text(4)?)?,
        description: row.text(5)?,
        origin: row.text(6)?,
        not_automatic: row.text(7)?,
        but_automatic_upgrades: row.text(8)?,
        root: row.text(9)?,
        appstream: row.opt_text(10)?.map_or(Ok(BTreeMap::new()), |text| from_json("a snapshot's files", &text))?,
    })
}

pub(crate) fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Snapshot> {
    let row = tx.query_opt(&format!("select {COLUMNS} from snapshot where name = ?1"), params![name])?;
    read(&row.ok_or_else(|| Error::NotFound(format!("snapshot with name {name} not found")))?)
}

pub(crate) fn by_uuid(tx: &mut Tx<'_>, uuid: &str) -> Result<Option<Snapshot>> {
    tx.query_opt(&format!("select {COLUMNS} from snapshot where uuid = ?1"), params![uuid])?
        .as_ref()
        .map(read)
        .transpose()
}

/// A snapshot with exactly this list; of several the one that is meant `now`, else the newest.
pub(crate) fn by_root(tx: &mut Tx<'_>, root: &str, now: Option<&crate::publish::Source>) -> Result<Option<Snapshot>> {
    let sql = format!("select {COLUMNS} from snapshot where root = ?1 order by created desc, name");
    let found: Vec<Snapshot> = tx.query(&sql, params![root])?.iter().map(read).collect::<Result<_>>()?;
    let same = found.iter().find(|snapshot| now.is_some_and(|now| now.uuid == snapshot.uuid)).cloned();
    Ok(same.or_else(|| found.into_iter().next()))
}

pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Snapshot>> {
    tx.query(&format!("select {COLUMNS} from snapshot order by name"), &[])?.iter().map(read).collect()
}

/// The snapshots that were made of this repository or snapshot.
pub(crate) fn made_of(tx: &mut Tx<'_>, uuid: &str) -> Result<Vec<Snapshot>> {
    let mut found = all(tx)?;
    found.retain(|snapshot| snapshot.sources.iter().any(|source| source == uuid));
    Ok(found)
}

/// What a new snapshot is made of.
pub(crate) struct Making<'a> {
    pub name: &'a str,
    pub kind: SourceKind,
    pub sources: Vec<String>,
    pub description: String,
    pub like: Option<&'a Snapshot>,
}

pub(crate) fn insert(tx: &mut Tx<'_>, making: &Making<'_>, root: &str) -> Result<Snapshot> {
    check_name("snapshot name", making.name)?;
    if tx.query_opt("select 1 from snapshot where name = ?1", params![making.name])?.is_some() {
        return Err(Error::Conflict(format!("snapshot with name {} already exists", making.name)));
    }
    let from = |field: fn(&Snapshot) -> &String| making.like.map(field).cloned().unwrap_or_default();
    let snapshot = Snapshot {
        uuid: tx.uuid(),
        name: making.name.to_owned(),
        created: tx.now(),
        kind: making.kind,
        sources: making.sources.clone(),
        description: making.description.clone(),
        origin: from(|like| &like.origin),
        not_automatic: from(|like| &like.not_automatic),
        but_automatic_upgrades: from(|like| &like.but_automatic_upgrades),
        root: root.to_owned(),
        appstream: making.like.map(|like| like.appstream.clone()).unwrap_or_default(),
    };
    let sources = json(&snapshot.sources)?;
    let appstream = (!snapshot.appstream.is_empty()).then(|| json(&snapshot.appstream)).transpose()?;
    tx.execute(
        &format!("insert into snapshot ({COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"),
        params![
            &snapshot.uuid,
            &snapshot.name,
            snapshot.created,
            snapshot.kind.word(),
            sources,
            &snapshot.description,
            &snapshot.origin,
            &snapshot.not_automatic,
            &snapshot.but_automatic_upgrades,
            root,
            appstream
        ],
    )?;
    Ok(snapshot)
}

impl Root {
    /// A snapshot of a repository as it is now.
    pub fn snapshot_repo(&self, name: &str, repo: &str) -> Result<Snapshot> {
        self.change(|tx| {
            let repo = crate::repo::by_name(tx, repo)?;
            let description = format!("Snapshot from local repo {repo}");
            let making =
                Making { name, kind: SourceKind::Local, sources: vec![repo.uuid.clone()], description, like: None };
            insert(tx, &making, &repo.root)
        })
    }

    /// A snapshot without packages.
    pub fn snapshot_empty(&self, name: &str) -> Result<Snapshot> {
        self.change(|tx| {
            let making = Making {
                name,
                kind: SourceKind::Snapshot,
                sources: Vec::new(),
                description: "Created as empty".into(),
                like: None,
            };
            insert(tx, &making, "")
        })
    }

    /// The snapshot of that name.
    pub fn snapshot(&self, name: &str) -> Result<Snapshot> {
        self.store().read(|tx| by_name(tx, name))
    }

    /// All snapshots by name.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>> {
        self.store().read(all)
    }

    /// What a snapshot was made of, as far as it is still there: name and kind.
    pub fn snapshot_sources(&self, snapshot: &Snapshot) -> Result<Vec<(String, SourceKind)>> {
        self.store().read(|tx| {
            let mut found = Vec::new();
            for uuid in &snapshot.sources {
                let name = match snapshot.kind {
                    SourceKind::Local => crate::repo::by_uuid(tx, uuid)?.map(|repo| repo.name),
                    SourceKind::Snapshot => by_uuid(tx, uuid)?.map(|snapshot| snapshot.name),
                    SourceKind::Mirror => crate::mirror::by_uuid(tx, uuid)?.map(|mirror| mirror.name),
                };
                found.extend(name.map(|name| (name, snapshot.kind)));
            }
            Ok(found)
        })
    }

    /// Gives a snapshot another name.
    pub fn rename_snapshot(&self, name: &str, new: &str) -> Result<Snapshot> {
        check_name("snapshot name", new)?;
        self.change(|tx| {
            let mut snapshot = by_name(tx, name)?;
            if tx.query_opt("select 1 from snapshot where name = ?1", params![new])?.is_some() {
                return Err(Error::Conflict(format!("snapshot with name {new} already exists")));
            }
            tx.execute("update snapshot set name = ?2 where uuid = ?1", params![&snapshot.uuid, new])?;
            snapshot.name = new.to_owned();
            Ok(snapshot)
        })
    }

    /// Removes a snapshot. Refused while it is published, and unless forced while others were made of it.
    pub fn drop_snapshot(&self, name: &str, force: bool) -> Result<Snapshot, DropRefused> {
        self.change(|tx| {
            let snapshot = by_name(tx, name)?;
            let published = crate::publish::using(tx, &snapshot.uuid)?;
            if !published.is_empty() {
                return Err(DropRefused::Published(published.iter().map(ToString::to_string).collect()));
            }
            let others = made_of(tx, &snapshot.uuid)?;
            if !others.is_empty() && !force {
                return Err(DropRefused::Snapshots(others.iter().map(ToString::to_string).collect()));
            }
            tx.execute("delete from snapshot where uuid = ?1", params![&snapshot.uuid])?;
            Ok(snapshot)
        })
    }

    /// The number of packages of a list.
    pub fn count(&self, list: &str) -> Result<u64> {
        self.store().read(|tx| set::count(tx, list))
    }

    /// The packages of a list in the order of an index.
    pub fn keys(&self, list: &str) -> Result<Vec<debian::package::Key>> {
        self.store().read(|tx| set::load(tx, list))
    }
}
