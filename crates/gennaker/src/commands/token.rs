//! `gennaker token create|hash`: what callers that come over the network bear, and what the configuration keeps of it.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use access::{Role, Secret, token};
use anyhow::{Context, bail};
use serde_json::json;

/// What can be done with tokens.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Make a random token: what the configuration keeps of it on standard output, itself on standard error
    ///
    /// `gennaker token create ci --role operator >>/etc/gennaker/gennaker.toml`, then restart the server. Nobody can find the token out again.
    Create {
        /// Whose it is; executions and logs name it
        name: String,
        /// What its bearer may do: viewer (or read), operator (or deploy), admin
        #[arg(long, value_parser = role)]
        role: Role,
        /// Print name, role, token and hash as one JSON object instead
        #[arg(long)]
        json: bool,
    },
    /// Read a token from standard input and print its hash for the configuration file
    ///
    /// The token goes to its bearer, the hash under [[token]] with a name and a role (viewer, operator, admin). A good token is random:
    /// `head -c 24 /dev/urandom | base64`.
    Hash,
}

/// A role by its name, or by what its bearer does.
fn role(text: &str) -> Result<Role, String> {
    match text {
        "viewer" | "read" => Ok(Role::Viewer),
        "operator" | "deploy" => Ok(Role::Operator),
        "admin" => Ok(Role::Admin),
        _ => Err("give viewer, operator or admin".into()),
    }
}

/// Runs it.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Create { name, role, json } => create(&name, role, json)?,
        Verb::Hash => hash()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn create(name: &str, role: Role, as_json: bool) -> anyhow::Result<()> {
    if name.is_empty() || name.chars().any(char::is_control) {
        bail!("give the token a name: whose it is");
    }
    let mut bytes = [0_u8; 24];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    if filled.context("no random bytes can be had")? != bytes.len() {
        bail!("no random bytes can be had");
    }
    let token = Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let hash = token::hash(&token)?;
    if as_json {
        println!("{}", json!({"name": name, "role": role, "token": token.reveal(), "hash": hash}));
        return Ok(());
    }
    println!("\n[[token]]\nname = {}\nrole = {}\nhash = \"{hash}\"", json!(name), json!(role));
    eprintln!("the token, which is shown only now: {}", token.reveal());
    Ok(())
}

fn hash() -> anyhow::Result<()> {
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
    Ok(())
}
