//! What the types of `T(…)` can do, and what `new` makes.

use std::cell::Cell;
use std::rc::Rc;

use crate::convert::{Args, Want, parse_double, pick};
use crate::dates::{self, Pattern, Unit, out_of_range};
use crate::eval::Evaluation;
use crate::failure::Failure;
use crate::format;
use crate::methods::numbers::seeded;
use crate::number::Number;
use crate::operators::sign;
use crate::print::print;
use crate::types::{Type, days};
use crate::value::Value;

mod math;
mod time;

type Outcome<'a> = Result<Value<'a>, Failure>;

/// Calls a method of a type; `None` = there is none for expressions.
pub(crate) fn call<'a>(run: &Evaluation<'_, 'a>, of: Type, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    match of {
        Type::Math => math::call(run, name, args),
        Type::String => string(run, name, args),
        Type::Integer => whole(name, args, 32),
        Type::Long => whole(name, args, 64),
        Type::Byte => whole(name, args, 8),
        Type::Double => double(name, args),
        Type::Boolean => boolean(name, args),
        Type::Uuid => uuid(run, name, args),
        Type::UrlEncoder => url_encoder(name, args),
        Type::DayOfWeek | Type::ChronoUnit => symbols(of, name, args),
        Type::Instant | Type::LocalDate | Type::LocalDateTime | Type::Date => time::call(run, of, name, args),
        Type::Random | Type::SimpleDateFormat | Type::TemporalAdjusters => None,
    }
}

/// `new of(args)`.
pub(crate) fn construct<'a>(run: &Evaluation<'_, 'a>, of: Type, args: Args<'_, 'a>) -> Outcome<'a> {
    let refused = || Failure::refused(format!("no {} can be made of these arguments", of.name()));
    match (of, args.all.len()) {
        (Type::String, 0) => Ok(Value::text("")),
        (Type::String, 1) => args.text(0).map(Value::text),
        (Type::Integer | Type::Long | Type::Byte, 1) => match args.all[0] {
            Value::Text(_) => call(run, of, "valueOf", args).unwrap_or_else(|| Err(refused())),
            _ => made_whole(of, args),
        },
        (Type::Double, 1) => args.double(0).map(|n| Value::Number(Number::Double(n))),
        (Type::Boolean, 1) => match &args.all[0] {
            Value::Bool(b) => Ok(Value::Bool(*b)),
            _ => {
                args.text_or_null(0).map(|text| Value::Bool(text.is_some_and(|text| text.eq_ignore_ascii_case("true"))))
            }
        },
        (Type::Date, 0) => Ok(Value::Date(run.scope.now().as_millisecond())),
        (Type::Date, 1) => pick("Date", args.all, &[&[Want::Long]]).and_then(|_| {
            let millis = args.long(0)?;
            dates::instant(millis).map(|_| Value::Date(millis))
        }),
        (Type::Date, 3 | 5 | 6) => time::old_date(args),
        (Type::SimpleDateFormat, 1) => {
            args.text(0).and_then(|text| Pattern::new(&text)).map(|pattern| Value::DateFormat(Rc::new(pattern)))
        }
        (Type::Random, 0) => Ok(Value::Random(Rc::new(Cell::new(seeded(run.scope.random() as i64))))),
        (Type::Random, 1) => args.long(0).map(|seed| Value::Random(Rc::new(Cell::new(seeded(seed))))),
        (Type::Uuid, 2) => Ok(Value::Uuid((u128::from(args.long(0)? as u64) << 64) | u128::from(args.long(1)? as u64))),
        _ => Err(refused()),
    }
}

fn made_whole<'a>(of: Type, args: Args<'_, 'a>) -> Outcome<'a> {
    if !matches!(args.all[0], Value::Number(_)) {
        return Err(Failure::new(format!("{} is no number", args.all[0].what())));
    }
    match of {
        Type::Long => args.long(0).map(Value::long),
        _ => args.int(0).map(Value::int),
    }
}

