//! Executions in the store: written by the engine, read by everybody.

use std::collections::HashMap;
use std::sync::Arc;

use store::{StoreError, Tx, Value as Sql, params};

use crate::Map;
use crate::model::{Execution, Kind, Stage, Status};

/// One execution, whole.
pub fn get(tx: &mut Tx, id: &str) -> Result<Option<Execution>, StoreError> {
    let Some(row) = tx.query_opt("select body, stages from execution where id = ?1", params![id])? else {
        return Ok(None);
    };
    let mut run: Execution = read(&row.text(0)?, id)?;
    let order: Vec<String> = read(&row.text(1)?, id)?;
    let mut stages: HashMap<String, Arc<Stage>> = HashMap::with_capacity(order.len());
    for row in tx.query("select id, body from stage where execution = ?1", params![id])? {
        stages.insert(row.text(0)?, Arc::new(read(&row.text(1)?, id)?));
    }
    run.stages = order.iter().filter_map(|id| stages.remove(id)).collect();
    Ok(Some(run))
}

fn read<T: serde::de::DeserializeOwned>(text: &str, id: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Panicked { what: format!("execution {id} cannot be read: {e}") })
}

/// Which executions somebody asks for. Newest first.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Runs of pipelines or jobs.
    pub kind: Kind,
    /// Of this application.
    pub application: Option<String>,
    /// Of this saved pipeline.
    pub pipeline: Option<String>,
    /// With one of these; empty: any.
    pub statuses: Vec<Status>,
    /// How many at most; 0: any number (up to 10,000).
    pub limit: usize,
    /// How many of the newest are left out.
    pub skip: usize,
}

/// The ids of the executions that somebody asks for, newest first.
pub fn find(tx: &mut Tx, query: &Query) -> Result<Vec<String>, StoreError> {
    let mut sql = String::from("select id, status from execution where kind = ?1");
    let mut params: Vec<Sql> = vec![kind_text(query.kind).into()];
    if let Some(application) = &query.application {
        params.push(application.as_str().into());
        sql += &format!(" and application = ?{}", params.len());
    }
    if let Some(pipeline) = &query.pipeline {
        params.push(pipeline.as_str().into());
        sql += &format!(" and pipeline = ?{}", params.len());
    }
    if !query.statuses.is_empty() {
        let from = params.len() + 1;
        params.extend(query.statuses.iter().map(|s| Sql::from(s.as_str())));
        let places: Vec<String> = (from..=params.len()).map(|i| format!("?{i}")).collect();
        sql += &format!(" and status in ({})", places.join(", "));
    }
    let limit = if query.limit == 0 { 10_000 } else { query.limit };
    sql += &format!(" order by built desc, id desc limit {limit} offset {}", query.skip);
    tx.query(&sql, &params)?.iter().map(|row| row.text(0)).collect()
}

/// The executions that somebody asks for, whole, newest first.
pub fn list(tx: &mut Tx, query: &Query) -> Result<Vec<Execution>, StoreError> {
    let mut out = Vec::new();
    for id in find(tx, query)? {
        out.extend(get(tx, &id)?);
    }
    Ok(out)
}

/// The pipelines of an application that have run, saved or not.
pub fn pipelines_that_ran(tx: &mut Tx, application: &str) -> Result<Vec<Option<String>>, StoreError> {
    let sql = "select distinct pipeline from execution where application = ?1 and kind = 'PIPELINE'";
    tx.query(sql, params![application])?.iter().map(|row| row.opt_text(0)).collect()
}

/// How far an execution has come.
pub fn status(tx: &mut Tx, id: &str) -> Result<Option<Status>, StoreError> {
    let row = tx.query_opt("select status from execution where id = ?1", params![id])?;
    Ok(row.map(|row| row.text(0)).transpose()?.and_then(|s| Status::parse(&s)))
}

/// Forgets an execution that has ended, with all that belongs to it; tells whether it was there.
pub fn delete(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    for table in ["stage", "message", "journal", "start_key", "log_line"] {
        tx.execute(&format!("delete from {table} where execution = ?1"), params![id])?;
    }
    let gone = tx.execute("delete from execution where id = ?1", params![id])?;
    if gone > 0 {
        tx.change("execution", id)?;
    }
    Ok(gone > 0)
}

