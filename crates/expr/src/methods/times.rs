//! Methods of instants, dates, days and units of time.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};

use super::{Outcome, int};
use crate::convert::{Args, Want, pick};
use crate::dates::{self, Pattern, Unit, out_of_range};
use crate::eval::Evaluation;
use crate::failure::Failure;
use crate::operators::sign;
use crate::value::Value;

/// `plusDays(3)` and `minusDays(3)`: the unit and the sign, if the name has that form.
fn shift(name: &str) -> Option<(Unit, i64)> {
    let (rest, sign) = name
        .strip_prefix("plus")
        .map(|rest| (rest, 1))
        .or_else(|| name.strip_prefix("minus").map(|rest| (rest, -1)))?;
    Unit::named(&rest.to_ascii_uppercase()).map(|unit| (unit, sign))
}

fn signed(count: i64, sign: i64) -> Result<i64, Failure> {
    count.checked_mul(sign).ok_or_else(out_of_range)
}

pub(super) fn instant<'a>(instant: Timestamp, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    if let (
        Some((unit, sign)),
        1,
        "plusSeconds" | "minusSeconds" | "plusMillis" | "minusMillis" | "plusNanos" | "minusNanos",
    ) = (shift(name), args.all.len(), name)
    {
        return Some(args.long(0).and_then(|n| unit.add_to_instant(instant, signed(n, sign)?)).map(Value::Instant));
    }
    Some(match (name, args.all.len()) {
        ("toEpochMilli", 0) => Ok(Value::long(instant.as_millisecond())),
        ("getEpochSecond", 0) => Ok(Value::long(instant.as_nanosecond().div_euclid(1_000_000_000) as i64)),
        ("getNano", 0) => int(instant.as_nanosecond().rem_euclid(1_000_000_000) as usize),
        ("isAfter", 1) => args.instant(0).map(|other| Value::Bool(instant > other)),
        ("isBefore", 1) => args.instant(0).map(|other| Value::Bool(instant < other)),
        ("compareTo", 1) => args.instant(0).map(|other| sign(Some(instant.cmp(&other)))),
        ("plus", 2) => args.long(0).and_then(|n| args.unit(1)?.add_to_instant(instant, n)).map(Value::Instant),
        ("minus", 2) => {
            args.long(0).and_then(|n| args.unit(1)?.add_to_instant(instant, signed(n, -1)?)).map(Value::Instant)
        }
        ("until", 2) => {
            args.instant(0).and_then(|to| between(args.unit(1)?, &Value::Instant(instant), &Value::Instant(to)))
        }
        ("truncatedTo", 1) => args.unit(0).and_then(|unit| truncated(unit, dates::local(instant))).and_then(|time| {
            Timestamp::from_nanosecond(
                i128::from(dates::millis(time)) * 1_000_000 + i128::from(time.subsec_nanosecond() % 1_000_000),
            )
            .map(Value::Instant)
            .map_err(|_| out_of_range())
        }),
        _ => return None,
    })
}

/// The time with everything smaller than the unit cut off.
fn truncated(unit: Unit, time: DateTime) -> Result<DateTime, Failure> {
    let clock = time.time();
    let cut = |hour, minute, second, nanos| time.date().at(hour, minute, second, nanos);
    Ok(match unit.name() {
        "DAYS" => cut(0, 0, 0, 0),
        "HALF_DAYS" => cut(clock.hour() / 12 * 12, 0, 0, 0),
        "HOURS" => cut(clock.hour(), 0, 0, 0),
        "MINUTES" => cut(clock.hour(), clock.minute(), 0, 0),
        "SECONDS" => cut(clock.hour(), clock.minute(), clock.second(), 0),
        "MILLIS" => {
            cut(clock.hour(), clock.minute(), clock.second(), clock.subsec_nanosecond() / 1_000_000 * 1_000_000)
        }
        "MICROS" => cut(clock.hour(), clock.minute(), clock.second(), clock.subsec_nanosecond() / 1_000 * 1_000),
        "NANOS" => time,
        _ => return Err(Failure::new("the unit is too large to cut a time to")),
    })
}