fn string<'a>(run: &Evaluation<'_, 'a>, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    Some(match (name, args.all) {
        ("valueOf", [Value::Null]) => Ok(Value::text("null")),
        ("valueOf", [Value::Thing(thing)]) => Err(Failure::new(format!("{} cannot be printed", thing.what()))),
        ("valueOf", [value]) => print(value, run.cost).map(Value::text),
        ("format", [_, rest @ ..]) => {
            args.text(0).and_then(|pattern| format::format(&pattern, rest, run.cost)).map(Value::text)
        }
        ("join", [_, rest @ ..]) => join(run, args, rest),
        _ => return None,
    })
}

fn join<'a>(run: &Evaluation<'_, 'a>, args: Args<'_, 'a>, rest: &[Value<'a>]) -> Outcome<'a> {
    let between = args.chars(0)?;
    let items: Vec<Value> = match rest {
        [Value::List(items) | Value::Set(items)] => items.iter().collect(),
        [Value::Array(items)] => items.iter().collect(),
        _ => rest.to_vec(),
    };
    let mut joined = String::new();
    for (i, item) in items.iter().enumerate() {
        run.cost.text(between.len())?;
        joined.push_str(if i > 0 { between } else { "" });
        match item {
            Value::Text(text) => joined.push_str(text),
            Value::Null => joined.push_str("null"),
            other => return Err(Failure::new(format!("{} is no text to join", other.what()))),
        }
        if joined.len() > crate::budget::MAX_TEXT {
            run.cost.text(joined.len())?;
        }
    }
    Ok(Value::text(joined))
}

/// Reads a whole number as `Integer.parseInt` does: no blanks, a sign is allowed.
pub(crate) fn parse_whole(text: &str, radix: u32, bits: u32) -> Result<i64, Failure> {
    let wrong = || Failure::new(format!("'{text}' is no whole number of {bits} bits"));
    if !(2..=36).contains(&radix) {
        return Err(Failure::new(format!("there are no numbers of base {radix}")));
    }
    let n = i64::from_str_radix(text, radix).map_err(|_| wrong())?;
    let fits = bits == 64 || (-(1i64 << (bits - 1))..(1i64 << (bits - 1))).contains(&n);
    if fits { Ok(n) } else { Err(wrong()) }
}

fn whole<'a>(name: &str, args: Args<'_, 'a>, bits: u32) -> Option<Outcome<'a>> {
    let number = |n: i64| if bits == 64 { Value::long(n) } else { Value::int(n as i32) };
    let own = if bits == 64 { Want::Long } else { Want::Int };
    // The other width of the number, as the bits it is printed of.
    let unsigned = |n: i64| if bits == 64 { n as u64 } else { u64::from(n as u32) };
    let one = |name: &str| {
        pick(name, args.all, &[&[own]]).and_then(|_| if bits == 64 { args.long(0) } else { args.int(0).map(i64::from) })
    };
    let two = |compute: &dyn Fn(i64, i64) -> i64| {
        Ok::<_, Failure>((args.long(0)?, args.long(1)?)).map(|(a, b)| number(compute(a, b)))
    };
    let parse_name = if bits == 64 {
        "parseLong"
    } else if bits == 8 {
        "parseByte"
    } else {
        "parseInt"
    };
    Some(match (name, args.all.len()) {
        ("valueOf", 1) => pick(name, args.all, &[&[Want::Text], &[own]]).and_then(|which| match which {
            0 => args.text(0).and_then(|text| parse_whole(&text, 10, bits)).map(number),
            _ => args.long(0).map(number),
        }),
        ("decode", 1) => Args { all: args.all, cost: args.cost }.long(0).map(number),
        ("valueOf", 2) => {
            args.text(0).and_then(|text| parse_whole(&text, args.int(1)?.unsigned_abs(), bits)).map(number)
        }
        (parse, 1) if parse == parse_name => args.text(0).and_then(|text| parse_whole(&text, 10, bits)).map(number),
        (parse, 2) if parse == parse_name => {
            args.text(0).and_then(|text| parse_whole(&text, args.int(1)?.unsigned_abs(), bits)).map(number)
        }
        ("toString", 1) => one(name).map(|n| Value::text(n.to_string())),
        ("toString", 2) => args.long(0).and_then(|n| radix(n, args.int(1)?)).map(Value::text),
        ("toBinaryString", 1) => one(name).map(|n| Value::text(format!("{:b}", unsigned(n)))),
        ("toHexString", 1) => one(name).map(|n| Value::text(format!("{:x}", unsigned(n)))),
        ("toOctalString", 1) => one(name).map(|n| Value::text(format!("{:o}", unsigned(n)))),
        ("compare", 2) => Ok::<_, Failure>(()).and_then(|()| Ok(sign(Some(args.long(0)?.cmp(&args.long(1)?))))),
        ("max", 2) => two(&|a, b| a.max(b)),
        ("min", 2) => two(&|a, b| a.min(b)),
        ("sum", 2) => two(&|a, b| a.wrapping_add(b)),
        ("signum", 1) => one(name).map(|n| Value::int(n.signum() as i32)),
        ("bitCount", 1) => one(name).map(|n| Value::int(unsigned(n).count_ones() as i32)),
        ("reverse", 1) if bits == 32 => args.int(0).map(|n| Value::int(n.reverse_bits())),
        _ => return None,
    })
}

