//! `gennaker account …` and `gennaker whoami`.

mod add;

use std::process::ExitCode;

use serde_json::Value;

use crate::client::{Client, Gate, done};
use crate::progress::text;

/// What can be done with accounts.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List the accounts that can be deployed to
    #[command(alias = "ls")]
    List(Gate),
    /// Show an account
    Get(Get),
    /// Write a further account of this machine into the configuration
    Add(add::Args),
    /// Ask accounts whether they answer; ends with 1 when one does not
    Check {
        /// Which; all without it
        #[arg(value_name = "ACCOUNT")]
        names: Vec<String>,
        #[command(flatten)]
        gate: Gate,
    },
}

/// One account.
#[derive(clap::Args)]
pub struct Get {
    /// Its name
    #[arg(value_name = "ACCOUNT")]
    name: String,
    #[command(flatten)]
    gate: Gate,
}

/// Runs the verb.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List(gate) => {
            let (client, output) = gate.open()?;
            output.print(&client.get(&["credentials"], &[])?)?;
        }
        Verb::Get(args) => {
            let (client, output) = args.gate.open()?;
            output.print(&client.get(&["credentials", &args.name], &[])?)?;
        }
        Verb::Add(args) => return add::run(args),
        Verb::Check { names, gate } => return check(names, &gate),
    }
    done()
}

fn check(names: Vec<String>, gate: &Gate) -> anyhow::Result<ExitCode> {
    let (client, output) = gate.open()?;
    let names = if names.is_empty() { all(&client)? } else { names };
    let ask = |name: &String| client.get(&["ui-api", "accounts", name, "health"], &[]);
    let found = names.iter().map(ask).collect::<anyhow::Result<Vec<Value>>>()?;
    let well = found.iter().all(|one| text(one, "status") == "UP");
    if output.format.is_some() {
        output.print(&Value::Array(found))?;
    } else {
        output.lines(&found.iter().map(line).collect::<Vec<_>>())?;
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn all(client: &Client) -> anyhow::Result<Vec<String>> {
    let accounts = client.get(&["credentials"], &[])?;
    Ok(accounts.as_array().into_iter().flatten().map(|one| text(one, "name").to_owned()).collect())
}

fn line(health: &Value) -> String {
    let name = text(health, "account");
    match text(health, "status") {
        "UP" => format!("{name}: it answers, within {} ms", health["millis"]),
        _ => format!("{name}: {}", text(health, "why")),
    }
}

/// Shows who the server takes the caller for.
pub fn whoami(gate: Gate) -> anyhow::Result<ExitCode> {
    let (client, output) = gate.open()?;
    output.print(&client.get(&["auth", "user"], &[])?)?;
    done()
}
