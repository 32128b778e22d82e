//! Events of a root: written in the transaction of the change, read by whoever tails the root.

use debian::package::{Key, Package};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Tx, params};

use crate::error::Result;
use crate::packages::json;
use crate::publish::Publication;
use crate::root::Root;
use crate::set::{self, Diff};

/// One event, as it stands in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in this root; each is greater than the one before.
    pub seq: i64,
    /// Its id, the same for everybody.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What happened: [`PUBLISHED`], [`DROPPED`], [`UPLOADED`], [`REMOVED`] or [`MIRRORED`].
    pub kind: String,
    /// The details, as JSON: a [`Published`], a [`Moved`] or a [`Mirrored`].
    pub body: String,
}

/// A publication has a new generation.
pub const PUBLISHED: &str = "apt.published";
/// A publication was taken away.
pub const DROPPED: &str = "apt.dropped";

/// Packages came into a local repository.
pub const UPLOADED: &str = "apt.uploaded";
/// Packages left a local repository.
pub const REMOVED: &str = "apt.removed";
/// A mirror was updated.
pub const MIRRORED: &str = "apt.mirrored";

/// The body of an [`UPLOADED`] or [`REMOVED`] event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The folder of the root.
    pub root: String,
    /// The local repository.
    pub repository: String,
    /// The full keys of the packages: `Pamd64 hello 1.0 1a2b3c4d5e6f7a8b`.
    pub packages: Vec<String>,
}

/// The body of a [`MIRRORED`] event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirrored {
    /// The folder of the root.
    pub root: String,
    /// The mirror.
    pub mirror: String,
    /// Its distribution.
    pub distribution: String,
    /// The packages that the update before did not bring.
    pub packages: Vec<NewPackage>,
    /// The full keys of those that are not there any more.
    pub removed: Vec<String>,
}

/// The body of a [`PUBLISHED`] event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The folder of the root.
    pub root: String,
    /// The prefix, `.` for none.
    pub prefix: String,
    /// The distribution.
    pub distribution: String,
    /// The generation's number.
    pub generation: i64,
    /// The packages that are visible now and were not before, told apart by their content.
    pub packages: Vec<NewPackage>,
}

impl Published {
    /// Of these packages of a publication, as it is now.
    pub fn of(root: &Root, publication: &Publication, packages: Vec<NewPackage>) -> Published {
        Published {
            root: root.path().display().to_string(),
            prefix: publication.place(),
            distribution: publication.distribution.clone(),
            generation: publication.generation,
            packages,
        }
    }
}

/// A package that became visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPackage {
    /// The component; empty for those of a mirror.
    pub component: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// The SHA-256 of its file.
    pub sha256: String,
    /// Where the file is published, below the prefix; empty for those of a mirror.
    pub reference: String,
    /// Whether the same version was visible before with other bytes.
    pub replaced: bool,
}

impl NewPackage {
    /// A package, told by its main file: of a source its `.dsc`. Without files it is none that anybody could fetch.
    pub(crate) fn of(package: &Package, component: &str, folder: &str) -> Option<NewPackage> {
        let main = package.files.iter().find(|file| file.name.ends_with(".dsc")).or(package.files.first())?;
        Some(NewPackage {
            component: component.to_owned(),
            name: package.key.name.clone(),
            version: package.key.version.clone(),
            architecture: package.key.architecture.clone(),
            sha256: main.sums.sha256.clone(),
            reference: if folder.is_empty() { String::new() } else { format!("{folder}/{}", main.name) },
            replaced: false,
        })
    }
}

/// Writes an event.
pub(crate) fn write(tx: &mut Tx<'_>, kind: &str, body: &impl Serialize) -> Result<()> {
    let (id, at) = (tx.ulid(), tx.now());
    tx.execute("insert into outbox (id, at, kind, body) values (?1, ?2, ?3, ?4)", params![id, at, kind, json(body)?])?;
    Ok(())
}

/// Writes what came into a local repository, and what left it, when its list changed.
pub(crate) fn write_moved(tx: &mut Tx<'_>, root: &Root, repository: &str, before: &str, after: &str) -> Result<()> {
    let Diff { added, removed } = set::diff(tx, before, after)?;
    for (kind, keys) in [(UPLOADED, added), (REMOVED, removed)] {
        if keys.is_empty() {
            continue;
        }
        let (root, packages) = (root.path().display().to_string(), keys.iter().map(Key::full).collect());
        write(tx, kind, &Moved { root, repository: repository.to_owned(), packages })?;
    }
    Ok(())
}

impl Root {
    /// At most `most` events after number `seq`, in order.
    pub fn outbox_after(&self, seq: i64, most: u32) -> Result<Vec<Event>> {
        self.store().read(|tx| {
            let sql = "select seq, id, at, kind, body from outbox where seq > ?1 order by seq limit ?2";
            tx.query(sql, params![seq, most])?
                .iter()
                .map(|row| {
                    Ok(Event {
                        seq: row.int(0)?,
                        id: row.text(1)?,
                        at: row.time(2)?,
                        kind: row.text(3)?,
                        body: row.text(4)?,
                    })
                })
                .collect()
        })
    }

    /// The number of the newest event; 0 when there is none.
    pub fn outbox_end(&self) -> Result<i64> {
        self.store().read(|tx| {
            let row = tx.query_opt("select coalesce(max(seq), 0) from outbox", &[])?;
            Ok(row.map_or(Ok(0), |row| row.int(0))?)
        })
    }

    /// How many events there are from before `before`.
    pub fn outbox_before(&self, before: Timestamp) -> Result<u64> {
        self.store().read(|tx| Ok(tx.count("select count(*) from outbox where at < ?1", params![before])?))
    }

    /// When the first event after number `seq` happened; nothing when there is none.
    pub fn outbox_waits_since(&self, seq: i64) -> Result<Option<Timestamp>> {
        Ok(self.outbox_after(seq, 1)?.first().map(|event| event.at))
    }

    /// Takes away events from before `before`, a few hundred at a time; tells how many.
    pub fn sweep_outbox(&self, before: Timestamp) -> Result<u64> {
        let mut swept = 0;
        loop {
            let gone = self.store().write(|tx| {
                let sql =
                    "delete from outbox where seq in (select seq from outbox where at < ?1 order by seq limit 400)";
                Ok::<_, crate::Error>(tx.execute(sql, params![before])?)
            })?;
            swept += gone;
            if gone == 0 {
                return Ok(swept);
            }
        }
    }
}
