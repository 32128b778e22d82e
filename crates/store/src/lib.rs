//! Records, change feed, blobs, objects in buckets, ids and clock: everything that survives.
//!
//! Two stores, one library. [`Store`] is the control store of one server: one writer thread that commits many callers'
//! work at a time, and readers beside it. [`SharedStore`] is the database of an apt root that any number of processes
//! share. Both hand domain code the same synchronous [`Tx`]. What a table means is not known here: each domain owns its
//! tables, queries and [`Migration`]s.
#![forbid(unsafe_code)]

mod backend;
pub mod blob;
pub mod change;
pub mod clock;
mod control;
pub mod copy;
mod dialect;
mod error;
pub mod id;
mod job;
pub mod lock;
mod migration;
pub mod objects;
mod postgres;
mod reader;
mod shared;
mod sqlite;
mod tx;
mod value;
mod writer;

pub use control::{Location, Store};
pub use error::StoreError;
pub use migration::Migration;
pub use shared::SharedStore;
pub use tx::Tx;
pub use value::{Row, Value};
