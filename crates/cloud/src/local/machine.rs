//! What the accounts of one machine share: the store, images, the data plane and what it last said.
//!
//! There is one data plane, which is told one wanted state with everything of every account. What is an account's own is its [`Rules`]
//! and its rows.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dataplane::client::{Client, ClientError};
use dataplane::wanted::{Certificate, Limits, Wanted};
use jiff::SignedDuration;
use store::{Store, Tx};
use tokio::sync::{Notify, watch};

use super::advance::Seen;
use super::apply::{Others, Rules};
use super::image::{self, Images, Launch};
use super::state::State;
use super::wanted::{self, OWN};
use super::{Local, follow};
use crate::provider::CloudError;

/// How long a read waits for the data plane before it shows what is known.
const PATIENCE: Duration = Duration::from_millis(500);

/// Account names are in front of names in the data plane, which have an end.
const LONGEST: usize = 32;

/// What the binary decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// The control plane's data folder, in which the data plane lives.
    pub dir: PathBuf,
    /// The program that is run as `dataplane` when none answers.
    pub exe: PathBuf,
    /// The server's `PATH`: where interpreters outside `/usr` are looked for.
    pub server_path: String,
    /// Whether every listener gets a free port instead of the one that was asked for (the address is reported).
    pub free_listeners: bool,
    /// What instances of each type may take, by the type's name.
    pub instance_types: BTreeMap<String, Limits>,
    /// Certificates of listeners, by name.
    pub certificates: BTreeMap<String, Certificate>,
    /// How long an instance may finish what it has before it ends.
    pub drain: SignedDuration,
    /// The accounts.
    pub accounts: Vec<Named>,
}

/// What one account of this machine has of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its only region.
    pub region: String,
    /// The zones, over which instances are spread.
    pub zones: Vec<String>,
    /// The address on which load balancers listen.
    pub listen: IpAddr,
    /// What the environment is called, e.g. `test`.
    pub environment: String,
}

impl Named {
    /// The account that a machine always has: `local`, on loopback.
    pub fn local() -> Self {
        Self {
            name: OWN.into(),
            region: OWN.into(),
            zones: vec!["local-a".into(), "local-b".into()],
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            environment: OWN.into(),
        }
    }

    /// Whether names are such that they can be told from others.
    pub fn check(&self) -> Result<(), CloudError> {
        let plain = |what: &str, name: &str, most: usize| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
            if begins && name.len() <= most && name.bytes().all(fits) {
                return Ok(());
            }
            let rule = format!("letters, digits, - and _, a letter or digit first, at most {most}");
            Err(CloudError::Refused(format!("{what} \"{name}\" is no name of {rule}")))
        };
        plain("account", &self.name, LONGEST)?;
        if self.name == wanted::PREVIEW.trim_end_matches('.') {
            return Err(CloudError::Refused(format!(
                "account \"{}\": this name is kept for preview addresses",
                self.name
            )));
        }
        plain("region", &self.region, 63)?;
        self.zones.iter().try_for_each(|zone| plain("zone", zone, 63))?;
        let mut zones = self.zones.clone();
        zones.sort();
        zones.dedup();
        if zones.is_empty() || zones.len() < self.zones.len() {
            return Err(CloudError::Refused("zones: name at least one, and each once".into()));
        }
        Ok(())
    }
}

impl Options {
    /// The usual machine over a data folder: the account `local`, ports as asked, 30 s to drain.
    pub fn new(dir: impl Into<PathBuf>, exe: impl Into<PathBuf>, server_path: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            exe: exe.into(),
            server_path: server_path.into(),
            free_listeners: false,
            instance_types: BTreeMap::new(),
            certificates: BTreeMap::new(),
            drain: SignedDuration::from_secs(30),
            accounts: vec![Named::local()],
        }
    }

    pub(super) fn rules(&self, account: &Named) -> Rules {
        Rules {
            account: account.name.clone(),
            region: account.region.clone(),
            zones: account.zones.clone(),
            environment: account.environment.clone(),
            instance_types: self.instance_types.clone(),
            listen: account.listen,
            free_listeners: self.free_listeners,
            certificates: self.certificates.clone(),
            drain: self.drain,
        }
    }
}

