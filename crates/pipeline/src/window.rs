//! The execution window: any stage may ask to run only at certain hours (`restrictExecutionDuringTimeWindow`). A synthetic
//! stage before it waits until the window opens.

use std::collections::BTreeSet;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::Deserialize;
use serde_json::Value;

use crate::model::{Stage as Record, Status};
use crate::validate::{Finding, Severity};
use crate::{Map, Plan, PlanError, Stage, StageSpec, StageView, TaskInput, TaskResult, TaskSpec};

/// The type and the name of the synthetic stage.
pub const KIND: &str = "restrictExecutionDuringTimeWindow";
/// The key of its task.
pub const TASK: &str = "suspendExecutionDuringTimeWindow";
/// The hours of a window are read in the time zone that Spinnaker uses unless it is told otherwise.
const ZONE: &str = "America/Los_Angeles";

/// The stage type.
pub struct WindowStage;

impl Stage for WindowStage {
    fn kind(&self) -> &'static str {
        KIND
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new(TASK, TASK).timeout(SignedDuration::from_hours(7 * 24))]))
    }
    fn can_manually_skip(&self, _: &StageView) -> bool {
        true
    }
}

/// The synthetic stage that a stage's context asks for.
pub fn stage_of(stage: &Record) -> Option<StageSpec> {
    if stage.flag(KIND) != Some(true) {
        return None;
    }
    let mut context: Map = stage.context.clone();
    context.shift_remove(KIND);
    // It has neither the stage's time limit nor its failures.
    for key in ["stageTimeoutMs", "exception", "stageEnabled"] {
        context.shift_remove(key);
    }
    Some(StageSpec::new(KIND, KIND).context(context))
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    restricted_execution_window: Option<Window>,
    skip_remaining_wait: bool,
    #[serde(rename = "executionWindow.timezone")]
    timezone: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Window {
    days: Vec<i8>,
    whitelist: Vec<Range>,
    jitter: Option<Jitter>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default, rename_all = "camelCase")]
struct Range {
    start_hour: i64,
    start_min: i64,
    end_hour: i64,
    end_min: i64,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Jitter {
    enabled: bool,
    min_delay: i64,
    max_delay: i64,
    skip_manual: bool,
}

/// What is wrong with the window of a stage; paths go on from `restrictedExecutionWindow`.
pub fn problems(context: &Map) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |severity, path: String, message: String, help: &str| {
        found.push(Finding { severity, path, message, help: help.to_owned() });
    };
    let Ok(config) = crate::lenient::from_map::<Config>(context) else { return found };
    let asked = context.get(KIND).is_some_and(|v| *v == Value::Bool(true) || v.as_str() == Some("true"));
    let Some(window) = config.restricted_execution_window else {
        if asked {
            let message = "restrictExecutionDuringTimeWindow is true, and no window is given: the stage may always run";
            add(Severity::Warning, String::new(), message.into(), "");
        }
        return found;
    };
    // A window that nobody asks for does no harm.
    let severity = if asked { Severity::Error } else { Severity::Hint };
    for (i, day) in window.days.iter().enumerate().filter(|(_, day)| !(1..=7).contains(*day)) {
        add(severity, format!(".days[{i}]"), format!("{day} is no day"), "1 is Sunday, 7 is Saturday");
    }
    for (i, range) in window.whitelist.iter().enumerate() {
        let ends = [
            ("startHour", range.start_hour, 23),
            ("startMin", range.start_min, 59),
            ("endHour", range.end_hour, 23),
            ("endMin", range.end_min, 59),
        ];
        for (name, value, most) in ends.into_iter().filter(|(_, value, most)| !(0..=*most).contains(value)) {
            let message = format!("{value} is no {}: the stage would fail", if most == 23 { "hour" } else { "minute" });
            let help =
                if most == 23 { "hours go from 0 to 23; the end of a day is 23:59" } else { "minutes go from 0 to 59" };
            add(severity, format!(".whitelist[{i}].{name}"), message, help);
        }
    }
    if let Some(jitter) = window.jitter.filter(|j| j.enabled && j.max_delay < j.min_delay) {
        let message =
            format!("maxDelay ({}) is less than minDelay ({}): there is no delay", jitter.max_delay, jitter.min_delay);
        add(Severity::Warning, ".jitter.maxDelay".into(), message, "");
    }
    if let Some(zone) = config.timezone.filter(|zone| TimeZone::get(zone).is_err()) {
        add(severity, String::new(), format!("{zone} is no time zone"), "use a name like Europe/Berlin or UTC");
    }
    found
}

