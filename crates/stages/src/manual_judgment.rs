//! `manualJudgment`: waits until a person answers `continue` or `stop` (`judgmentStatus` in a patch of the stage). What the patch brings besides, a
//! chosen input or a comment, stays in the context. What the person needs to know is gathered when the wait begins: `judgment`, in `briefing`.

mod briefing;

use jiff::{SignedDuration, Timestamp};
use pipeline::evaluate::{INERT, keep_as_data};
use pipeline::{Map, Plan, PlanError, Stage, StageView, Status, TaskInput, TaskResult, TaskSpec, fields};
use schemars::Schema;
use serde_json::Value;

/// The stage type.
pub struct ManualJudgmentStage;

/// How long a person may take when the stage does not say.
const PATIENCE: SignedDuration = SignedDuration::from_hours(3 * 24);
/// The key of the briefing.
const JUDGMENT: &str = "judgment";

const FIELDS: &str = "
    instructions: text, judgmentInputs: [{value!: text}|text], judgmentStatus: text, judgmentInput: any,
    selectedStageRoles: [text], requiredJudgmentRoles: [text], propagateAuthenticationContext: flag";

impl Stage for ManualJudgmentStage {
    fn kind(&self) -> &'static str {
        "manualJudgment"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written(FIELDS))
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("waitForJudgment", "manualJudgment").timeout(PATIENCE)]))
    }
    fn prepare_restart(&self, context: &mut Map) {
        for key in ["judgmentStatus", "judgmentInput", "lastModifiedBy", JUDGMENT] {
            context.shift_remove(key);
        }
    }
}

pub(crate) fn run(input: &TaskInput, _: Timestamp) -> TaskResult {
    let Some(view) = input.view() else { return TaskResult::failed("the stage of this judgment is gone") };
    let answer = view.context().get("judgmentStatus").and_then(Value::as_str).unwrap_or("").trim().to_lowercase();
    let by = view.stage().last_modified.as_ref().and_then(|m| m.get("user")).cloned().unwrap_or(Value::Null);
    let result = match answer.as_str() {
        "continue" => TaskResult::succeeded(),
        "stop" => TaskResult::done(Status::Terminal),
        "" => return waits(&view, "a person has to answer whether to continue or to stop".into()),
        other => {
            let text: String = other.chars().take(40).collect();
            return waits(&view, format!("'{text}' is no answer: a person has to answer continue or stop"));
        }
    };
    let input = view.context().get("judgmentInput").cloned().unwrap_or(Value::Null);
    let result = result.context("lastModifiedBy", by).output("judgmentStatus", answer);
    if input.is_null() { result } else { result.output("judgmentInput", input) }
}

fn waits(view: &StageView, reason: String) -> TaskResult {
    let result = TaskResult::again(Timestamp::MAX, reason).asks("manualJudgment");
    if view.context().contains_key(JUDGMENT) {
        return result;
    }
    let mut told = Map::new();
    told.insert(JUDGMENT.into(), briefing::briefing(view));
    // What other stages brought from outside is data here, too.
    let mut context = view.context().clone();
    keep_as_data(&mut context, &told);
    if let Some(inert) = context.get(INERT) {
        told.insert(INERT.into(), inert.clone());
    }
    told.into_iter().fold(result, |result, (key, value)| result.context(&key, value))
}

#[cfg(test)]
mod tests;
