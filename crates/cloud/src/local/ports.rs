//! Chooses free loopback ports for instances, preview addresses and listeners.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Below the range from which Linux takes ports for outgoing connections: one of those could be sitting on a chosen port.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// Up to `count` ports on which nobody listens now, beginning somewhere that `seed` says, so that servers on one machine do not choose
/// the same. What is in `taken` is left out.
pub fn free(count: usize, seed: u64, taken: &BTreeSet<u16>) -> Vec<u16> {
    let size = u64::from(RANGE.end - RANGE.start);
    (0..size)
        .filter_map(|step| u16::try_from((seed.wrapping_add(step)) % size).ok())
        .map(|offset| RANGE.start + offset)
        .filter(|port| !taken.contains(port) && is_free(SocketAddr::from((Ipv4Addr::LOCALHOST, *port))))
        .take(count)
        .collect()
}

/// Whether one could listen there now.
pub fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok()
}