fn radix(n: i64, radix: i32) -> Result<String, Failure> {
    let radix = if (2..=36).contains(&radix) { radix as u64 } else { 10 };
    let (mut rest, mut digits) = (n.unsigned_abs(), Vec::new());
    loop {
        digits.push(char::from_digit((rest % radix) as u32, radix as u32).unwrap_or('0'));
        rest /= radix;
        if rest == 0 {
            break;
        }
    }
    Ok((if n < 0 { "-" } else { "" }).to_owned() + &digits.into_iter().rev().collect::<String>())
}

fn double<'a>(name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let fraction = |n: f64| Value::Number(Number::Double(n));
    let two = || Ok::<_, Failure>((args.double(0)?, args.double(1)?));
    Some(match (name, args.all.len()) {
        ("valueOf", 1) => pick(name, args.all, &[&[Want::Text], &[Want::Double]]).and_then(|which| match which {
            0 => args.text(0).and_then(|text| parse_double(&text)).map(fraction),
            _ => args.double(0).map(fraction),
        }),
        ("parseDouble", 1) => args.text(0).and_then(|text| parse_double(&text)).map(fraction),
        ("toString", 1) => args.double(0).map(|n| Value::text(Number::Double(n).to_string())),
        ("isNaN", 1) => args.double(0).map(|n| Value::Bool(n.is_nan())),
        ("isInfinite", 1) => args.double(0).map(|n| Value::Bool(n.is_infinite())),
        ("isFinite", 1) => args.double(0).map(|n| Value::Bool(n.is_finite())),
        ("compare", 2) => two().map(|(a, b)| sign(Some(a.total_cmp(&b)))),
        ("max", 2) => two().map(|(a, b)| fraction(a.max(b))),
        ("min", 2) => two().map(|(a, b)| fraction(a.min(b))),
        ("sum", 2) => two().map(|(a, b)| fraction(a + b)),
        _ => return None,
    })
}

