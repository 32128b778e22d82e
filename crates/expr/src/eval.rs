//! Walks the tree. Two things are in focus: what a bare name or `#this` means, and what it means inside the arguments of a call.

use std::rc::Rc;

use crate::ast::{ArrayOf, Comparison, Expr, MapKey, Node, Operator, Prefix, Step};
use crate::budget::Budget;
use crate::convert::{Args, to_bool};
use crate::failure::Failure;
use crate::number::Number;
use crate::operators;
use crate::patterns::Patterns;
use crate::print::to_text;
use crate::scope::Scope;
use crate::types::Type;
use crate::value::{Key, Map, Members, Text, Value};
use crate::{functions, statics};

mod step;

/// The longest regular expression after `matches`.
const MAX_PATTERN: usize = 1_000;

/// Evaluates expressions of one scope, within one budget.
pub struct Evaluation<'s, 'a> {
    pub(crate) scope: &'s dyn Scope<'a>,
    pub(crate) cost: &'s Budget,
    pub(crate) patterns: Patterns,
}

/// What names mean at a point of the tree.
#[derive(Clone, Copy)]
struct Focus<'f, 'a> {
    /// Bare names and `#this`.
    this: &'f Value<'a>,
    /// The same inside the arguments of a call: the element of the selection around, else everything.
    outer: &'f Value<'a>,
}

type Outcome<'a> = Result<Value<'a>, Failure>;

impl<'s, 'a> Evaluation<'s, 'a> {
    /// A new evaluation.
    pub fn new(scope: &'s dyn Scope<'a>, cost: &'s Budget) -> Self {
        Evaluation { scope, cost, patterns: Patterns::default() }
    }

