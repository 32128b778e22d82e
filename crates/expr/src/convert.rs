//! What a method's or function's argument becomes, and which of several methods of a name is meant.

use crate::budget::Budget;
use crate::failure::Failure;
use crate::number::Number;
use crate::print::to_text;
use crate::value::{List, Value};

/// The kind of an argument that a method wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    Int,
    Long,
    Float,
    Double,
    Char,
    Text,
    /// A text as it is: nothing becomes one.
    Chars,
    Instant,
}

/// How well an argument fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Exact,
    Close,
    Converted,
}

fn fit(want: Want, value: &Value) -> Option<Fit> {
    let close = |is: bool| is.then_some(Fit::Close);
    if value.is_null() {
        let primitive = matches!(want, Want::Int | Want::Long | Want::Float | Want::Double | Want::Char);
        return (!primitive).then_some(Fit::Exact);
    }
    let number_like = matches!(value, Value::Number(_) | Value::Text(_) | Value::Char(_));
    let converted = |is: bool| is.then_some(Fit::Converted);
    match want {
        Want::Text if matches!(value, Value::Text(_)) => Some(Fit::Exact),
        Want::Text => converted(is_textual(value)),
        Want::Chars => close(matches!(value, Value::Text(_))),
        Want::Int => close(matches!(value, Value::Number(Number::Int(_)))).or(converted(number_like)),
        Want::Long => close(matches!(value, Value::Number(Number::Long(_)))).or(converted(number_like)),
        Want::Float => close(matches!(value, Value::Number(Number::Float(_)))).or(converted(number_like)),
        Want::Double => close(matches!(value, Value::Number(Number::Double(_)))).or(converted(number_like)),
        Want::Char => {
            close(matches!(value, Value::Char(_))).or(converted(matches!(value, Value::Text(_) | Value::Number(_))))
        }
        Want::Instant => close(matches!(value, Value::Instant(_))),
    }
}

fn is_textual(value: &Value) -> bool {
    use Value::*;
    matches!(
        value,
        Text(_)
            | Number(_)
            | Bool(_)
            | Char(_)
            | List(_)
            | Array(_)
            | Set(_)
            | Date(_)
            | DayOfWeek(_)
            | Unit(_)
            | Uuid(_)
            | Symbol(_)
    )
}

/// Which of several methods of a name is meant: the one whose arguments fit best. Several that fit only by conversion are ambiguous.
pub(crate) fn pick(name: &str, args: &[Value], signatures: &[&[Want]]) -> Result<usize, Failure> {
    let mut best: Option<(Fit, usize)> = None;
    let mut ambiguous = false;
    for (i, signature) in signatures.iter().enumerate().filter(|(_, wants)| wants.len() == args.len()) {
        let Some(fits) = signature.iter().zip(args).map(|(want, arg)| fit(*want, arg)).collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        let worst = fits.into_iter().max().unwrap_or(Fit::Exact);
        match best {
            Some((than, _)) if than < worst => {}
            Some((than, _)) if than == worst => ambiguous |= worst == Fit::Converted,
            _ => {
                best = Some((worst, i));
                ambiguous = false;
            }
        }
    }
    match best {
        Some((_, i)) if !ambiguous => Ok(i),
        Some(_) => Err(Failure::new(format!("several methods {name} fit these arguments: convert them first"))),
        None => Err(no_method(name, args)),
    }
}

/// The failure when no method of the name takes these arguments.
pub(crate) fn no_method(name: &str, args: &[Value]) -> Failure {
    let kinds: Vec<String> = args.iter().map(Value::what).collect();
    Failure::new(format!("no method {name}({}) can be called", kinds.join(", ")))
}

/// The arguments of a call, converted as they are asked for.
#[derive(Clone, Copy)]
pub(crate) struct Args<'x, 'a> {
    pub(crate) all: &'x [Value<'a>],
    pub(crate) cost: &'x Budget,
}

impl<'x, 'a> Args<'x, 'a> {
    fn at(&self, i: usize) -> Result<&'x Value<'a>, Failure> {
        self.all.get(i).ok_or_else(|| Failure::new("an argument is missing"))
    }

    /// A text, made of whatever can become one.
    pub(crate) fn text(&self, i: usize) -> Result<String, Failure> {
        self.text_or_null(i)?.ok_or_else(|| Failure::new("null was given where a text is needed"))
    }

    pub(crate) fn text_or_null(&self, i: usize) -> Result<Option<String>, Failure> {
        to_text(self.at(i)?, self.cost)
    }