fn boolean<'a>(name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let two = || Ok::<_, Failure>((args.bool(0)?, args.bool(1)?));
    let read =
        || args.text_or_null(0).map(|text| Value::Bool(text.is_some_and(|text| text.eq_ignore_ascii_case("true"))));
    Some(match (name, args.all) {
        ("valueOf", [Value::Bool(b)]) => Ok(Value::Bool(*b)),
        ("valueOf" | "parseBoolean", [_]) => read(),
        ("toString", [_]) => args.bool(0).map(|b| Value::text(b.to_string())),
        ("compare", [_, _]) => two().map(|(a, b)| sign(Some(a.cmp(&b)))),
        ("logicalAnd", [_, _]) => two().map(|(a, b)| Value::Bool(a && b)),
        ("logicalOr", [_, _]) => two().map(|(a, b)| Value::Bool(a || b)),
        ("logicalXor", [_, _]) => two().map(|(a, b)| Value::Bool(a != b)),
        _ => return None,
    })
}

fn uuid<'a>(run: &Evaluation<'_, 'a>, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    Some(match (name, args.all.len()) {
        ("randomUUID", 0) => {
            let bits = (u128::from(run.scope.random()) << 64) | u128::from(run.scope.random());
            Ok(Value::Uuid(bits & !(0xf000 << 64) & !(0xc << 60) | (0x4000 << 64) | (0x8 << 60)))
        }
        ("fromString", 1) => args.text(0).and_then(|text| parse_uuid(&text)).map(Value::Uuid),
        _ => return None,
    })
}

/// Five groups of hexadecimal digits, each as long as it may be or shorter.
fn parse_uuid(text: &str) -> Result<u128, Failure> {
    let wrong = || Failure::new(format!("'{text}' is no UUID"));
    let groups: Vec<&str> = text.split('-').collect();
    if groups.len() != 5 || text.len() > 36 {
        return Err(wrong());
    }
    let mut bits = 0u128;
    for (group, width) in groups.iter().zip([8, 4, 4, 4, 12]) {
        if group.is_empty() || group.len() > width || !group.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        bits = (bits << (width * 4)) | u128::from_str_radix(group, 16).map_err(|_| wrong())?;
    }
    Ok(bits)
}

fn url_encoder<'a>(name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    if name != "encode" || !matches!(args.all.len(), 1 | 2) {
        return None;
    }
    Some(args.text(0).and_then(|text| {
        if args.all.len() == 2 {
            let charset = args.text(1)?;
            if !charset.eq_ignore_ascii_case("utf-8")
                && !charset.eq_ignore_ascii_case("utf8")
                && !charset.eq_ignore_ascii_case("us-ascii")
            {
                return Err(Failure::new(format!("the character set {charset} is not known here: use UTF-8")));
            }
        }
        args.cost.text(text.len() * 3)?;
        let mut out = String::new();
        for byte in text.bytes() {
            match byte {
                b' ' => out.push('+'),
                b if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'*' | b'_') => out.push(char::from(b)),
                b => out.push_str(&format!("%{b:02X}")),
            }
        }
        Ok(Value::text(out))
    }))
}

fn symbols<'a>(of: Type, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let named = |text: String| match of {
        Type::DayOfWeek => dates::day_named(&text).map(Value::DayOfWeek),
        _ => Unit::named(&text).map(Value::Unit),
    };
    Some(match (name, args.all.len(), of) {
        ("valueOf", 1, _) => args.text(0).and_then(|text| {
            named(text.clone()).ok_or_else(|| Failure::new(format!("there is no {} '{text}'", of.name())))
        }),
        ("of", 1, Type::DayOfWeek) => args.int(0).and_then(|n| {
            let day = usize::try_from(n - 1).ok().and_then(|n| days().nth(n));
            day.map(Value::DayOfWeek).ok_or_else(out_of_range)
        }),
        ("from", 1, Type::DayOfWeek) => match &args.all[0] {
            Value::LocalDate(date) => Ok(Value::DayOfWeek(date.weekday())),
            Value::LocalDateTime(time) => Ok(Value::DayOfWeek(time.date().weekday())),
            Value::DayOfWeek(day) => Ok(Value::DayOfWeek(*day)),
            other => Err(Failure::new(format!("{} has no day of the week", other.what()))),
        },
        _ => return None,
    })
}
