//! The verbs of the command line, one file each. Here: which there are, and what exit code a failure has.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

mod account;
mod application;
mod audit;
mod backup;
mod completion;
mod config;
mod dataplane;
mod demo;
mod deployment;
mod df;
mod doctor;
mod down;
mod expression;
mod gc;
mod history;
mod image;
mod launch;
mod logs;
mod man;
mod op;
mod openapi;
mod orphans;
mod package;
mod pipeline;
mod pipeline_template;
mod project;
mod restore;
mod rollback;
pub mod serve;
mod server_group;
mod status;
mod stop;
mod takeover;
mod task;
mod token;
mod up;

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
    /// Make a service of a package, and bring its next version to the same users
    Up(up::Args),
    /// Run the server: the page, the API, pipelines and triggers
    Serve(serve::Args),
    /// Keep Debian repositories: every command of aptly (a link named aptly does the same)
    #[command(disable_help_flag = true)]
    Apt {
        /// A command of aptly and its flags; `gennaker apt help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// See what was done to repositories, snapshots, mirrors and publications
    #[command(subcommand, alias = "ops")]
    Op(op::Verb),
    /// Undo what was done to them
    Undo(op::UndoArgs),
    /// Come from another tool
    #[command(subcommand)]
    Import(takeover::Import),
    /// Go to another tool
    #[command(subcommand)]
    Export(takeover::Export),
    /// Look into package files
    #[command(subcommand)]
    Package(package::Verb),
    /// Look at images, and make them of root file systems
    #[command(subcommand, alias = "images")]
    Image(image::Verb),
    /// Show what runs on this machine
    Status(status::Args),
    /// End the server; instances and balancers go on running
    Stop(stop::Args),
    /// End instances and balancers, of one application or all
    Down(down::Args),
    /// Show what instances write, or the server itself
    Logs(logs::Args),
    /// Back everything up while it runs: stores, repositories, images
    Backup(backup::Args),
    /// Bring a backup back into empty folders
    Restore(restore::Args),
    /// Show what takes how much of the disk
    Df(df::Args),
    /// Make room: forget now what goes by itself after its time
    Gc(gc::Args),
    /// Keep applications on a server
    #[command(subcommand, alias = "applications", alias = "app")]
    Application(application::Verb),
    /// Keep pipelines on a server, start them, follow them, have a say in them
    #[command(subcommand, alias = "pipelines", alias = "pi")]
    Pipeline(pipeline::Verb),
    /// Look at server groups and change them
    #[command(subcommand, alias = "server-groups", alias = "sg")]
    ServerGroup(server_group::Verb),
    /// Do what a stage does, without a pipeline
    #[command(subcommand, alias = "tasks")]
    Task(task::Verb),
    /// Show what deployments did to their users
    #[command(subcommand, alias = "deployments")]
    Deployment(deployment::Verb),
    /// Return to the version before; the one that is left does not come again by itself
    Rollback(rollback::Args),
    /// Let a version come again that was rolled back
    Release(rollback::Release),
    /// Find what nobody answers for any more: of unknown applications, and canaries that are left over
    Orphans(orphans::Args),
    /// Keep templates of pipelines
    #[command(subcommand, alias = "pipeline-templates", alias = "pt")]
    PipelineTemplate(pipeline_template::Verb),
    /// Keep projects: applications, pipelines and clusters that belong together
    #[command(subcommand, alias = "projects", alias = "prj")]
    Project(project::Verb),
    /// Show the accounts that can be deployed to
    #[command(subcommand, alias = "accounts", alias = "acc")]
    Account(account::Verb),
    /// Show who the server takes you for
    Whoami(crate::client::Gate),
    /// Make tokens for callers that come over the network
    #[command(subcommand)]
    Token(token::Verb),
    /// Show who asked for what changes something, and check that the log of it was left alone
    #[command(subcommand)]
    Audit(audit::Verb),
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
    /// Look at this machine: what is needed, what is missing, what a bug report asks for
    Doctor(doctor::Args),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config::Verb),
    /// Print the completion script of a shell
    Completion(completion::Args),
    /// Write the manual pages
    #[command(hide = true)]
    Man(man::Args),
}

