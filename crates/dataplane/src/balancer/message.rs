//! What a message says: its head, read by httparse, and how long its body is. What could be read in two ways by two readers is refused:
//! a balancer that is lenient lets a request hide inside another one. What crosses the balancer is written anew by [`super::headers`].

use std::mem::MaybeUninit;

use httparse::{Header, Status};

use super::chunks::Malformed;

/// The most headers that a message may have.
pub const HEADERS: usize = 256;

/// Room for headers.
pub type Slots<'a> = [MaybeUninit<Header<'a>>; HEADERS];

/// Why a request is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub why: &'static str,
}

const fn bad(why: &'static str) -> Refusal {
    Refusal { status: 400, why }
}

/// A request's head is too long or has too many headers.
pub const TOO_LARGE: Refusal = Refusal { status: 431, why: "the request's head is too large\n" };

/// Looks for the end of a request's head in bytes that come in pieces.
#[derive(Debug, Default)]
pub struct Search {
    /// Where the line begins that is not over yet.
    line: usize,
    /// Where the head begins: behind line breaks that some clients send too many.
    begin: usize,
}

impl Search {
    /// The head among all bytes so far; each line is looked at once.
    pub fn look(&mut self, bytes: &[u8]) -> Result<Option<std::ops::Range<usize>>, Refusal> {
        while let Some(n) = bytes[self.line..].iter().position(|b| *b == b'\n') {
            let end = self.line + n;
            if n == 0 || bytes[end - 1] != b'\r' {
                return Err(bad("a line of a request ends with CR LF\n"));
            }
            let (empty, first) = (n == 1, self.line == self.begin);
            self.line = end + 1;
            if empty && first {
                self.begin = self.line;
            } else if empty {
                return Ok(Some(self.begin..self.line));
            }
        }
        Ok(None)
    }
}

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    None,
    Bytes(u64),
    Chunked,
    /// To the end of the connection (answers only).
    Rest,
}

/// A request's head.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Where the target named it, the host in it.
    pub authority: Option<&'a str>,
    /// Whether it is HTTP/1.1, not 1.0.
    pub is_modern: bool,
    pub headers: &'a [Header<'a>],
    pub length: Length,
    /// Whether its client wants to ask again on this connection.
    pub keep_alive: bool,
    /// The protocol that it wants to change to.
    pub upgrade: Option<&'a [u8]>,
    /// Whether its client waits for a word before it sends the body.
    pub expects: bool,
}

impl<'a> Request<'a> {
    /// Reads a whole head with at most so many headers.
    pub fn read(head: &'a [u8], slots: &'a mut Slots<'a>, most: usize) -> Result<Self, Refusal> {
        let mut request = httparse::Request::new(&mut []);
        let room = most.min(HEADERS);
        match request.parse_with_uninit_headers(head, &mut slots[..room]) {
            Ok(Status::Complete(n)) if n == head.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Err(TOO_LARGE),
            _ => return Err(bad("this is no HTTP/1.1\n")),
        }
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
            return Err(bad("this is no HTTP/1.1\n"));
        };
        let headers: &'a [Header<'a>] = request.headers;
        let is_modern = version == 1;
        let (authority, path) = target_of(method, target)?;
        let mut said = Said::default();
        for header in headers {
            said.take(header)?;
        }
        if said.hosts > 1 || (said.hosts == 0 && is_modern) {
            return Err(bad("a request has exactly one Host header\n"));
        }
        let length = match (said.length, said.chunked) {
            (Some(_), true) => return Err(bad("a request has a Content-Length or a Transfer-Encoding, not both\n")),
            (_, true) if !is_modern => return Err(bad("HTTP/1.0 has no Transfer-Encoding\n")),
            (_, true) => Length::Chunked,
            (None | Some(0), _) => Length::None,
            (Some(n), _) => Length::Bytes(n),
        };
        let upgrade = said.upgrade.filter(|to| said.upgrades && is_modern && !to.eq_ignore_ascii_case(b"h2c"));
        let keep_alive = if is_modern { !said.closes } else { said.keeps && !said.closes };
        let expects = said.expects && is_modern && length != Length::None;
        Ok(Self { method, path, authority, is_modern, headers, length, keep_alive, upgrade, expects })
    }

    /// Whether sending it twice does what sending it once does.
    pub fn is_idempotent(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE")
    }
}

