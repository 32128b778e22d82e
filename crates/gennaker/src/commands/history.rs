//! What was saved of a thing, shown and had back: what the nouns of the command line share.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::output::Output;

mod diff;

/// How much of a history is shown.
#[derive(clap::Args)]
pub struct Shown {
    /// The newest so many states
    #[arg(short, long, value_name = "COUNT", default_value_t = 20)]
    limit: usize,
    /// Show one state whole
    #[arg(long, value_name = "NUMBER")]
    revision: Option<i64>,
    /// Show what changed in a state, or between two, as in 3 or 1..3
    #[arg(long, value_name = "NUMBERS", conflicts_with = "revision")]
    diff: Option<String>,
}

/// Shows the history at this address.
pub fn show(
    client: &Client,
    output: &Output,
    path: &[&str],
    query: &[(&str, String)],
    past: &Shown,
) -> anyhow::Result<()> {
    let one = |number: i64| {
        let number = number.to_string();
        let mut path = path.to_vec();
        path.push(&number);
        client.get(&path, query)
    };
    if let Some(number) = past.revision {
        return output.print(&one(number)?);
    }
    if let Some(asked) = &past.diff {
        let (from, to) = diff::range(asked)?;
        let before = if from > 0 { one(from)? } else { json!({}) };
        return output.lines(&diff::unified(&before, &one(to)?, from, to)?);
    }
    let mut query = query.to_vec();
    query.push(("limit", past.limit.to_string()));
    let states = client.get(path, &query)?;
    if output.is_for_people() {
        return output.lines(&states.as_array().into_iter().flatten().map(line).collect::<Vec<_>>());
    }
    output.print(&states)
}

/// `  3  2027-03-01 12:00:00  ann  deleted`
fn line(state: &Value) -> String {
    let at = state["updateTs"].as_str().and_then(|at| at.parse().ok()).map(Timestamp::from_millisecond);
    let at = match at {
        Some(Ok(at)) => at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        _ => String::new(),
    };
    let gone = if state["deleted"] == true { "  deleted" } else { "" };
    let number = state["revision"].as_i64().unwrap_or_default();
    format!("{number:>4}  {at}  {}{gone}", state["lastModifiedBy"].as_str().unwrap_or_default())
}

/// Makes the thing at this address what it was.
pub fn restore(
    client: &Client,
    output: &Output,
    path: &[&str],
    query: &[(&str, String)],
    number: i64,
) -> anyhow::Result<()> {
    let text = number.to_string();
    let mut path = path.to_vec();
    path.extend([text.as_str(), "restore"]);
    let saved = client.send(Method::POST, &path, query, None)?;
    output.print(&saved)?;
    output.say(format!("it is again what it was as revision {number}"));
    Ok(())
}