/// How many units lie between two points in time of one kind.
fn between<'a>(unit: Unit, from: &Value, to: &Value) -> Outcome<'a> {
    let midnight = |date: Date| date.at(0, 0, 0, 0);
    let (from, to) = match (from, to) {
        (Value::Instant(from), Value::Instant(to)) if unit <= Unit::DAYS => (dates::local(*from), dates::local(*to)),
        (Value::LocalDate(from), Value::LocalDate(to)) if unit.is_of_dates() => (midnight(*from), midnight(*to)),
        (Value::LocalDate(from), Value::LocalDateTime(to)) if unit.is_of_dates() => {
            (midnight(*from), midnight(to.date()))
        }
        (Value::LocalDateTime(from), Value::LocalDateTime(to)) => (*from, *to),
        (from, to) => {
            return Err(Failure::new(format!(
                "{} between {} and {} cannot be counted",
                unit.print(),
                from.what(),
                to.what()
            )));
        }
    };
    Ok(Value::long(unit.between(from, to)))
}

pub(super) fn date<'a>(millis: i64, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let time = || dates::instant(millis).map(dates::local);
    let part = |of: fn(DateTime) -> i32| time().map(|time| Value::int(of(time)));
    Some(match (name, args.all.len()) {
        ("getTime", 0) => Ok(Value::long(millis)),
        ("toInstant", 0) => dates::instant(millis).map(Value::Instant),
        ("before", 1) => args.date(0).map(|other| Value::Bool(millis < other)),
        ("after", 1) => args.date(0).map(|other| Value::Bool(millis > other)),
        ("compareTo", 1) => args.date(0).map(|other| sign(Some(millis.cmp(&other)))),
        ("getYear", 0) => part(|time| i32::from(time.year()) - 1900),
        ("getMonth", 0) => part(|time| i32::from(time.month()) - 1),
        ("getDate", 0) => part(|time| i32::from(time.day())),
        ("getDay", 0) => part(|time| i32::from(time.date().weekday().to_sunday_zero_offset())),
        ("getHours", 0) => part(|time| i32::from(time.hour())),
        ("getMinutes", 0) => part(|time| i32::from(time.minute())),
        ("getSeconds", 0) => part(|time| i32::from(time.second())),
        ("getTimezoneOffset", 0) => int(0),
        ("toGMTString", 0) => dates::instant(millis)
            .and_then(|_| Pattern::new("d MMM yyyy HH:mm:ss 'GMT'"))
            .and_then(|pattern| pattern.format(millis))
            .map(Value::text),
        _ => return None,
    })
}

/// The parts of a day that have a getter.
fn day_part<'a>(date: Date, name: &str) -> Option<Outcome<'a>> {
    Some(match name {
        "getYear" => Ok(Value::int(i32::from(date.year()))),
        "getMonthValue" => int(date.month() as usize),
        "getDayOfMonth" => int(date.day() as usize),
        "getDayOfYear" => int(date.day_of_year() as usize),
        "getDayOfWeek" => Ok(Value::DayOfWeek(date.weekday())),
        _ => return None,
    })
}

/// `withYear(2024)` and its kin.
fn day_with(date: Date, name: &str, args: Args) -> Option<Result<Date, Failure>> {
    let with =
        |n: Result<i32, Failure>, make: &dyn Fn(i32) -> Option<Date>| n.and_then(|n| make(n).ok_or_else(out_of_range));
    Some(match name {
        "withDayOfMonth" => with(args.int(0), &|n| Date::new(date.year(), date.month(), i8::try_from(n).ok()?).ok()),
        "withDayOfYear" => with(args.int(0), &|n| {
            let first = date.first_of_year();
            (n >= 1 && n <= i32::from(first.days_in_year()))
                .then(|| Unit::DAYS.add_to_date(first, i64::from(n) - 1).ok())
                .flatten()
        }),
        "withMonth" => with(args.int(0), &|n| {
            (1..=12)
                .contains(&n)
                .then(|| dates::add_months(date, i64::from(n) - i64::from(date.month())).ok())
                .flatten()
        }),
        "withYear" => args.int(0).and_then(|n| dates::add_months(date, (i64::from(n) - i64::from(date.year())) * 12)),
        _ => return None,
    })
}

