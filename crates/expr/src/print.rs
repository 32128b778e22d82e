//! Three ways to write a value: Java's `toString`, the text that mixed texts and text arguments get, JSON.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::budget::{Budget, MAX_RESULT_DEPTH};
use crate::dates;
use crate::failure::Failure;
use crate::number::Number;
use crate::value::{List, Map, Value};

/// As `toString` writes it: `[a, b]`, `{k=v}`.
pub fn print(value: &Value, cost: &Budget) -> Result<String, Failure> {
    let mut out = String::new();
    print_into(&mut out, value, cost, 0)?;
    Ok(out)
}

fn print_into(out: &mut String, value: &Value, cost: &Budget, depth: usize) -> Result<(), Failure> {
    cost.steps(1)?;
    if depth > MAX_RESULT_DEPTH {
        return Err(too_deep());
    }
    let before = out.len();
    match value {
        Value::List(items) | Value::Set(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                print_into(out, &item, cost, depth + 1)?;
            }
            out.push(']');
            return Ok(());
        }
        Value::Map(members) => {
            out.push('{');
            for (i, (key, item)) in members.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                out.push_str(&key.name());
                out.push('=');
                print_into(out, &item, cost, depth + 1)?;
            }
            out.push('}');
            return Ok(());
        }
        Value::Entry(entry) => {
            print_into(out, &entry.0, cost, depth + 1)?;
            out.push('=');
            return print_into(out, &entry.1, cost, depth + 1);
        }
        Value::Null => out.push_str("null"),
        Value::LocalDate(date) => _ = write!(out, "{date}"),
        Value::LocalDateTime(time) => out.push_str(&dates::print_local(*time)),
        Value::Instant(instant) => out.push_str(&dates::print_instant(*instant)),
        Value::Type(name) => _ = write!(out, "class {}", name.name()),
        _ => match plain(value) {
            Some(text) => out.push_str(&text),
            None => return Err(Failure::new(format!("{} cannot be printed", value.what()))),
        },
    }
    cost.text(out.len() - before)
}

fn too_deep() -> Failure {
    Failure::budget(format!("the value nests deeper than {MAX_RESULT_DEPTH} levels"))
}

/// What is the same in print and in mixed text.
fn plain(value: &Value) -> Option<String> {
    Some(match value {
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::Char(c) => c.to_string(),
        Value::Text(text) | Value::Symbol(text) => text.to_string(),
        Value::Date(millis) => dates::print_date(*millis),
        Value::DayOfWeek(day) => dates::day_name(*day).to_owned(),
        // A unit prints as `Days`, though its name is `DAYS`.
        Value::Unit(unit) => unit.print().to_owned(),
        Value::Uuid(uuid) => print_uuid(*uuid),
        _ => return None,
    })
}

