//! `checkPreconditions`: one synthetic stage for each precondition; each asks whether the pipeline may go on.

use jiff::Timestamp;
use pipeline::evaluate;
use pipeline::validate::{About, At, Findings, nearest};
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

    fn check(&self, config: &Map, about: &About, at: &At, findings: &mut Findings) {
        let list = config.get("preconditions").and_then(Value::as_array);
        let at = at.key("preconditions");
        if list.is_none_or(Vec::is_empty) && config.get("preconditionType").is_none() {
            findings.warning(&at, "there are no preconditions: the stage does nothing", "");
        }
        for (i, one) in list.into_iter().flatten().enumerate() {
            let at = at.item(i);
            precondition(one, about, &at, findings);
        }
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

/// What a precondition of each type needs.
fn precondition(one: &Value, about: &About, at: &At, findings: &mut Findings) {
    let kind = one.get("type").and_then(Value::as_str).unwrap_or("expression");
    let at = at.key("context");
    let inside = |key: &str| one.get("context").and_then(|c| c.get(key));
    let missing =
        |key: &str| inside(key).is_none_or(|v| v.is_null() || v.as_str().is_some_and(|s| s.trim().is_empty()));
    let needs: &[&str] = match kind {
        "expression" => &["expression"],
        "stageStatus" => &["stageName", "stageStatus"],
        "clusterSize" if inside("moniker").is_some() => &["expected"],
        "clusterSize" => &["cluster", "expected"],
        _ => &[],
    };
    for key in needs.iter().filter(|key| missing(key)) {
        findings.error(
            &at.key(key),
            format!("{key} is missing"),
            format!("a precondition of the type {kind} needs it"),
        );
    }
    if let Some(expression) = inside("expression").and_then(Value::as_str).filter(|_| kind == "expression") {
        // What stands in `${ }` is looked at like everywhere else.
        if !expression.contains("${") {
            about.expression(expression, &at.key("expression"), findings);
        }
    }
    let name = inside("stageName").and_then(Value::as_str).filter(|name| !pipeline::validate::is_open(name));
    if let Some(name) = name.filter(|name| {
        kind == "stageStatus" && !name.is_empty() && about.stage_named(name).is_none() && !about.plans_inside(name)
    }) {
        let help = nearest(name, about.stage_names()).map(|meant| format!("did you mean '{meant}'?"));
        findings.add(
            about.absent(),
            &at.key("stageName"),
            format!("there is no stage '{name}' in this pipeline"),
            help.unwrap_or_default(),
        );
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