/// The window of a stage in a sentence for people.
pub fn described(stage: &Record) -> String {
    let config: Config = crate::lenient::from_map(&stage.context).unwrap_or_default();
    let Some(window) = config.restricted_execution_window else { return "it may run at any time".into() };
    const NAMES: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let name = |day: &i8| usize::try_from(day - 1).ok().and_then(|i| NAMES.get(i)).copied().unwrap_or("?");
    let days: Vec<&str> = window.days.iter().map(name).collect();
    let hours: Vec<String> = window
        .whitelist
        .iter()
        .map(|r| format!("{:02}:{:02}–{:02}:{:02}", r.start_hour, r.start_min, r.end_hour, r.end_min))
        .collect();
    let days = if days.is_empty() { "every day".to_owned() } else { days.join(", ") };
    let hours = if hours.is_empty() { "all day".to_owned() } else { hours.join(", ") };
    let zone = config.timezone.unwrap_or_else(|| ZONE.to_owned());
    format!("it starts only {days} {hours} ({zone})")
}

/// The task: done when the window is open, otherwise waits until it opens.
pub fn run(input: &TaskInput, now: Timestamp) -> TaskResult {
    let config: Config = match input.config() {
        Ok(config) => config,
        Err(failed) => return failed,
    };
    if config.skip_remaining_wait {
        return TaskResult::succeeded();
    }
    let Some(window) = config.restricted_execution_window else { return TaskResult::succeeded() };
    let zone = config.timezone.as_deref().unwrap_or(ZONE);
    let Ok(zone) = TimeZone::get(zone) else {
        return TaskResult::failed(format!("'{zone}' is no time zone: use a name like Europe/Berlin or UTC"));
    };
    match opens(&window, now, &zone) {
        Opens::Never => TaskResult::done(Status::Terminal).context("windowProblem", problem(&window)),
        Opens::Now => TaskResult::succeeded(),
        Opens::At(at) => {
            let at = at + jitter(&window, input);
            TaskResult::again(at, format!("the stage's execution window opens at {at}"))
        }
    }
}

#[derive(Debug, PartialEq)]
enum Opens {
    Now,
    At(Timestamp),
    Never,
}

fn time(hour: i64, minute: i64) -> Option<Time> {
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
}

fn problem(window: &Window) -> String {
    let bad = window
        .whitelist
        .iter()
        .find(|r| time(r.start_hour, r.start_min).is_none() || time(r.end_hour, r.end_min).is_none());
    match bad {
        Some(r) => format!(
            "an execution window from {}:{:02} to {}:{:02} cannot be: hours end at 23, minutes at 59",
            r.start_hour, r.start_min, r.end_hour, r.end_min
        ),
        None => "the execution window never opens".into(),
    }
}

