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
