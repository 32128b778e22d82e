//! What people are to be told: which moments of an execution there are to be told of, who asked for it, and what became of each notice. A notice
//! is written in the transaction of its moment, so that none is lost or made up by a crash. Not here: its words and how it is sent (`stages`).
//!
//! Who asks: `notifications` of the pipeline and of its trigger, the document of its application, and for a stage its own `notifications` while
//! `sendNotifications` is on. The names of events are Spinnaker's: `pipeline.starting|complete|failed`, `stage.starting|complete|failed`, and
//! what a stage asks people (`manualJudgment`, `manualJudgmentContinue`, `manualJudgmentStop`).

use std::sync::Arc;

use serde_json::{Value, json};
use store::{Row, StoreError, Tx, params};

use crate::model::{Execution, Kind, Stage, Status, Task};
use crate::{Map, notifications, records};

/// Something that people may want to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Its name, as it stands in `when`.
    pub event: String,
    /// The id of the stage that it is about; none for the execution's own.
    pub stage: Option<String>,
}

/// What happened between two states of an execution, whose `changed` stages are new or different. Jobs tell nobody, and neither does what a
/// person cancelled.
pub fn moments(old: Option<&Execution>, new: &Execution, changed: &[Arc<Stage>]) -> Vec<Moment> {
    if new.kind != Kind::Pipeline {
        return Vec::new();
    }
    let mut moments = Vec::new();
    let is_new = |status: Status| old.is_none_or(|old| old.status != status) && new.status == status;
    let had_started = old.is_some_and(|old| old.start_time.is_some());
    if !had_started && new.start_time.is_some() {
        moments.push(Moment { event: "pipeline.starting".into(), stage: None });
    }
    for stage in changed.iter().filter(|stage| stage.synthetic_stage_owner.is_none()) {
        let was = old.and_then(|old| old.stage(&stage.id));
        let told = of_stage(was.map(AsRef::as_ref), stage);
        moments.extend(told.into_iter().map(|event| Moment { event, stage: Some(stage.id.clone()) }));
    }
    if is_new(Status::Succeeded) {
        moments.push(Moment { event: "pipeline.complete".into(), stage: None });
    } else if is_new(Status::Terminal) || is_new(Status::Stopped) {
        moments.push(Moment { event: "pipeline.failed".into(), stage: None });
    }
    moments
}

/// What an event is called when the answer was not to go on.
const STOP: &str = "Stop";

fn of_stage(old: Option<&Stage>, new: &Stage) -> Vec<String> {
    let mut events = Vec::new();
    if new.start_time.is_some() && old.is_none_or(|old| old.start_time.is_none()) && new.status != Status::Skipped {
        events.push("stage.starting".to_owned());
    }
    for task in &new.tasks {
        let answered = of_task(old.and_then(|old| old.task(&task.id)), task);
        // One that failed by itself, by its time limit mostly, was not answered.
        events.extend(answered.filter(|event| !event.ends_with(STOP) || !new.context.contains_key("exception")));
    }
    let ended = old.is_none_or(|old| !old.status.is_complete());
    match new.status {
        Status::Succeeded if ended => events.push("stage.complete".into()),
        Status::Terminal | Status::Stopped | Status::FailedContinue if ended => events.push("stage.failed".into()),
        _ => {}
    }
    events
}

/// What a task asks people, and how they answered.
fn of_task(old: Option<&Task>, new: &Task) -> Option<String> {
    let asked =
        |task: Option<&Task>| task.and_then(|task| task.waiting.as_ref()).and_then(|waiting| waiting.asks.clone());
    match (asked(old), asked(Some(new))) {
        (None, Some(event)) => Some(event),
        (Some(event), None) if new.status == Status::Succeeded => Some(format!("{event}Continue")),
        (Some(event), None) if new.status.is_complete() && new.status != Status::Canceled => {
            Some(format!("{event}{STOP}"))
        }
        _ => None,
    }
}

/// Writes who is to be told of these moments of an execution.
pub fn write(tx: &mut Tx, run: &Execution, moments: &[Moment]) -> Result<(), StoreError> {
    let mut application: Option<Option<Map>> = None;
    let mut any = false;
    for moment in moments {
        let wanted = match moment.stage.as_deref() {
            Some(stage) => run.stage(stage).map(|stage| asked_by_stage(stage, &moment.event)).unwrap_or_default(),
            None => {
                if application.is_none() {
                    application = Some(notifications::get(tx, "application", &run.application)?);
                }
                asked_by_run(run, application.iter().flatten().next(), &moment.event)
            }
        };
        for config in wanted {
            insert(tx, run, moment, &config)?;
            any = true;
        }
    }
    if any { tx.change("notice", &run.id) } else { Ok(()) }
}

