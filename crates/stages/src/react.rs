//! Where one domain reacts to another, or to the clock: an event becomes the start of a pipeline, or is told to people.

pub mod apt_published;
pub mod cron;
pub mod deployment_report;
pub mod notices;
mod wake;

/// The tables of this crate: how far each source was read, and what came of each event.
pub const MIGRATIONS: &[store::Migration] = &[
    store::Migration { domain: "react", number: 1, sql: include_str!("react/migrations/1.sql") },
    store::Migration { domain: "react", number: 2, sql: include_str!("react/migrations/2.sql") },
];
