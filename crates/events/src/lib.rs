//! What happened, the one client for calls to the outside, and by what people are told.
//!
//! Not here: what an event starts (`pipeline::trigger`) and who may see it (`access`).
#![forbid(unsafe_code)]

pub mod http;
pub mod meter;
pub mod notify;
pub mod outgoing;
