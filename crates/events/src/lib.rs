//! What happened, and the one client for calls to the outside.
//!
//! Not here: what an event starts (`pipeline::trigger`) and who may see it (`access`).
#![forbid(unsafe_code)]

pub mod http;
pub mod outgoing;
