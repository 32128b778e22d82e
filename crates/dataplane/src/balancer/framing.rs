//! Strict framing of what clients send, judged on the raw bytes in front of hyper's parser.
//!
//! hyper is right to be lenient for a server (it drops one of two framings, takes bare line feeds, merges equal lengths); a balancer is not,
//! because what stands behind it may read the same bytes in another way. [`Framing`] follows heads and bodies and finds the first byte
//! after which a message could be read in two ways. [`Strict`] spoils that byte, so that the parser refuses the message with a 400 and
//! the connection ends; what came before it is served. This is no second parser: it decides nothing but "go on" or "stop".

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So much of a line is looked at; the headers that matter here are shorter.
const LINE: usize = 160;
/// The longest line that opens a chunk.
const CHUNK_LINE: usize = 1024;

/// Where in a client's bytes we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before or in a request line.
    Request,
    /// In the headers.
    Headers,
    /// In a body with so many bytes left.
    Body(u64),
    /// In the line that opens a chunk.
    ChunkSize,
    /// In a chunk with so many bytes left.
    Chunk(u64),
    /// In the line break after a chunk.
    ChunkEnd,
    /// Behind the last chunk.
    Trailers,
    /// After a fault: nothing more is given on.
    Broken,
}

/// What the headers seen so far say of the body.
#[derive(Debug, Default, Clone, Copy)]
struct Said {
    length: Option<u64>,
    chunked: bool,
}

/// Follows the messages in a stream of bytes, given in any pieces.
#[derive(Debug)]
pub struct Framing {
    at: At,
    said: Said,
    line: Vec<u8>,
    /// Bytes in the line, also those that `line` does not keep.
    length: usize,
    last: u8,
}

impl Framing {
    /// At the beginning of a connection.
    pub fn new() -> Self {
        Self { at: At::Request, said: Said::default(), line: Vec::new(), length: 0, last: 0 }
    }

    /// Looks at the next bytes: `Err(i)` when byte `i` completes something that could be read in two ways. Nothing may be fed after that.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut i = 0;
        while i < bytes.len() {
            match self.at {
                At::Body(left) | At::Chunk(left) => {
                    let taken = left.min((bytes.len() - i) as u64);
                    // Less than the slice's length.
                    i += taken as usize;
                    let left = left - taken;
                    self.at = match self.at {
                        At::Body(_) if left == 0 => At::Request,
                        At::Body(_) => At::Body(left),
                        _ if left == 0 => At::ChunkEnd,
                        _ => At::Chunk(left),
                    };
                }
                At::Broken => return Err(i),
                _ => {
                    let end = bytes[i..].iter().position(|b| *b == b'\n').map(|n| i + n);
                    self.keep(&bytes[i..end.unwrap_or(bytes.len())]).map_err(|n| self.stop(i + n))?;
                    let Some(end) = end else { return Ok(()) };
                    if self.last != b'\r' || !self.line_ends() {
                        return Err(self.stop(end));
                    }
                    (self.length, self.last) = (0, 0);
                    self.line.clear();
                    i = end + 1;
                }
            }
        }
        Ok(())
    }

    /// Adds a piece of a line; a carriage return may only be its last byte.
    fn keep(&mut self, piece: &[u8]) -> Result<(), usize> {
        let Some(last) = piece.last() else { return Ok(()) };
        if self.last == b'\r' || (self.at == At::ChunkEnd && piece[0] != b'\r') {
            return Err(0);
        }
        if let Some(bare) = piece[..piece.len() - 1].iter().position(|b| *b == b'\r') {
            return Err(bare + 1);
        }
        let room = LINE.saturating_sub(self.line.len()).min(piece.len());
        self.line.extend_from_slice(&piece[..room]);
        self.length += piece.len();
        self.last = *last;
        let longest = match self.at {
            At::ChunkSize => CHUNK_LINE,
            // Bounded by the parser behind.
            _ => usize::MAX,
        };
        if self.length > longest { Err(piece.len() - 1) } else { Ok(()) }
    }

    fn stop(&mut self, at: usize) -> usize {
        self.at = At::Broken;
        at
    }

    /// A whole line; false when it must not be.
    fn line_ends(&mut self) -> bool {
        let whole = self.length == self.line.len();
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        let next = match self.at {
            // A line break before a request is allowed.
            At::Request if line.is_empty() => Some(At::Request),
            At::Request => {
                self.said = Said::default();
                Some(At::Headers)
            }
            At::Headers if line.is_empty() => match self.said {
                Said { length: Some(_), chunked: true } => None,
                Said { chunked: true, .. } => Some(At::ChunkSize),
                Said { length: Some(n @ 1..), .. } => Some(At::Body(n)),
                Said { .. } => Some(At::Request),
            },
            At::Headers => self.said.header(line, whole).then_some(At::Headers),
            At::ChunkSize => chunk_size(line).map(|n| if n == 0 { At::Trailers } else { At::Chunk(n) }),
            At::ChunkEnd => line.is_empty().then_some(At::ChunkSize),
            At::Trailers if line.is_empty() => Some(At::Request),
            At::Trailers => (!line.starts_with(b" ") && !line.starts_with(b"\t")).then_some(At::Trailers),
            At::Body(_) | At::Chunk(_) | At::Broken => None,
        };
        self.at = next.unwrap_or(At::Broken);
        next.is_some()
    }
}

