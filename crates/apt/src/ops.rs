//! The log of operations: who changed which repository, snapshot, mirror or publication by which command, as it was before and after; and the
//! way back.
//!
//! The rows before and after are written by the database itself (triggers, see `schema`), while a transaction says whose work it is. A row names
//! its package list, so an entry costs little whatever the size of the list.

mod undo;

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value as Json;
use store::{Row, StoreError, Tx, params};

pub use undo::Undone;

use crate::error::{Error, Result};
use crate::packages::from_json;
use crate::root::Root;
use crate::set::{self, Diff};

/// So long the log reaches back.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Whose work a root's changes are.
#[derive(Debug, Default)]
pub(crate) struct Actor {
    who: String,
    command: String,
    /// The entry, once something was changed; all changes of one actor are one entry. Without an actor each transaction is one.
    entry: Option<Mutex<Option<i64>>>,
}

impl Actor {
    pub fn new(who: &str, command: &str) -> Actor {
        Actor { who: who.to_owned(), command: command.to_owned(), entry: Some(Mutex::new(None)) }
    }

    /// Whether all its changes are one entry.
    fn is_one(&self) -> bool {
        self.entry.is_some()
    }

    fn entry(&self) -> Option<i64> {
        *self.entry.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_entry(&self, id: i64) {
        if let Some(entry) = &self.entry {
            *entry.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
        }
    }
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Op {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub at: Timestamp,
    /// Who did it; empty if that is not known.
    pub who: String,
    /// By which command or request.
    pub command: String,
    /// The entry that it undid.
    pub undoes: Option<i64>,
    /// The entry that undid it.
    pub undone_by: Option<i64>,
    /// What it changed.
    pub changes: Vec<OpChange>,
}

/// One thing that an operation changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpChange {
    /// `repo`, `snapshot`, `mirror` or `publication`.
    pub kind: String,
    /// Its name afterwards, or before if it is gone; of a publication its path.
    pub name: String,
    /// `made`, `changed` or `removed`.
    pub what: &'static str,
    /// Packages that it has afterwards and had not before, sorted.
    pub added: Vec<String>,
    /// Packages that it had and has no more.
    pub removed: Vec<String>,
}

/// A thing before and after: the row as JSON.
pub(crate) struct Image {
    kind: String,
    uuid: String,
    before: Option<Json>,
    after: Option<Json>,
}

impl Image {
    fn read(row: &Row) -> Result<Image> {
        let json = |column| -> Result<Option<Json>> {
            row.opt_text(column)?.map(|text| from_json("an entry of the log", &text)).transpose()
        };
        Ok(Image { kind: row.text(0)?, uuid: row.text(1)?, before: json(2)?, after: json(3)? })
    }

    fn newest(&self) -> Option<&Json> {
        self.after.as_ref().or(self.before.as_ref())
    }

    fn name(&self) -> String {
        let text = |field: &str| self.newest().and_then(|row| row.get(field)?.as_str()).unwrap_or_default();
        match self.kind.as_str() {
            "publication" => {
                format!("{}/{}", crate::publish::place(text("storage"), text("prefix")), text("distribution"))
            }
            _ => text("name").to_owned(),
        }
    }

    fn what(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "made",
            (_, None) => "removed",
            _ => "changed",
        }
    }
}

/// The package lists that a row names.
fn lists(row: Option<&Json>) -> Vec<String> {
    let Some(row) = row else { return Vec::new() };
    if let Some(root) = row.get("root").and_then(Json::as_str) {
        return vec![root.to_owned()];
    }
    let components = row.get("lists").and_then(Json::as_str).and_then(|text| serde_json::from_str::<Json>(text).ok());
    let lists = components.as_ref().and_then(Json::as_object);
    lists.into_iter().flat_map(|lists| lists.values()).filter_map(Json::as_str).map(str::to_owned).collect()
}

impl Root {
    /// The same root, all of whose changes are one entry of the log: this person's (or program's) command.
    #[must_use]
    pub fn acting(self, who: &str, command: &str) -> Root {
        self.with_actor(Actor::new(who, command))
    }

