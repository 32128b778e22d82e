//! What is asked of a value: a property, a method, an index, a selection, a projection.

use std::rc::Rc;

use super::{Evaluation, Focus, Outcome};
use crate::ast::{Expr, Node, Step, Which};
use crate::convert::Args;
use crate::failure::Failure;
use crate::methods;
use crate::value::{List, Map, Value};

impl<'a> Evaluation<'_, 'a> {
    /// `start`: the step stands at the beginning, so it is asked of what is in focus.
    pub(super) fn step(&self, of: &Value<'a>, step: &Step, focus: Focus<'_, 'a>, start: bool) -> Outcome<'a> {
        match step {
            Step::Property { name, safe } => {
                if of.is_null() && !start {
                    return if *safe { Ok(Value::Null) } else { Err(on_null(&format!("'{name}'"))) };
                }
                self.property(of, name)
            }
            Step::Method { name, args, safe } => {
                if of.is_null() && *safe {
                    return Ok(Value::Null);
                }
                let args = self.arguments(args, focus)?;
                if of.is_null() {
                    return Err(on_null(&format!("the method {name}()")));
                }
                self.method(of, name, &args)
            }
            Step::Index(inner) => self.index(of, inner),
            Step::Select { which, condition, safe } => self.select(of, *which, condition, *safe),
            Step::Project { what, safe } => self.project(of, what, *safe),
            Step::Variable(name) => Ok(self.variable(name, focus)),
            Step::Function { name, args } => self.function(name, args, focus),
        }
    }

    /// A property: a member of an object, else a getter or a method without arguments.
    fn property(&self, of: &Value<'a>, name: &str) -> Outcome<'a> {
        match of {
            Value::Root => match self.scope.name(name)? {
                Some(value) => return Ok(value),
                None if self.scope.lenient() => return Ok(Value::Null),
                None => return Err(Failure::new(format!("there is no '{name}' here"))),
            },
            Value::Map(members) => match members.get(name) {
                Some(value) => return Ok(value),
                None if self.scope.lenient() => return Ok(members.reach(name).unwrap_or(Value::Null)),
                None => {}
            },
            Value::Thing(thing) => {
                return thing
                    .property(name)
                    .unwrap_or_else(|| Err(Failure::new(format!("{} has no property '{name}'", thing.what()))));
            }
            Value::Array(items) if name == "length" => return Ok(Value::int(items.len() as i32)),
            Value::Null => return Err(on_null(&format!("'{name}'"))),
            Value::Symbol(symbol) => {
                if let Some(value) = self.scope.symbol(symbol, name) {
                    return Ok(value);
                }
            }
            _ => {}
        }
        let unknown = || Failure::new(format!("{} has no property '{name}'", of.what()));
        for method in getters(name) {
            if let Some(result) = methods::call(self, of, &method, Args { all: &[], cost: self.cost }) {
                return result;
            }
        }
        Err(unknown())
    }

    fn method(&self, of: &Value<'a>, name: &str, args: &[Value<'a>]) -> Outcome<'a> {
        if let Value::Thing(thing) = of {
            if let Some(result) = thing.method(name, args) {
                return result;
            }
            if let (Some(property), true) = (getter_of(name), args.is_empty())
                && let Some(result) = thing.property(&property)
            {
                return result;
            }
        }
        if let (Value::Symbol(symbol), Some(property), []) = (of, getter_of(name), args)
            && let Some(value) = self.scope.symbol(symbol, &property)
        {
            return Ok(value);
        }
        methods::call(self, of, name, Args { all: args, cost: self.cost }).unwrap_or_else(|| {
            Err(Failure::refused(format!("{} has no method {name} that expressions may call", of.what())))
        })
    }

    /// `of[inner]`. A bare name inside is the member's name where `of` is an object.
    fn index(&self, of: &Value<'a>, inner: &Expr) -> Outcome<'a> {
        if let (Value::Map(_) | Value::Root, Node::Start(Step::Property { name, .. })) = (of, &inner.node) {
            return self.member(of, &Value::text(name.as_str()));
        }
        let root = Value::Root;
        let index = self.value(inner, Focus { this: &root, outer: &root })?;
        self.member(of, &index)
    }

    fn member(&self, of: &Value<'a>, index: &Value<'a>) -> Outcome<'a> {
        match of {
            Value::Null => Err(on_null("an index")),
            Value::Map(members) => Ok(match index {
                Value::Text(name) => members.reach(name),
                other => members.get_key(&self.key(other)?),
            }
            .unwrap_or(Value::Null)),
            Value::Root => Ok(match index.as_str() {
                Some(name) => self.scope.member(name)?.unwrap_or(Value::Null),
                None => Value::Null,
            }),
            Value::List(items) | Value::Array(items) | Value::Set(items) => {
                let at = self.position(index, items.len())?;
                items.get(at).ok_or_else(|| Failure::new(format!("there is no element {at}")))
            }
            Value::Text(text) => {
                let units: Vec<u16> = text.encode_utf16().collect();
                let at = self.position(index, units.len())?;
                Ok(Value::text(String::from_utf16_lossy(&units[at..=at])))
            }
            _ => match index.as_str() {
                Some(name) => self.property(of, name),
                None => Err(Failure::new(format!("{} has no elements", of.what()))),
            },
        }
    }

    fn position(&self, index: &Value<'a>, length: usize) -> Result<usize, Failure> {
        let at = Args { all: std::slice::from_ref(index), cost: self.cost }.int(0)?;
        let inside = usize::try_from(at).ok().filter(|at| *at < length);
        inside
            .ok_or_else(|| Failure::new(format!("there is no element {at}: the {length} elements are counted from 0")))
    }

    fn select(&self, of: &Value<'a>, which: Which, condition: &Expr, safe: bool) -> Outcome<'a> {
        let items = match self.elements(of, safe, "selected from")? {
            Elements::None => return Ok(Value::Null),
            Elements::OfNoMembers => {
                return Ok(if which == Which::All { Value::Map(Map::made(Default::default())) } else { Value::Null });
            }
            Elements::Are(items) => items,
        };
        let holds = |item: &Value<'a>| match self.value(condition, Focus { this: item, outer: item })? {
            Value::Bool(holds) => Ok(holds),
            other => {
                Err(Failure::new(format!("the condition of a selection gives {}, not true or false", other.what()))
                    .at(condition.column))
            }
        };
        if which == Which::Last {
            // All conditions are asked from the front, as their failures count.
            let mut last = Value::Null;
            for item in items.iter() {
                self.cost.steps(1)?;
                if holds(&item)? {
                    last = item;
                }
            }
            return Ok(last);
        }
        let mut kept = Vec::new();
        for item in items.iter() {
            self.cost.steps(1)?;
            if holds(&item)? {
                if which == Which::First {
                    return Ok(item);
                }
                kept.push(item);
            }
        }
        Ok(match (which, of) {
            (Which::First, _) => Value::Null,
            (_, Value::Array(_)) => Value::Array(Self::listed(kept)),
            _ => Value::List(Self::listed(kept)),
        })
    }

    fn project(&self, of: &Value<'a>, what: &Expr, safe: bool) -> Outcome<'a> {
        let items = match self.elements(of, safe, "projected")? {
            Elements::None => return Ok(Value::Null),
            Elements::OfNoMembers => List::Made(Rc::default()),
            Elements::Are(items) => items,
        };
        let mut results = Vec::new();
        for item in items.iter() {
            self.cost.steps(1)?;
            results.push(self.value(what, Focus { this: &item, outer: &item })?);
        }
        Ok(match of {
            Value::Array(_) => Value::Array(Self::listed(results)),
            _ => Value::List(Self::listed(results)),
        })
    }

    fn elements(&self, of: &Value<'a>, safe: bool, verb: &str) -> Result<Elements<'a>, Failure> {
        match of {
            Value::Null if safe => Ok(Elements::None),
            Value::Null => Err(on_null("a selection or projection")),
            Value::List(items) | Value::Array(items) | Value::Set(items) => Ok(Elements::Are(items.clone())),
            Value::Map(members) if members.is_empty() => Ok(Elements::OfNoMembers),
            Value::Map(_) => Err(Failure::refused(
                "keys and values of an object's members cannot be reached in a selection or projection: use keySet()",
            )),
            other => Err(Failure::new(format!("{} cannot be {verb}: only lists can", other.what()))),
        }
    }
}

/// What a selection or projection goes through.
enum Elements<'a> {
    /// Of null, asked safely.
    None,
    /// Of an object without members.
    OfNoMembers,
    Are(List<'a>),
}

fn on_null(what: &str) -> Failure {
    Failure::new(format!("{what} was asked of null: write ?. where something may be missing"))
}

/// The methods that a property may stand for, in order.
fn getters(name: &str) -> [String; 3] {
    let mut chars = name.chars();
    let capital: String = chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect();
    [format!("get{capital}"), format!("is{capital}"), name.to_owned()]
}

/// `getName` is the getter of `name`.
fn getter_of(method: &str) -> Option<String> {
    let rest = method.strip_prefix("get").or_else(|| method.strip_prefix("is"))?;
    let mut chars = rest.chars();
    let first = chars.next().filter(char::is_ascii_uppercase)?;
    Some(first.to_ascii_lowercase().to_string() + chars.as_str())
}
