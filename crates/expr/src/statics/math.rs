//! `T(Math)`.

use super::Outcome;
use crate::convert::{Args, Want, pick};
use crate::eval::Evaluation;
use crate::failure::Failure;
use crate::number::Number;
use crate::value::Value;

const WIDTHS: [Want; 4] = [Want::Int, Want::Long, Want::Float, Want::Double];

/// The argument as the number that the chosen method of four takes.
fn number(args: Args, at: usize, width: usize) -> Result<Number, Failure> {
    Ok(match width {
        0 => Number::Int(args.int(at)?),
        1 => Number::Long(args.long(at)?),
        2 => Number::Float(args.double(at)? as f32),
        _ => Number::Double(args.double(at)?),
    })
}

pub(super) fn call<'a>(run: &Evaluation<'_, 'a>, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let fraction = |n: f64| Ok(Value::Number(Number::Double(n)));
    let one = |of: fn(f64) -> f64| args.double(0).and_then(|n| fraction(of(n)));
    let two = |of: fn(f64, f64) -> f64| args.double(0).and_then(|a| fraction(of(a, args.double(1)?)));
    Some(match (name, args.all.len()) {
        ("random", 0) => fraction((run.scope.random() >> 11) as f64 / (1u64 << 53) as f64),
        ("abs", 1) => one_of_four(args)
            .map(|n| match n {
                Number::Int(n) => Number::Int(n.wrapping_abs()),
                Number::Long(n) => Number::Long(n.wrapping_abs()),
                Number::Float(n) => Number::Float(n.abs()),
                Number::Double(n) => Number::Double(n.abs()),
                huge => huge,
            })
            .map(Value::Number),
        ("max" | "min", 2) => extreme(name == "max", args),
        ("round", 1) => round(args),
        ("floorDiv" | "floorMod", 2) => floor(name == "floorDiv", args),
        ("addExact" | "subtractExact" | "multiplyExact", 2) => exact(name, args),
        ("negateExact" | "incrementExact" | "decrementExact", 1) => {
            let (operation, with) = match name {
                "negateExact" => ("multiplyExact", -1),
                "incrementExact" => ("addExact", 1),
                _ => ("subtractExact", 1),
            };
            let with = if matches!(args.all[0], Value::Number(Number::Long(_))) {
                Value::long(with)
            } else {
                Value::int(with as i32)
            };
            exact(operation, Args { all: &[args.all[0].clone(), with], cost: args.cost })
        }
        ("toIntExact", 1) => args.long(0).and_then(|n| i32::try_from(n).map(Value::int).map_err(|_| overflow())),
        ("signum", 1) => one(|n| if n == 0.0 || n.is_nan() { n } else { n.signum() }),
        ("ceil", 1) => one(f64::ceil),
        ("floor", 1) => one(f64::floor),
        ("rint", 1) => one(f64::round_ties_even),
        ("sqrt", 1) => one(f64::sqrt),
        ("cbrt", 1) => one(f64::cbrt),
        ("exp", 1) => one(f64::exp),
        ("log", 1) => one(f64::ln),
        ("log10", 1) => one(f64::log10),
        ("sin", 1) => one(f64::sin),
        ("cos", 1) => one(f64::cos),
        ("tan", 1) => one(f64::tan),
        ("asin", 1) => one(f64::asin),
        ("acos", 1) => one(f64::acos),
        ("atan", 1) => one(f64::atan),
        ("toRadians", 1) => one(f64::to_radians),
        ("toDegrees", 1) => one(f64::to_degrees),
        ("pow", 2) => two(f64::powf),
        ("hypot", 2) => two(f64::hypot),
        ("atan2", 2) => two(f64::atan2),
        _ => return None,
    })
}

fn one_of_four(args: Args) -> Result<Number, Failure> {
    let signatures = WIDTHS.map(|want| [want]);
    let signatures: Vec<&[Want]> = signatures.iter().map(|one| one.as_slice()).collect();
    number(args, 0, pick("abs", args.all, &signatures)?)
}

fn extreme<'a>(largest: bool, args: Args<'_, 'a>) -> Outcome<'a> {
    let signatures = WIDTHS.map(|want| [want, want]);
    let signatures: Vec<&[Want]> = signatures.iter().map(|one| one.as_slice()).collect();
    let width = pick(if largest { "max" } else { "min" }, args.all, &signatures)?;
    let (a, b) = (number(args, 0, width)?, number(args, 1, width)?);
    let first = match a.compare(b) {
        Some(order) => order.is_ge() == largest || order.is_eq(),
        // Undefined is the result if either is.
        None => a.as_f64().is_nan(),
    };
    Ok(Value::Number(if first { a } else { b }))
}

/// Half goes up; single precision rounds to 32 bits.
fn round<'a>(args: Args<'_, 'a>) -> Outcome<'a> {
    let single = pick("round", args.all, &[&[Want::Float], &[Want::Double]])? == 0;
    let rounded = (args.double(0)? + 0.5).floor();
    Ok(if single { Value::int(rounded as i32) } else { Value::long(rounded as i64) })
}

/// Division that rounds down. Of the three widths the mixed one takes a long and an int.
fn floor<'a>(quotient: bool, args: Args<'_, 'a>) -> Outcome<'a> {
    let name = if quotient { "floorDiv" } else { "floorMod" };
    let which = pick(name, args.all, &[&[Want::Int, Want::Int], &[Want::Long, Want::Int], &[Want::Long, Want::Long]])?;
    let (a, b) = (args.long(0)?, args.long(1)?);
    if b == 0 {
        return Err(Failure::new("division by zero"));
    }
    let rest = a.wrapping_rem(b);
    let down = rest != 0 && (rest < 0) != (b < 0);
    let result = match quotient {
        true => a.wrapping_div(b) - i64::from(down),
        false => {
            if down {
                rest + b
            } else {
                rest
            }
        }
    };
    let int = which == 0 || (which == 1 && !quotient);
    Ok(if int { Value::int(result as i32) } else { Value::long(result) })
}

fn overflow() -> Failure {
    Failure::new("the result does not fit")
}

/// Arithmetic that fails instead of wrapping.
fn exact<'a>(name: &str, args: Args<'_, 'a>) -> Outcome<'a> {
    let long = pick(name, args.all, &[&[Want::Int, Want::Int], &[Want::Long, Want::Long]])? == 1;
    let (a, b) = (args.long(0)?, args.long(1)?);
    let result = match name {
        "addExact" => a.checked_add(b),
        "subtractExact" => a.checked_sub(b),
        _ => a.checked_mul(b),
    };
    let result = result.ok_or_else(overflow)?;
    if long { Ok(Value::long(result)) } else { i32::try_from(result).map(Value::int).map_err(|_| overflow()) }
}
