//! An execution as people follow it: what each stage is at, what it waits for and until when, why it failed, and what exit code that is.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::clock::{Clock, SystemClock};

use crate::client::Client;
use crate::machine::age;
use crate::output::Output;

/// What a run has come to, as far as a script cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It ended well.
    Done,
    /// It failed or was cancelled.
    Failed,
    /// Nothing of it moves before a person answers.
    Person,
    /// A guard refused it, or nothing of it moves before a window opens.
    Refused,
    /// It is not over in the time given.
    Late,
}

impl Outcome {
    /// 0 done, 1 failed, 3 waits for a person, 4 refused by a guard or window.
    pub fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Outcome::Done => 0,
            Outcome::Failed | Outcome::Late => 1,
            Outcome::Person => 3,
            Outcome::Refused => 4,
        })
    }
}

/// The text of a member; empty when there is none.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn stages(run: &Value) -> impl Iterator<Item = &Value> {
    run["stages"].as_array().into_iter().flatten()
}

/// What a run is at; `None` while it moves by itself.
pub fn outcome(run: &Value) -> Option<Outcome> {
    match text(run, "status") {
        "SUCCEEDED" | "SKIPPED" | "STOPPED" | "FAILED_CONTINUE" => return Some(Outcome::Done),
        "TERMINAL" | "CANCELED" => {
            let guarded = stages(run).any(|stage| is_guard(&stage["context"]["exception"]));
            return Some(if guarded { Outcome::Refused } else { Outcome::Failed });
        }
        _ => {}
    }
    let parents: Vec<&str> =
        stages(run).filter(|s| text(s, "status") == "RUNNING").map(|s| text(s, "parentStageId")).collect();
    let leaves: Vec<&Value> =
        stages(run).filter(|s| text(s, "status") == "RUNNING" && !parents.contains(&text(s, "id"))).collect();
    let waits =
        |kind: &str| !leaves.is_empty() && leaves.iter().all(|s| text(s, "type") == kind && waiting(s).is_some());
    if waits("manualJudgment") {
        return Some(Outcome::Person);
    }
    if waits("restrictExecutionDuringTimeWindow") {
        return Some(Outcome::Refused);
    }
    None
}