/// The live log of a stage (of all stages without one), from a line on: number, stage, time, line.
pub fn log(tx: &mut Tx, id: &str, stage: Option<&str>, after: i64) -> Result<Vec<LogLine>, StoreError> {
    let sql =
        "select number, stage, at, line from log_line where execution = ?1 and number > ?2 order by number limit 5000";
    let mut out = Vec::new();
    for row in tx.query(sql, params![id, after])? {
        let line = LogLine { number: row.int(0)?, stage: row.text(1)?, at: row.int(2)?, line: row.text(3)? };
        if stage.is_none_or(|s| s == line.stage) {
            out.push(line);
        }
    }
    Ok(out)
}

/// A line that a task wrote while it worked.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LogLine {
    /// Grows; ask for those after the last one seen.
    pub number: i64,
    /// The id of the stage.
    pub stage: String,
    /// When, in milliseconds.
    pub at: i64,
    /// The line, without its end.
    pub line: String,
}

/// How many lines the log of an execution keeps.
const MOST_LINES: i64 = 100_000;

/// Adds lines to the logs of executions: execution, stage, line. Past the most that is kept they are dropped.
pub(crate) fn add_lines(tx: &mut Tx, lines: &[(String, String, String)]) -> Result<(), StoreError> {
    let mut last: HashMap<&str, i64> = HashMap::new();
    let now = tx.now();
    for (execution, stage, line) in lines {
        let number = match last.get(execution.as_str()) {
            Some(number) => *number,
            None => {
                let sql = "select coalesce(max(number), 0) from log_line where execution = ?1";
                tx.query_opt(sql, params![execution])?.map_or(Ok(0), |row| row.int(0))?
            }
        };
        let number = number + 1;
        last.insert(execution, number);
        if number > MOST_LINES {
            continue;
        }
        let sql = "insert into log_line (execution, number, stage, at, line) values (?1, ?2, ?3, ?4, ?5)";
        tx.execute(sql, params![execution, number, stage, now, line])?;
    }
    for execution in last.keys() {
        tx.change("log", execution)?;
    }
    Ok(())
}

pub(crate) fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Pipeline => "PIPELINE",
        Kind::Orchestration => "ORCHESTRATION",
    }
}

/// Writes an execution without its stages.
pub(crate) fn put_header(tx: &mut Tx, run: &Execution) -> Result<(), StoreError> {
    let mut bare = run.clone();
    bare.stages = Vec::new();
    let order: Vec<&str> = run.stages.iter().map(|s| s.id.as_str()).collect();
    let (body, order) = (json(&bare), json(&order));
    let built = run.build_time.unwrap_or(0);
    tx.execute(
        "insert into execution (id, kind, application, pipeline, name, status, built, started, ended, body, stages)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         on conflict (id) do update set status = excluded.status, started = excluded.started, ended = excluded.ended,
             body = excluded.body, stages = excluded.stages",
        params![
            &run.id,
            kind_text(run.kind),
            &run.application,
            run.pipeline_config_id.clone(),
            run.name.clone(),
            run.status.as_str(),
            built,
            run.start_time,
            run.end_time,
            body,
            order
        ],
    )?;
    tx.change("execution", &run.id)
}

/// Writes one stage.
pub(crate) fn put_stage(tx: &mut Tx, execution: &str, stage: &Stage) -> Result<(), StoreError> {
    tx.execute(
        "insert into stage (execution, id, body) values (?1, ?2, ?3)
         on conflict (execution, id) do update set body = excluded.body",
        params![execution, &stage.id, json(stage)],
    )?;
    Ok(())
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// The outputs of all stages, later ones over earlier ones: what a parent pipeline's stage gets.
pub fn outputs(run: &Execution) -> Map {
    let mut out = Map::new();
    let mut done: Vec<&Arc<Stage>> = run.stages.iter().collect();
    done.sort_by_key(|s| (s.end_time.unwrap_or(i64::MAX), depth(run, s)));
    for stage in done {
        out.extend(stage.outputs.clone());
    }
    out
}

/// How many stages stand before one, along the longest way.
fn depth(run: &Execution, stage: &Stage) -> usize {
    let mut level = vec![stage.id.clone()];
    let mut depth = 0;
    while !level.is_empty() && depth <= run.stages.len() {
        depth += 1;
        let mut next: Vec<String> = Vec::new();
        for stage in level.iter().filter_map(|id| run.stage(id)) {
            next.extend(run.upstream(stage).map(|s| s.id.clone()));
        }
        next.sort_unstable();
        next.dedup();
        level = next;
    }
    depth
}
