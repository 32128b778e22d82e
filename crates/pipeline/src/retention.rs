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

/// What went, or would go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Executions, with everything of theirs.
    pub executions: u64,
    /// Executions whose journal went.
    pub journals: u64,
    /// Executions whose live logs went.
    pub logs: u64,
    /// Keys of starts.
    pub start_keys: u64,
}

impl Forgotten {
    /// Adds what another transaction forgot.
    pub fn add(&mut self, more: &Forgotten) {
        self.executions += more.executions;
        self.journals += more.journals;
        self.logs += more.logs;
        self.start_keys += more.start_keys;
    }

    /// Whether there may be more to forget.
    pub fn is_full(&self) -> bool {
        [self.executions, self.journals, self.logs].into_iter().any(|found| found >= PIECE.unsigned_abs())
            || self.start_keys >= KEYS.unsigned_abs()
    }
}

/// How many executions one transaction looks at.
const PIECE: i64 = 50;
/// How many keys one transaction forgets.
const KEYS: i64 = 500;
const DAY: i64 = 86_400_000;

/// Executions past their time. One that never started has no end; how long it is there counts from when it was made.
const OLD: &str = "from (select id, coalesce(ended, built) as over, built, row_number() over
        (partition by application, pipeline, kind order by built desc, id desc) as place from execution
        where status not in ('NOT_STARTED', 'RUNNING', 'PAUSED')) as ranked
    where over < ?1 and built < ?1 and place > ?2
        and not exists (select 1 from message where message.execution = ranked.id)";

/// The moment before which lies what was kept for so many days.
fn before(tx: &Tx, days: i64) -> i64 {
    tx.now().as_millisecond().saturating_sub(days.saturating_mul(DAY))
}

/// Executions that ended before a moment and have rows in a table.
fn ended(table: &str) -> String {
    format!(
        "select distinct {table}.execution from {table} join execution on execution.id = {table}.execution where execution.ended < ?1"
    )
}

/// Forgets the rows in a table of a few executions that ended before a moment; tells of how many.
fn forget_ended(tx: &mut Tx, table: &str, before: i64) -> Result<u64, StoreError> {
    let found = tx.query(&format!("{} limit ?2", ended(table)), params![before, PIECE])?;
    for row in &found {
        tx.execute(&format!("delete from {table} where execution = ?1"), params![row.text(0)?])?;
    }
    Ok(found.len() as u64)
}

/// Forgets a little; [`Forgotten::is_full`] tells whether there is more. Executions that have not ended are never touched.
pub fn sweep(tx: &mut Tx, keep: &Keep) -> Result<Forgotten, StoreError> {
    let old = params![before(tx, keep.executions), keep.of_each_pipeline, PIECE];
    let old = tx.query(&format!("select id {OLD} limit ?3"), old)?;
    for row in &old {
        records::delete(tx, &row.text(0)?)?;
    }
    let keys = "delete from start_key where key in (select key from start_key where at < ?1 limit ?2)";
    Ok(Forgotten {
        executions: old.len() as u64,
        journals: forget_ended(tx, "journal", before(tx, keep.journal))?,
        logs: forget_ended(tx, "log_line", before(tx, keep.logs))?,
        start_keys: tx.execute(keys, params![before(tx, keep.start_keys), KEYS])?,
    })
}

/// What would be forgotten now.
pub fn due(tx: &mut Tx, keep: &Keep) -> Result<Forgotten, StoreError> {
    let after = |table: &str| format!("select count(*) from ({}) as found", ended(table));
    let old = params![before(tx, keep.executions), keep.of_each_pipeline];
    Ok(Forgotten {
        executions: tx.count(&format!("select count(*) {OLD}"), old)?,
        journals: tx.count(&after("journal"), params![before(tx, keep.journal)])?,
        logs: tx.count(&after("log_line"), params![before(tx, keep.logs)])?,
        start_keys: tx.count("select count(*) from start_key where at < ?1", params![before(tx, keep.start_keys)])?,
    })
}