    /// The value of an expression.
    pub fn evaluate(&self, expression: &Expr) -> Outcome<'a> {
        let root = Value::Root;
        self.value(expression, Focus { this: &root, outer: &root })
    }

    fn value(&self, expression: &Expr, focus: Focus<'_, 'a>) -> Outcome<'a> {
        self.cost.steps(1)?;
        self.node(expression, focus).map_err(|failure| failure.at(expression.column))
    }

    fn node(&self, expression: &Expr, focus: Focus<'_, 'a>) -> Outcome<'a> {
        Ok(match &expression.node {
            Node::Null => Value::Null,
            Node::Bool(b) => Value::Bool(*b),
            Node::Number(n) => Value::Number(*n),
            Node::Text(text) => Value::text(text.as_str()),
            Node::List(items) => {
                Value::List(items.iter().map(|item| self.value(item, focus)).collect::<Result<_, _>>()?)
            }
            Node::Map(members) => self.map(members, focus)?,
            Node::Compound(first, steps) => self.compound(first, steps, focus)?,
            Node::Start(step) => self.step(focus.this, step, focus, true)?,
            Node::Type(name) => Value::Type(self.named_type(name)?),
            Node::New(name, args) => {
                let of = self.named_type(name)?;
                let args = self.arguments(args, focus)?;
                statics::construct(self, of, Args { all: &args, cost: self.cost })?
            }
            Node::Array(name, of) => self.array(name, of, focus)?,
            Node::Prefix(prefix, of) => self.prefix(*prefix, of, focus)?,
            Node::Chain(first, rest) => self.chain(first, rest, focus)?,
            Node::And(all) => Value::Bool(self.until(all, false, focus)?),
            Node::Or(all) => Value::Bool(self.until(all, true, focus)?),
            Node::Compare(left, by, right) => Value::Bool(self.compare(left, *by, right, focus)?),
            Node::Choice(condition, yes, no) => {
                let chosen = if self.truth(condition, focus)? { yes } else { no };
                self.value(chosen, focus)?
            }
            Node::Default(wanted, other) => match self.value(wanted, focus)? {
                Value::Null => self.value(other, focus)?,
                Value::Text(text) if text.is_empty() => self.value(other, focus)?,
                found => found,
            },
        })
    }

    fn named_type(&self, name: &str) -> Result<Type, Failure> {
        Type::named(name).ok_or_else(|| Failure::refused(format!("the type {name} cannot be used in expressions")))
    }

    /// An array of a type that may be named or of a primitive one.
    fn array(&self, name: &str, of: &ArrayOf, focus: Focus<'_, 'a>) -> Outcome<'a> {
        let zero = match name {
            "int" | "short" => Value::int(0),
            "long" => Value::long(0),
            "float" => Value::Number(Number::Float(0.0)),
            "double" => Value::Number(Number::Double(0.0)),
            "boolean" => Value::Bool(false),
            _ => self.named_type(name).map(|_| Value::Null)?,
        };
        let items = match of {
            ArrayOf::Length(length) => {
                let length = Args { all: &[self.value(length, focus)?], cost: self.cost }.int(0)?;
                let length =
                    usize::try_from(length).map_err(|_| Failure::new("an array cannot be shorter than nothing"))?;
                self.cost.steps(length)?;
                self.cost.output(length)?;
                vec![zero; length]
            }
            ArrayOf::Items(items) => {
                let items: Vec<Value> = items.iter().map(|item| self.value(item, focus)).collect::<Result<_, _>>()?;
                let args = Args { all: &items, cost: self.cost };
                (0..items.len()).map(|i| element(name, args, i)).collect::<Result<_, _>>()?
            }
        };
        Ok(Value::Array(Self::listed(items)))
    }

    fn map(&self, members: &[(MapKey, Expr)], focus: Focus<'_, 'a>) -> Outcome<'a> {
        let mut map = Members::default();
        for (key, item) in members {
            let key = match key {
                MapKey::Name(name) => Key::Text(Text::Made(name.as_str().into())),
                MapKey::Computed(of) => self.key(&self.value(of, focus)?)?,
            };
            map.insert(key, self.value(item, focus)?);
        }
        Ok(Value::Map(Map::made(map)))
    }

    /// A value as the key of a member.
    pub(crate) fn key(&self, value: &Value<'a>) -> Result<Key<'a>, Failure> {
        Ok(match value {
            Value::Text(text) => Key::Text(text.clone()),
            Value::Null => Key::Null,
            Value::Bool(b) => Key::Bool(*b),
            Value::Number(Number::Int(n)) => Key::Int(*n),
            Value::Number(Number::Long(n)) => Key::Long(*n),
            other => Key::Other(crate::print::print(other, self.cost)?.into()),
        })
    }

    /// Arguments see the outer focus.
    fn arguments(&self, args: &[Expr], focus: Focus<'_, 'a>) -> Result<Vec<Value<'a>>, Failure> {
        let focus = Focus { this: focus.outer, outer: focus.outer };
        args.iter().map(|arg| self.value(arg, focus)).collect()
    }

    fn truth(&self, expression: &Expr, focus: Focus<'_, 'a>) -> Result<bool, Failure> {
        to_bool(&self.value(expression, focus)?).map_err(|failure| failure.at(expression.column))
    }

    /// `and`, `or`: stops at the first that is `decisive`.
    fn until(&self, all: &[Expr], decisive: bool, focus: Focus<'_, 'a>) -> Result<bool, Failure> {
        for one in all {
            if self.truth(one, focus)? == decisive {
                return Ok(decisive);
            }
        }
        Ok(!decisive)
    }

    fn prefix(&self, prefix: Prefix, of: &Expr, focus: Focus<'_, 'a>) -> Outcome<'a> {
        if prefix == Prefix::Not {
            return Ok(Value::Bool(!self.truth(of, focus)?));
        }
        match (prefix, self.value(of, focus)?) {
            (Prefix::Minus, Value::Number(n)) => n.negated().map(Value::Number),
            (_, Value::Number(n)) => Ok(Value::Number(n)),
            (_, other) => Err(Failure::new(format!("a sign stands before numbers, not before {}", other.what()))),
        }
    }

    fn chain(&self, first: &Expr, rest: &[(Operator, Expr)], focus: Focus<'_, 'a>) -> Outcome<'a> {
        let mut result = self.value(first, focus)?;
        for (operator, operand) in rest {
            let right = self.value(operand, focus)?;
            result = operators::compute(&result, *operator, &right, self.cost)?;
        }
        Ok(result)
    }

    fn compare(&self, left: &Expr, by: Comparison, right: &Expr, focus: Focus<'_, 'a>) -> Result<bool, Failure> {
        let left = self.value(left, focus)?;
        if by == Comparison::Matches {
            return self.matches(&left, &self.value(right, focus)?);
        }
        let right = self.value(right, focus)?;
        let order = || operators::order(&left, &right);
        Ok(match by {
            Comparison::Equal => operators::equal(&left, &right, self.cost)?,
            Comparison::Unequal => !operators::equal(&left, &right, self.cost)?,
            Comparison::Less => order()?.is_some_and(|o| o.is_lt()),
            Comparison::LessOrEqual => order()?.is_some_and(|o| o.is_le()),
            Comparison::Greater => order()?.is_some_and(|o| o.is_gt()),
            Comparison::GreaterOrEqual => order()?.is_some_and(|o| o.is_ge()),
            Comparison::InstanceOf => match right {
                Value::Type(of) => Type::of(&left) == Some(of),
                other => {
                    return Err(Failure::new(format!(
                        "after instanceof a type should stand, as T(String), not {}",
                        other.what()
                    )));
                }
            },
            Comparison::Between => self.between(&left, &right)?,
            Comparison::Matches => false,
        })
    }

    fn between(&self, value: &Value<'a>, bounds: &Value<'a>) -> Result<bool, Failure> {
        let (low, high) = match bounds {
            Value::List(items) if items.len() == 2 => {
                (items.get(0).unwrap_or(Value::Null), items.get(1).unwrap_or(Value::Null))
            }
            _ => return Err(Failure::new("after between a list of two values should stand")),
        };
        Ok(operators::order(value, &low)?.is_some_and(|o| o.is_ge())
            && operators::order(value, &high)?.is_some_and(|o| o.is_le()))
    }

    fn matches(&self, value: &Value<'a>, pattern: &Value<'a>) -> Result<bool, Failure> {
        let text = to_text(value, self.cost)?.ok_or_else(|| Failure::new("null has no text to match"))?;
        let pattern = pattern
            .as_str()
            .ok_or_else(|| Failure::new("after matches a text with a regular expression should stand"))?;
        if pattern.chars().count() > MAX_PATTERN {
            return Err(Failure::budget(format!("the regular expression is longer than {MAX_PATTERN} characters")));
        }
        self.matches_whole(&text, pattern)
    }

    /// Whether the whole text has the form of the pattern.
    pub(crate) fn matches_whole(&self, text: &str, pattern: &str) -> Result<bool, Failure> {
        self.cost.steps(text.len() / 16)?;
        Ok(self.patterns.get(pattern, true, self.cost)?.is_match(text))
    }

    fn compound(&self, first: &Expr, steps: &[(Step, usize)], focus: Focus<'_, 'a>) -> Outcome<'a> {
        let mut result = self.value(first, focus)?;
        for (i, (step, column)) in steps.iter().enumerate() {
            if i + 1 == steps.len() && matches!(step, Step::Function { .. }) {
                return Err(
                    Failure::new("a function cannot be called on a value: give it the value in brackets").at(*column)
                );
            }
            self.cost.steps(1)?;
            let inner = Focus { this: &result, outer: focus.outer };
            result = self.step(&result, step, inner, false).map_err(|failure| failure.at(*column))?;
        }
        Ok(result)
    }

    /// Calls `#name(args)`.
    fn function(&self, name: &str, args: &[Expr], focus: Focus<'_, 'a>) -> Outcome<'a> {
        let args = self.arguments(args, focus)?;
        if let Some(result) = functions::call(self, name, Args { all: &args, cost: self.cost }) {
            return result;
        }
        self.scope
            .call(name, &args, self.cost)
            .unwrap_or_else(|| Err(Failure::new(format!("there is no function #{name}"))))
    }

    fn variable(&self, name: &str, focus: Focus<'_, 'a>) -> Value<'a> {
        match name {
            "this" => focus.this.clone(),
            "root" => Value::Root,
            _ => Value::Null,
        }
    }

    /// A list made of values.
    pub(crate) fn listed(items: Vec<Value<'a>>) -> crate::value::List<'a> {
        crate::value::List::Made(Rc::new(items))
    }
}

/// An element of an array as the array's type has it.
fn element<'a>(name: &str, args: Args<'_, 'a>, i: usize) -> Outcome<'a> {
    Ok(match name.strip_prefix("java.lang.").unwrap_or(name) {
        "int" | "short" | "Integer" => Value::int(args.int(i)?),
        "long" | "Long" => Value::long(args.long(i)?),
        "double" | "Double" => Value::Number(Number::Double(args.double(i)?)),
        "float" => Value::Number(Number::Float(args.double(i)? as f32)),
        "boolean" | "Boolean" => Value::Bool(to_bool(&args.all[i])?),
        "String" => args.text_or_null(i)?.map_or(Value::Null, Value::text),
        _ => args.all[i].clone(),
    })
}
