//! `waitUntil`: goes on at a given time, `epochMillis` or `startTime`. A timer in the store ends it. `skipRemainingWait` ends it at once.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use pipeline::{Map, Plan, PlanError, Stage, StageView, TaskInput, TaskResult, TaskSpec, fields};
use schemars::Schema;
use serde::Deserialize;

/// The stage type.
pub struct WaitUntilStage;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WaitUntil {
    /// When, in milliseconds since 1970.
    epoch_millis: Option<i64>,
    /// When, as `2027-03-01T12:00:00Z` (without a zone: UTC), or in milliseconds.
    start_time: Option<String>,
    skip_remaining_wait: bool,
}

impl WaitUntil {
    fn time(&self) -> Result<Timestamp, String> {
        if let Some(millis) = self.epoch_millis {
            return Timestamp::from_millisecond(millis).map_err(|error| format!("epochMillis {millis}: {error}"));
        }
        let Some(text) = self.start_time.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
            return Err("this stage needs epochMillis or startTime: until when it waits".into());
        };
        if let Ok(millis) = text.parse::<i64>() {
            return Timestamp::from_millisecond(millis).map_err(|error| format!("startTime {millis}: {error}"));
        }
        let zoned = text.parse::<Timestamp>().ok();
        let local = || text.parse::<civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
        zoned.or_else(local).ok_or_else(|| format!("startTime '{text}' is no time such as 2027-03-01T12:00:00Z"))
    }
}

impl Stage for WaitUntilStage {
    fn kind(&self) -> &'static str {
        "waitUntil"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written("epochMillis: count, startTime: text|number, skipRemainingWait: flag, skipWaitText: text"))
    }
    fn prepare_restart(&self, context: &mut Map) {
        // Somebody skipped the last one, not this one.
        context.shift_remove("skipRemainingWait");
    }
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        stage.config::<WaitUntil>()?.time().map_err(PlanError::Refused)?;
        Ok(Plan::tasks([TaskSpec::new("waitUntil", "waitUntil")]))
    }
}

pub(crate) fn run(input: &TaskInput, now: Timestamp) -> TaskResult {
    let wait: WaitUntil = match input.config() {
        Ok(wait) => wait,
        Err(failed) => return failed,
    };
    match wait.time() {
        Err(error) => TaskResult::failed(error),
        Ok(until) if wait.skip_remaining_wait || until <= now => TaskResult::succeeded(),
        Ok(until) => TaskResult::again(until, format!("it waits until {until}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::WaitUntil;

    #[test]
    fn a_time_is_milliseconds_or_a_text() {
        let time = |value: Value| {
            let wait: WaitUntil = pipeline::lenient::from_value(&value).expect("it can be read");
            wait.time().map(|time| time.to_string())
        };
        let noon = Ok("2027-03-01T12:00:00Z".to_owned());
        assert_eq!(time(json!({"epochMillis": 1_803_902_400_000_i64})), noon);
        assert_eq!(time(json!({"epochMillis": "1803902400000", "startTime": "never"})), noon);
        assert_eq!(time(json!({"startTime": 1_803_902_400_000_i64})), noon);
        assert_eq!(time(json!({"startTime": "2027-03-01T14:00:00+02:00"})), noon);
        assert_eq!(time(json!({"startTime": "2027-03-01T12:00:00"})), noon);
        assert_eq!(
            time(json!({"startTime": "soon"})),
            Err("startTime 'soon' is no time such as 2027-03-01T12:00:00Z".into())
        );
        assert!(time(json!({})).expect_err("no time").contains("needs epochMillis or startTime"));
        assert!(time(json!({"epochMillis": i64::MAX})).expect_err("too late").starts_with("epochMillis"));
    }
}
