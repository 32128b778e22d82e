//! The types that `T(…)` and `new` may name. Their methods are in `statics`, what they make in `statics::construct`.

use jiff::civil::Weekday;

use crate::value::Value;

/// A type that expressions may name; there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Type {
    String,
    Integer,
    Long,
    Double,
    Byte,
    Boolean,
    Math,
    Date,
    Random,
    Uuid,
    SimpleDateFormat,
    LocalDate,
    LocalDateTime,
    DayOfWeek,
    Instant,
    ChronoUnit,
    TemporalAdjusters,
    UrlEncoder,
}

const TYPES: [(Type, &str); 18] = [
    (Type::String, "java.lang.String"),
    (Type::Integer, "java.lang.Integer"),
    (Type::Long, "java.lang.Long"),
    (Type::Double, "java.lang.Double"),
    (Type::Byte, "java.lang.Byte"),
    (Type::Boolean, "java.lang.Boolean"),
    (Type::Math, "java.lang.Math"),
    (Type::Date, "java.util.Date"),
    (Type::Random, "java.util.Random"),
    (Type::Uuid, "java.util.UUID"),
    (Type::SimpleDateFormat, "java.text.SimpleDateFormat"),
    (Type::LocalDate, "java.time.LocalDate"),
    (Type::LocalDateTime, "java.time.LocalDateTime"),
    (Type::DayOfWeek, "java.time.DayOfWeek"),
    (Type::Instant, "java.time.Instant"),
    (Type::ChronoUnit, "java.time.temporal.ChronoUnit"),
    (Type::TemporalAdjusters, "java.time.temporal.TemporalAdjusters"),
    (Type::UrlEncoder, "java.net.URLEncoder"),
];

impl Type {
    /// The type of this name; those of `java.lang` may be short.
    pub fn named(name: &str) -> Option<Type> {
        TYPES.iter().find(|(_, full)| *full == name || full.strip_prefix("java.lang.") == Some(name)).map(|(of, _)| *of)
    }

    /// `java.lang.Math`
    pub fn name(self) -> &'static str {
        TYPES.iter().find(|(of, _)| *of == self).map_or("", |(_, name)| name)
    }

    /// The type of a value, if it may be named.
    pub fn of(value: &Value) -> Option<Type> {
        use crate::number::Number;
        Some(match value {
            Value::Text(_) => Type::String,
            Value::Bool(_) => Type::Boolean,
            Value::Number(Number::Int(_)) => Type::Integer,
            Value::Number(Number::Long(_)) => Type::Long,
            Value::Number(Number::Double(_)) => Type::Double,
            Value::Date(_) => Type::Date,
            Value::Random(_) => Type::Random,
            Value::Uuid(_) => Type::Uuid,
            Value::DateFormat(_) => Type::SimpleDateFormat,
            Value::LocalDate(_) => Type::LocalDate,
            Value::LocalDateTime(_) => Type::LocalDateTime,
            Value::DayOfWeek(_) => Type::DayOfWeek,
            Value::Instant(_) => Type::Instant,
            Value::Unit(_) => Type::ChronoUnit,
            _ => return None,
        })
    }
}

/// All days in order.
pub(crate) fn days() -> impl Iterator<Item = Weekday> {
    (0..7).filter_map(|offset| Weekday::from_monday_zero_offset(offset).ok())
}
