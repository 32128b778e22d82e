//! The head of a request, as far as a file server needs it.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// The most header lines that a request may have.
const LINES: usize = 100;
/// Headers that say which part of a file is wanted.
const CONDITIONS: [HeaderName; 6] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
];

/// A request.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// How many bytes its head has.
    pub length: usize,
    /// Its method.
    pub method: Method,
    /// The path of its target, as it was sent.
    pub path: String,
    /// Those headers that say what of a file is wanted.
    pub conditions: HeaderMap,
    /// Whether another request may follow on the connection.
    pub goes_on: bool,
    /// Whether to say so: clients of HTTP/1.0 must be told.
    pub says_so: bool,
}

/// Reads a head; nothing if there is more to come. What is refused comes with the status that says why.
pub fn parse(bytes: &[u8]) -> Result<Option<Head>, StatusCode> {
    let mut lines = [httparse::EMPTY_HEADER; LINES];
    let mut request = httparse::Request::new(&mut lines);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        Err(httparse::Error::Version) => return Err(StatusCode::HTTP_VERSION_NOT_SUPPORTED),
        Err(_) => return Err(StatusCode::BAD_REQUEST),
    };
    let bad = || StatusCode::BAD_REQUEST;
    let method = request.method.and_then(|method| method.parse().ok()).ok_or_else(bad)?;
    let path = path(request.path.unwrap_or_default()).ok_or_else(bad)?;
    let older = request.version == Some(0);
    let (mut hosts, mut close, mut keep, mut body) = (0, false, false, false);
    let mut conditions = HeaderMap::new();
    for line in request.headers.iter() {
        let is = |name: &str| line.name.eq_ignore_ascii_case(name);
        if is("host") {
            hosts += 1;
        } else if is("connection") {
            let value = std::str::from_utf8(line.value).map_err(|_| bad())?;
            let says = |word: &str| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
            (close, keep) = (close || says("close"), keep || says("keep-alive"));
        } else if is("transfer-encoding") {
            body = true;
        } else if is("content-length") {
            body = body || line.value.trim_ascii() != b"0";
        } else if let Some(name) = CONDITIONS.iter().find(|name| is(name.as_str())) {
            conditions.append(name, HeaderValue::from_bytes(line.value).map_err(|_| bad())?);
        }
    }
    if hosts > 1 || (hosts == 0 && !older) {
        return Err(bad());
    }
    // A body is not read, so nothing after it could be.
    let goes_on = !close && !body && (!older || keep);
    Ok(Some(Head { length, method, path, conditions, goes_on, says_so: older && goes_on }))
}

/// The path of a target `/path?query` or `http://host/path`.
fn path(target: &str) -> Option<String> {
    let target = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    let path = target.split(['?', '#']).next().unwrap_or_default();
    path.starts_with('/').then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<Head>, StatusCode> {
        parse(text.as_bytes())
    }

    #[test]
    fn a_head_says_what_is_wanted_and_whether_the_connection_goes_on() {
        for (text, path, goes_on, says_so) in [
            ("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "/a", true, false),
            ("GET /a?b#c HTTP/1.1\r\nhost: x\r\nConnection: close\r\n\r\n", "/a", false, false),
            ("GET http://x/a/b HTTP/1.1\r\nHost: x\r\nConnection: TE, Close\r\n\r\n", "/a/b", false, false),
            ("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", "/", true, false),
            ("GET /a HTTP/1.0\r\n\r\n", "/a", false, false),
            ("GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "/a", true, true),
            ("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "/a", false, false),
            ("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "/a", false, false),
            ("GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "/a", true, false),
        ] {
            let head = head(text).unwrap_or_else(|status| panic!("{text:?}: {status}")).expect(text);
            assert_eq!((head.path.as_str(), head.goes_on, head.says_so), (path, goes_on, says_so), "{text:?}");
        }
        let head = head("GET /a HTTP/1.1\r\nHost: x\r\nRange: bytes=1-2\r\nAccept: */*\r\n\r\nGET").unwrap().unwrap();
        assert_eq!(head.length, 62 - 3);
        assert_eq!(head.conditions.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["range"]);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (text, status) in [
            ("GET /a HTTP/1.1\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
            ("GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost : x\r\n\r\n", 400),
            ("GET /a HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
            ("GET /a HTTP/2.0\r\nHost: x\r\n\r\n", 505),
            ("\u{16}\u{3}\u{1}", 400),
        ] {
            assert_eq!(head(text).unwrap_err().as_u16(), status, "{text:?}");
        }
        let many = format!("GET /a HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(LINES));
        assert_eq!(head(&many).unwrap_err().as_u16(), 431);
        assert_eq!(head("GET /a HTTP/1.1\r\nHost: x\r\n"), Ok(None));
    }
}