/// The host that a target names, and the path in it.
fn target_of<'a>(method: &str, target: &'a str) -> Result<(Option<&'a str>, &'a str), Refusal> {
    if method == "CONNECT" {
        return Err(bad("CONNECT is not served here\n"));
    }
    let target = target.split('#').next().unwrap_or_default();
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok((None, target));
    }
    let strip = |scheme: &str| {
        let (front, rest) = target.split_at_checked(scheme.len())?;
        front.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let Some(rest) = strip("http://").or_else(|| strip("https://")) else {
        return Err(bad("a request's target is a path\n"));
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.parse::<http::uri::Authority>().is_err() || authority.contains('@') {
        return Err(bad("a request's target names no host\n"));
    }
    Ok((Some(authority), path))
}

/// What the headers seen so far say of a message.
#[derive(Debug, Default)]
struct Said<'a> {
    hosts: u32,
    length: Option<u64>,
    chunked: bool,
    closes: bool,
    keeps: bool,
    upgrades: bool,
    upgrade: Option<&'a [u8]>,
    expects: bool,
}

impl<'a> Said<'a> {
    /// A header of a request.
    fn take(&mut self, header: &Header<'a>) -> Result<(), Refusal> {
        let value = header.value.trim_ascii();
        match Known::of(header.name) {
            Known::Host => self.hosts += 1,
            Known::ContentLength => {
                let number = number(value).ok_or(bad("a Content-Length is a number\n"))?;
                if self.length.replace(number).is_some() {
                    return Err(bad("a request has one Content-Length at most\n"));
                }
            }
            Known::TransferEncoding => {
                let first = !std::mem::replace(&mut self.chunked, true);
                let refusal = bad("the only Transfer-Encoding is chunked\n");
                return (first && value.eq_ignore_ascii_case(b"chunked")).then_some(()).ok_or(refusal);
            }
            Known::Connection => self.connection(value),
            Known::Upgrade => self.upgrade = Some(value),
            Known::Expect => self.expects = value.eq_ignore_ascii_case(b"100-continue"),
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for token in tokens(value) {
            self.closes |= token.eq_ignore_ascii_case(b"close");
            self.keeps |= token.eq_ignore_ascii_case(b"keep-alive");
            self.upgrades |= token.eq_ignore_ascii_case(b"upgrade");
        }
    }
}

/// The elements of a list.
pub fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|b| *b == b',').map(<[u8]>::trim_ascii)
}

/// A length: digits only, and not so many that two readers could count differently.
fn number(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
    digits.then(|| value.iter().fold(0, |n, digit| n * 10 + u64::from(digit - b'0')))
}

/// An answer's head.
#[derive(Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub reason: &'a str,
    pub headers: &'a [Header<'a>],
    pub length: Length,
    /// Whether its member takes another request on this connection.
    pub keep_alive: bool,
    /// Bytes of the head.
    pub end: usize,
}

impl<'a> Answer<'a> {
    /// Reads a head from the beginning of what came; `None` when more of it must come. `to_head`: it answers a HEAD.
    pub fn read(bytes: &'a [u8], slots: &'a mut Slots<'a>, to_head: bool) -> Result<Option<Self>, Malformed> {
        let mut answer = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut answer, bytes, slots);
        let end = match parsed {
            Ok(Status::Complete(end)) => end,
            Ok(Status::Partial) => return Ok(None),
            Err(_) => return Err(Malformed),
        };
        let status = answer.code.ok_or(Malformed)?;
        let (reason, headers): (_, &'a [Header<'a>]) = (answer.reason.unwrap_or_default(), answer.headers);
        let (mut length, mut chunked, mut said) = (None, None, Said::default());
        for header in headers {
            let value = header.value.trim_ascii();
            match Known::of(header.name) {
                Known::ContentLength => {
                    let number = number(value).ok_or(Malformed)?;
                    if length.replace(number).is_some_and(|other| other != number) {
                        return Err(Malformed);
                    }
                }
                // The last coding decides where the body ends.
                Known::TransferEncoding => {
                    let last = tokens(value).last().unwrap_or_default();
                    chunked = Some(last.eq_ignore_ascii_case(b"chunked"));
                }
                Known::Connection => said.connection(value),
                _ => {}
            }
        }
        if (length.is_some() && chunked.is_some()) || has_codings_below(headers) {
            return Err(Malformed);
        }
        let modern = answer.version == Some(1);
        let length = match (length, chunked) {
            _ if to_head || status == 204 || status == 304 || status < 200 => Length::None,
            (_, Some(true)) => Length::Chunked,
            (_, Some(false)) | (None, None) => Length::Rest,
            (Some(n), None) => Length::Bytes(n),
        };
        let stays = if modern { !said.closes } else { said.keeps };
        let keep_alive = stays && length != Length::Rest;
        Ok(Some(Self { status, reason, headers, length, keep_alive, end }))
    }
}

