//! What a task gets and what it answers: pure tasks and effects.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::evaluate::{Given, Need};
use crate::model::{Execution, Status};
use crate::{Map, StageView};

/// A task without effects: evaluated inside `decide`, again when its stage's context changes or its time has come.
pub type PureTask = fn(&TaskInput, Timestamp) -> TaskResult;

/// A task with effects: run outside any transaction, at least once.
#[async_trait]
pub trait Effect: Send + Sync {
    /// Does the work. `input.key` is the same on every attempt: hand it on to whatever could do the thing twice.
    async fn run(&self, input: TaskInput) -> TaskResult;

    /// The stage was cancelled while this task had not ended: stop what was started. Called at least once.
    async fn cancel(&self, input: TaskInput) {
        let _ = input;
    }
}

/// Where a task's live log lines go.
#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&str) + Send + Sync>);

impl Log {
    /// Hands each line to `sink`.
    pub fn new(sink: impl Fn(&str) + Send + Sync + 'static) -> Log {
        Log(Arc::new(sink))
    }

    /// Drops each line.
    pub fn none() -> Log {
        Log::new(|_| {})
    }

    /// One line, without its end.
    pub fn line(&self, line: &str) {
        (self.0)(line);
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}

/// What a task gets: its execution and stage as they are now, with the stage's expressions evaluated.
#[derive(Debug, Clone)]
pub struct TaskInput {
    /// The execution, its own stage included (with evaluated context).
    pub execution: Arc<Execution>,
    /// The task's stage.
    pub stage_id: String,
    /// The task's id in the stage.
    pub task_id: String,
    /// The idempotency key `execution/stage/task`: the same on every attempt of the same run of the stage.
    pub key: String,
    /// 1 for the first time that it is run.
    pub attempt: u32,
    /// When the task first started.
    pub started: Timestamp,
    /// The time at which it is run.
    pub now: Timestamp,
    /// What expressions may know from outside.
    pub given: Arc<Given>,
    /// Takes live log lines.
    pub log: Log,
}

impl TaskInput {
    /// The stage and its surroundings. None only when a caller built an input by hand and named no stage of it.
    pub fn view(&self) -> Option<StageView<'_>> {
        StageView::of(&self.execution, &self.stage_id)
    }

    /// Reads the stage's configuration; a failure is the task's result.
    pub fn config<T: serde::de::DeserializeOwned>(&self) -> Result<T, TaskResult> {
        let Some(view) = self.view() else {
            return Err(TaskResult::failed("the stage of this task is gone"));
        };
        view.config().map_err(|error| TaskResult::Failed { error: error.exception() })
    }

    /// A value of the stage's context, or of an ancestor's outputs.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.view()?.get(key).cloned()
    }
}

/// What a task answers.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskResult {
    /// It has ended.
    Done {
        /// `Succeeded`, or another complete status (`Skipped`, `Stopped`, `Canceled`, `Terminal`, `FailedContinue`).
        status: Status,
        /// Merged into the stage's context; null removes nothing, it is a value.
        context: Map,
        /// Merged into the stage's outputs.
        outputs: Map,
        /// What the stage's next task would answer, when that is known already: see [`TaskResult::then`].
        next: Option<Box<Next>>,
    },
    /// It has to look again.
    Again {
        /// Topics that wake it (`engine.wake`).
        wake_on: Vec<String>,
        /// When it looks again at the latest.
        at_latest: Timestamp,
        /// Why, in one sentence for people.
        reason: String,
        /// It waits for a person, who may be told by this event; see [`crate::notices`].
        asks: Option<&'static str>,
        /// Merged into the stage's context.
        context: Map,
        /// Merged into the stage's outputs.
        outputs: Map,
    },
    /// A pure task's expressions ask for something from outside; it is called again when that has come.
    Needs(Vec<Need>),
    /// It has failed: the stage's `failPipeline` and `continuePipeline` say what becomes of it.
    Failed {
        /// Shown as `context.exception`.
        error: Exception,
    },
}

impl TaskResult {
    /// Ended well.
    pub fn succeeded() -> TaskResult {
        TaskResult::done(Status::Succeeded)
    }

    /// Ended with this status.
    pub fn done(status: Status) -> TaskResult {
        TaskResult::Done { status, context: Map::new(), outputs: Map::new(), next: None }
    }

