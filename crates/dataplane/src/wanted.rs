//! The wanted state: everything the data plane shall be doing, as one value.
//!
//! The control plane always sends the whole state, never a command (level, not edge): the data plane compares and does what is
//! missing. It is kept in `DATA/wanted.json` and served again after the data plane's own restart.
//! Unknown fields are ignored, so that an older data plane understands a newer control plane; [`SCHEMA`] is checked.
//! What the data plane makes of it is in [`crate::status`].

mod check;
mod choice;
mod network;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use choice::{Choice, Ejection, ProxyProtocol, Share, Stickiness, StickyKey, StickyTo};
pub use network::{Network, NetworkError};

/// The version of this document. A data plane takes this one and the one before.
pub const SCHEMA: u32 = 1;

/// The whole wanted state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// See [`SCHEMA`].
    pub schema: u32,
    /// Grows with every change; an older one than the one in force is refused, the same one may be sent again.
    pub generation: u64,
    /// Load balancers and preview addresses.
    #[serde(default)]
    pub balancers: Vec<Balancer>,
    /// Programs that shall run on this machine.
    #[serde(default)]
    pub instances: Vec<Instance>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { schema: SCHEMA, generation: 0, balancers: Vec::new(), instances: Vec::new() }
    }
}

/// One load balancer: listeners in front, members behind. A preview address is one more balancer whose members are one group's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Balancer {
    /// Its name, unique among balancers; a resource name (see [`valid_id`]).
    pub id: String,
    /// Where clients connect.
    pub listeners: Vec<Listener>,
    /// How members are checked. A member whose instance has the same check at the same address is checked once, not twice.
    #[serde(default)]
    pub health: Option<HealthCheck>,
    /// Where requests go.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Peers that are proxies: what they say in `X-Forwarded-*` and `Forwarded` is continued; anybody else's is replaced.
    #[serde(default)]
    pub trusted_proxies: Vec<Network>,
    /// Milliseconds that running requests, connections and tunnels of a draining member may take; then they are cut. Counted from the
    /// moment it began to drain; a change does not move a deadline that runs already. Default: as long as they want.
    #[serde(default)]
    pub drain_ms: Option<u64>,
    /// Milliseconds that a request waits while no member is fit to take it or none accepts its connection (the only one is being
    /// replaced, say), before it is given to a red member or answered 502 or 503 (HTTP only). Default: it does not wait.
    #[serde(default)]
    pub hold_ms: Option<u64>,
    /// How a member is chosen among those that may take a request.
    #[serde(default)]
    pub choice: Choice,
    /// What keeps a client where it is (HTTP only).
    #[serde(default)]
    pub stickiness: Option<Stickiness>,
    /// Members of TCP connections are told by this head whose connection it is. Default: they are not.
    #[serde(default)]
    pub send_proxy: Option<ProxyProtocol>,
    /// When a member that fails requests is left out for a while, without waiting for its check. Default: never.
    #[serde(default)]
    pub ejection: Option<Ejection>,
    /// What groups take together, however many members they have; the rest goes to the groups that are not named here, by weight. With
    /// stickiness it is a share of clients, else of requests. A client that lies in a share stays there when it grows, as long as the
    /// order of this list stays. A share whose members are all less fit than others is void meanwhile.
    #[serde(default)]
    pub shares: Vec<Share>,
}

/// An address on which a balancer accepts connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Address and port. Port 0 lets the system choose; the status says which.
    pub address: SocketAddr,
    /// What is spoken there.
    #[serde(default)]
    pub protocol: Protocol,
    /// Networks that may connect; others are cut off at once, and with their next request when they are in. Default: everybody.
    #[serde(default)]
    pub allow: Option<Vec<Network>>,
    /// Every connection begins with a head of the PROXY protocol (1 or 2) of one of the balancer's trusted proxies; others are cut off.
    #[serde(default)]
    pub proxy_protocol: bool,
    /// Speaks TLS with these, and inside it what `protocol` says. The first is for clients that name no other. Default: no TLS.
    #[serde(default)]
    pub certificates: Vec<Certificate>,
}

