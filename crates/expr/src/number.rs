//! Numbers as Java computes and prints them: whole (32 and 64 bits, wrapping), and fractions of single and double precision.

use std::cmp::Ordering;

use crate::ast::Operator;
use crate::failure::Failure;

/// A number and its kind; kinds differ in arithmetic and in print (`2` is not `2.0`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// 32 bits: what is written without L, and JSON's small whole numbers.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// Whole and too large for 64 bits with a sign; only handed on, not computed with.
    Huge(u64),
    /// Single precision.
    Float(f32),
    /// Double precision: JSON's fractions.
    Double(f64),
}

impl Number {
    /// The kind that JSON's reader gives a number.
    pub fn from_json(number: &serde_json::Number) -> Number {
        match (number.as_i64(), number.as_u64()) {
            (Some(n), _) => Number::whole(n),
            (None, Some(n)) => Number::Huge(n),
            _ => Number::Double(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    /// A whole number of the smallest kind that holds it.
    pub fn whole(n: i64) -> Number {
        i32::try_from(n).map_or(Number::Long(n), Number::Int)
    }

    /// Its value as a fraction.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Int(n) => f64::from(n),
            Number::Long(n) => n as f64,
            Number::Huge(n) => n as f64,
            Number::Float(n) => f64::from(n),
            Number::Double(n) => n,
        }
    }

    /// Its value as a whole number, a fraction cut off; `None` where it does not fit.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Number::Int(n) => Some(i64::from(n)),
            Number::Long(n) => Some(n),
            Number::Huge(_) => None,
            Number::Float(n) => Some(n as i64),
            Number::Double(n) => Some(n as i64),
        }
    }

    fn as_f32(self) -> f32 {
        match self {
            Number::Int(n) => n as f32,
            Number::Long(n) => n as f32,
            Number::Huge(n) => n as f32,
            Number::Float(n) => n,
            Number::Double(n) => n as f32,
        }
    }

    pub(crate) fn negated(self) -> Result<Number, Failure> {
        Ok(match self {
            Number::Int(n) => Number::Int(n.wrapping_neg()),
            Number::Long(n) => Number::Long(n.wrapping_neg()),
            Number::Huge(_) => return Err(too_large()),
            Number::Float(n) => Number::Float(-n),
            Number::Double(n) => Number::Double(-n),
        })
    }

    /// Arithmetic in the wider of the two kinds.
    pub(crate) fn compute(self, operator: Operator, other: Number) -> Result<Number, Failure> {
        use Number::*;
        if operator == Operator::Power {
            return self.power(other);
        }
        Ok(match (self, other) {
            (Huge(_), _) | (_, Huge(_)) => return Err(too_large()),
            (Double(_), _) | (_, Double(_)) => Double(fraction(operator, self.as_f64(), other.as_f64())),
            (Float(_), _) | (_, Float(_)) => {
                let (a, b) = (self.as_f32(), other.as_f32());
                Float(match operator {
                    Operator::Plus => a + b,
                    Operator::Minus => a - b,
                    Operator::Times => a * b,
                    Operator::Divide => a / b,
                    _ => a % b,
                })
            }
            (Int(a), Int(b)) => Int(match operator {
                Operator::Plus => a.wrapping_add(b),
                Operator::Minus => a.wrapping_sub(b),
                Operator::Times => a.wrapping_mul(b),
                _ if b == 0 => return Err(Failure::new("division by zero")),
                Operator::Divide => a.wrapping_div(b),
                _ => a.wrapping_rem(b),
            }),
            _ => {
                let (a, b) = (self.as_i64().unwrap_or(0), other.as_i64().unwrap_or(0));
                Long(match operator {
                    Operator::Plus => a.wrapping_add(b),
                    Operator::Minus => a.wrapping_sub(b),
                    Operator::Times => a.wrapping_mul(b),
                    _ if b == 0 => return Err(Failure::new("division by zero")),
                    Operator::Divide => a.wrapping_div(b),
                    _ => a.wrapping_rem(b),
                })
            }
        })
    }

    /// A whole power stays whole, and becomes long where it must.
    fn power(self, exponent: Number) -> Result<Number, Failure> {
        use Number::*;
        Ok(match (self, exponent) {
            (Huge(_), _) | (_, Huge(_)) => return Err(too_large()),
            (Double(_) | Float(_), _) | (_, Double(_) | Float(_)) => Double(self.as_f64().powf(exponent.as_f64())),
            _ => {
                let result = self.as_f64().powf(exponent.as_f64());
                let long = matches!(self, Long(_)) || matches!(exponent, Long(_));
                if long || result > f64::from(i32::MAX) || result < f64::from(i32::MIN) {
                    Long(result as i64)
                } else {
                    Int(result as i32)
                }
            }
        })
    }

    /// Order by value; `None` with something undefined.
    pub fn compare(self, other: Number) -> Option<Ordering> {
        use Number::*;
        match (self, other) {
            (Double(_), _) | (_, Double(_)) => self.as_f64().partial_cmp(&other.as_f64()),
            (Float(_), _) | (_, Float(_)) => self.as_f32().partial_cmp(&other.as_f32()),
            (Huge(a), Huge(b)) => Some(a.cmp(&b)),
            (Huge(_), _) => Some(Ordering::Greater),
            (_, Huge(_)) => Some(Ordering::Less),
            _ => Some(self.as_i64().cmp(&other.as_i64())),
        }
    }

    /// As JSON: infinite and undefined fractions are texts.
    pub fn to_json(self) -> serde_json::Value {
        match self {
            Number::Int(n) => n.into(),
            Number::Long(n) => n.into(),
            Number::Huge(n) => n.into(),
            // By its digits, so that 0.1f is 0.1.
            Number::Float(n) if n.is_finite() => n.to_string().parse::<f64>().unwrap_or(f64::from(n)).into(),
            Number::Double(n) if n.is_finite() => n.into(),
            _ => self.to_string().into(),
        }
    }
}