    /// A text that was one already.
    pub(crate) fn chars(&self, i: usize) -> Result<&'x str, Failure> {
        let value = self.at(i)?;
        value.as_str().ok_or_else(|| Failure::new(format!("{} was given where a text is needed", value.what())))
    }

    /// A character: of a text of one, or by its number.
    pub(crate) fn char(&self, i: usize) -> Result<char, Failure> {
        let wrong = || Failure::new("a single character is needed");
        match self.at(i)? {
            Value::Char(c) => Ok(*c),
            Value::Number(n) => {
                n.as_i64().and_then(|n| u32::try_from(n).ok()).and_then(char::from_u32).ok_or_else(wrong)
            }
            Value::Text(text) => {
                let mut chars = text.chars();
                chars.next().filter(|_| chars.next().is_none()).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }

    pub(crate) fn int(&self, i: usize) -> Result<i32, Failure> {
        let n = self.long(i)?;
        i32::try_from(n).map_err(|_| Failure::new(format!("{n} does not fit a whole number of 32 bits")))
    }

    pub(crate) fn long(&self, i: usize) -> Result<i64, Failure> {
        match self.at(i)? {
            Value::Number(n) => n.as_i64().ok_or_else(|| Failure::new("the number is too large")),
            Value::Text(text) => whole(text).ok_or_else(|| Failure::new(format!("'{}' is no whole number", &**text))),
            Value::Char(c) => Ok(i64::from(u32::from(*c))),
            other => Err(Failure::new(format!("{} was given where a number is needed", other.what()))),
        }
    }

    pub(crate) fn double(&self, i: usize) -> Result<f64, Failure> {
        match self.at(i)? {
            // A single-precision number becomes what it is in double precision.
            Value::Number(n) => Ok(n.as_f64()),
            Value::Text(text) => parse_double(&text.split_whitespace().collect::<String>()),
            Value::Char(c) => Ok(f64::from(u32::from(*c))),
            other => Err(Failure::new(format!("{} was given where a number is needed", other.what()))),
        }
    }

    pub(crate) fn bool(&self, i: usize) -> Result<bool, Failure> {
        to_bool(self.at(i)?)
    }

    pub(crate) fn list(&self, i: usize) -> Result<List<'a>, Failure> {
        match self.at(i)? {
            Value::List(items) | Value::Set(items) | Value::Array(items) => Ok(items.clone()),
            Value::Text(text) => {
                let parts = text.split(',').filter(|_| !text.is_empty());
                Ok(parts.map(|part| Value::text(part.trim())).collect())
            }
            other => Err(Failure::new(format!("{} was given where a list is needed", other.what()))),
        }
    }

    pub(crate) fn instant(&self, i: usize) -> Result<jiff::Timestamp, Failure> {
        match self.at(i)? {
            Value::Instant(instant) => Ok(*instant),
            other => Err(Failure::new(format!("{} was given where an instant is needed", other.what()))),
        }
    }

    pub(crate) fn date(&self, i: usize) -> Result<i64, Failure> {
        match self.at(i)? {
            Value::Date(millis) => Ok(*millis),
            // A whole number becomes the date that has so many milliseconds, as the type has a constructor for it.
            Value::Number(n @ Number::Long(_)) => Ok(n.as_i64().unwrap_or(0)),
            other => Err(Failure::new(format!("{} was given where a date is needed", other.what()))),
        }
    }

    pub(crate) fn local_date(&self, i: usize) -> Result<jiff::civil::Date, Failure> {
        match self.at(i)? {
            Value::LocalDate(date) => Ok(*date),
            other => Err(Failure::new(format!("{} was given where a local date is needed", other.what()))),
        }
    }

    pub(crate) fn local_time(&self, i: usize) -> Result<jiff::civil::DateTime, Failure> {
        match self.at(i)? {
            Value::LocalDateTime(time) => Ok(*time),
            other => Err(Failure::new(format!("{} was given where a local date and time is needed", other.what()))),
        }
    }

    pub(crate) fn unit(&self, i: usize) -> Result<crate::dates::Unit, Failure> {
        match self.at(i)? {
            Value::Unit(unit) => Ok(*unit),
            Value::Text(text) => crate::dates::Unit::named(text.trim())
                .ok_or_else(|| Failure::new(format!("'{}' is no unit of time", &**text))),
            other => Err(Failure::new(format!("{} was given where a unit of time is needed", other.what()))),
        }
    }
}

/// A whole number in a text as converters read it: blanks are dropped, hexadecimal is allowed.
fn whole(text: &str) -> Option<i64> {
    let text: String = text.split_whitespace().collect();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).or_else(|| digits.strip_prefix('#'));
    match hex {
        Some(hex) if !hex.starts_with(['+', '-']) => {
            i64::from_str_radix(hex, 16).ok().map(|n| if negative { -n } else { n })
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// A fraction as Java reads it: blanks around it, `1.5f`, `1e3`, `NaN`, `Infinity`.
pub(crate) fn parse_double(text: &str) -> Result<f64, Failure> {
    let wrong = || Failure::new(format!("'{text}' is no number"));
    let trimmed = text.trim_matches(|c: char| c <= ' ');
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    match digits {
        "NaN" => return Ok(f64::NAN),
        "Infinity" => return Ok(sign * f64::INFINITY),
        _ => {}
    }
    let digits = digits.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(digits);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(wrong());
    }
    digits.parse::<f64>().map(|n| sign * n).map_err(|_| wrong())
}

/// True or false, or one of the texts that mean it.
pub fn to_bool(value: &Value) -> Result<bool, Failure> {
    match value {
        Value::Bool(b) => Ok(*b),
        Value::Text(text) => match text.trim().to_lowercase().as_str() {
            "true" | "on" | "yes" | "1" => Ok(true),
            "false" | "off" | "no" | "0" => Ok(false),
            _ => Err(Failure::new(format!("the text '{}' is neither true nor false", &**text))),
        },
        other => Err(Failure::new(format!("{} is neither true nor false", other.what()))),
    }
}
