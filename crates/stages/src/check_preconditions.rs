//! `checkPreconditions`: one synthetic stage for each precondition; each asks whether the pipeline may go on.

use jiff::Timestamp;
use pipeline::evaluate;
use pipeline::{
    Exception, Map, Plan, PlanError, Stage, StageSpec, StageView, Status, TaskInput, TaskResult, TaskSpec, fields,
};
use schemars::Schema;
use serde_json::{Value, json};

/// The stage type.
pub struct CheckPreconditionsStage;

/// The keys by which a stage decides what a failure means; its preconditions take them over.
const FLAGS: [&str; 2] = ["continuePipeline", "completeOtherBranchesThenFail"];

const FIELDS: &str = "
    preconditions: [{
        type: expression|clusterSize|stageStatus, failPipeline: flag, cloudProvider: text,
        context: {
            expression: text|flag, failureMessage: text, cluster: text, comparison: <|<=|==|>=|>, expected: count, credentials: text,
            regions: [text], onlyEnabledServerGroups: flag, moniker: object, stageName: text, stageStatus: text}}]";

impl Stage for CheckPreconditionsStage {
    fn kind(&self) -> &'static str {
        "checkPreconditions"
    }

    fn schema(&self) -> Option<Schema> {
        Some(fields::written(FIELDS))
    }

    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        if let Some(kind) = stage.text("preconditionType").filter(|_| stage.stage().is_synthetic()) {
            let task = match kind {
                "clusterSize" => "checkClusterSize",
                _ => "checkPrecondition",
            };
            return Ok(Plan::tasks([TaskSpec::new("checkPrecondition", task)]));
        }
        let mut plan = Plan::default();
        let list = stage.context().get("preconditions").and_then(Value::as_array);
        for precondition in list.into_iter().flatten() {
            let Some(precondition) = precondition.as_object() else {
                return Err(PlanError::Refused("each entry of preconditions must be an object".into()));
            };
            plan.before.push(child(stage.context(), precondition));
        }
        Ok(plan)
    }
}

fn child(parent: &Map, precondition: &Map) -> StageSpec {
    let kind = precondition.get("type").and_then(Value::as_str).unwrap_or("expression");
    let mut context = precondition.clone();
    context.insert("preconditionType".into(), json!(kind));
    context.insert("type".into(), json!("checkPreconditions"));
    for flag in FLAGS {
        if let Some(value) = parent.get(flag) {
            context.insert(flag.into(), value.clone());
        }
    }
    StageSpec::new("checkPreconditions", format!("Check precondition ({kind})")).context(context)
}

/// The task for expressions and statuses of stages. The size of a cluster is asked by the task `checkClusterSize`.
pub(crate) fn run(input: &TaskInput, _: Timestamp) -> TaskResult {
    let Some(view) = input.view() else { return TaskResult::failed("the stage of this precondition is gone") };
    match view.text("preconditionType").unwrap_or("") {
        "expression" => expression(input, view),
        "stageStatus" => stage_status(view),
        other => TaskResult::failed(format!(
            "'{other}' is no type of precondition: there are expression, stageStatus and clusterSize"
        )),
    }
}

fn expression(input: &TaskInput, view: StageView) -> TaskResult {
    let execution = serde_json::to_value(&*input.execution).unwrap_or_default();
    let context = view.context().get("context").cloned().unwrap_or(Value::Null);
    let asked = evaluate::precondition(&execution, &view.stage().ref_id, &context, &input.given);
    if !asked.evaluated.needs.is_empty() {
        return TaskResult::Needs(asked.evaluated.needs);
    }
    let mut inner = view.context().get("context").and_then(Value::as_object).cloned().unwrap_or_default();
    inner.insert("expressionResult".into(), asked.result.clone());
    let status = if asked.holds { Status::Succeeded } else { Status::Terminal };
    let result = TaskResult::done(status).context("context", inner);
    let summary = asked.evaluated.summary();
    if summary.is_empty() { result } else { result.context(evaluate::SUMMARY, summary) }
}

fn stage_status(view: StageView) -> TaskResult {
    let inner = view.context().get("context");
    let text = |key: &str| inner.and_then(|c| c.get(key)).and_then(Value::as_str).unwrap_or("");
    let (name, wanted) = (text("stageName"), text("stageStatus"));
    let fail = |error: String| TaskResult::Failed { error: Exception::new("PreconditionFailed", error) };
    if name.is_empty() || wanted.is_empty() {
        return fail("a precondition on a stage's status needs stageName and stageStatus".into());
    }
    match view.execution().stages.iter().find(|s| s.name == name) {
        None => fail(format!("there is no stage named '{name}' in this pipeline")),
        Some(stage) if stage.status.as_str() == wanted => TaskResult::succeeded(),
        Some(stage) => fail(format!("stage '{name}' is {}, and {wanted} is wanted", stage.status)),
    }
}
