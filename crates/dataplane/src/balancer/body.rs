//! A body on its way: where it ends as it is read, and how it is written.

use super::chunks::{self, Chunks, Malformed};
use super::message::Length;

/// A body on its way, as it is read and as it is written.
#[derive(Debug)]
pub enum Body {
    Done,
    Length(u64),
    /// Read in chunks; `true`: written in chunks.
    Chunked(Chunks, bool),
    /// Read to the end of the connection; `true`: written in chunks.
    Rest(bool),
}

impl Body {
    /// Of a message. `chunks`: its reader understands chunks.
    pub fn new(length: Length, chunks: bool) -> Self {
        match length {
            Length::None | Length::Bytes(0) => Self::Done,
            Length::Bytes(n) => Self::Length(n),
            Length::Chunked => Self::Chunked(Chunks::new(), chunks),
            Length::Rest => Self::Rest(chunks),
        }
    }

    /// Whether all was read.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Whether the next `n` bytes go through as they are: how many of them belong to the body, which are then taken as read.
    pub fn plain(&mut self, n: usize) -> Option<usize> {
        match self {
            Self::Length(left) => {
                // No more than `n`.
                let taken = (*left).min(n as u64) as usize;
                *left -= taken as u64;
                if *left == 0 {
                    *self = Self::Done;
                }
                Some(taken)
            }
            Self::Rest(false) => Some(n),
            _ => None,
        }
    }

    /// Takes bytes in and adds what is to be written; how many of them belong to the body.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Malformed> {
        if let Some(n) = self.plain(bytes.len()) {
            out.extend_from_slice(&bytes[..n]);
            return Ok(n);
        }
        match self {
            Self::Chunked(chunks, anew) => {
                let n = chunks
                    .feed(bytes, |data| if *anew { chunks::write(data, out) } else { out.extend_from_slice(data) })?;
                if chunks.is_done() {
                    if *anew {
                        out.extend_from_slice(chunks::END);
                    }
                    *self = Self::Done;
                }
                Ok(n)
            }
            Self::Rest(_) => {
                chunks::write(bytes, out);
                Ok(bytes.len())
            }
            Self::Done | Self::Length(_) => Ok(0),
        }
    }

    /// The source has ended; false when that is too early.
    pub fn end(&mut self, out: &mut Vec<u8>) -> bool {
        let Self::Rest(chunks) = self else { return false };
        if *chunks {
            out.extend_from_slice(chunks::END);
        }
        *self = Self::Done;
        true
    }
}
