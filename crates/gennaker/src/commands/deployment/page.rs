//! A deployment's report as one HTML file: the picture and the tables, nothing from elsewhere, no script.

use std::fmt::Write as _;

use serde_json::Value;

use super::{clock, headline, list, millis, number, took, verdict};
use crate::progress::text;

/// Size of a picture, in its own units.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 220.0;
/// Room for labels.
const LEFT: f64 = 56.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 24.0;

const STYLE: &str = "
:root { color-scheme: light dark; --old: #8a94a6; --new: #2f7de1; --canary: #e8a317; --baseline: #7a5cc0; --other: #5f6b7a; --bad: #d3302f; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.3em; } h2 { font-size: 1.05em; margin-top: 2em; } .verdict { font-size: 1.6em; font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .25em .6em; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child, td.l, th.l { text-align: left; } svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; } .bad { color: var(--bad); font-weight: 600; }
";

/// The file's text.
pub fn page(report: &Value) -> String {
    let mut out = String::new();
    let title = escaped(&headline(report));
    // Writing to a text cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n<p class=\"verdict\">{}</p>\n",
        escaped(&verdict(report))
    );
    for balancer in list(report, "loadBalancers") {
        let name = format!("{} ({}/{})", text(balancer, "name"), text(balancer, "account"), text(balancer, "region"));
        let _ = writeln!(out, "<h2>Load balancer {}</h2>", escaped(&name));
        picture(&mut out, balancer, report);
        groups(&mut out, balancer);
    }
    steps(&mut out, report);
    for note in list(report, "notes") {
        let _ = writeln!(out, "<p>{}</p>", escaped(note.as_str().unwrap_or_default()));
    }
    out.push_str("</html>\n");
    out
}

/// What is not ours is text, never markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The colour of a role: one that the style knows.
fn colour(role: &Value) -> &'static str {
    match role.as_str() {
        Some("old") => "var(--old)",
        Some("new") => "var(--new)",
        Some("canary") => "var(--canary)",
        Some("baseline") => "var(--baseline)",
        _ => "var(--other)",
    }
}

/// Requests a second of each group, one upon the other; failures in red; a line where a step began.
fn picture(out: &mut String, balancer: &Value, report: &Value) {
    let groups: Vec<&Value> = list(balancer, "groups").collect();
    let at = |second: &Value| second["at"].as_i64().unwrap_or(0) / 1000;
    let all = || groups.iter().filter_map(|group| group["seconds"].as_array()).flatten();
    let (Some(first), Some(last)) = (all().map(at).min(), all().map(at).max()) else { return };
    let count = usize::try_from(last - first).unwrap_or(0).min(7_200) + 1;
    let mut below = vec![0_u64; count];
    let mut failed = vec![0_u64; count];
    let mut bands = Vec::new();
    for group in &groups {
        let mut upper = below.clone();
        for second in list(group, "seconds") {
            let place = usize::try_from(at(second) - first).unwrap_or(usize::MAX);
            if let (Some(sum), Some(bad)) = (upper.get_mut(place), failed.get_mut(place)) {
                *sum += number(&second["requests"]);
                *bad += number(&second["failures"]);
            }
        }
        bands.push((colour(&group["role"]), below.clone(), upper.clone()));
        below = upper;
    }
    for second in list(balancer, "unserved") {
        if let Some(bad) = usize::try_from(at(second) - first).ok().and_then(|place| failed.get_mut(place)) {
            *bad += number(&second["requests"]);
        }
    }
    let most = below.iter().copied().max().unwrap_or(1).max(1);
    let wide = (WIDTH - LEFT) / count as f64;
    let x = |place: usize| LEFT + place as f64 * wide;
    let y = |requests: u64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - requests as f64 / most as f64);
    let _ = writeln!(out, "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"requests a second\">");
    for (colour, lower, upper) in &bands {
        for (place, (from, to)) in lower.iter().zip(upper).enumerate().filter(|(_, (from, to))| from != to) {
            let (left, top, high) = (x(place), y(*to), y(*from) - y(*to));
            let gap = if wide > 4.0 { 1.0 } else { 0.0 };
            let _ = writeln!(
                out,
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.2}\" height=\"{high:.1}\" fill=\"{colour}\"/>",
                wide - gap
            );
        }
    }
    for (place, bad) in failed.iter().enumerate().filter(|(_, bad)| **bad > 0) {
        let (middle, low) = (x(place) + wide / 2.0, HEIGHT - BOTTOM + 6.0);
        let _ = writeln!(
            out,
            "<circle cx=\"{middle:.1}\" cy=\"{low:.1}\" r=\"3\" fill=\"var(--bad)\"><title>{bad} failed</title></circle>"
        );
    }
    marks(out, report, first, last, x);
    let _ = writeln!(
        out,
        "<text x=\"4\" y=\"{:.0}\">{most}/s</text><text x=\"4\" y=\"{:.0}\">0</text>",
        TOP + 8.0,
        HEIGHT - BOTTOM
    );
    let (start, end) = (clock(&Value::from(first * 1000)), clock(&Value::from(last * 1000)));
    let _ = writeln!(out, "<text x=\"{LEFT}\" y=\"{:.0}\">{start}</text>", HEIGHT - 4.0);
    let _ = writeln!(
        out,
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{end}</text>\n</svg>",
        WIDTH - 4.0,
        HEIGHT - 4.0
    );
}

