//! The client for calls to the outside, against servers on loopback.
mod hostile;
mod server;
