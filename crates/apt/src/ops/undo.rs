//! The way back from one operation: rows as they were before it, publications as they showed it.
//!
//! Refused when something was changed again since (that goes first), and when packages are needed that a cleanup has taken.

use serde_json::Value as Json;
use store::{Tx, params};

use super::{Image, Op, images, lists};
use crate::error::{Error, Result};
use crate::outbox;
use crate::packages;
use crate::publish::{Signing, restore};
use crate::report::Sink;
use crate::root::Root;
use crate::set;

/// What was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The operation.
    pub op: Op,
    /// The entry of the log that undid it.
    pub by: i64,
}

/// Columns that come back, by kind. A repository's version only ever grows.
fn columns(kind: &str) -> Result<&'static [&'static str]> {
    Ok(match kind {
        "repo" => &["uuid", "name", "comment", "distribution", "component", "uploaders", "root"],
        "snapshot" => &[
            "uuid",
            "name",
            "created",
            "kind",
            "sources",
            "description",
            "origin",
            "not_automatic",
            "but_automatic_upgrades",
            "root",
            "appstream",
        ],
        "mirror" => &["uuid", "name", "root", "document"],
        _ => return Err(Error::Damaged(format!("an entry of the log is about a {kind:?}"))),
    })
}

impl Root {
    /// The operation that `undo` means: that one, or the newest that was neither undone nor is an undoing.
    pub fn op_to_undo(&self, id: Option<i64>) -> Result<Op> {
        let Some(id) = id else {
            let sql = "select max(id) from op where undoes is null and not exists (select 1 from op as later where later.undoes = op.id)";
            let newest = self.store().read(|tx| Ok::<_, Error>(tx.query_opt(sql, &[])?))?;
            let newest = newest.map(|row| row.opt_int(0)).transpose()?.flatten();
            return self.op(newest.ok_or_else(|| Error::NotFound("there is nothing to undo".into()))?);
        };
        let op = self.op(id)?;
        match op.undone_by {
            // What was undone and redone may be undone again.
            Some(by) if self.op(by)?.undone_by.is_none() => Err(Error::Conflict(format!(
                "operation {id} was undone by operation {by}; `gennaker undo {by}` brings it back"
            ))),
            _ => Ok(op),
        }
    }

    /// Undoes an operation, as an operation of its own: undoing that one redoes it.
    pub fn undo(&self, id: Option<i64>, signing: &Signing, sink: Sink<'_>) -> Result<Undone> {
        let op = self.op_to_undo(id)?;
        let images = self.store().read(|tx| {
            let images = images(tx, op.id)?;
            images.iter().try_for_each(|image| check(tx, op.id, image))?;
            Ok::<_, Error>(images)
        })?;
        if images.iter().any(|image| image.kind == "publication" && image.before.is_some()) {
            signing.check()?;
        }
        // All that it takes is one entry.
        let root = match self.actor().is_one() {
            true => self.clone(),
            false => self.clone().acting("", &format!("undo {}", op.id)),
        };
        root.put_all_back(op.id, images, signing, sink)?;
        let by = root.actor().entry().ok_or_else(|| Error::Invalid(format!("operation {} changed nothing", op.id)))?;
        let sql = "update op set undoes = ?2 where id = ?1";
        root.store().write(|tx| Ok::<_, Error>(tx.execute(sql, params![by, op.id])?))?;
        Ok(Undone { op, by })
    }

    fn put_all_back(&self, id: i64, images: Vec<Image>, signing: &Signing, sink: Sink<'_>) -> Result<()> {
        let (publications, rows): (Vec<Image>, Vec<Image>) =
            images.into_iter().partition(|image| image.kind == "publication");
        // What was made may not go while it is published, and what is published again may show what is made again.
        let (gone, shown): (Vec<Image>, Vec<Image>) =
            publications.into_iter().partition(|image| image.before.is_none());
        for image in &gone {
            restore(self, image.after.as_ref(), None, signing, sink)?;
        }
        if !rows.is_empty() {
            self.change(|tx| {
                for image in &rows {
                    check(tx, id, image)?;
                    put_back(tx, image)?;
                    if image.kind == "repo" {
                        let list = |row: Option<&Json>| lists(row).concat();
                        let (now, then) = (list(image.after.as_ref()), list(image.before.as_ref()));
                        outbox::write_moved(tx, self, &image.name(), &now, &then)?;
                    }
                }
                Ok::<(), Error>(())
            })?;
        }
        shown.iter().try_for_each(|image| restore(self, image.after.as_ref(), image.before.as_ref(), signing, sink))
    }
}

