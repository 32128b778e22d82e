//! A time has come: pipelines with a trigger of type `cron` start. Which times there are is `pipeline::trigger::cron`.
//!
//! One transaction notes that a time has fired and inserts the execution, unique by pipeline, trigger and time: a kill at any
//! moment makes nothing fire twice. Edits are followed by the store's changes, so they are in force when they are saved. The
//! wall clock is looked at again every few seconds, because it can jump while a sleep counts on.

use std::collections::HashMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use pipeline::trigger::cron::{self, Schedule};
use pipeline::{Engine, EngineError, Map, pipelines, trigger};
use serde_json::Value;
use store::{StoreError, Tx, params};

/// What was missed while no server ran fires if it is younger than this.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(30);
/// The longest sleep: after it the wall clock is looked at again.
const LONGEST: Duration = Duration::from_secs(5);
/// Changes of this time are looked through at once.
const GATHER: Duration = Duration::from_millis(50);

/// Fires cron triggers.
pub struct Clockwork {
    /// Starts executions, and holds the control store.
    pub engine: Engine,
    /// The zone of triggers that name none.
    pub zone: TimeZone,
    /// What is older stays missed.
    pub window: SignedDuration,
}

/// A trigger that fires by the clock.
#[derive(Debug, Clone)]
struct Planned {
    pipeline: String,
    trigger: String,
    schedule: Schedule,
    /// Its text, to see whether it was changed.
    text: String,
    /// All times up to this one are done with.
    since: Timestamp,
    next: Option<Timestamp>,
}

/// The triggers of all pipelines, as they were saved up to a change.
#[derive(Debug, Default)]
pub struct Plan {
    all: Vec<Planned>,
    seen: i64,
}

impl Plan {
    /// The next time that any of them fires.
    pub fn next(&self) -> Option<Timestamp> {
        self.all.iter().filter_map(|p| p.next).min()
    }
}

impl Clockwork {
    /// Fires until the task is dropped.
    pub async fn run(self) {
        let store = self.engine.store().clone();
        let mut changes = store.changes();
        let mut plan = None;
        loop {
            changes.mark_unchanged();
            match self.step(plan.take()).await {
                Ok(next) => plan = Some(next),
                Err(error) => tracing::warn!(%error, "cron triggers cannot be looked at; trying again"),
            }
            let next = plan.as_ref().and_then(Plan::next);
            let until = next.map_or(LONGEST, |next| {
                let left = next.duration_since(store.clock().now());
                Duration::try_from(left).unwrap_or(Duration::ZERO).min(LONGEST)
            });
            tokio::select! {
                () = tokio::time::sleep(until) => {}
                changed = changes.changed(), if plan.is_some() => match changed {
                    Ok(()) => tokio::time::sleep(GATHER.min(until)).await,
                    // The store is closed: the process ends.
                    Err(_) => return,
                },
            }
        }
    }

    /// Looks at the triggers again when a pipeline was changed, and fires what is due.
    pub async fn step(&self, plan: Option<Plan>) -> Result<Plan, EngineError> {
        let mut plan = match plan {
            Some(plan) => self.fresh(plan).await?,
            None => self.read().await?,
        };
        let now = self.engine.store().clock().now();
        for one in &mut plan.all {
            if one.since > now.checked_add(self.window).unwrap_or(Timestamp::MAX) {
                tracing::warn!(trigger = one.trigger, "the clock went back a long way; counting from now on");
                one.since = now;
                one.next = one.schedule.next(now);
            }
        }
        let due: Vec<usize> =
            (0..plan.all.len()).filter(|i| plan.all[*i].next.is_some_and(|next| next <= now)).collect();
        for i in due {
            let one = &mut plan.all[i];
            let times = one.schedule.due(one.since, now, self.window);
            if !times.is_empty() {
                self.fire(one.clone(), times.clone()).await?;
            }
            one.since = times.last().copied().unwrap_or(now).max(one.since);
            one.next = one.schedule.next(now.max(one.since));
        }
        Ok(plan)
    }

    /// The plan as it is after the changes since it was made.
    async fn fresh(&self, mut plan: Plan) -> Result<Plan, EngineError> {
        let seen = plan.seen;
        let (newest, changed) = self
            .engine
            .store()
            .read(move |tx| {
                let sql =
                    "select max(seq), sum(case when topic = 'pipeline' then 1 else 0 end) from change where seq > ?1";
                let row = tx.query_opt(sql, params![seen])?;
                let number = |i: usize| row.as_ref().map_or(Ok(None), |row| row.opt_int(i));
                Ok::<_, StoreError>((number(0)?, number(1)?.unwrap_or(0) > 0))
            })
            .await?;
        if changed {
            return self.read().await;
        }
        plan.seen = newest.unwrap_or(seen);
        Ok(plan)
    }

