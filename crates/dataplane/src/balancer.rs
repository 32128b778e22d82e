//! The balancer as the control side sees it: wanted balancers in, a table and listeners for the workers, counters out.
//!
//! One request's way: [`worker`] accepts, [`http`], [`tcp`] or [`udp`] asks [`pick`] for a member of the newest [`table`], takes a connection from
//! its [`pool`], and [`meter`]s what happens. No reload: a change of the wanted state swaps the table. HTTP in layers: [`chunks`] and
//! [`message`] say what bytes mean, [`headers`] what crosses, [`side`] moves them, [`exchange`] is one request at one member.

mod alarm;
mod body;
mod chunks;
mod exchange;
mod headers;
mod http;
pub mod leaving;
mod listeners;
mod message;
pub mod meter;
mod open;
pub mod past;
mod pick;
mod pool;
mod proxy_protocol;
mod rewind;
mod series;
mod side;
mod sticky;
pub mod table;
mod tcp;
mod ticket;
mod udp;
mod worker;

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::health::{Checks, Subject};
use crate::journal::Journal;
use crate::server::handover::Handed;
use crate::status::{
    BalancerStatus, Counters, EventKind, GroupSeries, GroupStatus, Health, HealthState, ListenerStatus, MemberStatus,
    Series, Switch,
};
use crate::wanted::{self, MemberState, Wanted};

use crate::tls::Certificates;
use leaving::Open;
use listeners::Listeners;
pub use listeners::Listening;
use meter::Meter;
use past::{BalancerPast, GroupPast, Past};
use series::{Lost, Ring};
use table::{Backend, BackendCounts, MemberRuntime, Route, Table, Target};
use worker::{Order, Shared};

/// The longest pause while the last connections end; the first ones are short.
const MEANWHILE: Duration = Duration::from_millis(50);
/// How many groups' counters are kept for a balancer.
const GROUPS: usize = 50;

/// Bounds on what clients and members may do.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a request's head may take; also how long a connection may be idle.
    pub head_time: Duration,
    /// How long a head may be (at least 8 KiB).
    pub head_bytes: usize,
    /// How many headers a request may have.
    pub headers: usize,
    /// How long a body may be silent.
    pub silence: Duration,
    /// How long a member may think before its answer's head.
    pub answer_time: Duration,
    /// How long a member may take to accept a connection.
    pub connect_time: Duration,
    /// How long a connection to a member is kept; less than servers keep theirs (Node: 5 s).
    pub upstream_idle: Duration,
    /// How long an `auto` listener waits for a first word before it takes the connection for a protocol in which the server speaks first.
    pub sniff_time: Duration,
    /// How many clients are served at once.
    pub clients: usize,
    /// How many flows a UDP listener keeps at once.
    pub flows: usize,
    /// How long a flow is kept when nothing comes; as long as Linux' connection tracking keeps one.
    pub flow_idle: Duration,
    /// The same while its member has not answered yet.
    pub flow_unanswered: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_time: Duration::from_secs(60),
            head_bytes: 64 << 10,
            headers: 100,
            silence: Duration::from_secs(60),
            answer_time: Duration::from_secs(120),
            connect_time: Duration::from_secs(3),
            upstream_idle: Duration::from_secs(2),
            sniff_time: Duration::from_secs(3),
            clients: 20_000,
            flows: 10_000,
            flow_idle: Duration::from_secs(120),
            flow_unanswered: Duration::from_secs(30),
        }
    }
}

/// All balancers and their worker threads.
pub struct Balancers {
    shared: Arc<Shared>,
    journal: Arc<Journal>,
    workers: Vec<(mpsc::UnboundedSender<Order>, JoinHandle<()>)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    listeners: Listeners,
    members: HashMap<(String, String, SocketAddr), Arc<MemberRuntime>>,
    groups: HashMap<String, Vec<GroupState>>,
    lost: HashMap<String, Lost>,
    counts: HashMap<String, Arc<BackendCounts>>,
    certificates: Certificates,
    switches: HashMap<String, Switch>,
    wanted: Vec<wanted::Balancer>,
}

/// What is kept of a group in a balancer, also after it left.
struct GroupState {
    name: String,
    meter: Arc<Meter>,
    ring: Ring,
    /// What predecessors counted, and when they last gave it a request.
    past: (Counters, Option<i64>),
    /// What a successor was told already.
    told: Counters,
}

