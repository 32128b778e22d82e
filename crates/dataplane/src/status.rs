//! What the data plane says about itself: balancers, members, instances, counters, events.
//!
//! Times are UTC milliseconds. Unknown fields are ignored by readers. What it was told to do is in [`crate::wanted`].

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::wanted::{MemberState, Protocol};

/// The whole state of the data plane at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// See [`crate::wanted::SCHEMA`].
    pub schema: u32,
    /// The program's version.
    pub version: String,
    /// The data plane's process.
    pub pid: u32,
    /// When it started.
    pub started_at: i64,
    /// Now, by its clock.
    pub at: i64,
    /// The generation in force; `None` until the first wanted state arrives.
    pub generation: Option<u64>,
    /// The last event's number (see [`Events`]).
    pub seq: u64,
    /// What instances are kept apart by, and why not more.
    pub isolation: Isolation,
    /// One for each wanted balancer.
    #[serde(default)]
    pub balancers: Vec<BalancerStatus>,
    /// One for each wanted instance, and those that are still ending.
    #[serde(default)]
    pub instances: Vec<InstanceStatus>,
}

/// What instances are kept apart by on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// The best that can be had.
    pub kind: IsolationKind,
    /// One sentence: what was tried, what refused.
    pub why: String,
}

/// Kinds of isolation, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolationKind {
    /// Mount and PID namespaces, an own root, an unprivileged user.
    Namespaces,
    /// The same inside a user namespace of an ordinary user.
    UserNamespace,
    /// A plain process in a plain folder.
    None,
}

/// One balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BalancerStatus {
    /// Its name.
    pub id: String,
    /// Its listeners, in the wanted order.
    pub listeners: Vec<ListenerStatus>,
    /// Its members, in the wanted order.
    pub members: Vec<MemberStatus>,
    /// Counters by server group, also of groups that left (the last 50), oldest first.
    #[serde(default)]
    pub groups: Vec<GroupStatus>,
    /// Everything together, with what never reached a member.
    pub total: Counters,
    /// Requests answered 503 because no member could take them.
    pub no_member: u64,
    /// Requests refused for their framing, size or slowness.
    pub refused_requests: u64,
    /// Connections and requests of clients that no firewall lets in.
    #[serde(default)]
    pub turned_away: u64,
    /// When the set of groups that take traffic last changed.
    pub last_switch: Option<Switch>,
    /// The checks of its members.
    #[serde(default)]
    pub checks: Checked,
}

/// How single checks ended, since this process knows the balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checked {
    /// As expected.
    pub passed: u64,
    /// Otherwise, or not in time.
    pub failed: u64,
}

/// A change of the groups that take traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// When it was in force in every thread.
    pub at: i64,
    /// By which wanted state.
    pub generation: u64,
    /// Groups with active members before.
    pub from: Vec<String>,
    /// Groups with active members since.
    pub to: Vec<String>,
}

/// One listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStatus {
    /// As wanted.
    pub wanted: SocketAddr,
    /// Where it really listens; `None` while it cannot.
    pub bound: Option<SocketAddr>,
    /// As wanted.
    pub protocol: Protocol,
    /// Why it does not listen, e.g. `port in use by pid 4711 (nginx)`. It is tried again every second.
    pub problem: Option<String>,
}

/// One member of a balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberStatus {
    /// Its name.
    pub id: String,
    /// Its server group.
    pub group: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its share.
    pub weight: u32,
    /// As wanted.
    pub state: MemberState,
    /// As checked.
    pub health: Health,
    /// Whether it is left out for a while, because it failed requests.
    #[serde(default)]
    pub ejected: bool,
    /// What it did.
    pub counters: Counters,
}

/// Counters of one server group in one balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupStatus {
    /// The server group.
    pub group: String,
    /// What its members did, also those that left.
    pub counters: Counters,
    /// When the last request was given to it.
    pub last_request_at: Option<i64>,
}

/// What was moved, and what went wrong.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Requests (HTTP) and connections (TCP) given to a member.
    pub requests: u64,
    /// Requests, connections and upgrades running now: what would break if the member ended at once.
    pub open: u64,
    /// Answers 500–599 that the member gave itself.
    pub status_5xx: u64,
    /// Connections that the member did not accept (another member was tried when there was one).
    pub refused: u64,
    /// Connections that the member broke off before an answer was complete.
    pub reset: u64,
    /// Answers that did not come in time.
    pub timed_out: u64,
    /// Requests that were sent once more, and why is above.
    pub retried: u64,
    /// Requests that the client gave up; no failure of ours.
    pub abandoned: u64,
    /// Requests whose client got an error that we made (502, 504, a broken connection).
    pub failed: u64,
    /// From the last byte of the request's head to the answer's head.
    #[serde(default)]
    pub latency: Latency,
}

/// A histogram: how many answers took at most so many microseconds. Empty buckets are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Latency {
    /// `[upper bound in µs, count]`, ascending.
    pub buckets: Vec<(u64, u64)>,
}

