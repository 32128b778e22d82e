//! Active health checks: one task for each address and check, however many balancers and instances ask for it.
//! What a single check asks and gets is in [`probe`]; the verdict over several is [`Verdict`].

mod probe;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::clock::Clock;
use crate::journal::Journal;
use crate::status::{Checked, EventKind, Health, HealthState};
use crate::wanted::HealthCheck;

/// While it is not green, something is asked at least so often: a deployment waits for it.
const EAGER_STARTING: Duration = Duration::from_millis(250);
const EAGER_DOWN: Duration = Duration::from_secs(1);

/// Checks in a row, and what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Verdict {
    state: HealthState,
    good: u32,
    bad: u32,
}

impl Verdict {
    const NEW: Self = Self { state: HealthState::Starting, good: 0, bad: 0 };

    /// How good a target it is: green before what has answered well, that before what was not asked yet, red last.
    fn fitness(self) -> u8 {
        match self.state {
            HealthState::Up | HealthState::Unknown => 4,
            HealthState::Starting if self.good > 0 => 3,
            HealthState::Starting if self.bad == 0 => 2,
            HealthState::Starting | HealthState::Down => 1,
        }
    }

    /// After one more check. What has not been green yet turns red when it had the time that `fall` checks take (`age`): it is asked more
    /// often than that, and may need a while to start.
    fn step(self, ok: bool, age: Duration, check: &HealthCheck) -> Self {
        let (good, bad) = if ok { (self.good.saturating_add(1), 0) } else { (0, self.bad.saturating_add(1)) };
        let patience = Duration::from_millis(check.interval_ms.saturating_mul(u64::from(check.fall)));
        let state = match self.state {
            _ if good >= check.rise.max(1) => HealthState::Up,
            HealthState::Up if bad >= check.fall.max(1) => HealthState::Down,
            HealthState::Starting if !ok && age >= patience => HealthState::Down,
            same => same,
        };
        Self { state, good, bad }
    }
}

/// One checked address.
pub struct Check {
    address: SocketAddr,
    check: HealthCheck,
    fitness: AtomicU8,
    inner: Mutex<Inner>,
    soon: Notify,
}

struct Inner {
    verdict: Verdict,
    health: Health,
    /// Who is told of a change.
    names: Vec<(EventKind, String)>,
    /// Where each answer is counted.
    counts: Vec<Arc<Counts>>,
}

