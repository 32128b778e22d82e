//! The local cloud: this machine as one account or several, each with one region and a few zones.
//!
//! What shall be is kept in the control store (`state`), changed by pure functions (`apply`, `advance`), and told to the data plane as a
//! whole (`wanted`, `follow`). Balancing, checking and running programs is the data plane's work; images come from [`Images`].

mod advance;
mod apply;
mod follow;
mod image;
mod machine;
mod measure;
mod ports;
mod read;
mod state;
#[cfg(test)]
mod tests;
mod unit;
mod wanted;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dataplane::client::{Client, ClientError};
use dataplane::logs;
pub use dataplane::wanted::{Certificate, Limits};
use jiff::Timestamp;
use store::Tx;
use tokio::sync::watch;

pub use self::image::{FoldersOnly, ImageError, Images, Launch};
pub use self::machine::{Named, Options, left_behind, open};
pub use self::state::{MIGRATIONS, forget, forgettable, image_references, images_moved};
pub use self::unit::{Unit, UnitError, find as find_unit, parse as parse_unit};

use self::advance::Seen;
use self::apply::{Change, Prepared, Rules};
use self::machine::{Follower, Machine};
use self::read::Reader;
use self::state::{End, Started, State};
use crate::inventory::{Account, Image, Inventory, Region};
use crate::measures::Measures;
use crate::operation::{Operation, UpsertLoadBalancer};
use crate::provider::{CloudError, Handle, Key, Progress, Provider, Query, Resource, ResourceId};
use crate::traffic::Series;

/// One account of this machine.
pub struct Local {
    machine: Arc<Machine>,
    rules: Arc<Rules>,
    /// Held by every account: the last one that goes ends it.
    _follower: Arc<Follower>,
}

impl Local {
    async fn state(&self) -> Result<State, CloudError> {
        let account = self.rules.account.clone();
        self.machine.store.read(move |tx| State::load(tx, &account)).await
    }

    fn missing(&self, what: &'static str, name: &str) -> CloudError {
        CloudError::NotFound { what, name: name.to_owned(), account: self.rules.account.clone() }
    }

    /// Everything that needs the disk or the network, before the transaction.
    async fn prepare(&self, operation: &Operation) -> Result<Prepared, CloudError> {
        let states = self.machine.states().await?;
        let (image, ports) = match operation {
            Operation::CreateServerGroup(op) => (Some(op.image.clone()), op.capacity.desired as usize + 1),
            Operation::ResizeServerGroup(op) => (None, op.capacity.desired as usize),
            Operation::UpsertLoadBalancer(op) => {
                self.check_listeners(op, &states)?;
                (None, op.listeners.len())
            }
            Operation::TagImage(op) => {
                if self.machine.images.launch(&op.image).await.is_err() {
                    return Err(self.missing("image", &op.image));
                }
                (None, 0)
            }
            Operation::TerminateInstances(op) => (None, op.instances.len()),
            _ => (None, 0),
        };
        let launch = match image {
            Some(image) => Some(self.machine.launch(&image).await?),
            None => None,
        };
        let taken: BTreeSet<u16> = states.iter().flat_map(State::ports).collect();
        let seed = self.machine.store.ids().uuid();
        let seed = seed.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        // A few more than needed: another operation may take some in between.
        let search = tokio::task::spawn_blocking(move || {
            if ports == 0 { Vec::new() } else { ports::free(ports.min(2000) + 16, seed, &taken) }
        });
        let ports = search.await.map_err(|error| CloudError::Store(error.to_string()))?;
        Ok(Prepared { launch, ports })
    }

    /// A port that a stranger, none of the machine's accounts, holds is told at once, by name.
    fn check_listeners(&self, op: &UpsertLoadBalancer, states: &[State]) -> Result<(), CloudError> {
        if self.rules.free_listeners {
            return Ok(());
        }
        let balancers = states.iter().flat_map(|state| state.balancers.values());
        let ours: Vec<SocketAddr> = balancers.flat_map(|balancer| balancer.addresses.iter().copied()).collect();
        for listener in &op.listeners {
            let address = (self.rules.listen, listener.port).into();
            let in_the_way = |own: &SocketAddr| apply::overlap(*own, address);
            // Who of us holds it is told by the operation itself.
            if listener.port != 0 && !ours.iter().any(in_the_way) && !ports::is_free(address) {
                return Err(CloudError::Refused(format!(
                    "load balancer {} cannot listen on {address}: another program does; choose another port, or 0 for a free one",
                    op.name
                )));
            }
        }
        Ok(())
    }

