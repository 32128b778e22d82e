//! One side of an exchange: a connection with what was read from it and not used yet, and what was written to it and not taken yet.
//! A worker reads into one buffer for all its connections, so that a connection that is idle holds none.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::body::Body;

/// So much is read at once.
const READ: usize = 64 << 10;

/// So much may lie here of what the other end sends before it is its turn.
const AHEAD: usize = 64 << 10;

/// A worker's buffer for reading; borrowed while something is polled, never longer.
pub struct Scratch(RefCell<Box<[u8]>>);

impl Default for Scratch {
    fn default() -> Self {
        Self(RefCell::new(vec![0; READ].into()))
    }
}

/// A connection.
pub struct Side<S> {
    /// The connection itself.
    pub io: S,
    got: Vec<u8>,
    used: usize,
    /// To be written, from `paid` on. What was written stays until more comes, in case that it must be written once more elsewhere.
    due: Vec<u8>,
    paid: usize,
    /// Whether anything was ever written.
    pub begun: bool,
}

/// How far a body got.
#[derive(Debug)]
pub enum Step {
    /// All of it was read; the last of it may still be due.
    Done,
    /// Its source has nothing now.
    Source,
    /// Its sink takes nothing now.
    Sink,
}

/// What broke while a body moved.
#[derive(Debug)]
pub enum Fault {
    /// The source ended or failed.
    Source,
    /// The sink failed.
    Sink,
    /// The source's framing can be read in two ways.
    Malformed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Side<S> {
    /// A connection of which `got` was read already, and to which `due` is to be written.
    pub fn new(io: S, got: Vec<u8>, due: Vec<u8>) -> Self {
        Self { io, got, used: 0, due, paid: 0, begun: false }
    }

    /// Where more that is to be written is added.
    pub fn due(&mut self) -> &mut Vec<u8> {
        if self.is_paid() {
            self.due.clear();
            self.paid = 0;
        }
        &mut self.due
    }

    /// Whether all that was to be written is.
    pub fn is_paid(&self) -> bool {
        self.paid == self.due.len()
    }

    /// The last that was to be written, written or not.
    pub fn into_due(self) -> Vec<u8> {
        self.due
    }

    /// What was read and not used.
    pub fn bytes(&self) -> &[u8] {
        &self.got[self.used..]
    }

    /// Marks the next bytes as used.
    pub fn consume(&mut self, n: usize) {
        self.used += n;
        if self.used >= self.got.len() {
            self.got.clear();
            self.used = 0;
        }
    }

    /// Gives back what an idle connection does not need.
    pub fn rest(&mut self) {
        if self.bytes().is_empty() {
            self.got = Vec::new();
            self.used = 0;
        }
        if self.is_paid() {
            self.due = Vec::new();
            self.paid = 0;
        }
    }

    /// Reads more; 0 at the end.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>, scratch: &Scratch) -> Poll<io::Result<usize>> {
        let scratch = &mut *scratch.0.borrow_mut();
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        if self.used > 0 {
            self.got.drain(..self.used);
            self.used = 0;
        }
        self.got.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Ready when the other end is gone. What it sends meanwhile is kept, up to a bound.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>, scratch: &Scratch) -> Poll<()> {
        while self.bytes().len() < AHEAD {
            if !matches!(ready!(self.poll_fill(cx, scratch)), Ok(1..)) {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    /// Writes what is due.
    pub fn poll_pay(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.paid < self.due.len() {
            let n = ready!(Pin::new(&mut self.io).poll_write(cx, &self.due[self.paid..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.begun = true;
            self.paid += n;
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Moves a body from here to `to`, as far as it goes now; `moved` is told of bytes that came.
    pub fn move_body<T: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        to: &mut Side<T>,
        body: &mut Body,
        cx: &mut Context<'_>,
        scratch: &Scratch,
        mut moved: impl FnMut(usize),
    ) -> Result<Step, Fault> {
        loop {
            if !self.bytes().is_empty() && !body.is_done() {
                let n = body.pass(self.bytes(), to.due()).map_err(|_| Fault::Malformed)?;
                self.consume(n);
                moved(n);
            }
            match to.poll_pay(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(Fault::Sink),
                Poll::Pending if body.is_done() => return Ok(Step::Done),
                Poll::Pending => return Ok(Step::Sink),
            }
            if body.is_done() {
                return Ok(Step::Done);
            }
            let scratch = &mut *scratch.0.borrow_mut();
            let mut buffer = ReadBuf::new(scratch);
            match Pin::new(&mut self.io).poll_read(cx, &mut buffer) {
                Poll::Pending => return Ok(Step::Source),
                Poll::Ready(Err(_)) => return Err(Fault::Source),
                Poll::Ready(Ok(())) => {}
            }
            let read = buffer.filled();
            if read.is_empty() {
                if !body.end(to.due()) {
                    return Err(Fault::Source);
                }
                continue;
            }
            moved(read.len());
            let used = match body.plain(read.len()) {
                // Straight through: only what is not taken at once is copied.
                Some(n) => {
                    let written = match Pin::new(&mut to.io).poll_write(cx, &read[..n]) {
                        Poll::Ready(Ok(written)) => written,
                        Poll::Ready(Err(_)) => return Err(Fault::Sink),
                        Poll::Pending => 0,
                    };
                    to.begun |= written > 0;
                    to.due().extend_from_slice(&read[written..n]);
                    n
                }
                None => body.pass(read, to.due()).map_err(|_| Fault::Malformed)?,
            };
            self.got.extend_from_slice(&read[used..]);
        }
    }
}
