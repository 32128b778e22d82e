//! The PROXY protocol, versions 1 and 2 (haproxy.org/download/2.8/doc/proxy-protocol.txt): a head in front of a connection that tells whose
//! it is. Read from trusted proxies, written to members of TCP listeners.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::wanted::ProxyProtocol;

/// How version 2 begins.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Longer than this version 1 may not be.
const LONGEST_V1: usize = 107;
/// Longer than this nobody's version 2 is, with all its extensions.
const LONGEST_V2: usize = 4096;

/// What a head says, and how long it is.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    /// Whose connection it is; a proxy's own checks say nothing.
    client: Option<SocketAddr>,
    length: usize,
}

/// Reads a head; what came behind it is the first of the connection's own bytes.
pub async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<(Option<SocketAddr>, Bytes)> {
    let mut seen = BytesMut::with_capacity(256);
    loop {
        if let Some(head) = parse(&seen)? {
            return Ok((head.client, seen.split_off(head.length).freeze()));
        }
        if stream.read_buf(&mut seen).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

/// Pure: the head at the beginning of these bytes; none while more must come.
fn parse(bytes: &[u8]) -> io::Result<Option<Head>> {
    let common = bytes.len().min(SIGNATURE.len());
    if bytes[..common] == SIGNATURE[..common] {
        return if common < SIGNATURE.len() { Ok(None) } else { parse_v2(bytes) };
    }
    let line = bytes.iter().take(LONGEST_V1).position(|byte| *byte == b'\n');
    let Some(end) = line else {
        let begun = b"PROXY ";
        let common = bytes.len().min(begun.len());
        return if bytes[..common] == begun[..common] && bytes.len() < LONGEST_V1 {
            Ok(None)
        } else {
            Err(wrong("no PROXY head"))
        };
    };
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| wrong("a PROXY head that is no text"))?;
    let words: Vec<&str> =
        text.strip_suffix('\r').ok_or_else(|| wrong("a PROXY head without CR"))?.split(' ').collect();
    let client = match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => None,
        ["PROXY", "TCP4" | "TCP6", source, _, port, _] => {
            let address: IpAddr = source.parse().map_err(|_| wrong("a PROXY head with a bad address"))?;
            Some(SocketAddr::new(address, port.parse().map_err(|_| wrong("a PROXY head with a bad port"))?))
        }
        _ => return Err(wrong("no PROXY head")),
    };
    Ok(Some(Head { client, length: end + 1 }))
}

fn parse_v2(bytes: &[u8]) -> io::Result<Option<Head>> {
    let Some(&[command, family, high, low]) = bytes.get(12..16) else { return Ok(None) };
    if command >> 4 != 2 {
        return Err(wrong("a PROXY head of an unknown version"));
    }
    let length = 16 + usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST_V2 {
        return Err(wrong("a PROXY head that is too long"));
    }
    let Some(body) = bytes.get(16..length) else { return Ok(None) };
    let port = |at: usize| body.get(at..at + 2).map(|port| u16::from_be_bytes([port[0], port[1]]));
    let client = match (command & 15, family >> 4) {
        // Its own: a health check.
        (0, _) | (1, 0) => None,
        (1, 1) => {
            let address: Option<[u8; 4]> = body.get(..4).and_then(|four| four.try_into().ok());
            address.zip(port(8)).map(|(address, port)| SocketAddr::from((address, port)))
        }
        (1, 2) => {
            let address: Option<[u8; 16]> = body.get(..16).and_then(|all| all.try_into().ok());
            address.zip(port(32)).map(|(address, port)| SocketAddr::from((address, port)))
        }
        _ => return Err(wrong("a PROXY head of an unknown kind")),
    };
    Ok(Some(Head { client, length }))
}

/// What a head is for, by its number in version 2.
#[derive(Debug, Clone, Copy)]
pub enum Transport {
    Stream = 1,
    Datagram = 2,
}

/// The head that tells a member whose connection or datagram it is.
pub fn head(version: ProxyProtocol, transport: Transport, client: SocketAddr, listener: SocketAddr) -> Vec<u8> {
    let (client, listener) = (canonical(client), canonical(listener));
    let (from, to) = match (client.ip(), listener.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (from.octets().to_vec(), to.octets().to_vec()),
        (from, to) => (six(from).to_vec(), six(to).to_vec()),
    };
    let is_four = from.len() == 4;
    match version {
        ProxyProtocol::V1 => {
            let family = if is_four { "TCP4" } else { "TCP6" };
            let address = |address: IpAddr| if is_four { address } else { IpAddr::from(six(address)) };
            let (from, to) = (address(client.ip()), address(listener.ip()));
            format!("PROXY {family} {from} {to} {} {}\r\n", client.port(), listener.port()).into_bytes()
        }
        ProxyProtocol::V2 => {
            let mut head = SIGNATURE.to_vec();
            head.extend([0x21, if is_four { 0x10 } else { 0x20 } | transport as u8]);
            head.extend(u16::try_from(from.len() * 2 + 4).unwrap_or(0).to_be_bytes());
            head.extend(from);
            head.extend(to);
            head.extend(client.port().to_be_bytes());
            head.extend(listener.port().to_be_bytes());
            head
        }
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn six(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "192.0.2.7:4711";
    const LISTENER: &str = "198.51.100.1:443";

    fn read_back(version: ProxyProtocol, client: &str, listener: &str) -> (Option<SocketAddr>, usize, usize) {
        let mut bytes = head(version, Transport::Stream, client.parse().unwrap(), listener.parse().unwrap());
        let length = bytes.len();
        // However it is cut, it is read once it is whole.
        for cut in 0..length {
            assert_eq!(parse(&bytes[..cut]).unwrap(), None, "{cut} of {length}");
        }
        bytes.extend(b"GET / HTTP/1.1\r\n");
        let head = parse(&bytes).unwrap().unwrap();
        (head.client, head.length, length)
    }

    #[test]
    fn what_is_written_is_read_in_both_versions_and_families() {
        for (client, listener) in [(CLIENT, LISTENER), ("[2001:db8::7]:4711", "[2001:db8::1]:443")] {
            for version in [ProxyProtocol::V1, ProxyProtocol::V2] {
                let (read, length, written) = read_back(version, client, listener);
                assert_eq!((read, length), (Some(client.parse().unwrap()), written), "{version:?}");
            }
        }
        let text = head(ProxyProtocol::V1, Transport::Stream, CLIENT.parse().unwrap(), LISTENER.parse().unwrap());
        assert_eq!(text, b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n");
    }

    #[test]
    fn a_proxys_own_connection_has_no_client() {
        for bytes in [&b"PROXY UNKNOWN\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"] {
            assert_eq!(parse(bytes).unwrap(), Some(Head { client: None, length: bytes.len() }));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let long = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 200]].concat();
        let wrong: [&[u8]; 8] = [
            b"GET / HTTP/1.1\r\n",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
            b"PROXY TCP4 one two 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 99999 2\r\n",
            &long,
            b"\r\n\r\n\0\r\nQUIT\n\x11\x11\x00\x0c",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        ];
        for bytes in wrong {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
