//! Makes the wanted instances run: one [`keeper`] task for each, which starts, adopts, restarts and ends its shim.

mod keeper;

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::clock::Clock;
use crate::folder;
use crate::health::{Checks, Subject};
use crate::journal::Journal;
use crate::proc::{self, Family};
use crate::server::Options;
use crate::status::{EventKind, Health, HealthState, InstanceStatus, IsolationKind};
use crate::wanted::{self, Wanted};
use keeper::Keeper;

/// How old what `/proc` says may be.
const FRESH: Duration = Duration::from_millis(300);

/// What all keepers share.
pub(crate) struct Shared {
    pub data: PathBuf,
    pub exe: PathBuf,
    pub clock: Clock,
    pub isolation: IsolationKind,
    pub journal: Arc<Journal>,
    pub checks: Arc<Checks>,
    /// What is known, by id; a keeper's entry is gone when its instance is.
    known: Mutex<BTreeMap<String, Known>>,
    seen: Mutex<Option<LastLook>>,
}

struct Known {
    status: InstanceStatus,
    spec: wanted::Instance,
    want: watch::Sender<Option<wanted::Instance>>,
}

/// What `/proc` says of an instance.
#[derive(Clone, Default)]
struct Seen {
    pid: Option<u32>,
    ports: Vec<u16>,
}

/// A look at `/proc`, and when it was taken.
struct LastLook {
    at: Instant,
    /// The last event then: whoever asks because of a later one gets a new look.
    seq: u64,
    seen: HashMap<String, Seen>,
}

/// All instances.
pub(crate) struct Instances {
    shared: Arc<Shared>,
}

/// Where an instance's checks ask.
pub(crate) fn address(spec: &wanted::Instance) -> Option<SocketAddr> {
    spec.port.map(|port| (Ipv4Addr::LOCALHOST, port).into())
}

impl Instances {
    /// None yet.
    pub fn new(options: &Options, isolation: IsolationKind, journal: Arc<Journal>, checks: Arc<Checks>) -> Self {
        let shared = Shared {
            data: options.dir.clone(),
            exe: options.exe.clone(),
            clock: options.clock.clone(),
            isolation,
            journal,
            checks,
            known: Mutex::default(),
            seen: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// What must be checked for these instances.
    pub fn subjects(wanted: &Wanted) -> Vec<Subject> {
        let of = |instance: &wanted::Instance| {
            Some(Subject {
                address: address(instance)?,
                check: instance.health.clone()?,
                kind: EventKind::InstanceHealth,
                name: instance.id.clone(),
                counted_for: None,
            })
        };
        wanted.instances.iter().filter_map(of).collect()
    }

    /// Makes exactly these run. Does not wait for it.
    pub fn want(&self, instances: &[wanted::Instance]) {
        let mut left = self.left_over();
        for instance in instances {
            left.retain(|id| *id != instance.id);
            self.keep(&instance.id, Some(instance.clone()));
        }
        let unwanted: Vec<String> = {
            let known = self.shared.known();
            known.keys().filter(|id| instances.iter().all(|i| i.id != **id)).cloned().collect()
        };
        for id in unwanted.iter().chain(&left) {
            self.keep(id, None);
        }
    }

    /// Folders of instances that no keeper knows: from before a restart of this process.
    fn left_over(&self) -> Vec<String> {
        let entries = std::fs::read_dir(folder::all(&self.shared.data)).into_iter().flatten().flatten();
        let known = self.shared.known();
        let names = entries.filter_map(|e| e.file_name().into_string().ok());
        names.filter(|id| wanted::valid_id(id) && !known.contains_key(id)).collect()
    }

    fn keep(&self, id: &str, want: Option<wanted::Instance>) {
        let mut known = self.shared.known();
        if let Some(known) = known.get_mut(id) {
            if let Some(spec) = &want {
                known.spec = spec.clone();
            }
            known.want.send_if_modified(|now| std::mem::replace(now, want.clone()) != want);
            return;
        }
        let spec = match &want {
            Some(spec) => spec.clone(),
            None => match folder::Folder::of(&self.shared.data, id).spec() {
                Ok(spec) => spec,
                // Nothing that can be read: nothing was ever started.
                Err(_) => wanted::Instance::new(id, "", wanted::Root::Host { layers: Vec::new() }, vec!["?".into()]),
            },
        };
        let (sender, receiver) = watch::channel(want);
        let status = keeper::first_status(&spec, self.shared.isolation, self.shared.clock.now());
        known.insert(id.to_owned(), Known { status, spec, want: sender });
        tokio::spawn(Keeper::new(self.shared.clone(), id.to_owned(), receiver).run());
    }

    /// Everything, for the status.
    pub fn status(&self) -> Vec<InstanceStatus> {
        let seen = self.shared.seen();
        let known = self.shared.known();
        let one = |(id, known): (&String, &Known)| {
            let mut status = known.status.clone();
            let seen = seen.get(id).cloned().unwrap_or_default();
            status.group.clone_from(&known.spec.group);
            status.zone.clone_from(&known.spec.zone);
            status.port = known.spec.port;
            status.pid = seen.pid;
            status.ports = seen.ports;
            status.health = self.health(&known.spec);
            status
        };
        known.iter().map(one).collect()
    }

    fn health(&self, spec: &wanted::Instance) -> Health {
        let check = address(spec).zip(spec.health.as_ref());
        let health = check.and_then(|(address, check)| self.shared.checks.find(address, check)).map(|c| c.health());
        health.unwrap_or_else(|| Health {
            state: HealthState::Unknown,
            since: 0,
            why: "there is no health check".into(),
        })
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known of an instance.
    fn update(&self, id: &str, change: impl FnOnce(&mut InstanceStatus)) {
        if let Some(known) = self.known().get_mut(id) {
            change(&mut known.status);
        }
    }

    /// Forgets an instance that is gone, unless it is wanted again.
    fn forget(&self, id: &str) -> bool {
        let mut known = self.known();
        let gone = known.get(id).is_none_or(|k| k.want.borrow().is_none());
        if gone {
            known.remove(id);
        }
        gone
    }

    fn seen(&self) -> HashMap<String, Seen> {
        let mut cache = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seq = self.journal.seq();
        if let Some(last) = &*cache
            && last.at.elapsed() < FRESH
            && last.seq == seq
        {
            return last.seen.clone();
        }
        let shims: Vec<(String, u32)> =
            self.known().iter().filter_map(|(id, k)| Some((id.clone(), k.status.shim_pid?))).collect();
        let mut seen = HashMap::new();
        if !shims.is_empty() {
            let (family, listening) = (Family::read(), proc::listening());
            for (id, shim) in shims {
                let pids = family.descendants(shim);
                seen.insert(id, Seen { pid: family.first_child(shim), ports: proc::ports_of(&pids, &listening) });
            }
        }
        *cache = Some(LastLook { at: Instant::now(), seq, seen: seen.clone() });
        seen
    }
}
