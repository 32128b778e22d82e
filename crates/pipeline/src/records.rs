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
    /// Only those that come behind this one.
    pub behind: Option<Place>,
}

/// Where an execution stands in a list of the newest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// When it was built, in milliseconds since 1970.
    pub built: i64,
    /// Its id; empty comes behind none of that moment.
    pub id: String,
}

/// The ids of the executions that somebody asks for, newest first.
pub fn find(tx: &mut Tx, query: &Query) -> Result<Vec<String>, StoreError> {
    let mut sql = String::from("select id, status from execution where kind = ?1");
    let mut params: Vec<Sql> = vec![kind_text(query.kind).into()];
    if let Some(application) = &query.application {
        params.push(crate::applications::folded(application).into());
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
    if let Some(Place { built, id }) = &query.behind {
        params.push((*built).into());
        params.push(id.as_str().into());
        let at = params.len() - 1;
        sql += &format!(" and built <= ?{at} and (built < ?{at} or id < ?{})", at + 1);
    }
    let limit = if query.limit == 0 { 10_000 } else { query.limit };
    sql += &format!(" order by built desc, id desc limit {limit} offset {}", query.skip);
    tx.query(&sql, &params)?.iter().map(|row| row.text(0)).collect()
}

/// Whether a job of an application was at work at that moment, in milliseconds since 1970.
pub fn has_task(tx: &mut Tx, application: &str, at: i64) -> Result<bool, StoreError> {
    let sql = "select 1 from execution where application = ?1 and kind = ?2 and built <= ?3 and coalesce(ended, ?3) >= ?3 limit 1";
    Ok(tx.query_opt(sql, params![application, kind_text(Kind::Orchestration), at])?.is_some())
}

/// How much of an execution is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// All of it.
    Whole,
    /// Its stages without their data: of the context only `group`, no outputs, no tasks.
    Brief,
    /// No stages.
    Header,
}

/// How many executions are read by one statement.
const PIECE: usize = 100;

/// Executions by their ids, in that order; those that are not there are left out.
pub fn read_all(tx: &mut Tx, ids: &[String], detail: Detail) -> Result<Vec<Execution>, StoreError> {
    let mut out = Vec::with_capacity(ids.len());
    for piece in ids.chunks(PIECE) {
        let params: Vec<Sql> = piece.iter().map(|id| Sql::from(id.as_str())).collect();
        let places: Vec<String> = (1..=params.len()).map(|i| format!("?{i}")).collect();
        let places = places.join(", ");
        let mut found: HashMap<String, (Execution, Vec<String>)> = HashMap::with_capacity(piece.len());
        let sql = format!("select id, body, stages from execution where id in ({places})");
        for row in tx.query(&sql, &params)? {
            let id = row.text(0)?;
            let order = if detail == Detail::Header { Vec::new() } else { read(&row.text(2)?, &id)? };
            found.insert(id.clone(), (read(&row.text(1)?, &id)?, order));
        }
        let mut stages: HashMap<String, Arc<Stage>> = HashMap::new();
        if detail != Detail::Header {
            let sql = format!("select id, body, execution from stage where execution in ({places})");
            for row in tx.query(&sql, &params)? {
                let (body, execution) = (row.text(1)?, row.text(2)?);
                let stage = match detail {
                    Detail::Whole => read::<Stage>(&body, &execution)?,
                    _ => read::<BriefStage>(&body, &execution)?.into(),
                };
                stages.insert(row.text(0)?, Arc::new(stage));
            }
        }
        for id in piece {
            let Some((mut run, order)) = found.remove(id) else { continue };
            run.stages = order.iter().filter_map(|id| stages.remove(id)).collect();
            out.push(run);
        }
    }
    Ok(out)
}

/// A stage as lists show it; what is not named is not even kept while it is read.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct BriefStage {
    id: String,
    ref_id: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    start_time_expiry: Option<i64>,
    status: Status,
    context: BriefContext,
    synthetic_stage_owner: Option<crate::model::Owner>,
    parent_stage_id: Option<String>,
    requisite_stage_ref_ids: Vec<String>,
    scheduled_time: Option<i64>,
    last_modified: Option<serde_json::Value>,
    waiting: Option<crate::model::Waiting>,
}