impl GroupState {
    fn new(name: String, meter: Arc<Meter>) -> Self {
        let (ring, past, told) = Default::default();
        Self { name, meter, ring, past, told }
    }

    fn counters(&self) -> Counters {
        meter::add(&self.past.0, &self.meter.total())
    }

    fn last_request(&self) -> Option<i64> {
        self.meter.last_request().max(self.past.1)
    }
}

impl Balancers {
    /// Starts so many worker threads, with nothing to do yet.
    pub fn start(workers: usize, limits: Limits, clock: Clock, journal: Arc<Journal>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { clock, limits, table: table::Current::default(), clients: AtomicUsize::new(0) });
        let start = |index: usize| {
            let (orders, inbox) = mpsc::unbounded_channel();
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name(format!("balancer-{index}")).spawn(move || {
                if let Err(error) = worker::run(index, shared, inbox) {
                    tracing::error!(index, "a balancer thread could not start: {error}");
                }
            })?;
            Ok((orders, thread))
        };
        let workers = (0..workers.max(1)).map(start).collect::<std::io::Result<_>>()?;
        Ok(Self { shared, journal, workers, state: Mutex::default() })
    }

    /// What must be checked for these balancers.
    pub fn subjects(wanted: &Wanted) -> Vec<Subject> {
        let of = |balancer: &wanted::Balancer| -> Vec<Subject> {
            let Some(check) = &balancer.health else { return Vec::new() };
            let members = balancer.members.iter().map(|member| Subject {
                address: member.address,
                check: check.clone(),
                kind: EventKind::MemberHealth,
                name: format!("{}/{}", balancer.id, member.id),
                counted_for: Some(balancer.id.clone()),
            });
            members.collect()
        };
        wanted.balancers.iter().flat_map(of).collect()
    }

    /// Puts a wanted state in force; what could not be done comes back by name. When this returns, no thread chooses by the old one.
    pub async fn apply(&self, wanted: &Wanted, checks: &Checks, inherited: Vec<Handed>) -> Vec<String> {
        let (fresh, switched) = {
            let mut state = self.state();
            let before = active(&state.wanted);
            state.listeners.want(&wanted.balancers, inherited);
            let listeners = wanted.balancers.iter().flat_map(|balancer| &balancer.listeners);
            state.certificates.keep(listeners.map(|listener| listener.certificates.as_slice()));
            let table = self.table(&mut state, wanted, checks);
            self.shared.table.set(table);
            state.wanted = wanted.balancers.clone();
            let after = active(&state.wanted);
            state.forget();
            let switched: Vec<_> = after
                .into_iter()
                .filter(|(id, to)| before.get(id).is_none_or(|from| from != to))
                .map(|(id, to)| {
                    let from = before.get(&id).cloned().unwrap_or_default();
                    (id, from, to)
                })
                .collect();
            (state.listeners.take_fresh(), switched)
        };
        self.sync().await;
        self.note_switches(switched, wanted.generation);
        self.listen(fresh);
        let mut state = self.state();
        state.listeners.close_unwanted(&self.journal);
        let mut problems = state.listeners.problems();
        for balancer in &wanted.balancers {
            let bad = balancer.listeners.iter().filter_map(|one| state.certificates.problem(&one.certificates));
            problems.extend(bad.map(|why| format!("balancer {}: {why}", balancer.id)));
        }
        problems
    }

    /// Tries again to listen where it failed.
    pub fn retry(&self) {
        let fresh = {
            let mut state = self.state();
            state.listeners.retry();
            state.listeners.take_fresh()
        };
        self.listen(fresh);
    }

    /// Stops accepting.
    pub fn close(&self) {
        self.state().listeners.close_all();
    }

    /// What was counted since a successor was told last; `second` is the one that is running (UTC ms).
    pub fn give_past(&self, second: i64) -> Past {
        self.second(second);
        let state = &mut *self.state();
        let mut balancers = Vec::new();
        for (id, groups) in &mut state.groups {
            let groups = groups.iter_mut().map(|group| {
                let now = group.counters();
                let counters = meter::less(&now, &group.told);
                let last_request_at = group.last_request();
                group.told = now;
                GroupPast { group: group.name.clone(), counters, last_request_at, seconds: group.ring.give() }
            });
            let mut past = BalancerPast { id: id.clone(), groups: groups.collect(), ..BalancerPast::default() };
            if let Some(counts) = state.counts.get(id) {
                // Given away, so that it is not told twice.
                past.no_member = counts.no_member.swap(0, Relaxed);
                past.refused_requests = counts.refused_requests.swap(0, Relaxed);
                past.turned_away = counts.turned_away.swap(0, Relaxed);
            }
            past.unserved = state.lost.get_mut(id).map(Lost::give).unwrap_or_default();
            balancers.push(past);
        }
        Past { balancers }
    }

    /// Goes on where a predecessor ended.
    pub fn take_past(&self, past: Past) {
        let workers = self.workers.len();
        let state = &mut *self.state();
        for past in past.balancers {
            if !state.wanted.iter().any(|wanted| wanted.id == past.id) {
                continue;
            }
            let groups = state.groups.entry(past.id.clone()).or_default();
            for one in past.groups {
                let known = groups.iter().position(|group| group.name == one.group);
                let at = known.unwrap_or_else(|| {
                    // One that left: before those that are here.
                    groups.insert(0, GroupState::new(one.group, Arc::new(Meter::new(workers))));
                    0
                });
                let group = &mut groups[at];
                group.past.0 = meter::add(&group.past.0, &Counters { open: 0, ..one.counters });
                group.past.1 = group.past.1.max(one.last_request_at);
                group.ring.join(one.seconds);
            }
            let counts = state.counts.entry(past.id.clone()).or_default();
            counts.no_member.fetch_add(past.no_member, Relaxed);
            counts.refused_requests.fetch_add(past.refused_requests, Relaxed);
            counts.turned_away.fetch_add(past.turned_away, Relaxed);
            let lost = state.lost.entry(past.id).or_default();
            lost.skip(past.no_member);
            lost.join(past.unserved);
        }
    }

    /// Stops accepting; returns when all connections have ended, or after `patience`. `meanwhile` is called now and then.
    pub fn end(&mut self, patience: Duration, mut meanwhile: impl FnMut(&Self)) {
        self.close();
        for (orders, _) in &self.workers {
            let _ = orders.send(Order::Quit(patience));
        }
        let mut pause = Duration::from_micros(500);
        while self.workers.iter().any(|(_, thread)| !thread.is_finished()) {
            meanwhile(self);
            std::thread::sleep(pause);
            pause = (pause * 2).min(MEANWHILE);
        }
        for (_, thread) in self.workers.drain(..) {
            let _ = thread.join();
        }
    }

    /// The open listening sockets, for a successor.
    pub fn sockets(&self) -> Vec<Handed> {
        self.state().listeners.sockets()
    }

    /// What is open at each member.
    pub fn open(&self) -> Open {
        let state = self.state();
        let mut all = Open::default();
        for ((balancer, member, _), runtime) in &state.members {
            let open = runtime.meter.open();
            if open > 0 {
                *all.0.entry(balancer.clone()).or_default().entry(member.clone()).or_default() += open;
            }
        }
        all
    }

    /// Everything, for the status; `leaving` is what predecessors still have open.
    pub fn status(&self, leaving: &Open, checks: &Checks) -> Vec<BalancerStatus> {
        let state = self.state();
        let unchecked = Health { state: HealthState::Unknown, since: 0, why: "there is no health check".into() };
        let table = self.shared.table.get();
        let one = |(index, balancer): (usize, &wanted::Balancer)| {
            let backend = table.routes.values().map(|r| &r.backend).find(|b| b.id == balancer.id);
            let members = balancer.members.iter().enumerate().map(|(i, member)| {
                let runtime = state.members.get(&key(balancer, member));
                MemberStatus {
                    id: member.id.clone(),
                    group: member.group.clone(),
                    address: member.address,
                    weight: member.weight,
                    state: member.state,
                    health: backend
                        .and_then(|b| b.targets.get(i)?.check.as_ref().map(|c| c.health()))
                        .unwrap_or_else(|| unchecked.clone()),
                    ejected: runtime.is_some_and(|m| m.is_ejected()),
                    counters: with_open(
                        runtime.map_or_else(Counters::default, |m| m.meter.total()),
                        leaving.at(&balancer.id, &member.id),
                    ),
                }
            });
            let groups: Vec<GroupStatus> = state
                .groups
                .get(&balancer.id)
                .into_iter()
                .flatten()
                .map(|group| GroupStatus {
                    group: group.name.clone(),
                    counters: with_open(
                        group.counters(),
                        balancer
                            .members
                            .iter()
                            .filter(|member| member.group == group.name)
                            .map(|member| leaving.at(&balancer.id, &member.id))
                            .sum(),
                    ),
                    last_request_at: group.last_request(),
                })
                .collect();
            let counts = state.counts.get(&balancer.id);
            BalancerStatus {
                id: balancer.id.clone(),
                listeners: state.listener_status(index, balancer),
                members: members.collect(),
                total: groups.iter().fold(Counters::default(), |sum, g| meter::add(&sum, &g.counters)),
                groups,
                no_member: counts.map_or(0, |c| c.no_member.load(Relaxed)),
                refused_requests: counts.map_or(0, |c| c.refused_requests.load(Relaxed)),
                turned_away: counts.map_or(0, |c| c.turned_away.load(Relaxed)),
                last_switch: state.switches.get(&balancer.id).cloned(),
                checks: checks.counted(&balancer.id),
            }
        };
        state.wanted.iter().enumerate().map(one).collect()
    }

    /// Takes the second that began at `at` (UTC ms) into the series. To be called when it is over.
    pub fn second(&self, at: i64) {
        let state = &mut *self.state();
        state.certificates.renew();
        for group in state.groups.values_mut().flatten() {
            group.ring.take(at, group.meter.total());
        }
        for (id, counts) in &state.counts {
            state.lost.entry(id.clone()).or_default().take(at, counts.no_member.load(Relaxed));
        }
    }

    /// A balancer's series from `since` on; `None` when there is no such balancer.
    pub fn series(&self, balancer: &str, since: i64) -> Option<Series> {
        let state = self.state();
        state.wanted.iter().find(|wanted| wanted.id == balancer)?;
        let of = |group: &GroupState| GroupSeries { group: group.name.clone(), seconds: group.ring.since(since) };
        Some(Series {
            at: self.shared.clock.now(),
            balancer: balancer.into(),
            groups: state.groups.get(balancer).into_iter().flatten().map(of).collect(),
            unserved: state.lost.get(balancer).map(|lost| lost.since(since)).unwrap_or_default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self, state: &mut State, wanted: &Wanted, checks: &Checks) -> Table {
        let mut table = Table::default();
        for (index, balancer) in wanted.balancers.iter().enumerate() {
            let backend = Arc::new(self.backend(state, balancer, checks));
            for (slot, place) in state.listeners.slots(index) {
                let Some(listener) = balancer.listeners.get(place) else { continue };
                let allow = listener.allow.as_ref().map(|networks| networks.as_slice().into());
                let tls = match listener.certificates.as_slice() {
                    [] => None,
                    some => state.certificates.config(some),
                };
                let (protocol, proxy_protocol) = (listener.protocol, listener.proxy_protocol);
                table.routes.insert(slot, Route { protocol, backend: backend.clone(), allow, proxy_protocol, tls });
            }
        }
        table
    }

    fn backend(&self, state: &mut State, balancer: &wanted::Balancer, checks: &Checks) -> Backend {
        let workers = self.workers.len();
        let target = |member: &wanted::Member| {
            let runtime =
                state.members.entry(key(balancer, member)).or_insert_with(|| Arc::new(MemberRuntime::new(workers)));
            runtime.enter(member.state, balancer.drain_ms.map(Duration::from_millis));
            let groups = state.groups.entry(balancer.id.clone()).or_default();
            let group = match groups.iter().find(|group| group.name == member.group) {
                Some(group) => group.meter.clone(),
                None => {
                    let meter = Arc::new(Meter::new(workers));
                    groups.push(GroupState::new(member.group.clone(), meter.clone()));
                    meter
                }
            };
            Target {
                address: member.address,
                weight: member.weight,
                bucket: balancer
                    .shares
                    .iter()
                    .position(|share| share.group == member.group)
                    .unwrap_or(balancer.shares.len()),
                hash: pick::hash(member.id.as_bytes()),
                state: member.state,
                check: balancer.health.as_ref().and_then(|check| checks.find(member.address, check)),
                member: runtime.clone(),
                group,
                ejection: balancer.ejection,
            }
        };
        let targets = balancer.members.iter().map(target).collect();
        Backend {
            id: balancer.id.clone(),
            trusted_proxies: balancer.trusted_proxies.clone(),
            targets,
            hold: Duration::from_millis(balancer.hold_ms.unwrap_or(0)),
            choice: balancer.choice,
            send_proxy: balancer.send_proxy,
            stickiness: balancer.stickiness.clone(),
            shares: pick::with_rest(balancer.shares.iter().map(|share| u32::from(share.percent)).collect()),
            counts: state.counts.entry(balancer.id.clone()).or_default().clone(),
        }
    }

    async fn sync(&self) {
        let mut answers = Vec::new();
        for (orders, _) in &self.workers {
            let (done, answer) = oneshot::channel();
            if orders.send(Order::Sync(done)).is_ok() {
                answers.push(answer);
            }
        }
        for answer in answers {
            let _ = answer.await;
        }
    }

    fn listen(&self, fresh: Vec<listeners::Fresh>) {
        for fresh in fresh {
            self.journal.note(
                EventKind::Listener,
                fresh.balancer.clone(),
                format!("{} listens on {}", fresh.balancer, fresh.bound),
            );
            // A flow must not be split, so datagrams have one worker.
            let (first, many) = match *fresh.socket {
                Listening::Tcp(_) => (0, self.workers.len()),
                Listening::Udp(_) => (fresh.slot as usize % self.workers.len(), 1),
            };
            for (orders, _) in &self.workers[first..first + many] {
                match fresh.socket.try_clone() {
                    Ok(socket) => {
                        let (slot, closing) = (fresh.slot, fresh.closing.clone());
                        let _ = orders.send(Order::Listen { slot, socket, closing });
                    }
                    Err(error) => tracing::error!("cannot share the listener {}: {error}", fresh.bound),
                }
            }
        }
    }

    fn note_switches(&self, switched: Vec<(String, BTreeSet<String>, BTreeSet<String>)>, generation: u64) {
        let at = self.shared.clock.now();
        for (id, from, to) in switched {
            let (from, to): (Vec<_>, Vec<_>) = (from.into_iter().collect(), to.into_iter().collect());
            let names = |groups: &[String]| if groups.is_empty() { "nobody".into() } else { groups.join(", ") };
            self.journal.note(
                EventKind::Switch,
                id.clone(),
                format!("traffic of {id} moved from {} to {}", names(&from), names(&to)),
            );
            self.state().switches.insert(id, Switch { at, generation, from, to });
        }
    }
}

impl State {
    /// The listeners of a balancer, with what is wrong with their certificates.
    fn listener_status(&self, index: usize, balancer: &wanted::Balancer) -> Vec<ListenerStatus> {
        let mut all = self.listeners.status(index);
        for (status, wanted) in all.iter_mut().zip(&balancer.listeners) {
            let problem = self.certificates.problem(&wanted.certificates);
            status.problem = status.problem.take().or(problem);
        }
        all
    }

    /// Drops what belongs to balancers and members that are gone, and the oldest groups of those that stay.
    fn forget(&mut self) {
        let wanted = &self.wanted;
        let known = |id: &str| wanted.iter().find(|b| b.id == id);
        self.members.retain(|(id, member, address), _| {
            known(id).is_some_and(|b| b.members.iter().any(|m| m.id == *member && m.address == *address))
        });
        self.counts.retain(|id, _| known(id).is_some());
        self.switches.retain(|id, _| known(id).is_some());
        self.groups.retain(|id, _| known(id).is_some());
        self.lost.retain(|id, _| known(id).is_some());
        for (id, groups) in &mut self.groups {
            let mut surplus = groups.len().saturating_sub(GROUPS);
            groups.retain(|group| {
                let here = known(id).is_some_and(|b| b.members.iter().any(|m| m.group == group.name));
                let drop = surplus > 0 && !here;
                surplus -= usize::from(drop);
                !drop
            });
        }
    }
}

fn key(balancer: &wanted::Balancer, member: &wanted::Member) -> (String, String, SocketAddr) {
    (balancer.id.clone(), member.id.clone(), member.address)
}

fn with_open(counters: Counters, more: u64) -> Counters {
    Counters { open: counters.open + more, ..counters }
}

/// Which groups take traffic, by balancer.
fn active(balancers: &[wanted::Balancer]) -> HashMap<String, BTreeSet<String>> {
    let groups = |b: &wanted::Balancer| {
        let active = b.members.iter().filter(|m| m.state == MemberState::Active && m.weight > 0);
        active.map(|m| m.group.clone()).collect()
    };
    balancers.iter().map(|b| (b.id.clone(), groups(b))).collect()
}
