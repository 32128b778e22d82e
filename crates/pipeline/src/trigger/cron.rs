//! `cron`: a time has come. What an expression means is [`Quartz`]; here is what a trigger makes of it: which times are due
//! between two moments, what may not be saved, and the trigger of the execution.
//!
//! The event: `{pipeline, trigger, time}`, the ids of the pipeline and of its trigger, and the scheduled time in milliseconds.

mod field;
mod quartz;
mod words;

#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use quartz::Quartz;

use super::{Matches, text};
use crate::Map;

/// What is late by less than this fires as if it were not; older times are missed, and of those only the newest may fire.
pub const LATE: SignedDuration = SignedDuration::from_mins(1);

/// Why an expression stands for no time.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CronError {
    /// There is none.
    #[error("a cron trigger needs a cronExpression of six or seven fields, as 0 0 3 * * ?")]
    Missing,
    /// It is too long to be read.
    #[error("the expression is longer than 1000 characters")]
    TooLong,
    /// Five fields are a crontab's.
    #[error(
        "the expression has {0} fields; there are six or seven: second, minute, hour, day of month, month, day of week, year"
    )]
    Fields(usize),
    /// One field is wrong.
    #[error("{field}: {what}")]
    Field {
        /// Which one.
        field: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// Both days are given, or none.
    #[error("exactly one of day of month and day of week must be ?, which means that it does not matter")]
    DayFields,
    /// It is well formed, and no time fits it any more.
    #[error("it never fires: no time from now on fits it")]
    Never,
    /// The zone is not known.
    #[error("there is no time zone '{0}'; name one as Europe/Berlin or UTC")]
    Zone(String),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl CronError {
    fn field(kind: &field::Kind, what: String) -> CronError {
        CronError::Field { field: kind.name, what }
    }
}

/// The kind.
pub struct Cron;

impl Matches for Cron {
    fn kind(&self) -> &'static str {
        "cron"
    }
    fn fires(&self, config: &Map, event: &Value) -> Option<Map> {
        if text(config, "id") != event.get("trigger").and_then(Value::as_str) {
            return None;
        }
        let mut trigger = config.clone();
        trigger.insert("scheduledTime".into(), event.get("time").cloned().unwrap_or(Value::Null));
        Some(trigger)
    }
    fn brings_artifacts(&self) -> bool {
        false
    }
}

/// When a trigger fires: its expression and its zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    quartz: Quartz,
    zone: TimeZone,
}

impl Schedule {
    /// The schedule of a trigger; `zone` is that of those which name none.
    pub fn of(config: &Map, zone: &TimeZone) -> Result<Schedule, CronError> {
        let quartz = Quartz::parse(text(config, "cronExpression").ok_or(CronError::Missing)?)?;
        let own = text(config, "timeZone").or_else(|| text(config, "timezone"));
        let zone = own.map_or_else(|| Ok(zone.clone()), zone_of)?;
        Ok(Schedule { quartz, zone })
    }

    /// The first time after a moment.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.quartz.next(after, &self.zone)
    }

    /// The times that have come since a moment which was looked at before: all of the last minute, else the newest of those
    /// that are not older than `window`; none when that moment is still to come.
    pub fn due(&self, since: Timestamp, now: Timestamp, window: SignedDuration) -> Vec<Timestamp> {
        let back = |by: SignedDuration| now.checked_sub(by).unwrap_or(Timestamp::MIN);
        let mut at = since.max(back(window));
        let (mut due, mut missed) = (Vec::new(), None);
        while let Some(next) = self.next(at).filter(|next| *next <= now) {
            if next > back(LATE) {
                due.push(next);
            } else {
                missed = Some(next);
            }
            at = next;
        }
        if due.is_empty() { missed.into_iter().collect() } else { due }
    }
}

/// A time zone by its name.
pub fn zone_of(name: &str) -> Result<TimeZone, CronError> {
    if name.eq_ignore_ascii_case("utc") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| CronError::Zone(name.chars().take(80).collect()))
}

/// The name under which the store keeps which time of a trigger has fired.
pub fn event(trigger: &str, time: Timestamp) -> String {
    format!("cron:{trigger}:{}", time.as_millisecond())
}

/// The event of a time that has come.
pub fn event_of(trigger: &str, time: Timestamp) -> Value {
    json!({ "trigger": trigger, "time": time.as_millisecond() })
}

/// What makes a trigger one that could never fire after `now`.
pub(super) fn check(config: &Map, now: Timestamp) -> Result<(), (&'static str, CronError)> {
    let wrong = |error: CronError| match error {
        CronError::Zone(_) if text(config, "timeZone").is_some() => ("timeZone", error),
        CronError::Zone(_) => ("timezone", error),
        error => ("cronExpression", error),
    };
    let schedule = Schedule::of(config, &TimeZone::UTC).map_err(wrong)?;
    schedule.next(now).map(drop).ok_or(("cronExpression", CronError::Never))
}