    /// A transaction that changes repositories, snapshots, mirrors or publications.
    pub(crate) fn change<T, E: From<StoreError>>(
        &self,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let actor = self.actor();
        let known = actor.entry();
        let (done, entry) = self.store().write(|tx| {
            let there = match known {
                Some(id) => tx.query_opt("select id from op where id = ?1", params![id])?,
                None => None,
            };
            let row = match there {
                Some(row) => Some(row),
                None => {
                    let sql = "insert into op (at, who, command) values (?1, ?2, ?3) returning id";
                    tx.query_opt(sql, params![tx.now(), &actor.who, &actor.command])?
                }
            };
            let id = row.map_or(Ok(0), |row| row.int(0))?;
            let sql = "insert into op_now (one, op) values (1, ?1) on conflict (one) do update set op = excluded.op";
            tx.execute(sql, params![id])?;
            let done = work(tx)?;
            tx.execute("delete from op_now", &[])?;
            let changed = tx.query_opt("select 1 from op_change where op = ?1 limit 1", params![id])?.is_some();
            if !changed {
                tx.execute("delete from op where id = ?1", params![id])?;
            }
            Ok::<_, E>((done, changed.then_some(id)))
        })?;
        if let Some(id) = entry {
            actor.set_entry(id);
        }
        Ok(done)
    }

    /// The newest entries of the log, the newest first.
    pub fn ops(&self, limit: u32) -> Result<Vec<Op>> {
        self.ops_before(i64::MAX, limit)
    }

    /// The newest entries of the log with a number below `id`, the newest first.
    pub fn ops_before(&self, id: i64, limit: u32) -> Result<Vec<Op>> {
        self.store().read(|tx| {
            let sql = format!("{SELECT} where id < ?1 order by id desc limit ?2");
            let rows = tx.query(&sql, params![id, i64::from(limit)])?;
            rows.iter().map(|row| op(tx, row)).collect()
        })
    }

    /// One entry of the log.
    pub fn op(&self, id: i64) -> Result<Op> {
        self.store().read(|tx| {
            let row = tx.query_opt(&format!("{SELECT} where id = ?1"), params![id])?.ok_or_else(|| not_found(id))?;
            op(tx, &row)
        })
    }

    /// Forgets entries that are older than two weeks.
    pub(crate) fn forget_ops(&self) -> Result<()> {
        self.store().write(|tx| {
            let before = tx.now().checked_sub(KEPT).unwrap_or(Timestamp::MIN);
            let old = "select id from op where at < ?1 order by id limit 200";
            tx.execute(&format!("delete from op_change where op in ({old})"), params![before])?;
            tx.execute(&format!("delete from op where id in ({old})"), params![before])?;
            Ok::<(), Error>(())
        })
    }
}

const SELECT: &str =
    "select id, at, who, command, undoes, (select max(id) from op as later where later.undoes = op.id) from op";

fn not_found(id: i64) -> Error {
    Error::NotFound(format!(
        "there is no operation {id} in the log; `gennaker op log` lists those of the last two weeks"
    ))
}

fn images(tx: &mut Tx<'_>, id: i64) -> Result<Vec<Image>> {
    let sql = "select kind, uuid, before, after from op_change where op = ?1 order by kind, uuid";
    let images: Vec<Image> = tx.query(sql, params![id])?.iter().map(Image::read).collect::<Result<_>>()?;
    // What came and went within the operation is nothing.
    Ok(images.into_iter().filter(|image| image.before != image.after).collect())
}

fn op(tx: &mut Tx<'_>, row: &Row) -> Result<Op> {
    let id = row.int(0)?;
    let mut changes = Vec::new();
    for image in images(tx, id)? {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        let (old, new) = (lists(image.before.as_ref()), lists(image.after.as_ref()));
        for at in 0..old.len().max(new.len()) {
            let list = |lists: &[String]| lists.get(at).cloned().unwrap_or_default();
            // Lists that were cleaned up cannot be compared any more.
            if let Ok(Diff { added: more, removed: gone }) = set::diff(tx, &list(&old), &list(&new)) {
                added.extend(more.iter().map(ToString::to_string));
                removed.extend(gone.iter().map(ToString::to_string));
            }
        }
        added.sort();
        removed.sort();
        changes.push(OpChange { name: image.name(), what: image.what(), kind: image.kind, added, removed });
    }
    Ok(Op {
        id,
        at: row.time(1)?,
        who: row.text(2)?,
        command: row.text(3)?,
        undoes: row.opt_int(4)?,
        undone_by: row.opt_int(5)?,
        changes,
    })
}
