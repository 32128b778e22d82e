//! Counts of what happened, cheap enough for every path: read by whoever shows them, forgotten with the process. How they are written down for a
//! monitoring system is the business of `api`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds, in seconds, of what takes a moment: a request, a commit, a call.
pub const MOMENTS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds so many.
    pub fn add(&self, many: u64) {
        self.0.fetch_add(many, Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A counter for each key. Keys come from lists that the program knows: what a stranger sends must never become one.
#[derive(Debug)]
pub struct Counters<K>(Mutex<BTreeMap<K, u64>>);

impl<K> Default for Counters<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone> Counters<K> {
    /// Adds one.
    pub fn count(&self, key: K) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }

    /// All of them, by key.
    pub fn read(&self) -> BTreeMap<K, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How many took how long.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    /// One for each bound, and one for what took longer.
    counts: Box<[AtomicU64]>,
    micros: AtomicU64,
}

impl Histogram {
    /// Empty, with these upper bounds in seconds, ascending.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), micros: AtomicU64::new(0) }
    }

    /// Counts one that took so long.
    pub fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = self.bounds.iter().position(|bound| seconds <= *bound).unwrap_or(self.bounds.len());
        self.counts[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// What was counted.
    pub fn read(&self) -> Reading {
        let mut count = 0;
        let mut below = self.counts.iter().map(|one| {
            count += one.load(Relaxed);
            count
        });
        let buckets = self.bounds.iter().copied().zip(below.by_ref()).collect();
        below.for_each(drop);
        Reading { buckets, count, seconds: self.micros.load(Relaxed) as f64 / 1e6 }
    }
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Upper bound in seconds, and how many took at most so long.
    pub buckets: Vec<(f64, u64)>,
    /// All.
    pub count: u64,
    /// All their times together.
    pub seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_tells_how_many_took_at_most_so_long() {
        let times = Histogram::new(&[0.01, 0.1]);
        for millis in [1, 10, 11, 100, 5_000] {
            times.observe(Duration::from_millis(millis));
        }
        assert_eq!(times.read(), Reading { buckets: vec![(0.01, 2), (0.1, 4)], count: 5, seconds: 5.122 });
    }

    #[test]
    fn keys_are_counted_apart() {
        let ended = Counters::default();
        ["good", "bad", "good"].into_iter().for_each(|key| ended.count(key));
        assert_eq!(ended.read(), BTreeMap::from([("bad", 1), ("good", 2)]));
    }
}
