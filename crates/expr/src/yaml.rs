//! YAML 1.1 as `#readYaml` reads it: `yes` and `on` are booleans, `0x1F` is a number, `2024-01-02` a date.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use crate::budget::{Budget, MAX_RESULT_DEPTH};
use crate::dates;
use crate::failure::Failure;
use crate::number::Number;
use crate::value::{Key, Map, Members, Text, Value};

mod print;

pub use print::print;

/// All documents of a text.
pub fn read<'a>(text: &str, cost: &Budget) -> Result<Vec<Value<'a>>, Failure> {
    cost.steps(text.len())?;
    let mut reader = Reader { open: Vec::new(), anchors: HashMap::new(), documents: Vec::new(), cost };
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| Failure::new(format!("the text is no YAML: {error}")))?;
        reader.take(event)?;
    }
    Ok(reader.documents)
}

struct Reader<'c, 'a> {
    open: Vec<Open<'a>>,
    anchors: HashMap<usize, Value<'a>>,
    documents: Vec<Value<'a>>,
    cost: &'c Budget,
}

/// A list or object that is being read.
enum Open<'a> {
    List { anchor: usize, items: Vec<Value<'a>> },
    Map { anchor: usize, members: Members<'a>, key: Option<Value<'a>>, merged: Vec<Value<'a>> },
}

impl<'a> Reader<'_, 'a> {
    fn take(&mut self, event: Event) -> Result<(), Failure> {
        self.cost.steps(1)?;
        match event {
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = known_tag(tag.as_deref())?;
                let resolved = match tag {
                    Some("str") => false,
                    Some(_) => true,
                    None => style == ScalarStyle::Plain,
                };
                let value = if resolved { resolve(&text) } else { Value::text(text.as_ref()) };
                self.closed(value, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                known_tag(tag.as_deref())?;
                self.opened(Open::List { anchor, items: Vec::new() })?;
            }
            Event::MappingStart(anchor, tag) => {
                known_tag(tag.as_deref())?;
                self.opened(Open::Map { anchor, members: Members::default(), key: None, merged: Vec::new() })?;
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List { anchor, items }) => self.closed(Value::List(items.into_iter().collect()), anchor)?,
                Some(Open::Map { anchor, members, merged, .. }) => {
                    let whole = merge(members, merged);
                    self.closed(Value::Map(Map::made(whole)), anchor)?;
                }
                None => {}
            },
            Event::Alias(anchor) => {
                let value = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| Failure::new("an alias in the YAML has no anchor"))?;
                self.closed(value, 0)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, open: Open<'a>) -> Result<(), Failure> {
        if self.open.len() >= MAX_RESULT_DEPTH {
            return Err(Failure::budget("the YAML nests too deep"));
        }
        self.open.push(open);
        Ok(())
    }

    /// A value is complete: it goes where it belongs.
    fn closed(&mut self, value: Value<'a>, anchor: usize) -> Result<(), Failure> {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            None => self.documents.push(value),
            Some(Open::List { items, .. }) => items.push(value),
            Some(Open::Map { members, key, merged, .. }) => match key.take() {
                None => *key = Some(value),
                Some(Value::Text(name)) if &*name == "<<" => merged.push(value),
                Some(found) => {
                    members.insert(key_of(&found)?, value);
                }
            },
        }
        Ok(())
    }
}

/// The name of a tag of YAML's own types; others are refused.
fn known_tag(tag: Option<&Tag>) -> Result<Option<&str>, Failure> {
    const KNOWN: [&str; 8] = ["str", "int", "float", "bool", "null", "seq", "map", "timestamp"];
    match tag {
        None => Ok(None),
        Some(tag) if tag.handle.ends_with("yaml.org,2002:") && KNOWN.contains(&tag.suffix.as_str()) => {
            Ok(Some(&tag.suffix))
        }
        Some(tag) => Err(Failure::refused(format!("the tag {}{} is refused in YAML", tag.handle, tag.suffix))),
    }
}

fn key_of<'a>(value: &Value<'a>) -> Result<Key<'a>, Failure> {
    Ok(match value {
        Value::Text(text) => Key::Text(text.clone()),
        Value::Null => Key::Null,
        Value::Bool(b) => Key::Bool(*b),
        Value::Number(Number::Int(n)) => Key::Int(*n),
        Value::Number(Number::Long(n)) => Key::Long(*n),
        Value::Number(n) => Key::Other(n.to_string().into()),
        other => return Err(Failure::new(format!("{} cannot be a key in YAML", other.what()))),
    })
}

/// `<<: *base`: members that are not there themselves.
fn merge<'a>(mut members: Members<'a>, merged: Vec<Value<'a>>) -> Members<'a> {
    for value in merged {
        let bases: Vec<Value> = match value {
            Value::List(items) => items.iter().collect(),
            other => vec![other],
        };
        for base in bases {
            if let Value::Map(base) = base {
                for (key, value) in base.iter() {
                    members.entry(key).or_insert(value);
                }
            }
        }
    }
    members
}

/// What a word without quotes means.
fn resolve<'a>(text: &str) -> Value<'a> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    let special =
        if begins { whole(text).or_else(|| fraction(text)).map(Value::Number).or_else(|| date(text)) } else { None };
    special.unwrap_or_else(|| Value::Text(Text::Made(text.into())))
}

fn whole(text: &str) -> Option<Number> {
    let (negative, digits) =
        text.strip_prefix('-').map_or((false, text.strip_prefix('+').unwrap_or(text)), |rest| (true, rest));
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    let n = if let Some(hex) = digits.strip_prefix("0x") {
        i64::from_str_radix(hex, 16).ok()?
    } else if let Some(binary) = digits.strip_prefix("0b") {
        i64::from_str_radix(binary, 2).ok()?
    } else if digits.contains(':') {
        let parts: Vec<&str> = digits.split(':').collect();
        let sixty = |all: i64, part: &&str| {
            part.parse::<i64>().ok().filter(|n| *n < 60 || all == 0).and_then(|n| all.checked_mul(60)?.checked_add(n))
        };
        parts.iter().try_fold(0, sixty)?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(&digits[1..], 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(Number::whole(if negative { -n } else { n }))
}

fn fraction(text: &str) -> Option<Number> {
    let (sign, digits) =
        text.strip_prefix('-').map_or((1.0, text.strip_prefix('+').unwrap_or(text)), |rest| (-1.0, rest));
    let n = match digits {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        _ => {
            let plain: String = digits.chars().filter(|c| *c != '_').collect();
            let (mantissa, _) = plain.split_once(['e', 'E']).unwrap_or((&plain, ""));
            let numeric = plain.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
            if !numeric || !mantissa.chars().any(|c| c.is_ascii_digit()) || plain == mantissa && !plain.contains('.') {
                return None;
            }
            plain.parse().ok()?
        }
    };
    Some(Number::Double(sign * n))
}

fn date<'a>(text: &str) -> Option<Value<'a>> {
    if let Some(day) = dates::parse_date(text) {
        return Some(Value::Date(dates::millis(day.at(0, 0, 0, 0))));
    }
    let joined = text.replacen(' ', "T", 1);
    let instant = dates::parse_instant(&joined).or_else(|| dates::parse_instant(&format!("{joined}Z")))?;
    Some(Value::Date(instant.as_millisecond()))
}
