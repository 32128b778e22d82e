//! Patterns of dates, `yyyy-MM-dd'T'HH:mm:ss`: writing and reading.

use jiff::civil::{Date, DateTime};

use super::{DAYS, MONTHS, day_index, local, millis};
use crate::failure::Failure;

/// A pattern, cut into its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(String),
    Field(char, usize),
}

impl Pattern {
    /// Cuts a pattern; letters that mean nothing must be quoted.
    pub(crate) fn new(text: &str) -> Result<Pattern, Failure> {
        let mut parts = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\'' if chars.peek() == Some(&'\'') => {
                    chars.next();
                    literal(&mut parts, '\'');
                }
                '\'' => loop {
                    match chars.next() {
                        None => {
                            return Err(Failure::new(format!("the date pattern '{text}' has a quote without an end")));
                        }
                        Some('\'') if chars.peek() == Some(&'\'') => {
                            chars.next();
                            literal(&mut parts, '\'');
                        }
                        Some('\'') => break,
                        Some(other) => literal(&mut parts, other),
                    }
                },
                c if "GyYMLwWDdFEuaHkKhmsSzZX".contains(c) => {
                    let mut count = 1;
                    while chars.next_if_eq(&c).is_some() {
                        count += 1;
                    }
                    if count > 100 || (c == 'X' && count > 3) {
                        return Err(Failure::new(format!("the date pattern '{text}' has too many '{c}'")));
                    }
                    parts.push(Part::Field(c, count));
                }
                c if c.is_ascii_alphabetic() => {
                    return Err(Failure::new(format!("'{c}' means nothing in the date pattern '{text}'")));
                }
                c => literal(&mut parts, c),
            }
        }
        Ok(Pattern(parts))
    }

    /// Writes a point in time.
    pub(crate) fn format(&self, at: i64) -> Result<String, Failure> {
        let time = local(super::instant(at)?);
        Ok(self
            .0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.clone(),
                Part::Field(letter, count) => field(*letter, *count, time),
            })
            .collect())
    }

    /// Reads a point in time; what follows is ignored, fields that are missing are those of 1970. `now` decides about years of two digits.
    pub(crate) fn parse(&self, text: &str, now: i64) -> Result<i64, Failure> {
        let wrong = || Failure::new(format!("'{text}' does not have the form of the date pattern"));
        let mut rest = text;
        let mut found = Found {
            year: 1970,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            millis: 0,
            afternoon: None,
            day_of_year: None,
        };
        for (i, part) in self.0.iter().enumerate() {
            match part {
                Part::Literal(literal) => rest = rest.strip_prefix(literal.as_str()).ok_or_else(wrong)?,
                Part::Field(letter, count) => {
                    let adjacent = matches!(self.0.get(i + 1), Some(Part::Field(..)));
                    rest = found.read(*letter, *count, adjacent, rest, now).ok_or_else(wrong)?;
                }
            }
        }
        found.millis().ok_or_else(wrong)
    }
}

fn literal(parts: &mut Vec<Part>, c: char) {
    match parts.last_mut() {
        Some(Part::Literal(text)) => text.push(c),
        _ => parts.push(Part::Literal(c.to_string())),
    }
}

fn field(letter: char, count: usize, time: DateTime) -> String {
    let number = |n: i64| format!("{n:0count$}");
    let name = |name: &str| if count >= 4 { name.to_owned() } else { name[..3].to_owned() };
    let date = time.date();
    match letter {
        'G' => "AD".to_owned(),
        'y' | 'Y' => {
            let year = if letter == 'Y' { week_of_year(date).0 } else { i64::from(time.year()) };
            if count == 2 { format!("{:02}", year.rem_euclid(100)) } else { number(year) }
        }
        'M' | 'L' if count >= 3 => name(MONTHS[time.month() as usize - 1]),
        'M' | 'L' => number(i64::from(time.month())),
        'w' => number(week_of_year(date).1),
        'W' => number((i64::from(date.day()) + sunday_offset(date.first_of_month()) - 1) / 7 + 1),
        'D' => number(i64::from(date.day_of_year())),
        'd' => number(i64::from(time.day())),
        'F' => number((i64::from(time.day()) - 1) / 7 + 1),
        'E' => name(DAYS[day_index(date.weekday())]),
        'u' => number(day_index(date.weekday()) as i64 + 1),
        'a' => if time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        'H' => number(i64::from(time.hour())),
        'k' => number(if time.hour() == 0 { 24 } else { i64::from(time.hour()) }),
        'K' => number(i64::from(time.hour() % 12)),
        'h' => number(if time.hour() % 12 == 0 { 12 } else { i64::from(time.hour() % 12) }),
        'm' => number(i64::from(time.minute())),
        's' => number(i64::from(time.second())),
        'S' => number(i64::from(time.millisecond())),
        'z' => if count >= 4 { "Coordinated Universal Time" } else { "UTC" }.to_owned(),
        'Z' => "+0000".to_owned(),
        _ => "Z".to_owned(),
    }
}

