//! Dates and times as Java prints, reads and counts them: zone UTC, English names.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::failure::Failure;

mod pattern;
pub use pattern::Pattern;

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(crate) const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const DAY_NAMES: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/// A unit of time, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit(usize);

/// Name, print, nanoseconds (0 = counted in months) and months.
const UNITS: [(&str, &str, i128, i64); 14] = [
    ("NANOS", "Nanos", 1, 0),
    ("MICROS", "Micros", 1_000, 0),
    ("MILLIS", "Millis", 1_000_000, 0),
    ("SECONDS", "Seconds", SECOND, 0),
    ("MINUTES", "Minutes", 60 * SECOND, 0),
    ("HOURS", "Hours", 3_600 * SECOND, 0),
    ("HALF_DAYS", "HalfDays", 43_200 * SECOND, 0),
    ("DAYS", "Days", DAY, 0),
    ("WEEKS", "Weeks", 7 * DAY, 0),
    ("MONTHS", "Months", 0, 1),
    ("YEARS", "Years", 0, 12),
    ("DECADES", "Decades", 0, 120),
    ("CENTURIES", "Centuries", 0, 1_200),
    ("MILLENNIA", "Millennia", 0, 12_000),
];
const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

impl Unit {
    /// `DAYS`
    pub(crate) const DAYS: Unit = Unit(7);

    /// The unit called so (`DAYS`).
    pub fn named(name: &str) -> Option<Unit> {
        UNITS.iter().position(|unit| unit.0 == name).map(Unit)
    }

    /// `DAYS`
    pub fn name(self) -> &'static str {
        UNITS[self.0].0
    }

    /// `Days`
    pub fn print(self) -> &'static str {
        UNITS[self.0].1
    }

    /// Whether it counts days or more.
    pub fn is_of_dates(self) -> bool {
        self.0 >= 7
    }

    /// Moves an instant; only units up to days have a fixed length.
    pub(crate) fn add_to_instant(self, instant: Timestamp, count: i64) -> Result<Timestamp, Failure> {
        if self.0 > 7 {
            return Err(Failure::new(format!("an instant has no {}: use a local date", self.print().to_lowercase())));
        }
        let nanos = UNITS[self.0]
            .2
            .checked_mul(i128::from(count))
            .and_then(|n| n.checked_add(instant.as_nanosecond()))
            .ok_or_else(out_of_range)?;
        Timestamp::from_nanosecond(nanos).map_err(|_| out_of_range())
    }

    /// Moves a local time.
    pub(crate) fn add_to_local(self, time: DateTime, count: i64) -> Result<DateTime, Failure> {
        let (_, _, nanos, months) = UNITS[self.0];
        if months > 0 {
            let date = add_months(time.date(), count.checked_mul(months).ok_or_else(out_of_range)?)?;
            return Ok(date.to_datetime(time.time()));
        }
        let moved = nanos
            .checked_mul(i128::from(count))
            .and_then(|n| n.checked_add(local_nanos(time)))
            .ok_or_else(out_of_range)?;
        from_local_nanos(moved)
    }

    /// Moves a day; only units of days or more.
    pub(crate) fn add_to_date(self, date: Date, count: i64) -> Result<Date, Failure> {
        if !self.is_of_dates() {
            return Err(Failure::new(format!("a local date has no {}", self.print().to_lowercase())));
        }
        Ok(self.add_to_local(date.to_datetime(Time::midnight()), count)?.date())
    }

    /// How many whole units lie between two local times.
    pub(crate) fn between(self, from: DateTime, to: DateTime) -> i64 {
        let (_, _, nanos, months) = UNITS[self.0];
        if months == 0 {
            return ((local_nanos(to) - local_nanos(from)) / nanos) as i64;
        }
        let whole = |time: DateTime| i64::from(time.year()) * 12 + i64::from(time.month()) - 1;
        let rest = |time: DateTime| (time.day(), time.time());
        let mut distance = whole(to) - whole(from);
        if distance > 0 && rest(to) < rest(from) {
            distance -= 1;
        } else if distance < 0 && rest(to) > rest(from) {
            distance += 1;
        }
        distance / months
    }
}

/// An error where a time leaves the years −9999 to 9999.
pub(crate) fn out_of_range() -> Failure {
    Failure::new("the time is out of range")
}

/// The day so many months later, at most the last of its month.
pub(crate) fn add_months(date: Date, months: i64) -> Result<Date, Failure> {
    let whole =
        (i64::from(date.year()) * 12 + i64::from(date.month()) - 1).checked_add(months).ok_or_else(out_of_range)?;
    let (year, month) = (whole.div_euclid(12), whole.rem_euclid(12) + 1);
    let first =
        Date::new(i16::try_from(year).map_err(|_| out_of_range())?, month as i8, 1).map_err(|_| out_of_range())?;
    Date::new(first.year(), first.month(), date.day().min(first.days_in_month())).map_err(|_| out_of_range())
}

fn local_nanos(time: DateTime) -> i128 {
    time.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_nanosecond())
}

