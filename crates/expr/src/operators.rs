//! What operators do with two values: arithmetic and joining, equality, order.

use std::cmp::Ordering;

use crate::ast::Operator;
use crate::budget::{Budget, MAX_RESULT_DEPTH};
use crate::failure::Failure;
use crate::number::Number;
use crate::print::{print, to_text};
use crate::value::{Key, List, Map, Value};

/// The longest text that `+` makes, in characters.
const MAX_JOINED: usize = 100_000;
/// The longest text that `*` makes.
const MAX_REPEATED: usize = 256;

/// `left operator right`.
pub(crate) fn compute<'a>(
    left: &Value<'a>,
    operator: Operator,
    right: &Value<'a>,
    cost: &Budget,
) -> Result<Value<'a>, Failure> {
    match (operator, left, right) {
        (_, Value::Number(a), Value::Number(b)) => a.compute(operator, *b).map(Value::Number),
        (Operator::Plus, Value::Text(_), _) | (Operator::Plus, _, Value::Text(_)) => {
            let (a, b) = (joinable(left, cost)?, joinable(right, cost)?);
            if a.chars().count() + b.chars().count() > MAX_JOINED {
                return Err(Failure::budget(format!("the joined text would be longer than {MAX_JOINED} characters")));
            }
            cost.text(a.len() + b.len())?;
            Ok(Value::text(a + &b))
        }
        (Operator::Minus, Value::Text(text), Value::Number(Number::Int(n))) if text.chars().count() == 1 => {
            let shifted = text.chars().next().map_or(0, u32::from).wrapping_sub(*n as u32) & 0xffff;
            Ok(Value::text(char::from_u32(shifted).unwrap_or(char::REPLACEMENT_CHARACTER).to_string()))
        }
        (Operator::Times, Value::Text(text), Value::Number(Number::Int(n))) => {
            let count =
                usize::try_from(*n).map_err(|_| Failure::new("a text cannot be repeated less than zero times"))?;
            if text.chars().count().saturating_mul(count) > MAX_REPEATED {
                return Err(Failure::budget(format!(
                    "the repeated text would be longer than {MAX_REPEATED} characters"
                )));
            }
            cost.text(text.len() * count)?;
            Ok(Value::text(text.repeat(count)))
        }
        _ => Err(Failure::new(format!(
            "'{}' works on numbers, not on {} and {}",
            symbol(operator),
            left.what(),
            right.what()
        ))),
    }
}

fn symbol(operator: Operator) -> char {
    match operator {
        Operator::Plus => '+',
        Operator::Minus => '-',
        Operator::Times => '*',
        Operator::Divide => '/',
        Operator::Rest => '%',
        Operator::Power => '^',
    }
}

/// A value beside a text in `+`: whatever can become text does, the rest is printed.
fn joinable(value: &Value, cost: &Budget) -> Result<String, Failure> {
    match value {
        Value::Null => Ok("null".to_owned()),
        Value::Map(_)
        | Value::Entry(_)
        | Value::Instant(_)
        | Value::LocalDate(_)
        | Value::LocalDateTime(_)
        | Value::Type(_) => print(value, cost),
        _ => Ok(to_text(value, cost)?.unwrap_or_default()),
    }
}

/// `==`: numbers by value whatever their kind, a status equals its name, the rest by content.
pub(crate) fn equal(left: &Value, right: &Value, cost: &Budget) -> Result<bool, Failure> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => Ok(a.compare(*b) == Some(Ordering::Equal)),
        (Value::Symbol(a), Value::Text(b)) | (Value::Text(a), Value::Symbol(b)) => Ok(a == b),
        _ => same(left, right, cost),
    }
}

/// Whether two values are the same inside lists and for `equals` and `contains`: also of the same kind (`1` is not `1.0`).
pub(crate) fn same(left: &Value, right: &Value, cost: &Budget) -> Result<bool, Failure> {
    same_at(left, right, cost, 0)
}

