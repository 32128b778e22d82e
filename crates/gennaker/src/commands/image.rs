//! `gennaker image`: which images there are, and images of whole root file systems.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bakery::{ImageConfig, Run};
use reqwest::Method;
use serde_json::Value;

use crate::client::{Gate, done};
use crate::progress::text;

/// What can be done with images.
#[derive(clap::Subcommand)]
pub enum Verb {
    /// List images, the newest first
    List(List),
    /// Make an image of a root file system: a tar archive as mmdebstrap and `docker export` write them
    Import(Import),
}

/// Which images.
#[derive(clap::Args)]
pub struct List {
    /// Those with this text in their names
    #[arg(value_name = "TEXT")]
    part: Option<String>,
    #[command(flatten)]
    gate: Gate,
}

/// Which root, and what runs in it.
#[derive(clap::Args)]
pub struct Import {
    /// The archive; packed by gzip, bzip2, xz, zstd or not at all
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The image's name, by which it is deployed [default: the file's name up to its first dot]
    #[arg(long)]
    name: Option<String>,
    /// Run what this systemd unit of the root says
    #[arg(long, value_name = "NAME", conflicts_with = "command")]
    unit: Option<String>,
    /// Set this in its environment; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// Run as this user of the root [default: an unprivileged number of its own]
    #[arg(long)]
    user: Option<String>,
    /// Run in this folder of the root
    #[arg(long, value_name = "PATH")]
    directory: Option<String>,
    /// Run this; the port to listen on is in PORT
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    gate: Gate,
}

fn pair(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".into()),
    }
}

/// Runs the verb.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List(args) => list(&args),
        Verb::Import(args) => import(args),
    }
}

fn list(args: &List) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    let query: Vec<_> = args.part.iter().map(|part| ("q", part.clone())).collect();
    let images = client.get(&["images", "find"], &query)?;
    if !output.is_for_people() {
        output.print(&images)?;
        return done();
    }
    let all = images.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names: Vec<String> = all.iter().map(|image| text(image, "imageName").to_owned()).collect();
    // Accounts of one machine have the same images.
    let mut told = HashSet::new();
    names.retain(|name| told.insert(name.clone()));
    output.lines(&names)?;
    done()
}

fn import(args: Import) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    let own = || {
        let file = args.file.file_name()?.to_str()?;
        file.split('.').next().map(str::to_owned)
    };
    let name = args.name.clone().or_else(own).with_context(|| {
        format!("{} has no name that an image could have: give one with --name", args.file.display())
    })?;
    let run = Run {
        unit: args.unit,
        config: ImageConfig {
            command: args.command,
            env: args.env.into_iter().collect::<BTreeMap<_, _>>(),
            port: None,
            directory: args.directory,
            user: args.user,
        },
    };
    let query = [("name", name), ("run", serde_json::to_string(&run)?)];
    let answer = client.upload(Method::POST, &["images", "import"], &query, &args.file)?;
    if output.is_for_people() {
        output.lines(&told(&answer))?;
    } else {
        output.print(&answer)?;
    }
    done()
}

/// Pure: what was made, for people.
fn told(answer: &Value) -> Vec<String> {
    let image = &answer["image"];
    let there = if answer["previouslyBaked"] == true { " was there already" } else { "" };
    let mut lines = vec![format!("{}{there}", text(image, "name")), format!("  id      {}", text(image, "id"))];
    let words = image["config"]["command"].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.push(format!("  runs    {}", words.collect::<Vec<_>>().join(" ")));
    lines.extend(image["size"].as_u64().map(|bytes| format!("  size    {} MiB", bytes.div_ceil(1 << 20))));
    let notes = image["notes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.extend(notes.map(|note| format!("  note    {note}")));
    lines
}
