//! What is forgotten after a while, in small transactions: old executions, their journals, their logs.

use store::{StoreError, Tx, params};

use crate::records;

/// How long things are kept.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// Executions that have ended, in days.
    pub executions: i64,
    /// So many of a pipeline are kept however old they are.
    pub of_each_pipeline: i64,
    /// The journal of an execution that has ended, in days.
    pub journal: i64,
    /// The live logs of an execution that has ended, in days.
    pub logs: i64,
    /// The keys that make a repeated start harmless, in days.
    pub start_keys: i64,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep { executions: 90, of_each_pipeline: 30, journal: 7, logs: 30, start_keys: 30 }
    }
}

/// How many executions one transaction looks at.
const PIECE: i64 = 50;
const DAY: i64 = 86_400_000;

/// Forgets a little; tells whether there is more. Executions that have not ended are never touched.
pub fn sweep(tx: &mut Tx, keep: &Keep) -> Result<bool, StoreError> {
    let now = tx.now().as_millisecond();
    let before = |days: i64| now.saturating_sub(days.saturating_mul(DAY));
    let mut found = 0;
    let old = "select id from (select id, ended, row_number() over (partition by application, pipeline, kind
                   order by built desc, id desc) as place from execution
                   where status not in ('NOT_STARTED', 'RUNNING', 'PAUSED')) as ranked
               where coalesce(ended, 0) < ?1 and place > ?2 and not exists
                   (select 1 from message where message.execution = ranked.id) limit ?3";
    let built = "select id from execution where id = ?1 and built < ?2";
    for row in tx.query(old, params![before(keep.executions), keep.of_each_pipeline, PIECE])? {
        let id = row.text(0)?;
        // One that never started has no end; how long it is there counts from when it was made.
        if tx.query_opt(built, params![&id, before(keep.executions)])?.is_some() {
            records::delete(tx, &id)?;
            found += 1;
        }
    }
    for (table, days) in [("journal", keep.journal), ("log_line", keep.logs)] {
        let ended = format!(
            "select distinct {table}.execution from {table} join execution on execution.id = {table}.execution
             where execution.ended < ?1 limit ?2"
        );
        for row in tx.query(&ended, params![before(days), PIECE])? {
            found += 1;
            tx.execute(&format!("delete from {table} where execution = ?1"), params![row.text(0)?])?;
        }
    }
    tx.execute("delete from start_key where at < ?1", params![before(keep.start_keys)])?;
    Ok(found >= PIECE)
}