/// Whether a body is coded in another way below its chunks: that could not be told to the client once they are taken off.
fn has_codings_below(headers: &[Header<'_>]) -> bool {
    let codings = headers.iter().filter(|h| Known::of(h.name) == Known::TransferEncoding);
    codings.flat_map(|h| tokens(h.value)).filter(|coding| !coding.is_empty()).count() > 1
}

/// Headers with a meaning here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    Upgrade,
    Expect,
    /// Of one connection, without a meaning to us.
    Hop,
    Forwarded,
    ForwardedFor,
    ForwardedProto,
    ForwardedHost,
    /// Other words on a request's origin.
    Origin,
    Other,
}

impl Known {
    /// By name, in any case.
    pub fn of(name: &str) -> Self {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match name.len() {
            2 if is("te") => Self::Hop,
            4 if is("host") => Self::Host,
            6 if is("expect") => Self::Expect,
            7 if is("upgrade") => Self::Upgrade,
            7 if is("trailer") => Self::Hop,
            9 if is("forwarded") => Self::Forwarded,
            9 if is("x-real-ip") => Self::Origin,
            10 if is("connection") => Self::Connection,
            10 if is("keep-alive") => Self::Hop,
            14 if is("content-length") => Self::ContentLength,
            15 if is("x-forwarded-for") => Self::ForwardedFor,
            16 if is("x-forwarded-host") => Self::ForwardedHost,
            16 if is("x-forwarded-port") => Self::Origin,
            16 if is("proxy-connection") => Self::Hop,
            17 if is("x-forwarded-proto") => Self::ForwardedProto,
            17 if is("transfer-encoding") => Self::TransferEncoding,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a request's head, or the length of its body.
    fn length(text: &str) -> Result<Length, u16> {
        let whole = Search::default().look(text.as_bytes());
        // In pieces it must be the same.
        let mut search = Search::default();
        let pieces = (1..=text.len()).find_map(|n| search.look(&text.as_bytes()[..n]).transpose()).transpose();
        assert_eq!(whole, pieces, "{text:?}");
        let head = whole.map_err(|refusal| refusal.status)?.expect("a whole head");
        let mut slots: Slots<'_> = [const { MaybeUninit::uninit() }; HEADERS];
        let read = Request::read(&text.as_bytes()[head], &mut slots, 100);
        read.map(|request| request.length).map_err(|refusal| refusal.status)
    }

    #[test]
    fn a_request_says_how_long_its_body_is() {
        for (text, expected) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Length::None),
            ("\r\n\r\nGET / HTTP/1.0\r\n\r\n", Length::None),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", Length::Bytes(5)),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", Length::None),
            ("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding:  Chunked \r\n\r\n", Length::Chunked),
        ] {
            assert_eq!(length(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn a_request_that_can_be_read_in_two_ways_is_refused() {
        for text in [
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nx: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nx\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nx: a\0b\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert_eq!(length(text), Err(400), "{text:?}");
        }
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(100));
        assert_eq!(length(&many), Err(431));
    }

    #[test]
    fn a_target_that_names_a_host_is_split_and_its_fragment_dropped() {
        for (target, expected) in [
            ("/a?b#c", (None, "/a?b")),
            ("http://shop:80/a", (Some("shop:80"), "/a")),
            ("HTTPS://shop", (Some("shop"), "")),
            ("http://shop?x", (Some("shop"), "?x")),
        ] {
            assert_eq!(target_of("GET", target), Ok(expected), "{target}");
        }
        assert_eq!(target_of("OPTIONS", "*"), Ok((None, "*")));
        assert!(target_of("GET", "*").is_err());
    }

    /// How long an answer's body is and whether the connection can be used again.
    fn answer(text: &str, to_head: bool) -> Result<Option<(Length, bool)>, Malformed> {
        let mut slots: Slots<'_> = [const { MaybeUninit::uninit() }; HEADERS];
        Ok(Answer::read(text.as_bytes(), &mut slots, to_head)?.map(|answer| (answer.length, answer.keep_alive)))
    }

    #[test]
    fn an_answer_says_how_long_its_body_is_and_whether_its_member_goes_on() {
        for (text, to_head, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", false, (Length::Bytes(3), true)),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", true, (Length::None, true)),
            ("HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n", false, (Length::None, true)),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: Close\r\n\r\n", false, (Length::Bytes(3), false)),
            ("HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\n", false, (Length::Bytes(3), false)),
            ("HTTP/1.0 200 OK\r\ncontent-length: 3\r\nconnection: keep-alive\r\n\r\n", false, (Length::Bytes(3), true)),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", false, (Length::Chunked, true)),
            ("HTTP/1.1 200\r\n\r\n", false, (Length::Rest, false)),
        ] {
            assert_eq!(answer(text, to_head), Ok(Some(expected)), "{text:?}");
        }
        assert_eq!(answer("HTTP/1.1 200 OK\r\nx: ", false), Ok(None));
        for text in [
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n",
        ] {
            assert_eq!(answer(text, false), Err(Malformed), "{text:?}");
        }
    }
}
