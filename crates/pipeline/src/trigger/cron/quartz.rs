//! A Quartz expression and the times that it stands for. `croner` looks for them; what it understands otherwise than Quartz
//! is taken out of its hands here: both day fields given, a bare `L` weekday, ranges over the end, days counted from the
//! last one.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::CronError;
use super::field::{DAYS, Field, HOURS, Item, MINUTES, MONTHS, SECONDS, WEEKDAYS, YEARS};

/// Longer expressions are refused unread.
const LONGEST: usize = 1000;
/// Days that are looked at for one that is counted from the end of its month.
const MOST_DAYS: usize = 2000;

/// Which days of a month.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Days {
    /// `?`
    Open,
    /// Days of the month.
    Of(Field),
    /// `L`, `L-3`; near: the working day nearest to it (`LW`, `L-3W`).
    Last { before: u16, near: bool },
    /// `15W`
    Nearest(u16),
}

/// Which days of a week.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Weekdays {
    /// `?`
    Open,
    /// Days of the week, Sunday is 1.
    Of(Field),
    /// `6L`
    Last(u16),
    /// `6#3`
    Nth(u16, u16),
}

/// A Quartz expression: six or seven fields.
#[derive(Debug, Clone)]
pub struct Quartz {
    pub(super) seconds: Field,
    pub(super) minutes: Field,
    pub(super) hours: Field,
    pub(super) days: Days,
    pub(super) months: Field,
    pub(super) weekdays: Weekdays,
    pub(super) years: Field,
    /// Several when it names several hours: each of them is a fixed time of its own where clocks are changed.
    patterns: Vec<Cron>,
}

impl Quartz {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Quartz, CronError> {
        if text.len() > LONGEST {
            return Err(CronError::TooLong);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        if !(6..=7).contains(&fields.len()) {
            return Err(CronError::Fields(fields.len()));
        }
        let (days, weekdays) = (days(fields[3])?, weekdays(fields[5])?);
        if (days == Days::Open) == (weekdays == Weekdays::Open) {
            return Err(CronError::DayFields);
        }
        let seconds = Field::parse(&SECONDS, fields[0])?;
        let minutes = Field::parse(&MINUTES, fields[1])?;
        let hours = Field::parse(&HOURS, fields[2])?;
        let months = Field::parse(&MONTHS, fields[4])?;
        let years = Field::parse(&YEARS, fields.get(6).unwrap_or(&"*"))?;
        let (day, weekday) = (day_pattern(&days), weekday_pattern(&weekdays));
        let year = if years.is_all() { format!("{}-{}", YEARS.min, YEARS.max) } else { years.pattern() };
        let listed = hours.items.iter().all(|item| matches!(item, Item::One(_)));
        let hours_apart = match (seconds.single(), minutes.single()) {
            (Some(_), Some(_)) if listed => hours.values.iter().map(u16::to_string).collect(),
            _ => vec![hours.pattern()],
        };
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Optional)
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .build();
        let (second, minute, month) = (seconds.pattern(), minutes.pattern(), months.pattern());
        let parse = |hour: &String| parser.parse(&format!("{second} {minute} {hour} {day} {month} {weekday} {year}"));
        let patterns = hours_apart.iter().map(parse).collect::<Result<_, _>>();
        let patterns = patterns.map_err(|error| CronError::Other(error.to_string()))?;
        Ok(Quartz { seconds, minutes, hours, days, months, weekdays, years, patterns })
    }

    /// The first time after a moment, on the clocks of a time zone; none when there is none any more. A time that a clock
    /// skips in spring is the moment after the gap; one that it shows twice in autumn is the first of the two.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut from = after.to_zoned(zone.clone());
        if !self.may_ever_be(&from) {
            return None;
        }
        for _ in 0..MOST_DAYS {
            let each = self.patterns.iter().filter_map(|pattern| pattern.find_next_occurrence(&from, false).ok());
            let found = each.min()?;
            if found.year() > i16::try_from(YEARS.max).unwrap_or(i16::MAX) {
                return None;
            }
            let Days::Last { before, near } = self.days else { return Some(found.timestamp()) };
            if from_the_end(found.date(), before, near) == Some(found.date()) {
                return Some(found.timestamp());
            }
            from = found.end_of_day().ok()?;
        }
        None
    }

    /// Whether any month has one of the days, and any year is left: a look before a search of a century for nothing.
    fn may_ever_be(&self, from: &Zoned) -> bool {
        let left = self.years.values.iter().any(|year| i16::try_from(*year).is_ok_and(|y| y >= from.year()));
        let longest = |month: &u16| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let longest = self.months.values.iter().map(longest).max().unwrap_or(0);
        let first = match &self.days {
            Days::Of(days) => days.values.first().copied().unwrap_or(1),
            Days::Nearest(day) => *day,
            Days::Last { before, .. } => before + 1,
            Days::Open => 1,
        };
        left && first <= longest
    }
}

