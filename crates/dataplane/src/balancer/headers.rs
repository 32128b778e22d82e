//! Which headers cross the balancer, and what we add. Hop-by-hop headers end here in both directions; what a stranger says about who he
//! is (`X-Forwarded-*`, `Forwarded`) is replaced by what we see; what a trusted proxy says is continued.

use std::net::{IpAddr, SocketAddr};

use httparse::Header;

use super::message::{Answer, Known, Length, Request, tokens};

/// The other end of a client's connection, as it is told to members.
pub struct Client {
    /// Its own address, not what it says of itself.
    pub ip: IpAddr,
    /// Whether it speaks TLS with us.
    pub secure: bool,
    /// Its address as text.
    address: Box<str>,
    /// The beginning of our element of `Forwarded`.
    element: Box<str>,
}

impl Client {
    /// Of a connection, plain or not.
    pub fn new(peer: SocketAddr, secure: bool) -> Self {
        let ip = peer.ip().to_canonical();
        let proto = Self::spoken(secure);
        let element = match ip {
            IpAddr::V4(ip) => format!("for={ip};proto={proto}"),
            IpAddr::V6(ip) => format!("for=\"[{ip}]\";proto={proto}"),
        };
        Self { ip, secure, address: ip.to_string().into(), element: element.into() }
    }

    /// What is spoken with it.
    fn spoken(secure: bool) -> &'static str {
        if secure { "https" } else { "http" }
    }

    /// Adds our element of `Forwarded` for a request to this host.
    fn forwarded(&self, host: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.element.as_bytes());
        if host.is_empty() {
            return;
        }
        out.extend_from_slice(b";host=");
        // A port's colon is no token.
        if host.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
            return out.extend_from_slice(host);
        }
        out.push(b'"');
        out.extend(host.iter().filter(|b| !matches!(b, b'"' | b'\\')));
        out.push(b'"');
    }
}

/// Writes a client's request as one of ours. `trusted`: the peer is a proxy; what it says about the client goes on, with itself added.
pub fn for_member(request: &Request<'_>, client: &Client, trusted: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(request.method.as_bytes());
    out.push(b' ');
    if !request.path.starts_with('/') && request.path != "*" {
        // A query without a path belongs to the root.
        out.push(b'/');
    }
    out.extend_from_slice(request.path.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    // What the target names rules over the header; HTTP/1.0 needs neither, 1.1 does.
    let mut host = request.authority.unwrap_or_default().as_bytes();
    if request.authority.is_some() {
        line(out, "host", host);
    }
    let (mut told_proto, mut told_host) = (false, false);
    let (mut forwarded_for, mut forwarded): (Vec<&[u8]>, Vec<&[u8]>) = (Vec::new(), Vec::new());
    let named = Named::of(request.headers);
    for header in request.headers {
        let known = Known::of(header.name);
        match known {
            Known::Host if request.authority.is_none() => host = header.value,
            Known::Host | Known::Expect | Known::Upgrade | Known::TransferEncoding | Known::Connection | Known::Hop => {
                continue;
            }
            Known::ContentLength => {}
            _ if named.has(header.name) => continue,
            Known::Other => {}
            _ if !trusted => continue,
            Known::ForwardedFor => {
                forwarded_for.push(header.value);
                continue;
            }
            Known::Forwarded => {
                forwarded.push(header.value);
                continue;
            }
            Known::ForwardedProto => told_proto = true,
            Known::ForwardedHost => told_host = true,
            Known::Origin => {}
        }
        line(out, header.name, header.value);
    }
    if host.is_empty() && !request.is_modern && request.authority.is_none() {
        line(out, "host", b"localhost");
    }
    tell(out, "x-forwarded-for", &forwarded_for, |out| out.extend_from_slice(client.address.as_bytes()));
    if !told_proto {
        line(out, "x-forwarded-proto", Client::spoken(client.secure).as_bytes());
    }
    tell(out, "forwarded", &forwarded, |out| client.forwarded(host, out));
    if !told_host && !host.is_empty() {
        line(out, "x-forwarded-host", host);
    }
    if request.length == Length::Chunked {
        line(out, "transfer-encoding", b"chunked");
    }
    if let Some(protocol) = request.upgrade {
        change(out, protocol);
    }
    out.extend_from_slice(b"\r\n");
}

/// How an answer goes on to its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// The connection ends with it.
    pub closes: bool,
    /// Its client speaks HTTP/1.1.
    pub is_modern: bool,
}

