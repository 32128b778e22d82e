//! Methods of numbers and booleans, and of generators of pseudo-random numbers.

use std::cell::Cell;

use super::Outcome;
use crate::convert::Args;
use crate::failure::Failure;
use crate::number::Number;
use crate::operators::sign;
use crate::value::Value;

pub(super) fn call<'a>(n: Number, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let whole = n.as_i64().unwrap_or(i64::MAX);
    // A fraction beyond the range becomes the range's end; a long loses its upper half.
    let int = match n {
        Number::Long(n) => n as i32,
        other => other.as_f64() as i32,
    };
    Some(match (name, args.all) {
        ("intValue", []) => Ok(Value::int(int)),
        ("longValue", []) => Ok(Value::long(whole)),
        ("doubleValue", []) => Ok(Value::Number(Number::Double(n.as_f64()))),
        ("floatValue", []) => Ok(Value::Number(Number::Float(n.as_f64() as f32))),
        ("byteValue", []) => Ok(Value::int(i32::from(int as i8))),
        ("shortValue", []) => Ok(Value::int(i32::from(int as i16))),
        ("isNaN", []) if is_fraction(n) => Ok(Value::Bool(n.as_f64().is_nan())),
        ("isInfinite", []) if is_fraction(n) => Ok(Value::Bool(n.as_f64().is_infinite())),
        ("compareTo" | "compare", [Value::Number(other)]) => Ok(sign(n.compare(*other))),
        _ => return None,
    })
}

fn is_fraction(n: Number) -> bool {
    matches!(n, Number::Float(_) | Number::Double(_))
}

pub(super) fn boolean<'a>(b: bool, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    Some(match (name, args.all) {
        ("booleanValue", []) => Ok(Value::Bool(b)),
        ("compareTo", [Value::Bool(other)]) => Ok(sign(Some(b.cmp(other)))),
        _ => return None,
    })
}

/// A linear congruential generator of 48 bits, the one that `java.util.Random` documents.
pub(super) fn random<'a>(state: &Cell<u64>, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let next = |bits: u32| {
        state.set(state.get().wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & ((1 << 48) - 1));
        (state.get() >> (48 - bits)) as i32
    };
    Some(match (name, args.all.len()) {
        ("nextInt", 0) => Ok(Value::int(next(32))),
        ("nextInt", 1) => args.int(0).and_then(|bound| below(bound, &next)).map(Value::int),
        ("nextLong", 0) => Ok(Value::long((i64::from(next(32)) << 32).wrapping_add(i64::from(next(32))))),
        ("nextBoolean", 0) => Ok(Value::Bool(next(1) != 0)),
        ("nextDouble", 0) => {
            let (high, low) = (next(26) as i64, next(27) as i64);
            Ok(Value::Number(Number::Double(((high << 27) + low) as f64 / (1u64 << 53) as f64)))
        }
        ("nextFloat", 0) => Ok(Value::Number(Number::Float(next(24) as f32 / (1 << 24) as f32))),
        _ => return None,
    })
}

fn below(bound: i32, next: &dyn Fn(u32) -> i32) -> Result<i32, Failure> {
    if bound <= 0 {
        return Err(Failure::new("the bound must be positive"));
    }
    if bound & (bound - 1) == 0 {
        return Ok(((i64::from(bound) * i64::from(next(31))) >> 31) as i32);
    }
    loop {
        let bits = next(31);
        let value = bits % bound;
        if bits.wrapping_sub(value).wrapping_add(bound - 1) >= 0 {
            return Ok(value);
        }
    }
}

/// The state that a seed begins with.
pub(crate) fn seeded(seed: i64) -> u64 {
    (seed as u64 ^ 0x5_DEEC_E66D) & ((1 << 48) - 1)
}