impl Latency {
    /// The upper bound in µs of the bucket that holds the quantile `q` (0.0–1.0), e.g. 0.99.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let total: u64 = self.buckets.iter().map(|(_, n)| n).sum();
        let rank = ((total as f64) * q).ceil().max(1.0) as u64;
        let mut seen = 0;
        self.buckets.iter().find_map(|(bound, n)| {
            seen += n;
            (total > 0 && seen >= rank).then_some(*bound)
        })
    }
}

/// What one balancer did, second by second, at most for the last hour (`GET /series?balancer=ID&since=MS`):
///
/// ```json
/// {"at": 1790000000500, "balancer": "web",
///  "groups": [{"group": "app-v001", "seconds": [{"at": 1789999999000, "requests": 120, "failures": 0, "retries": 0,
///    "answers": 119, "p50_us": 767, "p90_us": 1023, "p99_us": 2047, "max_us": 4095}]}],
///  "unserved": [{"at": 1789999998000, "requests": 3}]}
/// ```
///
/// The second that is running is not in it yet; seconds in which nothing happened are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Now, by the data plane's clock.
    pub at: i64,
    /// The balancer.
    pub balancer: String,
    /// By server group, also of groups that left (the last 50), oldest first.
    pub groups: Vec<GroupSeries>,
    /// Requests answered 503 because no member could take them: no group's fault.
    #[serde(default)]
    pub unserved: Vec<Unserved>,
}

/// The seconds of one server group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupSeries {
    /// The server group.
    pub group: String,
    /// Oldest first.
    pub seconds: Vec<Second>,
}

/// What a group did in one second. Times are upper bounds of histogram buckets, at most a quarter above the true value; 0 without answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// When it began.
    pub at: i64,
    /// Requests (HTTP) and connections (TCP) given to a member.
    pub requests: u64,
    /// What clients saw fail: answers 500–599 of members, and errors that we made when a member refused, broke off or was late.
    pub failures: u64,
    /// Requests that were sent once more.
    pub retries: u64,
    /// Answers that came in this second; the times below are theirs.
    pub answers: u64,
    /// Half of the answers took at most so many µs.
    pub p50_us: u64,
    /// Nine of ten.
    pub p90_us: u64,
    /// 99 of 100.
    pub p99_us: u64,
    /// The slowest one.
    pub max_us: u64,
}

/// Requests of one second that no member could take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unserved {
    /// When it began.
    pub at: i64,
    /// How many.
    pub requests: u64,
}

/// What the checks say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Green, red, or not known yet.
    pub state: HealthState,
    /// Since when.
    pub since: i64,
    /// One sentence: what the last check asked and what it got, e.g.
    /// `GET http://127.0.0.1:20001/ answered 500, expected 200-399`.
    pub why: String,
}

/// Green, red, or not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Checked, but not often enough for a verdict.
    Starting,
    /// Green.
    Up,
    /// Red.
    Down,
    /// There is no check.
    Unknown,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceStatus {
    /// Its name.
    pub id: String,
    /// Its server group.
    pub group: String,
    /// Its zone.
    pub zone: String,
    /// What its shim says.
    pub state: InstanceState,
    /// Since when.
    pub since: i64,
    /// The shim's process, seen from this machine.
    pub shim_pid: Option<u32>,
    /// The program's process, seen from this machine.
    pub pid: Option<u32>,
    /// The port it was given.
    pub port: Option<u16>,
    /// TCP ports that its processes do listen on, ascending.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// How the program last ended.
    pub exit: Option<Exit>,
    /// How often it was started again.
    pub restarts: u64,
    /// The last lines it wrote.
    #[serde(default)]
    pub lines: Vec<String>,
    /// What the checks say.
    pub health: Health,
    /// How this instance is kept apart.
    pub isolation: IsolationKind,
    /// What could not be had for it (limits, isolation), or why it could not be started.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What an instance's program is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// The shim is being started.
    Starting,
    /// The program runs.
    Running,
    /// The program ended and will be started again after a pause.
    Waiting,
    /// It was told to end.
    Stopping,
    /// The program ended and is left so.
    Ended,
    /// It could not be started; a warning says why. Tried again with growing pauses.
    Failed,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// When.
    pub at: i64,
}

/// The answer to `PUT /wanted`, given when it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The generation in force.
    pub generation: u64,
    /// What could not be done at once, by name, e.g. `balancer web: 127.0.0.1:8080: port in use by pid 4711 (nginx)`.
    #[serde(default)]
    pub problems: Vec<String>,
}

/// The answer to `GET /events?after=SEQ&wait=MS`: at once when there is something after `after`, else after `wait` at the latest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// Ask with this next time.
    pub seq: u64,
    /// Events were lost in between (or the data plane restarted): read the status.
    pub reset: bool,
    /// What happened, oldest first.
    pub events: Vec<Event>,
}

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: i64,
    /// What kind of thing changed.
    pub kind: EventKind,
    /// The balancer's or instance's name, or `balancer/member`.
    pub id: String,
    /// One sentence.
    pub text: String,
}

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A wanted state came into force.
    Wanted,
    /// The groups that take traffic changed.
    Switch,
    /// A member's health changed; `id` is `balancer/member`.
    MemberHealth,
    /// An instance's health changed.
    InstanceHealth,
    /// An instance's state changed.
    Instance,
    /// A listener began or ceased to listen.
    Listener,
}
