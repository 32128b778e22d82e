//! Clouds: one trait over all of them, operations as data, what exists, names and health.
//!
//! Stages that use clouds are in `stages`; the JSON that clients read is made in `api`; what carries traffic on this machine is
//! `dataplane`, whose client is `local`.

#![forbid(unsafe_code)]

mod clouds;
pub mod health;
pub mod inventory;
pub mod local;
pub mod measures;
pub mod names;
pub mod operation;
pub mod provider;

pub mod simulated;
pub mod traffic;

pub use clouds::Clouds;
pub use operation::Operation;
pub use provider::{CloudError, Handle, Key, Outcome, Progress, Provider, Query, Resource, ResourceId};
