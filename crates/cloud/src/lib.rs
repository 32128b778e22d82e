//! Clouds: the Provider trait, operations, inventory, names; local and simulated.
#![forbid(unsafe_code)]
