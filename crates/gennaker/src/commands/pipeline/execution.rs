//! `gennaker pipeline execution …`: what pipelines run, looked at, held, judged, cancelled, restarted.

use std::process::ExitCode;

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Value, json};
use store::clock::{Clock, SystemClock};

use super::execute::{Wait, finish};
use crate::client::{Client, Gate, done};
use crate::progress::{self, text};

/// What can be done with executions.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List the newest executions of a pipeline
    #[command(alias = "ls")]
    List(List),
    /// Show an execution: for people in lines, with what waits since when and until when
    Get(One),
    /// Cancel an execution
    Cancel(Cancel),
    /// Hold an execution: what runs runs on, nothing begins
    Pause(One),
    /// Let a held execution go on
    Resume(One),
    /// Run a stage anew, with everything after it
    Restart(Stage),
    /// End a wait or a window, or skip a stage that may be skipped
    Skip(Stage),
    /// Answer a manual judgment
    Judge(Judge),
}

/// Which executions.
#[derive(clap::Args)]
pub struct List {
    /// The pipeline's id
    #[arg(short = 'i', long, value_name = "ID")]
    pipeline_id: String,
    /// The newest so many
    #[arg(short, long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Those that run
    #[arg(long)]
    running: bool,
    /// Those that ended well
    #[arg(long)]
    succeeded: bool,
    /// Those that failed
    #[arg(long)]
    failed: bool,
    /// Those that were cancelled
    #[arg(long)]
    canceled: bool,
    #[command(flatten)]
    gate: Gate,
}

/// One execution.
#[derive(clap::Args)]
pub struct One {
    /// Its id
    #[arg(value_name = "EXECUTION")]
    id: String,
    #[command(flatten)]
    gate: Gate,
}

/// One execution that is to end.
#[derive(clap::Args)]
pub struct Cancel {
    #[command(flatten)]
    one: One,
    /// Why
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,
    /// At once, whatever its stages are at
    #[arg(long)]
    force: bool,
}

/// A stage of an execution.
#[derive(clap::Args)]
pub struct Stage {
    #[command(flatten)]
    one: One,
    /// The stage's name, refId or id; may be left out when only one is meant
    #[arg(short, long, value_name = "STAGE")]
    stage: Option<String>,
    #[command(flatten)]
    wait: Wait,
}

/// An answer to a judgment.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("answer").required(true).args(["go_on", "stop"]))]
pub struct Judge {
    #[command(flatten)]
    stage: Stage,
    /// Let it go on
    #[arg(long = "continue")]
    go_on: bool,
    /// End it
    #[arg(long)]
    stop: bool,
    /// What is chosen, when the judgment offers a choice
    #[arg(long, value_name = "TEXT")]
    input: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Runs the verb.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List(args) => list(&args),
        Verb::Get(args) => get(&args),
        Verb::Cancel(args) => {
            let (client, output) = args.one.gate.open()?;
            let mut query: Vec<(&str, String)> = args.reason.iter().map(|reason| ("reason", reason.clone())).collect();
            query.extend(args.force.then(|| ("force", "true".to_owned())));
            client.send(Method::PUT, &["pipelines", &args.one.id, "cancel"], &query, None)?;
            output.say(format!("the execution {} is cancelled", args.one.id));
            done()
        }
        Verb::Pause(args) => put(&args, "pause", "is held"),
        Verb::Resume(args) => put(&args, "resume", "goes on"),
        Verb::Restart(args) => restart(&args),
        Verb::Skip(args) => skip(&args),
        Verb::Judge(args) => judge(&args),
    }
}

fn list(args: &List) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    let mut statuses = Vec::new();
    for (on, names) in [
        (args.running, "RUNNING"),
        (args.succeeded, "SUCCEEDED,STOPPED,SKIPPED"),
        (args.failed, "TERMINAL,STOPPED,FAILED_CONTINUE"),
        (args.canceled, "CANCELED"),
    ] {
        if on {
            statuses.push(names);
        }
    }
    let mut query = vec![("pipelineConfigIds", args.pipeline_id.clone()), ("statuses", statuses.join(","))];
    query.extend(args.limit.map(|limit| ("limit", limit.to_string())));
    output.print(&client.get(&["executions"], &query)?)?;
    done()
}

fn get(args: &One) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    if output.is_for_people() {
        let run = client.get(&["pipelines", &args.id], &[])?;
        output.lines(&progress::lines(&run, SystemClock.now().as_millisecond()))?;
        return done();
    }
    let found = client.get(&["executions"], &[("executionIds", args.id.clone()), ("limit", "1".into())])?;
    if found.as_array().is_none_or(Vec::is_empty) {
        bail!("there is no execution {}", args.id);
    }
    output.print(&found)?;
    done()
}

