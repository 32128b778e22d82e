//! The places where expressions stand in a pipeline: contexts, variables, conditions, the pipeline itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::names::Names;
use super::process::{Process, budget, expression_like};
use super::{Condition, Evaluated, Given, INERT, SUMMARY, Variables, is_v4};

/// What is evaluated again when it is used: what came out of it at the start is data from then on.
const NOTIFICATIONS: &str = "notifications";

/// Evaluates `input` in the scope of a stage (or of the execution alone).
pub(super) fn process(
    execution: &Value,
    stage_ref: Option<&str>,
    input: &Value,
    lenient: bool,
    given: &Given,
) -> Evaluated {
    let names = Names::of_stage(execution, stage_ref, lenient, given);
    evaluated(&names, given, |process| {
        if stage_ref.is_none() {
            process.inert.extend(texts(execution.get(INERT)));
        }
        process.value(input)
    })
}

fn evaluated(names: &Names, given: &Given, run: impl FnOnce(&mut Process) -> Value) -> Evaluated {
    let cost = budget();
    let mut process = Process::new(names, &cost);
    let value = run(&mut process);
    let failed = std::mem::take(&mut process.failed);
    Evaluated { value, failed, needs: names.needs.take(), now: given.now }
}

/// Evaluates a stage's context as at its start. What comes out and looks like an expression is noted in it, and not evaluated again.
pub(super) fn context(execution: &Value, stage_ref: &str, context: &Value, given: &Given) -> Evaluated {
    let mut input = std::borrow::Cow::Borrowed(context);
    if (context.get(SUMMARY).is_some() || context.get(INERT).is_some())
        && let Some(members) = input.to_mut().as_object_mut()
    {
        members.shift_remove(SUMMARY);
        members.shift_remove(INERT);
    }
    let names = Names::of_stage(execution, Some(stage_ref), true, given);
    let variables = names.stage.as_ref().is_some_and(|stage| stage.text("type") == Some("evaluateVariables"));
    let in_turn = variables && is_v4(execution.get("spelEvaluator"));
    let own: Vec<String> = texts(context.get(INERT)).collect();
    evaluated(&names, given, |process| {
        process.inert.extend(own.iter().cloned());
        let family = names.stage.iter().flat_map(|stage| stage.family());
        process.inert.extend(family.flat_map(|stage| texts(stage.context(INERT))));
        let mut value = match input.as_object() {
            Some(members) if in_turn => in_order(process, &names, members),
            _ => process.value(&input),
        };
        process.came.extend(own);
        note_inert(process, &mut value);
        value
    })
}

