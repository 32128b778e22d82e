//! Who may get traffic right now: an immutable table, swapped as a whole when the wanted state changes. Each worker thread looks at the
//! newest one before each choice, so nothing is ever reloaded.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering::{self, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::meter::Meter;
use crate::health::Check;
use crate::wanted::{Choice, Ejection, MemberState, Network, Protocol, ProxyProtocol, Stickiness};

/// The routes in force.
#[derive(Default)]
pub struct Table {
    /// By listener (see [`crate::balancer::listeners`]).
    pub routes: HashMap<u64, Route>,
}

/// Where a listener's traffic goes.
#[derive(Clone)]
pub struct Route {
    pub protocol: Protocol,
    pub backend: Arc<Backend>,
    /// Networks that may come; everybody without it.
    pub allow: Option<Arc<[Network]>>,
    /// Whether a proxy says whose connection it is.
    pub proxy_protocol: bool,
    /// How TLS is spoken; not at all without it.
    pub tls: Option<Arc<ServerConfig>>,
}

impl Route {
    /// Whether a peer may come.
    pub fn allows(&self, peer: IpAddr) -> bool {
        self.allow.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(peer)))
    }
}

/// The members of one balancer.
pub struct Backend {
    pub id: String,
    /// Peers whose word on a request's origin is believed.
    pub trusted_proxies: Vec<Network>,
    pub targets: Vec<Target>,
    /// How long a request may wait for a member that is fit.
    pub hold: Duration,
    pub choice: Choice,
    pub stickiness: Option<Stickiness>,
    /// What members of TCP connections are told first.
    pub send_proxy: Option<ProxyProtocol>,
    /// Per cent by bucket (see [`Target::bucket`]); the last is the rest.
    pub shares: Vec<u32>,
    pub counts: Arc<BackendCounts>,
}

/// What is counted for a balancer as a whole.
#[derive(Default)]
pub struct BackendCounts {
    pub no_member: AtomicU64,
    pub refused_requests: AtomicU64,
    pub turned_away: AtomicU64,
}

/// One member.
pub struct Target {
    pub address: SocketAddr,
    pub weight: u32,
    /// Which of the backend's shares it belongs to.
    pub bucket: usize,
    /// Of its name, for sticky choices.
    pub hash: u64,
    pub state: MemberState,
    pub check: Option<Arc<Check>>,
    pub member: Arc<MemberRuntime>,
    pub group: Arc<Meter>,
    pub ejection: Option<Ejection>,
}

/// What outlives a change of the table.
pub struct MemberRuntime {
    pub meter: Meter,
    /// True cuts what is open.
    pub cut: watch::Sender<bool>,
    /// Runs while it drains with a deadline.
    drain: Mutex<Option<AbortHandle>>,
    /// Failures in a row.
    failures: AtomicU32,
    /// Left out for a while.
    ejected: AtomicBool,
}

impl MemberRuntime {
    /// New counters, nothing cut.
    pub fn new(workers: usize) -> Self {
        let (cut, drain) = (watch::channel(false).0, Mutex::default());
        Self { meter: Meter::new(workers), cut, drain, failures: AtomicU32::new(0), ejected: AtomicBool::new(false) }
    }

    /// It has answered.
    pub fn answered(&self) {
        // Nearly always there is nothing to forget, and reading is cheap.
        if self.failures.load(Relaxed) > 0 {
            self.failures.store(0, Relaxed);
        }
    }

    /// It has failed a request: once too often in a row it is left out for a while.
    pub fn failed(self: &Arc<Self>, ejection: Option<Ejection>) {
        let Some(Ejection { failures, for_ms }) = ejection else { return };
        if self.failures.fetch_add(1, Relaxed) + 1 < failures.max(1) || self.ejected.swap(true, Relaxed) {
            return;
        }
        let member = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(for_ms)).await;
            member.failures.store(0, Relaxed);
            member.ejected.store(false, Relaxed);
        });
    }

    /// Whether it is left out for a while.
    pub fn is_ejected(&self) -> bool {
        self.ejected.load(Relaxed)
    }

    /// Cuts what is open when it is out, or drained for longer than `patience`.
    pub fn enter(self: &Arc<Self>, state: MemberState, patience: Option<Duration>) {
        let mut drain = self.drain.lock().unwrap_or_else(PoisonError::into_inner);
        match (state, patience) {
            (MemberState::Draining, Some(patience)) => {
                if drain.is_none() {
                    let member = self.clone();
                    let cut = async move {
                        tokio::time::sleep(patience).await;
                        member.cut.send_replace(true);
                    };
                    *drain = Some(tokio::spawn(cut).abort_handle());
                }
            }
            _ => drain.take().into_iter().for_each(|timer| timer.abort()),
        }
        let out = state == MemberState::Out || drain.as_ref().is_some_and(AbortHandle::is_finished);
        self.cut.send_if_modified(|cut| std::mem::replace(cut, out) != out);
    }
}

impl Target {
    /// 4 green or without a check, 3 and 2 not known yet, 1 red, 0 takes nothing. The best that there is gets the traffic: when all are red, a red
    /// one may still answer, and a wrong check must not stop a service.
    pub fn fitness(&self) -> u8 {
        match self.state {
            MemberState::Active if self.weight > 0 && self.member.is_ejected() => 1,
            MemberState::Active if self.weight > 0 => self.check.as_ref().map_or(4, |c| c.fitness()),
            _ => 0,
        }
    }

    /// Whether nothing speaks against it.
    pub fn is_fit(&self) -> bool {
        self.fitness() > 1
    }
}

/// The newest table, for all threads.
#[derive(Default)]
pub struct Current {
    version: AtomicU64,
    table: RwLock<Arc<Table>>,
}

impl Current {
    /// Puts a table in force.
    pub fn set(&self, table: Table) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// The newest.
    pub fn get(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A thread's copy of the newest table.
pub struct Cached {
    version: u64,
    table: Arc<Table>,
}

impl Cached {
    /// A copy of the newest.
    pub fn new(current: &Current) -> Self {
        Self { version: current.version.load(Ordering::Acquire), table: current.get() }
    }

    /// The newest; costs one load while nothing changed.
    pub fn get(&mut self, current: &Current) -> &Arc<Table> {
        let version = current.version.load(Ordering::Acquire);
        if version != self.version {
            *self = Self { version, table: current.get() };
        }
        &self.table
    }
}
