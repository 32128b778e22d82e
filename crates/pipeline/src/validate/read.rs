//! Reads the JSON that people write: comments, commas before a closing bracket and calls of dinghy's templates are told, not refused;
//! what is broken is named with its place, and reading goes on. Depth is bounded, numbers that do not fit are named.

mod scan;

use serde_json::Value;

use super::finding::{Findings, Severity};
use crate::Map;
use scan::Scan;

/// Deeper than this nothing is read.
const DEEPEST: usize = 128;
/// After so many broken places the rest is not worth reading.
const MOST_BROKEN: usize = 100;

/// Where each value stands in the text: the members of an object and the elements of a list, in order.
#[derive(Debug, Clone, Default)]
pub struct Place {
    at: usize,
    inside: Vec<Place>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Document {
    /// The value, as far as it can be understood.
    pub value: Value,
    /// Where its parts stand; none when the text is YAML.
    pub places: Option<Place>,
}

impl Document {
    /// Line and column (from 1) of a JSON path, or of the nearest thing around it that is there.
    pub fn line_and_column(&self, text: &str, path: &str) -> Option<(usize, usize)> {
        let mut place = self.places.as_ref()?;
        let mut value = &self.value;
        for step in steps(path) {
            let (next, number) = match (&step, value) {
                (Step::Item(i), Value::Array(list)) => (list.get(*i), Some(*i)),
                (Step::Key(key), Value::Object(map)) => (map.get(key), map.keys().position(|k| k == key)),
                _ => break,
            };
            let (Some(next), Some(inner)) = (next, number.and_then(|n| place.inside.get(n))) else { break };
            (value, place) = (next, inner);
        }
        let before = text.get(..place.at)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some((line, column))
    }
}

enum Step {
    Key(String),
    Item(usize),
}

/// The steps of a path as `At` writes it.
fn steps(path: &str) -> Vec<Step> {
    let mut out = Vec::new();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix("['") {
            let (mut key, mut chars) = (String::new(), tail.char_indices());
            let mut end = tail.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '\\' => key.extend(chars.next().map(|(_, c)| c)),
                    '\'' => {
                        end = at + 1;
                        break;
                    }
                    c => key.push(c),
                }
            }
            out.push(Step::Key(key));
            rest = tail[end..].strip_prefix(']').unwrap_or("");
        } else if let Some(tail) = rest.strip_prefix('[') {
            let Some((number, tail)) = tail.split_once(']') else { return out };
            let Ok(number) = number.parse() else { return out };
            out.push(Step::Item(number));
            rest = tail;
        } else {
            let tail = rest.strip_prefix('.').unwrap_or(rest);
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            if end == 0 {
                return out;
            }
            out.push(Step::Key(tail[..end].to_owned()));
            rest = &tail[end..];
        }
    }
    out
}

/// Reads JSON, or YAML when the text begins like none of JSON's.
pub fn document(text: &str, findings: &mut Findings) -> Document {
    let begin = Scan::new(text).first();
    match begin {
        Some('{' | '[' | '"') => json(text, findings),
        None => {
            findings.put(
                Severity::Error,
                "$".into(),
                "the file is empty",
                "a pipeline is a JSON object: {\"stages\": […]}",
            );
            Document::default()
        }
        Some(_) => yaml(text, findings),
    }
}

fn yaml(text: &str, findings: &mut Findings) -> Document {
    let cost = expr::Budget::new(20_000_000, 64 << 20);
    let read = expr::read_yaml(text, &cost).and_then(|all| {
        all.iter().map(|one| expr::to_json(one, expr::Reader::Result, &cost)).collect::<Result<Vec<Value>, _>>()
    });
    match read {
        Ok(mut all) if all.len() == 1 && !matches!(all[0], Value::String(_)) => {
            Document { value: all.remove(0), places: None }
        }
        Ok(all) if all.len() > 1 => Document { value: Value::Array(all), places: None },
        Ok(_) => {
            findings.put(Severity::Error, "$".into(), "the file is neither JSON nor YAML of a pipeline", "");
            Document::default()
        }
        Err(failure) => {
            let message = format!("the file is neither JSON nor YAML: {}", failure.message);
            findings.put(Severity::Error, "$".into(), message, "JSON begins with { or [");
            Document::default()
        }
    }
}

/// A list or an object that is not closed yet.
enum Open {
    List { items: Vec<Value>, place: Place },
    Map { members: Map, place: Place, key: Option<(String, usize)> },
}

impl Open {
    /// How a path goes on from here to what is read now.
    fn step(&self) -> String {
        match self {
            Open::List { items, .. } => format!("[{}]", items.len()),
            Open::Map { key: Some((key, _)), .. } => {
                let root = super::At::Root;
                root.key(key).to_string().split_off(1)
            }
            Open::Map { .. } => String::new(),
        }
    }
}

fn json(text: &str, findings: &mut Findings) -> Document {
    let mut reader = Reader { scan: Scan::new(text), open: Vec::new(), findings, broken: 0, told: [false; 4] };
    let (value, place) = reader.whole();
    Document { value, places: Some(place) }
}

