//! `gennaker completion SHELL`.

use std::io;
use std::process::ExitCode;

/// Which shell's script to print.
#[derive(clap::Args)]
pub struct Args {
    /// The shell that will read the script
    shell: clap_complete::Shell,
}

/// Prints the script to standard output.
pub fn run(args: Args, command: &mut clap::Command) -> anyhow::Result<ExitCode> {
    clap_complete::generate(args.shell, command, "gennaker", &mut io::stdout());
    Ok(ExitCode::SUCCESS)
}
