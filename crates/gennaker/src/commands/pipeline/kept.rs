//! Saved pipelines: listed, shown, saved, switched, deleted, and had back.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Gate, done, read_object};
use crate::commands::history;

/// Whose pipelines.
#[derive(clap::Args)]
pub struct List {
    /// The application
    #[arg(short, long, value_name = "APPLICATION")]
    application: String,
    #[command(flatten)]
    gate: Gate,
}

/// One pipeline.
#[derive(clap::Args)]
pub struct Named {
    /// The application
    #[arg(short, long, value_name = "APPLICATION")]
    application: String,
    /// The pipeline's name
    #[arg(short, long, value_name = "NAME")]
    name: String,
    #[command(flatten)]
    gate: Gate,
}

/// A pipeline to be kept.
#[derive(clap::Args)]
pub struct Save {
    /// A file with the pipeline as JSON; - is standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    gate: Gate,
}

/// A pipeline to be switched.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("switch").required(true).args(["disabled", "enabled"]))]
pub struct Update {
    #[command(flatten)]
    named: Named,
    /// It is not started any more
    #[arg(short, long)]
    disabled: bool,
    /// It is started again
    #[arg(short, long)]
    enabled: bool,
}

/// What was saved of a pipeline.
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

impl Named {
    fn path(&self) -> [&str; 4] {
        ["applications", &self.application, "pipelineConfigs", &self.name]
    }
}

/// Lists them.
pub fn list(args: List) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    output.print(&client.get(&["applications", &args.application, "pipelineConfigs"], &[])?)?;
    done()
}

/// Shows one.
pub fn get(args: Named) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    output.print(&client.get(&args.path(), &[])?)?;
    done()
}

/// Saves one under the id of the one of its name.
pub fn save(args: Save) -> anyhow::Result<ExitCode> {
    let mut pipeline = read_object(&args.file)?;
    let text = |pipeline: &pipeline::Map, key: &str| {
        pipeline.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (Some(application), Some(name)) = (text(&pipeline, "application"), text(&pipeline, "name")) else {
        bail!("{} needs \"name\" and \"application\"", args.file.display());
    };
    let templated = pipeline.get("template").is_some_and(|t| t.as_object().is_some_and(|t| !t.is_empty()));
    if templated {
        if text(&pipeline, "schema").is_none() {
            bail!("{} uses a template and needs \"schema\": \"v2\"", args.file.display());
        }
        pipeline.insert("type".into(), json!("templatedPipeline"));
    }
    let (client, output) = args.gate.open()?;
    if let Some(known) = client.find(&["applications", &application, "pipelineConfigs", &name], &[])? {
        pipeline.insert("id".into(), known["id"].clone());
    }
    client.send(Method::POST, &["pipelines"], &[], Some(&Value::Object(pipeline)))?;
    output.say(format!("the pipeline {name} of {application} is saved"));
    done()
}

/// Switches one.
pub fn update(args: Update) -> anyhow::Result<ExitCode> {
    let (client, output) = args.named.gate.open()?;
    let mut pipeline = client.get(&args.named.path(), &[])?;
    pipeline["disabled"] = json!(args.disabled);
    client.send(Method::POST, &["pipelines"], &[("staleCheck", "true".into())], Some(&pipeline))?;
    let word = if args.disabled { "off" } else { "on" };
    output.say(format!("the pipeline {} is switched {word}", args.named.name));
    done()
}

/// Deletes one.
pub fn delete(args: Named) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    client.send(Method::DELETE, &["pipelines", &args.application, &args.name], &[], None)?;
    output.say(format!("the pipeline {} is deleted; `gennaker pipeline history` still knows it", args.name));
    done()
}

/// Shows what was saved of one.
pub fn history(args: Past) -> anyhow::Result<ExitCode> {
    let (client, output) = args.named.gate.open()?;
    let mut path = args.named.path().to_vec();
    path.push("history");
    history::show(&client, &output, &path, &[], &args.past)?;
    done()
}

/// Makes one what it was.
pub fn restore(args: Restore) -> anyhow::Result<ExitCode> {
    let (client, output) = args.named.gate.open()?;
    let mut path = args.named.path().to_vec();
    path.push("history");
    history::restore(&client, &output, &path, &[], args.revision)?;
    done()
}