    /// Looks again at `at` at the latest, because of `reason`.
    pub fn again(at: Timestamp, reason: impl Into<String>) -> TaskResult {
        TaskResult::Again {
            wake_on: Vec::new(),
            at_latest: at,
            reason: reason.into(),
            asks: None,
            context: Map::new(),
            outputs: Map::new(),
        }
    }

    /// Failed with one error text.
    pub fn failed(error: impl Into<String>) -> TaskResult {
        TaskResult::Failed { error: Exception::new("TaskFailed", error) }
    }

    /// Adds a value to the stage's context (of a failure: to the details of its exception).
    pub fn context(mut self, key: &str, value: impl Into<Value>) -> TaskResult {
        match &mut self {
            TaskResult::Done { context, .. } | TaskResult::Again { context, .. } => {
                context.insert(key.to_owned(), value.into());
            }
            TaskResult::Failed { error } => {
                error.context.insert(key.to_owned(), value.into());
            }
            TaskResult::Needs(_) => {}
        }
        self
    }

    /// Adds a value to the stage's outputs (a failure has none).
    pub fn output(mut self, key: &str, value: impl Into<Value>) -> TaskResult {
        if let TaskResult::Done { outputs, .. } | TaskResult::Again { outputs, .. } = &mut self {
            outputs.insert(key.to_owned(), value.into());
        }
        self
    }

    /// Hands over what the task behind this one would answer, so that both end in one commit. `task` is that task's key in the
    /// registry. It counts only when the next task is that one and may start at once; else that one runs and looks itself.
    pub fn then(mut self, task: &'static str, answer: TaskResult) -> TaskResult {
        if let TaskResult::Done { next, .. } = &mut self {
            *next = Some(Box::new(Next { task, answer }));
        }
        self
    }

    /// Waits for a person: whoever wants to be told of `event` is. Answered well, `eventContinue` is told, else `eventStop`.
    pub fn asks(mut self, event: &'static str) -> TaskResult {
        if let TaskResult::Again { asks, .. } = &mut self {
            *asks = Some(event);
        }
        self
    }

    /// Adds a topic that wakes the task.
    pub fn wake_on(mut self, topic: impl Into<String>) -> TaskResult {
        if let TaskResult::Again { wake_on, .. } = &mut self {
            wake_on.push(topic.into());
        }
        self
    }
}

/// What a task knows of the one behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    /// The key of that task in the registry.
    pub task: &'static str,
    /// What it would answer. One that would have to look again is not handed over: it could miss what wakes it.
    pub answer: TaskResult,
}

impl Next {
    /// Whether the task would end with this answer.
    pub(crate) fn is_an_end(&self) -> bool {
        matches!(self.answer, TaskResult::Done { .. } | TaskResult::Failed { .. })
    }
}

/// A failure as clients read it in `context.exception`.
#[derive(Debug, Clone, PartialEq)]
pub struct Exception {
    /// A short word for the kind of failure.
    pub kind: String,
    /// What was done when it happened; the task's name when empty.
    pub operation: String,
    /// The sentences for people, the most important first.
    pub errors: Vec<String>,
    /// Further keys of `details`.
    pub details: Map,
    /// Keys that are merged into the stage's context beside the exception.
    pub context: Map,
}

impl Exception {
    /// A failure with one sentence.
    pub fn new(kind: impl Into<String>, error: impl Into<String>) -> Exception {
        Exception {
            kind: kind.into(),
            operation: String::new(),
            errors: vec![error.into()],
            details: Map::new(),
            context: Map::new(),
        }
    }

    /// Adds a key to `details`.
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Exception {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// The JSON that stands in the stage's context.
    pub fn to_json(&self, operation: &str, now: Timestamp) -> Value {
        let operation = if self.operation.is_empty() { operation } else { &self.operation };
        let mut details = Map::new();
        details.insert("error".into(), json!("Unexpected Task Failure"));
        details.insert("errors".into(), json!(self.errors));
        details.extend(self.details.clone());
        json!({
            "exceptionType": self.kind,
            "shouldRetry": false,
            "operation": operation,
            "timestamp": now.as_millisecond(),
            "details": details,
        })
    }
}