/// When the window is open next, seen from `now`.
fn opens(window: &Window, now: Timestamp, zone: &TimeZone) -> Opens {
    // 1 is Sunday, as in Java's Calendar.
    let days: BTreeSet<i8> = window.days.iter().copied().filter(|d| (1..=7).contains(d)).collect();
    let allowed = |day: Weekday| days.is_empty() || days.contains(&day.to_sunday_one_offset());
    let mut ranges: Vec<(Time, Time)> = Vec::new();
    for r in &window.whitelist {
        let (Some(from), Some(to)) = (time(r.start_hour, r.start_min), time(r.end_hour, r.end_min)) else {
            return Opens::Never;
        };
        if to < from {
            ranges.push((Time::midnight(), to));
            ranges.push((from, Time::MAX));
        } else {
            ranges.push((from, to));
        }
    }
    if ranges.is_empty() {
        ranges.push((Time::midnight(), Time::MAX));
    }
    ranges.sort_by_key(|r| r.0);
    let here: Zoned = now.to_zoned(zone.clone());
    for ahead in 0..=8 {
        let Ok(date) = here.date().checked_add(jiff::Span::new().days(ahead)) else { break };
        if !allowed(date.weekday()) {
            continue;
        }
        for (from, to) in &ranges {
            let (Ok(start), Ok(end)) =
                (date.to_datetime(*from).to_zoned(zone.clone()), date.to_datetime(*to).to_zoned(zone.clone()))
            else {
                continue;
            };
            if end.timestamp() < now {
                continue;
            }
            return if start.timestamp() <= now { Opens::Now } else { Opens::At(start.timestamp()) };
        }
    }
    Opens::Never
}

/// A delay that is the same on every look: from the task's key.
fn jitter(window: &Window, input: &TaskInput) -> SignedDuration {
    let none = SignedDuration::ZERO;
    let Some(jitter) = window.jitter.as_ref().filter(|j| j.enabled && j.max_delay >= j.min_delay) else { return none };
    if jitter.skip_manual && input.execution.trigger.kind() == "manual" {
        return none;
    }
    let spread = jitter.max_delay - jitter.min_delay + 1;
    let sum = input.key.bytes().fold(0i64, |sum, b| (sum * 31 + i64::from(b)) % 1_000_003);
    SignedDuration::from_secs((jitter.min_delay + sum % spread).clamp(0, 86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }
    fn window(days: &[i8], ranges: &[(i64, i64, i64, i64)]) -> Window {
        let whitelist =
            ranges.iter().map(|r| Range { start_hour: r.0, start_min: r.1, end_hour: r.2, end_min: r.3 }).collect();
        Window { days: days.to_vec(), whitelist, jitter: None }
    }
    fn check(window: &Window, now: &str, expect: Opens) {
        assert_eq!(opens(window, at(now), &TimeZone::UTC), expect);
    }

    #[test]
    fn inside_the_hours_it_is_open_and_before_them_it_opens_today() {
        let nine_to_five = window(&[], &[(9, 0, 17, 0)]);
        check(&nine_to_five, "2026-11-24T12:00:00Z", Opens::Now);
        check(&nine_to_five, "2026-11-24T08:00:00Z", Opens::At(at("2026-11-24T09:00:00Z")));
        check(&nine_to_five, "2026-11-24T18:00:00Z", Opens::At(at("2026-11-25T09:00:00Z")));
    }

    #[test]
    fn hours_that_end_before_they_start_cross_midnight() {
        let night = window(&[], &[(22, 0, 4, 0)]);
        check(&night, "2026-11-24T23:00:00Z", Opens::Now);
        check(&night, "2026-11-24T03:00:00Z", Opens::Now);
        check(&night, "2026-11-24T05:00:00Z", Opens::At(at("2026-11-24T22:00:00Z")));
    }

    #[test]
    fn day_one_is_sunday() {
        // 2026-11-24 is a Tuesday.
        let sunday = window(&[1], &[(9, 0, 17, 0)]);
        check(&sunday, "2026-11-24T12:00:00Z", Opens::At(at("2026-11-29T09:00:00Z")));
    }

    #[test]
    fn an_hour_of_24_opens_never() {
        check(&window(&[], &[(0, 0, 24, 0)]), "2026-11-24T12:00:00Z", Opens::Never);
    }
}