fn too_large() -> Failure {
    Failure::new("the number is too large to compute with")
}

fn fraction(operator: Operator, a: f64, b: f64) -> f64 {
    match operator {
        Operator::Plus => a + b,
        Operator::Minus => a - b,
        Operator::Times => a * b,
        Operator::Divide => a / b,
        _ => a % b,
    }
}

/// As Java prints numbers: `2.0`, `1.0E10`, `NaN`.
impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Int(n) => n.fmt(f),
            Number::Long(n) => n.fmt(f),
            Number::Huge(n) => n.fmt(f),
            Number::Float(n) => f.write_str(&print_fraction(f64::from(*n), &format!("{n:e}"), &n.to_string())),
            Number::Double(n) => f.write_str(&print_fraction(*n, &format!("{n:e}"), &n.to_string())),
        }
    }
}

/// `scientific` and `plain` are the shortest digits in both forms.
fn print_fraction(n: f64, scientific: &str, plain: &str) -> String {
    if n.is_nan() {
        return "NaN".to_owned();
    }
    if n.is_infinite() {
        return if n > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if n == 0.0 || (1e-3..1e7).contains(&n.abs()) {
        return if plain.contains('.') { plain.to_owned() } else { format!("{plain}.0") };
    }
    match scientific.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
        None => scientific.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_printed_as_java_does() {
        for (number, printed) in [
            (2.0, "2.0"),
            (0.1, "0.1"),
            (1e10, "1.0E10"),
            (123456789.125, "1.23456789125E8"),
            (0.0001, "1.0E-4"),
            (-0.0, "-0.0"),
            (1e7, "1.0E7"),
            (9999999.5, "9999999.5"),
        ] {
            assert_eq!(Number::Double(number).to_string(), printed);
        }
        assert_eq!(Number::Float(0.33333334).to_string(), "0.33333334");
    }

    #[test]
    fn whole_numbers_wrap_and_powers_widen() {
        assert_eq!(Number::Int(i32::MAX).compute(Operator::Plus, Number::Int(1)), Ok(Number::Int(i32::MIN)));
        assert_eq!(Number::Int(2).compute(Operator::Power, Number::Int(31)), Ok(Number::Long(2_147_483_648)));
        assert_eq!(Number::Int(2).compute(Operator::Power, Number::Int(10)), Ok(Number::Int(1024)));
    }
}
