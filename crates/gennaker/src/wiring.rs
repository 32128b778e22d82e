//! Wiring: from the configuration to the running parts. The only place that knows how everything is put together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::{Secrets, Tokens};
use anyhow::{Context, anyhow};
use api::aptly::Aptly;
use api::ui::AptCommands;
use api::watched::Followed;
use api::{Guard, GuardConfig, House, Watched};
use async_trait::async_trait;
use bakery::{Bakery, Host};
use cloud::local::{self, Certificate};
use cloud::{Clouds, Provider};
use events::outgoing::{Call, Outgoing, OutgoingConfig};
use jiff::SignedDuration;
use pipeline::engine::Fetch;
use pipeline::trigger::cron;
use pipeline::{Engine, Registry};
use stages::Services;
use stages::infrastructure::TrafficGuards;
use stages::published::AptPublications;
use stages::react::apt_published::{Tail, WINDOW};
use stages::react::cron::Clockwork;
use stages::react::deployment_report::Reporter;
use stages::react::notices::{Teller, Words};
use stages::room::Room;
use stages::script::Scripts;
use stages::tidy::Tidy;
use store::clock::{Clock, SystemClock};
use store::{Location, Store};

use crate::aptly::elsewhere::OnBehalf;
use crate::config::{Config, NamedCertificate};
use crate::environment::Environment;
use crate::images::BakedImages;
use crate::{aptly, door, telling};

/// What serves requests, and what works by itself.
pub struct Parts {
    /// What handlers work with.
    pub house: House,
    /// Who may reach them.
    pub guard: Guard,
    registry: Registry,
    outgoing: Arc<Outgoing>,
    missed: SignedDuration,
}

/// The control store, and the tokens of the configuration and in it.
pub struct Kept {
    store: Store,
    /// Who may come.
    pub tokens: Arc<Tokens>,
}

/// Opens the control store of `data`.
pub fn open(config: &Config, data: &Path) -> anyhow::Result<Kept> {
    let tokens = Arc::new(Tokens::new(&config.token)?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = open_store(config, data, &clock)?;
    let accounts: Vec<String> = config.accounts()?.into_iter().map(|account| account.name).collect();
    // On a thread that runs async tasks nothing may block.
    let read = std::thread::scope(|scope| {
        let read = scope.spawn(|| {
            store.read_blocking(move |tx| local::left_behind(tx, &accounts))?;
            store.read_blocking(access::kept::all).context("cannot read the tokens")
        });
        read.join().map_err(|_| anyhow!("reading the store broke off"))?
    });
    tokens.keep(&read?);
    Ok(Kept { store, tokens })
}

/// Puts the parts together. What takes time begins in [`Parts::start`]. `public_url`: where people reach the page.
pub fn build(
    config: &Config,
    environment: &Environment,
    data: &Path,
    Kept { store, tokens }: Kept,
    public_url: &str,
) -> anyhow::Result<Parts> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let path = environment.path.to_string_lossy().into_owned();
    let host = Host::read(Path::new("/"), &path).context("cannot see what this machine has installed")?;
    let bakery = Bakery::open(store.clone(), data.join("images"), bakery::builders(host))?;
    let clouds = Arc::new(clouds(config, &store, &bakery, data, &path)?);
    let outgoing = OutgoingConfig { allow: config.outgoing.allow.clone(), ..OutgoingConfig::default() };
    let outgoing = Arc::new(Outgoing::new(outgoing));
    let secrets = Arc::new(Secrets::new(&config.secret, Environment::variable)?);
    let notifiers = telling::notifiers(&config.notifications, &secrets, &outgoing)?;
    let engine = Engine::new(store.clone());
    let webhooks = Arc::new(config.webhook.preconfigured.clone());
    let services = Services { engine: engine.clone(), outgoing: outgoing.clone(), webhooks: webhooks.clone(), secrets };
    let endpoints = aptly::root::endpoints_of_user(environment);
    let roots = roots(config, environment, &clock)?.into_iter();
    let roots: Vec<apt::Root> = roots.map(|root| root.with_endpoints(endpoints.clone())).collect();
    let registry =
        stages::bake::register(stages::all(&services), bakery.clone(), Arc::new(AptPublications::new(roots.clone())));
    let scripts = Scripts {
        clouds: clouds.clone(),
        folder: data.join("scripts"),
        path,
        outgoing: outgoing.clone(),
        allowed: config.script.allow.clone(),
    };
    let registry = stages::script::register(registry, scripts);
    let guards = TrafficGuards { min_capacity_ratio: config.traffic_guards.min_capacity_ratio()? };
    let registry = stages::infrastructure::register(registry, &clouds, engine.store(), guards);
    let registry = stages::delete_application::register(registry, &engine, &clouds);
    let registry = stages::webhook::register_preconfigured(registry, &webhooks)?;
    let registry = stages::elsewhere::register(registry);
    let stage_kinds = Arc::new(registry.kinds());

    let rules = GuardConfig {
        hosts: config.server.hosts.clone(),
        origins: config.server.allowed_origins.clone(),
        proxies: config.server.trusted_proxies.clone(),
    };
    let guard = Guard::new(rules, tokens.clone(), clock.clone());
    let cron_zone = cron::zone_of(&config.triggers.cron_zone).context("cron_zone under [triggers]")?;
    engine.limit_triggers(config.triggers.starts_per_minute);
    let missed = SignedDuration::from_mins(config.triggers.missed_minutes.into());
    let room =
        Room::of(std::iter::once(data.to_owned()).chain(roots.iter().map(|root| root.path().to_owned())).collect());
    let house = House {
        tidy: Tidy {
            store: store.clone(),
            bakery: bakery.clone(),
            roots: roots.clone(),
            data: data.to_owned(),
            keep: config.retention.keep()?,
        },
        room,
        store,
        engine,
        clouds,
        bakery,
        registry: Arc::new(registry.clone()),
        stage_kinds,
        webhooks,
        notifiers,
        public_url: public_url.into(),
        reachable: door::is_open(config),
        apt_commands: apt_commands(environment, data, &roots)?,
        cron_zone,
        tokens,
        roots: Arc::new(roots.clone()),
        watched: Arc::new(Watched::new(data, &roots, clock.now())),
        aptly: Aptly::new(roots.first().cloned(), aptly::api::of_user(environment)),
    };
    Ok(Parts { house, guard, registry, outgoing, missed })
}