struct Reader<'t, 'f> {
    scan: Scan<'t>,
    open: Vec<Open>,
    findings: &'f mut Findings,
    broken: usize,
    /// Which habits have been told already: one hint for each is enough.
    told: [bool; 4],
}

const HABITS: [(&str, &str); 4] = [
    ("there are comments", "JSON has none: they are left out when the pipeline is saved"),
    ("there is a comma before a closing bracket", "JSON has none there: it is left out when the pipeline is saved"),
    ("there is a call of a template ({{ … }})", "dinghy renders it: what it makes is not checked here"),
    ("a text is broken over several lines", "JSON wants \\n there"),
];

impl Reader<'_, '_> {
    fn path(&self) -> String {
        self.open.iter().fold("$".to_owned(), |path, open| path + &open.step())
    }

    fn broken(&mut self, message: String, help: &str) {
        self.broken_at(self.scan.at(), message, help);
    }

    fn broken_at(&mut self, at: usize, message: String, help: &str) {
        let (line, column) = self.scan.line_and_column(at);
        self.broken += 1;
        let path = self.path();
        self.findings.put(Severity::Error, path, format!("line {line}, column {column}: {message}"), help);
    }

    fn habit(&mut self, which: usize) {
        if !std::mem::replace(&mut self.told[which], true) {
            let (line, _) = self.scan.line_and_column(self.scan.at());
            // A comma belongs to the whole list, not to the element that does not come.
            let around = self.open.len().saturating_sub(usize::from(which == 1));
            let path = self.open[..around].iter().fold("$".to_owned(), |path, open| path + &open.step());
            let (message, help) = HABITS[which];
            self.findings.put(Severity::Hint, path, format!("{message} (line {line})"), help);
        }
    }

    fn blank(&mut self) {
        if self.scan.blank() {
            self.habit(0);
        }
    }

    /// The whole text: one value, and nothing behind it.
    fn whole(&mut self) -> (Value, Place) {
        let mut done: Option<(Value, Place)> = None;
        loop {
            self.blank();
            if done.is_some() && self.open.is_empty() {
                if self.scan.peek().is_some() {
                    self.broken(
                        "the pipeline has ended, but there is more".into(),
                        "several pipelines stand in a list",
                    );
                }
                break;
            }
            if self.broken >= MOST_BROKEN {
                self.broken("so much is broken here that the rest is not read".into(), "");
                break;
            }
            let Some(c) = self.scan.peek() else {
                let what = if matches!(self.open.last(), Some(Open::List { .. })) { "a list" } else { "an object" };
                self.broken(format!("the file ends inside {what}"), "a closing bracket is missing");
                break;
            };
            if let Some((value, place)) = self.step(c) {
                done = self.put(value, place).or(done);
            }
        }
        // What is still open is closed, so that its content is checked, too.
        while let Some(open) = self.open.pop() {
            let (value, place) = closed(open);
            done = self.put(value, place).or(done);
        }
        done.unwrap_or_default()
    }

    /// One token; a value when it ends one.
    fn step(&mut self, c: char) -> Option<(Value, Place)> {
        let wants_key = matches!(self.open.last(), Some(Open::Map { key: None, .. }));
        match c {
            '{' | '[' if wants_key => {
                self.broken(format!("'{c}' stands where a key should"), "a member of an object is \"key\": value");
                self.scan.skip_value();
                None
            }
            '{' if self.scan.is_template() => self.template(),
            '{' | '[' => self.opens(c),
            '}' | ']' => self.closes(c),
            ',' => self.comma(),
            _ if wants_key => {
                self.key(c);
                None
            }
            _ => self.scalar(c),
        }
    }

    fn template(&mut self) -> Option<(Value, Place)> {
        self.habit(2);
        let at = self.scan.at();
        let text = self.scan.template();
        let is_value = !matches!(self.open.last(), Some(Open::Map { key: None, .. }));
        is_value.then(|| (Value::String(text.to_owned()), Place { at, inside: Vec::new() }))
    }

    fn opens(&mut self, c: char) -> Option<(Value, Place)> {
        let at = self.scan.at();
        let place = Place { at, inside: Vec::new() };
        if self.open.len() >= DEEPEST {
            self.broken(
                format!("nested more than {DEEPEST} levels deep"),
                "what is deeper is not read, and could not be saved",
            );
            self.scan.skip_value();
            return Some((Value::Null, place));
        }
        self.scan.next();
        self.open.push(match c {
            '[' => Open::List { items: Vec::new(), place },
            _ => Open::Map { members: Map::new(), place, key: None },
        });
        None
    }

