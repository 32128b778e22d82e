//! What a request must look like, and which headers cross the balancer. Hop-by-hop headers end here in both directions; what a stranger
//! says about who he is (`X-Forwarded-*`, `Forwarded`) is replaced by what we see; what a trusted proxy says is continued.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Request, Uri, Version};

use crate::wanted::Network;

const HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

const STRANGERS: [HeaderName; 6] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-real-ip"),
];

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The other end of a client's connection, as it is told to members.
pub struct Client {
    /// Its own address, not what it says of itself.
    pub ip: IpAddr,
    /// `X-Forwarded-For`.
    address: Option<HeaderValue>,
    /// `for=…;proto=…` of `Forwarded`.
    element: String,
    /// The host that it asked for last, and `Forwarded` with it: a client keeps asking for the same.
    told: RefCell<Option<(HeaderValue, HeaderValue)>>,
    /// Whether it speaks TLS with us.
    pub secure: bool,
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
        Self { ip, address: HeaderValue::from_str(&ip.to_string()).ok(), element, told: RefCell::default(), secure }
    }

    /// Our element of `Forwarded` for a request to this host.
    fn forwarded(&self, host: Option<&HeaderValue>) -> Option<HeaderValue> {
        let Some(host) = host else { return HeaderValue::from_str(&self.element).ok() };
        if let Some((known, forwarded)) = self.told.borrow().as_ref()
            && known == host
        {
            return Some(forwarded.clone());
        }
        let mut element = self.element.clone();
        if let Ok(name) = host.to_str().map(|name| name.replace(['"', '\\'], "")) {
            element.push_str(";host=");
            // A port's colon is no token.
            let token = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
            element.push_str(&if token { name } else { format!("\"{name}\"") });
        }
        let forwarded = HeaderValue::from_str(&element).ok()?;
        self.told.replace(Some((host.clone(), forwarded.clone())));
        Some(forwarded)
    }

    /// What is spoken with it.
    fn spoken(secure: bool) -> &'static str {
        if secure { "https" } else { "http" }
    }
}

/// Refuses what could be read in two ways.
pub fn check<B>(request: &Request<B>) -> Result<(), &'static str> {
    let headers = request.headers();
    if request.method() == Method::CONNECT {
        return Err("CONNECT is not served here\n");
    }
    let hosts = headers.get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err("a request has exactly one Host header\n");
    }
    if headers.get_all(header::CONTENT_LENGTH).iter().count() > 1 {
        return Err("a request has one Content-Length at most\n");
    }
    if headers.contains_key(header::CONTENT_LENGTH) && headers.contains_key(header::TRANSFER_ENCODING) {
        return Err("a request has a Content-Length or a Transfer-Encoding, not both\n");
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next()
        && (codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        return Err("the only Transfer-Encoding is chunked\n");
    }
    Ok(())
}

/// The protocol that the client wants to change to.
pub fn upgrade<B>(request: &Request<B>) -> Option<HeaderValue> {
    let asks =
        request.version() == Version::HTTP_11 && tokens(request.headers()).any(|t| t.eq_ignore_ascii_case("upgrade"));
    asks.then(|| request.headers().get(header::UPGRADE).cloned()).flatten()
}

/// Makes a client's request one of ours. A peer in `trusted` is a proxy: what it says about the client goes on, with itself added.
pub fn for_member(parts: &mut Parts, client: &Client, trusted: &[Network]) {
    strip(&mut parts.headers);
    parts.headers.remove(header::EXPECT);
    // `GET http://host/path` names its host in the target, which rules over the header.
    if let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
    if !trusted.iter().any(|network| network.contains(client.ip)) {
        for name in STRANGERS {
            parts.headers.remove(name);
        }
    }
    tell_origin(&mut parts.headers, client);
    let path = parts.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    parts.uri = Uri::from(path);
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
}

/// Adds what we see to what a trusted proxy said; of a stranger's words nothing is left here.
fn tell_origin(headers: &mut HeaderMap, client: &Client) {
    let host = headers.get(header::HOST).cloned();
    if let Some(address) = &client.address {
        append(headers, FORWARDED_FOR, address);
    }
    headers.entry(FORWARDED_PROTO).or_insert(HeaderValue::from_static(Client::spoken(client.secure)));
    if let Some(element) = client.forwarded(host.as_ref()) {
        append(headers, header::FORWARDED, &element);
    }
    if let Some(host) = host {
        headers.entry(FORWARDED_HOST).or_insert(host);
    }
}