pub(super) fn local_date<'a>(date: Date, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    match (args.all.len(), shift(name)) {
        (1, Some((unit, sign))) if matches!(unit.name(), "DAYS" | "WEEKS" | "MONTHS" | "YEARS") => {
            return Some(args.long(0).and_then(|n| unit.add_to_date(date, signed(n, sign)?)).map(Value::LocalDate));
        }
        (1, _) => {
            if let Some(result) = day_with(date, name, args) {
                return Some(result.map(Value::LocalDate));
            }
        }
        (0, _) => {
            if let Some(result) = day_part(date, name) {
                return Some(result);
            }
        }
        _ => {}
    }
    Some(match (name, args.all.len()) {
        ("lengthOfMonth", 0) => int(date.days_in_month() as usize),
        ("lengthOfYear", 0) => int(date.days_in_year() as usize),
        ("isLeapYear", 0) => Ok(Value::Bool(date.in_leap_year())),
        ("toEpochDay", 0) => Ok(Value::long(dates::millis(date.at(0, 0, 0, 0)).div_euclid(86_400_000))),
        ("atStartOfDay", 0) => Ok(Value::LocalDateTime(date.at(0, 0, 0, 0))),
        ("atTime", 2 | 3) => {
            let part = |i| args.int(i).and_then(|n| i8::try_from(n).map_err(|_| out_of_range()));
            let second = if args.all.len() == 3 { part(2) } else { Ok(0) };
            part(0).and_then(|hour| {
                let time = jiff::civil::Time::new(hour, part(1)?, second?, 0).map_err(|_| out_of_range())?;
                Ok(Value::LocalDateTime(date.to_datetime(time)))
            })
        }
        ("isBefore", 1) => args.local_date(0).map(|other| Value::Bool(date < other)),
        ("isAfter", 1) => args.local_date(0).map(|other| Value::Bool(date > other)),
        ("isEqual", 1) => args.local_date(0).map(|other| Value::Bool(date == other)),
        ("compareTo", 1) => args.local_date(0).map(|other| Value::int(distance(date, other))),
        ("plus", 2) => args.long(0).and_then(|n| args.unit(1)?.add_to_date(date, n)).map(Value::LocalDate),
        ("minus", 2) => {
            args.long(0).and_then(|n| args.unit(1)?.add_to_date(date, signed(n, -1)?)).map(Value::LocalDate)
        }
        ("until", 2) => args.unit(1).and_then(|unit| between(unit, &Value::LocalDate(date), &args.all[0])),
        _ => return None,
    })
}

/// `compareTo` of days gives the difference of the first part that differs.
fn distance(a: Date, b: Date) -> i32 {
    let parts = [
        i32::from(a.year()) - i32::from(b.year()),
        i32::from(a.month()) - i32::from(b.month()),
        i32::from(a.day()) - i32::from(b.day()),
    ];
    parts.into_iter().find(|part| *part != 0).unwrap_or(0)
}

