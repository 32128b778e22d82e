//! `gennaker up FILE.deb`: from a package to a service, and from its next version to the same users.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use super::deployment;
use crate::client::{Client, Gate};
use crate::output::Output;
use crate::progress::{self, Outcome, text};

/// A run that takes longer is told step by step.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// Which package, and how it is served. What is not said stays as it is.
#[derive(clap::Args)]
pub struct Args {
    /// The package
    #[arg(value_name = "FILE.deb")]
    file: PathBuf,
    /// The name of application, load balancer and repository [default: the package's, letters and digits alone]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where users come in [default: 8080 for a new service]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The path that answers when an instance is well, or tcp [default: / for a new service]
    #[arg(long, value_name = "PATH")]
    check: Option<String>,
    /// How many instances [default: 2 for a new service]
    #[arg(long, value_name = "COUNT")]
    instances: Option<u32>,
    /// In which account [default: the first one for a new service]
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The address on which load balancers listen, if a server is started here [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<std::net::IpAddr>,
    /// Only say what would be done
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    gate: Gate,
}

/// Does it. Exit code 0 when users have the package, else that of its pipeline.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open_or_start(args.listen)?;
    let file = upload(&client, &args.file)?;
    let asked = json!({"file": file, "name": args.name, "port": args.port, "check": args.check, "instances": args.instances, "account": args.account, "plan": args.plan});
    let done = client.send(Method::POST, &["ui-api", "up"], &[], Some(&asked));
    if args.plan || done.is_err() {
        forget(&client, &file);
    }
    let up = done?;
    if let Some(why) = up["refused"].as_str() {
        bail!("{why}");
    }
    let people = output.is_for_people();
    if people {
        output.lines(&steps(&up, args.plan))?;
    }
    notes(&up, &output);
    if args.plan {
        if !people {
            output.print(&up)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Some(execution) = up["execution"].as_str() else {
        bail!("nothing was started; `gennaker pipeline list -a {}` shows its pipelines", text(&up, "application"))
    };
    let silent = Output { format: None, quiet: true };
    let mut followed = progress::follow(&client, execution, Some(PATIENCE), &silent)?;
    if followed.0 == Outcome::Late {
        output.say("still at work:");
        followed = progress::follow(&client, execution, None, &output)?;
    }
    let (outcome, run) = followed;
    if people {
        output.lines(&ended(&client, &up, &run, outcome))?;
    } else {
        output.print(&json!({"up": up, "execution": run}))?;
    }
    if outcome == Outcome::Failed {
        for why in progress::reasons(&run) {
            output.say(why);
        }
    }
    Ok(outcome.code())
}

/// Puts the file among the server's uploads, in a folder of its own; gives its name there.
fn upload(client: &Client, path: &Path) -> anyhow::Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} is no package file", path.display()))?;
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !size.is_file() {
        bail!("{} is no file", path.display());
    }
    let dir = format!("up-{}-{}", std::process::id(), size.len());
    client.upload(Method::PUT, &["api", "files", &dir, name], &[], path)?;
    Ok(format!("{dir}/{name}"))
}

/// Takes the upload away again, as far as that is possible.
fn forget(client: &Client, file: &str) {
    let dir = file.split('/').next().unwrap_or_default();
    let _ = client.send(Method::DELETE, &["api", "files", dir], &[], None);
}

fn line(what: &str, name: &str, says: &str) -> String {
    format!("{what:<12} {name:<22} {says}").trim_end().to_owned()
}

/// A line an object.
fn steps(up: &Value, is_plan: bool) -> Vec<String> {
    let each = |step: &Value| {
        let fate = match (text(step, "fate"), is_plan) {
            ("kept", _) => "stays",
            ("made", true) => "would be made",
            ("changed", true) => "would be changed",
            (fate, _) => fate,
        };
        let says = text(step, "says");
        let mut says = if says.is_empty() { fate.to_owned() } else { format!("{fate}, {says}") };
        // The usual one goes without saying.
        let account = text(up, "account");
        if text(step, "what") == "balancer" && !matches!(account, "" | "local") {
            says = format!("{says}, in account {account}");
        }
        line(text(step, "what"), text(step, "name"), &says)
    };
    up["steps"].as_array().into_iter().flatten().map(each).collect()
}

fn notes(up: &Value, output: &Output) {
    for note in up["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        output.say(format!("note: {note}"));
    }
}

/// How the run ended, what its users had of it, and where they come in.
fn ended(client: &Client, up: &Value, run: &Value, outcome: Outcome) -> Vec<String> {
    let took = run["startTime"].as_i64().zip(run["endTime"].as_i64());
    let took = took.map(|(start, end)| format!(" after {:.1} s", (end - start) as f64 / 1000.0)).unwrap_or_default();
    let mut lines = vec![line("run", text(run, "name"), &format!("{}{took}", text(run, "status")))];
    if outcome == Outcome::Person {
        let page = client.page(&format!("/applications/{}/runs/{}", text(up, "application"), text(run, "id")));
        lines.push(line("waits", "for a person", &page));
        return lines;
    }
    let report = client.get(&["executions", text(run, "id"), "deploymentReport"], &[]).unwrap_or_default();
    if report["total"]["requests"].as_u64().unwrap_or(0) > 0 {
        lines.push(line("traffic", &deployment::verdict(&report), ""));
    }
    if let Some(address) = up["address"].as_str() {
        lines.push(line("address", address, ""));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_becomes_of_an_object() {
        let up = json!({"steps": [
            {"what": "application", "name": "hello", "fate": "made", "says": ""},
            {"what": "balancer", "name": "hello", "fate": "changed", "says": "port 9090, checked at /"},
        ]});
        assert_eq!(
            steps(&up, false),
            [
                "application  hello                  made",
                "balancer     hello                  changed, port 9090, checked at /"
            ]
        );
        assert_eq!(steps(&up, true)[0], "application  hello                  would be made");
    }
}
