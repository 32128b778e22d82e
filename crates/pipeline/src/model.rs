//! What users store and read: executions, stages, tasks, triggers, in Spinnaker's JSON. Every unknown key survives.

mod execution;
mod stage;
mod status;
mod trigger;

pub use execution::{Execution, Kind, Paused};
pub use stage::{Owner, Stage, Task, Waiting};
pub use status::Status;
pub use trigger::Trigger;
