//! `evaluateVariables`: gives values names; each becomes an output that stages behind it see.

use jiff::Timestamp;
use pipeline::evaluate::{self, Evaluated, Given};
use pipeline::{Map, Plan, PlanError, Stage, StageView, TaskInput, TaskResult, TaskSpec, fields};
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
    /// The values of the last time go, but for what no variable may change; and what was evaluated is what it was before.
    fn prepare_restart(&self, context: &mut Map) {
        let Some(mut variables) = context.shift_remove("variables") else { return };
        for variable in variables.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            if let Some(key) = variable.get("key").and_then(Value::as_str).filter(|key| !fields::is_common(key)) {
                context.shift_remove(key);
            }
            if let Some(Value::String(source)) = variable.shift_remove("sourceValue") {
                variable.insert("value".into(), Value::String(again(&source)));
            }
        }
        context.insert("variables".into(), variables);
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

/// A `sourceValue` is its expression without the dollars, so that nobody evaluates it: this gives them back to the outer braces.
fn again(source: &str) -> String {
    let mut text = String::with_capacity(source.len() + 2);
    let mut depth = 0_u32;
    for c in source.chars() {
        match c {
            '{' => {
                if depth == 0 {
                    text.push('$');
                }
                depth += 1;
            }
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        text.push(c);
    }
    text
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_restart_evaluates_anew() {
        let mut context = json!({"failPipeline": true, "mine": 1, "tag": "old", "stageTimeoutMs": 5, "variables": [
            {"key": "tag", "value": "old", "sourceValue": "{trigger.tag}-{ {'a': 1}['a'] }"},
            {"key": "stageTimeoutMs", "value": "${1 + 1}"},
        ]});
        let context = context.as_object_mut().expect("an object");
        EvaluateVariablesStage.prepare_restart(context);
        let expected = json!({"failPipeline": true, "mine": 1, "stageTimeoutMs": 5, "variables": [
            {"key": "tag", "value": "${trigger.tag}-${ {'a': 1}['a'] }"},
            {"key": "stageTimeoutMs", "value": "${1 + 1}"},
        ]});
        assert_eq!(*context, *expected.as_object().expect("an object"));
    }
}
