//! `gennaker pipeline plan`: what a pipeline would do, as a tree that a person can read, or as JSON.

mod tree;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use pipeline::evaluate::Given;
use pipeline::forecast::{self, Ask};
use pipeline::validate::{self, Finding, Form, Severity};
use serde_json::{Map, Value, json};
use stages::infrastructure::CloudOutlook;
use store::clock::{Clock as _, SystemClock};

use super::document;
use super::saved::Server;

/// Which pipeline, started how.
#[derive(clap::Args)]
pub struct Args {
    /// A file of JSON (or YAML) with a pipeline; - is the standard input
    file: PathBuf,
    /// A parameter of the start, as in version=1.2
    #[arg(long, short, value_name = "NAME=VALUE")]
    parameter: Vec<String>,
    /// The trigger as JSON, as an execution shows it
    #[arg(long, value_name = "FILE")]
    trigger: Option<PathBuf>,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

/// Runs the command: 0 when it could be started so, 1 when not.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let text = document::read(&args.file)?;
    let registry = stages::types();
    let (read, mut findings) = validate::text(&text, &registry, None);
    let name = document::called(&args.file);
    let config = match (validate::form(&read.value), &read.value) {
        (Form::Pipeline | Form::Templated, Value::Object(config)) => config.clone(),
        (Form::Wrapped, file) => one(&file["pipeline"], &name)?,
        (Form::Pipelines, Value::Array(list)) if list.len() == 1 => one(&list[0], &name)?,
        (Form::Dinghyfile, file) => match file["pipelines"].as_array().map(Vec::as_slice) {
            Some([only]) => one(only, &name)?,
            _ => bail!("{} holds several pipelines: a plan is of one", name.display()),
        },
        (Form::Pipelines, _) => bail!("{} holds several pipelines: a plan is of one", name.display()),
        _ => Map::new(),
    };
    let trigger = trigger(&args)?;
    let plan = if config.is_empty() {
        json!({"stages": [], "notes": []})
    } else if args.server.address().is_some() {
        let body = json!({"pipeline": config, "trigger": trigger});
        let answer = args.server.ask(reqwest::Method::POST, "/pipelines/plan", Some(&body))?;
        findings = serde_json::from_value(answer["findings"].clone()).unwrap_or(findings);
        answer
    } else {
        let given = Given { now: SystemClock.now(), ..Given::default() };
        let look = CloudOutlook::unasked(given.now);
        match forecast::forecast(&Ask {
            config: &config,
            trigger: &trigger,
            registry: &registry,
            given,
            outlook: Some(&look),
        }) {
            Ok(mut plan) => {
                if validate::form(&read.value) == Form::Templated {
                    let note = "its template's stages are missing: --server names the server that has the template";
                    plan.notes.push(note.into());
                }
                json!(plan)
            }
            Err(error) => {
                if !document::fails(&findings) {
                    let message = error.to_string();
                    findings.push(Finding {
                        severity: Severity::Error,
                        path: "$".into(),
                        message,
                        help: String::new(),
                    });
                }
                json!({"stages": [], "notes": []})
            }
        }
    };
    let fails = document::fails(&findings);
    if args.json {
        let mut plan = plan;
        plan["findings"] = json!(findings);
        println!("{plan:#}");
    } else {
        let colour = std::io::stdout().is_terminal();
        let shown: Vec<Finding> = findings.into_iter().filter(|f| f.severity != Severity::Hint).collect();
        document::print(&args.file, &text, &read, &shown, colour);
        tree::print(&plan, colour);
    }
    Ok(ExitCode::from(u8::from(fails)))
}

fn one(value: &Value, file: &std::path::Path) -> anyhow::Result<Map<String, Value>> {
    value.as_object().cloned().with_context(|| format!("{} holds no pipeline", file.display()))
}

/// The trigger of the file, with the parameters of the command line.
fn trigger(args: &Args) -> anyhow::Result<Map<String, Value>> {
    let mut trigger = match &args.trigger {
        None => Map::new(),
        Some(file) => {
            let text = document::read(file)?;
            let value: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?;
            // A whole execution has its trigger inside.
            let inner = value.get("trigger").filter(|t| t.is_object()).cloned().unwrap_or(value);
            inner.as_object().cloned().with_context(|| format!("{} holds no trigger", file.display()))?
        }
    };
    let mut parameters = trigger.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    for one in &args.parameter {
        let (name, value) = one.split_once('=').with_context(|| format!("\"{one}\" is no NAME=VALUE"))?;
        parameters.insert(name.to_owned(), json!(value));
    }
    if !parameters.is_empty() {
        trigger.insert("parameters".into(), Value::Object(parameters));
    }
    Ok(trigger)
}
