//! `gennaker expression evaluate`: what `${…}` comes to in an execution, for people and for files of recorded cases.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use pipeline::evaluate::{self, Given};
use serde_json::Value;
use store::clock::{Clock as _, SystemClock};

pub mod cases;

/// What can be done with expressions.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Print what a text with ${…} comes to; exit code 1 when something in it failed
    Evaluate(Args),
}

/// Either a text in an execution, or a file of cases.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["text", "cases"]))]
pub struct Args {
    /// A text with ${…}, evaluated as in a pipeline
    #[arg(requires = "execution")]
    text: Option<String>,
    /// The execution as JSON, as GET /pipelines/ID gives it
    #[arg(long, value_name = "FILE")]
    execution: Option<PathBuf>,
    /// The refId of the stage that is evaluated; without one only the execution and its trigger are in scope
    #[arg(long, value_name = "REF")]
    stage: Option<String>,
    /// Let unknown names fail, as at the start of a pipeline
    #[arg(long)]
    strict: bool,
    /// Evaluate every case of a file of recorded cases
    #[arg(long, value_name = "FILE", conflicts_with_all = ["execution", "stage", "strict"])]
    cases: Option<PathBuf>,
    /// Print one line of JSON a case
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    let Verb::Evaluate(args) = verb;
    match (&args.cases, &args.text, &args.execution) {
        (Some(file), _, _) => run_cases(file),
        (None, Some(text), Some(execution)) => run_text(text, execution, &args),
        _ => bail!("name a file of cases, or an execution and a text"),
    }
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))
}

fn run_cases(file: &Path) -> anyhow::Result<ExitCode> {
    let given = Given { now: SystemClock.now(), seed: 1, ..Given::default() };
    for line in cases::evaluate(&read(file)?, &given) {
        println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

fn run_text(text: &str, execution: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let execution = read(execution)?;
    if let Some(reference) = &args.stage
        && !has_stage(&execution, reference)
    {
        bail!("the execution has no stage with refId '{reference}'");
    }
    let given = Given { now: SystemClock.now(), seed: SystemClock.now().as_nanosecond() as u64, ..Given::default() };
    let input = Value::String(text.to_owned());
    let done = evaluate::process(&execution, args.stage.as_deref(), &input, !args.strict, &given);
    match &done.value {
        Value::String(text) if !args.json => println!("{text}"),
        other if args.json => println!("{other}"),
        other => println!("{other:#}"),
    }
    for failed in &done.failed {
        eprintln!("{}", failed.place.as_ref().unwrap_or(&failed.description));
    }
    Ok(if done.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn has_stage(execution: &Value, reference: &str) -> bool {
    let stages = execution.get("stages").and_then(Value::as_array);
    stages
        .is_some_and(|stages| stages.iter().any(|stage| stage.get("refId").and_then(Value::as_str) == Some(reference)))
}