/// Refuses when the thing is not as the operation left it, or when what it had before is not there any more.
fn check(tx: &mut Tx<'_>, id: i64, image: &Image) -> Result<()> {
    let now = current(tx, image)?;
    let same = match image.kind.as_str() {
        // A publication's row has more than what is shown; its number tells.
        "publication" => {
            let number = |row: Option<&Json>| row.map(|row| row.get("generation").cloned());
            number(now.as_ref()) == number(image.after.as_ref())
        }
        _ => now == image.after,
    };
    if !same {
        let later = "select max(op) from op_change where uuid = ?1 and op > ?2";
        let by = tx.query_opt(later, params![&image.uuid, id])?.map(|row| row.opt_int(0)).transpose()?.flatten();
        let way = by.map_or(String::new(), |by| format!(" (last by operation {by}; undo that first)"));
        return Err(Error::Conflict(format!("{} {} was changed after operation {id}{way}", image.kind, image.name())));
    }
    if image.after.is_none() && image.kind != "publication" {
        let name = image.name();
        let sql = format!("select 1 from {} where name = ?1", image.kind);
        if tx.query_opt(&sql, params![&name])?.is_some() {
            return Err(Error::Conflict(format!(
                "there is another {} with the name {name} now; rename it first",
                image.kind
            )));
        }
    }
    for list in lists(image.before.as_ref()) {
        if !list.is_empty() && !is_whole(tx, &list)? {
            let name = image.name();
            let what = format!("packages that {} {name} had before operation {id} were taken by a cleanup", image.kind);
            return Err(Error::Conflict(format!("{what}; it cannot be undone")));
        }
    }
    Ok(())
}

/// Whether the list and all its packages are there.
fn is_whole(tx: &mut Tx<'_>, list: &str) -> Result<bool> {
    if tx.query_opt("select 1 from root where hash = ?1", params![list])?.is_none() {
        return Ok(false);
    }
    for leaf in set::leaves(tx, list)? {
        if tx.query_opt("select 1 from leaf where hash = ?1", params![&leaf.hash])?.is_none() {
            return Ok(false);
        }
        let keys = set::leaf(tx, &leaf.hash)?;
        if packages::known(tx, &keys)? != keys.len() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The row as it is now, as the log writes it.
fn current(tx: &mut Tx<'_>, image: &Image) -> Result<Option<Json>> {
    let columns: &[&str] = match image.kind.as_str() {
        "publication" => &["uuid", "generation"],
        kind => columns(kind)?,
    };
    let pairs: Vec<String> = columns.iter().map(|column| format!("'{column}', {column}")).collect();
    let sql = format!("select json_object({}) from {} where uuid = ?1", pairs.join(", "), image.kind);
    let row = tx.query_opt(&sql, params![&image.uuid])?;
    row.map(|row| packages::from_json("a row", &row.text(0)?)).transpose()
}

/// Writes a row as it was before.
fn put_back(tx: &mut Tx<'_>, image: &Image) -> Result<()> {
    let kind = &image.kind;
    let Some(before) = &image.before else {
        let published = crate::publish::using(tx, &image.uuid)?;
        if let Some(one) = published.first() {
            return Err(Error::Conflict(format!(
                "{kind} {} is published by {}; drop that first",
                image.name(),
                one.path()
            )));
        }
        tx.execute(&format!("delete from {kind} where uuid = ?1"), params![&image.uuid])?;
        return Ok(());
    };
    let columns = columns(kind)?;
    let values: Vec<String> = columns.iter().map(|column| format!("json_extract(?1, '$.{column}')")).collect();
    let sets: Vec<String> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    // Whoever computed a change from the version before must not win with it.
    let (version, grows) = if kind == "repo" { (", version", ", version = repo.version + 1") } else { ("", "") };
    let first = if kind == "repo" { ", 0" } else { "" };
    let sql = format!(
        "insert into {kind} ({}{version}) values ({}{first}) on conflict (uuid) do update set {}{grows}",
        columns.join(", "),
        values.join(", "),
        sets.join(", ")
    );
    tx.execute(&sql, params![packages::json(before)?])?;
    Ok(())
}
