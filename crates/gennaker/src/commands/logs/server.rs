//! `gennaker logs --server`: the server's own log, from the data folder, or from another machine's server by its API.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use api::server_log::{Asked, read, shown};

use super::Args;
use crate::client::Client;
use crate::environment::Environment;

/// What is new since a place: lines, and where to go on.
type Part = (Vec<String>, String);

/// Prints it; with `-f` until it is interrupted.
pub fn run(args: &Args, server: Option<&str>) -> anyhow::Result<ExitCode> {
    let environment = Environment::read();
    let address = server.map(str::to_owned).or_else(|| environment.server.clone());
    let client = address.map(|address| Client::new(&address, environment.token)).transpose()?;
    let data = match client {
        Some(_) => None,
        None => Some(args.place.machine()?.data),
    };
    let ask = |asked: &Asked| match (&client, &data) {
        (Some(client), _) => from_server(client, asked),
        (None, Some(data)) => from_folder(data, asked),
        (None, None) => bail!("there is neither a server nor a data folder to ask"),
    };
    let mut out = io::stdout().lock();
    let mut asked = Asked { lines: args.lines, request: args.request.clone(), after: None };
    let pause = Duration::from_millis(if client.is_some() { 1000 } else { 200 });
    loop {
        let (lines, next) = ask(&asked)?;
        for line in &lines {
            let line = if args.json { line.clone() } else { shown(line) };
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        if !args.follow {
            return Ok(ExitCode::SUCCESS);
        }
        asked = Asked { lines: usize::MAX, after: Some(next), ..asked };
        std::thread::sleep(pause);
    }
}

fn from_folder(data: &Path, asked: &Asked) -> anyhow::Result<Part> {
    let found = read(data, asked).with_context(|| {
        let place = data.join("logs").display().to_string();
        format!(
            "no server has kept a log in {place}: name its data folder with --data, or the server with --server=URL"
        )
    })?;
    Ok((found.lines, found.next))
}

fn from_server(client: &Client, asked: &Asked) -> anyhow::Result<Part> {
    let mut query = vec![("lines", asked.lines.min(10_000).to_string())];
    query.extend(asked.request.clone().map(|id| ("request", id)));
    query.extend(asked.after.clone().map(|place| ("after", place)));
    let answer = client.get(&["ui-api", "log"], &query)?;
    let lines = answer["lines"].as_array().into_iter().flatten();
    let lines = lines.filter_map(|line| line.as_str().map(str::to_owned)).collect();
    Ok((lines, answer["next"].as_str().unwrap_or_default().to_owned()))
}
