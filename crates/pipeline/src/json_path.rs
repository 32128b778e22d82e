//! JSONPath: which values of a document a path names. RFC 9535, and what pipelines are used to beside it: a path may lack its `$`, `=~ /…/` matches
//! as a whole, `in` and `nin` look into a list, and a path may end with `.length()` or one of its kin.
//!
//! Paths and documents come from people and from networks, so both are bounded: a path in length and nesting, the search in steps, what is found in
//! size. Here is how a path is walked; how it is read is in `parse`.

mod parse;

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;

use regex::Regex;
use serde_json::{Value, json};

/// How many values one search may look at.
const MOST_STEPS: usize = 2_000_000;
/// How many bytes (about) may be found.
const MOST_FOUND: usize = 64 << 20;

/// Why a path finds nothing, not even an empty list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathError {
    /// It cannot be read.
    #[error("the JSON path '{path}' is wrong at column {column}: {what}")]
    Malformed {
        /// The path, shortened.
        path: String,
        /// Where, from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// It looks at too much, or finds too much.
    #[error("the JSON path '{0}' looks at too many values; make it more exact")]
    TooMuch(String),
}

/// Every value that a path names, in the order of the document.
pub fn find(document: &Value, path: &str) -> Result<Vec<Value>, JsonPathError> {
    let query = parse::parse(path)?;
    let walk = Walk { root: document, steps: Cell::new(MOST_STEPS), found: Cell::new(MOST_FOUND) };
    walk.values(&query, document).map_err(|TooMuch| JsonPathError::TooMuch(shown(path)))
}

/// The one value that a path names: of a path that may name several, a list of them. `None` when it names nothing.
pub fn value(document: &Value, path: &str) -> Result<Option<Value>, JsonPathError> {
    let mut found = find(document, path)?;
    let several = !parse::parse(path)?.is_definite();
    Ok(match found.len() {
        0 => None,
        1 if !several => found.pop(),
        _ => Some(Value::Array(found)),
    })
}

/// Whether a path can be read at all.
pub fn check(path: &str) -> Result<(), JsonPathError> {
    parse::parse(path).map(drop)
}

fn shown(path: &str) -> String {
    let mut text: String = path.chars().take(100).collect();
    if text.len() < path.len() {
        text.push('…');
    }
    text
}

/// A path: where it begins, and its steps.
#[derive(Debug)]
struct Query {
    /// `@…` inside a filter; else it begins at the document.
    relative: bool,
    segments: Vec<Segment>,
    /// `.length()` and its kin, at the end.
    summary: Option<Summary>,
}

impl Query {
    /// Whether it can name at most one value.
    fn is_definite(&self) -> bool {
        self.summary.is_some()
            || self
                .segments
                .iter()
                .all(|s| !s.deep && matches!(s.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)]))
    }
}

/// One step of a path.
#[derive(Debug)]
struct Segment {
    /// `..`: everything below counts, too.
    deep: bool,
    selectors: Vec<Selector>,
}

#[derive(Debug)]
enum Selector {
    Name(String),
    Any,
    Index(i64),
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Filter),
}

/// What is made of all that was found.
#[derive(Debug, Clone, Copy)]
enum Summary {
    Length,
    Keys,
    First,
    Last,
    Min,
    Max,
    Sum,
    Average,
}

#[derive(Debug)]
enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Query),
    Compare(Operand, Operator, Operand),
    Matches(Operand, Regex),
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

#[derive(Debug)]
enum Operand {
    Literal(Value),
    Query(Query),
    Length(Box<Operand>),
    Count(Query),
}

/// The search went over its bounds.
struct TooMuch;

type Found<'a> = Option<Cow<'a, Value>>;

struct Walk<'a> {
    root: &'a Value,
    steps: Cell<usize>,
    found: Cell<usize>,
}

impl<'a> Walk<'a> {
    fn step(&self) -> Result<(), TooMuch> {
        self.steps.set(self.steps.get().checked_sub(1).ok_or(TooMuch)?);
        Ok(())
    }

