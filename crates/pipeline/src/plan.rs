//! What a stage type is: the trait that each implements, and the plan that it answers.

use jiff::SignedDuration;
use schemars::Schema;
use serde_json::Value;

use crate::evaluate::{self, Evaluated, Given};
use crate::task::Exception;
use crate::validate::{About, At, Findings};
use crate::{Map, StageView};

/// A stage type: pure, registered as a unit struct in `stages::all()`.
pub trait Stage: Send + Sync {
    /// The `type` in a pipeline's JSON.
    fn kind(&self) -> &'static str;

    /// Other names for the same type.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// Which fields its configuration has (`crate::fields`); none: any. What every stage may have is not listed.
    fn schema(&self) -> Option<Schema> {
        None
    }

    /// Looks at its configuration in a pipeline that does not run, beyond what its schema says.
    fn check(&self, config: &Map, about: &About, at: &At, findings: &mut Findings) {
        let _ = (config, about, at, findings);
    }

    /// Called once when the stage starts, with its expressions evaluated: what runs before it, and its tasks.
    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError>;

    /// Called when its tasks are done: the stages that run after them.
    fn after(&self, stage: &StageView) -> Result<Vec<StageSpec>, PlanError> {
        let _ = stage;
        Ok(Vec::new())
    }

    /// Called when it failed: the stages that tidy up, one after the other, before it ends.
    fn on_failure(&self, stage: &StageView) -> Vec<StageSpec> {
        let _ = stage;
        Vec::new()
    }

    /// Whether a person may skip it while it runs (`manualSkip`).
    fn can_manually_skip(&self, stage: &StageView) -> bool {
        let _ = stage;
        false
    }

    /// The effect whose `cancel` is called once when the stage is cancelled while it runs.
    fn on_cancel(&self, stage: &StageView) -> Option<TaskSpec> {
        let _ = stage;
        None
    }

    /// Removes from the context what must not survive a restart of the stage.
    fn prepare_restart(&self, context: &mut Map) {
        let _ = context;
    }

    /// Whether it is evaluated when it starts, even without a `${…}`, and never again.
    fn evaluates_once(&self) -> bool {
        false
    }

    /// Whether it makes artifacts: then what its `expectedArtifacts` ask for is bound when its tasks are done.
    fn makes_artifacts(&self) -> bool {
        false
    }

    /// The names of the stages that it will plan inside itself, as far as its configuration tells: expressions behind it may name them.
    fn names_inside(&self, _: &Map) -> Vec<String> {
        Vec::new()
    }

    /// Evaluates the `${…}` of its context, when it starts and before each task.
    fn evaluate(&self, execution: &Value, stage_ref: &str, context: &Value, given: &Given) -> Evaluated {
        evaluate::stage_context(execution, stage_ref, context, given)
    }
}

/// How a stage goes about its work.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Merged into the stage's context.
    pub context: Map,
    /// Stages that run before its tasks.
    pub before: Vec<StageSpec>,
    /// Its tasks, in order.
    pub tasks: Vec<TaskSpec>,
}

impl Plan {
    /// Tasks alone, each by its name and its key in the registry.
    pub fn tasks(tasks: impl IntoIterator<Item = TaskSpec>) -> Plan {
        Plan { tasks: tasks.into_iter().collect(), ..Plan::default() }
    }

    /// Adds a value to the stage's context.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Plan {
        self.context.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a stage that runs before the tasks.
    pub fn before(mut self, stage: StageSpec) -> Plan {
        self.before.push(stage);
        self
    }
}

/// When a planned stage starts, among those planned with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Follows {
    /// At once.
    #[default]
    Nothing,
    /// After the one that stands before it in the list.
    Previous,
    /// After those at these places of the list.
    These(Vec<usize>),
}

/// A stage that another stage plans: it becomes a synthetic stage.
#[derive(Debug, Clone)]
pub struct StageSpec {
    /// The stage type.
    pub kind: String,
    /// What people see.
    pub name: String,
    /// Its configuration.
    pub context: Map,
    /// When it starts.
    pub follows: Follows,
}

impl StageSpec {
    /// A stage of this type that starts at once.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> StageSpec {
        StageSpec { kind: kind.into(), name: name.into(), context: Map::new(), follows: Follows::Nothing }
    }

    /// Adds a value to its configuration.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> StageSpec {
        self.context.insert(key.to_owned(), value.into());
        self
    }

    /// Replaces its configuration.
    pub fn context(mut self, context: Map) -> StageSpec {
        self.context = context;
        self
    }

    /// Starts after the one before it in the list (the first of a list: at once).
    pub fn then(mut self) -> StageSpec {
        self.follows = Follows::Previous;
        self
    }
}

/// A task of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSpec {
    /// What people see.
    pub name: &'static str,
    /// The key in the registry.
    pub task: &'static str,
    /// How long it may take altogether when the stage has no `stageTimeoutMs`; no limit without it.
    pub timeout: Option<SignedDuration>,
}

impl TaskSpec {
    /// A task without a time limit of its own.
    pub const fn new(name: &'static str, task: &'static str) -> TaskSpec {
        TaskSpec { name, task, timeout: None }
    }

    /// With a time limit.
    pub const fn timeout(mut self, timeout: SignedDuration) -> TaskSpec {
        self.timeout = Some(timeout);
        self
    }
}

/// Why a stage cannot be planned.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlanError {
    /// Its configuration cannot be read.
    #[error("cannot read the configuration of this stage: {0}")]
    Config(String),
    /// Its configuration can be read, but asks for what cannot be.
    #[error("{0}")]
    Refused(String),
}

impl PlanError {
    /// As the failed stage's context shows it.
    pub fn exception(&self) -> Exception {
        Exception::new("PlanError", self.to_string())
    }
}

impl From<serde_json::Error> for PlanError {
    fn from(error: serde_json::Error) -> PlanError {
        PlanError::Config(error.to_string())
    }
}