/// The texts of a list.
fn texts(list: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

/// Notes in an object which texts in it are data, and forgets them.
fn note_inert(process: &mut Process, object: &mut Value) {
    let came = std::mem::take(&mut process.came);
    if let (Some(members), false) = (object.as_object_mut(), came.is_empty()) {
        members.insert(INERT.to_owned(), came.into_iter().map(Value::String).collect());
    }
}

/// Notes in a context that the texts in `data`, which will be merged into it, are never evaluated. What stands in the context already is
/// its author's, even when the data repeats it.
pub(super) fn keep_as_data(context: &mut Map<String, Value>, data: &Map<String, Value>) {
    let mut came = BTreeSet::new();
    data.values().for_each(|value| expression_like(value, &mut came));
    if came.is_empty() {
        return;
    }
    let mut found: BTreeSet<String> = texts(context.get(INERT)).collect();
    let mut own = BTreeSet::new();
    let others = context.iter().filter(|(name, _)| *name != INERT && *name != SUMMARY);
    others.for_each(|(_, value)| expression_like(value, &mut own));
    let before = found.len();
    found.extend(came.into_iter().filter(|text| !own.contains(text)));
    if found.len() > before {
        context.insert(INERT.to_owned(), found.into_iter().map(Value::String).collect());
    }
}

/// v4: variables one after the other, each sees those before it. The rest of the context stays as it is.
fn in_order(process: &mut Process, names: &Names, context: &Map<String, Value>) -> Value {
    let mut context = context.clone();
    if let Some(Value::Array(variables)) = context.get_mut("variables") {
        for variable in variables {
            if let Some(members) = variable.as_object_mut() {
                one_variable(process, names, members);
            }
        }
    }
    Value::Object(context)
}

fn one_variable(process: &mut Process, names: &Names, members: &mut Map<String, Value>) {
    // Only texts are evaluated, and none twice.
    let Some(source) = members.get("value").and_then(Value::as_str).filter(|_| !members.contains_key("sourceValue"))
    else {
        return;
    };
    let source = source.to_owned();
    let before = process.failed.len();
    let value = process.value(&Value::String(source.clone()));
    if let Some(description) = members.get("description").cloned() {
        let described = process.value(&description);
        members.insert("description".to_owned(), described);
    }
    if process.failed.len() == before {
        if let Some(key) = members.get("key").and_then(Value::as_str) {
            names.put(key, &value);
        }
        members.insert("value".to_owned(), value);
    }
    members.insert("sourceValue".to_owned(), Value::String(source.replace("${", "{")));
}

/// Runs an `evaluateVariables` stage.
pub(super) fn variables(execution: &Value, stage_ref: &str, given_context: &Value, given: &Given) -> Variables {
    let evaluated = context(execution, stage_ref, given_context, given);
    let list = evaluated.value.get("variables").and_then(Value::as_array);
    let entry = |variable: &Value| {
        let key = expression_text(variable.get("key"));
        (!key.is_empty()).then(|| (key, variable.get("value").cloned().unwrap_or(Value::Null)))
    };
    let outputs = list.into_iter().flatten().filter_map(entry).filter(|(_, value)| !value.is_null()).collect();
    Variables { outputs, evaluated }
}

/// The text of an expression, wrapped unless it is already: what is asked, and what to say when it fails.
fn asked(execution: &Value, stage_ref: &str, expression: &str, given: &Given) -> Condition {
    let wrapped = Value::String(format!("${{{expression}}}"));
    let evaluated = process(execution, Some(stage_ref), &wrapped, true, given);
    let result = match &evaluated.value {
        _ if !evaluated.failed.is_empty() => expression.to_owned(),
        Value::String(text) => text.clone(),
        other => expr::print(&expr::Value::made(other), &budget()).unwrap_or_default(),
    };
    let holds = evaluated.failed.is_empty() && result.eq_ignore_ascii_case("true");
    Condition { holds, result: Value::String(result), evaluated }
}

/// The text of a value that stands for an expression.
fn expression_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

/// Asks a precondition of type `expression`.
pub(super) fn precondition(execution: &Value, stage_ref: &str, context: &Value, given: &Given) -> Condition {
    asked(execution, stage_ref, &expression_text(context.get("expression")), given)
}

/// Asks whether a stage is enabled.
pub(super) fn stage_enabled(execution: &Value, stage_ref: &str, enabled: &Value, given: &Given) -> Condition {
    let kind = enabled.get("type").and_then(Value::as_str).unwrap_or("expression");
    let expression = expression_text(enabled.get("expression"));
    if !kind.eq_ignore_ascii_case("expression") || expression.trim().is_empty() {
        let evaluated = Evaluated { value: Value::Bool(true), failed: Vec::new(), needs: Vec::new(), now: given.now };
        return Condition { holds: true, result: Value::Bool(true), evaluated };
    }
    asked(execution, stage_ref, &expression, given)
}

/// Evaluates a pipeline at its start.
pub(super) fn pipeline(config: &Value, given: &Given) -> Evaluated {
    let names = Names::of_pipeline(config, given);
    let v4 = is_v4(config.get("spelEvaluator"));
    evaluated(&names, given, |process| {
        let Some(members) = config.as_object() else { return config.clone() };
        let mut members = members.clone();
        members.shift_remove(SUMMARY);
        let stages = members.shift_remove("stages");
        let (mut whole, mut again) = (Map::new(), BTreeSet::new());
        for (name, value) in members {
            let told = name == NOTIFICATIONS;
            whole.extend(process.object(&Map::from_iter([(name, value)]), 0));
            let came = std::mem::take(&mut process.came);
            if told {
                again = came;
            }
        }
        let stages = stages.map(|stages| match stages {
            stages if v4 => stages,
            Value::Array(stages) => stages.iter().map(|stage| one_stage(process, stage)).collect(),
            other => process.value(&other),
        });
        whole.extend(stages.map(|stages| ("stages".to_owned(), stages)));
        process.came = again;
        let mut whole = Value::Object(whole);
        note_inert(process, &mut whole);
        whole
    })
}

fn one_stage(process: &mut Process, stage: &Value) -> Value {
    let mut stage = process.value(stage);
    note_inert(process, &mut stage);
    stage
}
