//! `gennaker gc`: forgets now what goes by itself after its time, or says what would go. The server does it; where none runs, this command.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::Value;

use crate::backup::size;
use crate::client::Gate;
use crate::progress::text;

/// What may be said.
#[derive(clap::Args)]
pub struct Args {
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    /// Print JSON for machines; the same as -o json
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gate: Gate,
}

/// Does it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (output, dry_run) = (args.gate.output(), args.dry_run);
    let swept = match args.gate.alone()? {
        Some(alone) => serde_json::to_value(alone.wait(move |tidy| async move { tidy.sweep(dry_run).await })?)?,
        None => {
            let (client, _) = args.gate.open()?;
            let query = [("dryRun", dry_run.to_string())];
            client.send(Method::POST, &["ui-api", "gc"], &query, None)?
        }
    };
    if args.json || output.format.is_some() {
        output.print(&swept)?;
    } else {
        output.lines(&lines(&swept, dry_run))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(swept: &Value, dry_run: bool) -> Vec<String> {
    let fate = if dry_run { "would go" } else { "gone" };
    let each = |one: &Value| {
        let bytes = one["bytes"].as_u64().unwrap_or(0);
        let bytes = if bytes > 0 { format!(", {}", size(bytes)) } else { String::new() };
        let names: Vec<&str> = one["names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        format!("{}: {} {fate}{bytes}{names}", text(one, "what"), one["count"])
    };
    let some = swept.as_array().into_iter().flatten().filter(|one| one["count"].as_u64().unwrap_or(0) > 0);
    let lines: Vec<String> = some.map(each).collect();
    if lines.is_empty() { vec!["nothing is past its time".to_owned()] } else { lines }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_went_is_told_with_its_names() {
        let swept = json!([
            {"what": "executions", "count": 12, "bytes": 0, "names": []},
            {"what": "images", "count": 1, "bytes": 3 << 20, "names": ["shop-1"]},
            {"what": "cloud operations", "count": 0, "bytes": 0, "names": []},
        ]);
        assert_eq!(lines(&swept, true), ["executions: 12 would go", "images: 1 would go, 3.00 MiB (shop-1)"]);
        assert_eq!(lines(&json!([]), false), ["nothing is past its time"]);
    }
}