/// Days since the Sunday before (or on) this day.
fn sunday_offset(date: Date) -> i64 {
    i64::from(date.weekday().to_sunday_zero_offset())
}

/// Year and week as counted in the United States: weeks begin on Sunday, the first holds January 1.
fn week_of_year(date: Date) -> (i64, i64) {
    let year = i64::from(date.year());
    let left = i64::from(date.days_in_year()) - i64::from(date.day_of_year());
    if left < 6 - sunday_offset(date) {
        return (year + 1, 1);
    }
    (year, (i64::from(date.day_of_year()) - 1 + sunday_offset(date.first_of_year())) / 7 + 1)
}

/// What was read so far.
struct Found {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    millis: i64,
    afternoon: Option<bool>,
    day_of_year: Option<i64>,
}

impl Found {
    /// Reads one field and gives what is left.
    fn read<'t>(&mut self, letter: char, count: usize, adjacent: bool, text: &'t str, now: i64) -> Option<&'t str> {
        let text = text.trim_start_matches([' ', '\t']);
        match letter {
            'M' | 'L' if count >= 3 => {
                return named(&MONTHS, text).map(|(i, rest)| (self.month = i as i64 + 1, rest).1);
            }
            'E' => return named(&DAYS, text).map(|(_, rest)| rest),
            'a' => {
                let mark = text.get(..2)?.to_ascii_uppercase();
                self.afternoon = Some(mark == "PM");
                return (mark == "AM" || mark == "PM").then(|| &text[2..]);
            }
            'G' => return text.strip_prefix("AD"),
            'z' => return text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).or_else(|| self.offset(text)),
            'X' if text.starts_with('Z') => return text.get(1..),
            'Z' | 'X' => return self.offset(text),
            _ => {}
        }
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let mut length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if adjacent {
            length = length.min(count);
        }
        let number: i64 = digits.get(..length)?.parse().ok()?;
        let number = if negative { -number } else { number };
        if number.abs() > 100_000_000 {
            return None;
        }
        match letter {
            'y' | 'Y' => self.year = if count <= 2 && length == 2 { century(number, now) } else { number },
            'M' | 'L' => self.month = number,
            'd' => self.day = number,
            'D' => self.day_of_year = Some(number),
            'H' => self.hour = number,
            'k' => self.hour = number % 24,
            'h' => self.hour = number % 12,
            'K' => self.hour = number,
            'm' => self.minute = number,
            's' => self.second = number,
            'S' => self.millis = number,
            _ => {}
        }
        digits.get(length..)
    }

    /// `+0100` or `+01:00`: the clock is taken back.
    fn offset<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let rest = text.strip_prefix(['+', '-'])?;
        let hours: i64 = rest.get(..2)?.parse().ok()?;
        let rest = rest.get(2..)?;
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let minutes: i64 = rest.get(..2).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        self.minute -= sign * (hours * 60 + minutes);
        Some(rest.get(2..).unwrap_or(""))
    }

    /// The point in time; fields beyond their range carry over.
    fn millis(&self) -> Option<i64> {
        let months = self.year * 12 + self.month - 1;
        let first = Date::new(i16::try_from(months.div_euclid(12)).ok()?, (months.rem_euclid(12) + 1) as i8, 1).ok()?;
        let first = if self.day_of_year.is_some() { first.first_of_year() } else { first };
        let days = self.day_of_year.unwrap_or(self.day) - 1;
        let hour = self.hour + if self.afternoon == Some(true) { 12 } else { 0 };
        let clock = ((hour * 60 + self.minute) * 60 + self.second) * 1000 + self.millis;
        let total = millis(first.to_datetime(jiff::civil::Time::midnight()))
            .checked_add(days * 86_400_000)?
            .checked_add(clock)?;
        super::instant(total).ok().map(|_| total)
    }
}

/// A year of two digits lies at most 80 years back and 20 ahead.
fn century(year: i64, now: i64) -> i64 {
    let this = super::instant(now).map_or(1970, |now| i64::from(local(now).year()));
    let first = this - 80;
    first + (year - first).rem_euclid(100)
}

/// The longest name, or its first three letters, that `text` begins with.
fn named<'t>(names: &[&str], text: &'t str) -> Option<(usize, &'t str)> {
    let begins = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let full = names.iter().position(|name| begins(name)).map(|i| (i, names[i].len()));
    let (index, length) = full.or_else(|| names.iter().position(|name| begins(&name[..3])).map(|i| (i, 3)))?;
    text.get(length..).map(|rest| (index, rest))
}