/// Adds an element to a header that is a list, as one line.
fn append(headers: &mut HeaderMap, name: HeaderName, last: &HeaderValue) {
    if !headers.contains_key(&name) {
        headers.insert(name, last.clone());
        return;
    }
    let mut list: Vec<u8> = Vec::new();
    for value in headers.get_all(&name).iter().chain([last]) {
        if !list.is_empty() {
            list.extend_from_slice(b", ");
        }
        list.extend_from_slice(value.as_bytes());
    }
    if let Ok(list) = HeaderValue::from_bytes(&list) {
        headers.insert(name, list);
    }
}

/// What the member's connection needs last.
pub fn finish(headers: &mut HeaderMap) {
    if !headers.contains_key(header::HOST) {
        // HTTP/1.0 needs none, 1.1 does.
        headers.insert(header::HOST, HeaderValue::from_static("localhost"));
    }
}

/// Asks the member for an upgrade.
pub fn ask_upgrade(parts: &mut Parts, protocol: HeaderValue) {
    ask_upgrade_in_answer(&mut parts.headers, protocol);
}

/// Tells the client of an upgrade.
pub fn ask_upgrade_in_answer(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Makes a member's answer one of ours.
pub fn for_client(headers: &mut HeaderMap) {
    strip(headers);
}

/// Whether sending it twice does what sending it once does.
pub fn idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE)
}

fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> =
            tokens(headers).filter_map(|t| HeaderName::from_bytes(t.as_bytes()).ok()).collect();
        // Naming these would take from the member what the request means.
        for name in named.iter().filter(|n| **n != header::HOST && **n != header::CONTENT_LENGTH) {
            headers.remove(name);
        }
    }
    for name in HOP {
        headers.remove(name);
    }
}

fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(header::CONNECTION).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        headers.iter().fold(Request::get("/x"), |r, (n, v)| r.header(*n, *v)).body(()).unwrap()
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        assert!(check(&request(&[("host", "a")])).is_ok());
        for headers in [
            &[][..],
            &[("host", "a"), ("host", "b")],
            &[("host", "a"), ("content-length", "1"), ("content-length", "1")],
            &[("host", "a"), ("content-length", "1"), ("transfer-encoding", "chunked")],
            &[("host", "a"), ("transfer-encoding", "gzip, chunked")],
            &[("host", "a"), ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        ] {
            assert!(check(&request(headers)).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn a_stranger_s_word_on_who_he_is_is_dropped_and_ours_is_set() {
        let (mut parts, ()) = request(&[
            ("host", "a"),
            ("x-forwarded-for", "1.2.3.4"),
            ("forwarded", "for=1.2.3.4"),
            ("x-real-ip", "1.2.3.4"),
            ("connection", "keep-alive, x-secret, host"),
            ("x-secret", "1"),
            ("accept", "*/*"),
        ])
        .into_parts();
        for_member(&mut parts, &client("[::ffff:9.9.9.9]:80"), &["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(
            lines(&parts),
            [
                "accept: */*",
                "forwarded: for=9.9.9.9;proto=http;host=a",
                "host: a",
                "x-forwarded-for: 9.9.9.9",
                "x-forwarded-host: a",
                "x-forwarded-proto: http"
            ]
        );
    }

    fn client(peer: &str) -> Client {
        Client::new(peer.parse().unwrap(), false)
    }

    fn lines(parts: &Parts) -> Vec<String> {
        let mut lines: Vec<_> = parts.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_trusted_proxy_s_word_is_kept_and_continued() {
        let (mut parts, ()) = request(&[
            ("host", "shop:8080"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.example"),
            ("forwarded", "for=1.2.3.4;proto=https"),
        ])
        .into_parts();
        for_member(&mut parts, &client("[2001:db8::1]:80"), &["2001:db8::/32".parse().unwrap()]);
        assert_eq!(
            lines(&parts),
            [
                "forwarded: for=1.2.3.4;proto=https, for=\"[2001:db8::1]\";proto=http;host=\"shop:8080\"",
                "host: shop:8080",
                "x-forwarded-for: 1.2.3.4, 2001:db8::1",
                "x-forwarded-host: shop.example",
                "x-forwarded-proto: https"
            ]
        );
    }
}
