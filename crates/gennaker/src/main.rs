//! The binary: which personality is asked for (`gennaker`, or `aptly` when called so), then one verb.
//!
//! No domain logic lives here: each verb is a file in `commands/`, aptly's own command line is in `aptly/`.
#![forbid(unsafe_code)]

mod commands;
mod config;
mod environment;
mod folder;
mod images;
mod machine;
mod tidy;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main(std::env::args_os().collect())
}