    /// The machine's images as this account sees them. What any account says of one is known in all, and the own word counts.
    async fn images(&self, own: &State) -> Result<Vec<Image>, CloudError> {
        let unreachable = |why: String| CloudError::Unreachable { account: self.rules.account.clone(), why };
        let mut images = self.machine.images.list().await.map_err(|error| unreachable(error.to_string()))?;
        let all = self.machine.states().await?;
        for image in &mut images {
            image.account.clone_from(&self.rules.account);
            image.regions = vec![self.rules.region.clone()];
            for known in all.iter().chain([own]) {
                image.tags.extend(known.image_tags.get(&image.id).cloned().unwrap_or_default());
            }
        }
        Ok(images)
    }

    async fn started(&self, key: &str) -> Result<Option<Started>, CloudError> {
        let (account, key) = (self.rules.account.clone(), key.to_owned());
        self.machine.store.read(move |tx| State::operation(tx, &account, &key)).await
    }

    /// The handle of an operation that was started under this key before.
    fn again(&self, started: &Started, operation: &Operation) -> Result<Handle, CloudError> {
        if started.operation == *operation {
            Ok(Handle { account: self.rules.account.clone(), id: started.key.clone() })
        } else {
            Err(CloudError::KeyReused(started.key.clone()))
        }
    }

    fn reader<'a>(&'a self, state: &'a State, seen: &'a Seen) -> Reader<'a> {
        Reader { state, seen, rules: &self.rules, now: self.machine.store.clock().now() }
    }
}

#[async_trait]
impl Provider for Local {
    fn describe(&self) -> Account {
        let rules = &self.rules;
        Account {
            name: rules.account.clone(),
            provider: "local".into(),
            regions: vec![Region { name: rules.region.clone(), zones: rules.zones.clone() }],
            platform_health: read::PLATFORM.into(),
            environment: rules.environment.clone(),
            instance_types: rules.instance_types.keys().cloned().collect(),
            certificates: rules.certificates.keys().cloned().collect(),
        }
    }

    async fn list(&self, query: &Query) -> Result<Inventory, CloudError> {
        let (state, seen) = (self.state().await?, self.machine.look_again().await);
        let images = if query.without_images { Vec::new() } else { self.images(&state).await? };
        let reader = self.reader(&state, &seen);
        let groups = state.groups.values().filter(|group| query.wants(group.name.cluster().app()));
        let balancers = state.balancers.iter().filter(|(_, balancer)| query.wants(&balancer.spec.application));
        let firewalls = state.firewalls.values().filter(|firewall| query.wants(&firewall.application));
        Ok(Inventory {
            server_groups: groups.map(|group| reader.group(group)).collect(),
            load_balancers: balancers.map(|(name, balancer)| reader.balancer(name, balancer)).collect(),
            images,
            firewalls: firewalls.map(|firewall| reader.firewall(firewall)).collect(),
        })
    }

    async fn get(&self, id: &ResourceId) -> Result<Option<Resource>, CloudError> {
        if let ResourceId::Image(image) = id {
            let images: Vec<Image> = self.list(&Query::default()).await?.images;
            return Ok(images.into_iter().find(|known| known.id == *image).map(Resource::Image));
        }
        let (state, seen) = (self.state().await?, self.machine.look_again().await);
        let reader = self.reader(&state, &seen);
        let here = |region: &String| *region == self.rules.region;
        Ok(match id {
            ResourceId::ServerGroup { region, name } if here(region) => {
                state.groups.get(&name.to_string()).map(|group| Resource::ServerGroup(reader.group(group)))
            }
            ResourceId::LoadBalancer { region, name } if here(region) => {
                state.balancers.get(name).map(|balancer| Resource::LoadBalancer(reader.balancer(name, balancer)))
            }
            ResourceId::Firewall { region, name } if here(region) => {
                state.firewalls.get(name).map(|firewall| Resource::Firewall(reader.firewall(firewall)))
            }
            ResourceId::Instance { region, id } if here(region) => state.instances.get(id).and_then(|instance| {
                let group = state.groups.get(&instance.group.to_string())?;
                Some(Resource::Instance(reader.instance(group, instance)))
            }),
            _ => None,
        })
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.machine.revision.subscribe()
    }

    async fn start(&self, operation: &Operation, key: &Key) -> Result<Handle, CloudError> {
        if let Some(started) = self.started(key.as_str()).await? {
            return self.again(&started, operation);
        }
        let beginning = Beginning {
            machine: self.machine.clone(),
            rules: self.rules.clone(),
            operation: operation.clone(),
            key: key.as_str().to_owned(),
            prepared: self.prepare(operation).await?,
        };
        let started = self.machine.store.write(move |tx| beginning.write(tx)).await?;
        self.machine.tell();
        self.again(&started, operation)
    }

    async fn poll(&self, handle: &Handle) -> Result<Progress, CloudError> {
        let started = self.started(&handle.id).await?.ok_or_else(|| self.missing("operation", &handle.id))?;
        Ok(advance::progress(&started, &self.state().await?, &self.rules, &self.machine.seen()))
    }