fn put(args: &One, what: &str, said: &str) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    client.send(Method::PUT, &["pipelines", &args.id, what], &[], None)?;
    output.say(format!("the execution {} {said}", args.id));
    done()
}

/// The stage that is named, or the only one that can be meant.
fn chosen<'a>(
    run: &'a Value,
    named: Option<&str>,
    fits: impl Fn(&Value) -> bool,
    what: &str,
) -> anyhow::Result<&'a Value> {
    let all = run["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(name) = named {
        let found = all.iter().find(|s| ["id", "refId", "name"].iter().any(|key| text(s, key) == name));
        return found.with_context(|| format!("execution {} has no stage {name}", text(run, "id")));
    }
    let found: Vec<&Value> = all.iter().filter(|s| fits(s)).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => bail!("execution {} has no stage {what}", text(run, "id")),
        several => {
            let names: Vec<&str> = several.iter().map(|s| text(s, "name")).collect();
            bail!("several stages {what}: choose one with --stage: {}", names.join(", "))
        }
    }
}

/// What follows a change: its end, when it is waited for.
fn after(args: &Stage, client: &Client, output: &crate::output::Output, said: &str) -> anyhow::Result<ExitCode> {
    output.say(said);
    if !args.wait.wait {
        return done();
    }
    let (outcome, run) = progress::follow(client, &args.one.id, args.wait.limit()?, output)?;
    finish(output, outcome, &run, args.wait.json)
}

fn restart(args: &Stage) -> anyhow::Result<ExitCode> {
    let (client, output) = args.one.gate.open()?;
    let run = client.get(&["pipelines", &args.one.id], &[])?;
    let failed =
        |s: &Value| s["parentStageId"].is_null() && matches!(text(s, "status"), "TERMINAL" | "CANCELED" | "STOPPED");
    let stage = chosen(&run, args.stage.as_deref(), failed, "that failed")?;
    let path = ["pipelines", &args.one.id, "stages", text(stage, "id"), "restart"];
    client.send(Method::PUT, &path, &[], Some(&json!({})))?;
    after(args, &client, &output, &format!("{} runs anew", text(stage, "name")))
}

/// Stages whose waiting ends by this key.
fn is_wait(stage: &Value) -> bool {
    matches!(text(stage, "type"), "wait" | "waitUntil" | "restrictExecutionDuringTimeWindow")
}

fn skip(args: &Stage) -> anyhow::Result<ExitCode> {
    let (client, output) = args.one.gate.open()?;
    let run = client.get(&["pipelines", &args.one.id], &[])?;
    let waits = |s: &Value| text(s, "status") == "RUNNING" && is_wait(s);
    let stage = chosen(&run, args.stage.as_deref(), waits, "that waits")?;
    let all = run["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
    // What waits may be the stage's window, a stage before it.
    let window = all.iter().find(|s| text(s, "parentStageId") == text(stage, "id") && waits(s));
    let target = window.unwrap_or(stage);
    let change = if is_wait(target) { json!({"skipRemainingWait": true}) } else { json!({"manualSkip": true}) };
    let path = ["pipelines", &args.one.id, "stages", text(target, "id")];
    client.send(Method::PATCH, &path, &[], Some(&change))?;
    after(args, &client, &output, &format!("{} is skipped", text(stage, "name")))
}

fn judge(args: &Judge) -> anyhow::Result<ExitCode> {
    let (client, output) = args.stage.one.gate.open()?;
    let id = &args.stage.one.id;
    let run = client.get(&["pipelines", id], &[])?;
    let asks = |s: &Value| text(s, "type") == "manualJudgment" && text(s, "status") == "RUNNING";
    let stage = chosen(&run, args.stage.stage.as_deref(), asks, "that asks for a judgment")?;
    let word = if args.go_on { "continue" } else { "stop" };
    let mut change = json!({ "judgmentStatus": word });
    if let Some(input) = &args.input {
        change["judgmentInput"] = json!(input);
    }
    if let Some(comment) = &args.comment {
        change["judgmentComment"] = json!(comment);
    }
    client.send(Method::PATCH, &["pipelines", id, "stages", text(stage, "id")], &[], Some(&change))?;
    after(&args.stage, &client, &output, &format!("{}: {word}", text(stage, "name")))
}
