//! How answers are printed: JSON indented by one space with sorted keys, YAML, or what a JSONPath template picks out.

use std::io::{IsTerminal, Write};
use std::str::FromStr;

use anyhow::Context;
use serde_json::Value;

mod template;

/// A format.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Lines for people, where a command has them; else YAML.
    Text,
    /// A template with `{.path}` in it.
    JsonPath(String),
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("jsonpath", path)) => Ok(Format::JsonPath(path.to_owned())),
            None if text.eq_ignore_ascii_case("json") => Ok(Format::Json),
            None if text.eq_ignore_ascii_case("yaml") => Ok(Format::Yaml),
            None if text.eq_ignore_ascii_case("text") => Ok(Format::Text),
            _ => Err("write json, yaml, text or jsonpath=PATH, as in jsonpath={.name}".to_owned()),
        }
    }
}

/// Where answers and remarks go.
#[derive(Clone, Debug)]
pub struct Output {
    /// How answers look; absent when nobody said.
    pub format: Option<Format>,
    /// Whether remarks are left out.
    pub quiet: bool,
}

impl Output {
    /// Prints an answer to standard output.
    pub fn print(&self, value: &Value) -> anyhow::Result<()> {
        let text = match self.format.as_ref().unwrap_or(&Format::Json) {
            Format::Json => json(value)? + "\n",
            Format::Yaml | Format::Text => expr::print_yaml(&sorted(value)),
            Format::JsonPath(text) => template::fill(text, value)? + "\n",
        };
        std::io::stdout().write_all(text.as_bytes()).context("cannot print the answer")
    }

    /// Whether lines for people are wanted: asked for, or nothing was asked for and a person looks.
    pub fn is_for_people(&self) -> bool {
        match &self.format {
            Some(format) => *format == Format::Text,
            None => std::io::stdout().is_terminal(),
        }
    }

    /// Prints lines for people to standard output. What others wrote must not steer the terminal.
    pub fn lines(&self, lines: &[String]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        for line in lines {
            writeln!(out, "{}", inert(line)).context("cannot print the answer")?;
        }
        Ok(())
    }

    /// Tells what was done, on standard error: standard output is for answers.
    pub fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            eprintln!("{}", inert(text.as_ref()));
        }
    }
}

/// Control characters are shown, not obeyed.
pub fn inert(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Indented by one space, keys in order, as `spin` prints.
fn json(value: &Value) -> anyhow::Result<String> {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    serde::Serialize::serialize(&sorted(value), &mut serializer)?;
    Ok(String::from_utf8(out)?)
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_has_one_space_and_sorted_keys() {
        let value = json!({"b": [1, {"d": 1, "c": "<"}], "a": null});
        let expected = "{\n \"a\": null,\n \"b\": [\n  1,\n  {\n   \"c\": \"<\",\n   \"d\": 1\n  }\n ]\n}";
        assert_eq!(json(&value).expect("prints"), expected);
    }

    #[test]
    fn a_format_is_named_as_spin_names_it() {
        for (text, format) in [
            ("json", Some(Format::Json)),
            ("YAML", Some(Format::Yaml)),
            ("jsonpath={.a}", Some(Format::JsonPath("{.a}".into()))),
            ("text", Some(Format::Text)),
            ("table", None),
            ("json=1", None),
        ] {
            assert_eq!(text.parse::<Format>().ok(), format, "{text}");
        }
    }
}