fn insert(tx: &mut Tx, run: &Execution, moment: &Moment, config: &Map) -> Result<(), StoreError> {
    let (id, now) = (tx.ulid(), tx.now().as_millisecond());
    let kind = config.get("type").and_then(Value::as_str).unwrap_or_default();
    let stage = moment.stage.clone().unwrap_or_default();
    tx.execute(
        "insert into notice (id, execution, stage, event, kind, config, at, due, attempts, error)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, 0, '')",
        params![id, &run.id, stage, &moment.event, kind, records::json(config), now],
    )?;
    Ok(())
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Map> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn is_for(config: &Map, event: &str) -> bool {
    config.get("when").and_then(Value::as_array).is_some_and(|when| when.iter().any(|one| one == event))
}

/// Two with the same kind and address are one: what stands with the pipeline is stronger than what stands with the application.
fn is_same(one: &Map, other: &Map) -> bool {
    one.get("type") == other.get("type") && one.get("address") == other.get("address")
}

fn asked_by_stage(stage: &Stage, event: &str) -> Vec<Map> {
    // A judgment without an answer tells whoever is named, unless it was switched off; everything else has to be switched on.
    let on = match stage.flag("sendNotifications") {
        Some(on) => on,
        None => !event.starts_with("stage."),
    };
    distinct(list(stage.context.get("notifications")).filter(|one| on && is_for(one, event)).cloned())
}

fn asked_by_run(run: &Execution, application: Option<&Map>, event: &str) -> Vec<Map> {
    let by_trigger = list(run.trigger.0.get("notifications"));
    if run.trigger.0.get("dryRun") == Some(&Value::Bool(true)) {
        // Nothing happens in a dry run; whoever starts it may still want to know.
        return distinct(by_trigger.filter(|one| is_for(one, event)).cloned());
    }
    let own: Vec<&Map> = by_trigger.chain(run.notifications.iter().filter_map(Value::as_object)).collect();
    let general = application.into_iter().flat_map(of_application);
    let general: Vec<Map> = general.filter(|one| !own.iter().any(|own| is_same(own, one))).collect();
    distinct(own.into_iter().cloned().chain(general).filter(|one| is_for(one, event)))
}

/// `{application, email: [{address, when}], slack: […]}`: the kind is the key of the list.
fn of_application(document: &Map) -> impl Iterator<Item = Map> {
    let lists = document.iter().filter(|(_, value)| value.is_array());
    lists.flat_map(|(kind, value)| {
        list(Some(value)).cloned().map(move |mut one| {
            one.entry("type").or_insert_with(|| json!(kind));
            one
        })
    })
}

fn distinct(all: impl Iterator<Item = Map>) -> Vec<Map> {
    let mut out: Vec<Map> = Vec::new();
    for one in all {
        if !out.iter().any(|known| is_same(known, &one)) {
            out.push(one);
        }
    }
    out
}

/// A notice and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// ULID.
    pub id: String,
    /// The execution that it is about.
    pub execution: String,
    /// The id of the stage that it is about; empty for the execution.
    pub stage: String,
    /// What happened.
    pub event: String,
    /// By what it goes: `email`, `slack` …
    pub kind: String,
    /// The notification as it was asked for.
    pub config: Map,
    /// When it happened, in milliseconds.
    pub at: i64,
    /// When it is tried (again), in milliseconds; none when nothing is left to do.
    pub due: Option<i64>,
    /// How often it was tried.
    pub attempts: i64,
    /// Why the latest try failed; empty when it did not.
    pub error: String,
}

impl Notice {
    /// Whether it was given up.
    pub fn has_failed(&self) -> bool {
        self.due.is_none() && !self.error.is_empty()
    }
}

const COLUMNS: &str = "id, execution, stage, event, kind, config, at, due, attempts, error";

fn of_row(row: &Row) -> Result<Notice, StoreError> {
    Ok(Notice {
        id: row.text(0)?,
        execution: row.text(1)?,
        stage: row.text(2)?,
        event: row.text(3)?,
        kind: row.text(4)?,
        config: serde_json::from_str(&row.text(5)?).unwrap_or_default(),
        at: row.int(6)?,
        due: row.opt_int(7)?,
        attempts: row.int(8)?,
        error: row.text(9)?,
    })
}

/// The notices of an execution, in the order in which they were written.
pub fn of_execution(tx: &mut Tx, execution: &str) -> Result<Vec<Notice>, StoreError> {
    let sql = format!("select {COLUMNS} from notice where execution = ?1 order by id");
    tx.query(&sql, params![execution])?.iter().map(of_row).collect()
}

/// Where a list of those that failed goes on: when it happened, and its id.
pub type Behind = (i64, String);

/// Those that were given up, the newest first, behind one of them.
pub fn failed(tx: &mut Tx, behind: Option<&Behind>, limit: usize) -> Result<Vec<Notice>, StoreError> {
    let (at, id) = behind.map_or((i64::MAX, "~"), |(at, id)| (*at, id.as_str()));
    let sql = format!(
        "select {COLUMNS} from notice where due is null and error <> '' and at <= ?1 and (at < ?1 or id < ?2)
         order by at desc, id desc limit {limit}"
    );
    tx.query(&sql, params![at, id])?.iter().map(of_row).collect()
}

/// Takes those that are due, a few at a time, and books their next try, so that a crash in between is another try and no loss.
pub fn take_due(tx: &mut Tx, lease_ms: i64, limit: usize) -> Result<Vec<Notice>, StoreError> {
    let now = tx.now().as_millisecond();
    let sql = format!("select {COLUMNS} from notice where due <= ?1 order by due, id limit {limit}");
    let due: Vec<Notice> = tx.query(&sql, params![now])?.iter().map(of_row).collect::<Result<_, _>>()?;
    for notice in &due {
        let sql = "update notice set due = ?2, attempts = attempts + 1 where id = ?1";
        tx.execute(sql, params![&notice.id, now.saturating_add(lease_ms)])?;
    }
    Ok(due.into_iter().map(|notice| Notice { attempts: notice.attempts + 1, ..notice }).collect())
}

/// When the next one is due, in milliseconds.
pub fn next_due(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    let row = tx.query_opt("select min(due) from notice where due is not null", params![])?;
    row.map_or(Ok(None), |row| row.opt_int(0))
}

/// Notes how a try ended: well, or with an error and when it is tried again (none: it is given up).
pub fn tried(tx: &mut Tx, notice: &Notice, error: &str, again: Option<i64>) -> Result<(), StoreError> {
    tx.execute("update notice set due = ?2, error = ?3 where id = ?1", params![&notice.id, again, error])?;
    tx.change("notice", &notice.execution)
}

#[cfg(test)]
mod tests;
