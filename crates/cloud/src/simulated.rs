//! A cloud that exists in memory only: slow as asked, failing as asked, with several regions. For tests, plans and rehearsals.
//!
//! The world outlives the provider, as a real cloud outlives this program: open a second provider over the same [`World`] to see what a
//! restart finds.

mod apply;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use store::clock::Clock;
use tokio::sync::watch;

use crate::health::HealthState;
use crate::inventory::{Account, Backend, Firewall, Image, Inventory, LoadBalancer, Region, ServerGroup};
use crate::operation::Operation;
use crate::provider::{CloudError, Handle, Key, Outcome, Progress, Provider, Query, Resource, ResourceId};
use crate::traffic::{GroupSeries, Series};

/// The name under which this cloud reports health.
const PLATFORM: &str = "Simulated";

/// How the cloud behaves.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// How long an operation takes.
    pub takes: SignedDuration,
    /// How long an instance takes to come up. One whose image holds the word `bad` never does.
    pub boots: SignedDuration,
}

/// A call that goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing is done and this is answered.
    Refuses(CloudError),
    /// The operation is started, but the answer is lost.
    LosesAnswer,
    /// The operation is started and fails with this sentence.
    Fails(String),
    /// The operation is started and does not end before [`World::release`].
    Hangs,
}

/// One operation that was started, and what users had when it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The operation's name.
    pub operation: &'static str,
    /// How many instances of all groups were up and in traffic right after it.
    pub up: u32,
}

/// What exists, and what goes on.
pub struct World {
    clock: Arc<dyn Clock>,
    behaviour: Behaviour,
    things: Mutex<Things>,
    revision: watch::Sender<u64>,
}

#[derive(Default)]
struct Things {
    groups: BTreeMap<(String, String), ServerGroup>,
    balancers: BTreeMap<(String, String), LoadBalancer>,
    firewalls: BTreeMap<(String, String), Firewall>,
    image_tags: BTreeMap<String, BTreeMap<String, String>>,
    operations: BTreeMap<String, Started>,
    /// What happens to the next calls; nothing bad without an entry.
    faults: VecDeque<Option<Fault>>,
    steps: Vec<Step>,
    measured: Vec<GroupSeries>,
    /// Instances that single steps of `disable` took out of traffic.
    out: BTreeSet<String>,
    /// Ids of instances are numbers here: they must differ, not surprise.
    made: u32,
}

struct Started {
    operation: Operation,
    due: Timestamp,
    end: Option<Progress>,
    outcome: Outcome,
}

impl World {
    /// An empty world.
    pub fn new(clock: Arc<dyn Clock>, behaviour: Behaviour) -> Arc<Self> {
        let revision = watch::Sender::new(0);
        Arc::new(Self { clock, behaviour, things: Mutex::default(), revision })
    }

    /// The next call of `start` goes wrong in this way; several queue up.
    pub fn next(&self, fault: Fault) {
        self.after(0, fault);
    }

    /// So many calls of `start` go well, and the one behind them goes wrong in this way.
    pub fn after(&self, good: usize, fault: Fault) {
        let mut things = self.lock();
        things.faults.extend(std::iter::repeat_n(None, good));
        things.faults.push_back(Some(fault));
    }

    /// Lets operations end that hang.
    pub fn release(&self) {
        let now = self.clock.now();
        for started in self.lock().operations.values_mut() {
            started.due = started.due.min(now);
        }
        self.tick();
    }

    /// Users of every load balancer have seen this of the groups.
    pub fn measured(&self, groups: Vec<GroupSeries>) {
        self.lock().measured = groups;
        self.tick();
    }

    /// What was started so far, in its order.
    pub fn steps(&self) -> Vec<Step> {
        self.lock().steps.clone()
    }

