//! `gennaker man DIR`: the manual pages, made of the help texts; for those who make packages.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

/// Where to.
#[derive(clap::Args)]
pub struct Args {
    /// The folder for the pages
    folder: PathBuf,
}

/// Writes `gennaker.1` and a page for each verb.
pub fn run(args: Args, command: clap::Command) -> anyhow::Result<ExitCode> {
    clap_mangen::generate_to(command, &args.folder)
        .with_context(|| format!("cannot write to {}", args.folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