fn same_at(left: &Value, right: &Value, cost: &Budget, depth: usize) -> Result<bool, Failure> {
    cost.steps(1)?;
    if depth > MAX_RESULT_DEPTH {
        return Err(Failure::budget("the values nest too deep to be compared"));
    }
    Ok(match (left, right) {
        (Value::Null, Value::Null) | (Value::Root, Value::Root) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => {
            std::mem::discriminant(a) == std::mem::discriminant(b) && a.compare(*b) == Some(Ordering::Equal)
        }
        (Value::Char(a), Value::Char(b)) => a == b,
        (Value::Text(a), Value::Text(b)) | (Value::Symbol(a), Value::Symbol(b)) => a == b,
        (Value::List(a), Value::List(b)) | (Value::Array(a), Value::Array(b)) => same_lists(a, b, cost, depth)?,
        (Value::Set(a), Value::Set(b)) => a.len() == b.len() && contains_all(a, b, cost)?,
        (Value::Map(a), Value::Map(b)) => same_maps(a, b, cost, depth)?,
        (Value::Entry(a), Value::Entry(b)) => {
            same_at(&a.0, &b.0, cost, depth + 1)? && same_at(&a.1, &b.1, cost, depth + 1)?
        }
        (Value::Instant(a), Value::Instant(b)) => a == b,
        (Value::Date(a), Value::Date(b)) => a == b,
        (Value::LocalDate(a), Value::LocalDate(b)) => a == b,
        (Value::LocalDateTime(a), Value::LocalDateTime(b)) => a == b,
        (Value::DayOfWeek(a), Value::DayOfWeek(b)) => a == b,
        (Value::Unit(a), Value::Unit(b)) => a == b,
        (Value::Uuid(a), Value::Uuid(b)) => a == b,
        (Value::DateFormat(a), Value::DateFormat(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::Thing(a), Value::Thing(b)) => a.identity() == b.identity(),
        _ => false,
    })
}

fn same_lists(a: &List, b: &List, cost: &Budget, depth: usize) -> Result<bool, Failure> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b.iter()) {
        if !same_at(&a, &b, cost, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_maps(a: &Map, b: &Map, cost: &Budget, depth: usize) -> Result<bool, Failure> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (key, value) in a.iter() {
        let other = match &key {
            Key::Text(name) => b.get(name),
            _ => b
                .iter()
                .find(|(other, _)| other.name() == key.name() && !matches!(other, Key::Text(_)))
                .map(|(_, value)| value),
        };
        match other {
            Some(other) if same_at(&value, &other, cost, depth + 1)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Where `item` is among `items` for the first time.
pub(crate) fn position(items: &List, item: &Value, cost: &Budget) -> Result<Option<usize>, Failure> {
    for (i, one) in items.iter().enumerate() {
        if same(&one, item, cost)? {
            return Ok(Some(i));
        }
    }
    Ok(None)
}

/// Whether all of `wanted` are among `items`.
pub(crate) fn contains_all(items: &List, wanted: &List, cost: &Budget) -> Result<bool, Failure> {
    for item in wanted.iter() {
        if position(items, &item, cost)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Order for `<` and its kin: null before anything, otherwise only two of a kind.
pub(crate) fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, Failure> {
    Ok(Some(match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Number(a), Value::Number(b)) => return Ok(a.compare(*b)),
        (Value::Text(a), Value::Text(b)) => compare_texts(a, b).cmp(&0),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Char(a), Value::Char(b)) => a.cmp(b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::LocalDate(a), Value::LocalDate(b)) => a.cmp(b),
        (Value::LocalDateTime(a), Value::LocalDateTime(b)) => a.cmp(b),
        (Value::DayOfWeek(a), Value::DayOfWeek(b)) => crate::dates::day_index(*a).cmp(&crate::dates::day_index(*b)),
        (Value::Unit(a), Value::Unit(b)) => a.cmp(b),
        (Value::Uuid(a), Value::Uuid(b)) => (*a as i128).cmp(&(*b as i128)),
        _ => {
            return Err(Failure::new(format!(
                "{} and {} have no order: convert one of them first",
                left.what(),
                right.what()
            )));
        }
    }))
}

/// As `compareTo` of texts: the distance of the first units that differ, or of the lengths.
pub(crate) fn compare_texts(a: &str, b: &str) -> i32 {
    let differing = a.encode_utf16().zip(b.encode_utf16()).find(|(a, b)| a != b);
    match differing {
        Some((a, b)) => i32::from(a) - i32::from(b),
        None => a.encode_utf16().count() as i32 - b.encode_utf16().count() as i32,
    }
}

/// An order as `compareTo` gives it; undefined counts as greater.
pub(crate) fn sign<'a>(order: Option<Ordering>) -> Value<'a> {
    Value::int(order.map_or(1, |order| order as i32))
}