    /// Tells whoever watches that time has passed.
    pub fn tick(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Things> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The things as they are by now.
    fn now(&self) -> (MutexGuard<'_, Things>, Timestamp) {
        let now = self.clock.now();
        let mut things = self.lock();
        things.settle(now, &self.behaviour);
        (things, now)
    }
}

impl Things {
    /// Ends what is due and lets instances come up.
    fn settle(&mut self, now: Timestamp, behaviour: &Behaviour) {
        for started in self.operations.values_mut().filter(|started| started.end.is_none() && started.due <= now) {
            started.end = Some(Progress::Done { result: started.outcome.clone() });
            if let Operation::DestroyServerGroup(op) = &started.operation {
                self.groups.remove(&(op.region.clone(), op.group.to_string()));
            }
        }
        for group in self.groups.values_mut() {
            let (image, disabled) = (group.image.clone(), group.disabled);
            for instance in &mut group.instances {
                let disabled = disabled || self.out.contains(&instance.id);
                let up =
                    instance.launched.and_then(|at| at.checked_add(behaviour.boots).ok()).is_none_or(|at| at <= now);
                let state = match (up, image.contains("bad")) {
                    (false, _) => HealthState::Starting,
                    (true, true) => HealthState::Down,
                    (true, false) => HealthState::Up,
                };
                for health in &mut instance.health {
                    health.state = if health.platform || !disabled { state } else { HealthState::OutOfService };
                }
                instance.why = (state == HealthState::Down).then(|| "GET / answered 500, expected 200-399".to_owned());
            }
        }
    }

    fn balancer(&self, balancer: &LoadBalancer) -> LoadBalancer {
        let behind = self
            .groups
            .values()
            .filter(|group| group.region == balancer.region && group.load_balancers.contains(&balancer.name));
        let backend = |group: &ServerGroup| Backend {
            group: group.name.clone(),
            disabled: group.disabled,
            instances: group.instances.clone(),
        };
        LoadBalancer { groups: behind.map(backend).collect(), ..balancer.clone() }
    }
}

/// One account of a simulated cloud.
pub struct Simulated {
    name: String,
    world: Arc<World>,
}

impl Simulated {
    /// An account with the regions `here` and `there`, two zones each.
    pub fn open(name: impl Into<String>, world: Arc<World>) -> Self {
        Self { name: name.into(), world }
    }

    fn image(&self, id: &str, tags: &BTreeMap<String, String>) -> Image {
        let (account, tags) = (self.name.clone(), tags.clone());
        Image { id: id.to_owned(), name: id.to_owned(), account, regions: Vec::new(), created: None, tags }
    }

    fn handle(&self, key: &str) -> Handle {
        Handle { account: self.name.clone(), id: key.to_owned() }
    }
}

#[async_trait]
impl Provider for Simulated {
    fn describe(&self) -> Account {
        let region = |name: &str| Region { name: name.into(), zones: vec![format!("{name}-a"), format!("{name}-b")] };
        Account {
            name: self.name.clone(),
            provider: "simulated".into(),
            regions: vec![region("here"), region("there")],
            platform_health: PLATFORM.into(),
            environment: "test".into(),
            instance_types: vec!["small".into(), "large".into()],
            certificates: Vec::new(),
        }
    }

    async fn list(&self, query: &Query) -> Result<Inventory, CloudError> {
        let (things, _) = self.world.now();
        let groups = things.groups.values().filter(|group| query.wants(group.name.cluster().app()));
        let balancers = things.balancers.values().filter(|balancer| query.wants(&balancer.application));
        Ok(Inventory {
            server_groups: groups.cloned().collect(),
            load_balancers: balancers.map(|balancer| things.balancer(balancer)).collect(),
            // What was tagged is what is known of images.
            images: things.image_tags.iter().map(|(id, tags)| self.image(id, tags)).collect(),
            firewalls: things.firewalls.values().filter(|one| query.wants(&one.application)).cloned().collect(),
        })
    }

