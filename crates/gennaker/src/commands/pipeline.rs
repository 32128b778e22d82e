//! `gennaker pipeline …`: pipelines, on a server or in a file. One file a verb.

use std::process::ExitCode;

mod document;
mod plan;
mod saved;
mod validate;

/// What can be done with pipelines.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Look for what is wrong in files of pipelines, without running them
    Validate(validate::Args),
    /// Tell what a pipeline would do if it were started now; nothing is started
    Plan(plan::Args),
}

/// Runs the verb.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Validate(args) => validate::run(args),
        Verb::Plan(args) => plan::run(args),
    }
}
