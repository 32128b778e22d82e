//! The properties that a script leaves in a file: JSON or YAML by the file's name, else `key=value` lines as Java reads them.

use expr::{Budget, Reader, read_yaml, to_json};
use pipeline::Map;
use serde_json::Value;

/// Steps and characters for reading YAML.
const STEPS: u64 = 1_000_000;
const OUTPUT: u64 = 1 << 20;

/// What a file of this name says.
pub(super) fn read(name: &str, text: &str) -> Result<Map, String> {
    let lower = name.to_lowercase();
    let read = if lower.ends_with(".json") {
        serde_json::from_str(text).map_err(|error| error.to_string())?
    } else if lower.ends_with(".yml") || lower.ends_with(".yaml") {
        let cost = Budget::new(STEPS, OUTPUT);
        let documents = read_yaml(text, &cost).map_err(|error| error.to_string())?;
        match documents.first() {
            Some(document) => to_json(document, Reader::Result, &cost).map_err(|error| error.to_string())?,
            None => Value::Object(Map::new()),
        }
    } else {
        Value::Object(java(text))
    };
    match read {
        Value::Object(map) => Ok(map),
        _ => Err("it holds no keys".into()),
    }
}

/// Java's properties: `key=value`, `key: value` or `key value`; `#` and `!` begin comments; a line that ends with a backslash goes on.
fn java(text: &str) -> Map {
    let mut out = Map::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start().to_owned();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        while line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
            line.pop();
            match lines.next() {
                Some(next) => line.push_str(next.trim_start()),
                None => break,
            }
        }
        let (key, value) = split(&line);
        out.insert(unescaped(key), Value::String(unescaped(value)));
    }
    out
}

/// Key and value of a line: parted by the first `=`, `:` or blank that no backslash stands before.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let ends = !escaped && matches!(c, '=' | ':' | ' ' | '\t');
        escaped = *c == '\\' && !escaped;
        ends
    });
    let (key, rest) = line.split_at(end.map_or(line.len(), |(at, _)| at));
    let rest = rest.trim_start();
    (key, rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start())
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(c) = signs.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match signs.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits: String = signs.by_ref().take(4).collect();
                out.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_name_of_the_file_says_how_it_is_read() {
        let check = |name: &str, text: &str, expect: Value| {
            assert_eq!(read(name, text).map(Value::Object), Ok(expect), "{name}: {text}");
        };
        check("a.json", r#"{"a": 1}"#, json!({"a": 1}));
        check("a.yaml", "a: 1\nb: [x]\n", json!({"a": 1, "b": ["x"]}));
        check("a.YML", "", json!({}));
        check(
            "build.properties",
            "# no\n! no\na=1\nb : two words \n\nc",
            json!({"a": "1", "b": "two words ", "c": ""}),
        );
        check(
            "p",
            "a\\ b=x\\u0041\\n\nlong=1,\\\n   2\nurl=http://a:1/?x=y",
            json!({"a b": "xA\n", "long": "1,2", "url": "http://a:1/?x=y"}),
        );
        assert_eq!(read("a.json", "[1]"), Err("it holds no keys".into()));
        assert!(read("a.json", "{").is_err());
    }
}
