//! `gennaker deployment`: what a deployment did to its users.

mod page;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::Value;

use crate::client::{Gate, done};
use crate::progress::text;

/// What can be asked of deployments.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Show what users had of a deployment: requests, failures and latencies of old and new
    Report(Report),
}

/// Which deployment.
#[derive(clap::Args)]
pub struct Report {
    /// The execution that deployed: a pipeline's, or a task's
    #[arg(value_name = "ID")]
    id: String,
    /// Write it as one HTML file with the picture, second by second
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    gate: Gate,
}

/// Runs `gennaker deployment`.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    let Verb::Report(args) = verb;
    let (client, output) = args.gate.open()?;
    let report = client.get(&["executions", &args.id, "deploymentReport"], &[])?;
    if let Some(file) = &args.html {
        std::fs::write(file, page::page(&report)).with_context(|| format!("cannot write {}", file.display()))?;
        output.say(format!("wrote {}", file.display()));
        return done();
    }
    if output.is_for_people() {
        output.lines(&lines(&report))?
    } else {
        output.print(&report)?
    }
    done()
}

/// A moment of a report, as a person reads it; nothing where there is none.
fn clock(ms: &Value) -> String {
    let at = ms.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map(|at| at.strftime("%H:%M:%S%.3f").to_string()).unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn millis(us: &Value) -> String {
    format!("{:.1} ms", number(us) as f64 / 1000.0)
}

/// How long something took that has ended.
fn took(what: &Value) -> Option<String> {
    let (start, end) = what["startTime"].as_i64().zip(what["endTime"].as_i64())?;
    Some(format!("{:.1} s", (end - start) as f64 / 1000.0))
}

/// A part of a report that is a list.
fn list<'a>(of: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    of[key].as_array().into_iter().flatten()
}

/// The first line: what it was and how it ended.
fn headline(report: &Value) -> String {
    let took = took(report).map_or_else(|| ", still running".to_owned(), |took| format!(" after {took}"));
    let day = report["startTime"].as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let day = day.map(|day| day.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default();
    format!("{} of {}, {day}: {}{took}", text(report, "name"), text(report, "application"), text(report, "status"))
}

/// What users had altogether, in one sentence.
pub(super) fn verdict(report: &Value) -> String {
    let total = &report["total"];
    let (requests, failures) = (number(&total["requests"]), number(&total["failures"]));
    let retries = number(&total["retries"]);
    match requests {
        0 => "no requests were measured".to_owned(),
        _ => format!("{requests} requests, {failures} failed, {retries} sent again"),
    }
}

fn lines(report: &Value) -> Vec<String> {
    let mut out = vec![headline(report), verdict(report)];
    for balancer in list(report, "loadBalancers") {
        out.push(String::new());
        out.push(format!(
            "load balancer {} ({}/{})",
            text(balancer, "name"),
            text(balancer, "account"),
            text(balancer, "region")
        ));
        out.push(format!(
            "  {:<32} {:<9} {:>10} {:>8} {:>8} {:>10} {:>10} {:>10}",
            "server group", "", "requests", "failed", "again", "p50", "p99", "slowest"
        ));
        for group in list(balancer, "groups") {
            let total = &group["total"];
            out.push(format!(
                "  {:<32} {:<9} {:>10} {:>8} {:>8} {:>10} {:>10} {:>10}",
                text(group, "serverGroup"),
                text(group, "role"),
                number(&total["requests"]),
                number(&total["failures"]),
                number(&total["retries"]),
                millis(&total["p50Us"]),
                millis(&total["p99Us"]),
                millis(&total["maxUs"]),
            ));
        }
        let unserved: u64 = list(balancer, "unserved").map(|one| number(&one["requests"])).sum();
        if unserved > 0 {
            out.push(format!("  {unserved} requests found nobody who could take them"));
        }
    }
    out.push(String::new());
    out.push("steps".to_owned());
    for step in list(report, "steps") {
        let took = took(step).unwrap_or_default();
        let indent = if step["inside"] == true { "  " } else { "" };
        out.push(format!(
            "  {} {took:>9} {:<12} {indent}{}",
            clock(&step["startTime"]),
            text(step, "status"),
            text(step, "name")
        ));
    }
    for note in list(report, "notes") {
        out.push(format!("note: {}", note.as_str().unwrap_or_default()));
    }
    out
}

#[cfg(test)]
mod tests;
