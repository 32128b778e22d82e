//! `gennaker config show`: what is in force, and where each value comes from. The keys are those of the configuration's structs; secrets are dots.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::Config;
use crate::environment::Environment;
use crate::machine::Place;

/// How it is shown.
#[derive(clap::Args)]
pub struct Args {
    /// Say where each value comes from: a line of the file, a variable, a flag, or the default
    #[arg(long)]
    origin: bool,
    /// As JSON: for each key its value and its origin
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Default,
    /// A line of the file.
    File(String, usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(file, line) => write!(f, "{file}:{line}"),
            Origin::Variable(name) => f.write_str(name),
            Origin::Flag(name) => f.write_str(name),
        }
    }
}

/// Prints it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let environment = Environment::read();
    let config = args.place.config(&environment)?;
    let shown = values(&config, &environment)?;
    let mut origins = in_file(&args.place, &environment)?;
    for (section, key) in environment.settings.keys() {
        origins.insert(format!("{section}.{key}"), Origin::Variable(Environment::setting(section, key)));
    }
    if args.place.names_data() {
        origins.insert("server.data".into(), Origin::Flag("--data"));
    }
    let origin = |key: &str| origins.get(key).cloned().unwrap_or(Origin::Default);
    if args.json {
        let all: Map<String, Value> = shown
            .iter()
            .map(|(key, value)| (key.clone(), json!({"value": value, "origin": origin(key).to_string()})))
            .collect();
        println!("{}", serde_json::to_string_pretty(&Value::Object(all))?);
        return Ok(ExitCode::SUCCESS);
    }
    let lines: Vec<(String, Origin)> =
        shown.iter().map(|(key, value)| (format!("{key} = {}", written(value)), origin(key))).collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0).min(60);
    for (line, origin) in lines {
        if args.origin { println!("{line:width$}  # {origin}") } else { println!("{line}") }
    }
    Ok(ExitCode::SUCCESS)
}

/// Every key with its value, in the order of the structs.
fn values(config: &Config, environment: &Environment) -> anyhow::Result<Vec<(String, Value)>> {
    let mut all = serde_json::to_value(config).context("the configuration cannot be shown")?;
    all["server"]["data"] = json!(config.data(environment));
    let mut shown = Vec::new();
    flatten(String::new(), all, &mut shown);
    Ok(shown)
}

/// `section.key`, and `section.list[0].key` in lists of tables. What such a table does not say is left out.
fn flatten(path: String, value: Value, shown: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let inside = path.contains('[');
            let empty = |value: &Value| {
                value.is_null()
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_object().is_some_and(Map::is_empty)
            };
            for (key, value) in fields.into_iter().filter(|(_, value)| !inside || !empty(value)) {
                flatten(if path.is_empty() { key } else { format!("{path}.{key}") }, value, shown);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (at, item) in items.into_iter().enumerate() {
                flatten(format!("{path}[{at}]"), item, shown);
            }
        }
        value => shown.push((path, value)),
    }
}

/// As the file would say it; what has no value there is said in words.
fn written(value: &Value) -> String {
    match value {
        Value::Null => "(not set)".into(),
        value => value.to_string(),
    }
}

/// The lines of the file that set something, by key.
fn in_file(place: &Place, environment: &Environment) -> anyhow::Result<BTreeMap<String, Origin>> {
    let file = place.config_file(environment);
    let mut found = BTreeMap::new();
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        // The default one need not be there; another one was read before.
        Err(_) => return Ok(found),
    };
    let table = DeTable::parse(&text).with_context(|| format!("in the configuration {}", file.display()))?;
    let name = file.display().to_string();
    lines(String::new(), table.get_ref(), &mut |key, at| {
        let line = text[..at.min(text.len())].matches('\n').count() + 1;
        found.insert(key, Origin::File(name.clone(), line));
    });
    Ok(found)
}

/// Tells every key of a table and where it begins.
fn lines(path: String, table: &DeTable<'_>, tell: &mut dyn FnMut(String, usize)) {
    for (key, value) in table {
        let path = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
        tell(path.clone(), key.span().start);
        inside(path, value, tell);
    }
}

fn inside(path: String, value: &Spanned<DeValue<'_>>, tell: &mut dyn FnMut(String, usize)) {
    match value.get_ref() {
        DeValue::Table(table) => lines(path, table, tell),
        DeValue::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                inside(format!("{path}[{at}]"), item, tell);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_line() {
        let text = "# mine\n[server]\nlisten = \"127.0.0.1:1\"\nhosts = [\n  \"a\",\n]\n\n[[token]]\nname = \"ci\"\n[[token]]\nname = \"kim\"\n";
        let table = DeTable::parse(text).expect("good");
        let mut found = Vec::new();
        lines(String::new(), table.get_ref(), &mut |key, at| {
            found.push((key, text[..at].matches('\n').count() + 1));
        });
        for (key, line) in [("server.listen", 3), ("server.hosts", 4), ("token[0].name", 9), ("token[1].name", 11)] {
            assert!(found.contains(&(key.to_owned(), line)), "{key} in {found:?}");
        }
    }

    #[test]
    fn every_key_is_shown_and_no_secret() {
        let text = "[server]\nstore = \"postgres://g:geheim@db/g\"\n[[token]]\nname = \"ci\"\nhash = \"$argon2id$geheim\"\nrole = \"viewer\"\n\
                    [outgoing]\nallow = [\"ci.example.org:443\", \"10.1.0.0/16\", \"public\"]\n\
                    [[webhook.preconfigured]]\ntype = \"chat\"\nlabel = \"Chat\"\nurl = \"https://chat/geheim\"\npayload = \"geheim\"\n\
                    [webhook.preconfigured.customHeaders]\nX-Key = \"geheim\"\n";
        let config: Config = toml::from_str(text).expect("good");
        let shown = values(&config, &Environment::default()).expect("shown");
        let lines: Vec<String> = shown.iter().map(|(key, value)| format!("{key} = {}", written(value))).collect();
        let all = lines.join("\n");
        assert!(!all.contains("geheim"), "{all}");
        for line in [
            "server.data = \"/.local/share/gennaker\"",
            "server.listen = \"127.0.0.1:9000\"",
            "server.gate_listen = \"127.0.0.1:8084\"",
            "server.store = \"••••\"",
            "token[0].name = \"ci\"",
            "token[0].hash = \"••••\"",
            "outgoing.allow = [\"ci.example.org:443\",\"10.1.0.0/16\",\"public\"]",
            "webhook.preconfigured[0].type = \"chat\"",
            "webhook.preconfigured[0].url = \"••••\"",
            "local.certificate = []",
            "triggers.missed_minutes = 30",
        ] {
            assert!(lines.iter().any(|shown| shown == line), "{line} in\n{all}");
        }
    }
}