/// Writes a member's answer as one of ours; `cookie` is ours.
pub fn for_client(answer: &Answer<'_>, manner: Manner, cookie: Option<&str>, out: &mut Vec<u8>) {
    first(out, answer.status, answer.reason);
    let named = Named::of(answer.headers);
    let mut protocol: &[u8] = b"";
    for header in answer.headers {
        match Known::of(header.name) {
            Known::Upgrade => protocol = header.value,
            Known::TransferEncoding | Known::Connection | Known::Hop => {}
            Known::ContentLength => line(out, header.name, header.value),
            _ if named.has(header.name) => {}
            _ => line(out, header.name, header.value),
        }
    }
    if let Some(cookie) = cookie {
        line(out, "set-cookie", cookie.as_bytes());
    }
    if answer.status == 101 {
        change(out, protocol);
    } else {
        if manner.is_modern && matches!(answer.length, Length::Chunked | Length::Rest) {
            line(out, "transfer-encoding", b"chunked");
        }
        manner.tell(out);
    }
    out.extend_from_slice(b"\r\n");
}

impl Manner {
    fn tell(self, out: &mut Vec<u8>) {
        if self.closes {
            line(out, "connection", b"close");
        } else if !self.is_modern {
            line(out, "connection", b"keep-alive");
        }
    }
}

/// Writes an answer of our own.
pub fn own(status: u16, text: &str, manner: Manner, to_head: bool, out: &mut Vec<u8>) {
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    first(out, status, reason.unwrap_or_default());
    line(out, "content-type", b"text/plain; charset=utf-8");
    line(out, "x-content-type-options", b"nosniff");
    line(out, "content-length", text.len().to_string().as_bytes());
    manner.tell(out);
    out.extend_from_slice(b"\r\n");
    if !to_head {
        out.extend_from_slice(text.as_bytes());
    }
}

/// The headers that `Connection` names: they end here, too.
struct Named<'a>(Vec<&'a [u8]>);

