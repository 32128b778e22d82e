//! The local cloud: this machine as an account with one region and a few zones.
//!
//! What shall be is kept in the control store (`state`), changed by pure functions (`apply`, `advance`), and told to the data plane as a
//! whole (`wanted`, `follow`). Balancing, checking and running programs is the data plane's work; images come from [`Images`].

mod advance;
mod apply;
mod follow;
mod image;
mod measure;
mod ports;
mod read;
mod state;
#[cfg(test)]
mod tests;
mod unit;
mod wanted;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dataplane::client::{Client, ClientError};
use dataplane::logs;
pub use dataplane::wanted::{Certificate, Limits};
use jiff::{SignedDuration, Timestamp};
use store::Store;
use tokio::sync::{Notify, watch};

pub use self::image::{FoldersOnly, ImageError, Images, Launch};
pub use self::state::{MIGRATIONS, forget, forgettable, image_references, images_moved};
pub use self::unit::{Unit, UnitError, find as find_unit, parse as parse_unit};

use self::advance::Seen;
use self::apply::{Change, Prepared, Rules};
use self::read::Reader;
use self::state::{End, Started, State};
use crate::inventory::{Account, Image, Inventory, Region};
use crate::measures::Measures;
use crate::operation::Operation;
use crate::provider::{CloudError, Handle, Key, Progress, Provider, Query, Resource, ResourceId};
use crate::traffic::Series;

/// How long a read waits for the data plane before it shows what is known.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the binary decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// The account's name.
    pub account: String,
    /// The control plane's data folder, in which the data plane lives.
    pub dir: PathBuf,
    /// The program that is run as `dataplane` when none answers.
    pub exe: PathBuf,
    /// The server's `PATH`: where interpreters outside `/usr` are looked for.
    pub server_path: String,
    /// The address on which load balancers listen.
    pub listen: IpAddr,
    /// Whether every listener gets a free port instead of the one that was asked for (the address is reported).
    pub free_listeners: bool,
    /// The zones, over which instances are spread.
    pub zones: Vec<String>,
    /// What instances of each type may take, by the type's name.
    pub instance_types: BTreeMap<String, Limits>,
    /// Certificates of listeners, by name.
    pub certificates: BTreeMap<String, Certificate>,
    /// How long an instance may finish what it has before it ends.
    pub drain: SignedDuration,
    /// What the environment is called, e.g. `test`.
    pub environment: String,
}

impl Options {
    /// The usual account over a data folder: `local`, loopback, ports as asked, 30 s to drain.
    pub fn new(dir: impl Into<PathBuf>, exe: impl Into<PathBuf>, server_path: impl Into<String>) -> Self {
        Self {
            account: "local".into(),
            dir: dir.into(),
            exe: exe.into(),
            server_path: server_path.into(),
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            free_listeners: false,
            zones: vec!["local-a".into(), "local-b".into()],
            instance_types: BTreeMap::new(),
            certificates: BTreeMap::new(),
            drain: SignedDuration::from_secs(30),
            environment: "local".into(),
        }
    }
}

/// The account.
pub struct Local {
    shared: Arc<Shared>,
    follower: tokio::task::JoinHandle<()>,
}

/// What the provider and its follower have in common.
struct Shared {
    store: Store,
    rules: Rules,
    options: Options,
    images: Arc<dyn Images>,
    seen: Mutex<Seen>,
    digest: Mutex<String>,
    revision: watch::Sender<u64>,
    push: Notify,
}

