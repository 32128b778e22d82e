//! What may be called: hosts with a port, ranges of addresses, or everything public.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An entry of `allow` that says nothing that can be judged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is none of host:port, address/bits, public")]
pub struct BadRule(String);

/// The entries of `allow` under `[outgoing]`: `host:port` (the host is trusted wherever its name leads), `address` or `address/bits`, and `public` for
/// every address of the public internet. Empty allows nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Allow(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Host(String, u16),
    Range(IpAddr, u8),
    Public,
}

impl Allow {
    /// True when nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when `host` may be called at `address`, which is what it resolved to.
    pub fn permits(&self, host: &str, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.0.iter().any(|rule| match rule {
            Rule::Host(name, port) => name.eq_ignore_ascii_case(host) && *port == address.port(),
            Rule::Range(base, bits) => within(ip, *base, *bits),
            Rule::Public => is_public(ip),
        })
    }
}

impl TryFrom<Vec<String>> for Allow {
    type Error = BadRule;

    fn try_from(entries: Vec<String>) -> Result<Self, BadRule> {
        entries.iter().map(|entry| entry.parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl From<Allow> for Vec<String> {
    fn from(allow: Allow) -> Self {
        allow.0.iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
            Self::Range(base, bits) => write!(f, "{base}/{bits}"),
            Self::Public => f.write_str("public"),
        }
    }
}

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(entry: &str) -> Result<Self, BadRule> {
        let bad = || BadRule(entry.into());
        if entry == "public" {
            return Ok(Self::Public);
        }
        if let Ok(ip) = entry.parse::<IpAddr>() {
            return Ok(Self::Range(ip, if ip.is_ipv4() { 32 } else { 128 }));
        }
        if let Some((ip, bits)) = entry.split_once('/') {
            let ip: IpAddr = ip.parse().map_err(|_| bad())?;
            let bits: u8 = bits.parse().map_err(|_| bad())?;
            let most = if ip.is_ipv4() { 32 } else { 128 };
            return if bits <= most { Ok(Self::Range(ip, bits)) } else { Err(bad()) };
        }
        let (host, port) = entry.rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        let host = host.trim_matches(['[', ']']);
        if host.is_empty() || host.contains(['/', '@', '*']) || host.chars().any(char::is_whitespace) {
            return Err(bad());
        }
        Ok(Self::Host(host.into(), port))
    }
}

fn within(ip: IpAddr, base: IpAddr, bits: u8) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let shift = width - u32::from(bits);
        shift >= 128 || a >> shift == b >> shift
    };
    match (ip, base) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
        _ => false,
    }
}

/// The special-purpose registries of IANA, as far as they are not reachable from everywhere.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !is_special(ip),
        IpAddr::V6(ip) => {
            let head = ip.segments()[0];
            let inner = match ip.segments() {
                // 6to4 and NAT64 carry an IPv4 address that the other end would call.
                [0x2002, a, b, ..] | [0x64, 0xff9b, 0, 0, 0, 0, a, b] => {
                    Some(Ipv4Addr::from((u32::from(a) << 16) | u32::from(b)))
                }
                _ => None,
            };
            let documentation = ip.segments()[..2] == [0x2001, 0xdb8];
            let global = head & 0xe000 == 0x2000 || ip.segments()[..2] == [0x64, 0xff9b];
            global && !documentation && !is_teredo(ip) && !inner.is_some_and(is_special)
        }
    }
}

fn is_teredo(ip: Ipv6Addr) -> bool {
    ip.segments()[..2] == [0x2001, 0]
}

fn is_special(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(entries: &[&str]) -> Allow {
        Allow::try_from(entries.iter().map(ToString::to_string).collect::<Vec<_>>()).expect("good rules")
    }

    #[track_caller]
    fn check(entries: &[&str], host: &str, address: &str, expected: bool) {
        let got = allow(entries).permits(host, address.parse().expect("an address"));
        assert_eq!(got, expected, "{host} at {address} under {entries:?}");
    }

    #[test]
    fn nothing_is_allowed_implicitly() {
        check(&[], "example.org", "93.184.216.34:443", false);
        check(&[], "localhost", "127.0.0.1:80", false);
    }

    #[test]
    fn a_host_is_allowed_at_its_port_only() {
        check(&["ci.example.org:8443"], "CI.example.org", "10.0.0.7:8443", true);
        check(&["ci.example.org:8443"], "ci.example.org", "10.0.0.7:443", false);
        check(&["ci.example.org:8443"], "example.org", "10.0.0.7:8443", false);
        check(&["127.0.0.1:9001"], "127.0.0.1", "127.0.0.1:9001", true);
    }

    #[test]
    fn a_range_holds_what_its_bits_say() {
        check(&["10.1.0.0/16"], "a", "10.1.255.1:80", true);
        check(&["10.1.0.0/16"], "a", "10.2.0.1:80", false);
        check(&["0.0.0.0/0"], "a", "169.254.169.254:80", true);
        check(&["fd00::/8"], "a", "[fd12::1]:80", true);
        check(&["10.0.0.0/8"], "a", "[::ffff:10.0.0.1]:80", true);
    }

    #[test]
    fn public_means_reachable_from_everywhere() {
        for address in ["93.184.216.34:80", "[2606:2800:220:1::1]:443"] {
            check(&["public"], "a", address, true);
        }
        for address in [
            "127.0.0.1:80",
            "10.0.0.1:80",
            "192.168.1.1:80",
            "172.16.0.1:80",
            "169.254.169.254:80",
            "100.64.0.1:80",
            "0.0.0.0:80",
            "255.255.255.255:80",
            "[::1]:80",
            "[fe80::1]:80",
            "[fd00::1]:80",
            "[::ffff:127.0.0.1]:80",
            "[2002:7f00:1::]:80",
            "[64:ff9b::a9fe:a9fe]:80",
            "[2001:db8::1]:80",
        ] {
            check(&["public"], "a", address, false);
        }
    }

    #[test]
    fn an_entry_that_cannot_be_judged_is_refused() {
        for entry in ["", "example.org", "10.0.0.0/33", "*:80", "http://a:80", "a b:80", "a:99999"] {
            assert_eq!(entry.parse::<Rule>(), Err(BadRule(entry.into())), "{entry}");
        }
    }
}
