//! `gennaker op` and `gennaker undo`: what was done to repositories, snapshots, mirrors and publications, and the way back.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use apt::{Op, OpChange, Root, Signing};
use store::clock::SystemClock;

use crate::aptly::{root as place, shown_time};
use crate::environment::Environment;
use crate::output::inert;

/// What is looked at.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List what was done in the last two weeks, the newest first: who, by which command, what changed
    Log(LogArgs),
    /// Show one operation with every package that came or went
    Show(ShowArgs),
}

/// The root.
#[derive(clap::Args)]
struct Where {
    /// The root; without it the one of aptly's configuration file
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How much is listed.
#[derive(clap::Args)]
pub struct LogArgs {
    /// The newest so many operations
    #[arg(short, long, value_name = "COUNT", default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    place: Where,
}

/// Which one.
#[derive(clap::Args)]
pub struct ShowArgs {
    /// Its number, as `gennaker op log` tells it
    #[arg(value_name = "OP")]
    id: i64,
    #[command(flatten)]
    place: Where,
}

/// What is undone, and how.
#[derive(clap::Args)]
pub struct UndoArgs {
    /// Its number, as `gennaker op log` tells it; without it the newest. Undoing an undo does it again
    #[arg(value_name = "OP")]
    id: Option<i64>,
    /// Only say what would be undone
    #[arg(long)]
    dry_run: bool,
    /// Publications that come back are not signed
    #[arg(long)]
    skip_signing: bool,
    /// The key that signs them; without it the configuration's, else gpg's first
    #[arg(long, value_name = "KEY")]
    gpg_key: Vec<String>,
    #[command(flatten)]
    place: Where,
}

impl Where {
    fn open(self, environment: &Environment, only_reads: bool) -> anyhow::Result<Root> {
        let missing = "no home folder: name the root with --root DIR";
        let path = self.root.map_or_else(|| place::of_user(environment)?.context(missing), Ok)?;
        let clock = Arc::new(SystemClock);
        let root = match only_reads {
            true => Root::look(path, clock, environment.cache().as_deref())?,
            false => Root::open(path, clock)?,
        };
        Ok(root.with_endpoints(place::endpoints_of_user(environment)))
    }
}

/// Answers `gennaker op …`.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    let environment = Environment::read();
    match verb {
        Verb::Log(LogArgs { limit, place }) => {
            let json = place.json;
            let ops = place.open(&environment, true)?.ops(limit)?;
            if json {
                println!("{}", serde_json::to_string_pretty(&ops)?);
            } else if ops.is_empty() {
                eprintln!("nothing was changed in the last two weeks");
            } else {
                ops.iter().for_each(|op| println!("{}", inert(&line(op))));
            }
        }
        Verb::Show(ShowArgs { id, place }) => {
            let json = place.json;
            let op = place.open(&environment, true)?.op(id)?;
            if json {
                println!("{}", serde_json::to_string_pretty(&op)?);
            } else {
                println!("{}", inert(&line(&op)));
                for change in &op.changes {
                    println!("{}", inert(&format!("{} {} {}", change.what, change.kind, change.name)));
                    change.added.iter().for_each(|key| println!("  + {}", inert(key)));
                    change.removed.iter().for_each(|key| println!("  - {}", inert(key)));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Answers `gennaker undo`.
pub fn undo(args: UndoArgs) -> anyhow::Result<ExitCode> {
    let environment = Environment::read();
    let json = args.place.json;
    let root = args.place.open(&environment, args.dry_run)?;
    let op = if args.dry_run {
        root.op_to_undo(args.id)?
    } else {
        let configured = place::signing_of_user(&environment);
        let signing = Signing {
            skip: args.skip_signing || configured.skip,
            keys: if args.gpg_key.is_empty() { configured.keys } else { args.gpg_key },
            ..configured
        };
        let command = args.id.map_or("gennaker undo".to_owned(), |id| format!("gennaker undo {id}"));
        let root = root.acting(&environment.user(), &command);
        let mut told = |line: apt::Line| {
            if !matches!(line, apt::Line::Progress(_)) {
                eprintln!("{}", inert(&line.to_string()));
            }
        };
        let undone = root.undo(args.id, &signing, &mut told)?;
        root.op(undone.op.id)?
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&op)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} {}", if args.dry_run { "would undo" } else { "undone:" }, inert(&line(&op)));
    if let Some(by) = op.undone_by.filter(|_| !args.dry_run) {
        eprintln!("`gennaker undo {by}` does it again");
    }
    Ok(ExitCode::SUCCESS)
}

/// `12  2026-11-28 23:40:01 UTC  jenkins  aptly repo add r  changed repo r (+1 -0)`
fn line(op: &Op) -> String {
    let changes: Vec<String> = op.changes.iter().map(told).collect();
    let changes = if changes.is_empty() { "nothing".to_owned() } else { changes.join(", ") };
    let mut line = format!("{:>4}  {}  {}  {}  {changes}", op.id, shown_time(op.at), op.who, op.command);
    if let Some(undoes) = op.undoes {
        line.push_str(&format!("  (undoes {undoes})"));
    }
    if let Some(by) = op.undone_by {
        line.push_str(&format!("  (undone by {by})"));
    }
    line
}

fn told(change: &OpChange) -> String {
    let OpChange { kind, name, what, added, removed } = change;
    let counts = match (added.len(), removed.len()) {
        (0, 0) => String::new(),
        (added, removed) => format!(" (+{added} -{removed})"),
    };
    format!("{what} {kind} {name}{counts}")
}
