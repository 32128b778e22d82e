//! The data plane from outside: real sockets, real processes.
#![allow(clippy::disallowed_methods, reason = "tests hand the clock in")]

mod balancing;
mod checks;
mod datagrams;
mod hostile;
mod instances;
mod load;
mod messages;
mod tls;
mod wanted_state;
mod world;
