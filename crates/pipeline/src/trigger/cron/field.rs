//! One field of a Quartz expression: lists, ranges (also over the end: `22-2`, `FRI-MON`), steps and names, expanded to numbers.

use super::CronError;

/// What a field may hold.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its name in messages.
    pub name: &'static str,
    /// The least value.
    pub min: u16,
    /// The greatest value.
    pub max: u16,
    /// Names of values, from `min` on.
    pub names: &'static [&'static str],
}

pub(super) const SECONDS: Kind = Kind { name: "seconds", min: 0, max: 59, names: &[] };
pub(super) const MINUTES: Kind = Kind { name: "minutes", min: 0, max: 59, names: &[] };
pub(super) const HOURS: Kind = Kind { name: "hours", min: 0, max: 23, names: &[] };
pub(super) const DAYS: Kind = Kind { name: "day of month", min: 1, max: 31, names: &[] };
pub(super) const MONTHS: Kind = Kind {
    name: "month",
    min: 1,
    max: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
pub(super) const WEEKDAYS: Kind =
    Kind { name: "day of week", min: 1, max: 7, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };
pub(super) const YEARS: Kind = Kind { name: "year", min: 1970, max: 2099, names: &[] };

/// One item of a field's list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// `*`
    All,
    /// `7`
    One(u16),
    /// `9-17`
    Range(u16, u16),
    /// From a value to another (over the end when that is smaller) in steps: `0/5`, `*/5`, `8-18/2`.
    Steps(u16, u16, u16),
}

/// A field as it was written and the values that it stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub items: Vec<Item>,
    /// Ascending, each once.
    pub values: Vec<u16>,
}

impl Field {
    pub fn parse(kind: &Kind, text: &str) -> Result<Field, CronError> {
        let items: Vec<Item> = text.split(',').map(|one| item(kind, one)).collect::<Result<_, _>>()?;
        let mut values: Vec<u16> = items.iter().flat_map(|item| expand(kind, item)).collect();
        values.sort_unstable();
        values.dedup();
        Ok(Field { items, values })
    }

    pub fn is_all(&self) -> bool {
        self.items == [Item::All]
    }

    /// The one value that it has, if it has one.
    pub fn single(&self) -> Option<u16> {
        match self.items.as_slice() {
            [Item::One(value)] => Some(*value),
            _ => None,
        }
    }

    /// As a plain list that no reader of cron expressions takes for something else.
    pub fn pattern(&self) -> String {
        if self.is_all() {
            return "*".to_owned();
        }
        let texts: Vec<String> = self.values.iter().map(u16::to_string).collect();
        texts.join(",")
    }
}

fn item(kind: &Kind, text: &str) -> Result<Item, CronError> {
    let (range, step) = match text.split_once('/') {
        Some((range, step)) => (range, Some(steps(kind, step)?)),
        None => (text, None),
    };
    let (from, to) = match range {
        "*" | "" if step.is_some() => (kind.min, kind.max),
        "*" => return Ok(Item::All),
        _ => match range.split_once('-') {
            Some((from, to)) => (value(kind, from)?, value(kind, to)?),
            None => {
                let from = value(kind, range)?;
                (from, if step.is_some() { kind.max } else { from })
            }
        },
    };
    match step {
        Some(step) => Ok(Item::Steps(from, to, step)),
        None if range.contains('-') && kind.name == YEARS.name && from > to => {
            Err(CronError::field(kind, format!("{from}-{to} runs backwards")))
        }
        None if range.contains('-') => Ok(Item::Range(from, to)),
        None => Ok(Item::One(from)),
    }
}

fn steps(kind: &Kind, text: &str) -> Result<u16, CronError> {
    let most = kind.max - kind.min + 1;
    match text.parse() {
        Ok(step) if (1..=most).contains(&step) => Ok(step),
        _ => Err(CronError::field(kind, format!("the step '{text}' is not between 1 and {most}"))),
    }
}

fn value(kind: &Kind, text: &str) -> Result<u16, CronError> {
    if let Some(at) = kind.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        return Ok(kind.min + u16::try_from(at).unwrap_or(0));
    }
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(value) if digits && (kind.min..=kind.max).contains(&value) => Ok(value),
        Ok(value) if digits => {
            Err(CronError::field(kind, format!("{value} is not between {} and {}", kind.min, kind.max)))
        }
        Err(_) if text.is_empty() => Err(CronError::field(kind, "a value is missing".to_owned())),
        _ => Err(CronError::field(kind, format!("'{text}' is not a value that it can have"))),
    }
}

fn expand(kind: &Kind, item: &Item) -> Vec<u16> {
    let (from, to, step) = match *item {
        Item::All => (kind.min, kind.max, 1),
        Item::One(value) => (value, value, 1),
        Item::Range(from, to) => (from, to, 1),
        Item::Steps(from, to, step) => (from, to, step),
    };
    if from <= to {
        return (from..=to).step_by(step.into()).collect();
    }
    let size = kind.max - kind.min + 1;
    (from..=to + size).step_by(step.into()).map(|v| if v > kind.max { v - size } else { v }).collect()
}
