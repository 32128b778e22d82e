//! `gennaker token …`: what callers bear that come over the network. The server makes tokens and revokes them; one for the configuration file, for a
//! server that does not run yet, is made without it.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use access::{Kept, Role, Scope, Secret, token};
use anyhow::bail;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Gate, done};

/// What can be done with tokens.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// Make a token, which counts at once; it is shown this once
    ///
    /// From the first token on everybody needs one, also on this machine: put it into GENNAKER_TOKEN. Nobody can find it out again.
    Create {
        /// Whose it is; executions and logs name it
        name: String,
        /// What its bearer may do: viewer (or read), operator (or deploy), admin
        #[arg(long)]
        role: Role,
        /// Only see this application, and start, judge and stop its pipelines
        #[arg(long, value_name = "NAME", group = "of")]
        application: Option<String>,
        /// Only read the files of this publication, as apt does: [STORAGE:]PREFIX
        #[arg(long, value_name = "PREFIX", group = "of")]
        publication: Option<String>,
        /// Only upload, and add what was uploaded to this repository
        #[arg(long, value_name = "NAME", group = "of")]
        repository: Option<String>,
        /// Ask no server: print a [[token]] for the configuration file on standard output, the token on standard error
        #[arg(long, conflicts_with = "of")]
        for_file: bool,
        #[command(flatten)]
        gate: Gate,
    },
    /// List whose tokens open the door
    #[command(alias = "ls")]
    List(Gate),
    /// Revoke a token: it opens nothing from here on
    #[command(alias = "delete", alias = "rm")]
    Revoke {
        /// Its name
        name: String,
        #[command(flatten)]
        gate: Gate,
    },
    /// Read a token from standard input and print its hash for the configuration file
    ///
    /// The token goes to its bearer, the hash under [[token]] with a name and a role (viewer, operator, admin). A good token is random:
    /// `head -c 24 /dev/urandom | base64`.
    Hash,
}

/// Runs it.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Create { name, role, for_file: true, .. } => for_file(&name, role)?,
        Verb::Create { name, role, application, publication, repository, gate, .. } => {
            let wanted = json!({
                "name": name, "role": role, "application": application, "publication": publication, "repository": repository,
            });
            create(&wanted, &gate)?;
        }
        Verb::List(gate) => {
            let (client, output) = gate.open()?;
            output.print(&client.get(&["ui-api", "tokens"], &[])?)?;
        }
        Verb::Revoke { name, gate } => {
            let (client, output) = gate.open()?;
            client.send(Method::DELETE, &["ui-api", "tokens", &name], &[], None)?;
            output.say(format!("{name} is revoked"));
        }
        Verb::Hash => hash()?,
    }
    done()
}

fn create(wanted: &Value, gate: &Gate) -> anyhow::Result<()> {
    let (client, output) = gate.open()?;
    let first = client.get(&["ui-api", "tokens"], &[])?.as_array().is_some_and(Vec::is_empty);
    let made = client.send(Method::POST, &["ui-api", "tokens"], &[], Some(wanted))?;
    if output.format.is_some() {
        return output.print(&made);
    }
    println!("{}", made["token"].as_str().unwrap_or_default());
    output.say(format!("the token of {}, which is shown only now", wanted["name"].as_str().unwrap_or_default()));
    if first {
        output.say("it is the first: from now on everybody needs one, you too: export GENNAKER_TOKEN=…");
    }
    Ok(())
}

/// What the configuration keeps of a token, and the token.
fn for_file(name: &str, role: Role) -> anyhow::Result<()> {
    if name.is_empty() || name.chars().any(char::is_control) {
        bail!("give the token a name: whose it is");
    }
    let (_, token) = Kept::make(name, role, Scope::Server, "", store::id::random()?);
    let hash = token::hash(&token)?;
    println!("\n[[token]]\nname = {}\nrole = {}\nhash = \"{hash}\"", Value::from(name), json!(role));
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
