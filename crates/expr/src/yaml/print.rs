//! JSON as block YAML that reads back as the same JSON.

use serde_json::Value as Json;

use super::resolve;
use crate::value::Value;

/// Prints a value, with a line break at the end.
pub fn print(value: &Json) -> String {
    let mut out = String::new();
    match value {
        Json::Object(map) if !map.is_empty() => members(map, 0, &mut out),
        Json::Array(list) if !list.is_empty() => items(list, 0, &mut out),
        other => {
            out.push_str(&scalar(other));
            out.push('\n');
        }
    }
    out
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn members(map: &serde_json::Map<String, Json>, depth: usize, out: &mut String) {
    for (place, (key, value)) in map.iter().enumerate() {
        if place > 0 || depth == 0 || !out.ends_with("- ") {
            indent(depth, out);
        }
        out.push_str(&text(key));
        out.push(':');
        match value {
            Json::Object(map) if !map.is_empty() => {
                out.push('\n');
                members(map, depth + 1, out);
            }
            Json::Array(list) if !list.is_empty() => {
                out.push('\n');
                items(list, depth, out);
            }
            other => {
                out.push(' ');
                out.push_str(&scalar(other));
                out.push('\n');
            }
        }
    }
}

fn items(list: &[Json], depth: usize, out: &mut String) {
    for (place, value) in list.iter().enumerate() {
        if place > 0 || depth == 0 || !out.ends_with("- ") {
            indent(depth, out);
        }
        out.push_str("- ");
        match value {
            Json::Object(map) if !map.is_empty() => members(map, depth + 1, out),
            Json::Array(list) if !list.is_empty() => items(list, depth + 1, out),
            other => {
                out.push_str(&scalar(other));
                out.push('\n');
            }
        }
    }
}

fn scalar(value: &Json) -> String {
    match value {
        Json::String(value) => text(value),
        // What has members was printed in lines; these are empty.
        other => other.to_string(),
    }
}

/// Plain when it can only be read as this text, else quoted as in JSON.
fn text(value: &str) -> String {
    let first = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.' | '$');
    let inside = |c: char| first(c) || matches!(c, ' ' | '-' | '+' | '(' | ')' | '@' | '=' | ':');
    let plain = value.starts_with(first)
        && value.chars().all(inside)
        && !value.ends_with([' ', ':'])
        && !value.contains(": ")
        && matches!(resolve(value), Value::Text(_));
    if plain { value.to_owned() } else { Json::String(value.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::budget::Budget;
    use crate::print::{Reader, to_json};

    #[test]
    fn it_is_printed_in_lines() {
        let value = json!({"name": "Ship it", "on": true, "empty": {}, "list": [1, [2, 3], {"a": null, "b": [{"c": "yes"}]}], "text": "a: b\n"});
        let expected = "name: Ship it\n\"on\": true\nempty: {}\nlist:\n- 1\n- - 2\n  - 3\n- a: null\n  b:\n  - c: \"yes\"\ntext: \"a: b\\n\"\n";
        assert_eq!(print(&value), expected);
    }

    #[test]
    fn what_is_printed_is_read_back_as_it_was() {
        let texts = [
            "",
            " ",
            "1",
            "1.0",
            "0x1F",
            "yes",
            "null",
            "~",
            "a b",
            "- a",
            "a: b",
            "a #b",
            "#",
            "é",
            "${x}",
            "2024-01-02",
            "a:",
            "1_000",
            "\t",
            "'",
            "[",
            "12:30",
            "<<",
            "=",
            "key:value",
        ];
        let value = json!({"texts": texts, "deep": {"a": {"b": [[], {}, [{"c": [1.5, -2, false, null]}]]}}, "12": {"on": "off"}});
        let cost = Budget::new(1 << 20, 1 << 20);
        let read = super::super::read(&print(&value), &cost).expect("it is YAML");
        assert_eq!(to_json(&read[0], Reader::Result, &cost).expect("JSON"), value);
    }
}
