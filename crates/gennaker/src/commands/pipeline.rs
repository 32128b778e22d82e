//! `gennaker pipeline …`: pipelines, on a server or in a file. One file a verb, or a few that belong together.

use std::process::ExitCode;

mod document;
mod execute;
mod execution;
mod kept;
mod plan;
mod saved;
mod validate;

/// What can be done with pipelines.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List the pipelines of an application
    #[command(alias = "ls")]
    List(kept::List),
    /// Show a pipeline
    Get(kept::Named),
    /// Make or change a pipeline
    Save(kept::Save),
    /// Switch a pipeline on or off
    Update(kept::Update),
    /// Delete a pipeline
    #[command(alias = "del")]
    Delete(kept::Named),
    /// Start a pipeline
    #[command(alias = "exec")]
    Execute(execute::Args),
    /// Look at what pipelines run, and have a say in it
    #[command(subcommand, alias = "executions", alias = "ex")]
    Execution(execution::Verb),
    /// Show what was saved of a pipeline, when and by whom
    History(kept::Past),
    /// Make a pipeline what it was; also one that was deleted
    Restore(kept::Restore),
    /// Look for what is wrong in files of pipelines, without running them
    Validate(validate::Args),
    /// Tell what a pipeline would do if it were started now; nothing is started
    Plan(plan::Args),
}

/// Runs the verb.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List(args) => kept::list(args),
        Verb::Get(args) => kept::get(args),
        Verb::Save(args) => kept::save(args),
        Verb::Update(args) => kept::update(args),
        Verb::Delete(args) => kept::delete(args),
        Verb::Execute(args) => execute::run(args),
        Verb::Execution(verb) => execution::run(verb),
        Verb::History(args) => kept::history(args),
        Verb::Restore(args) => kept::restore(args),
        Verb::Validate(args) => validate::run(args),
        Verb::Plan(args) => plan::run(args),
    }
}