/// This machine: its accounts, its data plane and what that last said.
pub(super) struct Machine {
    pub store: Store,
    pub options: Options,
    pub images: Arc<dyn Images>,
    /// The accounts' rules, in the order of the options.
    pub accounts: Vec<Arc<Rules>>,
    pub seen: Mutex<Seen>,
    pub digest: Mutex<String>,
    pub revision: watch::Sender<u64>,
    pub push: Notify,
}

/// What follows the data plane, as long as somebody has an account of the machine.
pub(super) struct Follower(tokio::task::JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Opens the accounts of this machine and begins to follow its data plane, which is started when none answers. Needs a tokio runtime. The
/// whole wanted state is told again.
///
/// What is in an account that is not named ends: [`left_behind`] finds it before.
pub fn open(store: Store, options: Options, images: Arc<dyn Images>) -> Vec<Arc<Local>> {
    let accounts: Vec<Arc<Rules>> = options.accounts.iter().map(|account| Arc::new(options.rules(account))).collect();
    let machine = Arc::new(Machine {
        store,
        options,
        images,
        accounts,
        seen: Mutex::default(),
        digest: Mutex::default(),
        revision: watch::Sender::new(0),
        push: Notify::new(),
    });
    let follower = Arc::new(Follower(tokio::spawn(follow::follow(machine.clone()))));
    let local = |rules: &Arc<Rules>| {
        Arc::new(Local { machine: machine.clone(), rules: rules.clone(), _follower: follower.clone() })
    };
    machine.accounts.iter().map(local).collect()
}

/// Refuses when something is in an account that is not named any more: it would end.
pub fn left_behind(tx: &mut Tx<'_>, names: &[String]) -> Result<(), CloudError> {
    for (account, groups, balancers) in State::accounts(tx)? {
        if !names.contains(&account) {
            return Err(CloudError::Refused(format!(
                "account \"{account}\" is not in the configuration, but {groups} server groups and {balancers} load balancers are in it: \
                 put its [[account]] back; destroy and delete what is in it before you leave it out"
            )));
        }
    }
    Ok(())
}

impl Machine {
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the data plane says now; while it does not answer, what it said last.
    pub async fn look_again(&self) -> Seen {
        let asked = tokio::time::timeout(PATIENCE, Client::new(&self.options.dir).status()).await;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Ok(status)) = asked
            && seen.status.as_ref().is_none_or(|known| known.at <= status.at || known.pid != status.pid)
        {
            seen.status = Some(status);
        }
        seen.clone()
    }

    /// Whoever watches an account looks again.
    pub fn tell(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }

    /// Every account as it is in a transaction.
    pub fn load(&self, tx: &mut Tx<'_>) -> Result<Vec<State>, CloudError> {
        self.accounts.iter().map(|rules| State::load(tx, &rules.account)).collect()
    }

    /// Every account, at one moment.
    pub async fn states(self: &Arc<Self>) -> Result<Vec<State>, CloudError> {
        let machine = self.clone();
        self.store.read(move |tx| machine.load(tx)).await
    }

    /// What the data plane is told.
    pub fn wanted(&self, states: &[State]) -> Wanted {
        wanted::wanted(states.iter().zip(self.accounts.iter().map(|rules| &**rules)))
    }

    /// What accounts besides one hold.
    pub fn others(&self, states: &[State], account: &str) -> Others {
        let others = states.iter().zip(&self.accounts).filter(|(_, rules)| rules.account != account);
        Others::of(others.map(|(state, rules)| (state, &**rules)))
    }

    /// How an image is run: a folder by its unit, anything else as whoever makes images says.
    pub async fn launch(&self, image: &str) -> Result<Launch, CloudError> {
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

    /// What the data plane answers now, or why it does not.
    pub async fn asked<T, F>(&self, account: &str, ask: impl FnOnce(Client) -> F) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, ClientError>> + Send,
    {
        let unreachable = |why: String| CloudError::Unreachable { account: account.to_owned(), why };
        match tokio::time::timeout(PATIENCE, ask(Client::new(&self.options.dir))).await {
            Ok(answer) => answer.map_err(|error| unreachable(error.to_string())),
            Err(_) => Err(unreachable(format!("the data plane does not answer within {} ms", PATIENCE.as_millis()))),
        }
    }
}
