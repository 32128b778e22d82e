//! What a cron trigger would do, asked before it is saved.

use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pipeline::trigger::cron::{CronError, Quartz, zone_of};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::House;

/// How many of the next times are told.
const NEXT: usize = 5;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(validate))
}

/// A Quartz expression.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Asked {
    /// Six or seven fields.
    #[serde(default)]
    expression: String,
    /// The zone of the trigger; without one that of the configuration.
    time_zone: Option<String>,
}

/// Whether a cron trigger would fire, what its expression means in words, and its next five times.
#[utoipa::path(get, path = "/cron/validate", params(Asked), responses((status = OK, body = Object)))]
async fn validate(State(house): State<House>, Query(asked): Query<Asked>) -> Json<Value> {
    Json(answer(&asked.expression, asked.time_zone.as_deref(), &house.cron_zone, house.now()))
}

fn answer(expression: &str, zone: Option<&str>, default: &TimeZone, now: Timestamp) -> Value {
    let zone =
        zone.filter(|name| !name.trim().is_empty()).map_or_else(|| Ok(default.clone()), |name| zone_of(name.trim()));
    let found = zone.and_then(|zone| Ok((Quartz::parse(expression)?, zone))).and_then(|(quartz, zone)| {
        let first = quartz.next(now, &zone).ok_or(CronError::Never)?;
        let times = std::iter::successors(Some(first), |time| quartz.next(*time, &zone)).take(NEXT);
        let shown = times.map(|time| time.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
        Ok((quartz.words(), shown.collect::<Vec<_>>()))
    });
    match found {
        Ok((words, next)) => {
            let response = format!("{expression} is valid");
            json!({ "valid": true, "response": response, "description": words, "message": "", "next": next })
        }
        Err(error) => {
            let message = error.to_string();
            json!({ "valid": false, "response": message, "description": "", "message": message, "next": [] })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2027-01-15T10:02:30Z";

    fn asked(expression: &str, zone: Option<&str>) -> Value {
        answer(expression, zone, &TimeZone::UTC, NOW.parse().expect("a time"))
    }

    #[test]
    fn a_good_expression_is_told_in_words_with_its_next_times() {
        let expected = json!({
            "valid": true, "response": "0 0 3 * * ? is valid", "description": "at 03:00 every day", "message": "",
            "next": ["2027-01-16T03:00:00+01:00", "2027-01-17T03:00:00+01:00", "2027-01-18T03:00:00+01:00",
                "2027-01-19T03:00:00+01:00", "2027-01-20T03:00:00+01:00"],
        });
        assert_eq!(asked("0 0 3 * * ?", Some("Europe/Berlin")), expected);
        assert_eq!(asked("0 0 3 * * ?", None)["next"][0], "2027-01-16T03:00:00+00:00");
        assert_eq!(asked("0 0 3 16 1 ? 2027", None)["next"], json!(["2027-01-16T03:00:00+00:00"]));
    }

    #[test]
    fn a_bad_one_says_why_and_one_that_never_fires_is_bad() {
        let never = "it never fires: no time from now on fits it";
        let zone = "there is no time zone 'Mars'; name one as Europe/Berlin or UTC";
        let days = "exactly one of day of month and day of week must be ?, which means that it does not matter";
        let table =
            [("0 0 3 * * *", None, days), ("0 0 3 * * ? 2026", None, never), ("0 0 3 * * ?", Some("Mars"), zone)];
        for (expression, name, message) in table {
            let expected =
                json!({ "valid": false, "response": message, "description": "", "message": message, "next": [] });
            assert_eq!(asked(expression, name), expected);
        }
    }
}
