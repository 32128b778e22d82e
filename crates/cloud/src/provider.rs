//! The trait that every cloud implements, and what its methods take and give.
//!
//! A provider is one account. Operations are started under a key and are then polled; a key that was started before gives the same handle
//! again, also after a restart, so that an engine that runs things at least once creates things at most once.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::inventory::{Account, Firewall, Image, Instance, Inventory, LoadBalancer, ServerGroup};
use crate::measures::Measures;
use crate::names::{GroupName, NameError};
use crate::operation::Operation;
use crate::traffic::Series;

/// What can go wrong with a cloud.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// No such account is configured.
    #[error("no account \"{0}\" is configured; known accounts: {1}")]
    NoAccount(String, String),
    /// The thing does not exist.
    #[error("{what} \"{name}\" does not exist in account {account}")]
    NotFound {
        /// Which kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
        /// Where it was looked for.
        account: String,
    },
    /// The operation cannot be done as described; trying again does not help.
    #[error("{0}")]
    Refused(String),
    /// The provider does not know this operation.
    #[error("account {account} ({provider}) cannot {operation}")]
    Unsupported {
        /// The account.
        account: String,
        /// Its provider.
        provider: String,
        /// The operation's name.
        operation: &'static str,
    },
    /// A key was used before for another operation.
    #[error("the key {0} was used for another operation")]
    KeyReused(String),
    /// The cloud asks to come back later.
    #[error("account {account} asks to wait {} s: {why}", wait.as_secs())]
    Throttled {
        /// The account.
        account: String,
        /// How long.
        wait: Duration,
        /// What it said.
        why: String,
    },
    /// The cloud could not be reached, or answered with an error of its own; it may have done what was asked.
    #[error("account {account} did not answer: {why}")]
    Unreachable {
        /// The account.
        account: String,
        /// What happened.
        why: String,
    },
    /// Our own store failed.
    #[error("{0}")]
    Store(String),
}

impl CloudError {
    /// Whether the same call may succeed later.
    pub fn may_retry(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unreachable { .. } | Self::Store(_))
    }
}

impl From<NameError> for CloudError {
    fn from(error: NameError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// The idempotency key of an operation: the same on every attempt, also after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(String);

impl Key {
    /// Any text that the caller keeps.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A started operation. It can be stored and polled by another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// Account that does it.
    pub account: String,
    /// The operation's id there.
    pub id: String,
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum Progress {
    /// Not done yet.
    Running {
        /// What it waits for, in one sentence.
        reason: String,
    },
    /// Done; reads show it.
    Done {
        /// What came of it.
        result: Outcome,
    },
    /// It could not be done.
    Failed {
        /// Why, in one sentence.
        error: String,
    },
    /// Somebody cancelled it before it was done.
    Cancelled,
}

/// What came of an operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Region where it happened.
    pub region: String,
    /// Server groups that were made.
    #[serde(default)]
    pub server_groups: Vec<String>,
    /// Load balancers that were made or changed.
    #[serde(default)]
    pub load_balancers: Vec<String>,
    /// Addresses that the made things answer on, by name.
    #[serde(default)]
    pub addresses: Vec<(String, String)>,
}

/// Which part of an inventory is asked for. An empty query asks for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Of this application only; letters' case does not matter.
    pub application: Option<String>,
    /// Leave these out when they are slow to get and not needed.
    pub without_images: bool,
}

impl Query {
    /// Everything of one application.
    pub fn of(application: &str) -> Self {
        Self { application: Some(application.to_owned()), without_images: true }
    }

    /// Whether something of this application is asked for.
    pub fn wants(&self, application: &str) -> bool {
        self.application.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(application))
    }
}

/// One thing of an inventory, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceId {
    /// A server group.
    ServerGroup {
        /// Where.
        region: String,
        /// Which.
        name: GroupName,
    },
    /// A load balancer.
    LoadBalancer {
        /// Where.
        region: String,
        /// Which.
        name: String,
    },
    /// An instance.
    Instance {
        /// Where.
        region: String,
        /// Which.
        id: String,
    },
    /// An image.
    Image(String),
    /// A firewall.
    Firewall {
        /// Where.
        region: String,
        /// Which.
        name: String,
    },
}

/// One thing of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A server group.
    ServerGroup(ServerGroup),
    /// A load balancer.
    LoadBalancer(LoadBalancer),
    /// An instance.
    Instance(Instance),
    /// An image.
    Image(Image),
    /// A firewall.
    Firewall(Firewall),
}

impl Resource {
    /// The server group, if it is one.
    pub fn server_group(self) -> Option<ServerGroup> {
        if let Self::ServerGroup(group) = self { Some(group) } else { None }
    }

    /// The load balancer, if it is one.
    pub fn load_balancer(self) -> Option<LoadBalancer> {
        if let Self::LoadBalancer(balancer) = self { Some(balancer) } else { None }
    }

    /// The firewall, if it is one.
    pub fn firewall(self) -> Option<Firewall> {
        if let Self::Firewall(firewall) = self { Some(firewall) } else { None }
    }

    /// The instance, if it is one.
    pub fn instance(self) -> Option<Instance> {
        if let Self::Instance(instance) = self { Some(instance) } else { None }
    }
}

/// One account of a cloud.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The account: name, regions, zones.
    fn describe(&self) -> Account;

    /// What exists, seen at one moment. What was changed before the call is seen.
    async fn list(&self, query: &Query) -> Result<Inventory, CloudError>;

    /// One thing, or `None` when it does not exist.
    async fn get(&self, id: &ResourceId) -> Result<Option<Resource>, CloudError>;

    /// A number that changes whenever something that `list` or `poll` shows has changed, so that nobody needs to ask again and again.
    fn watch(&self) -> watch::Receiver<u64>;

    /// Starts an operation. The same key and operation give the same handle, now and after a restart; nothing is done twice.
    async fn start(&self, operation: &Operation, key: &Key) -> Result<Handle, CloudError>;

    /// How far an operation is.
    async fn poll(&self, handle: &Handle) -> Result<Progress, CloudError>;

    /// Ends an operation that is not done; what it has made so far stays and is seen by `list`. A done one stays done.
    async fn cancel(&self, handle: &Handle) -> Result<(), CloudError>;

    /// What each group did behind a load balancer since a moment, as far back as it is known. None: this provider does not measure.
    async fn traffic(&self, region: &str, balancer: &str, since: Timestamp) -> Result<Option<Series>, CloudError> {
        let _ = (region, balancer, since);
        Ok(None)
    }

    /// Whether whoever runs the instances answers now; cheap, for it is asked every few seconds. A cloud that cannot be asked so is taken to.
    async fn reach(&self) -> Result<(), CloudError> {
        Ok(())
    }

    /// Numbers for a monitoring system, from whoever runs the instances, now: an error says that nobody answers there.
    async fn measure(&self) -> Result<Measures, CloudError> {
        let everything = Query { application: None, without_images: true };
        Ok(Measures::of(&self.list(&everything).await?))
    }

    /// The last lines that an instance has written.
    async fn logs(&self, region: &str, instance: &str, lines: usize) -> Result<Vec<String>, CloudError>;
}