fn is_guard(exception: &Value) -> bool {
    let holds = |value: &Value| value.as_str().is_some_and(|text| text.to_lowercase().contains("guard"));
    holds(&exception["exceptionType"])
        || exception["details"]["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|one| one.as_str().is_some_and(|text| text.to_lowercase().contains("traffic guard")))
}

/// Why something waits: its own reason, or that of its running task.
fn waiting(thing: &Value) -> Option<&Value> {
    let own = Some(&thing["waiting"]).filter(|waiting| waiting.is_object());
    own.or_else(|| {
        let tasks = thing["tasks"].as_array()?;
        tasks.iter().map(|task| &task["waiting"]).find(|waiting| waiting.is_object())
    })
}

/// `waits since 3 min, until 12:30: a person has to answer …`
fn wait_line(waiting: &Value, now: i64) -> String {
    let since = waiting["since"].as_i64().map_or(String::new(), |since| format!(" for {}", age(now, since)));
    let until = waiting["until"].as_i64().filter(|until| *until < i64::MAX / 2);
    let until = until.map_or(String::new(), |until| format!(", until {}", clock(until)));
    format!("waits{since}{until}: {}", text(waiting, "reason"))
}

fn clock(millis: i64) -> String {
    let Ok(at) = Timestamp::from_millisecond(millis) else { return "a time without end".into() };
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The sentences that say why a run failed.
pub fn reasons(run: &Value) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for stage in stages(run) {
        let errors = stage.pointer("/context/exception/details/errors").and_then(Value::as_array);
        for one in errors.into_iter().flatten().filter_map(Value::as_str) {
            let line = format!("{}: {one}", text(stage, "name"));
            if !all.iter().any(|known| known.ends_with(one)) {
                all.push(line);
            }
        }
    }
    all.extend(run["cancellationReason"].as_str().map(str::to_owned));
    if all.is_empty() {
        all.push(format!("it is {}", text(run, "status")));
    }
    all
}

/// A run in lines: what it is at, each stage, what waits since when and until when, why it failed.
pub fn lines(run: &Value, now: i64) -> Vec<String> {
    let name = run["name"].as_str().or_else(|| run["description"].as_str()).unwrap_or_default();
    let mut out = vec![format!("{}  {name} of {}  {}", text(run, "id"), text(run, "application"), text(run, "status"))];
    if let Some(built) = run["buildTime"].as_i64() {
        let user = text(&run["trigger"], "user");
        out.push(format!("started by {} ({user}) at {}", text(&run["trigger"], "type"), clock(built)));
    }
    if let Some(waiting) = waiting(run) {
        out.push(wait_line(waiting, now));
    }
    let depths = depths(run);
    for stage in stages(run) {
        let indent = "  ".repeat(depths.get(text(stage, "id")).copied().unwrap_or(1));
        let took = match (stage["startTime"].as_i64(), stage["endTime"].as_i64()) {
            (Some(start), Some(end)) => format!("  {} ms", end - start),
            (Some(start), None) => format!("  since {}", age(now, start)),
            _ => String::new(),
        };
        out.push(format!("{indent}{:<14} {}{took}", text(stage, "status"), text(stage, "name")));
        if let Some(waiting) = waiting(stage).filter(|_| text(stage, "status") != "SUCCEEDED") {
            out.push(format!("{indent}               {}", wait_line(waiting, now)));
        }
    }
    if matches!(text(run, "status"), "TERMINAL" | "CANCELED") {
        out.extend(reasons(run));
    }
    out
}

fn depths(run: &Value) -> HashMap<&str, usize> {
    let parents: HashMap<&str, &str> = stages(run).map(|s| (text(s, "id"), text(s, "parentStageId"))).collect();
    let depth = |id: &str| {
        let mut at = id;
        let mut depth = 1;
        while let Some(parent) = parents.get(at).filter(|parent| !parent.is_empty() && depth < 16) {
            at = parent;
            depth += 1;
        }
        depth
    };
    parents.keys().map(|id| (*id, depth(id))).collect()
}

/// Follows a run until it is over, waits for somebody, or the time is up; tells each change.
pub fn follow(
    client: &Client,
    id: &str,
    limit: Option<SignedDuration>,
    output: &Output,
) -> anyhow::Result<(Outcome, Value)> {
    let begun = SystemClock.now();
    let mut told: HashMap<String, String> = HashMap::new();
    let mut pause = Duration::from_millis(20);
    loop {
        let run = client.get(&["pipelines", id], &[])?;
        let now = SystemClock.now();
        let changed = tell(&run, now.as_millisecond(), &mut told, output);
        if let Some(outcome) = outcome(&run) {
            return Ok((outcome, run));
        }
        if limit.is_some_and(|limit| now.duration_since(begun) >= limit) {
            return Ok((Outcome::Late, run));
        }
        pause = if changed { Duration::from_millis(50) } else { (pause * 2).min(Duration::from_secs(1)) };
        std::thread::sleep(pause);
    }
}

fn tell(run: &Value, now: i64, told: &mut HashMap<String, String>, output: &Output) -> bool {
    let mut changed = false;
    let depths = depths(run);
    for stage in stages(run).chain([run]) {
        let waiting =
            waiting(stage).filter(|_| !matches!(text(stage, "status"), "SUCCEEDED" | "TERMINAL" | "CANCELED"));
        let key = format!("{} {}", text(stage, "status"), waiting.map_or("", |w| text(w, "reason")));
        let id = text(stage, "id").to_owned();
        if text(stage, "status") == "NOT_STARTED" && waiting.is_none() || told.get(&id) == Some(&key) {
            continue;
        }
        told.insert(id, key);
        changed = true;
        let indent = "  ".repeat(depths.get(text(stage, "id")).copied().unwrap_or(0));
        let mut line = format!("{indent}{:<14} {}", text(stage, "status"), text(stage, "name"));
        if let Some(waiting) = waiting {
            line += &format!("  {}", wait_line(waiting, now));
        }
        output.say(line);
    }
    changed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn waiting_stage(kind: &str, status: &str) -> Value {
        json!({"id": kind, "type": kind, "name": kind, "status": status, "context": {},
            "tasks": [{"waiting": {"reason": "because", "since": 0, "until": 60_000}}]})
    }

    #[test]
    fn an_exit_code_says_what_a_run_is_at() {
        let run = |status: &str, stages: Vec<Value>| json!({"status": status, "stages": stages});
        let guarded = json!({"id": "g", "status": "TERMINAL", "context": {"exception": {"details": {"errors": ["A traffic guard refuses it"]}}}});
        for (run, expected) in [
            (run("SUCCEEDED", vec![]), Some(Outcome::Done)),
            (run("TERMINAL", vec![]), Some(Outcome::Failed)),
            (run("CANCELED", vec![]), Some(Outcome::Failed)),
            (run("TERMINAL", vec![guarded]), Some(Outcome::Refused)),
            (run("RUNNING", vec![]), None),
            (run("RUNNING", vec![waiting_stage("wait", "RUNNING")]), None),
            (run("RUNNING", vec![waiting_stage("manualJudgment", "RUNNING")]), Some(Outcome::Person)),
            (run("RUNNING", vec![waiting_stage("manualJudgment", "RUNNING"), waiting_stage("wait", "RUNNING")]), None),
            (
                run("RUNNING", vec![waiting_stage("restrictExecutionDuringTimeWindow", "RUNNING")]),
                Some(Outcome::Refused),
            ),
        ] {
            assert_eq!(outcome(&run), expected, "{run}");
        }
    }

    #[test]
    fn people_see_what_waits_since_when_and_until_when() {
        let run = json!({"id": "01X", "name": "Ship", "application": "shop", "status": "RUNNING", "trigger": {"type": "manual", "user": "ann"},
            "stages": [waiting_stage("manualJudgment", "RUNNING")]});
        let lines = lines(&run, 30_000);
        assert_eq!(lines[0], "01X  Ship of shop  RUNNING");
        assert_eq!(lines[1], "  RUNNING        manualJudgment");
        assert!(
            lines[2].contains("waits for 30 s, until 1970-01-01 ") && lines[2].ends_with(": because"),
            "{}",
            lines[2]
        );
    }

    #[test]
    fn a_failure_is_told_once() {
        let failed =
            |name: &str| json!({"name": name, "context": {"exception": {"details": {"errors": ["no such image"]}}}});
        let run = json!({"status": "TERMINAL", "stages": [failed("bake"), failed("bake in local")]});
        assert_eq!(reasons(&run), ["bake: no such image"]);
        assert_eq!(reasons(&json!({"status": "CANCELED"})), ["it is CANCELED"]);
    }
}