    async fn cancel(&self, handle: &Handle) -> Result<(), CloudError> {
        let (rules, key) = (self.rules.clone(), handle.id.clone());
        let seen = self.machine.seen();
        let cancelled = move |tx: &mut store::Tx<'_>| {
            let before = State::load(tx, &rules.account)?;
            let mut state = before.clone();
            if let Some(started) = state.operations.get_mut(&key) {
                // It may be done without that being written down yet, and whoever asked was told so.
                started.end = match advance::progress(started, &before, &rules, &seen) {
                    Progress::Done { .. } => End::Done,
                    _ => End::Cancelled,
                };
            }
            state.save(tx, &rules.account, &before)
        };
        self.machine.store.write(cancelled).await?;
        self.machine.tell();
        Ok(())
    }

    async fn traffic(&self, region: &str, balancer: &str, since: Timestamp) -> Result<Option<Series>, CloudError> {
        if region != self.rules.region {
            return Err(self.missing("region", region));
        }
        let client = Client::new(&self.machine.options.dir);
        match client.series(&self.rules.called(balancer), since.as_millisecond()).await {
            Ok(series) => Ok(Some(series)),
            Err(ClientError::Refused { status: 404, .. }) => Err(self.missing("load balancer", balancer)),
            Err(error) => Err(CloudError::Unreachable { account: self.rules.account.clone(), why: error.to_string() }),
        }
    }

    async fn reach(&self) -> Result<(), CloudError> {
        // What happened since it was last looked at: mostly nothing, at once.
        let known = self.machine.seen().status.map_or(0, |status| status.seq);
        let ask = |client: Client| async move { client.events(known, Duration::ZERO).await };
        self.machine.asked(&self.rules.account, ask).await.map(drop)
    }

    async fn measure(&self) -> Result<Measures, CloudError> {
        let ask = |client: Client| async move { client.status().await };
        let status = self.machine.asked(&self.rules.account, ask).await?;
        Ok(measure::measures(&status, &self.state().await?, &self.rules))
    }

    async fn logs(&self, region: &str, instance: &str, lines: usize) -> Result<Vec<String>, CloudError> {
        if region != self.rules.region || !self.state().await?.instances.contains_key(instance) {
            return Err(self.missing("instance", instance));
        }
        let file = self.machine.options.dir.join("instances").join(instance).join("log");
        let read = tokio::task::spawn_blocking(move || tail(&file, lines)).await;
        // Before the first line there is no file.
        Ok(read.ok().and_then(Result::ok).unwrap_or_default())
    }
}

/// An operation on its way into the store.
struct Beginning {
    machine: Arc<Machine>,
    rules: Arc<Rules>,
    operation: Operation,
    key: String,
    prepared: Prepared,
}

impl Beginning {
    /// The operation, its key and the new wanted state in one transaction; the data plane is told after the commit.
    fn write(&self, tx: &mut Tx<'_>) -> Result<Started, CloudError> {
        let Self { machine, rules, operation, key, prepared } = self;
        if let Some(started) = State::operation(tx, &rules.account, key)? {
            return Ok(started);
        }
        let mut states = machine.load(tx)?;
        let others = machine.others(&states, &rules.account);
        let own = machine.accounts.iter().zip(&mut states).find(|(known, _)| known.account == rules.account);
        let Some((_, state)) = own else { return Err(CloudError::NoAccount(rules.account.clone(), String::new())) };
        let before = state.clone();
        state.generation += 1;
        let ids = machine.store.ids().clone();
        let applied = Change {
            state,
            rules,
            others: &others,
            prepared: prepared.clone(),
            now: tx.now(),
            random: &mut || ids.uuid(),
        }
        .apply(operation)?;
        let started = Started {
            key: key.clone(),
            operation: operation.clone(),
            generation: state.generation,
            outcome: applied.outcome,
            ends: applied.ends,
            end: End::Open,
        };
        state.operations.insert(key.clone(), started.clone());
        state.save(tx, &rules.account, &before)?;
        // What the data plane would refuse must not become what is wanted: it would refuse everything after it, too.
        machine.wanted(&states).check().map_err(|error| CloudError::Refused(error.to_string()))?;
        let machine = machine.clone();
        tx.after_commit(move || machine.push.notify_one());
        Ok(started)
    }
}

/// The last lines of a log; no more is read than its last 256 KiB.
fn tail(file: &std::path::Path, lines: usize) -> std::io::Result<Vec<String>> {
    use std::io::{Read, Seek, SeekFrom};
    const MOST: u64 = 256 << 10;
    let mut file = std::fs::File::open(file)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().skip(usize::from(size > MOST)).collect();
    Ok(all[all.len().saturating_sub(lines)..].iter().map(|line| logs::split(line).1.to_owned()).collect())
}
