//! What the pipeline engine does in a second, measured over HTTP on the real server with SQLite and `synchronous=FULL`; run by
//! `make bench`, or `cargo bench --package gennaker --bench engine -- [--seconds N] [--only NAME]`.
//!
//! Beside each figure stands what Spinnaker's own engine (Orca 8.56 with Redis, two cores) was measured to do, as a ratio. It
//! needs a JVM and Redis and is not started here: its figures are constants in [`ORCA`].

mod client;
mod scenes;
mod server;

use std::process::ExitCode;

/// What Orca was measured to do on two cores.
struct Orca {
    /// Completed `evaluateVariables` stages a second, tuned as well as was found.
    stages_a_second: f64,
    /// One idle pipeline of five stages, tuned, in milliseconds.
    idle_ms: f64,
    /// What a child pipeline adds, in milliseconds.
    child_ms: f64,
}

const ORCA: Orca = Orca { stages_a_second: 187.0, idle_ms: 100.0, child_ms: 15_000.0 };

/// A figure: its name, its value, what is wanted, and the ratio to Orca's where there is one.
pub struct Figure {
    what: &'static str,
    value: f64,
    unit: &'static str,
    wanted: &'static str,
    ratio: Option<f64>,
}

impl Figure {
    /// A figure with what is wanted of it, in words.
    pub fn new(what: &'static str, value: f64, unit: &'static str, wanted: &'static str) -> Figure {
        Figure { what, value, unit, wanted, ratio: None }
    }

    fn against(mut self, ratio: f64) -> Figure {
        self.ratio = Some(ratio);
        self
    }

    fn print(&self) {
        let ratio = self.ratio.map_or(String::new(), |ratio| format!("  {ratio:.0} x Orca"));
        println!("  {:<52} {:>10.1} {:<10} wanted {:<10}{ratio}", self.what, self.value, self.unit, self.wanted);
    }
}

type Scene = (&'static str, fn(f64) -> Vec<Figure>);

/// The scenes in the order in which they are played; each starts a server of its own.
const SCENES: &[Scene] = &[
    ("idle", scenes::idle),
    ("throughput", scenes::throughput),
    ("effects", scenes::effects),
    ("first-task", scenes::first_task),
    ("waiting", scenes::waiting),
    ("listing", scenes::listing),
    ("fan-out", scenes::fan_out),
];

fn main() -> ExitCode {
    let (mut seconds, mut only) = (60.0, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => seconds = words.next().and_then(|n| n.parse().ok()).unwrap_or(seconds),
            "--only" => only = words.next(),
            // What `cargo bench` says of itself.
            "--bench" => {}
            other => {
                let names: Vec<&str> = SCENES.iter().map(|scene| scene.0).collect();
                eprintln!("{other}: give --seconds N, or --only with one of {names:?}");
                return ExitCode::from(2);
            }
        }
    }
    for (name, play) in SCENES.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)) {
        println!("{name}");
        play(seconds).iter().for_each(Figure::print);
    }
    ExitCode::SUCCESS
}
