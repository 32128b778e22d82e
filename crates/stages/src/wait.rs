//! `wait`: lets a given time pass. A timer in the store ends it; no thread waits. `skipRemainingWait` ends it at once.

use jiff::{SignedDuration, Timestamp};
use pipeline::validate::{About, At, Findings};
use pipeline::{Map, Plan, PlanError, Stage, StageView, TaskInput, TaskResult, TaskSpec, fields};
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::Value;

/// The stage type.
pub struct WaitStage;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Wait {
    /// How long, in seconds.
    #[serde(default)]
    #[schemars(range(min = 0))]
    wait_time: i64,
    /// Ends it at once.
    #[serde(default)]
    skip_remaining_wait: bool,
    /// What the page asks before somebody skips it.
    #[serde(default)]
    #[allow(dead_code, reason = "people read it, the engine does not")]
    skip_wait_text: Option<String>,
}

impl Stage for WaitStage {
    fn kind(&self) -> &'static str {
        "wait"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::of::<Wait>())
    }
    fn check(&self, config: &Map, _: &About, at: &At, findings: &mut Findings) {
        if config.get("waitTime").is_none_or(Value::is_null) {
            findings.warning(
                &at.key("waitTime"),
                "waitTime is missing: the stage ends at once",
                "how long, in seconds",
            );
        }
    }
    fn prepare_restart(&self, context: &mut Map) {
        // Somebody skipped the last one, not this one.
        context.shift_remove("skipRemainingWait");
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("wait", "wait")]))
    }
}

pub(crate) fn run(input: &TaskInput, now: Timestamp) -> TaskResult {
    let wait: Wait = match input.config() {
        Ok(wait) => wait,
        Err(failed) => return failed,
    };
    let length = SignedDuration::from_secs(wait.wait_time.clamp(0, 10 * 366 * 86_400));
    let end = input.started.checked_add(length).unwrap_or(Timestamp::MAX);
    if wait.skip_remaining_wait || end <= now {
        return TaskResult::succeeded();
    }
    TaskResult::again(end, format!("it waits {} s, as its waitTime says", wait.wait_time))
}

#[cfg(test)]
mod tests {
    use pipeline::{Map, Stage};
    use serde_json::{Value, json};

    use super::WaitStage;
    use crate::wait_until::WaitUntilStage;

    #[test]
    fn a_wait_that_was_skipped_waits_again_when_it_is_restarted() {
        let stages: [&dyn Stage; 2] = [&WaitStage, &WaitUntilStage];
        for stage in stages {
            let context = json!({"waitTime": 30, "skipRemainingWait": true});
            let Value::Object(mut context) = context else { unreachable!("it is an object") };
            stage.prepare_restart(&mut context);
            let expected: Map = [("waitTime".to_owned(), json!(30))].into_iter().collect();
            assert_eq!(context, expected, "{}", stage.kind());
        }
    }
}