pub(super) fn local_time<'a>(time: DateTime, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    match (args.all.len(), shift(name)) {
        (1, Some((unit, sign)))
            if !matches!(unit.name(), "MILLIS" | "MICROS" | "HALF_DAYS" | "DECADES" | "CENTURIES" | "MILLENNIA") =>
        {
            return Some(
                args.long(0).and_then(|n| unit.add_to_local(time, signed(n, sign)?)).map(Value::LocalDateTime),
            );
        }
        (1, _) => {
            if let Some(result) = day_with(time.date(), name, args) {
                return Some(result.map(|date| Value::LocalDateTime(date.to_datetime(time.time()))));
            }
        }
        (0, _) => {
            if let Some(result) = day_part(time.date(), name) {
                return Some(result);
            }
        }
        _ => {}
    }
    let clock = |make: fn(DateTime, i8) -> Result<DateTime, jiff::Error>| {
        args.int(0).and_then(|n| {
            make(time, i8::try_from(n).map_err(|_| out_of_range())?)
                .map(Value::LocalDateTime)
                .map_err(|_| out_of_range())
        })
    };
    Some(match (name, args.all.len()) {
        ("toLocalDate", 0) => Ok(Value::LocalDate(time.date())),
        ("getHour", 0) => int(time.hour() as usize),
        ("getMinute", 0) => int(time.minute() as usize),
        ("getSecond", 0) => int(time.second() as usize),
        ("getNano", 0) => int(time.subsec_nanosecond() as usize),
        ("withHour", 1) => clock(|time, n| time.with().hour(n).build()),
        ("withMinute", 1) => clock(|time, n| time.with().minute(n).build()),
        ("withSecond", 1) => clock(|time, n| time.with().second(n).build()),
        ("isBefore", 1) => args.local_time(0).map(|other| Value::Bool(time < other)),
        ("isAfter", 1) => args.local_time(0).map(|other| Value::Bool(time > other)),
        ("isEqual", 1) => args.local_time(0).map(|other| Value::Bool(time == other)),
        ("compareTo", 1) => args.local_time(0).map(|other| match distance(time.date(), other.date()) {
            0 => sign(Some(time.cmp(&other))),
            days => Value::int(days),
        }),
        ("plus", 2) => args.long(0).and_then(|n| args.unit(1)?.add_to_local(time, n)).map(Value::LocalDateTime),
        ("minus", 2) => {
            args.long(0).and_then(|n| args.unit(1)?.add_to_local(time, signed(n, -1)?)).map(Value::LocalDateTime)
        }
        ("until", 2) => args.unit(1).and_then(|unit| between(unit, &Value::LocalDateTime(time), &args.all[0])),
        ("truncatedTo", 1) => args.unit(0).and_then(|unit| truncated(unit, time)).map(Value::LocalDateTime),
        _ => return None,
    })
}

pub(super) fn day<'a>(day: Weekday, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let index = dates::day_index(day) as i64;
    let moved =
        |by: i64| crate::types::days().nth((index + by).rem_euclid(7) as usize).map_or(Value::Null, Value::DayOfWeek);
    Some(match (name, args.all) {
        ("getValue", []) => int(index as usize + 1),
        ("ordinal", []) => int(index as usize),
        ("name", []) => Ok(Value::text(dates::day_name(day))),
        ("plus", [_]) => args.long(0).map(|n| moved(n % 7)),
        ("minus", [_]) => args.long(0).map(|n| moved(-(n % 7))),
        ("compareTo", [Value::DayOfWeek(other)]) => Ok(Value::int((index - dates::day_index(*other) as i64) as i32)),
        _ => return None,
    })
}

pub(super) fn unit<'a>(unit: Unit, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    Some(match (name, args.all) {
        ("between", [from, to]) => between(unit, from, to),
        ("name", []) => Ok(Value::text(unit.name())),
        ("isDateBased", []) => Ok(Value::Bool(unit.is_of_dates())),
        ("isTimeBased", []) => Ok(Value::Bool(!unit.is_of_dates())),
        _ => return None,
    })
}

pub(super) fn format<'a>(
    run: &Evaluation<'_, 'a>,
    pattern: &Pattern,
    name: &str,
    args: Args<'_, 'a>,
) -> Option<Outcome<'a>> {
    Some(match (name, args.all) {
        ("format", [Value::Date(millis)]) => pattern.format(*millis).map(Value::text),
        // A number is taken for milliseconds.
        ("format", [Value::Number(n)]) => {
            n.as_i64().ok_or_else(out_of_range).and_then(|millis| pattern.format(millis)).map(Value::text)
        }
        ("format", [other]) => pick("format", args.all, &[&[Want::Instant]])
            .and(Err(Failure::new(format!("{} is no date to format", other.what())))),
        ("parse", [_]) => {
            args.text(0).and_then(|text| pattern.parse(&text, run.scope.now().as_millisecond())).map(Value::Date)
        }
        _ => return None,
    })
}