#[derive(serde::Deserialize, Default)]
struct BriefContext {
    group: Option<serde_json::Value>,
}

impl From<BriefStage> for Stage {
    fn from(brief: BriefStage) -> Stage {
        Stage {
            id: brief.id,
            ref_id: brief.ref_id,
            kind: brief.kind,
            name: brief.name,
            start_time: brief.start_time,
            end_time: brief.end_time,
            start_time_expiry: brief.start_time_expiry,
            status: brief.status,
            context: brief.context.group.map(|group| ("group".to_owned(), group)).into_iter().collect(),
            synthetic_stage_owner: brief.synthetic_stage_owner,
            parent_stage_id: brief.parent_stage_id,
            requisite_stage_ref_ids: brief.requisite_stage_ref_ids,
            scheduled_time: brief.scheduled_time,
            last_modified: brief.last_modified,
            waiting: brief.waiting,
            ..Stage::default()
        }
    }
}

/// The executions that somebody asks for, whole, newest first.
pub fn list(tx: &mut Tx, query: &Query) -> Result<Vec<Execution>, StoreError> {
    let ids = find(tx, query)?;
    read_all(tx, &ids, Detail::Whole)
}

/// Which of an application's pipelines' executions are listed.
#[derive(Debug, Clone, Default)]
pub struct Newest {
    /// The application.
    pub application: String,
    /// With one of these; empty: any.
    pub statuses: Vec<Status>,
    /// The newest so many of each pipeline.
    pub limit: usize,
    /// Only of pipelines whose name holds this text, in small letters.
    pub name: String,
    /// Of so many pipelines at most.
    pub pipelines: Option<usize>,
}