impl Said {
    fn header(&mut self, line: &[u8], whole: bool) -> bool {
        // A folded line belongs to the one before, for some.
        if matches!(line[0], b' ' | b'\t') {
            return false;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else { return !whole };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let is = |other: &[u8]| name.trim_ascii().eq_ignore_ascii_case(other);
        if is(b"content-length") {
            let digits = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|v| v.parse().ok());
            let first = self.length.is_none();
            self.length = number;
            return whole && first && number.is_some() && name.len() == 14;
        }
        if is(b"transfer-encoding") {
            let first = !std::mem::replace(&mut self.chunked, true);
            return whole && first && value.eq_ignore_ascii_case(b"chunked") && name.len() == 17;
        }
        true
    }
}

/// The number that opens a chunk; extensions are skipped.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(line.len());
    let (number, rest) = line.split_at(digits);
    let rest = rest.trim_ascii_start();
    if number.is_empty() || number.len() > 15 || !(rest.is_empty() || rest[0] == b';') {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(number).ok()?, 16).ok()
}

/// A client's connection whose bytes are judged on their way in.
pub struct Strict<S> {
    io: S,
    framing: Framing,
    /// Set when the connection became a tunnel: what follows is not HTTP.
    tunnel: Arc<AtomicBool>,
}

impl<S> Strict<S> {
    /// Judges what `io` brings until `tunnel` is set.
    pub fn new(io: S, tunnel: Arc<AtomicBool>) -> Self {
        Self { io, framing: Framing::new(), tunnel }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.framing.at == At::Broken {
            // The client may not go on; as if it had closed.
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buf);
        if !matches!(read, Poll::Ready(Ok(()))) || this.tunnel.load(Relaxed) {
            return read;
        }
        if let Err(at) = this.framing.feed(&buf.filled()[before..]) {
            // No grammar of HTTP has a NUL in a head or around a chunk.
            buf.filled_mut()[before + at] = 0;
            buf.set_filled(before + at + 1);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the fault is found, fed at once; the same must be found byte by byte.
    fn fault(text: &str) -> Option<usize> {
        let whole = Framing::new().feed(text.as_bytes()).err();
        let mut framing = Framing::new();
        let single = text.as_bytes().iter().enumerate().find_map(|(i, b)| framing.feed(&[*b]).err().map(|n| i + n));
        assert_eq!(whole, single, "{text:?}");
        whole
    }

    #[test]
    fn ordinary_messages_pass_one_after_another() {
        for text in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\na\nb\rcGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding:  Chunked \r\n\r\n3;x=y\r\na\nb\r\n0\r\nt: x\r\n\r\nGET / HTTP/1.1\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n",
        ] {
            assert_eq!(fault(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_message_that_can_be_read_in_two_ways_stops_at_the_byte_that_says_so() {
        // Everything up to and including the last byte of each text is needed to know.
        for text in [
            "GET / HTTP/1.1\n",
            "GET / HTTP/1.1\r\nHost: a\n",
            "GET / HTTP/1.1\r\nHost: a\rb",
            "GET / HTTP/1.1\r\nx: a\r\n b\r\n",
            "GET / HTTP/1.1\r\nx\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +5\r\n",
            "POST / HTTP/1.1\r\nContent-Length : 5\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd",
        ] {
            let at = fault(text);
            assert!(at.is_some_and(|at| at + 2 >= text.len()), "{text:?}: {at:?}");
        }
    }

    #[test]
    fn a_long_line_costs_no_memory_and_cannot_hide_a_framing() {
        let mut framing = Framing::new();
        framing.feed(b"GET / HTTP/1.1\r\nCookie: ").unwrap();
        for _ in 0..1000 {
            framing.feed(&[b'x'; 1000]).unwrap();
        }
        assert!(framing.line.capacity() < 1024);
        let padded = format!("POST / HTTP/1.1\r\nContent-Length: {}5\r\n", " ".repeat(500));
        assert!(fault(&padded).is_some());
        assert!(
            fault(&format!(
                "GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\ntransfer-encoding: {}chunked\r\n",
                " ".repeat(500)
            ))
            .is_some()
        );
    }
}