fn from_local_nanos(nanos: i128) -> Result<DateTime, Failure> {
    let instant = Timestamp::from_nanosecond(nanos).map_err(|_| out_of_range())?;
    Ok(local(instant))
}

/// The local time in UTC.
pub(crate) fn local(instant: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(instant)
}

/// The instant of a local time in UTC, in milliseconds.
pub(crate) fn millis(time: DateTime) -> i64 {
    (local_nanos(time).div_euclid(1_000_000)) as i64
}

/// The point in time of a `Date`; refused where it cannot be shown.
pub(crate) fn instant(millis: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_millisecond(millis).map_err(|_| out_of_range())
}

/// `2024-01-02T03:04:05Z`, with 3, 6 or 9 digits of a fraction that is not 0.
pub(crate) fn print_instant(instant: Timestamp) -> String {
    let time = local(instant);
    format!("{}T{:02}:{:02}:{:02}{}Z", time.date(), time.hour(), time.minute(), time.second(), fraction(time))
}

/// `2024-01-02T03:04`, seconds only when there are some.
pub(crate) fn print_local(time: DateTime) -> String {
    let seconds = if time.second() == 0 && time.subsec_nanosecond() == 0 {
        String::new()
    } else {
        format!(":{:02}{}", time.second(), fraction(time))
    };
    format!("{}T{:02}:{:02}{seconds}", time.date(), time.hour(), time.minute())
}

fn fraction(time: DateTime) -> String {
    let nanos = time.subsec_nanosecond();
    match nanos {
        0 => String::new(),
        n if n % 1_000_000 == 0 => format!(".{:03}", n / 1_000_000),
        n if n % 1_000 == 0 => format!(".{:06}", n / 1_000),
        n => format!(".{n:09}"),
    }
}

/// `Thu Jan 01 00:00:00 UTC 1970`
pub(crate) fn print_date(millis: i64) -> String {
    let Ok(instant) = instant(millis) else { return millis.to_string() };
    let time = local(instant);
    format!(
        "{} {} {:02} {:02}:{:02}:{:02} UTC {}",
        &DAYS[day_index(time.date().weekday())][..3],
        &MONTHS[time.month() as usize - 1][..3],
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.year()
    )
}

/// `[2024, 1, 2, 3, 4, 5]`, seconds and milliseconds only when there are some.
pub(crate) fn local_array(time: DateTime) -> Json {
    let mut parts: Vec<Json> =
        vec![time.year().into(), time.month().into(), time.day().into(), time.hour().into(), time.minute().into()];
    let millis = time.millisecond();
    if time.second() > 0 || time.subsec_nanosecond() > 0 {
        parts.push(time.second().into());
        if time.subsec_nanosecond() > 0 {
            parts.push(millis.into());
        }
    }
    Json::Array(parts)
}

/// `MONDAY`
pub(crate) fn day_name(day: Weekday) -> &'static str {
    DAY_NAMES[day_index(day)]
}

/// The day called `MONDAY`.
pub(crate) fn day_named(name: &str) -> Option<Weekday> {
    let index = DAY_NAMES.iter().position(|day| *day == name)?;
    Weekday::from_monday_zero_offset(index as i8).ok()
}

pub(crate) fn day_index(day: Weekday) -> usize {
    day.to_monday_zero_offset() as usize
}

/// Reads `2024-02-28`.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    shape.then(|| text.parse().ok()).flatten()
}

/// Reads `2024-01-02T03:04`, seconds and up to nine digits of a fraction may follow.
pub(crate) fn parse_local(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(['T', 't'])?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let has_fraction = time.contains('.');
    let shape = matches!(clock.len(), 5 | 8)
        && clock.bytes().enumerate().all(|(i, b)| if i == 2 || i == 5 { b == b':' } else { b.is_ascii_digit() })
        && (!has_fraction || clock.len() == 8)
        && fraction.len() <= 9
        && fraction.bytes().all(|b| b.is_ascii_digit());
    if !shape {
        return None;
    }
    let part = |at: usize| clock.get(at..at + 2).map_or(Some(0), |digits| digits.parse::<i8>().ok());
    let nanos = if fraction.is_empty() { 0 } else { format!("{fraction:0<9}").parse().ok()? };
    let seconds = part(6)?;
    if seconds > 59 {
        return None;
    }
    Some(parse_date(date)?.to_datetime(Time::new(part(0)?, part(3)?, seconds, nanos).ok()?))
}

/// Reads `2024-01-02T03:04:05Z`, or with an offset instead of `Z`.
pub(crate) fn parse_instant(text: &str) -> Option<Timestamp> {
    let at = 11 + text.get(11..)?.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = text.split_at(at);
    if clock.len() < 19 {
        return None;
    }
    let time = parse_local(clock)?;
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<i64>().ok()).flatten();
            sign * (two(hours)? * 3600 + two(minutes)? * 60)
        }
    };
    Timestamp::from_nanosecond(local_nanos(time) - i128::from(offset) * SECOND).ok()
}