    /// Reads all cron triggers that are switched on, and forgets what is known of those that are not.
    async fn read(&self) -> Result<Plan, EngineError> {
        let (zone, window) = (self.zone.clone(), self.window);
        self.engine
            .store()
            .write(move |tx| {
                let seen = tx.query_opt("select coalesce(max(seq), 0) from change", &[])?;
                let seen = seen.map_or(Ok(0), |row| row.int(0))?;
                let mut fired = HashMap::new();
                for row in tx.query("select pipeline, trigger_id, schedule, at from cron_fired", &[])? {
                    fired.insert((row.text(0)?, row.text(1)?), (row.text(2)?, row.time(3)?));
                }
                let mut all = Vec::new();
                for pipeline in pipelines::with_trigger(tx, "cron")? {
                    for config in trigger::entries(&pipeline, "cron") {
                        let Some(mut one) = planned(&pipeline, config, &zone) else { continue };
                        let known = fired.remove(&(one.pipeline.clone(), one.trigger.clone()));
                        if let Some((_, at)) = known.filter(|(text, _)| *text == one.text) {
                            one.since = at;
                        }
                        let from = tx.now().checked_sub(window).unwrap_or(Timestamp::MIN).max(one.since);
                        one.next = one.schedule.next(from);
                        all.push(one);
                    }
                }
                for (pipeline, trigger) in fired.keys() {
                    let sql = "delete from cron_fired where pipeline = ?1 and trigger_id = ?2";
                    tx.execute(sql, params![pipeline.as_str(), trigger.as_str()])?;
                }
                Ok(Plan { all, seen })
            })
            .await
    }

    /// Starts the pipeline for each of the times, unless its trigger is another one by now.
    async fn fire(&self, one: Planned, times: Vec<Timestamp>) -> Result<(), EngineError> {
        let (engine, zone) = (self.engine.clone(), self.zone.clone());
        self.engine
            .store()
            .write(move |tx| {
                let Some(pipeline) = pipelines::by_id(tx, &one.pipeline)? else { return Ok(()) };
                let same = |config: &&Map| {
                    planned(&pipeline, config, &zone).is_some_and(|p| p.trigger == one.trigger && p.text == one.text)
                };
                let Some(config) = trigger::entries(&pipeline, "cron").find(same) else { return Ok(()) };
                for time in &times {
                    let event = cron::event_of(&one.trigger, *time);
                    let Some(fired) = trigger::fires_entry(&pipeline, config, &event) else { continue };
                    engine.trigger(tx, &one.pipeline, &fired, &cron::event(&one.trigger, *time))?;
                }
                note(tx, &one, times.last().copied().unwrap_or(one.since))
            })
            .await
    }
}

fn note(tx: &mut Tx, one: &Planned, at: Timestamp) -> Result<(), EngineError> {
    tx.execute(
        "insert into cron_fired (pipeline, trigger_id, schedule, at) values (?1, ?2, ?3, ?4)
         on conflict (pipeline, trigger_id) do update set schedule = excluded.schedule, at = excluded.at",
        params![one.pipeline.as_str(), one.trigger.as_str(), one.text.as_str(), at],
    )?;
    Ok(())
}

/// A trigger as it is planned when nothing of it has fired: it counts from the moment when it was saved.
fn planned(pipeline: &Map, config: &Map, zone: &TimeZone) -> Option<Planned> {
    let text = |map: &Map, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    let since = match pipeline.get("updateTs") {
        Some(Value::String(text)) => text.parse().ok(),
        other => other.and_then(Value::as_i64),
    };
    let zone_text = text(config, "timeZone").or_else(|| text(config, "timezone")).unwrap_or_default();
    Some(Planned {
        pipeline: text(pipeline, "id")?,
        trigger: text(config, "id")?,
        // One that cannot be read was saved before it was looked at, and never fires.
        schedule: Schedule::of(config, zone).ok()?,
        text: format!("{} {zone_text}", text(config, "cronExpression")?),
        since: since.and_then(|at| Timestamp::from_millisecond(at).ok())?,
        next: None,
    })
}
