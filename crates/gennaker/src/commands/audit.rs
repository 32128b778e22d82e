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
    let mut query = vec![("limit", lines.to_string())];
    query.extend(who.map(|who| ("who", who)));
    query.extend(since.map(|since| ("since", since.as_millisecond().to_string())));
    let found = client.get(&["ui-api", "audit"], &query)?;
    if output.format.is_some() {
        output.print(&found)?;
    } else {
        let entries: Vec<String> = found.as_array().into_iter().flatten().rev().map(line).collect();
        output.lines(&entries)?;
    }
    Ok(ExitCode::SUCCESS)
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
