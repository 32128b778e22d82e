//! `gennaker import aptly` and `gennaker export aptly`: coming from aptly, and going back to it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use apt::{Line, Root};
use store::clock::SystemClock;

use crate::environment::Environment;
use crate::output::inert;

/// Whose data comes.
#[derive(clap::Subcommand)]
pub enum Import {
    /// Take over the database of an aptly: repositories, mirrors, snapshots, publications. Its files stay as they are.
    /// The first command that writes does this by itself
    Aptly(ImportAptly),
}

/// How it is taken over.
#[derive(clap::Args)]
pub struct ImportAptly {
    /// aptly's rootDir; without it the one of its configuration file
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Say what would be taken over, and what not; write nothing
    #[arg(long, conflicts_with = "again")]
    check: bool,
    /// Take over once more, after aptly changed its database: what was changed here since goes
    #[arg(long)]
    again: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Whose data is made.
#[derive(clap::Subcommand)]
pub enum Export {
    /// Write a folder that Debian's aptly opens as its rootDir: everything is in it, package files are links
    Aptly(ExportAptly),
}

/// Where it is written.
#[derive(clap::Args)]
pub struct ExportAptly {
    /// A folder that does not exist yet, best on the same file system
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// The root; without it the one of aptly's configuration file
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn root_of(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    match given {
        Some(root) => Ok(root),
        None => {
            crate::aptly::root::of_user(&Environment::read())?.context("no home folder: name the root with --root DIR")
        }
    }
}

/// Progress goes where it does not mix with the answer.
fn tell(line: Line) {
    if !matches!(line, Line::Warning(_) | Line::Progress(_)) {
        eprintln!("{}", inert(&line.to_string()));
    }
}

/// Takes over: 0 when all could be taken, 1 when something was left out.
pub fn import(Import::Aptly(args): Import) -> anyhow::Result<ExitCode> {
    let root = root_of(args.root)?;
    let clock = Arc::new(SystemClock);
    let taken = if args.check {
        apt::check_takeover(&root, clock, &mut tell)?
    } else if args.again {
        apt::take_over_again(&root, clock, &mut tell)?
    } else {
        apt::take_over(&root, clock, &mut tell)?
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&taken)?);
    } else {
        println!(
            "{} packages, {} repositories, {} mirrors, {} snapshots, {} publications",
            taken.packages, taken.repos, taken.mirrors, taken.snapshots, taken.publications
        );
        taken.left_out.iter().for_each(|line| println!("left out: {}", inert(line)));
    }
    Ok(ExitCode::from(u8::from(!taken.left_out.is_empty())))
}

/// Writes aptly's root.
pub fn export(Export::Aptly(args): Export) -> anyhow::Result<ExitCode> {
    let root = Root::look(root_of(args.root)?, Arc::new(SystemClock), None)?;
    let done = root.export_aptly(&args.to, &mut tell)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&done)?);
    } else {
        println!(
            "{}: {} packages, {} repositories, {} mirrors, {} snapshots, {} publications; use it as rootDir of aptly",
            args.to.display(),
            done.packages,
            done.repos,
            done.mirrors,
            done.snapshots,
            done.publications
        );
    }
    Ok(ExitCode::SUCCESS)
}
