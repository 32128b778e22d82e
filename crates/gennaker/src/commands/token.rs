//! `gennaker token hash`.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use access::{Secret, token};
use anyhow::bail;

/// What can be done with tokens.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Read a token from standard input and print its hash for the configuration file
    ///
    /// The token goes to its bearer, the hash under [[token]] with a name and a role (viewer, operator, admin). A good token is random:
    /// `head -c 24 /dev/urandom | base64`.
    Hash,
}

/// Runs it.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    let Verb::Hash = verb;
    let input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("type the token, then Enter:");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    let text = line.trim_end_matches(['\n', '\r']);
    if text.chars().count() < 16 {
        bail!("a token of fewer than 16 characters can be guessed: take a random one");
    }
    println!("{}", token::hash(&Secret::new(text))?);
    Ok(ExitCode::SUCCESS)
}