/// A line where each step began.
fn marks(out: &mut String, report: &Value, first: i64, last: i64, x: impl Fn(usize) -> f64) {
    for step in list(report, "steps") {
        let Some(began) = step["startTime"].as_i64() else { continue };
        if began < first * 1000 || began > (last + 1) * 1000 {
            continue;
        }
        let whole = usize::try_from(began / 1000 - first).unwrap_or(0);
        let part = (began % 1000) as f64 / 1000.0;
        let at = x(whole) + part * (x(whole + 1) - x(whole));
        let (name, low) = (escaped(text(step, "name")), HEIGHT - BOTTOM);
        let _ = writeln!(
            out,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{low}\" stroke=\"currentColor\" stroke-opacity=\".45\" stroke-dasharray=\"3 3\"><title>{} {name}</title></line>",
            clock(&step["startTime"])
        );
    }
}

fn groups(out: &mut String, balancer: &Value) {
    out.push_str("<table><tr><th>server group<th class=\"l\"><th>requests<th>failed<th>sent again<th>p50<th>p99<th>slowest</tr>\n");
    for group in list(balancer, "groups") {
        let total = &group["total"];
        let bad = if number(&total["failures"]) > 0 { " class=\"bad\"" } else { "" };
        let _ = writeln!(
            out,
            "<tr><td><span class=\"key\" style=\"background:{}\"></span>{}<td class=\"l\">{}<td>{}<td{bad}>{}<td>{}<td>{}<td>{}<td>{}</tr>",
            colour(&group["role"]),
            escaped(text(group, "serverGroup")),
            escaped(text(group, "role")),
            number(&total["requests"]),
            number(&total["failures"]),
            number(&total["retries"]),
            millis(&total["p50Us"]),
            millis(&total["p99Us"]),
            millis(&total["maxUs"]),
        );
    }
    out.push_str("</table>\n");
}

fn steps(out: &mut String, report: &Value) {
    out.push_str("<h2>Steps</h2>\n<table><tr><th>began<th class=\"l\">step<th class=\"l\">status<th>took</tr>\n");
    for step in list(report, "steps") {
        let took = took(step).unwrap_or_default();
        let indent = if step["inside"] == true { "&emsp;" } else { "" };
        let _ = writeln!(
            out,
            "<tr><td>{}<td class=\"l\">{indent}{}<td class=\"l\">{}<td>{took}</tr>",
            clock(&step["startTime"]),
            escaped(text(step, "name")),
            escaped(text(step, "status")),
        );
    }
    out.push_str("</table>\n");
}
