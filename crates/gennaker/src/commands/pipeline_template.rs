//! `gennaker pipeline-template …`: templates of pipelines on a server, with the words of `spin`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::history;
use crate::client::{Gate, done, read_object};

/// What can be done with templates.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List the templates
    #[command(alias = "ls")]
    List(List),
    /// Show a template
    Get(Named),
    /// Make or change a template
    Save(Save),
    /// Show the pipeline that a template and a configuration make
    Plan(Plan),
    /// Delete a template
    #[command(alias = "del")]
    Delete(Named),
    /// Write the configuration of a pipeline that uses a template; no server is asked
    Use(Use),
    /// Show what was saved of a template, when and by whom
    History(Past),
    /// Make a template what it was; also one that was deleted
    Restore(Restore),
}

/// Which templates.
#[derive(clap::Args)]
pub struct List {
    /// Those of these scopes
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<String>,
    #[command(flatten)]
    gate: Gate,
}

/// One template.
#[derive(clap::Args)]
pub struct Named {
    /// Its id
    #[arg(value_name = "ID")]
    template: Option<String>,
    /// The same as a flag
    #[arg(long, value_name = "ID", conflicts_with = "template")]
    id: Option<String>,
    /// Which version: stable, latest …
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

impl Named {
    fn template(&self) -> anyhow::Result<&str> {
        self.template.as_deref().or(self.id.as_deref()).context("name the template")
    }
}

/// A template to be kept.
#[derive(clap::Args)]
pub struct Save {
    /// A file with the template as JSON; - is standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Under which tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

/// A configuration to be planned.
#[derive(clap::Args)]
pub struct Plan {
    /// A file with the configuration as JSON; - is standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    gate: Gate,
}

/// What a configuration is made of.
#[derive(clap::Args)]
pub struct Use {
    /// The template's id
    #[arg(value_name = "ID")]
    template: Option<String>,
    /// The same as a flag
    #[arg(long, value_name = "ID", conflicts_with = "template")]
    id: Option<String>,
    /// Which version of it
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// The application of the pipeline
    #[arg(short, long, value_name = "APPLICATION")]
    application: String,
    /// The pipeline's name
    #[arg(short, long, value_name = "NAME")]
    name: String,
    /// What it is for
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    description: String,
    /// The type of the template's artifact
    #[arg(short, long, value_name = "TYPE", default_value = "front50/pipelineTemplate")]
    r#type: String,
    /// The account of the template's artifact
    #[arg(long, value_name = "ACCOUNT", default_value = "front50ArtifactCredentials")]
    artifact_account: String,
    /// A variable, as in waitTime=5
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Files of JSON with variables; later ones over earlier ones
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    values: Vec<PathBuf>,
    #[command(flatten)]
    gate: Gate,
}

/// What was saved of a template.
#[derive(clap::Args)]
pub struct Past {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    past: history::Shown,
}

/// Which earlier state is wanted.
#[derive(clap::Args)]
pub struct Restore {
    #[command(flatten)]
    named: Named,
    /// The number of the state, as history shows it
    #[arg(long, value_name = "NUMBER")]
    revision: i64,
}

const ALL: [&str; 2] = ["v2", "pipelineTemplates"];

fn tagged(tag: Option<&String>) -> Vec<(&'static str, String)> {
    tag.map(|tag| ("tag", tag.clone())).into_iter().collect()
}

/// Runs the verb.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List(args) => {
            let (client, output) = args.gate.open()?;
            let scopes: Vec<_> = args.scopes.iter().map(|scope| ("scopes", scope.clone())).collect();
            output.print(&client.get(&ALL, &scopes)?)?;
        }
        Verb::Get(args) => {
            let (client, output) = args.gate.open()?;
            output.print(&client.get(&[ALL[0], ALL[1], args.template()?], &tagged(args.tag.as_ref()))?)?;
        }
        Verb::Save(args) => save(&args)?,
        Verb::Plan(args) => {
            let config = Value::Object(read_object(&args.file)?);
            if config["schema"].as_str().is_none_or(str::is_empty) {
                bail!("{} needs \"schema\": \"v2\"", args.file.display());
            }
            let (client, output) = args.gate.open()?;
            output.print(&client.send(Method::POST, &[ALL[0], ALL[1], "plan"], &[], Some(&config))?)?;
        }
        Verb::Delete(args) => {
            let (client, output) = args.gate.open()?;
            let path = [ALL[0], ALL[1], args.template()?];
            client.send(Method::DELETE, &path, &tagged(args.tag.as_ref()), None)?;
            output.say(format!("the template {} is deleted; its history still knows it", args.template()?));
        }
        Verb::Use(args) => {
            let (format, config) = config(&args)?;
            format.print(&config)?;
        }
        Verb::History(args) => {
            let (client, output) = args.named.gate.open()?;
            let path = [ALL[0], ALL[1], args.named.template()?, "history"];
            history::show(&client, &output, &path, &tagged(args.named.tag.as_ref()), &args.past)?;
        }
        Verb::Restore(args) => {
            let (client, output) = args.named.gate.open()?;
            let path = [ALL[0], ALL[1], args.named.template()?, "history"];
            history::restore(&client, &output, &path, &tagged(args.named.tag.as_ref()), args.revision)?;
        }
    }
    done()
}

fn save(args: &Save) -> anyhow::Result<()> {
    let template = Value::Object(read_object(&args.file)?);
    let Some(id) = template["id"].as_str().filter(|id| !id.is_empty()) else {
        bail!("{} needs \"id\": the template's name", args.file.display());
    };
    if template["schema"].as_str().is_none_or(str::is_empty) {
        bail!("{} needs \"schema\": \"v2\"", args.file.display());
    }
    let (client, output) = args.gate.open()?;
    let query = tagged(args.tag.as_ref());
    let known = client.find(&[ALL[0], ALL[1], id], &query)?.is_some();
    let path: &[&str] = if known { &[ALL[0], ALL[1], "update", id] } else { &[ALL[0], ALL[1], "create"] };
    client.send(Method::POST, path, &query, Some(&template))?;
    output.say(format!("the template {id} is saved"));
    Ok(())
}

fn config(args: &Use) -> anyhow::Result<(crate::output::Output, Value)> {
    let id = args.template.as_deref().or(args.id.as_deref()).context("name the template")?;
    let mut variables = Map::new();
    for file in &args.values {
        variables.extend(read_object(file)?);
    }
    for one in &args.set {
        let (name, value) = one.split_once('=').with_context(|| format!("--set {one} must be NAME=VALUE"))?;
        variables.insert(name.to_owned(), json!(value));
    }
    let reference = match &args.tag {
        Some(tag) => format!("spinnaker://{id}:{tag}"),
        None => format!("spinnaker://{id}"),
    };
    let config = json!({
        "schema": "v2", "application": args.application, "name": args.name, "description": args.description,
        "template": {"artifactAccount": args.artifact_account, "type": args.r#type, "reference": reference},
        "variables": variables, "exclude": [], "triggers": [], "parameters": [], "notifications": [], "stages": [],
    });
    Ok((args.gate.output(), config))
}
