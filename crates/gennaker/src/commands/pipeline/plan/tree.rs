//! A plan as a tree for a terminal.

use serde_json::{Map, Value};

/// What the engine reads of every stage, and what is shown elsewhere.
const LEFT_OUT: [&str; 14] = [
    "isNew",
    "stageEnabled",
    "failPipeline",
    "continuePipeline",
    "completeOtherBranchesThenFail",
    "restrictExecutionDuringTimeWindow",
    "restrictedExecutionWindow",
    "stageTimeoutMs",
    "overrideTimeout",
    "notifications",
    "sendNotifications",
    "comments",
    "clusters",
    "expressionEvaluationSummary",
];
/// The longest value that is shown.
const WIDEST: usize = 100;

/// Prints the plan.
pub fn print(plan: &Value, colour: bool) {
    let paint = Paint(colour);
    let text = |key: &str| plan.get(key).and_then(Value::as_str).unwrap_or("");
    let kind = plan["trigger"]["type"].as_str().unwrap_or("manual");
    let of = if text("application").is_empty() { String::new() } else { format!(" of {}", plain(text("application"))) };
    let name = if text("name").is_empty() { "the pipeline" } else { text("name") };
    println!("{}{of}, started by a {} trigger", paint.bold(&plain(name)), plain(kind));
    if let Some(parameters) = plan["trigger"]["parameters"].as_object().filter(|p| !p.is_empty()) {
        let shown: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{}={}", plain(name), value_text(value))).collect();
        println!("  with {}", shown.join(", "));
    }
    for note in texts(&plan["notes"]) {
        println!("  {note}");
    }
    let stages = plan["stages"].as_array().map_or(&[] as &[Value], Vec::as_slice);
    let names: Map<String, Value> =
        stages.iter().filter_map(|s| Some((s["refId"].as_str()?.to_owned(), s["name"].clone()))).collect();
    for (i, one) in stages.iter().enumerate() {
        println!();
        let number = format!("{:>3}  ", i + 1);
        stage(one, &number, "     ", &names, paint);
    }
}

#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }
    fn dim(self, text: &str) -> String {
        self.with("2", text)
    }
}

fn stage(one: &Value, first: &str, rest: &str, names: &Map<String, Value>, paint: Paint) {
    let text = |key: &str| plain(one[key].as_str().unwrap_or(""));
    let requires: Vec<String> = texts(&one["requisiteStageRefIds"])
        .map(|r| names.get(&r).and_then(Value::as_str).map_or(r.clone(), plain))
        .collect();
    let when = if requires.is_empty() { "at once".to_owned() } else { format!("after {}", requires.join(" and ")) };
    let kind = if text("name") == text("type") { String::new() } else { format!("  {}", text("type")) };
    println!("{first}{}{kind}  {}", paint.bold(&text("name")), paint.dim(&when));
    match one["fate"].as_str() {
        Some("skipped") => println!("{rest}{}", paint.with("33", &text("why"))),
        Some("fails") => println!("{rest}{}", paint.with("31", &format!("fails: {}", text("why")))),
        Some("undecided") => println!("{rest}{}", paint.with("33", &text("why"))),
        _ => {}
    }
    if one["fate"] == "skipped" {
        return;
    }
    for note in texts(&one["notes"]) {
        println!("{rest}{note}");
    }
    // What children repeat is shown with them.
    let has_children = ["before"].iter().any(|side| one[*side].as_array().is_some_and(|list| !list.is_empty()));
    if !has_children {
        for (key, value) in one["context"].as_object().into_iter().flatten() {
            let empty = value.is_null()
                || value == ""
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(Map::is_empty);
            if !empty && !LEFT_OUT.contains(&key.as_str()) {
                println!("{rest}{} {}", paint.dim(&format!("{}:", plain(key))), value_text(value));
            }
        }
        for unknown in one["unknown"].as_array().into_iter().flatten() {
            let path = unknown["path"].as_str().unwrap_or("").trim_start_matches("$.");
            println!(
                "{rest}{} {}",
                paint.with("33", &format!("? {}:", plain(path))),
                plain(unknown["reason"].as_str().unwrap_or(""))
            );
        }
    }
    children(one, "before", rest, names, paint);
    let tasks: Vec<String> =
        one["tasks"].as_array().into_iter().flatten().map(|t| plain(t["name"].as_str().unwrap_or(""))).collect();
    if !tasks.is_empty() {
        println!("{rest}{} {}", paint.dim("tasks:"), tasks.join(" → "));
    }
    for operation in one["operations"].as_array().into_iter().flatten() {
        let mut map = operation.as_object().cloned().unwrap_or_default();
        let name = map.shift_remove("type").and_then(|t| t.as_str().map(plain)).unwrap_or_default();
        println!("{rest}{} {}", paint.with("36", &format!("⇒ {name}")), line_of(&Value::Object(map), 2 * WIDEST));
    }
    children(one, "after", rest, names, paint);
}

fn children(one: &Value, side: &str, rest: &str, names: &Map<String, Value>, paint: Paint) {
    let list = one[side].as_array().map_or(&[] as &[Value], Vec::as_slice);
    if list.is_empty() {
        return;
    }
    println!("{rest}{}", paint.dim(&format!("{side} its tasks:")));
    let mut names = names.clone();
    names.extend(list.iter().filter_map(|s| Some((s["refId"].as_str()?.to_owned(), s["name"].clone()))));
    for (i, child) in list.iter().enumerate() {
        let (branch, below) = if i + 1 == list.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        stage(child, &format!("{rest}{branch}"), &format!("{rest}{below}"), &names, paint);
    }
}

fn texts(value: &Value) -> impl Iterator<Item = String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(plain)
}

/// A value in one line.
fn value_text(value: &Value) -> String {
    line_of(value, WIDEST)
}

fn line_of(value: &Value, widest: usize) -> String {
    let whole = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let whole = plain(&whole.replace('\n', " "));
    match whole.char_indices().nth(widest) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}

/// What others wrote must not steer the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '�' } else { c }).collect()
}
