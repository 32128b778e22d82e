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

/// Tables of what is kept for a time after the end, and how long.
fn kept_after_the_end(keep: &Keep) -> [(&'static str, i64); 2] {
    [("journal", keep.journal), ("log_line", keep.logs)]
}

fn ended(table: &str) -> String {
    format!(
        "select distinct {table}.execution from {table} join execution on execution.id = {table}.execution where execution.ended < ?1"
    )
}

/// Forgets a little; [`Forgotten::is_full`] tells whether there is more. Executions that have not ended are never touched.
pub fn sweep(tx: &mut Tx, keep: &Keep) -> Result<Forgotten, StoreError> {
    let before = |days: i64, now: i64| now.saturating_sub(days.saturating_mul(DAY));
    let now = tx.now().as_millisecond();
    let mut gone = Forgotten::default();
    let old = tx.query(
        &format!("select id {OLD} limit ?3"),
        params![before(keep.executions, now), keep.of_each_pipeline, PIECE],
    )?;
    for row in &old {
        records::delete(tx, &row.text(0)?)?;
        gone.executions += 1;
    }
    for (table, days) in kept_after_the_end(keep) {
        let found = tx.query(&format!("{} limit ?2", ended(table)), params![before(days, now), PIECE])?;
        for row in &found {
            tx.execute(&format!("delete from {table} where execution = ?1"), params![row.text(0)?])?;
        }
        *(if table == "journal" { &mut gone.journals } else { &mut gone.logs }) = found.len() as u64;
    }
    let keys = "delete from start_key where key in (select key from start_key where at < ?1 limit ?2)";
    gone.start_keys = tx.execute(keys, params![before(keep.start_keys, now), KEYS])?;
    Ok(gone)
}

/// What would be forgotten now.
pub fn due(tx: &mut Tx, keep: &Keep) -> Result<Forgotten, StoreError> {
    let now = tx.now().as_millisecond();
    let before = |days: i64| now.saturating_sub(days.saturating_mul(DAY));
    let after = |table: &str| format!("select count(*) from ({}) as found", ended(table));
    let old = format!("select count(*) {OLD}");
    Ok(Forgotten {
        executions: tx.count(&old, params![before(keep.executions), keep.of_each_pipeline])?,
        journals: tx.count(&after("journal"), params![before(keep.journal)])?,
        logs: tx.count(&after("log_line"), params![before(keep.logs)])?,
        start_keys: tx.count("select count(*) from start_key where at < ?1", params![before(keep.start_keys)])?,
    })
}
