//! `gennaker pipeline validate`: what is wrong in files of pipelines, each finding with its JSON path.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use pipeline::validate;
use serde_json::{Value, json};

use super::document;
use super::saved::Server;

/// Which files, and against what.
#[derive(clap::Args)]
pub struct Args {
    /// Files of JSON (or YAML) with a pipeline, a list of pipelines, a dinghyfile or a template; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

/// Runs the command: 0 without errors, 1 with, 2 when a file cannot be read.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let registry = stages::types();
    let saved = args.server.saved()?;
    let colour = std::io::stdout().is_terminal();
    let several = args.files.len() > 1;
    let (mut fails, mut unread) = (false, false);
    let mut all: Vec<Value> = Vec::new();
    for path in &args.files {
        let text = match document::read(path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("gennaker: {error:#}");
                unread = true;
                continue;
            }
        };
        let (read, findings) = validate::text(&text, &registry, saved.as_ref());
        fails |= document::fails(&findings);
        if args.json {
            for finding in &findings {
                let mut one = json!(finding);
                if several {
                    one["file"] = json!(document::called(path));
                }
                all.push(one);
            }
            continue;
        }
        document::print(path, &text, &read, &findings, colour);
        println!("{}: {}", document::called(path).display(), document::counted(&findings));
    }
    if args.json {
        println!("{:#}", json!({ "findings": all }));
    }
    Ok(ExitCode::from(if unread { 2 } else { u8::from(fails) }))
}
