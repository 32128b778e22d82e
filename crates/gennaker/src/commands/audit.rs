//! `gennaker audit …`: who asked a server for what changes something, and whether the log of it was left alone.

use std::process::ExitCode;

use access::audit::Head;
use anyhow::bail;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use store::clock::{Clock, SystemClock};

use crate::client::Gate;
use crate::progress::text;

/// Entries of one answer.
const PAGE: usize = 1000;

/// What can be done with it.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List what was asked for that changes something, the newest last
    #[command(alias = "ls")]
    List {
        /// Show so many of the newest
        #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT")]
        lines: u32,
        /// Only what was asked with the token of this name
        #[arg(long, value_name = "NAME")]
        who: Option<String>,
        /// Only what was asked since then: 90s, 10m, 2h, 3d, or a time as 2027-01-15T08:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        #[command(flatten)]
        gate: Gate,
    },
    /// Check that nobody changed, removed or inserted an entry, and tell the newest
    ///
    /// Keep what it tells where the server cannot write; given again with --head it proves that what was in the log then still is.
    Verify {
        /// The newest entry as it was told before: it has to be in the log still
        #[arg(long, value_name = "NUMBER:DIGEST")]
        head: Option<Head>,
        #[command(flatten)]
        gate: Gate,
    },
}

/// Runs it.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List { lines, who, since, gate } => list(lines, who, since, &gate),
        Verb::Verify { head, gate } => verify(head.as_ref(), &gate),
    }
}

fn list(lines: u32, who: Option<String>, since: Option<String>, gate: &Gate) -> anyhow::Result<ExitCode> {
    let since = since.map(|since| super::logs::since(&since, SystemClock.now())).transpose()?;
    let (client, output) = gate.open()?;
    let mut query = Vec::new();
    query.extend(who.map(|who| ("who", who)));
    query.extend(since.map(|since| ("since", since.as_millisecond().to_string())));
    let found = newest(lines as usize, |page| client.get(&["ui-api", "audit"], &[&query[..], &page].concat()))?;
    if output.format.is_some() {
        output.print(&Value::Array(found))?;
    } else {
        output.lines(&found.iter().rev().map(line).collect::<Vec<_>>())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// So many of the newest entries, the newest first: the server answers with a page at a time.
fn newest(
    count: usize,
    ask: impl Fn(Vec<(&'static str, String)>) -> anyhow::Result<Value>,
) -> anyhow::Result<Vec<Value>> {
    let mut found: Vec<Value> = Vec::new();
    while found.len() < count {
        let mut page = vec![("limit", (count - found.len()).min(PAGE).to_string())];
        page.extend(found.last().map(|last| ("before", last["seq"].to_string())));
        match ask(page)? {
            Value::Array(page) if !page.is_empty() => found.extend(page),
            _ => break,
        }
    }
    Ok(found)
}

fn line(entry: &Value) -> String {
    let (at, who, method, path) = (time(&entry["at"]), text(entry, "who"), text(entry, "method"), text(entry, "path"));
    let (number, status) = (entry["seq"].to_string(), &entry["status"]);
    format!("{number:>6}  {at}  {who}  {method} {path}  {status}  {}", text(entry, "request"))
}

fn time(millis: &Value) -> String {
    let at = millis.as_i64().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    at.map(|at| at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}

fn verify(head: Option<&Head>, gate: &Gate) -> anyhow::Result<ExitCode> {
    let (client, output) = gate.open()?;
    let query: Vec<_> = head.map(|head| ("head", head.to_string())).into_iter().collect();
    let found = client.get(&["ui-api", "audit", "verify"], &query)?;
    if output.format.is_some() {
        output.print(&found)?;
        return Ok(if found["broken"].is_null() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if let Some(broken) = found.get("broken").filter(|broken| !broken.is_null()) {
        bail!("the audit log is broken at number {}: {}", broken["seq"], text(broken, "why"));
    }
    output.lines(&told(&found))?;
    Ok(ExitCode::SUCCESS)
}

fn told(found: &Value) -> Vec<String> {
    let Some(head) = found.get("head").filter(|head| !head.is_null()) else {
        return vec!["the audit log is empty".to_owned()];
    };
    let whole =
        format!("{} entries since {}, none changed, removed or inserted", found["entries"], time(&found["since"]));
    vec![whole, format!("head {}:{}", head["seq"], text(head, "digest"))]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn more_than_an_answer_holds_is_asked_for_page_by_page() {
        let log: Vec<i64> = (1..=2300).rev().collect();
        let ask = |page: Vec<(&'static str, String)>| {
            let asked = |key: &str| page.iter().find(|(name, _)| *name == key).map(|(_, value)| value.parse::<i64>());
            let limit = asked("limit").expect("a limit")? as usize;
            assert!(limit <= PAGE);
            let before = asked("before").unwrap_or(Ok(i64::MAX))?;
            let entries = log.iter().filter(|seq| **seq < before).take(limit);
            Ok(entries.map(|seq| json!({"seq": seq})).collect())
        };
        let seqs = |count| -> Vec<i64> {
            newest(count, ask).expect("answers").iter().filter_map(|entry| entry["seq"].as_i64()).collect()
        };
        assert_eq!(seqs(2100), log[..2100]);
        assert_eq!(seqs(5000), log, "and no more than there is");
        assert!(seqs(0).is_empty());
    }

    #[test]
    fn an_entry_is_a_line_and_a_whole_log_is_two() {
        let entry = json!({"seq": 7, "at": 1_803_902_400_000_i64, "who": "kim", "role": "admin", "method": "POST", "path": "/pipelines",
            "status": 200, "request": "01J", "previous": "", "digest": "ab"});
        assert_eq!(line(&entry), "     7  2027-03-01T12:00:00Z  kim  POST /pipelines  200  01J");
        let found =
            json!({"entries": 7, "since": 1_803_902_400_000_i64, "head": {"seq": 7, "digest": "ab"}, "broken": null});
        let expected = ["7 entries since 2027-03-01T12:00:00Z, none changed, removed or inserted", "head 7:ab"];
        assert_eq!(told(&found), expected);
        assert_eq!(
            told(&json!({"entries": 0, "since": null, "head": null, "broken": null})),
            ["the audit log is empty"]
        );
    }
}
