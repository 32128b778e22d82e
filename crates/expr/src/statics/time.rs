//! The types of times: what makes instants, days and dates.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

use super::Outcome;
use crate::convert::Args;
use crate::dates::{self, out_of_range};
use crate::eval::Evaluation;
use crate::failure::Failure;
use crate::types::Type;
use crate::value::Value;

pub(super) fn call<'a>(run: &Evaluation<'_, 'a>, of: Type, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let now = run.scope.now();
    match of {
        Type::Instant => instant(now, name, args),
        Type::LocalDate => local_date(now, name, args),
        Type::LocalDateTime => local_time(now, name, args),
        _ => match (name, args.all.len()) {
            ("from", 1) => Some(args.instant(0).map(|instant| Value::Date(instant.as_millisecond()))),
            ("UTC", 6) => Some(old_date(args).map(|date| match date {
                Value::Date(millis) => Value::long(millis),
                other => other,
            })),
            ("parse", 1) => None,
            _ => None,
        },
    }
}

fn parsed<'a, T>(args: Args<'_, 'a>, parse: fn(&str) -> Option<T>, value: fn(T) -> Value<'a>) -> Outcome<'a> {
    let text = args.chars(0)?;
    parse(text).map(value).ok_or_else(|| Failure::new(format!("'{text}' has not the form of a time of this kind")))
}

fn instant<'a>(now: Timestamp, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let at = |seconds: i64, nanos: i64| {
        let all = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Timestamp::from_nanosecond(all).map(Value::Instant).map_err(|_| out_of_range())
    };
    Some(match (name, args.all.len()) {
        ("now", 0) => Ok(Value::Instant(now)),
        ("parse", 1) => parsed(args, dates::parse_instant, Value::Instant),
        ("ofEpochMilli", 1) => args.long(0).and_then(dates::instant).map(Value::Instant),
        ("ofEpochSecond", 1) => args.long(0).and_then(|seconds| at(seconds, 0)),
        ("ofEpochSecond", 2) => args.long(0).and_then(|seconds| at(seconds, args.long(1)?)),
        ("from", 1) => args.instant(0).map(Value::Instant),
        _ => return None,
    })
}

fn small(args: Args, at: usize) -> Result<i8, Failure> {
    i8::try_from(args.int(at)?).map_err(|_| out_of_range())
}

fn date_of(args: Args) -> Result<Date, Failure> {
    let year = i16::try_from(args.int(0)?).map_err(|_| out_of_range())?;
    Date::new(year, small(args, 1)?, small(args, 2)?).map_err(|_| Failure::new("there is no such day"))
}

fn local_date<'a>(now: Timestamp, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    Some(match (name, args.all.len()) {
        ("now", 0) => Ok(Value::LocalDate(dates::local(now).date())),
        ("parse", 1) => parsed(args, dates::parse_date, Value::LocalDate),
        ("of", 3) => date_of(args).map(Value::LocalDate),
        ("ofEpochDay", 1) => args.long(0).and_then(|days| {
            let millis = days.checked_mul(86_400_000).ok_or_else(out_of_range)?;
            dates::instant(millis).map(|instant| Value::LocalDate(dates::local(instant).date()))
        }),
        ("ofYearDay", 2) => args.int(0).and_then(|year| {
            let first =
                Date::new(i16::try_from(year).map_err(|_| out_of_range())?, 1, 1).map_err(|_| out_of_range())?;
            let day = args.int(1)?;
            if !(1..=i32::from(first.days_in_year())).contains(&day) {
                return Err(out_of_range());
            }
            dates::Unit::DAYS.add_to_date(first, i64::from(day) - 1).map(Value::LocalDate)
        }),
        ("from", 1) => match &args.all[0] {
            Value::LocalDate(date) => Ok(Value::LocalDate(*date)),
            Value::LocalDateTime(time) => Ok(Value::LocalDate(time.date())),
            other => Err(Failure::new(format!("{} has no day", other.what()))),
        },
        _ => return None,
    })
}

fn local_time<'a>(now: Timestamp, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    Some(match (name, args.all.len()) {
        ("now", 0) => Ok(Value::LocalDateTime(dates::local(now))),
        ("parse", 1) => parsed(args, dates::parse_local, Value::LocalDateTime),
        ("of", 5..=7) => local_time_of(args).map(Value::LocalDateTime),
        _ => return None,
    })
}

fn local_time_of(args: Args) -> Result<DateTime, Failure> {
    let part = |i| if i < args.all.len() { args.int(i) } else { Ok(0) };
    let second = i8::try_from(part(5)?).map_err(|_| out_of_range())?;
    let time = Time::new(small(args, 3)?, small(args, 4)?, second, part(6)?).map_err(|_| out_of_range())?;
    Ok(date_of(args)?.to_datetime(time))
}

/// `new java.util.Date(year - 1900, month - 1, day, …)`: parts beyond their range carry over.
pub(super) fn old_date<'a>(args: Args<'_, 'a>) -> Outcome<'a> {
    let part = |i| if i < args.all.len() { args.int(i).map(i64::from) } else { Ok(0) };
    let months = (part(0)? + 1900) * 12 + part(1)?;
    let year = i16::try_from(months.div_euclid(12)).map_err(|_| out_of_range())?;
    let first = Date::new(year, (months.rem_euclid(12) + 1) as i8, 1).map_err(|_| out_of_range())?;
    let clock = ((part(3)? * 60 + part(4)?) * 60 + part(5)?) * 1000;
    let millis = dates::millis(first.at(0, 0, 0, 0)) + (part(2)? - 1) * 86_400_000 + clock;
    dates::instant(millis).map(|_| Value::Date(millis))
}
