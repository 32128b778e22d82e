//! Every stage type; the only place where domains meet.
#![forbid(unsafe_code)]

mod artifact_text;
pub mod bake;
pub mod check_preconditions;
pub mod circles;
pub mod delete_application;
pub mod elsewhere;
pub mod evaluate_artifacts;
pub mod evaluate_variables;
pub mod find_artifact;
pub mod infrastructure;
pub mod jobs;
pub mod manual_judgment;
pub mod monitor_pipelines;
pub mod noop;
pub mod pipeline_stage;
pub mod published;
pub mod react;
mod registry;
pub mod room;
pub mod run_multiple;
pub mod save_from_artifact;
pub mod script;
mod stoppable;
pub mod tidy;
pub mod up;
pub mod usage;
pub mod wait;
pub mod wait_until;
pub mod webhook;

pub use registry::{Services, all, types};
