//! `gennaker orphans`: what nobody answers for any more, and its end.

use std::process::ExitCode;

use serde_json::json;

use crate::client::{Gate, done};
use crate::progress::text;

/// Whether it is only looked at.
#[derive(clap::Args)]
pub struct Args {
    /// End what is found, traffic guards permitting
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    gate: Gate,
}

/// Lists what is left over, or ends it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (client, output) = args.gate.open()?;
    let found = client.get(&["orphans"], &[])?;
    let all = found.as_array().map(Vec::as_slice).unwrap_or_default();
    if !output.is_for_people() {
        output.print(&found)?;
    }
    for one in all {
        let what =
            format!("{} {} in {}/{}", text(one, "kind"), text(one, "name"), text(one, "account"), text(one, "region"));
        if output.is_for_people() {
            output.lines(&[what.clone(), format!("  {}", text(one, "why"))])?;
        }
        if args.remove {
            let description = format!("Remove {what}");
            client
                .task(&json!({"application": one["application"], "description": description, "job": [one["job"]]}))?;
            output.say(format!("removed {what}"));
        }
    }
    if all.is_empty() && output.is_for_people() {
        output.say("nothing is left over");
    }
    done()
}