impl Local {
    /// Opens the account and begins to follow its data plane, which is started when none answers. Needs a tokio runtime. The whole wanted
    /// state is told again.
    pub fn open(store: Store, options: Options, images: Arc<dyn Images>) -> Arc<Self> {
        let rules = Rules {
            account: options.account.clone(),
            region: "local".into(),
            zones: options.zones.clone(),
            instance_types: options.instance_types.clone(),
            listen: options.listen,
            free_listeners: options.free_listeners,
            certificates: options.certificates.clone(),
            drain: options.drain,
        };
        let shared = Arc::new(Shared {
            store,
            rules,
            options,
            images,
            seen: Mutex::default(),
            digest: Mutex::default(),
            revision: watch::Sender::new(0),
            push: Notify::new(),
        });
        let follower = tokio::spawn(follow::follow(shared.clone()));
        Arc::new(Self { shared, follower })
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl Shared {
    fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the data plane says now; while it does not answer, what it said last.
    async fn look_again(&self) -> Seen {
        let asked = tokio::time::timeout(PATIENCE, Client::new(&self.options.dir).status()).await;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Ok(status)) = asked
            && seen.status.as_ref().is_none_or(|known| known.at <= status.at || known.pid != status.pid)
        {
            seen.status = Some(status);
        }
        seen.clone()
    }

    fn tell(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }

    async fn state(&self) -> Result<State, CloudError> {
        let account = self.rules.account.clone();
        self.store.read(move |tx| State::load(tx, &account)).await
    }

    /// Everything that needs the disk or the network, before the transaction.
    async fn prepare(&self, operation: &Operation) -> Result<Prepared, CloudError> {
        let (image, ports) = match operation {
            Operation::CreateServerGroup(op) => (Some(op.image.clone()), op.capacity.desired as usize + 1),
            Operation::ResizeServerGroup(op) => (None, op.capacity.desired as usize),
            Operation::UpsertLoadBalancer(op) => {
                self.check_listeners(op).await?;
                (None, op.listeners.len())
            }
            Operation::TagImage(op) => {
                if self.images.launch(&op.image).await.is_err() {
                    let account = self.rules.account.clone();
                    return Err(CloudError::NotFound { what: "image", name: op.image.clone(), account });
                }
                (None, 0)
            }
            Operation::TerminateInstances(op) => (None, op.instances.len()),
            _ => (None, 0),
        };
        let launch = match image {
            Some(image) => Some(self.launch(&image).await?),
            None => None,
        };
        let taken = self.state().await?.ports();
        let seed =
            self.store.ids().uuid().bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        // A few more than needed: another operation may take some in between.
        let search = tokio::task::spawn_blocking(move || {
            if ports == 0 { Vec::new() } else { ports::free(ports.min(2000) + 16, seed, &taken) }
        });
        let ports = search.await.map_err(|error| CloudError::Store(error.to_string()))?;
        Ok(Prepared { launch, ports })
    }

    async fn launch(&self, image: &str) -> Result<Launch, CloudError> {
        let launch = if image.starts_with('/') {
            let image = image.to_owned();
            let found = tokio::task::spawn_blocking(move || image::folder(&image)).await;
            found.map_err(|error| CloudError::Store(error.to_string()))?
        } else {
            self.images.launch(image).await
        };
        let launch = launch.map_err(|error| CloudError::Refused(error.to_string()))?;
        Ok(image::with_interpreter(launch, &self.options.server_path))
    }

    /// A port that somebody else holds is told at once, by name.
    async fn check_listeners(&self, op: &crate::operation::UpsertLoadBalancer) -> Result<(), CloudError> {
        if self.rules.free_listeners {
            return Ok(());
        }
        let own = self.state().await?.ports();
        for listener in &op.listeners {
            let address = (self.rules.listen, listener.port).into();
            if listener.port != 0 && !own.contains(&listener.port) && !ports::is_free(address) {
                return Err(CloudError::Refused(format!(
                    "load balancer {} cannot listen on {address}: another program does; choose another port, or 0 for a free one",
                    op.name
                )));
            }
        }
        Ok(())
    }

    async fn started(&self, key: &str) -> Result<Option<Started>, CloudError> {
        let (account, key) = (self.rules.account.clone(), key.to_owned());
        self.store.read(move |tx| State::operation(tx, &account, &key)).await
    }

    fn handle(&self, key: &str) -> Handle {
        Handle { account: self.rules.account.clone(), id: key.to_owned() }
    }

    /// The handle of an operation that was started under this key before.
    fn again(&self, started: &Started, operation: &Operation) -> Result<Handle, CloudError> {
        if started.operation == *operation {
            Ok(self.handle(&started.key))
        } else {
            Err(CloudError::KeyReused(started.key.clone()))
        }
    }
}

#[async_trait]
impl Provider for Local {
    fn describe(&self) -> Account {
        let rules = &self.shared.rules;
        Account {
            name: rules.account.clone(),
            provider: "local".into(),
            regions: vec![Region { name: rules.region.clone(), zones: rules.zones.clone() }],
            platform_health: read::PLATFORM.into(),
            environment: self.shared.options.environment.clone(),
            instance_types: rules.instance_types.keys().cloned().collect(),
            certificates: rules.certificates.keys().cloned().collect(),
        }
    }

    async fn list(&self, query: &Query) -> Result<Inventory, CloudError> {
        let (state, seen) = (self.shared.state().await?, self.shared.look_again().await);
        let images = if query.without_images {
            Vec::new()
        } else {
            self.shared.images.list().await.map_err(|error| CloudError::Unreachable {
                account: self.shared.rules.account.clone(),
                why: error.to_string(),
            })?
        };
        let tagged = |mut image: Image| {
            image.tags.extend(state.image_tags.get(&image.id).cloned().unwrap_or_default());
            image
        };
        let images = images.into_iter().map(tagged).collect();
        let reader = self.shared.reader(&state, &seen);
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
        let (state, seen) = (self.shared.state().await?, self.shared.look_again().await);
        let reader = self.shared.reader(&state, &seen);
        let here = |region: &String| *region == self.shared.rules.region;
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
        self.shared.revision.subscribe()
    }

    async fn start(&self, operation: &Operation, key: &Key) -> Result<Handle, CloudError> {
        let shared = &self.shared;
        if let Some(started) = shared.started(key.as_str()).await? {
            return shared.again(&started, operation);
        }
        let prepared = shared.prepare(operation).await?;
        let started = {
            let (shared, operation, key) = (shared.clone(), operation.clone(), key.as_str().to_owned());
            let store = shared.store.clone();
            store.write(move |tx| shared.start_in(tx, &operation, &key, &prepared)).await?
        };
        shared.tell();
        shared.again(&started, operation)
    }