    async fn get(&self, id: &ResourceId) -> Result<Option<Resource>, CloudError> {
        let (things, _) = self.world.now();
        Ok(match id {
            ResourceId::ServerGroup { region, name } => {
                things.groups.get(&(region.clone(), name.to_string())).cloned().map(Resource::ServerGroup)
            }
            ResourceId::LoadBalancer { region, name } => things
                .balancers
                .get(&(region.clone(), name.clone()))
                .map(|balancer| Resource::LoadBalancer(things.balancer(balancer))),
            ResourceId::Instance { region, id } => {
                let groups = things.groups.values().filter(|group| group.region == *region);
                groups
                    .flat_map(|group| &group.instances)
                    .find(|instance| instance.id == *id)
                    .cloned()
                    .map(Resource::Instance)
            }
            ResourceId::Firewall { region, name } => {
                things.firewalls.get(&(region.clone(), name.clone())).cloned().map(Resource::Firewall)
            }
            ResourceId::Image(id) => things.image_tags.get(id).map(|tags| Resource::Image(self.image(id, tags))),
        })
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.world.revision.subscribe()
    }

    async fn start(&self, operation: &Operation, key: &Key) -> Result<Handle, CloudError> {
        let (mut things, now) = self.world.now();
        if let Some(started) = things.operations.get(key.as_str()) {
            let same = started.operation == *operation;
            return if same { Ok(self.handle(key.as_str())) } else { Err(CloudError::KeyReused(key.to_string())) };
        }
        let fault = things.faults.pop_front().flatten();
        if let Some(Fault::Refuses(error)) = fault {
            return Err(error);
        }
        let outcome = apply::apply(&mut things, &self.describe(), operation, now)?;
        let due = match fault {
            Some(Fault::Hangs) => Timestamp::MAX,
            _ => now.checked_add(self.world.behaviour.takes).unwrap_or(Timestamp::MAX),
        };
        let end = match &fault {
            Some(Fault::Fails(error)) => Some(Progress::Failed { error: error.clone() }),
            _ => None,
        };
        things.operations.insert(key.to_string(), Started { operation: operation.clone(), due, end, outcome });
        things.settle(now, &self.world.behaviour);
        let up = things.groups.values().map(|group| group.up(None)).sum();
        things.steps.push(Step { operation: operation.name(), up });
        drop(things);
        self.world.tick();
        if matches!(fault, Some(Fault::LosesAnswer)) {
            let why = "the connection broke before the answer came".into();
            return Err(CloudError::Unreachable { account: self.name.clone(), why });
        }
        Ok(self.handle(key.as_str()))
    }

    async fn poll(&self, handle: &Handle) -> Result<Progress, CloudError> {
        let (things, now) = self.world.now();
        let missing =
            || CloudError::NotFound { what: "operation", name: handle.id.clone(), account: self.name.clone() };
        let started = things.operations.get(&handle.id).ok_or_else(missing)?;
        let left = started.due.duration_since(now).as_secs();
        Ok(started.end.clone().unwrap_or_else(|| Progress::Running {
            reason: format!("the cloud needs {left} s more for {}", started.operation.name()),
        }))
    }

    async fn cancel(&self, handle: &Handle) -> Result<(), CloudError> {
        let (mut things, _) = self.world.now();
        if let Some(started) = things.operations.get_mut(&handle.id) {
            started.end.get_or_insert(Progress::Cancelled);
        }
        drop(things);
        self.world.tick();
        Ok(())
    }

    async fn traffic(&self, _region: &str, balancer: &str, since: Timestamp) -> Result<Option<Series>, CloudError> {
        let (things, now) = self.world.now();
        let mut groups = things.measured.clone();
        for group in &mut groups {
            group.seconds.retain(|second| second.at >= since.as_millisecond());
        }
        Ok(Some(Series { at: now.as_millisecond(), balancer: balancer.to_owned(), groups, unserved: Vec::new() }))
    }

    async fn logs(&self, region: &str, instance: &str, lines: usize) -> Result<Vec<String>, CloudError> {
        let id = ResourceId::Instance { region: region.to_owned(), id: instance.to_owned() };
        let found = self.get(&id).await?.and_then(Resource::instance);
        let missing =
            || CloudError::NotFound { what: "instance", name: instance.to_owned(), account: self.name.clone() };
        let instance = found.ok_or_else(missing)?;
        Ok(vec![format!("{} runs", instance.id)].into_iter().take(lines).collect())
    }
}
