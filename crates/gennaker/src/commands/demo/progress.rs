//! One line a step with the time that it took; on a terminal the running step is shown, too.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use anyhow::Context;

/// Shows the steps.
pub struct Progress {
    number: AtomicU32,
    terminal: bool,
}

/// What a step answers besides its result: what to show behind its name.
pub struct Said<T>(pub T, pub String);

impl Progress {
    /// On standard output.
    pub fn new() -> Progress {
        Progress { number: AtomicU32::new(0), terminal: std::io::stdout().is_terminal() }
    }

    /// Runs a step and shows it.
    pub async fn step<T>(&self, name: &str, work: impl Future<Output = anyhow::Result<Said<T>>>) -> anyhow::Result<T> {
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        let begun = Instant::now();
        if self.terminal {
            self.write(&format!("\r\x1b[K{number:>3}  … {name}"));
        }
        let done = work.await;
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        let seconds = begun.elapsed().as_secs_f64();
        match done {
            Ok(Said(value, said)) => {
                self.write(&format!("{clear}{number:>3}  ok {name}  ({seconds:.1} s)\n"));
                for line in said.lines() {
                    self.write(&format!("          {line}\n"));
                }
                Ok(value)
            }
            Err(error) => {
                self.write(&format!("{clear}{number:>3}  NO {name}  ({seconds:.1} s)\n"));
                Err(error).context(format!("step {number}, \"{name}\""))
            }
        }
    }

    fn write(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // A closed pipe must not end the story half way.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
