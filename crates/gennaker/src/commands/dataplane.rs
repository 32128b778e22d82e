//! `gennaker dataplane`: the process that carries traffic and keeps instances running. Started by `serve`, lives on without it.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context;
use dataplane::clock::Clock;
use dataplane::server::{self, Limits, Options};
use store::clock::{Clock as _, SystemClock};

/// Where it keeps its state.
#[derive(clap::Args)]
pub struct Args {
    /// The data folder
    #[arg(long)]
    dir: PathBuf,
    /// Go into the background, into a session of its own
    #[arg(long)]
    detach: bool,
    /// Balancer threads; 0 is one a core
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// Take the place of the data plane that serves this folder now; its listening sockets stay open
    #[arg(long)]
    take_over: bool,
    /// Run instances as plain processes
    #[arg(long)]
    no_isolation: bool,
}

/// The machine's time, as the data plane takes it.
pub fn clock() -> Clock {
    Clock::new(|| SystemClock.now().as_millisecond())
}

/// Serves until `TERM`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let exe = std::env::current_exe().context("cannot find this program's file")?;
    if args.detach {
        // The session's leader starts the server and ends, so nobody has to wait for the server's end.
        let _ = rustix::process::setsid();
        let mut server = Command::new(exe);
        server.args(["dataplane", "--workers", &args.workers.to_string(), "--dir"]).arg(&args.dir).stdin(Stdio::null());
        server.args(args.take_over.then_some("--take-over")).args(args.no_isolation.then_some("--no-isolation"));
        let mut server = server.spawn().context("cannot start the data plane")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ended = runtime.block_on(dataplane::spawn::serves(&args.dir, &mut server))?;
        return Ok(if ended.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_max_level(tracing::Level::INFO).init();
    let options = Options {
        dir: args.dir,
        exe,
        clock: clock(),
        workers: args.workers,
        limits: Limits::default(),
        isolate: !args.no_isolation,
        take_over: args.take_over,
        drain: Duration::from_secs(10),
    };
    server::run(options)?;
    Ok(ExitCode::SUCCESS)
}
