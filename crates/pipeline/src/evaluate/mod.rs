//! Spinnaker's rules for `${…}` in pipelines, over execution JSON: what is replaced before parsing, which names are in scope, what a failure
//! leaves behind (`expressionEvaluationSummary`), and the five places where expressions stand: a stage's context, `evaluateVariables`,
//! a precondition, `stageEnabled`, a pipeline at its start.
//!
//! Pure: the time, the random seed, looked-up pipelines and fetched texts come in as [`Given`]. What is missing there is named in
//! [`Evaluated::needs`]; fetch it by an effect, store it with the stage, and evaluate again. The language itself is the crate `expr`.
//!
//! ```text
//! let given = Given { now, seed, ..Given::default() };
//! let done = evaluate::stage_context(&execution, "3", &context, &given);
//! stage.context = done.value;                 // failed texts stay as they were
//! done.write_summary(&mut stage.context);     // context.expressionEvaluationSummary: new failures in, healed ones out
//! ```

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

mod calls;
mod functions;
mod names;
mod process;
mod replace;
mod stages;
mod things;

#[cfg(test)]
mod tests;

/// What an evaluation may know from outside the execution.
#[derive(Debug, Clone)]
pub struct Given {
    /// The present, for `T(java.time.Instant).now()` and the like, and for the summary's `timestamp`.
    pub now: Timestamp,
    /// Makes `T(Math).random()` and `T(java.util.UUID).randomUUID()` reproducible: the same seed gives the same values.
    pub seed: u64,
    /// All saved pipelines (`id`, `name`, `application` suffice), for `#pipelineId` and its kin; `None` = not asked for yet.
    pub pipelines: Option<Vec<Value>>,
    /// All applications, for `#applicationMetadata`; `None` = not asked for yet.
    pub applications: Option<Vec<Value>>,
    /// What was fetched for `#fromUrl` and its kin: URL → body, or why there is none.
    pub fetched: HashMap<String, Result<String, String>>,
}

impl Default for Given {
    fn default() -> Given {
        Given { now: Timestamp::UNIX_EPOCH, seed: 0, pipelines: None, applications: None, fetched: HashMap::new() }
    }
}

/// Something from outside that an expression asked for and [`Given`] did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// [`Given::pipelines`].
    Pipelines,
    /// [`Given::applications`].
    Applications,
    /// An entry of [`Given::fetched`].
    Url(String),
}

pub use functions::{FUNCTIONS, Function};

/// How bad an entry of the summary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It could not be parsed or evaluated.
    Error,
    /// It was null, or a part of it was.
    Info,
}

/// An expression that failed or was null.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// The key in `expressionEvaluationSummary`.
    pub expression: String,
    /// Error or null.
    pub level: Level,
    /// What happened.
    pub description: String,
    /// For people: the line of the text with a caret at the place.
    pub place: Option<String>,
}

/// What came out of an evaluation.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The same structure with every text evaluated; texts that failed are as they were.
    pub value: Value,
    /// What failed or was null, in the order of the structure.
    pub failed: Vec<Failed>,
    /// What was missing from outside; the expressions that asked are among `failed`. Empty = final.
    pub needs: Vec<Need>,
    /// When it was evaluated.
    pub now: Timestamp,
}

/// The key of a stage's context (and of a pipeline) that tells which expressions failed.
pub const SUMMARY: &str = "expressionEvaluationSummary";

/// The key of a stage's context (and, for its notifications, of an execution) that lists texts that look like expressions but are data: they came out of an evaluation (a parameter that
/// holds `${…}`) or from outside. They are not evaluated, here and in the stages that this one plans.
pub const INERT: &str = "textsNotEvaluated";

/// Notes in a stage's context that the texts in `data` (an answer of a webhook, outputs of a job) are never evaluated. To be called before
/// `data` is merged into the context; what its author wrote there stays an expression.
pub fn keep_as_data(context: &mut Map<String, Value>, data: &Map<String, Value>) {
    stages::keep_as_data(context, data);
}

