//! `gennaker task`: any operation that a stage can do, as one command.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use store::clock::{Clock, SystemClock};

use crate::client::{Gate, done, read_object};
use crate::output::Output;
use crate::progress::{self, text};

/// What can be done with tasks.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Do what a stage of this type does, and wait until it is done
    Run(Run),
    /// Show a task
    Get(Get),
}

/// Which operation.
#[derive(clap::Args)]
pub struct Run {
    /// The stage type: resizeServerGroup, upsertLoadBalancer, shareTraffic …
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Its fields; a value that is JSON is taken as such, any other as text
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// The application that it is for
    #[arg(short, long)]
    application: String,
    /// Take fields from a JSON file, or from - for standard input; those that are named win
    #[arg(short, long)]
    file: Option<PathBuf>,
    /// Why
    #[arg(short = 'm', long)]
    reason: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

/// Which task.
#[derive(clap::Args)]
pub struct Get {
    /// Its id
    id: String,
    #[command(flatten)]
    gate: Gate,
}

/// Runs `gennaker task`.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Run(args) => start(&args),
        Verb::Get(args) => {
            let (client, output) = args.gate.open()?;
            show(&output, &client.get(&["tasks", &args.id], &[])?)?;
            done()
        }
    }
}

fn start(args: &Run) -> anyhow::Result<ExitCode> {
    let mut job = match &args.file {
        Some(file) => read_object(file)?.into_iter().collect(),
        None => Map::new(),
    };
    job.extend(fields(&args.fields)?);
    job.insert("type".into(), json!(args.kind));
    if let Some(reason) = &args.reason {
        job.insert("reason".into(), json!(reason));
    }
    let (client, output) = args.gate.open()?;
    let description = format!("{} by gennaker task", args.kind);
    let task = client.task(&json!({"application": args.application, "description": description, "job": [job]}))?;
    output.say(format!("{}: {}", args.kind, text(&task, "status")));
    show(&output, &task)?;
    done()
}

/// A task as text for whoever looks, and whole for programs.
fn show(output: &Output, task: &Value) -> anyhow::Result<()> {
    if output.is_for_people() {
        return output.lines(&progress::lines(&task["execution"], SystemClock.now().as_millisecond()));
    }
    output.print(task)
}

/// Pure: `FIELD=VALUE`s as JSON. A dot in a name leads into an object: `capacity.desired=3`.
fn fields(given: &[String]) -> anyhow::Result<Map<String, Value>> {
    let mut all = Map::new();
    for one in given {
        let (path, value) = one.split_once('=').with_context(|| format!("{one} is no FIELD=VALUE"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        let mut into = &mut all;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            if part.is_empty() {
                bail!("{one}: the name of a field is missing");
            }
            if parts.peek().is_none() {
                into.insert(part.to_owned(), value);
                break;
            }
            let inner = into.entry(part.to_owned()).or_insert_with(|| json!({}));
            into = inner.as_object_mut().with_context(|| format!("{one}: {part} is no object"))?;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[&str]) -> anyhow::Result<Value> {
        fields(&given.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()).map(Value::Object)
    }

    #[test]
    fn fields_are_json_or_text_and_dots_lead_into_objects() {
        let read_well = |given: &[&str]| read(given).expect("reads");
        assert_eq!(
            read_well(&[
                "region=local",
                "capacity.desired=3",
                "capacity.max=4",
                "loadBalancers=[\"front\"]",
                "version=\"1\"",
                "url=a=b"
            ]),
            json!({"region": "local", "capacity": {"desired": 3, "max": 4}, "loadBalancers": ["front"], "version": "1", "url": "a=b"})
        );
        for wrong in [&["region"][..], &["=1"], &["a..b=1"], &["a=1", "a.b=2"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
