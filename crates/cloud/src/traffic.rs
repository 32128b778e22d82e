//! How load balancers spread requests, what a group takes of them, and how what came of it is measured.
//!
//! Part of operations and of what exists. How a provider does it is in the provider.

use serde::{Deserialize, Serialize};

/// What each group did behind a load balancer, second by second, as the data plane's balancer measures it. Other providers translate.
pub use dataplane::status::{GroupSeries, Second, Series, Unserved};

/// How a load balancer treats requests, beside its listeners and its check. What is not said is as the provider has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Treatment {
    /// How an instance is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// What keeps a client at one instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// Milliseconds that requests and connections of an instance that leaves may take; then they are cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_ms: Option<u64>,
    /// Milliseconds that a request waits while no instance can take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_ms: Option<u64>,
    /// Networks of proxies whose word on the client's address is believed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<String>,
    /// Whether those proxies speak the PROXY protocol.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub proxy_protocol: bool,
    /// Whether instances are told by the PROXY protocol (1 or 2) whose TCP connection they get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_proxy: Option<u8>,
    /// When an instance that fails requests is left out for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ejection: Option<Ejection>,
}

/// When an instance that fails requests is left out for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ejection {
    /// Failures in a row: connections refused, broken off or not answered in time.
    pub failures: u32,
    /// Milliseconds.
    pub for_ms: u64,
}

/// How an instance is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Choice {
    /// In turn.
    RoundRobin,
    /// The one with the fewest open requests.
    LeastRequest,
}

/// What tells clients apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Affinity {
    /// A cookie that the load balancer gives.
    Cookie {
        /// Its name.
        name: String,
        /// Seconds that it is kept; without it until the browser ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_age: Option<u32>,
    },
    /// A header that clients send, e.g. with a user's id.
    Header {
        /// Its name.
        name: String,
    },
}

/// What a group takes of the requests of its load balancers, however many instances it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// Per cent.
    pub percentage: u8,
    /// What tells clients apart: then it is a share of clients, each of which stays on its side. Without it a share of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Affinity>,
}

/// A quantile of many seconds, from those of the single ones: half of the answers came in seconds with at most this one, in microseconds.
pub fn typical(seconds: &[Second], quantile: fn(&Second) -> u64) -> u64 {
    let mut all: Vec<(u64, u64)> = seconds.iter().map(|second| (quantile(second), second.answers)).collect();
    all.sort_unstable();
    let half = all.iter().map(|(_, answers)| answers).sum::<u64>().div_ceil(2);
    let mut seen = 0;
    let middle = all.into_iter().find(|(_, answers)| {
        seen += answers;
        half > 0 && seen >= half
    });
    middle.map_or(0, |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typical_quantile_is_that_of_the_median_answer() {
        let second = |answers, p99_us| Second {
            at: 0,
            requests: answers,
            failures: 0,
            retries: 0,
            answers,
            p50_us: 1,
            p90_us: 1,
            p99_us,
            max_us: p99_us,
        };
        assert_eq!(typical(&[second(1, 900), second(10, 20), second(8, 30)], |second| second.p99_us), 20);
        assert_eq!(typical(&[], |second| second.p99_us), 0);
    }
}
