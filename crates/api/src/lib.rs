//! HTTP: the product's API in Spinnaker's shapes, the live stream, the page's files, the repository file server.
//!
//! Handlers build a context, call one function of a domain and wrap the answer. Not here: rules of any domain, configuration files, signals.
#![forbid(unsafe_code)]

pub mod aptly;
pub mod body;
mod exposition;
pub mod files;
pub mod gate;
pub mod guard;
pub mod house;
pub mod live;
mod metrics;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod query;
mod ready;
pub mod requests;
mod room;
mod scope;
pub mod server;
pub mod server_log;
pub mod ui;
pub mod watched;

pub use axum::Router;

pub use guard::{Guard, GuardConfig};
pub use house::House;
pub use problem::Problem;
pub use ready::MIGRATIONS;
pub use watched::Watched;
