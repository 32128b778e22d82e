//! An execution in memory: its state, and what is due for it when.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;
use store::{StoreError, Tx, params};

use super::effects::{FOLLOW, follow_later};
use super::meter::Over;
use crate::decide::{Message, Timer};
use crate::model::{Execution, Kind, Stage};
use crate::notices::{self, Moment};
use crate::{pipelines, records};

/// A message for later.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// In milliseconds.
    pub due: i64,
    /// What is due.
    pub message: Message,
}

/// What was fetched for expressions.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// All saved pipelines, in brief.
    pub pipelines: Option<Vec<Value>>,
    /// All applications.
    pub applications: Option<Vec<Value>>,
    /// Texts by their address, or why there is none.
    pub fetched: HashMap<String, Result<String, String>>,
}

impl Found {
    /// Adds what was found since.
    pub fn take(&mut self, other: Found) {
        self.pipelines = other.pipelines.or(self.pipelines.take());
        self.applications = other.applications.or(self.applications.take());
        self.fetched.extend(other.fetched);
    }
}

/// An execution in memory. A copy is cheap: stages are shared.
#[derive(Debug, Clone)]
pub struct Live {
    /// Its state.
    pub run: Execution,
    /// What is due for it, by key.
    pub pending: BTreeMap<String, Pending>,
    /// What its expressions asked for so far.
    pub found: Arc<Found>,
}

impl Live {
    /// One of which nothing is due.
    pub fn new(run: Execution) -> Live {
        Live { run, pending: BTreeMap::new(), found: Arc::default() }
    }

    /// What a cut-off transition left is due at once.
    pub fn later(&mut self, rest: Vec<Message>, now: i64) {
        for (i, message) in rest.into_iter().enumerate() {
            self.pending.insert(format!("rest:{i:06}"), Pending { due: now, message });
        }
    }

    /// Whether nothing of it can move by itself any more.
    pub fn is_over(&self) -> bool {
        self.run.status.is_complete() && self.pending.is_empty()
    }

    /// Sets or clears a timer.
    pub fn apply(&mut self, timer: Timer) {
        match timer {
            Timer::Set { key, due, message } => {
                self.pending.insert(key, Pending { due, message });
            }
            Timer::Clear { key } => {
                self.pending.remove(&key);
            }
        }
    }
}

/// Reads one execution with its messages.
pub(super) fn load(tx: &mut Tx, id: &str) -> Result<Option<Live>, StoreError> {
    let Some(run) = records::get(tx, id)? else { return Ok(None) };
    let mut pending = BTreeMap::new();
    for row in tx.query("select key, due, body from message where execution = ?1", params![id])? {
        let body = row.text(2)?;
        // A message that a newer version wrote differently: recovery finds its task all the same.
        let Ok(message) = serde_json::from_str(&body) else { continue };
        pending.insert(row.text(0)?, Pending { due: row.int(1)?, message });
    }
    Ok(Some(Live { run, pending, found: Arc::default() }))
}

/// What of an execution is different now, as rows.
#[derive(Debug)]
pub struct Rows {
    /// The execution without its stages, and their ids in order; none when nothing of it changed.
    pub header: Option<(Execution, Vec<String>)>,
    /// The execution's id.
    pub id: String,
    /// New and changed ones.
    pub stages: Vec<Arc<Stage>>,
    /// Ids of those that are gone.
    pub gone_stages: Vec<String>,
    /// New and changed ones, by key.
    pub messages: Vec<(String, Pending)>,
    /// Keys of those that are gone.
    pub gone_messages: Vec<String>,
    journal: Vec<String>,
    /// The saved pipeline that has ended with it: others may follow it.
    ended: Option<String>,
    /// What people may want to be told of, with the execution as it was then.
    moments: Option<(Execution, Vec<Moment>)>,
    /// What of it has ended.
    pub(super) over: Over,
}

impl Rows {
    /// All of a new execution.
    pub fn of_new(live: &Live, ended: bool) -> Rows {
        Rows {
            header: Some((live.run.header(), order(&live.run))),
            id: live.run.id.clone(),
            stages: live.run.stages.clone(),
            gone_stages: Vec::new(),
            messages: live.pending.iter().map(|(k, p)| (k.clone(), p.clone())).collect(),
            gone_messages: Vec::new(),
            journal: Vec::new(),
            ended: follows(&live.run, ended),
            moments: moments(None, &live.run, &live.run.stages),
            over: over(&live.run, live.run.stages.iter(), live.run.status.is_complete()),
        }
    }

