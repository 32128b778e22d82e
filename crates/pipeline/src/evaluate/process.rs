//! The walk through a structure: every text in it, keys too, is evaluated, and what failed is noted.

use std::collections::{BTreeSet, HashSet};

use expr::{Budget, Evaluation, Failure, Filled, Reader, Template, to_json};
use serde_json::{Map, Value};

use super::names::Names;
use super::replace::{prepared, unparsed_name};
use super::{Failed, Level};

/// Steps and characters for everything that one call evaluates.
const STEPS: u64 = 20_000_000;
const OUTPUT: u64 = 64 << 20;
/// How deep the structure may nest.
const MAX_DEPTH: usize = 100;

/// Evaluates structures within one scope and one budget.
pub(super) struct Process<'s, 'a> {
    run: Evaluation<'s, 'a>,
    cost: &'s Budget,
    pub(super) failed: Vec<Failed>,
    /// Texts that look like expressions but are data: they came out of an earlier evaluation.
    pub(super) inert: HashSet<String>,
    /// Such texts that came out of this one.
    pub(super) came: BTreeSet<String>,
}

/// The budget of one call.
pub(super) fn budget() -> Budget {
    Budget::new(STEPS, OUTPUT)
}

impl<'s, 'a> Process<'s, 'a> {
    pub(super) fn new(names: &'s Names<'a>, cost: &'s Budget) -> Self {
        Process {
            run: Evaluation::new(names, cost),
            cost,
            failed: Vec::new(),
            inert: HashSet::new(),
            came: BTreeSet::new(),
        }
    }

    /// The structure with every text evaluated.
    pub(super) fn value(&mut self, value: &Value) -> Value {
        self.value_at(value, 0)
    }

    fn value_at(&mut self, value: &Value, depth: usize) -> Value {
        match value {
            // Deeper structures are handed on as they are; they cannot be stored anyway.
            Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => value.clone(),
            Value::String(text) if Template::is_in(text) && !self.inert.contains(text) => self.text(text),
            Value::Array(items) => items.iter().map(|item| self.value_at(item, depth + 1)).collect(),
            Value::Object(members) => self.object(members, depth).into(),
            other => other.clone(),
        }
    }

    /// Members and their names; of two with the same name the later wins.
    pub(super) fn object(&mut self, members: &Map<String, Value>, depth: usize) -> Map<String, Value> {
        let mut evaluated = Map::new();
        for (name, value) in members {
            let is_expression = Template::is_in(name) && !self.inert.contains(name);
            let name = if is_expression { self.name(name) } else { name.clone() };
            evaluated.insert(name, self.value_at(value, depth + 1));
        }
        evaluated
    }

    /// A member's name: whatever it comes to is printed.
    fn name(&mut self, name: &str) -> String {
        let evaluated = match self.filled(name) {
            Some(Filled::Text { text, carries, .. }) => return self.came_out(text, carries),
            Some(Filled::Value(value)) => expr::print(&value, self.cost).unwrap_or_else(|_| name.to_owned()),
            None => return name.to_owned(),
        };
        let carries = evaluated != name && Template::is_in(&evaluated);
        self.came_out(evaluated, carries)
    }

    fn came_out(&mut self, text: String, carries: bool) -> String {
        if carries {
            self.came.insert(text.clone());
        }
        text
    }

    /// A text: what it comes to, or itself.
    pub(super) fn text(&mut self, text: &str) -> Value {
        let json = match self.filled(text) {
            Some(Filled::Text { text, carries, .. }) => return Value::String(self.came_out(text, carries)),
            Some(Filled::Value(value)) => to_json(&value, Reader::Result, self.cost),
            None => return Value::String(text.to_owned()),
        };
        match json {
            Ok(json) => {
                expression_like(&json, &mut self.came);
                json
            }
            Err(failure) => {
                let name =
                    Template::parse(&prepared(text)).map_or_else(|_| unparsed_name(text), |template| template.bare());
                self.fails(name, text, &failure);
                Value::String(text.to_owned())
            }
        }
    }

    /// What a text with expressions comes to; `None` = it stays as it is. Notes what failed.
    pub(super) fn filled(&mut self, text: &str) -> Option<Filled<'a>> {
        let parsed = prepared(text);
        let template = match Template::parse(&parsed) {
            Ok(template) => template,
            Err(failure) => {
                self.fails(unparsed_name(text), &parsed, &failure);
                return None;
            }
        };
        match template.fill(&self.run, self.cost) {
            Ok(Filled::Value(value)) if value.is_null() => {
                self.is_null(template.bare());
                None
            }
            Ok(Filled::Text { text, gaps: true, carries }) => {
                self.is_null(template.bare());
                Some(Filled::Text { text, gaps: true, carries })
            }
            Ok(filled) => Some(filled),
            Err(failure) => {
                self.fails(template.bare(), &parsed, &failure);
                None
            }
        }
    }

    fn fails(&mut self, expression: String, text: &str, failure: &Failure) {
        let place = failure.pointing_into(text);
        self.failed.push(Failed {
            expression,
            level: Level::Error,
            description: failure.message.clone(),
            place: Some(place),
        });
    }

    fn is_null(&mut self, expression: String) {
        let description = format!("{expression} not found");
        self.failed.push(Failed { expression, level: Level::Info, description, place: None });
    }
}

/// The texts and names in `json` that look like expressions.
pub(super) fn expression_like(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::String(text) if Template::is_in(text) => _ = found.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| expression_like(item, found)),
        Value::Object(members) => {
            for (name, item) in members {
                if Template::is_in(name) {
                    found.insert(name.clone());
                }
                expression_like(item, found);
            }
        }
        _ => {}
    }
}