    /// A copy of a value, as long as there is room.
    fn copy(&self, value: &Value) -> Result<Value, TooMuch> {
        let mut rest = vec![value];
        while let Some(one) = rest.pop() {
            self.step()?;
            let size = match one {
                Value::String(text) => text.len(),
                Value::Array(list) => {
                    rest.extend(list);
                    0
                }
                Value::Object(map) => {
                    rest.extend(map.values());
                    map.keys().map(|key| key.len() + 32).sum()
                }
                _ => 0,
            };
            self.found.set(self.found.get().checked_sub(size + 32).ok_or(TooMuch)?);
        }
        Ok(value.clone())
    }

    fn values(&self, query: &'a Query, current: &'a Value) -> Result<Vec<Value>, TooMuch> {
        let nodes = self.nodes(query, current)?;
        match query.summary {
            None => nodes.into_iter().map(|node| self.copy(node)).collect(),
            Some(summary) => Ok(self.summarize(summary, query, &nodes)?.into_iter().collect()),
        }
    }

    fn nodes(&self, query: &'a Query, current: &'a Value) -> Result<Vec<&'a Value>, TooMuch> {
        let mut nodes = vec![if query.relative { current } else { self.root }];
        for segment in &query.segments {
            let mut next = Vec::new();
            for node in nodes {
                match segment.deep {
                    false => self.select(segment, node, &mut next)?,
                    true => self.select_below(segment, node, &mut next)?,
                }
            }
            nodes = next;
        }
        Ok(nodes)
    }

    fn select_below(&self, segment: &'a Segment, node: &'a Value, out: &mut Vec<&'a Value>) -> Result<(), TooMuch> {
        let mut rest = vec![node];
        while let Some(one) = rest.pop() {
            self.step()?;
            self.select(segment, one, out)?;
            match one {
                Value::Array(list) => rest.extend(list.iter().rev()),
                Value::Object(map) => rest.extend(map.values().rev()),
                _ => {}
            }
        }
        Ok(())
    }

    fn select(&self, segment: &'a Segment, node: &'a Value, out: &mut Vec<&'a Value>) -> Result<(), TooMuch> {
        for selector in &segment.selectors {
            self.step()?;
            match selector {
                Selector::Name(name) => out.extend(node.as_object().and_then(|map| map.get(name))),
                Selector::Index(index) => {
                    let list = node.as_array().map(Vec::as_slice).unwrap_or_default();
                    out.extend(place(*index, list.len()).and_then(|i| list.get(i)));
                }
                Selector::Slice { start, end, step } => {
                    let list = node.as_array().map(Vec::as_slice).unwrap_or_default();
                    for i in slice(*start, *end, *step, list.len()) {
                        self.step()?;
                        out.extend(list.get(i));
                    }
                }
                Selector::Any => {
                    for child in children(node) {
                        self.step()?;
                        out.push(child);
                    }
                }
                Selector::Filter(filter) => {
                    for child in children(node) {
                        self.step()?;
                        if self.holds(filter, child)? {
                            out.push(child);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn holds(&self, filter: &'a Filter, current: &'a Value) -> Result<bool, TooMuch> {
        self.step()?;
        Ok(match filter {
            Filter::Any(list) => {
                for one in list {
                    if self.holds(one, current)? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::All(list) => {
                for one in list {
                    if !self.holds(one, current)? {
                        return Ok(false);
                    }
                }
                true
            }
            Filter::Not(inner) => !self.holds(inner, current)?,
            Filter::Exists(query) => !self.nodes(query, current)?.is_empty(),
            Filter::Matches(operand, regex) => {
                let value = self.operand(operand, current)?;
                value.as_deref().and_then(Value::as_str).is_some_and(|text| regex.is_match(text))
            }
            Filter::Compare(left, operator, right) => {
                let (left, right) = (self.operand(left, current)?, self.operand(right, current)?);
                compare(left.as_deref(), *operator, right.as_deref())
            }
        })
    }

    fn operand(&self, operand: &'a Operand, current: &'a Value) -> Result<Found<'a>, TooMuch> {
        Ok(match operand {
            Operand::Literal(value) => Some(Cow::Borrowed(value)),
            Operand::Length(inner) => self.operand(inner, current)?.and_then(|v| length(&v)).map(Cow::Owned),
            Operand::Count(query) => Some(Cow::Owned(json!(self.nodes(query, current)?.len()))),
            Operand::Query(query) => {
                let nodes = self.nodes(query, current)?;
                match (query.summary, nodes.as_slice()) {
                    (Some(summary), _) => self.summarize(summary, query, &nodes)?.map(Cow::Owned),
                    (None, []) => None,
                    (None, [one]) => Some(Cow::Borrowed(*one)),
                    (None, several) => {
                        let list: Result<Vec<Value>, TooMuch> = several.iter().map(|v| self.copy(v)).collect();
                        Some(Cow::Owned(Value::Array(list?)))
                    }
                }
            }
        })
    }

    fn summarize(&self, summary: Summary, query: &Query, nodes: &[&'a Value]) -> Result<Option<Value>, TooMuch> {
        let plain = query
            .segments
            .iter()
            .all(|s| !s.deep && matches!(s.selectors[..], [Selector::Name(_) | Selector::Index(_)]));
        // Of a path to one list its entries are meant; of a path to several values, these.
        let entries: Vec<&Value> = match (plain, nodes) {
            (true, [Value::Array(list)]) => list.iter().collect(),
            _ => nodes.to_vec(),
        };
        let numbers = entries.iter().filter_map(|v| v.as_f64());
        let number = |n: f64| if n.fract() == 0.0 && n.abs() < 9e15 { json!(n as i64) } else { json!(n) };
        Ok(match summary {
            Summary::Length => match (plain, nodes) {
                (true, [one]) => length(one),
                (true, _) => None,
                (false, several) => Some(json!(several.len())),
            },
            Summary::Keys => match nodes {
                [Value::Object(map)] => Some(json!(map.keys().collect::<Vec<_>>())),
                _ => None,
            },
            Summary::First => entries.first().map(|v| self.copy(v)).transpose()?,
            Summary::Last => entries.last().map(|v| self.copy(v)).transpose()?,
            Summary::Min => numbers.reduce(f64::min).map(number),
            Summary::Max => numbers.reduce(f64::max).map(number),
            Summary::Sum => Some(number(numbers.sum())),
            Summary::Average => {
                let numbers: Vec<f64> = numbers.collect();
                (!numbers.is_empty()).then(|| number(numbers.iter().sum::<f64>() / numbers.len() as f64))
            }
        })
    }
}

fn children(node: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match node {
        Value::Array(list) => Box::new(list.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => Box::new(std::iter::empty()),
    }
}

/// Where an index points; a negative one counts from the end.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index.checked_add(length)? } else { index }).ok()
}

fn slice(start: Option<i64>, end: Option<i64>, step: i64, length: usize) -> Vec<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let from_end = |i: i64| if i < 0 { i.saturating_add(length) } else { i };
    let mut out = Vec::new();
    if step > 0 {
        let mut at = from_end(start.unwrap_or(0)).clamp(0, length);
        let end = from_end(end.unwrap_or(length)).clamp(0, length);
        while at < end {
            out.push(at as usize);
            at = at.saturating_add(step);
        }
    } else if step < 0 {
        let mut at = start.map_or(length - 1, from_end).clamp(-1, length - 1);
        let end = end.map_or(-1, from_end).clamp(-1, length - 1);
        while at > end {
            out.push(at as usize);
            at = at.saturating_add(step);
        }
    }
    out
}

fn length(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => Some(json!(text.chars().count())),
        Value::Array(list) => Some(json!(list.len())),
        Value::Object(map) => Some(json!(map.len())),
        _ => None,
    }
}

fn compare(left: Option<&Value>, operator: Operator, right: Option<&Value>) -> bool {
    let order = || match (left?, right?) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    };
    let among = || right.and_then(Value::as_array).is_some_and(|list| list.iter().any(|v| equal(left, Some(v))));
    match operator {
        Operator::Equal => equal(left, right),
        Operator::Unequal => !equal(left, right),
        Operator::Less => order() == Some(Ordering::Less),
        Operator::Greater => order() == Some(Ordering::Greater),
        Operator::LessOrEqual => order() == Some(Ordering::Less) || equal(left, right),
        Operator::GreaterOrEqual => order() == Some(Ordering::Greater) || equal(left, right),
        Operator::In => among(),
        Operator::NotIn => !among(),
    }
}

fn equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a == b || a.as_f64() == b.as_f64(),
        (left, right) => left == right,
    }
}

#[cfg(test)]
mod tests;
