//! What each group did, second by second, for the last hour: the difference of its counters, taken once a second. Requests pay nothing
//! for it. Seconds without anything are not kept. A successor goes on with it ([`super::past`]);
//! it is lost when the data plane is killed, as counters are.

use std::collections::VecDeque;

use crate::status::{Counters, Latency, Second, Unserved};

/// How many seconds are kept.
const KEPT: usize = 3600;

/// The last hour of one group.
#[derive(Debug, Default)]
pub struct Ring {
    seconds: VecDeque<Second>,
    before: Counters,
}

impl Ring {
    /// Takes what was counted since the last time as the second that began at `at` (UTC ms).
    pub fn take(&mut self, at: i64, now: Counters) {
        let since = |get: fn(&Counters) -> u64| get(&now).saturating_sub(get(&self.before));
        let latency = difference(&now.latency, &self.before.latency);
        let at_most = |q: f64| latency.quantile(q).unwrap_or(0);
        let second = Second {
            at,
            requests: since(|c| c.requests),
            failures: since(|c| c.status_5xx) + since(|c| c.failed),
            retries: since(|c| c.retried),
            answers: latency.buckets.iter().map(|(_, n)| n).sum(),
            p50_us: at_most(0.5),
            p90_us: at_most(0.9),
            p99_us: at_most(0.99),
            max_us: at_most(1.0),
        };
        self.before = now;
        if second.requests + second.failures + second.retries + second.answers > 0 {
            keep(&mut self.seconds, second);
        }
    }

    /// Adds what was counted elsewhere; a second that both know becomes one.
    pub fn join(&mut self, past: Vec<Second>) {
        for second in past {
            let at = self.seconds.partition_point(|known| known.at < second.at);
            match self.seconds.get_mut(at).filter(|known| known.at == second.at) {
                Some(known) => add(known, &second),
                None => self.seconds.insert(at, second),
            }
        }
        let surplus = self.seconds.len().saturating_sub(KEPT);
        self.seconds.drain(..surplus);
    }

    /// Gives away what is kept.
    pub fn give(&mut self) -> Vec<Second> {
        std::mem::take(&mut self.seconds).into()
    }

    /// Those that began at `since` or later, oldest first.
    pub fn since(&self, since: i64) -> Vec<Second> {
        self.seconds.iter().filter(|second| second.at >= since).cloned().collect()
    }
}

/// The requests of one balancer that no member could take, second by second.
#[derive(Debug, Default)]
pub struct Lost {
    seconds: VecDeque<Unserved>,
    before: u64,
}

impl Lost {
    /// As [`Ring::take`].
    pub fn take(&mut self, at: i64, now: u64) {
        let requests = now.saturating_sub(std::mem::replace(&mut self.before, now));
        if requests > 0 {
            keep(&mut self.seconds, Unserved { at, requests });
        }
    }

    /// So many were counted elsewhere, and lie in seconds that are joined.
    pub fn skip(&mut self, counted: u64) {
        self.before += counted;
    }

    /// As [`Ring::join`].
    pub fn join(&mut self, past: Vec<Unserved>) {
        for second in past {
            let at = self.seconds.partition_point(|known| known.at < second.at);
            match self.seconds.get_mut(at).filter(|known| known.at == second.at) {
                Some(known) => known.requests += second.requests,
                None => self.seconds.insert(at, second),
            }
        }
        let surplus = self.seconds.len().saturating_sub(KEPT);
        self.seconds.drain(..surplus);
    }

    /// As [`Ring::give`]; what is counted begins anew.
    pub fn give(&mut self) -> Vec<Unserved> {
        self.before = 0;
        std::mem::take(&mut self.seconds).into()
    }

    /// As [`Ring::since`].
    pub fn since(&self, since: i64) -> Vec<Unserved> {
        self.seconds.iter().filter(|second| second.at >= since).cloned().collect()
    }
}

fn keep<T>(seconds: &mut VecDeque<T>, second: T) {
    if seconds.len() >= KEPT {
        seconds.pop_front();
    }
    seconds.push_back(second);
}

/// Two parts of one second. Quantiles of both together lie between those of each; the higher one is told.
fn add(known: &mut Second, other: &Second) {
    known.requests += other.requests;
    known.failures += other.failures;
    known.retries += other.retries;
    known.answers += other.answers;
    known.p50_us = known.p50_us.max(other.p50_us);
    known.p90_us = known.p90_us.max(other.p90_us);
    known.p99_us = known.p99_us.max(other.p99_us);
    known.max_us = known.max_us.max(other.max_us);
}

/// `now` without what was in `before`.
pub fn difference(now: &Latency, before: &Latency) -> Latency {
    let mut old = before.buckets.iter().peekable();
    let left = now.buckets.iter().filter_map(|(bound, n)| {
        while old.next_if(|(other, _)| other < bound).is_some() {}
        let had = old.next_if(|(other, _)| other == bound).map_or(0, |(_, n)| *n);
        (*n > had).then(|| (*bound, n - had))
    });
    Latency { buckets: left.collect() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::balancer::meter::{Meter, bump};

    #[test]
    fn each_second_holds_what_happened_in_it_and_quiet_ones_are_left_out() {
        let meter = Meter::new(2);
        let mut ring = Ring::default();
        let answer = |ms| {
            bump(&meter.shard(1).requests);
            meter.shard(1).answered(Duration::from_millis(ms));
        };
        for _ in 0..99 {
            answer(1);
        }
        answer(500);
        bump(&meter.shard(0).retried);
        ring.take(1_000, meter.total());
        ring.take(2_000, meter.total());
        answer(100);
        bump(&meter.shard(1).status_5xx);
        bump(&meter.shard(0).failed);
        ring.take(3_000, meter.total());
        let seconds = ring.since(0);
        let counts: Vec<_> = seconds.iter().map(|s| (s.at, s.requests, s.answers, s.failures, s.retries)).collect();
        assert_eq!(counts, [(1_000, 100, 100, 0, 1), (3_000, 1, 1, 2, 0)]);
        let first = &seconds[0];
        assert!((1_000..1_250).contains(&first.p50_us) && first.p99_us == first.p50_us, "{first:?}");
        assert!((500_000..625_000).contains(&first.max_us), "{first:?}");
        assert!((100_000..125_000).contains(&seconds[1].p50_us), "only of its own second: {:?}", seconds[1]);
        assert_eq!(ring.since(1_001).len(), 1);
    }

    #[test]
    fn what_was_counted_elsewhere_falls_into_its_place() {
        let second = |at, requests, p50_us| Second {
            at,
            requests,
            failures: 0,
            retries: 0,
            answers: requests,
            p50_us,
            p90_us: p50_us,
            p99_us: p50_us,
            max_us: p50_us,
        };
        let mut ring = Ring::default();
        ring.join(vec![second(3_000, 5, 70)]);
        ring.join(vec![second(1_000, 1, 10), second(3_000, 2, 90)]);
        let seconds = ring.since(0);
        let seen: Vec<_> = seconds.iter().map(|s| (s.at, s.requests, s.answers, s.p50_us)).collect();
        assert_eq!(seen, [(1_000, 1, 1, 10), (3_000, 7, 7, 90)]);
        assert_eq!((ring.give().len(), ring.since(0).len()), (2, 0));
    }

    #[test]
    fn an_hour_is_kept() {
        let mut lost = Lost::default();
        for second in 1..=4_000 {
            lost.take(second * 1_000, second as u64);
        }
        let kept = lost.since(0);
        assert_eq!((kept.len(), kept[0].at, kept[3_599].requests), (3_600, 401_000, 1));
    }
}