fn open_store(config: &Config, data: &Path, clock: &Arc<dyn Clock>) -> anyhow::Result<Store> {
    let location = match &config.server.store {
        Some(url) => Location::Postgres(url.reveal().into()),
        None => Location::Sqlite(data.join("gennaker.db")),
    };
    Store::open(location, api::SCHEMAS, clock.clone()).context("cannot open the store")
}

/// What a server would tidy, for a command that does it where none runs. The caller holds the data folder's lock.
pub fn tidy(config: &Config, environment: &Environment, data: &Path) -> anyhow::Result<Tidy> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = open_store(config, data, &clock)?;
    let bakery = Bakery::open(store.clone(), data.join("images"), Vec::new())?;
    let mut opened = Vec::new();
    for folder in root_folders(config, environment)?.into_iter().filter(|folder| folder.join("gennaker.db").exists()) {
        let open = apt::Root::open(&folder, clock.clone());
        opened.push(open.with_context(|| format!("cannot open the apt root {}", folder.display()))?);
    }
    Ok(Tidy { store, bakery, roots: opened, data: data.to_owned(), keep: config.retention.keep()? })
}

/// The numbers of the schemas that this program knows, by domain.
pub fn known_schemas() -> BTreeMap<String, i64> {
    let mut known = store::copy::known(api::SCHEMAS);
    known.insert("apt".to_owned(), apt::backup::schema());
    known
}

/// The folders of the aptly roots that the server follows. A root of the user that is not there yet counts as well.
pub fn root_folders(config: &Config, environment: &Environment) -> anyhow::Result<Vec<PathBuf>> {
    if config.apt.root.is_empty() {
        return Ok(aptly::root::of_user(environment)?.into_iter().collect());
    }
    Ok(config.apt.root.iter().map(|root| root.path.clone()).collect())
}