    /// The difference between two states of one execution. `ended`: it has ended in between.
    pub fn between(old: &Live, new: &Live, journal: Vec<String>, ended: bool) -> Rows {
        let was: HashMap<&str, &Arc<Stage>> = old.run.stages.iter().map(|s| (s.id.as_str(), s)).collect();
        let is: std::collections::HashSet<&str> = new.run.stages.iter().map(|s| s.id.as_str()).collect();
        let fresh = |s: &&Arc<Stage>| was.get(s.id.as_str()).is_none_or(|w| !Arc::ptr_eq(w, s) && ***w != ***s);
        let stages: Vec<_> = new.run.stages.iter().filter(fresh).cloned().collect();
        let went_on = stages.iter().filter(|s| was.get(s.id.as_str()).is_none_or(|w| !w.status.is_complete()));
        let over = over(&new.run, went_on, ended);
        let gone: Vec<_> = was.keys().filter(|id| !is.contains(*id)).map(|id| (*id).to_owned()).collect();
        let same_order = old.run.stages.len() == new.run.stages.len()
            && old.run.stages.iter().zip(&new.run.stages).all(|(a, b)| a.id == b.id);
        // Readers are told of each change by the header's row, so it is written whenever anything changed.
        let changed = !same_order || !stages.is_empty() || !old.run.is_same_but_for_stages(&new.run);
        let moments = moments(Some(&old.run), &new.run, &stages);
        let messages =
            new.pending.iter().filter(|(k, p)| old.pending.get(*k) != Some(p)).map(|(k, p)| (k.clone(), p.clone()));
        Rows {
            header: changed.then(|| (new.run.header(), order(&new.run))),
            id: new.run.id.clone(),
            stages,
            gone_stages: gone,
            messages: messages.collect(),
            gone_messages: old.pending.keys().filter(|k| !new.pending.contains_key(*k)).cloned().collect(),
            journal,
            ended: follows(&new.run, ended),
            moments,
            over,
        }
    }

    /// Writes them. Answers the execution when it has ended and others follow it: then a message stands for their start.
    pub fn write(&self, tx: &mut Tx) -> Result<Option<String>, StoreError> {
        for id in &self.gone_stages {
            tx.execute("delete from stage where execution = ?1 and id = ?2", params![&self.id, id])?;
        }
        for stage in &self.stages {
            records::put_stage(tx, &self.id, stage)?;
        }
        if let Some((run, order)) = &self.header {
            records::put_header(tx, run, order)?;
        }
        for key in &self.gone_messages {
            tx.execute("delete from message where execution = ?1 and key = ?2", params![&self.id, key])?;
        }
        for (key, pending) in &self.messages {
            self.put_message(tx, key, pending)?;
        }
        self.note(tx)?;
        if let Some((run, moments)) = &self.moments {
            notices::write(tx, run, moments)?;
        }
        match &self.ended {
            Some(pipeline) if pipelines::is_followed(tx, pipeline)? => {
                self.put_message(tx, FOLLOW, &follow_later())?;
                Ok(Some(self.id.clone()))
            }
            _ => Ok(None),
        }
    }

    fn put_message(&self, tx: &mut Tx, key: &str, pending: &Pending) -> Result<(), StoreError> {
        tx.execute(
            "insert into message (execution, key, due, body) values (?1, ?2, ?3, ?4)
             on conflict (execution, key) do update set due = excluded.due, body = excluded.body",
            params![&self.id, key, pending.due, records::json(&pending.message)],
        )?;
        Ok(())
    }

    /// What it was told.
    fn note(&self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.journal.is_empty() {
            return Ok(());
        }
        let sql = "select coalesce(max(number), 0) from journal where execution = ?1";
        let mut number = tx.query_opt(sql, params![&self.id])?.map_or(Ok(0), |row| row.int(0))?;
        let now = tx.now();
        for body in &self.journal {
            number += 1;
            let sql = "insert into journal (execution, number, at, body) values (?1, ?2, ?3, ?4)";
            tx.execute(sql, params![&self.id, number, now, body])?;
        }
        Ok(())
    }
}

/// What happened between two states that people may want to be told of. `changed`: the stages that are different.
fn moments(old: Option<&Execution>, new: &Execution, changed: &[Arc<Stage>]) -> Option<(Execution, Vec<Moment>)> {
    let moments = notices::moments(old, new, changed);
    (!moments.is_empty()).then(|| (new.clone(), moments))
}

/// What has ended: of these stages, and the execution itself if it has.
fn over<'a>(run: &Execution, stages: impl Iterator<Item = &'a Arc<Stage>>, ended: bool) -> Over {
    let stages = stages.filter(|stage| stage.status.is_complete()).cloned().collect();
    Over { execution: ended.then_some((run.kind, run.status)), stages }
}

/// The ids of its stages.
fn order(run: &Execution) -> Vec<String> {
    run.stages.iter().map(|s| s.id.clone()).collect()
}

/// The saved pipeline of a run that has ended, when others may follow it.
fn follows(run: &Execution, ended: bool) -> Option<String> {
    let counts = ended && run.kind == Kind::Pipeline && run.start_time.is_some();
    run.pipeline_config_id.clone().filter(|_| counts)
}
