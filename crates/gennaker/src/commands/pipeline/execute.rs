//! `gennaker pipeline execute`: starts a pipeline and, when asked to, waits for its end.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::client::{Gate, done, read_object};
use crate::progress::{self, Outcome};

/// Which pipeline, with what.
#[derive(clap::Args)]
pub struct Args {
    /// The application
    #[arg(short, long, value_name = "APPLICATION")]
    application: String,
    /// The pipeline's name
    #[arg(short, long, value_name = "NAME")]
    name: String,
    /// A parameter, as in version=1.2
    #[arg(short, long, value_name = "NAME=VALUE")]
    parameter: Vec<String>,
    /// A file with parameters as JSON
    #[arg(short = 'f', long, value_name = "FILE")]
    parameter_file: Option<PathBuf>,
    /// A file with artifacts as JSON: {"artifacts": [...]}
    #[arg(short = 't', long, value_name = "FILE")]
    artifacts_file: Option<PathBuf>,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    gate: Gate,
}

/// Whether its end is waited for.
#[derive(clap::Args)]
pub struct Wait {
    /// Wait for its end, and tell on standard error how far it is. Exit code 0: done, 1: failed, 3: a person has to answer, 4: a guard or window
    /// holds it
    #[arg(long)]
    pub wait: bool,
    /// Wait no longer than this, as in 90s, 10m or 2h
    #[arg(long, value_name = "TIME", requires = "wait")]
    pub timeout: Option<String>,
    /// Print one JSON object for machines: the reference, or the execution when it was waited for
    #[arg(long)]
    pub json: bool,
}

impl Wait {
    /// How long is waited.
    pub fn limit(&self) -> anyhow::Result<Option<SignedDuration>> {
        let Some(text) = &self.timeout else { return Ok(None) };
        let seconds = text.parse::<u32>().ok().map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
        let limit = seconds.or_else(|| text.parse::<SignedDuration>().ok()).filter(|limit| !limit.is_negative());
        limit.map(Some).with_context(|| format!("--timeout {text} is no time; write 90s, 10m or 2h"))
    }
}

/// Starts it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let limit = args.wait.limit()?;
    let trigger = trigger(&args)?;
    let (client, output) = args.gate.open()?;
    let started =
        client.send(Method::POST, &["pipelines", &args.application, &args.name], &[], Some(&Value::Object(trigger)))?;
    let reference = started["ref"].as_str().unwrap_or_default();
    let id = reference.rsplit('/').next().unwrap_or_default();
    let page = client.page(&format!("/applications/{}/runs/{id}", args.application));
    output.say(format!("the pipeline {} has started: {page}", args.name));
    if !args.wait.wait {
        if args.wait.json || output.format.is_some() {
            output.print(&json!({"ref": reference, "id": id}))?;
        } else {
            println!("{id}");
        }
        return done();
    }
    let (outcome, run) = progress::follow(&client, id, limit, &output)?;
    finish(&output, outcome, &run, args.wait.json)
}

/// Tells what came out, and gives the exit code.
pub fn finish(output: &crate::output::Output, outcome: Outcome, run: &Value, json: bool) -> anyhow::Result<ExitCode> {
    let id = run["id"].as_str().unwrap_or_default();
    if json || output.format.is_some() {
        output.print(run)?;
    } else {
        println!("{id}");
    }
    match outcome {
        Outcome::Done => output.say("done"),
        Outcome::Failed | Outcome::Refused if !run["endTime"].is_null() => {
            progress::reasons(run).iter().for_each(|line| eprintln!("gennaker: {}", crate::output::inert(line)));
        }
        Outcome::Failed => {}
        Outcome::Person => {
            output.say(format!("a person has to answer: gennaker pipeline execution judge {id} --continue, or --stop"))
        }
        Outcome::Refused => output.say(format!(
            "its window is not open; it goes on when it is, or at once with gennaker pipeline execution skip {id}"
        )),
        Outcome::Late => eprintln!("gennaker: execution {id} is not over in the time given; it goes on"),
    }
    Ok(outcome.code())
}

fn trigger(args: &Args) -> anyhow::Result<Map<String, Value>> {
    let mut parameters = match &args.parameter_file {
        Some(file) => read_object(file)?,
        None => Map::new(),
    };
    for one in args.parameter.iter().flat_map(|text| pairs(text)) {
        let (name, value) = one.split_once('=').with_context(|| format!("--parameter {one} must be NAME=VALUE"))?;
        parameters.insert(name.to_owned(), json!(value));
    }
    let mut trigger = Map::from_iter([("type".to_owned(), json!("manual"))]);
    trigger.insert("parameters".into(), Value::Object(parameters));
    if let Some(file) = &args.artifacts_file {
        let artifacts = read_object(file)?.get("artifacts").cloned();
        let artifacts = artifacts.filter(Value::is_array);
        let missing = || format!("{} needs \"artifacts\": a list", file.display());
        trigger.insert("artifacts".into(), artifacts.with_context(missing)?);
    }
    Ok(trigger)
}

/// `a=1,b=2` is two parameters, `a=1,2` is one.
fn pairs(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = text.split(',').collect();
    if parts.iter().all(|part| part.contains('=')) { parts } else { vec![text] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_parameters_may_stand_in_one_flag() {
        assert_eq!(pairs("a=1,b=2"), ["a=1", "b=2"]);
        assert_eq!(pairs("a=1,2"), ["a=1,2"]);
        assert_eq!(pairs("a"), ["a"]);
    }

    #[test]
    fn a_time_is_written_as_people_do() {
        for (text, seconds) in
            [("90", Some(90)), ("90s", Some(90)), ("10m", Some(600)), ("2h", Some(7200)), ("soon", None), ("-1s", None)]
        {
            let wait = Wait { wait: true, timeout: Some(text.to_owned()), json: false };
            let limit = wait.limit().ok().flatten().map(|limit| limit.as_secs());
            assert_eq!(limit, seconds, "{text}");
        }
    }
}