impl Evaluated {
    /// `{expression: [{level, description, exceptionType?, timestamp}]}`, as Spinnaker stores it.
    pub fn summary(&self) -> Map<String, Value> {
        let mut summary = Map::new();
        for one in &self.failed {
            let mut entry = json!({
                "description": one.description,
                "level": match one.level { Level::Error => "ERROR", Level::Info => "INFO" },
                "timestamp": self.now.as_millisecond(),
            });
            if one.level == Level::Error {
                entry["exceptionType"] = json!("org.springframework.expression.spel.SpelEvaluationException");
            }
            match summary.get_mut(&one.expression) {
                Some(Value::Array(all)) => all.push(entry),
                _ => drop(summary.insert(one.expression.clone(), json!([entry]))),
            }
        }
        summary
    }

    /// Brings `context.expressionEvaluationSummary` up to date: what failed now replaces what stood there, and the key goes when nothing failed.
    pub fn write_summary(&self, context: &mut Value) {
        let Some(context) = context.as_object_mut() else {
            return;
        };
        if self.failed.is_empty() {
            context.shift_remove(SUMMARY);
        } else {
            context.insert(SUMMARY.to_owned(), Value::Object(self.summary()));
        }
    }

    /// Whether any expression failed hard (not only null).
    pub fn has_errors(&self) -> bool {
        self.failed.iter().any(|one| one.level == Level::Error)
    }
}

/// Evaluates `context` as the context of the stage `stage_ref` (a `refId`) of `execution`, as at the start of a stage: unknown names are null.
///
/// The stage must be in `execution.stages`; names come from the context that stands *there*. What is evaluated is `context`,
/// usually the same. `expressionEvaluationSummary` in it is left out of the evaluation and of the result.
pub fn stage_context(execution: &Value, stage_ref: &str, context: &Value, given: &Given) -> Evaluated {
    stages::context(execution, stage_ref, context, given)
}

/// Evaluates a pipeline with its `trigger` as at its start: strict (unknown names fail), in scope are `trigger`, `parameters`, `scmInfo`,
/// `templateVariables`. Under v4 `stages` stays as it is. The result is the pipeline; its failures belong into `expressionEvaluationSummary`.
pub fn pipeline(config: &Value, given: &Given) -> Evaluated {
    stages::pipeline(config, given)
}

/// What an `evaluateVariables` stage comes to.
#[derive(Debug, Clone)]
pub struct Variables {
    /// The stage's context after its start: `value.variables` is the list, with `sourceValue` under v4.
    pub evaluated: Evaluated,
    /// The stage's outputs.
    pub outputs: Map<String, Value>,
}

/// Runs an `evaluateVariables` stage with this context: evaluates it as at its start (in order under v4) and makes the outputs.
pub fn variables(execution: &Value, stage_ref: &str, context: &Value, given: &Given) -> Variables {
    stages::variables(execution, stage_ref, context, given)
}

/// What a condition came to.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Whether the stage may go on: the precondition holds, the stage is enabled.
    pub holds: bool,
    /// What the expression came to, as text; the expression itself when it failed.
    pub result: Value,
    /// The evaluation behind it, with its failures.
    pub evaluated: Evaluated,
}

/// Asks a precondition of type `expression`: `context` is the context of the `checkPreconditions` child *after* [`stage_context`].
///
/// `holds` only for true; `result` is the task's `expressionResult`.
pub fn precondition(execution: &Value, stage_ref: &str, context: &Value, given: &Given) -> Condition {
    stages::precondition(execution, stage_ref, context, given)
}

/// Asks `stageEnabled` of a stage; `enabled` is its value *after* [`stage_context`]. Anything but true or false skips; no or a
/// blank expression, or another type, does not.
pub fn stage_enabled(execution: &Value, stage_ref: &str, enabled: &Value, given: &Given) -> Condition {
    stages::stage_enabled(execution, stage_ref, enabled, given)
}

/// Evaluates any structure: in the scope of a stage, or without one with only the execution and its trigger. `lenient`: unknown names are
/// null, as at the start of a stage; else they fail.
pub fn process(execution: &Value, stage_ref: Option<&str>, input: &Value, lenient: bool, given: &Given) -> Evaluated {
    stages::process(execution, stage_ref, input, lenient, given)
}

/// Whether `spelEvaluator` asks for v4; anything else is v3.
fn is_v4(version: Option<&Value>) -> bool {
    version.and_then(Value::as_str).is_some_and(|version| version.eq_ignore_ascii_case("v4"))
}