/// `123e4567-e89b-12d3-a456-426614174000`
pub(crate) fn print_uuid(uuid: u128) -> String {
    let hex = format!("{uuid:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The text of a value inside a mixed text, or where a method wants a text; `None` for null. Objects and instants have none.
pub fn to_text(value: &Value, cost: &Budget) -> Result<Option<String>, Failure> {
    to_text_at(value, cost, 0)
}

fn to_text_at(value: &Value, cost: &Budget, depth: usize) -> Result<Option<String>, Failure> {
    cost.steps(1)?;
    if depth > MAX_RESULT_DEPTH {
        return Err(too_deep());
    }
    let text = match value {
        Value::Null => return Ok(None),
        Value::List(items) | Value::Set(items) | Value::Array(items) => joined(items, cost, depth)?,
        Value::Unit(unit) => unit.name().to_owned(),
        _ => plain(value).ok_or_else(|| {
            Failure::new(format!("{} cannot become text: use #toJson or name a part of it", value.what()))
        })?,
    };
    cost.text(text.len())?;
    Ok(Some(text))
}

fn joined(items: &List, cost: &Budget, depth: usize) -> Result<String, Failure> {
    let mut text = String::new();
    for (i, item) in items.iter().enumerate() {
        text.push_str(if i > 0 { "," } else { "" });
        text.push_str(to_text_at(&item, cost, depth + 1)?.as_deref().unwrap_or("null"));
        if text.len() > crate::budget::MAX_TEXT {
            return Err(Failure::budget("the text would be too long"));
        }
    }
    Ok(text)
}

/// Who reads the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// It is a result: instants are milliseconds, local dates are arrays.
    Result,
    /// `#toJson`, which knows no instants and no local dates.
    Function,
}

/// As JSON.
pub fn to_json(value: &Value, reader: Reader, cost: &Budget) -> Result<Json, Failure> {
    to_json_at(value, reader, cost, 0)
}

fn to_json_at(value: &Value, reader: Reader, cost: &Budget, depth: usize) -> Result<Json, Failure> {
    cost.steps(1)?;
    if depth > MAX_RESULT_DEPTH {
        return Err(too_deep());
    }
    let inner = |value: &Value| to_json_at(value, reader, cost, depth + 1);
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Number(n) => {
            cost.output(8)?;
            n.to_json()
        }
        Value::Text(text) => {
            cost.output(text.len())?;
            Json::String(text.to_string())
        }
        Value::List(items) | Value::Array(items) | Value::Set(items) => {
            Json::Array(items.iter().map(|item| inner(&item)).collect::<Result<_, _>>()?)
        }
        Value::Map(members) => map_json(members, &inner, cost)?,
        Value::Entry(entry) => {
            let name = print(&entry.0, cost)?;
            Json::Object([(name, inner(&entry.1)?)].into_iter().collect())
        }
        Value::Date(millis) => (*millis).into(),
        Value::Instant(instant) if reader == Reader::Result => instant.as_millisecond().into(),
        Value::LocalDate(date) if reader == Reader::Result => {
            Json::Array(vec![date.year().into(), date.month().into(), date.day().into()])
        }
        Value::LocalDateTime(time) if reader == Reader::Result => dates::local_array(*time),
        Value::Unit(unit) => unit.name().into(),
        Value::Type(name) => name.name().into(),
        Value::Quoted(quoted) => Json::Object([("expression".to_owned(), inner(quoted)?)].into_iter().collect()),
        Value::Thing(thing) => {
            let json = thing.json()?;
            cost.output(size(&json))?;
            json
        }
        _ => plain(value)
            .map(Json::String)
            .ok_or_else(|| Failure::new(format!("{} cannot be a result", value.what())))?,
    })
}

fn map_json(members: &Map, inner: &dyn Fn(&Value) -> Result<Json, Failure>, cost: &Budget) -> Result<Json, Failure> {
    let mut object = serde_json::Map::new();
    for (key, item) in members.iter() {
        let name = key.name();
        cost.output(name.len())?;
        object.insert(name, inner(&item)?);
    }
    Ok(Json::Object(object))
}

/// About how many characters a JSON value has.
fn size(json: &Json) -> usize {
    match json {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(|item| size(item) + 1).sum(),
        Json::Object(members) => members.iter().map(|(name, item)| name.len() + size(item) + 4).sum(),
        _ => 8,
    }
}

/// JSON as `#toJson` writes it: no blanks, fractions as Java prints them, only what must be escaped is.
pub(crate) fn write_json(json: &Json) -> String {
    let mut out = String::new();
    write_json_into(&mut out, json);
    out
}

fn write_json_into(out: &mut String, json: &Json) {
    match json {
        Json::Number(n) => _ = write!(out, "{}", Number::from_json(n)),
        Json::String(text) => write_text(out, text),
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write_json_into(out, item);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (i, (name, item)) in members.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write_text(out, name);
                out.push(':');
                write_json_into(out, item);
            }
            out.push('}');
        }
        other => _ = write!(out, "{other}"),
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => _ = write!(out, "\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
}
