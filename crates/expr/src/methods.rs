//! The methods that can be called on values, by the kind of value. What is not listed does not exist; what would give a free type
//! (`get`, `iterator`, `stream`) or change something (`put`, `add`) is not listed.

use crate::convert::Args;
use crate::eval::Evaluation;
use crate::failure::Failure;
use crate::operators::{order, same, sign};
use crate::print::{print, print_uuid};
use crate::value::Value;

mod collections;
pub(crate) mod numbers;
mod text;
mod times;

type Outcome<'a> = Result<Value<'a>, Failure>;

/// Calls a method; `None` = there is no such method for expressions.
pub(crate) fn call<'a>(
    run: &Evaluation<'_, 'a>,
    of: &Value<'a>,
    name: &str,
    args: Args<'_, 'a>,
) -> Option<Outcome<'a>> {
    let own = match of {
        Value::Text(text) => text::call(run, text, name, args),
        Value::List(items) => collections::list(items, name, args),
        Value::Set(items) => collections::set(items, name, args),
        Value::Map(members) => collections::map(run, members, name, args),
        Value::Root => return None,
        Value::Number(n) => numbers::call(*n, name, args),
        Value::Bool(b) => numbers::boolean(*b, name, args),
        Value::Instant(instant) => times::instant(*instant, name, args),
        Value::Date(millis) => times::date(*millis, name, args),
        Value::LocalDate(date) => times::local_date(*date, name, args),
        Value::LocalDateTime(time) => times::local_time(*time, name, args),
        Value::DayOfWeek(day) => times::day(*day, name, args),
        Value::Unit(unit) => times::unit(*unit, name, args),
        Value::DateFormat(pattern) => times::format(run, pattern, name, args),
        Value::Random(state) => numbers::random(state, name, args),
        Value::Type(of) => return crate::statics::call(run, *of, name, args),
        _ => None,
    };
    own.or_else(|| common(run, of, name, args))
}

/// What every value has.
fn common<'a>(run: &Evaluation<'_, 'a>, of: &Value<'a>, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    Some(match (name, args.all) {
        ("toString", []) => match of {
            Value::Thing(_) | Value::Array(_) | Value::DateFormat(_) | Value::Random(_) => return None,
            Value::Uuid(uuid) => Ok(Value::text(print_uuid(*uuid))),
            _ => print(of, run.cost).map(Value::text),
        },
        ("equals", [other]) => same(of, other, run.cost).map(Value::Bool),
        ("name", []) => match of {
            Value::Symbol(name) => Ok(Value::Text(name.clone())),
            _ => return None,
        },
        ("compareTo", [other]) if matches!(of, Value::Uuid(_) | Value::Char(_) | Value::Symbol(_)) => {
            order(of, other).map(sign)
        }
        _ => return None,
    })
}

/// A whole number as the result.
fn int<'a>(n: usize) -> Outcome<'a> {
    Ok(Value::int(n as i32))
}
