//! Many executions at once, under a clock that is moved by hand: random graphs, random answers, answers that come twice or
//! late, people who pause, cancel and restart, and a crash between any two commits. A seed decides everything, so a seed
//! that fails fails again: `GENNAKER_SEED=N cargo test --package pipeline --test it simulation`. `make simulate` plays more.

mod dice;
mod disk;
mod play;
mod rules;

use play::Play;

/// How many plays are played when nobody says otherwise, by each of the tests below.
const PLAYS: u64 = 2_500;

#[allow(clippy::disallowed_methods, reason = "which seeds are played is told to tests by the environment")]
fn told(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays every fourth seed, from `first` on: four tests, so that they are played side by side.
fn play(first: u64) {
    if let Some(seed) = told("GENNAKER_SEED") {
        return if seed % 4 == first {
            Play::new(seed).play()
        };
    }
    let plays = told("GENNAKER_PLAYS").map_or(PLAYS, |all| all / 4);
    for seed in (0..plays).map(|n| n * 4 + first) {
        if let Err(why) = std::panic::catch_unwind(|| Play::new(seed).play()) {
            eprintln!("seed {seed} fails; GENNAKER_SEED={seed} plays it again");
            std::panic::resume_unwind(why);
        }
    }
}

#[test]
fn every_execution_ends_and_nothing_is_done_twice_first_quarter() {
    play(0);
}

#[test]
fn every_execution_ends_and_nothing_is_done_twice_second_quarter() {
    play(1);
}

#[test]
fn every_execution_ends_and_nothing_is_done_twice_third_quarter() {
    play(2);
}

#[test]
fn every_execution_ends_and_nothing_is_done_twice_fourth_quarter() {
    play(3);
}
