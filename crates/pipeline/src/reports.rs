//! What a deployment did to its users: one document an execution, kept with it and forgotten with it. Who makes them is in `stages`.

use serde_json::Value;
use store::{StoreError, Tx, params};

use crate::records;

/// Notes that an execution moves traffic: a report of it is wanted when it has ended.
pub fn want(tx: &mut Tx, execution: &str) -> Result<(), StoreError> {
    let sql = "insert into report (execution, body) values (?1, '') on conflict (execution) do nothing";
    tx.execute(sql, params![execution]).map(drop)
}

/// Whether an execution moves traffic, as far as it is known.
pub fn is_wanted(tx: &mut Tx, execution: &str) -> Result<bool, StoreError> {
    Ok(tx.query_opt("select 1 from report where execution = ?1", params![execution])?.is_some())
}

/// Executions that have ended and whose report is not written yet, with when they ended (in milliseconds), a few at a time.
pub fn ended(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = "select report.execution, execution.ended from report join execution on execution.id = report.execution
               where report.body = '' and execution.ended is not null order by execution.ended limit 20";
    tx.query(sql, params![])?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// Keeps the report of an execution that has ended, unless it was forgotten meanwhile.
pub fn keep(tx: &mut Tx, execution: &str, report: &Value) -> Result<(), StoreError> {
    let text = records::json(report);
    tx.execute("update report set body = ?2 where execution = ?1", params![execution, &text])?;
    tx.change("report", execution)
}

/// The report of an execution, once it is written.
pub fn get(tx: &mut Tx, execution: &str) -> Result<Option<Value>, StoreError> {
    let row = tx.query_opt("select body from report where execution = ?1 and body <> ''", params![execution])?;
    Ok(row.map(|row| row.text(0)).transpose()?.and_then(|body| serde_json::from_str(&body).ok()))
}
