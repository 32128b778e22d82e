//! The binary: which personality is asked for (`gennaker`, or `aptly` when called so), then one verb.
//!
//! No domain logic lives here: each verb is a file in `commands/`, aptly's own command line is in `aptly/`.
#![forbid(unsafe_code)]

/// A line on standard output. Whoever reads it may have enough and close it (`| head`): that is no reason to break off, as the
/// standard library's macro of this name would.
macro_rules! println {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout().lock(), $($part)*);
    }};
}

mod alone;
mod aptly;
mod background;
mod backup;
mod client;
mod commands;
mod config;
mod door;
mod environment;
mod folder;
mod images;
mod machine;
mod output;
mod progress;
mod telling;
mod told;
mod wiring;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// What a request takes on one thread is given back on another: the system's allocator is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let called = args.first().and_then(|name| Path::new(name).file_name().map(OsString::from));
    if called.is_some_and(|name| name == "aptly") {
        return aptly::main(args);
    }
    commands::main(args)
}
