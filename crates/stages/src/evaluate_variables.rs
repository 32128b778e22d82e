//! `evaluateVariables`: gives values names; each becomes an output that stages behind it see.

use jiff::Timestamp;
use pipeline::evaluate::{self, Evaluated, Given};
use pipeline::{Plan, PlanError, Stage, StageView, TaskInput, TaskResult, TaskSpec, fields};
use schemars::Schema;
use serde_json::Value;

/// The stage type.
pub struct EvaluateVariablesStage;

impl Stage for EvaluateVariablesStage {
    fn kind(&self) -> &'static str {
        "evaluateVariables"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written("variables!: [{key!: text, value: any, description: text, sourceValue: any}]"))
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("evaluateVariables", "evaluateVariables")]))
    }
    fn evaluates_once(&self) -> bool {
        true
    }
    /// Its variables are evaluated one after the other, so that later ones see earlier ones.
    fn evaluate(&self, execution: &Value, stage_ref: &str, context: &Value, given: &Given) -> Evaluated {
        let mut evaluated = evaluate::variables(execution, stage_ref, context, given).evaluated;
        let variables = evaluated.value.get_mut("variables").and_then(Value::as_array_mut);
        for variable in variables.into_iter().flatten().filter_map(Value::as_object_mut) {
            if variable.get("value").is_some_and(Value::is_null) {
                variable.shift_remove("value");
            }
        }
        evaluated
    }
}

pub(crate) fn run(input: &TaskInput, _: Timestamp) -> TaskResult {
    let Some(view) = input.view() else { return TaskResult::failed("the stage of these variables is gone") };
    let Some(variables) = view.context().get("variables").and_then(Value::as_array) else {
        return TaskResult::failed("this stage needs variables: a list of {key, value}");
    };
    let mut result = TaskResult::succeeded();
    for variable in variables {
        let (key, value) = (variable.get("key").and_then(Value::as_str), variable.get("value"));
        let (Some(key), Some(value)) = (key, value.filter(|v| !v.is_null())) else { continue };
        result = result.output(key, value.clone());
        // A variable is no way to change how its own stage behaves.
        if !view.context().contains_key(key) {
            result = result.context(key, value.clone());
        }
    }
    result
}
