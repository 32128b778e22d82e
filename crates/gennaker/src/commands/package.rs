//! `gennaker package`: what an image of a package would be, before it is published; and packages to try things with.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bakery::{Host, Report};

use super::demo::packages;
use crate::environment::Environment;
use crate::output::inert;

/// What can be done with package files.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Say which unit, user, environment, port and scripts a package has, and what an image makes of them
    Check(Check),
    /// Write three versions of a sample service as packages; the last one is broken on purpose
    Sample {
        /// The folder; it is made where there is none
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
    },
}

/// Which files.
#[derive(clap::Args)]
pub struct Check {
    /// Packages
    #[arg(value_name = "FILE.deb", required = true)]
    files: Vec<PathBuf>,
    /// Print JSON: a list of one report a file
    #[arg(long)]
    json: bool,
}

/// Runs the verb: 0 when images can be made of all, 1 when not.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Check(args) => check(args),
        Verb::Sample { folder } => {
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            for name in packages::write_to(&folder)? {
                println!("{}", folder.join(name).display());
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(args: Check) -> anyhow::Result<ExitCode> {
    let path = Environment::read().path;
    let host =
        Host::read(Path::new("/"), &path.to_string_lossy()).context("cannot see what this machine has installed")?;
    let mut reports = Vec::new();
    for file in &args.files {
        let scratch = tempfile::tempdir().context("cannot make a folder to unpack into")?;
        reports.push(bakery::check(file, &host, scratch.path())?);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    } else {
        for report in &reports {
            lines(report).iter().for_each(|line| println!("{}", inert(line)));
        }
    }
    Ok(ExitCode::from(u8::from(reports.iter().any(|report| !report.problems.is_empty()))))
}

/// Pure: a report for people.
fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec![format!("{} {} ({})", report.package, report.version, report.architecture)];
    let mut say = |key: &str, text: String| lines.push(format!("  {key:<14}{text}"));
    say("files", format!("{}, {} KiB", report.files, report.bytes.div_ceil(1024)));
    if let Some(unit) = &report.unit {
        say("unit", unit.clone());
        say("runs", report.command.join(" "));
        say("as", report.user.clone().unwrap_or_else(|| "an unprivileged user of its own".into()));
        if let Some(directory) = &report.directory {
            say("in", directory.clone());
        }
        for (name, value) in report.env.iter().filter(|(name, _)| *name != "PORT") {
            say("environment", format!("{name}={value}"));
        }
        match report.port {
            Some(port) => say("port", format!("{port} here; each instance is given one of its own as PORT")),
            None => say("port", "each instance is given one as PORT and must listen on it".into()),
        }
    }
    match report.scripts.as_slice() {
        [] => say("scripts", "none".into()),
        scripts => say("scripts", format!("{}: they do not run", scripts.join(", "))),
    }
    report.stripped.iter().for_each(|path| say("taken away", format!("the set-user-id bit and its kin of {path}")));
    report.from_base.iter().for_each(|how| say("depends", how.clone()));
    report.from_repository.iter().for_each(|part| say("depends", format!("{part}: must be in the repository")));
    report.problems.iter().for_each(|problem| say("PROBLEM", problem.clone()));
    lines
}
