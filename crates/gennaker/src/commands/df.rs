//! `gennaker df`: what takes how much of the disk, and what of it could go. Asks the server, or looks itself where none runs.

use std::process::ExitCode;

use serde_json::Value;

use crate::backup::size;
use crate::client::Gate;
use crate::progress::text;

/// What may be said.
#[derive(clap::Args)]
pub struct Args {
    /// Print JSON for machines; the same as -o json
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gate: Gate,
}

/// Prints it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let output = args.gate.output();
    let usage = match args.gate.alone()? {
        Some(alone) => serde_json::to_value(alone.wait(|tidy| async move { stages::usage::usage(&tidy).await })?)?,
        None => args.gate.open()?.0.get(&["ui-api", "usage"], &[])?,
    };
    if args.json || output.format.is_some() {
        output.print(&usage)?;
    } else {
        output.lines(&lines(&usage))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(usage: &Value) -> Vec<String> {
    let list = |key: &str| usage[key].as_array().cloned().unwrap_or_default();
    let bytes = |one: &Value, key: &str| size(one[key].as_u64().unwrap_or(0));
    let disk = |one: &Value| {
        let (place, percent) = (text(one, "place"), &one["usedPercent"]);
        format!("disk of {place}: {percent} % full, {} of {} free", bytes(one, "free"), bytes(one, "total"))
    };
    let each = |one: &Value| {
        let count = format!("{} {}", one["count"], text(one, "of"));
        let could = match one["freeable"].as_u64().unwrap_or(0) {
            0 => String::new(),
            _ => format!("  {} could go: {}", bytes(one, "freeable"), text(one, "freedBy")),
        };
        format!("{:<32} {:>12}  {count:<18} {}{could}", text(one, "what"), bytes(one, "bytes"), text(one, "place"))
    };
    let uses = list("uses");
    let disks = list("disks");
    uses.iter().map(each).chain(disks.iter().map(disk)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_what_takes_room_and_what_could_go() {
        let usage = json!({
            "disks": [{"place": "/d", "total": 100 << 20, "free": 9 << 20, "usedPercent": 91}],
            "uses": [{"what": "images", "place": "/d/images", "count": 3, "of": "images", "bytes": 5 << 20, "freeable": 2 << 20,
                      "freedBy": "gennaker gc"}],
        });
        assert_eq!(
            lines(&usage),
            [
                "images                               5.00 MiB  3 images           /d/images  2.00 MiB could go: gennaker gc",
                "disk of /d: 91 % full, 9.00 MiB of 100.00 MiB free"
            ]
        );
    }
}
