//! A connection whose first bytes were looked at: they are read again before the rest. Looking is [`sniff`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// A stream with bytes in front.
pub struct Rewind<S> {
    front: Bytes,
    stream: S,
}

impl<S> Rewind<S> {
    /// `front`, then what `stream` brings.
    pub fn new(front: Bytes, stream: S) -> Self {
        Self { front, stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewind<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.front.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let n = self.front.len().min(buf.remaining());
        buf.put_slice(&self.front[..n]);
        self.front.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewind<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Whether a connection speaks HTTP/1.x, and the bytes read to find out. A client that says nothing within `wait` does not: in such
/// protocols the server speaks first.
pub async fn sniff<S: AsyncRead + Unpin>(stream: &mut S, longest: usize, wait: Duration) -> io::Result<(bool, Bytes)> {
    let mut seen = BytesMut::with_capacity(1024);
    let looked = tokio::time::timeout(wait, async {
        loop {
            if stream.read_buf(&mut seen).await? == 0 {
                // Gone without a word: nothing to give to a member.
                return if seen.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(false) };
            }
            match request_line(&seen) {
                Some(answer) => return Ok(answer),
                None if seen.len() >= longest => return Ok(false),
                None => {}
            }
        }
    });
    match looked.await {
        Ok(answer) => answer.map(|http| (http, seen.freeze())),
        Err(_) => Ok((false, seen.freeze())),
    }
}

/// Whether bytes begin with `METHOD target HTTP/1.x`; `None` while they may still become so.
fn request_line(seen: &[u8]) -> Option<bool> {
    // A line break or two before the request line is allowed by the protocol.
    let start = seen.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
    let seen = &seen[start..];
    let end = seen.iter().position(|b| *b == b'\n');
    let line = &seen[..end.unwrap_or(seen.len())];
    let method = line.iter().position(|b| *b == b' ');
    let word = &line[..method.unwrap_or(line.len())];
    if word.is_empty() || word.len() > 24 || !word.iter().all(|b| b.is_ascii_uppercase() || *b == b'-') {
        return Some(false);
    }
    if !line.iter().all(|b| (0x20..0x7f).contains(b) || *b >= 0x80 || *b == b'\r') {
        return Some(false);
    }
    end?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Some(method.is_some() && (line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")))
}

#[cfg(test)]
mod tests {
    use super::request_line;

    #[test]
    fn http_is_known_by_its_request_line() {
        let cases: [(&str, Option<bool>); 10] = [
            ("GET / HTTP/1.1\r\n", Some(true)),
            ("\r\nGET / HTTP/1.0\r\nHost", Some(true)),
            ("PATCH /x?y=1 HTTP/1.1\n", Some(true)),
            ("GE", None),
            ("GET /long", None),
            ("PRI * HTTP/2.0\r\n", Some(false)),
            ("\u{16}\u{3}\u{1}", Some(false)),
            ("SSH-2.0-OpenSSH\r\n", Some(false)),
            ("EHLO mail\r\n", Some(false)),
            ("get / HTTP/1.1\r\n", Some(false)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(request_line(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }
}
