//! How a balancer chooses members and treats its clients: parts of the wanted state.

use serde::{Deserialize, Serialize};

/// A version of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyProtocol {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// When a member that fails requests is left out for a while. It counts as red then: when all others are, too, it is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ejection {
    /// Failures in a row: connections that it refused, broke off or left without an answer in time. Answers 500–599 are answers.
    pub failures: u32,
    /// Milliseconds that it is left out.
    pub for_ms: u64,
}

/// How a member is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Choice {
    /// In turn, as often as their weights say.
    #[default]
    RoundRobin,
    /// The one with the fewest open requests for its weight; in turn among equals.
    LeastConnections,
}

/// What keeps a client where it is. Where that is follows from the client's key alone, so it survives every restart, and when a member
/// leaves only its own clients move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stickiness {
    /// What tells clients apart.
    #[serde(flatten)]
    pub key: StickyKey,
    /// What it stays with.
    #[serde(default)]
    pub to: StickyTo,
}

/// What tells clients apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StickyKey {
    /// A cookie with a random number that we give to clients without one (`HttpOnly`, `SameSite=Lax`).
    Cookie {
        /// A cookie name.
        name: String,
        /// How long it is kept; default: until the browser ends.
        #[serde(default)]
        max_age_s: Option<u32>,
    },
    /// A header of the request, e.g. a user's id; requests without it are not sticky.
    Header {
        /// A header name.
        name: String,
    },
}

/// What a client stays with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StickyTo {
    /// One member.
    #[default]
    Member,
    /// A share's group (or the rest), any member of it.
    Group,
}

/// What a group takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The server group.
    pub group: String,
    /// Per cent, 0–100.
    pub percent: u8,
}
