//! `gennaker application …`: applications on a server, with the words of `spin`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Map, Value, json};

use super::history;
use crate::client::{Gate, done, read_object};

mod pipelines;

/// What can be done with applications.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List the applications
    #[command(alias = "ls")]
    List(Gate),
    /// Show an application
    Get(Get),
    /// Make or change an application
    Save(Save),
    /// Delete an application, with its pipelines
    #[command(alias = "del")]
    Delete(Named),
    /// Show and cancel what an application's pipelines run
    #[command(subcommand)]
    Pipelines(pipelines::Verb),
    /// Show what was saved of an application, when and by whom
    History(Past),
    /// Make an application what it was; also one that was deleted
    Restore(Restore),
}

/// One application.
#[derive(clap::Args)]
pub struct Named {
    /// Its name
    #[arg(value_name = "APPLICATION")]
    name: String,
    #[command(flatten)]
    gate: Gate,
}

/// One application, shown.
#[derive(clap::Args)]
pub struct Get {
    /// Its name
    #[arg(value_name = "APPLICATION")]
    name: String,
    /// With its clusters
    #[arg(short = 'x', long)]
    expand: bool,
    #[command(flatten)]
    gate: Gate,
}

/// What an application is to be.
#[derive(clap::Args)]
pub struct Save {
    /// Its name
    #[arg(long, value_name = "NAME")]
    application_name: Option<String>,
    /// The e-mail address of whoever owns it
    #[arg(long, value_name = "ADDRESS")]
    owner_email: Option<String>,
    /// The clouds that it uses
    #[arg(long, value_name = "CLOUD", value_delimiter = ',')]
    cloud_providers: Vec<String>,
    /// A file with its attributes as JSON; - is standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    gate: Gate,
}

/// What was saved of an application.
#[derive(clap::Args)]
pub struct Past {
    /// Its name
    #[arg(value_name = "APPLICATION")]
    name: String,
    #[command(flatten)]
    past: history::Shown,
    #[command(flatten)]
    gate: Gate,
}

/// Which earlier state is wanted.
#[derive(clap::Args)]
pub struct Restore {
    /// Its name
    #[arg(value_name = "APPLICATION")]
    name: String,
    /// The number of the state, as history shows it
    #[arg(long, value_name = "NUMBER")]
    revision: i64,
    #[command(flatten)]
    gate: Gate,
}

/// Runs the verb.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List(gate) => {
            let (client, output) = gate.open()?;
            output.print(&client.get(&["applications"], &[])?)?;
        }
        Verb::Get(args) => {
            let (client, output) = args.gate.open()?;
            let query = [("expand", args.expand.to_string())];
            let found = client.get(&["applications", &args.name], &query)?;
            output.print(if args.expand { &found } else { &found["attributes"] })?;
        }
        Verb::Save(args) => save(&args)?,
        Verb::Delete(args) => {
            let (client, output) = args.gate.open()?;
            client.get(&["applications", &args.name], &[("expand", "false".into())])?;
            client
                .task(&json!({"application": args.name, "description": format!("Delete Application: {}", args.name),
                "job": [{"type": "deleteApplication", "application": {"name": args.name}}]}))?;
            output.say(format!(
                "the application {} is deleted; `gennaker application history {0}` still knows it",
                args.name
            ));
        }
        Verb::Pipelines(verb) => return pipelines::run(verb),
        Verb::History(args) => {
            let (client, output) = args.gate.open()?;
            history::show(&client, &output, &["applications", &args.name, "history"], &[], &args.past)?;
        }
        Verb::Restore(args) => {
            let (client, output) = args.gate.open()?;
            history::restore(&client, &output, &["applications", &args.name, "history"], &[], args.revision)?;
        }
    }
    done()
}

fn save(args: &Save) -> anyhow::Result<()> {
    let mut attributes = match &args.file {
        Some(file) => read_object(file)?,
        None => Map::new(),
    };
    if let Some(name) = &args.application_name {
        attributes.insert("name".into(), json!(name));
    }
    if let Some(email) = &args.owner_email {
        attributes.insert("email".into(), json!(email));
    }
    if !args.cloud_providers.is_empty() {
        attributes.insert("cloudProviders".into(), json!(args.cloud_providers.join(",")));
    }
    let Some(name) = attributes.get("name").and_then(Value::as_str).map(str::to_owned) else {
        bail!("the application needs a name: give --application-name, or a file with \"name\"");
    };
    if attributes.get("email").and_then(Value::as_str).is_none_or(str::is_empty) {
        bail!("the application needs an owner: give --owner-email, or a file with \"email\"");
    }
    let (client, output) = args.gate.open()?;
    client.task(&json!({"application": name, "description": format!("Create Application: {name}"),
        "job": [{"type": "createApplication", "application": attributes, "user": attributes.get("email")}]}))?;
    output.say(format!("the application {name} is saved"));
    Ok(())
}
