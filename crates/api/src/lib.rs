//! HTTP: the product's API in Spinnaker's shapes, the live stream, the page's files, the repository file server.
//!
//! Handlers build a context, call one function of a domain and wrap the answer. Not here: rules of any domain, configuration files, signals.
#![forbid(unsafe_code)]

pub mod aptly;
mod audit;
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
use store::Migration;

pub use guard::{Guard, GuardConfig};
pub use house::House;
pub use problem::Problem;
pub use watched::Watched;

/// Every domain's schema of the control store, in the order in which they may refer to each other.
pub const SCHEMAS: &[&[Migration]] = &[
    access::kept::MIGRATIONS,
    access::audit::MIGRATIONS,
    pipeline::schema::MIGRATIONS,
    bakery::MIGRATIONS,
    cloud::local::MIGRATIONS,
    stages::react::MIGRATIONS,
    ready::MIGRATIONS,
];
