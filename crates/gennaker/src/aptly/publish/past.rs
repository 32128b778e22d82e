//! `publish history` and `publish rollback`: commands of ours, in the shape of the others.

use apt::{Past, Rollback};
use serde_json::{Value, json};

use super::super::flags::Parsed;
use super::super::repo::print_json;
use super::super::{Context, Failure, Unable, say, shown_time, tell};
use super::{print_source_line, signing, split_place};

/// So many package names are shown of a change; `-json` has them all.
const SHOWN: usize = 8;

fn object(past: &Past) -> Value {
    json!({
        "Generation": past.number, "PublishedAt": past.at.to_string(), "Shown": past.shown, "NumPackages": past.packages,
        "Added": past.added, "Removed": past.removed,
    })
}

/// `+ a, b and 3 more`; nothing when there is none.
fn names(mark: char, names: &[String]) -> Option<String> {
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("    {mark} {}{rest}", names[..names.len() - more].join(", ")))
}

pub fn history(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let (storage, prefix) = split_place(parsed.args.get(1).map_or("", String::as_str));
    let kept = context.root()?.publication_history(&storage, &prefix, &parsed.args[0]).unable("show history")?;
    if parsed.on("json") {
        print_json(&kept.iter().map(object).collect());
        return Ok(());
    }
    for past in &kept {
        let mark = if past.shown { " (shown now)" } else { "" };
        say!("{}  {}  {} packages{mark}", past.number, shown_time(past.at), past.packages);
        let changes = names('+', &past.added).into_iter().chain(names('-', &past.removed));
        changes.for_each(|line| say!("{line}"));
    }
    say!("\nTo show one of them again, run `aptly publish rollback -to=<number> {} {prefix}`.", parsed.args[0]);
    Ok(())
}

pub fn rollback(context: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let (storage, prefix) = split_place(parsed.args.get(1).map_or("", String::as_str));
    let number = |text: String| text.parse().map_err(|_| Failure::Run(format!("-to is {text:?}, which is no number")));
    let request = Rollback {
        storage,
        prefix,
        distribution: parsed.args[0].clone(),
        to: parsed.text_if_given("to").map(number).transpose()?,
        skip_cleanup: parsed.on("skip-cleanup"),
        signing: signing(context, parsed),
        date: context.source_date,
    };
    let done = context.root()?.rollback_publication(&request, &mut tell).unable("roll back")?;
    say!("\nPublished repository {done} shows again what it showed before.");
    print_source_line(&done, "http://your-server", request.signing.skip);
    Ok(())
}
