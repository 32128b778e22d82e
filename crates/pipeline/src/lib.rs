//! Applications, pipelines, executions: the model, the decisions, the engine and its triggers.
//!
//! The state machine and its effects are apart: [`decide`] is a pure function from an execution and a message to changes
//! and further messages; [`engine`] applies them in one transaction and performs effects after the commit. This crate
//! knows no stage type by name and no cloud: it knows [`Stage`], pure tasks and [`Effect`]s, which `stages` registers.
#![forbid(unsafe_code)]

pub mod applications;
pub mod artifacts;
pub mod decide;
pub mod engine;
pub mod evaluate;
pub mod fields;
pub mod forecast;
pub mod held;
pub mod json_path;
pub mod lenient;
pub mod model;
pub mod notices;
pub mod notifications;
pub mod pipelines;
pub mod plan;
pub mod projects;
pub mod records;
pub mod registry;
pub mod reports;
pub mod retention;
pub mod revision;
pub mod schema;
pub mod search;
pub mod start;
pub mod task;
pub mod templates;
pub mod trigger;
pub mod validate;
pub mod view;
pub mod window;

pub use decide::{Decision, Message, World, decide};
pub use engine::{Engine, EngineError, StartRequest};
pub use model::{Execution, Status, Trigger};
pub use plan::{Follows, Plan, PlanError, Stage, StageSpec, TaskSpec};
pub use registry::Registry;
pub use task::{Effect, Exception, Log, PureTask, TaskInput, TaskResult};
pub use view::StageView;

/// A JSON object as pipelines use it: the order of keys is kept.
pub type Map = serde_json::Map<String, serde_json::Value>;