    fn closes(&mut self, c: char) -> Option<(Value, Place)> {
        let fits = match self.open.last() {
            Some(Open::List { .. }) => c == ']',
            Some(Open::Map { .. }) => c == '}',
            None => false,
        };
        let Some(open) = self.open.pop() else {
            self.broken(format!("'{c}' closes nothing"), "");
            self.scan.next();
            return None;
        };
        if let Open::Map { key: Some((key, _)), .. } = &open {
            let message = format!("the key \"{}\" has no value", super::finding::shortened(key, 60));
            self.broken(message, "");
        }
        if fits {
            self.scan.next();
        } else {
            // It may belong to what is around.
            let other = if c == ']' { '}' } else { ']' };
            self.broken(format!("'{c}' stands where '{other}' should"), "");
            if self.open.is_empty() {
                self.scan.next();
            }
        }
        Some(closed(open))
    }

    fn comma(&mut self) -> Option<(Value, Place)> {
        self.scan.next();
        self.blank();
        if matches!(self.scan.peek(), Some('}' | ']')) {
            self.habit(1);
        } else if self.scan.peek() == Some(',') {
            self.broken("there are two commas".into(), "");
        }
        None
    }

    fn key(&mut self, c: char) {
        let at = self.scan.at();
        let key = match c {
            '"' | '\'' => self.text(c),
            _ => {
                let word = self.scan.word();
                if word.is_empty() {
                    self.broken(format!("'{c}' stands where a key should"), "a key is a text in double quotes");
                    self.scan.next();
                    return;
                }
                self.broken_at(at, format!("the key {word} has no quotes"), "a key is a text in double quotes");
                word.to_owned()
            }
        };
        self.blank();
        if self.scan.peek() == Some(':') {
            self.scan.next();
        } else {
            self.broken("there is no ':' behind the key".into(), "");
        }
        if let Some(Open::Map { key: slot, members, .. }) = self.open.last_mut() {
            let twice = members.contains_key(&key);
            *slot = Some((key.clone(), at));
            if twice {
                let shown = super::finding::shortened(&key, 60);
                self.broken_at(
                    at,
                    format!("the key \"{shown}\" stands twice in this object"),
                    "only one of them can be meant: take the other away",
                );
            }
        }
    }

    fn scalar(&mut self, c: char) -> Option<(Value, Place)> {
        let place = Place { at: self.scan.at(), inside: Vec::new() };
        if matches!(c, '"' | '\'') {
            return Some((Value::String(self.text(c)), place));
        }
        let word = self.scan.word();
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "" => {
                self.broken(format!("'{c}' stands where a value should"), "");
                self.scan.next();
                return None;
            }
            number if number.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
                self.number(number, place.at)
            }
            _ => {
                let shown = super::finding::shortened(word, 60);
                self.broken_at(place.at, format!("{shown} is no JSON value"), "put a text in double quotes");
                Value::String(word.to_owned())
            }
        };
        Some((value, place))
    }

    fn number(&mut self, word: &str, at: usize) -> Value {
        if let Ok(number) = serde_json::from_str::<serde_json::Number>(word) {
            return Value::Number(number);
        }
        let shown = super::finding::shortened(word, 24);
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.broken_at(
                    at,
                    format!("{shown} is not how JSON writes a number"),
                    "no + and no zeros in front, digits on both sides of the point",
                );
                serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)
            }
            Ok(_) => {
                self.broken_at(at, format!("the number {shown} is out of range"), "numbers end at about 1.8e308");
                Value::from(i64::MAX)
            }
            Err(_) => {
                self.broken_at(at, format!("{shown} is no number"), "put a text in double quotes");
                Value::String(word.to_owned())
            }
        }
    }

    fn text(&mut self, quote: char) -> String {
        if quote == '\'' {
            self.broken("a text stands in single quotes".into(), "JSON wants double quotes");
        }
        let read = self.scan.text(quote);
        if read.lines {
            self.habit(3);
        }
        if read.templates {
            self.habit(2);
        }
        if let Some(wrong) = read.wrong {
            self.broken(wrong.into(), "");
        }
        read.text
    }

    /// Puts a value where it belongs; the value of the whole text is handed back.
    fn put(&mut self, value: Value, inner: Place) -> Option<(Value, Place)> {
        match self.open.last_mut() {
            None => return Some((value, inner)),
            Some(Open::List { items, place }) => {
                items.push(value);
                place.inside.push(inner);
            }
            Some(Open::Map { members, place, key }) => {
                let (name, at) = key.take()?;
                let inner = Place { at, ..inner };
                let old = members.contains_key(&name).then(|| members.keys().position(|k| *k == name)).flatten();
                match old.and_then(|old| place.inside.get_mut(old)) {
                    Some(old) => *old = inner,
                    None => place.inside.push(inner),
                }
                members.insert(name, value);
            }
        }
        self.after_value();
        None
    }

    /// Behind a value stands a comma or a closing bracket.
    fn after_value(&mut self) {
        self.blank();
        match self.scan.peek() {
            None | Some(',' | '}' | ']') => {}
            Some('{') if self.scan.is_template() => {}
            Some(_) if self.told[2] => {}
            Some(_) => self.broken("a comma is missing".into(), ""),
        }
    }
}

fn closed(open: Open) -> (Value, Place) {
    match open {
        Open::List { items, place } => (Value::Array(items), place),
        Open::Map { members, place, .. } => (Value::Object(members), place),
    }
}

#[cfg(test)]
mod tests;
