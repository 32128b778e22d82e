//! `String.format`: `%s`, `%5d`, `%.2f` and the like.

use crate::budget::Budget;
use crate::failure::Failure;
use crate::number::Number;
use crate::print::print;
use crate::value::Value;

/// Fills the places of `pattern` with `values`.
pub(crate) fn format(pattern: &str, values: &[Value], cost: &Budget) -> Result<String, Failure> {
    // An array given alone is the arguments.
    let spread: Vec<Value>;
    let values = match values {
        [Value::Array(items)] => {
            spread = items.iter().collect();
            &spread
        }
        values => values,
    };
    let mut out = String::new();
    let mut next = 0;
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let place = Place::read(&mut rest)
            .ok_or_else(|| Failure::new(format!("'{pattern}' has a place that is not complete")))?;
        match place.kind {
            'n' => out.push('\n'),
            '%' => out.push_str(&place.padded("%".to_owned(), cost)?),
            _ => {
                let at = place.index.unwrap_or_else(|| {
                    next += 1;
                    next - 1
                });
                let value = values
                    .get(at)
                    .ok_or_else(|| Failure::new(format!("'{pattern}' has more places than there are values")))?;
                let text = place.fill(value, cost)?;
                out.push_str(&place.padded(text, cost)?);
            }
        }
        cost.text(out.len())?;
    }
    out.push_str(rest);
    Ok(out)
}

/// A place: `%2$-8.3f`.
struct Place {
    index: Option<usize>,
    flags: String,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

impl Place {
    fn read(rest: &mut &str) -> Option<Place> {
        let digits = |rest: &mut &str| {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at(length);
            *rest = after;
            number.parse::<usize>().ok()
        };
        let mut index = None;
        let before = *rest;
        if !rest.starts_with('0') {
            index = digits(rest);
            match rest.strip_prefix('$') {
                Some(after) if index.is_some() => *rest = after,
                _ => {
                    index = None;
                    *rest = before;
                }
            }
        }
        let length = rest.bytes().take_while(|b| b"-#+ 0,(".contains(b)).count();
        let (flags, after) = rest.split_at(length);
        *rest = after;
        let width = digits(rest).unwrap_or(0);
        let mut precision = None;
        if let Some(after) = rest.strip_prefix('.') {
            *rest = after;
            precision = Some(digits(rest)?);
        }
        let kind = rest.chars().next()?;
        *rest = &rest[kind.len_utf8()..];
        let index = match index {
            Some(0) => return None,
            Some(n) => Some(n - 1),
            None => None,
        };
        Some(Place { index, flags: flags.to_owned(), width, precision: precision.filter(|n| *n <= 1_000), kind })
    }

    fn padded(&self, text: String, cost: &Budget) -> Result<String, Failure> {
        let room = self.width.saturating_sub(text.chars().count());
        cost.text(room)?;
        let pad = " ".repeat(room);
        Ok(if self.flags.contains('-') { text + &pad } else { pad + &text })
    }

    fn fill(&self, value: &Value, cost: &Budget) -> Result<String, Failure> {
        let wrong = || Failure::new(format!("%{} does not write {}", self.kind, value.what()));
        let text = match (self.kind.to_ascii_lowercase(), value) {
            ('s', value) => self.cut(print(value, cost)?),
            ('b', Value::Bool(b)) => self.cut(b.to_string()),
            ('b', value) => self.cut((!value.is_null()).to_string()),
            (_, Value::Null) => "null".to_owned(),
            ('c', Value::Char(c)) => c.to_string(),
            ('c', Value::Number(Number::Int(n))) => {
                u32::try_from(*n).ok().and_then(char::from_u32).ok_or_else(wrong)?.to_string()
            }
            ('d', Value::Number(n @ (Number::Int(_) | Number::Long(_) | Number::Huge(_)))) => {
                self.signed(n.to_string())
            }
            ('x', Value::Number(Number::Int(n))) => self.signed(format!("{n:x}")),
            ('x', Value::Number(Number::Long(n))) => self.signed(format!("{n:x}")),
            ('o', Value::Number(Number::Int(n))) => self.signed(format!("{n:o}")),
            ('f', Value::Number(n @ (Number::Float(_) | Number::Double(_)))) => {
                self.signed(rounded(&n.to_string(), n.as_f64(), self.precision.unwrap_or(6)))
            }
            ('e', Value::Number(n @ (Number::Float(_) | Number::Double(_)))) => {
                let text = format!("{:.*e}", self.precision.unwrap_or(6), n.as_f64());
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let exponent: i32 = exponent.parse().unwrap_or(0);
                self.signed(format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()))
            }
            _ => return Err(wrong()),
        };
        Ok(if self.kind.is_ascii_uppercase() { text.to_uppercase() } else { text })
    }

    fn cut(&self, text: String) -> String {
        match self.precision {
            Some(length) => text.chars().take(length).collect(),
            None => text,
        }
    }

    /// Sign, thousands and leading zeros.
    fn signed(&self, number: String) -> String {
        let (negative, digits) = number.strip_prefix('-').map_or((false, number.as_str()), |rest| (true, rest));
        let mut digits = digits.to_owned();
        if self.flags.contains(',') {
            let (whole, fraction) =
                digits.split_once('.').map_or((digits.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
            let mut grouped = String::new();
            for (i, c) in whole.chars().enumerate() {
                if i > 0 && (whole.len() - i) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(c);
            }
            digits = fraction.map_or(grouped.clone(), |fraction| format!("{grouped}.{fraction}"));
        }
        let sign = match negative {
            true => "-",
            false if self.flags.contains('+') => "+",
            false if self.flags.contains(' ') => " ",
            false => "",
        };
        if self.flags.contains('0') {
            let room = self.width.min(10_000).saturating_sub(sign.len() + digits.len());
            digits = "0".repeat(room) + &digits;
        }
        format!("{sign}{digits}")
    }
}

/// A fraction with so many digits, half rounded up by its shortest decimal form.
fn rounded(printed: &str, n: f64, precision: usize) -> String {
    if !n.is_finite() || printed.contains('E') {
        return if n.is_finite() { format!("{n:.precision$}") } else { printed.to_owned() };
    }
    let (whole, fraction) = printed.split_once('.').unwrap_or((printed, ""));
    if fraction.len() <= precision || fraction.as_bytes().get(precision).is_none_or(|digit| *digit != b'5') {
        return format!("{n:.precision$}");
    }
    // Up at 5: add one to the digits before it.
    let kept: String = whole.trim_start_matches('-').chars().chain(fraction.chars().take(precision)).collect();
    let Ok(up) = kept.parse::<u128>().map(|digits| digits + 1) else { return format!("{n:.precision$}") };
    let digits = format!("{up:0width$}", width = precision + 1);
    let (whole_up, fraction_up) = digits.split_at(digits.len() - precision);
    let sign = if n < 0.0 { "-" } else { "" };
    if precision == 0 { format!("{sign}{whole_up}") } else { format!("{sign}{whole_up}.{fraction_up}") }
}
