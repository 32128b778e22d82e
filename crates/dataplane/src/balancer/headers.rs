//! What a request must look like, and which headers cross the balancer. Hop-by-hop headers end here in both directions; what a stranger
//! says about who he is (`X-Forwarded-*`, `Forwarded`) is replaced by what we see.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Request, Uri, Version};

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

/// Makes a client's request one of ours.
pub fn for_member(parts: &mut Parts, client: IpAddr) {
    strip(&mut parts.headers);
    for name in STRANGERS {
        parts.headers.remove(name);
    }
    parts.headers.remove(header::EXPECT);
    if let Ok(value) = HeaderValue::from_str(&client.to_canonical().to_string()) {
        parts.headers.insert("x-forwarded-for", value);
    }
    parts.headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    // `GET http://host/path` names its host in the target, which rules over the header.
    if let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
    let path = parts.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    parts.uri = Uri::from(path);
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
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
        for_member(&mut parts, "::ffff:9.9.9.9".parse().unwrap());
        let mut left: Vec<_> = parts.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
        left.sort();
        assert_eq!(left, ["accept: */*", "host: a", "x-forwarded-for: 9.9.9.9", "x-forwarded-proto: http"]);
    }
}