    async fn poll(&self, handle: &Handle) -> Result<Progress, CloudError> {
        let started = self.shared.started(&handle.id).await?.ok_or_else(|| CloudError::NotFound {
            what: "operation",
            name: handle.id.clone(),
            account: self.shared.rules.account.clone(),
        })?;
        Ok(advance::progress(&started, &self.shared.state().await?, &self.shared.seen()))
    }

    async fn cancel(&self, handle: &Handle) -> Result<(), CloudError> {
        let (account, key) = (self.shared.rules.account.clone(), handle.id.clone());
        let seen = self.shared.seen();
        let cancelled = move |tx: &mut store::Tx<'_>| {
            let before = State::load(tx, &account)?;
            let mut state = before.clone();
            if let Some(started) = state.operations.get_mut(&key) {
                // It may be done without that being written down yet, and whoever asked was told so.
                started.end = match advance::progress(started, &before, &seen) {
                    Progress::Done { .. } => End::Done,
                    _ => End::Cancelled,
                };
            }
            state.save(tx, &account, &before)
        };
        self.shared.store.write(cancelled).await?;
        self.shared.tell();
        Ok(())
    }

    async fn traffic(&self, region: &str, balancer: &str, since: Timestamp) -> Result<Option<Series>, CloudError> {
        let account = self.shared.rules.account.clone();
        if region != self.shared.rules.region {
            return Err(CloudError::NotFound { what: "region", name: region.to_owned(), account });
        }
        let client = Client::new(&self.shared.options.dir);
        match client.series(balancer, since.as_millisecond()).await {
            Ok(series) => Ok(Some(series)),
            Err(ClientError::Refused { status: 404, .. }) => {
                Err(CloudError::NotFound { what: "load balancer", name: balancer.to_owned(), account })
            }
            Err(error) => Err(CloudError::Unreachable { account, why: error.to_string() }),
        }
    }

    async fn reach(&self) -> Result<(), CloudError> {
        // What happened since it was last looked at: mostly nothing, at once.
        let known =
            self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).status.as_ref().map_or(0, |s| s.seq);
        self.shared.asked(|client| async move { client.events(known, Duration::ZERO).await }).await.map(drop)
    }

    async fn measure(&self) -> Result<Measures, CloudError> {
        let status = self.shared.asked(|client| async move { client.status().await }).await?;
        Ok(measure::measures(&status))
    }

    async fn logs(&self, region: &str, instance: &str, lines: usize) -> Result<Vec<String>, CloudError> {
        let missing = || CloudError::NotFound {
            what: "instance",
            name: instance.to_owned(),
            account: self.shared.rules.account.clone(),
        };
        if region != self.shared.rules.region || !self.shared.state().await?.instances.contains_key(instance) {
            return Err(missing());
        }
        let file = self.shared.options.dir.join("instances").join(instance).join("log");
        let read = tokio::task::spawn_blocking(move || tail(&file, lines)).await;
        // Before the first line there is no file.
        Ok(read.ok().and_then(Result::ok).unwrap_or_default())
    }
}

impl Shared {
    /// What the data plane answers now, or why it does not.
    async fn asked<T, F>(&self, ask: impl FnOnce(Client) -> F) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, ClientError>> + Send,
    {
        let unreachable = |why: String| CloudError::Unreachable { account: self.rules.account.clone(), why };
        match tokio::time::timeout(PATIENCE, ask(Client::new(&self.options.dir))).await {
            Ok(answer) => answer.map_err(|error| unreachable(error.to_string())),
            Err(_) => Err(unreachable(format!("the data plane does not answer within {} ms", PATIENCE.as_millis()))),
        }
    }

    fn reader<'a>(&'a self, state: &'a State, seen: &'a Seen) -> Reader<'a> {
        Reader { state, seen, rules: &self.rules, now: self.store.clock().now() }
    }

    /// The operation, its key and the new wanted state in one transaction; the data plane is told after the commit.
    fn start_in(
        self: &Arc<Self>,
        tx: &mut store::Tx<'_>,
        operation: &Operation,
        key: &str,
        prepared: &Prepared,
    ) -> Result<Started, CloudError> {
        if let Some(started) = State::operation(tx, &self.rules.account, key)? {
            return Ok(started);
        }
        let before = State::load(tx, &self.rules.account)?;
        let mut state = before.clone();
        state.generation += 1;
        let ids = self.store.ids().clone();
        let applied = Change {
            state: &mut state,
            rules: &self.rules,
            prepared: prepared.clone(),
            now: tx.now(),
            random: &mut || ids.uuid(),
        }
        .apply(operation)?;
        // What the data plane would refuse must not become what is wanted: it would refuse everything after it, too.
        wanted::wanted(&state, &self.rules).check().map_err(|error| CloudError::Refused(error.to_string()))?;
        let started = Started {
            key: key.to_owned(),
            operation: operation.clone(),
            generation: state.generation,
            outcome: applied.outcome,
            ends: applied.ends,
            end: End::Open,
        };
        state.operations.insert(key.to_owned(), started.clone());
        state.save(tx, &self.rules.account, &before)?;
        let shared = self.clone();
        tx.after_commit(move || shared.push.notify_one());
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