/// The ids of the newest executions of each pipeline of an application, saved or not, newest first. However many there are, only those that are
/// answered are read: each step is one look into an index.
pub fn newest_of_each(tx: &mut Tx, wanted: &Newest) -> Result<Vec<String>, StoreError> {
    let application = crate::applications::folded(&wanted.application);
    let statuses: Vec<Option<Status>> =
        if wanted.statuses.is_empty() { vec![None] } else { wanted.statuses.iter().copied().map(Some).collect() };
    let mut of_each: std::collections::BTreeMap<Option<String>, Vec<(i64, String)>> = Default::default();
    for status in statuses {
        for pipeline in pipelines_that_ran(tx, &application, status)? {
            let found = newest(tx, &application, pipeline.as_deref(), status, wanted)?;
            of_each.entry(pipeline).or_default().extend(found);
        }
    }
    let mut all = Vec::new();
    let most = wanted.pipelines.unwrap_or(usize::MAX);
    for mut runs in of_each.into_values().filter(|runs| !runs.is_empty()).take(most) {
        runs.sort_unstable_by(|a, b| b.cmp(a));
        runs.truncate(wanted.limit);
        all.extend(runs);
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    Ok(all.into_iter().map(|(_, id)| id).collect())
}

/// When they were made and the ids of one pipeline's newest executions.
fn newest(
    tx: &mut Tx,
    application: &str,
    pipeline: Option<&str>,
    status: Option<Status>,
    wanted: &Newest,
) -> Result<Vec<(i64, String)>, StoreError> {
    let mut sql = String::from("select built, id from execution where application = ?1 and kind = 'PIPELINE'");
    let mut params: Vec<Sql> = vec![application.into()];
    match pipeline {
        Some(pipeline) => {
            params.push(pipeline.into());
            sql += " and pipeline = ?2";
        }
        None => sql += " and pipeline is null",
    }
    if let Some(status) = status {
        params.push(status.as_str().into());
        sql += &format!(" and status = ?{}", params.len());
    }
    if !wanted.name.is_empty() {
        let text = wanted.name.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        params.push(format!("%{text}%").into());
        sql += &format!(" and lower(name) like ?{} escape '\\'", params.len());
    }
    sql += &format!(" order by built desc, id desc limit {}", wanted.limit);
    tx.query(&sql, &params)?.iter().map(|row| Ok((row.int(0)?, row.text(1)?))).collect()
}

/// The pipelines of an application that have run (and have a run of this status): from one to the next by the index, not over all their runs.
fn pipelines_that_ran(
    tx: &mut Tx,
    application: &str,
    status: Option<Status>,
) -> Result<Vec<Option<String>>, StoreError> {
    let mut params: Vec<Sql> = vec![application.into()];
    let mut from = String::from("from execution where application = ?1 and kind = 'PIPELINE'");
    if let Some(status) = status {
        params.push(status.as_str().into());
        from += " and status = ?2";
    }
    let mut out = Vec::new();
    if tx.query_opt(&format!("select id {from} and pipeline is null limit 1"), &params)?.is_some() {
        out.push(None);
    }
    let place = params.len() + 1;
    params.push("".into());
    let mut sql = format!("select pipeline {from} and pipeline >= ?{place} order by pipeline limit 1");
    while let Some(row) = tx.query_opt(&sql, &params)? {
        let pipeline = row.text(0)?;
        params[place - 1] = pipeline.as_str().into();
        out.push(Some(pipeline));
        sql = format!("select pipeline {from} and pipeline > ?{place} order by pipeline limit 1");
    }
    Ok(out)
}

/// How far an execution has come.
pub fn status(tx: &mut Tx, id: &str) -> Result<Option<Status>, StoreError> {
    let row = tx.query_opt("select status from execution where id = ?1", params![id])?;
    Ok(row.map(|row| row.text(0)).transpose()?.and_then(|s| Status::parse(&s)))
}

/// Forgets an execution that has ended, with all that belongs to it; tells whether it was there.
pub fn delete(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    for table in ["stage", "message", "journal", "start_key", "log_line", "report", "notice"] {
        tx.execute(&format!("delete from {table} where execution = ?1"), params![id])?;
    }
    let gone = tx.execute("delete from execution where id = ?1", params![id])?;
    if gone > 0 {
        tx.change("execution", id)?;
    }
    Ok(gone > 0)
}

const RUNNING: &str = "execution.status in ('NOT_STARTED', 'RUNNING', 'PAUSED', 'SUSPENDED')";

/// Everything that executions say that have not ended: their bodies, and those of their stages.
pub fn texts_of_running(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let own = format!("select body from execution where {RUNNING}");
    let stages =
        format!("select stage.body from execution join stage on stage.execution = execution.id where {RUNNING}");
    let mut found = Vec::new();
    for sql in [own, stages] {
        for row in tx.query(&sql, &[])? {
            found.push(row.text(0)?);
        }
    }
    Ok(found)
}

/// Whether an execution that has not ended names one of these texts, in its trigger or in a stage.
pub fn is_named_by_running(tx: &mut Tx, texts: &[&str]) -> Result<bool, StoreError> {
    for text in texts {
        let pattern = format!("%{text}%");
        let own = format!("select 1 from execution where {RUNNING} and body like ?1 limit 1");
        let stage = format!(
            "select 1 from execution join stage on stage.execution = execution.id where {RUNNING} and stage.body like ?1 limit 1"
        );
        for sql in [own, stage] {
            if tx.query_opt(&sql, params![&pattern])?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
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

/// Writes an execution without its stages, and their order.
pub(crate) fn put_header(tx: &mut Tx, run: &Execution, order: &[String]) -> Result<(), StoreError> {
    let (body, order) = (json(run), json(&order));
    let built = run.build_time.unwrap_or(0);
    tx.execute(
        "insert into execution (id, kind, application, pipeline, name, status, built, started, ended, body, stages)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         on conflict (id) do update set status = excluded.status, started = excluded.started, ended = excluded.ended,
             body = excluded.body, stages = excluded.stages",
        params![
            &run.id,
            kind_text(run.kind),
            crate::applications::folded(&run.application),
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
