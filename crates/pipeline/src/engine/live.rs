//! An execution in memory: its state, and what is due for it when.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;
use store::{StoreError, Tx, params};

use crate::decide::{Message, Timer};
use crate::model::{Execution, Stage};
use crate::records;

/// A message for later.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pending {
    /// In milliseconds.
    pub due: i64,
    pub message: Message,
}

/// What was fetched for expressions.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub pipelines: Option<Vec<Value>>,
    pub applications: Option<Vec<Value>>,
    pub fetched: HashMap<String, Result<String, String>>,
}

impl Found {
    pub fn take(&mut self, other: Found) {
        self.pipelines = other.pipelines.or(self.pipelines.take());
        self.applications = other.applications.or(self.applications.take());
        self.fetched.extend(other.fetched);
    }
}

/// An execution in memory. A copy is cheap: stages are shared.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub run: Execution,
    pub pending: BTreeMap<String, Pending>,
    pub found: Arc<Found>,
}

impl Live {
    /// Whether nothing of it can move by itself any more.
    pub fn is_over(&self) -> bool {
        self.run.status.is_complete() && self.pending.is_empty()
    }

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
pub(super) struct Rows {
    header: Option<Execution>,
    id: String,
    stages: Vec<Arc<Stage>>,
    gone_stages: Vec<String>,
    messages: Vec<(String, Pending)>,
    gone_messages: Vec<String>,
    journal: Vec<String>,
}

impl Rows {
    /// The difference between two states of one execution.
    pub fn between(old: &Live, new: &Live, journal: Vec<String>) -> Rows {
        let was: HashMap<&str, &Arc<Stage>> = old.run.stages.iter().map(|s| (s.id.as_str(), s)).collect();
        let is: std::collections::HashSet<&str> = new.run.stages.iter().map(|s| s.id.as_str()).collect();
        let fresh = |s: &&Arc<Stage>| was.get(s.id.as_str()).is_none_or(|w| !Arc::ptr_eq(w, s) && ***w != ***s);
        let stages: Vec<_> = new.run.stages.iter().filter(fresh).cloned().collect();
        let gone: Vec<_> = was.keys().filter(|id| !is.contains(*id)).map(|id| (*id).to_owned()).collect();
        let same_order = old.run.stages.len() == new.run.stages.len()
            && old.run.stages.iter().zip(&new.run.stages).all(|(a, b)| a.id == b.id);
        let mut bare = (old.run.clone(), new.run.clone());
        bare.0.stages = Vec::new();
        bare.1.stages = Vec::new();
        // Readers are told of each change by the header's row, so it is written whenever anything changed.
        let changed = !same_order || bare.0 != bare.1 || !stages.is_empty();
        let messages =
            new.pending.iter().filter(|(k, p)| old.pending.get(*k) != Some(p)).map(|(k, p)| (k.clone(), p.clone()));
        Rows {
            header: changed.then(|| new.run.clone()),
            id: new.run.id.clone(),
            stages,
            gone_stages: gone,
            messages: messages.collect(),
            gone_messages: old.pending.keys().filter(|k| !new.pending.contains_key(*k)).cloned().collect(),
            journal,
        }
    }

    pub fn write(&self, tx: &mut Tx) -> Result<(), StoreError> {
        for id in &self.gone_stages {
            tx.execute("delete from stage where execution = ?1 and id = ?2", params![&self.id, id])?;
        }
        for stage in &self.stages {
            records::put_stage(tx, &self.id, stage)?;
        }
        if let Some(run) = &self.header {
            records::put_header(tx, run)?;
        }
        for key in &self.gone_messages {
            tx.execute("delete from message where execution = ?1 and key = ?2", params![&self.id, key])?;
        }
        for (key, pending) in &self.messages {
            tx.execute(
                "insert into message (execution, key, due, body) values (?1, ?2, ?3, ?4)
                 on conflict (execution, key) do update set due = excluded.due, body = excluded.body",
                params![&self.id, key, pending.due, records::json(&pending.message)],
            )?;
        }
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
