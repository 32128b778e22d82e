//! The change table: what became different, in the order of the commits. The live stream of the page reads it.

use jiff::Timestamp;

use crate::{StoreError, Tx, params};

/// One row: something about `key` of `topic` is different since `at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Grows with every change; the id of a server-sent event.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What kind of thing, as `execution`.
    pub topic: String,
    /// Which one.
    pub key: String,
}

/// The changes after number `seq`, oldest first, at most `limit`.
pub fn after(tx: &mut Tx<'_>, seq: i64, limit: u32) -> Result<Vec<Change>, StoreError> {
    let sql = "select seq, at, topic, key from change where seq > ?1 order by seq limit ?2";
    tx.query(sql, params![seq, limit])?
        .iter()
        .map(|row| Ok(Change { seq: row.int(0)?, at: row.time(1)?, topic: row.text(2)?, key: row.text(3)? }))
        .collect()
}

/// The number of the oldest change that is still kept; 0 when there is none.
pub fn oldest(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let row = tx.query_opt("select coalesce(min(seq), 0) from change", &[])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// Forgets at most `limit` changes from before `before` and tells how many. The newest stays, because numbers go on from it.
pub fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let sql = "delete from change where seq in (select seq from change where at < ?1
                   and seq < (select max(seq) from change) order by seq limit ?2)";
    tx.execute(sql, params![before, limit])
}

/// How many changes [`sweep`] would forget in all.
pub fn sweepable(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.count("select count(*) from change where at < ?1 and seq < (select max(seq) from change)", params![before])
}