/// How the checks of a balancer's members ended.
#[derive(Debug, Default)]
struct Counts {
    passed: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    fn count(&self, ok: bool) {
        let counter = if ok { &self.passed } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Check {
    fn new(address: SocketAddr, check: HealthCheck, now: i64) -> Self {
        let health = Health { state: HealthState::Starting, since: now, why: "not checked yet".into() };
        let inner = Inner { verdict: Verdict::NEW, health, names: Vec::new(), counts: Vec::new() };
        Self { address, check, fitness: AtomicU8::new(2), inner: Mutex::new(inner), soon: Notify::new() }
    }

    /// See [`crate::balancer::table::Target::fitness`].
    pub fn fitness(&self) -> u8 {
        self.fitness.load(Ordering::Relaxed)
    }

    /// What the checks say.
    pub fn health(&self) -> Health {
        self.lock().health.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, verdict: Verdict, why: String, clock: &Clock, journal: &Journal) {
        let mut inner = self.lock();
        let turned = inner.verdict.state != verdict.state;
        // While it is not green, people wait for another reason as much as for another colour.
        let changed = turned || (verdict.state != HealthState::Up && inner.health.why != why);
        inner.verdict = verdict;
        inner.health.why = why;
        self.fitness.store(verdict.fitness(), Ordering::Relaxed);
        if !changed {
            return;
        }
        if turned {
            inner.health.state = verdict.state;
            inner.health.since = clock.now();
        }
        let word = match verdict.state {
            HealthState::Up | HealthState::Unknown => "green",
            HealthState::Starting => "starting",
            HealthState::Down => "red",
        };
        for (kind, name) in &inner.names {
            journal.note(*kind, name.clone(), format!("{name} is {word}: {}", inner.health.why));
        }
    }

    async fn run(self: Arc<Self>, clock: Clock, journal: Arc<Journal>) {
        let limit = Duration::from_millis(self.check.timeout_ms);
        let interval = Duration::from_millis(self.check.interval_ms);
        let born = Instant::now();
        loop {
            let answer = probe::ask(self.address, &self.check.probe, limit).await;
            let verdict = {
                let inner = self.lock();
                inner.counts.iter().for_each(|counts| counts.count(answer.is_ok()));
                inner.verdict.step(answer.is_ok(), born.elapsed(), &self.check)
            };
            let (Ok(why) | Err(why)) = answer;
            self.set(verdict, why, &clock, &journal);
            let pause = match verdict.state {
                HealthState::Starting => interval.min(EAGER_STARTING),
                HealthState::Down => interval.min(EAGER_DOWN),
                HealthState::Up | HealthState::Unknown => interval,
            };
            let _ = tokio::time::timeout(pause, self.soon.notified()).await;
        }
    }
}

/// What is to be checked, and under which name its changes are told.
pub struct Subject {
    pub address: SocketAddr,
    pub check: HealthCheck,
    pub kind: EventKind,
    pub name: String,
    /// The balancer whose checks its answers are among, if they are to be counted.
    pub counted_for: Option<String>,
}

/// By address and check, so that nothing is asked twice.
type RunningChecks = HashMap<(SocketAddr, HealthCheck), (Arc<Check>, AbortHandle)>;

/// Who is told of a check's changes, and where its answers are counted.
#[derive(Default)]
struct Listeners {
    names: Vec<(EventKind, String)>,
    counts: Vec<Arc<Counts>>,
}

/// All running checks.
pub struct Checks {
    clock: Clock,
    journal: Arc<Journal>,
    running: Mutex<RunningChecks>,
    /// By balancer, for as long as it is there.
    counts: Mutex<HashMap<String, Arc<Counts>>>,
}

impl Checks {
    /// None yet.
    pub fn new(clock: Clock, journal: Arc<Journal>) -> Self {
        Self { clock, journal, running: Mutex::default(), counts: Mutex::default() }
    }

    /// Checks exactly these from now on; what is checked already goes on and keeps its verdict.
    pub fn set(&self, subjects: Vec<Subject>) {
        let mut wanted: HashMap<(SocketAddr, HealthCheck), Listeners> = HashMap::new();
        let mut counts = HashMap::new();
        for subject in subjects {
            let listeners = wanted.entry((subject.address, subject.check)).or_default();
            listeners.names.push((subject.kind, subject.name));
            if let Some(balancer) = subject.counted_for {
                let known = self.counts().get(&balancer).cloned().unwrap_or_default();
                listeners.counts.push(counts.entry(balancer).or_insert(known).clone());
            }
        }
        *self.counts() = counts;
        let mut running = self.lock();
        running.retain(|key, (_, task)| {
            wanted.contains_key(key) || {
                task.abort();
                false
            }
        });
        for (key, listeners) in wanted {
            let (check, _) = running.entry(key).or_insert_with_key(|(address, check)| {
                let check = Arc::new(Check::new(*address, check.clone(), self.clock.now()));
                let task = tokio::spawn(check.clone().run(self.clock.clone(), self.journal.clone()));
                (check, task.abort_handle())
            });
            let mut inner = check.lock();
            (inner.names, inner.counts) = (listeners.names, listeners.counts);
        }
    }

    /// Returns when everything was asked once, or after `patience`.
    pub async fn asked(&self, patience: Duration) {
        let asked = async {
            while self.lock().values().any(|(check, _)| check.lock().verdict == Verdict::NEW) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(patience, asked).await;
    }

    /// The check of an address, if it is checked this way.
    pub fn find(&self, address: SocketAddr, check: &HealthCheck) -> Option<Arc<Check>> {
        self.lock().get(&(address, check.clone())).map(|(check, _)| check.clone())
    }

    /// How the checks of a balancer's members ended.
    pub fn counted(&self, balancer: &str) -> Checked {
        let counts = self.counts().get(balancer).cloned().unwrap_or_default();
        Checked { passed: counts.passed.load(Ordering::Relaxed), failed: counts.failed.load(Ordering::Relaxed) }
    }

    /// Something happened at this port of the machine: `Some(why)` turns it red without waiting (its program ended), `None` asks at once.
    pub fn hint(&self, address: SocketAddr, why: Option<&str>) {
        for ((at, _), (check, _)) in self.lock().iter() {
            if *at == address {
                if let Some(why) = why {
                    let down = Verdict { state: HealthState::Down, good: 0, bad: check.check.fall };
                    check.set(down, why.to_owned(), &self.clock, &self.journal);
                }
                check.soon.notify_one();
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, Arc<Counts>>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, RunningChecks> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.lock().values().for_each(|(_, task)| task.abort());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wanted::Probe;

    #[test]
    fn it_takes_rise_good_ones_to_be_green_and_fall_bad_ones_to_be_red() {
        let check =
            HealthCheck { probe: Probe::Tcp { port: None }, interval_ms: 1000, timeout_ms: 100, rise: 2, fall: 3 };
        // (answer, seconds since it is checked, expected state)
        let story = [
            (false, 0, HealthState::Starting),
            (false, 1, HealthState::Starting),
            (true, 1, HealthState::Starting),
            (true, 2, HealthState::Up),
            (false, 9, HealthState::Up),
            (false, 9, HealthState::Up),
            (true, 9, HealthState::Up),
            (false, 9, HealthState::Up),
            (false, 9, HealthState::Up),
            (false, 9, HealthState::Down),
            (true, 9, HealthState::Down),
            (false, 9, HealthState::Down),
            (true, 9, HealthState::Down),
            (true, 9, HealthState::Up),
        ];
        let mut verdict = Verdict::NEW;
        for (i, (ok, age, expected)) in story.into_iter().enumerate() {
            verdict = verdict.step(ok, Duration::from_secs(age), &check);
            assert_eq!(verdict.state, expected, "step {i}");
        }
    }

    #[test]
    fn what_never_was_green_is_red_after_the_time_of_fall_checks() {
        let check =
            HealthCheck { probe: Probe::Tcp { port: None }, interval_ms: 1000, timeout_ms: 100, rise: 2, fall: 3 };
        let late = Verdict::NEW.step(false, Duration::from_millis(3000), &check);
        assert_eq!(late.state, HealthState::Down);
    }
}
