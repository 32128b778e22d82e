//! A Quartz expression in plain words: "every 5 minutes", "at 03:00 every day", "at 10:15 on the last Friday of the month".

use super::field::{Field, Item, MONTHS, WEEKDAYS};
use super::quartz::{Days, Quartz, Weekdays};

const WEEKDAY_NAMES: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTH_NAMES: [&str; 12] = [
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
/// More times of a day than this are told as lists of hours and minutes.
const MOST_TIMES: usize = 6;

impl Quartz {
    /// The expression in plain words.
    pub fn words(&self) -> String {
        let (time, each_day) = self.time();
        let day = self.day();
        let mut parts = vec![time];
        match day {
            Some(day) => parts.push(day),
            None if each_day => parts.push("every day".to_owned()),
            None => {}
        }
        if !self.months.is_all() {
            parts.push(format!("in {}", list(&self.months, |v| name(&MONTH_NAMES, v, MONTHS.min))));
        }
        if !self.years.is_all() {
            parts.push(format!("in {}", list(&self.years, |v| v.to_string())));
        }
        parts.join(" ")
    }

    /// The time of day, and whether "every day" belongs behind it.
    fn time(&self) -> (String, bool) {
        let (second, minute, hour) = (&self.seconds, &self.minutes, &self.hours);
        if let Some(times) = self.times_of_day() {
            return (format!("at {times}"), true);
        }
        let during = if hour.is_all() { String::new() } else { format!(" {}", during(hour)) };
        if minute.is_all()
            && let Some(every) = every(second, 60, "second")
        {
            return (every + &during, false);
        }
        if second.single() == Some(0) {
            if let Some(every) = every(minute, 60, "minute") {
                return (every + &during, false);
            }
            if let (Some(minute), Some(every)) = (minute.single(), every(hour, 24, "hour")) {
                let at = if minute == 0 { String::new() } else { format!(" at minute {minute}") };
                return (every + &at, false);
            }
        }
        let mut parts = Vec::new();
        if second.single() != Some(0) {
            parts.push(counted(second, "second"));
        }
        if !minute.is_all() {
            parts.push(counted(minute, "minute"));
        } else if parts.is_empty() {
            parts.push("every minute".to_owned());
        }
        (parts.join(", ") + if hour.is_all() { " of every hour" } else { "" } + &during, false)
    }

    /// "03:00", "09:00 and 17:30:05", when there are few.
    fn times_of_day(&self) -> Option<String> {
        let second = self.seconds.single()?;
        let listed = |field: &Field| field.items.iter().all(|item| matches!(item, Item::One(_)));
        let few = self.hours.values.len() * self.minutes.values.len() <= MOST_TIMES;
        if !few || !listed(&self.hours) || !listed(&self.minutes) {
            return None;
        }
        let tail = if second == 0 { String::new() } else { format!(":{second:02}") };
        let of_hour = |hour: &u16| {
            let hour = *hour;
            self.minutes.values.iter().map(move |minute| format!("{hour:02}:{minute:02}")).collect::<Vec<_>>()
        };
        let times = self.hours.values.iter().flat_map(of_hour).map(|time| time + &tail).collect();
        Some(joined(times))
    }

    fn day(&self) -> Option<String> {
        match (&self.days, &self.weekdays) {
            (Days::Of(field), _) if field.is_all() => None,
            (Days::Of(field), _) => Some(match field.items.as_slice() {
                [Item::Steps(1, 31, step)] => format!("every {step} days from the first of the month"),
                [Item::Steps(from, 31, step)] => format!("every {step} days from day {from} of the month"),
                _ => format!("on day {} of the month", list(field, |v| v.to_string())),
            }),
            (Days::Last { before: 0, near: false }, _) => Some("on the last day of the month".to_owned()),
            (Days::Last { before: 0, near: true }, _) => Some("on the last working day of the month".to_owned()),
            (Days::Last { before, near }, _) => {
                let near = if *near { "on the working day nearest to " } else { "" };
                let days = if *before == 1 { "day" } else { "days" };
                Some(format!("{near}{before} {days} before the last day of the month"))
            }
            (Days::Nearest(day), _) => Some(format!("on the working day nearest to day {day} of the month")),
            (Days::Open, Weekdays::Of(field)) if field.is_all() => None,
            (Days::Open, Weekdays::Of(field)) => Some(format!("on {}", list(field, weekday))),
            (Days::Open, Weekdays::Last(day)) => Some(format!("on the last {} of the month", weekday(*day))),
            (Days::Open, Weekdays::Nth(day, nth)) => {
                let nth = name(&["first", "second", "third", "fourth", "fifth"], *nth, 1);
                Some(format!("on the {nth} {} of the month", weekday(*day)))
            }
            (Days::Open, Weekdays::Open) => None,
        }
    }
}

fn name(names: &[&str], value: u16, first: u16) -> String {
    names.get(usize::from(value - first)).map_or_else(|| value.to_string(), |name| (*name).to_owned())
}

fn weekday(value: u16) -> String {
    name(&WEEKDAY_NAMES, value, WEEKDAYS.min)
}

/// "every second", "every 5 minutes": for `*`, `*/5` and `0/5` alone.
fn every(field: &Field, most: u16, unit: &str) -> Option<String> {
    match field.items.as_slice() {
        [Item::All] | [Item::Steps(0, _, 1)] => Some(format!("every {unit}")),
        [Item::Steps(0, to, step)] if *to == most - 1 => Some(format!("every {step} {unit}s")),
        _ => None,
    }
}

/// "at minute 5, 20 and 35", "every 10 minutes from minute 5 on".
fn counted(field: &Field, unit: &str) -> String {
    match field.items.as_slice() {
        [Item::All] => format!("every {unit}"),
        [Item::Steps(from, 59, step)] => format!("every {step} {unit}s from {unit} {from} on"),
        _ => format!("at {unit} {}", list(field, |v| v.to_string())),
    }
}

/// "between 09:00 and 17:59", "in the hours 1, 3 and 5".
fn during(hours: &Field) -> String {
    match hours.items.as_slice() {
        [Item::One(hour)] => format!("between {hour:02}:00 and {hour:02}:59"),
        [Item::Range(from, to)] => format!("between {from:02}:00 and {to:02}:59"),
        [Item::Steps(0, 23, step)] => format!("in every {step} hours"),
        _ => format!("in the hours {}", list(hours, |v| v.to_string())),
    }
}

/// The items of a field: ranges as "1 to 5", steps as what they stand for.
fn list(field: &Field, text: impl Fn(u16) -> String) -> String {
    let stepped = field.items.iter().any(|item| matches!(item, Item::Steps(..) | Item::All));
    if stepped {
        return joined(field.values.iter().map(|v| text(*v)).collect());
    }
    let of = |item: &Item| match item {
        Item::Range(from, to) => format!("{} to {}", text(*from), text(*to)),
        Item::One(value) => text(*value),
        Item::All | Item::Steps(..) => String::new(),
    };
    joined(field.items.iter().map(of).collect())
}

fn joined(mut parts: Vec<String>) -> String {
    match (parts.pop(), parts.is_empty()) {
        (Some(last), false) => format!("{} and {last}", parts.join(", ")),
        (last, _) => last.unwrap_or_default(),
    }
}
