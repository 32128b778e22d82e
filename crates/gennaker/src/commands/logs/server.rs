//! `gennaker logs --server`: the server's own log, from the data folder, or from another machine's server by its API.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use api::server_log::{Asked, MOST, ServerLines, read, shown};

use super::Args;
use crate::client::Client;
use crate::environment::Environment;

/// Where the log is read.
enum Source {
    /// At a server.
    Server(Client),
    /// In a data folder.
    Folder(PathBuf),
}

/// Prints it; with `-f` until it is interrupted.
pub fn run(args: &Args, server: Option<&str>) -> anyhow::Result<ExitCode> {
    let environment = Environment::read();
    let (source, pause) = match server.or(environment.server.as_deref()) {
        Some(address) => (Source::Server(Client::new(address, environment.token)?), Duration::from_millis(1000)),
        None => (Source::Folder(args.place.machine()?.data), Duration::from_millis(200)),
    };
    let mut out = io::stdout().lock();
    let mut asked = Asked { lines: args.lines, request: args.request.clone(), after: None };
    loop {
        let ServerLines { lines, next } = match &source {
            Source::Server(client) => from_server(client, &asked)?,
            Source::Folder(data) => from_folder(data, &asked)?,
        };
        for line in &lines {
            let line = if args.json { line.clone() } else { shown(line) };
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        if !args.follow {
            return Ok(ExitCode::SUCCESS);
        }
        asked = Asked { lines: MOST, after: Some(next), ..asked };
        std::thread::sleep(pause);
    }
}

fn from_folder(data: &Path, asked: &Asked) -> anyhow::Result<ServerLines> {
    read(data, asked).with_context(|| {
        let place = data.join("logs").display().to_string();
        format!(
            "no server has kept a log in {place}: name its data folder with --data, or the server with --server=URL"
        )
    })
}

fn from_server(client: &Client, asked: &Asked) -> anyhow::Result<ServerLines> {
    let mut query = vec![("lines", asked.lines.min(MOST).to_string())];
    query.extend(asked.request.clone().map(|id| ("request", id)));
    query.extend(asked.after.clone().map(|place| ("after", place)));
    let answer = client.get(&["ui-api", "log"], &query)?;
    let lines = answer["lines"].as_array().into_iter().flatten();
    let lines = lines.filter_map(|line| line.as_str().map(str::to_owned)).collect();
    Ok(ServerLines { lines, next: answer["next"].as_str().unwrap_or_default().to_owned() })
}
