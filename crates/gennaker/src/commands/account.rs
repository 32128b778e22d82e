//! `gennaker account …` and `gennaker whoami`.

use std::process::ExitCode;

use crate::client::{Gate, done};

/// What can be done with accounts.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List the accounts that can be deployed to
    #[command(alias = "ls")]
    List(Gate),
    /// Show an account
    Get(Get),
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
    }
    done()
}

/// Shows who the server takes the caller for.
pub fn whoami(gate: Gate) -> anyhow::Result<ExitCode> {
    let (client, output) = gate.open()?;
    output.print(&client.get(&["auth", "user"], &[])?)?;
    done()
}
