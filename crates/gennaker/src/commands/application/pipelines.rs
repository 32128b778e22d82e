//! `gennaker application pipelines …`: what an application's pipelines run.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::Value;

use crate::client::{Gate, done};

/// What can be done.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Show the executions of an application's pipelines
    Get(Get),
    /// Cancel an execution
    Cancel(Cancel),
    /// Cancel every execution of an application that has not ended
    CancelAll(CancelAll),
}

/// Which executions.
#[derive(clap::Args)]
pub struct Get {
    /// The application
    #[arg(short, long, value_name = "APPLICATION")]
    application: String,
    /// With one of these statuses, as in RUNNING,PAUSED
    #[arg(short, long, value_name = "STATUSES")]
    status: Option<String>,
    /// With the data of their stages
    #[arg(short = 'x', long)]
    expand: bool,
    #[command(flatten)]
    gate: Gate,
}

/// Which execution, and why.
#[derive(clap::Args)]
pub struct Cancel {
    /// The execution's id
    #[arg(short, long, value_name = "ID")]
    id: String,
    /// Why
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

/// Whose executions, and why.
#[derive(clap::Args)]
pub struct CancelAll {
    /// The application
    #[arg(short, long, value_name = "APPLICATION")]
    application: String,
    /// Only those with one of these statuses
    #[arg(short, long, value_name = "STATUSES", default_value = "RUNNING,PAUSED,NOT_STARTED,SUSPENDED")]
    status: String,
    /// Why
    #[arg(short, long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

fn why(reason: Option<&String>) -> Vec<(&'static str, String)> {
    reason.map(|reason| ("reason", reason.clone())).into_iter().collect()
}

/// Runs the verb.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Get(args) => {
            let (client, output) = args.gate.open()?;
            let query =
                [("statuses", args.status.unwrap_or_default().to_uppercase()), ("expand", args.expand.to_string())];
            output.print(&client.get(&["applications", &args.application, "pipelines"], &query)?)?;
        }
        Verb::Cancel(args) => {
            let (client, output) = args.gate.open()?;
            client.send(Method::PUT, &["pipelines", &args.id, "cancel"], &why(args.reason.as_ref()), None)?;
            output.say(format!("the execution {} is cancelled", args.id));
        }
        Verb::CancelAll(args) => {
            let (client, output) = args.gate.open()?;
            let query =
                [("statuses", args.status.to_uppercase()), ("expand", "false".into()), ("limit", "1000".into())];
            let runs = client.get(&["applications", &args.application, "pipelines"], &query)?;
            let ids: Vec<&str> = runs.as_array().into_iter().flatten().filter_map(|run| run["id"].as_str()).collect();
            for id in &ids {
                client.send(Method::PUT, &["pipelines", id, "cancel"], &why(args.reason.as_ref()), None)?;
            }
            output.print(&Value::from(ids.clone()))?;
            output.say(format!("{} executions are cancelled", ids.len()));
        }
    }
    done()
}