impl<'a> Named<'a> {
    fn of(headers: &'a [Header<'a>]) -> Self {
        let connection = headers.iter().filter(|h| h.name.len() == 10 && Known::of(h.name) == Known::Connection);
        let ordinary = [&b"keep-alive"[..], b"close", b"upgrade"];
        let is_name = |token: &&[u8]| !ordinary.iter().any(|word| token.eq_ignore_ascii_case(word));
        Self(connection.flat_map(|h| tokens(h.value)).filter(is_name).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|token| token.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// Adds an element to a header that is a list, as one line.
fn tell(out: &mut Vec<u8>, name: &str, before: &[&[u8]], last: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    for element in before {
        out.extend_from_slice(element);
        out.extend_from_slice(b", ");
    }
    last(out);
    out.extend_from_slice(b"\r\n");
}

/// Asks for, or tells of, another protocol.
fn change(out: &mut Vec<u8>, protocol: &[u8]) {
    line(out, "connection", b"upgrade");
    line(out, "upgrade", protocol);
}

fn line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The line that opens an answer; a status has three digits.
fn first(out: &mut Vec<u8>, status: u16, reason: &str) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend([status / 100, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8));
    out.push(b' ');
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancer::message::{HEADERS, Slots};

    /// What a member gets of a request, sorted behind the first line.
    fn told(request: &str, peer: &str, trusted: bool) -> Vec<String> {
        let mut slots: Slots<'_> = [const { std::mem::MaybeUninit::uninit() }; HEADERS];
        let request = Request::read(request.as_bytes(), &mut slots, HEADERS).unwrap();
        let mut out = Vec::new();
        for_member(&request, &Client::new(peer.parse().unwrap(), false), trusted, &mut out);
        let text = String::from_utf8(out).unwrap();
        let mut lines: Vec<String> = text.strip_suffix("\r\n\r\n").unwrap().split("\r\n").map(str::to_owned).collect();
        lines[1..].sort();
        lines
    }

    #[test]
    fn a_stranger_s_word_on_who_he_is_is_dropped_and_ours_is_set() {
        let request = "GET /x HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nx-real-ip: 1.2.3.4\r\n\
                       connection: keep-alive, x-secret, host\r\nx-secret: 1\r\naccept: */*\r\n\r\n";
        assert_eq!(
            told(request, "[::ffff:9.9.9.9]:80", false),
            [
                "GET /x HTTP/1.1",
                "accept: */*",
                "forwarded: for=9.9.9.9;proto=http;host=a",
                "host: a",
                "x-forwarded-for: 9.9.9.9",
                "x-forwarded-host: a",
                "x-forwarded-proto: http"
            ]
        );
    }

    #[test]
    fn a_trusted_proxy_s_word_is_kept_and_continued() {
        let request = "GET http://shop:8080?q HTTP/1.1\r\nhost: other\r\nx-forwarded-for: 1.2.3.4\r\nx-forwarded-proto: https\r\n\
                       x-forwarded-host: shop.example\r\nforwarded: for=1.2.3.4;proto=https\r\n\r\n";
        assert_eq!(
            told(request, "[2001:db8::1]:80", true),
            [
                "GET /?q HTTP/1.1",
                "forwarded: for=1.2.3.4;proto=https, for=\"[2001:db8::1]\";proto=http;host=\"shop:8080\"",
                "host: shop:8080",
                "x-forwarded-for: 1.2.3.4, 2001:db8::1",
                "x-forwarded-host: shop.example",
                "x-forwarded-proto: https"
            ]
        );
    }

    #[test]
    fn what_belongs_to_one_connection_ends_here_and_an_upgrade_is_asked_anew() {
        let request = "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTE: trailers\r\nkeep-alive: 5\r\n\
                       transfer-encoding: chunked\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        let lines = told(request, "9.9.9.9:80", false);
        assert_eq!(
            lines,
            [
                "POST /x HTTP/1.1",
                "Host: a",
                "connection: upgrade",
                "forwarded: for=9.9.9.9;proto=http;host=a",
                "transfer-encoding: chunked",
                "upgrade: websocket",
                "x-forwarded-for: 9.9.9.9",
                "x-forwarded-host: a",
                "x-forwarded-proto: http"
            ]
        );
        let old = told("GET /x HTTP/1.0\r\n\r\n", "9.9.9.9:80", false);
        assert!(old.contains(&"host: localhost".to_owned()), "{old:?}");
    }

    #[test]
    fn an_answer_is_told_in_the_manner_of_its_client() {
        let tell = |answer: &str, manner| {
            let mut slots: Slots<'_> = [const { std::mem::MaybeUninit::uninit() }; HEADERS];
            let answer = Answer::read(answer.as_bytes(), &mut slots, false).unwrap().unwrap();
            let mut out = Vec::new();
            for_client(&answer, manner, Some("lane=1"), &mut out);
            String::from_utf8(out).unwrap()
        };
        let chunked = "HTTP/1.1 200 Fine\r\ntransfer-encoding: chunked\r\nkeep-alive: 5\r\nconnection: x-hop\r\nx-hop: 1\r\na: b\r\n\r\n";
        assert_eq!(
            tell(chunked, Manner { closes: false, is_modern: true }),
            "HTTP/1.1 200 Fine\r\na: b\r\nset-cookie: lane=1\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        assert_eq!(
            tell(chunked, Manner { closes: true, is_modern: false }),
            "HTTP/1.1 200 Fine\r\na: b\r\nset-cookie: lane=1\r\nconnection: close\r\n\r\n"
        );
    }
}