/// Runs the command line `args` (program name first) and gives the exit code: 0 done, 1 failed, 2 misused.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(behind_the_verb(args)) {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help to stdout and misuse to stderr; a closed pipe is no reason to fail louder.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match cli.verb {
        Verb::Demo(args) => demo::run(args),
        Verb::Up(args) => up::run(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Apt { words } => Ok(crate::aptly::main(std::iter::once("apt".into()).chain(words).collect())),
        Verb::Op(verb) => op::run(verb),
        Verb::Undo(args) => op::undo(args),
        Verb::Import(verb) => takeover::import(verb),
        Verb::Export(verb) => takeover::export(verb),
        Verb::Package(verb) => package::run(verb),
        Verb::Image(verb) => image::run(verb),
        Verb::Status(args) => status::run(args),
        Verb::Stop(args) => stop::run(args),
        Verb::Expression(verb) => expression::run(verb),
        Verb::Application(verb) => application::run(verb),
        Verb::Pipeline(verb) => pipeline::run(verb),
        Verb::PipelineTemplate(verb) => pipeline_template::run(verb),
        Verb::Project(verb) => project::run(verb),
        Verb::Account(verb) => account::run(verb),
        Verb::Whoami(gate) => account::whoami(gate),
        Verb::ServerGroup(verb) => server_group::run(verb),
        Verb::Task(verb) => task::run(verb),
        Verb::Deployment(verb) => deployment::run(verb),
        Verb::Rollback(args) => rollback::run(args),
        Verb::Orphans(args) => orphans::run(args),
        Verb::Release(args) => rollback::release(args),
        Verb::Backup(args) => backup::run(args),
        Verb::Restore(args) => restore::run(args),
        Verb::Df(args) => df::run(args),
        Verb::Gc(args) => gc::run(args),
        Verb::Down(args) => down::run(args),
        Verb::Logs(args) => logs::run(args),
        Verb::Token(verb) => token::run(verb),
        Verb::Audit(verb) => audit::run(verb),
        Verb::Openapi => openapi::run(),
        Verb::Dataplane(args) => dataplane::run(args),
        Verb::Launch(args) => launch::run(args),
        Verb::Completion(args) => completion::run(args, &mut Cli::command()),
        Verb::Config(verb) => config::run(verb),
        Verb::Doctor(args) => doctor::run(args),
        Verb::Man(args) => man::run(args, Cli::command()),
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

/// The nouns that talk to a server.
const ASKING: [&str; 14] = [
    "application",
    "applications",
    "app",
    "pipeline",
    "pipelines",
    "pi",
    "pipeline-template",
    "pipeline-templates",
    "pt",
    "project",
    "projects",
    "prj",
    "account",
    "whoami",
];

/// `spin` takes the flags that every command has anywhere: those before the verb go to the end, where clap looks for them.
fn behind_the_verb(args: Vec<OsString>) -> Vec<OsString> {
    let with_value = ["--server", "--gate-endpoint", "--output", "-o", "--config"];
    let alone = ["--quiet", "-q", "--no-color"];
    let is = |arg: &OsString, set: &[&str]| arg.to_str().is_some_and(|arg| set.contains(&arg));
    let joined = |arg: &OsString| {
        let name = arg.to_str().and_then(|arg| arg.split_once('=')).map(|(name, _)| name.to_owned());
        name.is_some_and(|name| with_value.contains(&name.as_str()) || alone.contains(&name.as_str()))
    };
    let (mut front, mut moved) = (Vec::new(), Vec::new());
    let mut rest = args.iter().cloned();
    front.extend(rest.next());
    let mut words = 0;
    while words < 2 {
        let Some(arg) = rest.next() else { break };
        if is(&arg, &with_value) {
            moved.push(arg);
            moved.extend(rest.next());
        } else if is(&arg, &alone) || joined(&arg) {
            moved.push(arg);
        } else if arg.to_str().is_some_and(|arg| arg.starts_with('-')) {
            return args;
        } else {
            if words == 0 && !is(&arg, &ASKING) {
                return args;
            }
            front.push(arg);
            words += 1;
        }
    }
    front.extend(rest);
    front.extend(moved);
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_before_the_verb_go_behind_it() {
        for (given, expected) in [
            ("g --gate-endpoint http://x application list", "g application list --gate-endpoint http://x"),
            ("g application -o yaml list", "g application list -o yaml"),
            ("g -q --server=x pipeline execution list -i 1", "g pipeline execution list -i 1 -q --server=x"),
            ("g whoami", "g whoami"),
            ("g status --json", "g status --json"),
            ("g --version", "g --version"),
            ("g apt repo -o list", "g apt repo -o list"),
        ] {
            let args = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
            assert_eq!(behind_the_verb(args(given)), args(expected), "{given}");
        }
    }
}
