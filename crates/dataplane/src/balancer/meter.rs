//! Counters that a worker thread bumps without meeting another thread: one shard a worker, added up when somebody asks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::status::{Counters, Latency};

/// Four buckets an octave from 64 µs on: the last begins at about 60 s.
const BUCKETS: usize = 82;

/// The counters of a member or a group.
pub struct Meter {
    shards: Box<[Shard]>,
}

/// One worker's part; aligned so that two workers never share a cache line.
#[repr(align(128))]
pub struct Shard {
    pub requests: AtomicU64,
    pub open: AtomicI64,
    pub status_5xx: AtomicU64,
    pub refused: AtomicU64,
    pub reset: AtomicU64,
    pub timed_out: AtomicU64,
    pub retried: AtomicU64,
    pub abandoned: AtomicU64,
    pub failed: AtomicU64,
    pub last_request: AtomicI64,
    latency: [AtomicU64; BUCKETS],
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            requests: AtomicU64::new(0),
            open: AtomicI64::new(0),
            status_5xx: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            reset: AtomicU64::new(0),
            timed_out: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            last_request: AtomicI64::new(0),
            latency: [const { AtomicU64::new(0) }; BUCKETS],
        }
    }
}

impl Shard {
    /// Counts an answer that took `time`.
    pub fn answered(&self, time: Duration) {
        self.latency[bucket(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))].fetch_add(1, Relaxed);
    }
}

/// Adds one.
pub fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl Meter {
    /// Zeros for so many workers.
    pub fn new(workers: usize) -> Self {
        Self { shards: (0..workers.max(1)).map(|_| Shard::default()).collect() }
    }

    /// A worker's part.
    pub fn shard(&self, worker: usize) -> &Shard {
        &self.shards[worker % self.shards.len()]
    }

    /// Requests running now.
    pub fn open(&self) -> u64 {
        u64::try_from(self.shards.iter().map(|s| s.open.load(Relaxed)).sum::<i64>()).unwrap_or(0)
    }

    /// When the last request was given out, in UTC milliseconds.
    pub fn last_request(&self) -> Option<i64> {
        self.shards.iter().map(|s| s.last_request.load(Relaxed)).max().filter(|at| *at > 0)
    }

    /// Everything added up.
    pub fn total(&self) -> Counters {
        let sum = |get: fn(&Shard) -> &AtomicU64| self.shards.iter().map(|s| get(s).load(Relaxed)).sum();
        Counters {
            requests: sum(|s| &s.requests),
            open: self.open(),
            status_5xx: sum(|s| &s.status_5xx),
            refused: sum(|s| &s.refused),
            reset: sum(|s| &s.reset),
            timed_out: sum(|s| &s.timed_out),
            retried: sum(|s| &s.retried),
            abandoned: sum(|s| &s.abandoned),
            failed: sum(|s| &s.failed),
            latency: self.latency(),
        }
    }

    fn latency(&self) -> Latency {
        let count = |i: usize| self.shards.iter().map(|s| s.latency[i].load(Relaxed)).sum::<u64>();
        Latency { buckets: (0..BUCKETS).map(|i| (bound(i), count(i))).filter(|(_, n)| *n > 0).collect() }
    }
}

/// `a` with `b` added.
pub fn add(a: &Counters, b: &Counters) -> Counters {
    let mut buckets: std::collections::BTreeMap<u64, u64> = a.latency.buckets.iter().copied().collect();
    for (bound, n) in &b.latency.buckets {
        *buckets.entry(*bound).or_default() += n;
    }
    Counters {
        requests: a.requests + b.requests,
        open: a.open + b.open,
        status_5xx: a.status_5xx + b.status_5xx,
        refused: a.refused + b.refused,
        reset: a.reset + b.reset,
        timed_out: a.timed_out + b.timed_out,
        retried: a.retried + b.retried,
        abandoned: a.abandoned + b.abandoned,
        failed: a.failed + b.failed,
        latency: Latency { buckets: buckets.into_iter().collect() },
    }
}

/// `a` without what was in `b` already.
pub fn less(a: &Counters, b: &Counters) -> Counters {
    let left = |get: fn(&Counters) -> u64| get(a).saturating_sub(get(b));
    Counters {
        requests: left(|c| c.requests),
        open: 0,
        status_5xx: left(|c| c.status_5xx),
        refused: left(|c| c.refused),
        reset: left(|c| c.reset),
        timed_out: left(|c| c.timed_out),
        retried: left(|c| c.retried),
        abandoned: left(|c| c.abandoned),
        failed: left(|c| c.failed),
        latency: super::series::difference(&a.latency, &b.latency),
    }
}

/// The bucket for so many microseconds: two bits below the highest one.
fn bucket(us: u64) -> usize {
    let us = us.max(64);
    let octave = us.ilog2();
    let quarter = (us >> (octave - 2)) & 3;
    (((octave - 6) * 4) as usize + quarter as usize).min(BUCKETS - 1)
}

/// The largest number of microseconds in a bucket.
fn bound(bucket: usize) -> u64 {
    let (octave, quarter) = (6 + bucket / 4, (bucket % 4) as u64);
    (1u64 << octave) + ((quarter + 1) << (octave - 2)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_within_its_bucket() {
        for us in (0..2_000_000).step_by(37) {
            let i = bucket(us);
            assert!(us <= bound(i), "{us} in {i}");
            assert!(i == 0 || us > bound(i - 1), "{us} in {i}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_quantile_is_the_bound_of_its_bucket() {
        let meter = Meter::new(2);
        for ms in 1..=100 {
            meter.shard(ms as usize).answered(Duration::from_millis(ms));
        }
        let latency = meter.total().latency;
        assert_eq!(latency.buckets.iter().map(|b| b.1).sum::<u64>(), 100);
        let p50 = latency.quantile(0.5).unwrap();
        assert!((50_000..62_500).contains(&p50), "{p50}");
        assert_eq!(Latency::default().quantile(0.99), None);
    }
}
