//! Every stage type; the only place where domains meet.
#![forbid(unsafe_code)]

pub mod bake;
pub mod check_preconditions;
pub mod delete_application;
pub mod evaluate_variables;
pub mod infrastructure;
pub mod jobs;
pub mod manual_judgment;
pub mod noop;
pub mod pipeline_stage;
pub mod published;
pub mod react;
mod registry;
pub mod script;
mod stoppable;
pub mod wait;
pub mod webhook;

pub use registry::{Services, all, types};
