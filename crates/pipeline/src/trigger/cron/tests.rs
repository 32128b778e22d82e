//! Every trap of Quartz's times, as tables.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::*;

fn zone(name: &str) -> TimeZone {
    zone_of(name).expect("the zone is known")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The next times of an expression, as the zone's clocks show them.
#[track_caller]
fn next(expression: &str, name: &str, after: &str, expect: &[&str]) {
    let quartz = Quartz::parse(expression).unwrap_or_else(|e| panic!("{expression}: {e}"));
    let zone = zone(name);
    let mut now = at(after);
    let mut seen = Vec::new();
    for _ in 0..expect.len() {
        let Some(found) = quartz.next(now, &zone) else { break };
        seen.push(found.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string());
        now = found;
    }
    assert_eq!(seen, expect, "{expression} in {name} after {after}");
}

#[test]
fn steps_lists_ranges_and_names() {
    let after = "2027-01-15T10:02:30Z"; // a Friday
    next("0 0/5 * * * ?", "UTC", after, &["2027-01-15 10:05:00", "2027-01-15 10:10:00"]);
    next("0 */5 * * * ?", "UTC", after, &["2027-01-15 10:05:00"]);
    next("* * * * * ?", "UTC", after, &["2027-01-15 10:02:31", "2027-01-15 10:02:32"]);
    next("10,40 * * * * ?", "UTC", after, &["2027-01-15 10:02:40", "2027-01-15 10:03:10"]);
    next("0 7/20 9-11 * * ?", "UTC", after, &["2027-01-15 10:07:00", "2027-01-15 10:27:00", "2027-01-15 10:47:00"]);
    next("0 0 12 ? * MON-WED", "UTC", after, &["2027-01-18 12:00:00", "2027-01-19 12:00:00", "2027-01-20 12:00:00"]);
    next("0 0 12 ? jan,Mar sun", "UTC", after, &["2027-01-17 12:00:00", "2027-01-24 12:00:00"]);
    next("0 0 12 1/10 * ?", "UTC", after, &["2027-01-21 12:00:00", "2027-01-31 12:00:00", "2027-02-01 12:00:00"]);
    next("0 0 12 ? * 2/2", "UTC", after, &["2027-01-15 12:00:00", "2027-01-18 12:00:00", "2027-01-20 12:00:00"]);
    next("* 0/30 * * * ? *", "UTC", after, &["2027-01-15 10:30:00", "2027-01-15 10:30:01"]);
}

#[test]
fn ranges_run_over_the_end() {
    next(
        "0 0 22-2 * * ?",
        "UTC",
        "2027-01-15T00:30:00Z",
        &["2027-01-15 01:00:00", "2027-01-15 02:00:00", "2027-01-15 22:00:00"],
    );
    next(
        "0 0 9 ? * FRI-MON",
        "UTC",
        "2027-01-15T08:00:00Z",
        &[
            "2027-01-15 09:00:00",
            "2027-01-16 09:00:00",
            "2027-01-17 09:00:00",
            "2027-01-18 09:00:00",
            "2027-01-22 09:00:00",
        ],
    );
    next("0 0 0 1 NOV-FEB ?", "UTC", "2027-02-02T00:00:00Z", &["2027-11-01 00:00:00", "2027-12-01 00:00:00"]);
    next(
        "0 50-10/10 4 1 1 ?",
        "UTC",
        "2027-01-01T00:00:00Z",
        &["2027-01-01 04:00:00", "2027-01-01 04:10:00", "2027-01-01 04:50:00"],
    );
}

#[test]
fn days_counted_from_the_end_and_working_days() {
    let after = "2027-01-15T10:00:00Z";
    next("0 15 10 L * ?", "UTC", after, &["2027-01-31 10:15:00", "2027-02-28 10:15:00"]);
    next("0 15 10 L-3 * ?", "UTC", after, &["2027-01-28 10:15:00", "2027-02-25 10:15:00", "2027-03-28 10:15:00"]);
    next("0 15 10 L-30 * ?", "UTC", after, &["2027-03-01 10:15:00"]);
    next("0 0/20 10 L-3 * ?", "UTC", "2027-01-28T10:25:00Z", &["2027-01-28 10:40:00", "2027-02-25 10:00:00"]);
    next("* * * L-3 * ?", "UTC", "2027-01-28T23:59:58Z", &["2027-01-28 23:59:59", "2027-02-25 00:00:00"]);
    // 31 January 2027 is a Sunday, 28 February too.
    next("0 15 10 LW * ?", "UTC", after, &["2027-01-29 10:15:00", "2027-02-26 10:15:00", "2027-03-31 10:15:00"]);
    next("0 15 10 L-1W * ?", "UTC", after, &["2027-01-29 10:15:00", "2027-02-26 10:15:00", "2027-03-30 10:15:00"]);
    // 15 May 2027 is a Saturday; 1 May, too, and the nearest day stays in the month.
    next("0 0 8 15W 5 ?", "UTC", after, &["2027-05-14 08:00:00"]);
    next("0 0 8 1W 5 ?", "UTC", after, &["2027-05-03 08:00:00"]);
    next("0 15 10 ? * 6L 2027", "UTC", "2027-01-01T00:00:00Z", &["2027-01-29 10:15:00", "2027-02-26 10:15:00"]);
    next("0 15 10 ? * FRIL", "UTC", "2027-01-01T00:00:00Z", &["2027-01-29 10:15:00"]);
    next("0 15 10 ? * 6#3", "UTC", "2027-01-01T00:00:00Z", &["2027-01-15 10:15:00", "2027-02-19 10:15:00"]);
    next("0 15 10 ? * MON#5", "UTC", "2027-01-01T00:00:00Z", &["2027-03-29 10:15:00"]);
    // A bare L among the weekdays is Saturday.
    next("0 15 10 ? * L", "UTC", after, &["2027-01-16 10:15:00", "2027-01-23 10:15:00"]);
    next("0 0 0 29 2 ?", "UTC", after, &["2028-02-29 00:00:00", "2032-02-29 00:00:00"]);
}

#[test]
fn where_clocks_are_changed() {
    // Los Angeles skips 02:00 to 03:00 on 14 March 2027 and shows 01:00 to 02:00 twice on 7 November 2027.
    let zone = "America/Los_Angeles";
    let tz = zone_of(zone).expect("the zone is known");
    next("0 30 2 * * ?", zone, "2027-03-13T20:00:00Z", &["2027-03-14 03:00:00", "2027-03-15 02:30:00"]);
    next("0 30 2,14 * * ?", zone, "2027-03-14T05:00:00Z", &["2027-03-14 03:00:00", "2027-03-14 14:30:00"]);
    next("0 30 1 * * ?", zone, "2027-11-07T06:00:00Z", &["2027-11-07 01:30:00", "2027-11-08 01:30:00"]);
    next("0 30 1,5 * * ?", zone, "2027-11-07T06:00:00Z", &["2027-11-07 01:30:00", "2027-11-07 05:30:00"]);
    let first = Quartz::parse("0 30 1 * * ?").expect("good").next(at("2027-11-07T06:00:00Z"), &tz);
    assert_eq!(first, Some(at("2027-11-07T08:30:00Z")), "the first of the two");
    next("0 0/30 * * * ?", zone, "2027-03-14T09:15:00Z", &["2027-03-14 01:30:00", "2027-03-14 03:00:00"]);
    // Every half hour goes on through the hour that comes twice.
    let quartz = Quartz::parse("0 0/30 * * * ?").expect("good");
    let (mut now, mut count) = (at("2027-11-07T07:59:00Z"), 0);
    while let Some(next) = quartz.next(now, &tz).filter(|t| *t < at("2027-11-07T10:00:00Z")) {
        (now, count) = (next, count + 1);
    }
    assert_eq!(count, 4, "01:00, 01:30 and both again");
    next("0 0 3 * * ?", "Europe/Berlin", "2027-06-01T00:00:00Z", &["2027-06-01 03:00:00"]);
}

#[test]
fn what_is_no_expression_says_where_and_why() {
    #[track_caller]
    fn refused(expression: &str, expect: &str) {
        let error = Quartz::parse(expression).expect_err(expression).to_string();
        assert!(error.starts_with(expect), "{expression}: {error}");
    }
    refused("0 3 * * *", "the expression has 5 fields; there are six or seven: second, minute");
    refused("", "the expression has 0 fields");
    refused("0 0 3 * * ? * *", "the expression has 8 fields");
    refused("0 0 3 * * *", "exactly one of day of month and day of week must be ?");
    refused("0 0 3 ? * ?", "exactly one of day of month and day of week must be ?");
    refused("0 0 3 15 * MON", "exactly one of day of month and day of week must be ?");
    refused("60 0 3 * * ?", "seconds: 60 is not between 0 and 59");
    refused("0 75 3 * * ?", "minutes: 75 is not between 0 and 59");
    refused("0 0 24 * * ?", "hours: 24 is not between 0 and 23");
    refused("0 0 3 0 * ?", "day of month: 0 is not between 1 and 31");
    refused("0 0 3 ? * 0", "day of week: 0 is not between 1 and 7");
    refused("0 0 3 ? * 8", "day of week: 8 is not between 1 and 7");
    refused("0 0 3 * 13 ?", "month: 13 is not between 1 and 12");
    refused("0 0 3 * JANUARY ?", "month: 'JANUARY' is not a value that it can have");
    refused("0 0 3 * * ? 1969", "year: 1969 is not between 1970 and 2099");
    refused("0 0 3 * * ? 2030-2027", "year: 2030-2027 runs backwards");
    refused("0 0/0 * * * ?", "minutes: the step '0' is not between 1 and 60");
    refused("0 0/61 * * * ?", "minutes: the step '61' is not between 1 and 60");
    refused("0 , * * * ?", "minutes: a value is missing");
    refused("0 5-6-7 * * * ?", "minutes: '6-7' is not a value that it can have");
    refused("0 +5 * * * ?", "minutes: '+5' is not");
    refused("0 0 3 15,L * ?", "day of month: '15,L' is none of L, L-3, LW, L-3W, 15W");
    refused("0 0 3 L-31 * ?", "day of month: 'L-31' is none of");
    refused("0 0 3 0W * ?", "day of month: '0W' is none of");
    refused("0 0 3 ? * 6#6", "day of week: '#6' is not one of #1 to #5");
    refused("0 0 3 ? * MON,TUEL", "day of week: 'MON,TUE' is not one day");
    refused("@daily", "the expression has 1 fields");
    refused(&"1,".repeat(2000), "the expression is longer than 1000 characters");
}

#[test]
fn what_never_fires_again_is_refused_on_save() {
    let check = |trigger: Value| super::check(trigger.as_object().expect("an object"), at("2027-01-15T10:00:00Z"));
    let of = |expression: &str| check(json!({"cronExpression": expression}));
    assert_eq!(of("0 0 3 * * ?"), Ok(()));
    assert_eq!(of("0 0 3 * * ? 2026"), Err(("cronExpression", CronError::Never)));
    assert_eq!(of("0 0 3 14 1 ? 2027"), Err(("cronExpression", CronError::Never)));
    assert_eq!(of("0 0 3 30 2 ?"), Err(("cronExpression", CronError::Never)));
    assert_eq!(of("0 0 3 31 2,4,6 ? *"), Err(("cronExpression", CronError::Never)));
    assert_eq!(of("0 0 3 29 2 ? 2027"), Err(("cronExpression", CronError::Never)));
    assert_eq!(of("0 0 3 L-29 2 ? 2027"), Err(("cronExpression", CronError::Never)));
    assert_eq!(check(json!({})), Err(("cronExpression", CronError::Missing)));
    let mars = json!({"cronExpression": "0 0 3 * * ?", "timeZone": "Mars/Olympus"});
    assert_eq!(check(mars), Err(("timeZone", CronError::Zone("Mars/Olympus".into()))));
}

#[test]
fn plain_words() {
    #[track_caller]
    fn words(expression: &str, expect: &str) {
        assert_eq!(Quartz::parse(expression).expect(expression).words(), expect, "{expression}");
    }
    words("0 0/5 * * * ?", "every 5 minutes");
    words("0 * * * * ?", "every minute");
    words("* * * * * ?", "every second");
    words("0/10 * * * * ?", "every 10 seconds");
    words("0 0 3 * * ?", "at 03:00 every day");
    words("0 0 3,15 * * ?", "at 03:00 and 15:00 every day");
    words("30 15 10 ? * *", "at 10:15:30 every day");
    words("0 0 * * * ?", "every hour");
    words("0 30 0/2 * * ?", "every 2 hours at minute 30");
    words("0 0/5 9-17 ? * MON-FRI", "every 5 minutes between 09:00 and 17:59 on Monday to Friday");
    words("0 15 10 ? * 6L 2027", "at 10:15 on the last Friday of the month in 2027");
    words("0 15 10 ? * 6#3", "at 10:15 on the third Friday of the month");
    words("0 0 0 L * ?", "at 00:00 on the last day of the month");
    words("0 0 0 L-3 * ?", "at 00:00 3 days before the last day of the month");
    words("0 0 0 LW JAN,JUL ?", "at 00:00 on the last working day of the month in January and July");
    words("0 0 0 15W * ?", "at 00:00 on the working day nearest to day 15 of the month");
    words("0 0 12 1/5 * ?", "at 12:00 every 5 days from the first of the month");
    words("0 0 8 1,15 * ? 2027-2029", "at 08:00 on day 1 and 15 of the month in 2027 to 2029");
    words("0 7/20 * * * ?", "every 20 minutes from minute 7 on of every hour");
    words("* 0/30 * * * ? *", "every second, every 30 minutes from minute 0 on of every hour");
    words("0 5-8 4 * * ?", "at minute 5 to 8 between 04:00 and 04:59");
}

#[test]
fn what_is_due_between_two_moments() {
    let schedule = |expression: &str| {
        let config = json!({"cronExpression": expression});
        Schedule::of(config.as_object().expect("an object"), &TimeZone::UTC).expect("good")
    };
    let window = SignedDuration::from_mins(30);
    #[track_caller]
    fn check(due: &[Timestamp], expect: &[&str]) {
        let seen: Vec<String> = due.iter().map(ToString::to_string).collect();
        assert_eq!(seen, expect);
    }
    let five = schedule("0 0/5 * * * ?");
    let due = |since: &str, now: &str| five.due(at(since), at(now), window);
    check(&due("2027-01-15T10:00:00Z", "2027-01-15T10:04:59Z"), &[]);
    check(&due("2027-01-15T10:00:00Z", "2027-01-15T10:05:00Z"), &["2027-01-15T10:05:00Z"]);
    check(&due("2027-01-15T10:05:00Z", "2027-01-15T10:05:00Z"), &[]);
    // No server ran for twenty minutes: the newest of four.
    check(&due("2027-01-15T10:00:00Z", "2027-01-15T10:21:30Z"), &["2027-01-15T10:20:00Z"]);
    // One is on time; those that were missed before it stay missed.
    check(&due("2027-01-15T10:00:00Z", "2027-01-15T10:20:10Z"), &["2027-01-15T10:20:00Z"]);
    // The clock went back: nothing fires again.
    check(&due("2027-01-15T10:05:00Z", "2027-01-15T09:30:00Z"), &[]);
    // A daily time that is older than the window stays missed.
    let daily = schedule("0 0 3 * * ?");
    check(&daily.due(at("2027-01-10T03:00:00Z"), at("2027-01-15T03:30:01Z"), window), &[]);
    check(&daily.due(at("2027-01-10T03:00:00Z"), at("2027-01-15T03:29:59Z"), window), &["2027-01-15T03:00:00Z"]);
    // Each second of the last minute is on time.
    let each = schedule("* * * * * ?").due(at("2027-01-15T10:00:00Z"), at("2027-01-15T10:00:03Z"), window);
    check(&each, &["2027-01-15T10:00:01Z", "2027-01-15T10:00:02Z", "2027-01-15T10:00:03Z"]);
    let each = schedule("* * * * * ?").due(at("2027-01-01T10:00:00Z"), at("2027-01-15T10:00:03Z"), window);
    assert_eq!(each.len(), 60, "an outage of days is not made up for");
}
