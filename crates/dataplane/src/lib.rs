//! What carries traffic on this machine: balancer, health checks, instance shim, wanted state and its socket.
//!
//! The control plane ([`client`]) says what shall be ([`wanted`]) and reads what is ([`status`]); nothing here knows packages,
//! pipelines or clouds. This process only moves bytes and keeps programs running, so that the control plane may be restarted,
//! upgraded or killed without a request noticing. It has no store: one JSON file, and a folder for each instance.
#![deny(unsafe_code)]

mod balancer;
pub mod client;
pub mod clock;
mod disk;
pub mod folder;
mod health;
mod instances;
pub mod interpreter;
mod journal;
pub mod launch;
pub mod logs;
mod proc;
pub mod server;
pub mod spawn;
pub mod status;
mod sys;
pub mod tls;
mod unix;
pub mod wanted;
