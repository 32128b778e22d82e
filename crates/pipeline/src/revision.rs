//! The history of everything that people save: who changed it when, and the old text.

use serde_json::Value;
use store::{StoreError, Tx, params};

/// Notes a change of a thing. `body` is its text from now on (of a deletion: its last).
pub(crate) fn note(tx: &mut Tx, kind: &str, id: &str, who: &str, body: &str, deleted: bool) -> Result<(), StoreError> {
    let sql = "select coalesce(max(number), 0) from revision where kind = ?1 and id = ?2";
    let last = tx.query_opt(sql, params![kind, id])?.map_or(Ok(0), |row| row.int(0))?;
    let now = tx.now();
    tx.execute(
        "insert into revision (kind, id, number, at, who, deleted, body) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![kind, id, last + 1, now, who, deleted, body],
    )?;
    Ok(())
}

/// One saved state of a thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// 1, 2, 3 …
    pub number: i64,
    /// When, in milliseconds.
    pub at: i64,
    /// Who.
    pub who: String,
    /// It was deleted then.
    pub deleted: bool,
    /// Its JSON.
    pub body: Value,
}

/// The saved states of a thing, newest first.
pub fn history(tx: &mut Tx, kind: &str, id: &str, limit: usize) -> Result<Vec<Revision>, StoreError> {
    let sql = format!(
        "select number, at, who, deleted, body from revision where kind = ?1 and id = ?2 order by number desc limit {limit}"
    );
    let mut out = Vec::new();
    for row in tx.query(&sql, params![kind, id])? {
        let body = serde_json::from_str(&row.text(4)?).unwrap_or(Value::Null);
        out.push(Revision { number: row.int(0)?, at: row.int(1)?, who: row.text(2)?, deleted: row.int(3)? != 0, body });
    }
    Ok(out)
}

/// A change of a thing, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `application`, `pipeline`, `project` or `template`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The number of the state that came of it; 1 is the first.
    pub number: i64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Who.
    pub who: String,
    /// It was deleted.
    pub deleted: bool,
    /// The application, as the state says it.
    pub application: Option<String>,
    /// The name, as the state says it.
    pub name: Option<String>,
}

/// The place of a change among all: moment, kind, id, number.
pub type Place = (i64, String, String, i64);

impl Change {
    /// Where it stands among all.
    pub fn place(&self) -> Place {
        (self.at, self.kind.clone(), self.id.clone(), self.number)
    }
}

/// Changes of all things, the newest first: those that come behind a place, or all.
pub fn changes(tx: &mut Tx, behind: Option<&Place>, limit: usize) -> Result<Vec<Change>, StoreError> {
    let (at, kind, id, number) = behind.cloned().unwrap_or((i64::MAX, String::new(), String::new(), 0));
    let sql = format!(
        "select at, kind, id, number, who, deleted, body from revision
         where at <= ?1 and (at < ?1 or kind < ?2 or (kind = ?2 and (id < ?3 or (id = ?3 and number < ?4))))
         order by at desc, kind desc, id desc, number desc limit {limit}"
    );
    let mut out = Vec::new();
    for row in tx.query(&sql, params![at, kind, id, number])? {
        let body: Named = serde_json::from_str(&row.text(6)?).unwrap_or_default();
        out.push(Change {
            at: row.int(0)?,
            kind: row.text(1)?,
            id: row.text(2)?,
            number: row.int(3)?,
            who: row.text(4)?,
            deleted: row.int(5)? != 0,
            application: body.application,
            name: body.name,
        });
    }
    Ok(out)
}

/// What is read of a saved text.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Named {
    application: Option<String>,
    name: Option<String>,
}

/// One saved state of a thing.
pub fn get(tx: &mut Tx, kind: &str, id: &str, number: i64) -> Result<Option<Revision>, StoreError> {
    let sql = "select at, who, deleted, body from revision where kind = ?1 and id = ?2 and number = ?3";
    let Some(row) = tx.query_opt(sql, params![kind, id, number])? else { return Ok(None) };
    let body = serde_json::from_str(&row.text(3)?).unwrap_or(Value::Null);
    Ok(Some(Revision { number, at: row.int(0)?, who: row.text(1)?, deleted: row.int(2)? != 0, body }))
}

/// The things of a kind whose last change was their end, the latest end first: id and last text.
pub fn deleted(tx: &mut Tx, kind: &str) -> Result<Vec<(String, Revision)>, StoreError> {
    let sql = "select id, number, at, who, body from revision r where kind = ?1 and deleted = 1
               and number = (select max(number) from revision where kind = ?1 and id = r.id) order by at desc, id";
    let mut out = Vec::new();
    for row in tx.query(sql, params![kind])? {
        let body = serde_json::from_str(&row.text(4)?).unwrap_or(Value::Null);
        let state = Revision { number: row.int(1)?, at: row.int(2)?, who: row.text(3)?, deleted: true, body };
        out.push((row.text(0)?, state));
    }
    Ok(out)
}