fn days(text: &str) -> Result<Days, CronError> {
    let text = text.to_ascii_uppercase();
    if text == "?" {
        return Ok(Days::Open);
    }
    if !text.contains(['L', 'W']) {
        return Ok(Days::Of(Field::parse(&DAYS, &text)?));
    }
    let wrong = || CronError::field(&DAYS, format!("'{text}' is none of L, L-3, LW, L-3W, 15W, and those stand alone"));
    let (rest, near) = match text.strip_suffix('W') {
        Some(rest) => (rest, true),
        None => (text.as_str(), false),
    };
    let number = |text: &str, most: u16| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|n| digits && *n <= most).ok_or_else(wrong)
    };
    match rest.strip_prefix('L') {
        Some("") => Ok(Days::Last { before: 0, near }),
        Some(rest) => Ok(Days::Last { before: number(rest.strip_prefix('-').ok_or_else(wrong)?, 30)?, near }),
        None => number(rest, 31).and_then(|day| if day == 0 { Err(wrong()) } else { Ok(Days::Nearest(day)) }),
    }
}

fn weekdays(text: &str) -> Result<Weekdays, CronError> {
    let text = text.to_ascii_uppercase();
    let one = |text: &str| {
        let field = Field::parse(&WEEKDAYS, text)?;
        field.single().ok_or_else(|| CronError::field(&WEEKDAYS, format!("'{text}' is not one day")))
    };
    if text == "?" {
        return Ok(Weekdays::Open);
    }
    // Alone it is the last day of the week.
    if text == "L" {
        return Ok(Weekdays::Of(Field::parse(&WEEKDAYS, "7")?));
    }
    if let Some((day, nth)) = text.split_once('#') {
        return match nth.parse() {
            Ok(nth @ 1..=5) => Ok(Weekdays::Nth(one(day)?, nth)),
            _ => Err(CronError::field(&WEEKDAYS, format!("'#{nth}' is not one of #1 to #5"))),
        };
    }
    match text.strip_suffix('L') {
        Some(day) => Ok(Weekdays::Last(one(day)?)),
        None => Ok(Weekdays::Of(Field::parse(&WEEKDAYS, &text)?)),
    }
}

fn day_pattern(days: &Days) -> String {
    match days {
        Days::Open => "?".to_owned(),
        Days::Of(field) => field.pattern(),
        Days::Nearest(day) => format!("{day}W"),
        // Each day that it can be in some month; `next` takes those that it is.
        Days::Last { before, near } => {
            let room = if *near { 2 } else { 0 };
            let first = 28_u16.saturating_sub(before + room).max(1);
            let last = (31 - before.min(&30) + room).min(31);
            let all: Vec<String> = (first..=last).map(|day| day.to_string()).collect();
            all.join(",")
        }
    }
}

fn weekday_pattern(weekdays: &Weekdays) -> String {
    match weekdays {
        Weekdays::Open => "?".to_owned(),
        Weekdays::Of(field) => field.pattern(),
        Weekdays::Last(day) => format!("{day}L"),
        Weekdays::Nth(day, nth) => format!("{day}#{nth}"),
    }
}

/// The day that lies so many days before the last of a date's month; `near`: the working day nearest to that, in the same month.
fn from_the_end(date: Date, before: u16, near: bool) -> Option<Date> {
    let length = date.days_in_month();
    let day = length - i8::try_from(before).ok()?;
    if day < 1 {
        return None;
    }
    let at = |day: i8| Date::new(date.year(), date.month(), day).ok();
    let wanted = at(day)?;
    match wanted.weekday() {
        Weekday::Saturday if near => at(if day > 1 { day - 1 } else { day + 2 }),
        Weekday::Sunday if near => at(if day < length { day + 1 } else { day - 2 }),
        _ => Some(wanted),
    }
}