/// A certificate in files, which are read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Certificate {
    /// The chain, PEM, the server's own first.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1, balanced request by request.
    Http,
    /// Bytes, balanced connection by connection: a connection stays with its member until it is closed.
    Tcp,
    /// A connection that begins with an HTTP/1.x request line is balanced as `http`, any other as `tcp`. The choice for a
    /// "network" listener whose health check is HTTP: keep-alive clients then leave a drained group after their running request.
    #[default]
    Auto,
    /// Datagrams, balanced by flow: what comes from one address and port goes to one member, whose answers go back the same way.
    Udp,
}

/// One target of a balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Unique within the balancer; usually the instance's id.
    pub id: String,
    /// The server group, for counters a group.
    pub group: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its share relative to the other members; 0 takes no new requests.
    #[serde(default = "one")]
    pub weight: u32,
    /// Whether it takes new requests.
    #[serde(default)]
    pub state: MemberState,
}

/// Whether a member takes new requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Takes requests while it is healthy.
    #[default]
    Active,
    /// Takes no new request or connection; what is running there ends in its own time. `open` in the status counts it.
    Draining,
    /// Takes nothing; open connections are cut.
    Out,
}

/// An active health check.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What is asked.
    #[serde(flatten)]
    pub probe: Probe,
    /// Milliseconds between two checks.
    #[serde(default = "ten_seconds")]
    pub interval_ms: u64,
    /// Milliseconds until a check without an answer has failed.
    #[serde(default = "five_seconds")]
    pub timeout_ms: u64,
    /// Good checks in a row that turn it green.
    #[serde(default = "two")]
    pub rise: u32,
    /// Bad checks in a row that turn it red.
    #[serde(default = "three")]
    pub fall: u32,
}

/// What a health check asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Probe {
    /// `GET path` must answer with an expected status.
    Http {
        /// Begins with `/`.
        path: String,
        /// Another port than the member's.
        #[serde(default)]
        port: Option<u16>,
        /// Ranges of good statuses; default 200–399.
        #[serde(default = "good_statuses")]
        expect: Vec<StatusRange>,
    },
    /// A connection must be accepted.
    Tcp {
        /// Another port than the member's.
        #[serde(default)]
        port: Option<u16>,
    },
}

/// HTTP statuses `from..=to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusRange {
    /// The first good one.
    pub from: u16,
    /// The last good one.
    pub to: u16,
}

/// A program that shall run, under a shim of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Unique among instances; also a folder's name (see [`valid_id`]), e.g. `hellospinnaker-v000-x7k2`.
    pub id: String,
    /// Its server group.
    pub group: String,
    /// Whose it is, where that is not the machine's own account: groups of others may have the same name. It tells people only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Its zone, e.g. `local-a`.
    #[serde(default)]
    pub zone: String,
    /// What it sees as its file system.
    pub root: Root,
    /// Program and arguments. Not a shell line.
    pub command: Vec<String>,
    /// Its environment beside `PORT`, `HOST`, `PATH`, `HOME`, `LANG`, which are set by the shim unless given here.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The loopback port it shall listen on: given to it as `PORT`.
    #[serde(default)]
    pub port: Option<u16>,
    /// The user the program runs as (a systemd unit's `User=`); default: an unprivileged number of its own.
    #[serde(default)]
    pub user: Option<String>,
    /// Its working directory inside the root; default `/`.
    #[serde(default)]
    pub directory: Option<PathBuf>,
    /// Folders of this machine that it also sees, read-only, at the same path (see [`crate::interpreter`]).
    #[serde(default)]
    pub extra_binds: Vec<PathBuf>,
    /// Folders in front of its `PATH`.
    #[serde(default)]
    pub path: Vec<PathBuf>,
    /// Limits on what it may use.
    #[serde(default)]
    pub limits: Limits,
    /// What happens when the program ends by itself.
    #[serde(default)]
    pub restart: Restart,
    /// Milliseconds between `TERM` and `KILL`.
    #[serde(default = "ten_seconds")]
    pub grace_ms: u64,
    /// How it is checked, whether or not a balancer sends it traffic.
    #[serde(default)]
    pub health: Option<HealthCheck>,
    /// Another number restarts it (reboot).
    #[serde(default)]
    pub run: u64,
}

