//! `gennaker project …`: projects on a server, with the words of `spin`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use super::history;
use crate::client::{Gate, done, read_object};

/// What can be done with projects.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List the projects
    #[command(alias = "ls")]
    List(Gate),
    /// Show a project
    Get(Named),
    /// Show the newest executions of a project's pipelines
    GetPipelines(Named),
    /// Make or change a project
    Save(Save),
    /// Delete a project
    #[command(alias = "del")]
    Delete(Named),
    /// Show what was saved of a project, when and by whom
    History(Past),
    /// Make a project what it was; also one that was deleted
    Restore(Restore),
}

/// One project.
#[derive(clap::Args)]
pub struct Named {
    /// Its name or id
    #[arg(value_name = "PROJECT")]
    project: Option<String>,
    /// The same as a flag
    #[arg(short, long, value_name = "PROJECT", conflicts_with = "project")]
    name: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

impl Named {
    fn project(&self) -> anyhow::Result<&str> {
        self.project.as_deref().or(self.name.as_deref()).context("name the project")
    }
}

/// What a project is to be.
#[derive(clap::Args)]
pub struct Save {
    /// Its name
    #[arg(short, long, value_name = "NAME")]
    name: Option<String>,
    /// The e-mail address of whoever owns it
    #[arg(short, long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A file with the project, or its configuration, as JSON; - is standard input
    #[arg(short, long, value_name = "FILE", visible_alias = "config-file")]
    file: Option<PathBuf>,
    #[command(flatten)]
    gate: Gate,
}

/// What was saved of a project.
#[derive(clap::Args)]
pub struct Past {
    /// Its name or id
    project: String,
    #[command(flatten)]
    past: history::Shown,
    #[command(flatten)]
    gate: Gate,
}

/// Which earlier state is wanted.
#[derive(clap::Args)]
pub struct Restore {
    /// Its name or id
    project: String,
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
            output.print(&client.get(&["projects"], &[])?)?;
        }
        Verb::Get(args) => {
            let (client, output) = args.gate.open()?;
            output.print(&client.get(&["projects", args.project()?], &[])?)?;
        }
        Verb::GetPipelines(args) => {
            let (client, output) = args.gate.open()?;
            output.print(&client.get(&["projects", args.project()?, "pipelines"], &[])?)?;
        }
        Verb::Save(args) => save(&args)?,
        Verb::Delete(args) => {
            let (client, output) = args.gate.open()?;
            let project = client.get(&["projects", args.project()?], &[])?;
            let name = project["name"].as_str().unwrap_or_default().to_owned();
            client.task(
                &json!({"application": "spinnaker", "project": name, "description": format!("Delete Project: {name}"),
                "job": [{"type": "deleteProject", "project": project}]}),
            )?;
            output.say(format!("the project {name} is deleted; `gennaker project history {name}` still knows it"));
        }
        Verb::History(args) => {
            let (client, output) = args.gate.open()?;
            history::show(&client, &output, &["projects", &args.project, "history"], &[], &args.past)?;
        }
        Verb::Restore(args) => {
            let (client, output) = args.gate.open()?;
            history::restore(&client, &output, &["projects", &args.project, "history"], &[], args.revision)?;
        }
    }
    done()
}

fn save(args: &Save) -> anyhow::Result<()> {
    let mut project = match &args.file {
        // A file may hold the whole project, or its configuration alone.
        Some(file) => match read_object(file)? {
            whole if whole.contains_key("config") || whole.contains_key("name") => whole,
            config => Map::from_iter([("config".to_owned(), Value::Object(config))]),
        },
        None => Map::new(),
    };
    for (key, value) in [("name", &args.name), ("email", &args.email)] {
        if let Some(value) = value {
            project.insert(key.into(), json!(value));
        }
    }
    let Some(name) = project.get("name").and_then(Value::as_str).map(str::to_owned) else {
        bail!("the project needs a name: give --name, or a file with \"name\"");
    };
    let (client, output) = args.gate.open()?;
    if let Some(known) = client.find(&["projects", &name], &[])? {
        project.insert("id".into(), known["id"].clone());
    }
    let user = project.get("email").cloned();
    client
        .task(&json!({"application": "spinnaker", "project": name, "description": format!("Create Project: {name}"),
        "job": [{"type": "upsertProject", "project": project, "user": user}]}))?;
    output.say(format!("the project {name} is saved"));
    Ok(())
}
