//! The verbs of the command line, one file each. Here: which there are, and what exit code a failure has.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

mod completion;
mod dataplane;
mod demo;
mod down;
mod expression;
mod launch;
mod logs;
mod openapi;
mod pipeline;
pub mod serve;
mod status;
mod stop;
mod token;

/// Takes software from source to production: Debian repositories, images, pipelines, deployments, traffic.
#[derive(Parser)]
#[command(name = "gennaker", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

/// One line a verb, in the order in which a newcomer meets them.
#[derive(Subcommand)]
enum Verb {
    /// Walk the whole story on this machine, from packages to traffic
    Demo(demo::Args),
    /// Run the server: the page, the API, pipelines and triggers
    Serve(serve::Args),
    /// Keep Debian repositories: every command of aptly (a link named aptly does the same)
    #[command(disable_help_flag = true)]
    Apt {
        /// A command of aptly and its flags; `gennaker apt help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Show what runs on this machine
    Status(status::Args),
    /// End the server; instances and balancers go on running
    Stop(stop::Args),
    /// End instances and balancers, of one application or all
    Down(down::Args),
    /// Show what instances write
    Logs(logs::Args),
    /// Make tokens for callers that come over the network
    #[command(subcommand)]
    Token(token::Verb),
    /// Look at pipelines before they run
    #[command(subcommand)]
    Pipeline(pipeline::Verb),
    /// Evaluate ${…} as pipelines do
    #[command(subcommand)]
    Expression(expression::Verb),
    /// Print the API's OpenAPI document
    Openapi,
    /// Carry traffic and keep instances running; started by `serve`
    #[command(hide = true)]
    Dataplane(dataplane::Args),
    /// Be a process of an instance; started by the data plane
    #[command(hide = true)]
    Launch(launch::Args),
    /// Print the completion script of a shell
    Completion(completion::Args),
}

/// Runs the command line `args` (program name first) and gives the exit code: 0 done, 1 failed, 2 misused.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help to stdout and misuse to stderr; a closed pipe is no reason to fail louder.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match cli.verb {
        Verb::Demo(args) => demo::run(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Apt { words } => Ok(crate::aptly::main(std::iter::once("apt".into()).chain(words).collect())),
        Verb::Status(args) => status::run(args),
        Verb::Stop(args) => stop::run(args),
        Verb::Pipeline(verb) => pipeline::run(verb),
        Verb::Expression(verb) => expression::run(verb),
        Verb::Down(args) => down::run(args),
        Verb::Logs(args) => logs::run(args),
        Verb::Token(verb) => token::run(verb),
        Verb::Openapi => openapi::run(),
        Verb::Dataplane(args) => dataplane::run(args),
        Verb::Launch(args) => launch::run(args),
        Verb::Completion(args) => completion::run(args, &mut Cli::command()),
    };
    done.unwrap_or_else(|error| {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe) {
            // Whoever read our output has enough of it.
            return ExitCode::SUCCESS;
        }
        eprintln!("gennaker: {error:#}");
        ExitCode::FAILURE
    })
}