impl Instance {
    /// An instance with nothing but what is always needed; the rest has its default.
    pub fn new(id: impl Into<String>, group: impl Into<String>, root: Root, command: Vec<String>) -> Self {
        Self {
            id: id.into(),
            group: group.into(),
            account: String::new(),
            zone: String::new(),
            root,
            command,
            env: BTreeMap::new(),
            port: None,
            user: None,
            directory: None,
            extra_binds: Vec::new(),
            path: Vec::new(),
            limits: Limits::default(),
            restart: Restart::default(),
            grace_ms: ten_seconds(),
            health: None,
            run: 0,
        }
    }

    /// Whether a running `other` must be ended and started anew to become `self`.
    pub fn needs_restart(&self, other: &Self) -> bool {
        let launch = |i: &Self| Self {
            group: String::new(),
            account: String::new(),
            zone: String::new(),
            health: None,
            grace_ms: 0,
            ..i.clone()
        };
        launch(self) != launch(other)
    }
}

/// What an instance sees as its file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Root {
    /// A fresh skeleton; `/usr` is a read-only overlay of the layers' `usr` over the host's. Where no namespaces can be had, the
    /// command runs in the first layer's folder without isolation, and the status says why.
    Host {
        /// Folders with unpacked packages, topmost first.
        layers: Vec<PathBuf>,
    },
    /// No isolation of the file system, on purpose: the command runs in this folder; absolute paths that exist in it are meant there.
    Folder {
        /// The folder with the unpacked package.
        dir: PathBuf,
    },
    /// A whole root file system, with a private writable layer on top.
    RootFs {
        /// Folders, topmost first; the last holds the base system.
        layers: Vec<PathBuf>,
    },
}

/// Limits on what an instance may use. Memory and CPU need cgroup v2; where it is missing the status carries a warning.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Thousandths of a CPU.
    #[serde(default)]
    pub cpu_milli: Option<u32>,
    /// Processes and threads.
    #[serde(default)]
    pub processes: Option<u64>,
    /// Open files.
    #[serde(default)]
    pub open_files: Option<u64>,
    /// Bytes of one log file before it is rotated; two are kept. Default 8 MiB.
    #[serde(default)]
    pub log_bytes: Option<u64>,
}

/// What happens when the program ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Started again, with growing pauses (0.1 s to 30 s).
    #[default]
    Always,
    /// Started again unless it ended with 0.
    OnFailure,
    /// Left ended.
    Never,
}

/// Why a wanted state is refused as a whole.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WantedError {
    /// From a control plane that this data plane cannot follow.
    #[error(
        "wanted state has schema {0}; this data plane knows {SCHEMA}: restart the data plane with the newer binary"
    )]
    Schema(u32),
    /// A name that cannot be a name.
    #[error("{place}: `{id}` is no valid name: letters, digits, `.`, `_` and `-`, not first `.` or `-`, at most 100")]
    Id {
        /// Where it stands.
        place: String,
        /// The text.
        id: String,
    },
    /// Two things of one name.
    #[error("{place}: `{id}` appears twice")]
    Twice {
        /// Where it stands.
        place: String,
        /// The name.
        id: String,
    },
    /// A value outside its bounds.
    #[error("{place}: {what}")]
    Value {
        /// Where it stands.
        place: String,
        /// What is wrong and what is allowed.
        what: String,
    },
}

/// Whether a text may name a balancer, member, group or instance: it becomes a file's name and a log field.
pub fn valid_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 100
        && !id.starts_with(['.', '-'])
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn one() -> u32 {
    1
}
fn two() -> u32 {
    2
}
fn three() -> u32 {
    3
}
fn five_seconds() -> u64 {
    5_000
}
fn ten_seconds() -> u64 {
    10_000
}
fn good_statuses() -> Vec<StatusRange> {
    vec![StatusRange { from: 200, to: 399 }]
}