/// The aptly roots that the server follows: those of the configuration, else the user's own, which is made when it is not
/// there yet, so that what is published later is seen.
fn roots(config: &Config, environment: &Environment, clock: &Arc<dyn Clock>) -> anyhow::Result<Vec<apt::Root>> {
    if config.apt.root.is_empty() {
        // Nobody asked for this one: the server works without it.
        let own = aptly::root::of_user(environment).and_then(|path| {
            path.map(|path| apt::Root::open(path, clock.clone()).map_err(anyhow::Error::from)).transpose()
        });
        let own = own.inspect_err(|why| tracing::warn!("no apt root is followed: {why:#}"));
        return Ok(own.ok().flatten().into_iter().collect());
    }
    let open = |root: &crate::config::AptRoot| {
        let place = root.path.display();
        apt::Root::open(&root.path, clock.clone()).with_context(|| format!("cannot open the apt root {place}"))
    };
    config.apt.root.iter().map(open).collect()
}

/// How commands of aptly are run for callers elsewhere, on the first root.
fn apt_commands(
    environment: &Environment,
    data: &Path,
    roots: &[apt::Root],
) -> anyhow::Result<Option<Arc<dyn AptCommands>>> {
    let Some(root) = roots.first() else { return Ok(None) };
    let config = data.join("aptly.conf");
    aptly::elsewhere::configuration(environment, root.path(), &config)?;
    let exe = std::env::current_exe().context("cannot find this program's own file")?;
    Ok(Some(Arc::new(OnBehalf { exe, config })))
}

/// The accounts: so far all of them this machine's.
fn clouds(config: &Config, store: &Store, bakery: &Bakery, data: &Path, path: &str) -> anyhow::Result<Clouds> {
    let exe = std::env::current_exe().context("cannot find this program's own file")?;
    let images = Arc::new(BakedImages(bakery.clone()));
    let machine = &config.local;
    let certificate = |one: &NamedCertificate| {
        (one.name.clone(), Certificate { certificate: one.certificate.clone(), key: one.key.clone() })
    };
    let options = local::Options {
        accounts: config.accounts()?,
        instance_types: machine.instance_types()?,
        certificates: machine.certificate.iter().map(certificate).collect(),
        drain: SignedDuration::from_secs(machine.drain_seconds.into()),
        ..local::Options::new(data, exe, path)
    };
    let accounts = local::open(store.clone(), options, images).into_iter();
    Ok(Clouds::new(accounts.map(|account| account as Arc<dyn Provider>).collect())?)
}

impl Parts {
    /// Starts what works by itself: the engine takes up what a crash left. Requests are served already.
    pub async fn start(&self) -> anyhow::Result<()> {
        self.house.room.look(&self.house.engine);
        tokio::spawn(self.house.room.clone().watch(self.house.engine.clone()));
        tokio::spawn(self.house.tidy.clone().forever());
        let fetch = Arc::new(FetchOutside(self.outgoing.clone()));
        let engine = &self.house.engine;
        engine.start(self.registry.clone(), fetch).await.context("cannot start the engine")?;
        let waker = engine.clone();
        stages::infrastructure::wake_on_changes(&self.house.clouds, move |topic| waker.wake(topic));
        crate::told::follow(&self.house.store, &self.house.clouds);
        for Followed { root, pulse } in &self.house.watched.followed {
            let (root, pulse) = (root.clone(), pulse.clone());
            tokio::spawn(Tail { root, engine: engine.clone(), window: WINDOW, pulse }.run());
        }
        let reporter = Reporter { store: self.house.store.clone(), clouds: (*self.house.clouds).clone() };
        tokio::spawn(reporter.run());
        let words = Words { public_url: self.house.public_url.to_string() };
        let (store, notifiers) = (self.house.store.clone(), self.house.notifiers.clone());
        tokio::spawn(Teller { store, notifiers, words }.run());
        let zone = self.house.cron_zone.clone();
        tokio::spawn(Clockwork { engine: engine.clone(), zone, window: self.missed }.run());
        Ok(())
    }

    /// Ends the engine's work at the next edge.
    pub async fn stop(&self) {
        self.house.engine.stop().await;
    }
}

/// What expressions read from elsewhere, through the one outgoing client.
struct FetchOutside(Arc<Outgoing>);

#[async_trait]
impl Fetch for FetchOutside {
    async fn fetch(&self, url: &str) -> Result<String, String> {
        let call = Call { url: url.to_owned(), ..Call::default() };
        let answer = self.0.call(call).await.map_err(|error| error.to_string())?;
        if !answer.status.is_success() {
            return Err(format!("{} answered", answer.status));
        }
        String::from_utf8(answer.body.into()).map_err(|_| "the answer is not UTF-8".to_owned())
    }
}
