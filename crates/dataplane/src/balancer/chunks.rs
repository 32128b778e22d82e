//! The chunked coding: [`Chunks`] takes it apart, strictly, and [`write`] makes it. Strictly: what one reader could take for a line break
//! or a length and another not ends the message. Extensions and trailers end here.

use std::io::Write;

/// The longest line that opens a chunk.
const LINE: u32 = 1024;
/// The longest trailers.
const TRAILERS: u32 = 8192;

/// A chunked body could be read in two ways, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the digits that open a chunk.
    Size,
    /// Behind the digits.
    Extension,
    /// The line feed of the line that opens a chunk.
    SizeEnd,
    /// In a chunk with so many bytes left.
    Data(u64),
    /// In the line break after a chunk.
    Return,
    LineFeed,
    /// At the beginning of a trailer, or of the last line break.
    Trailer,
    InTrailer,
    TrailerEnd,
    LastEnd,
    Done,
}

/// Follows a chunked body, given in any pieces.
#[derive(Debug)]
pub struct Chunks {
    at: At,
    size: u64,
    digits: u32,
    /// Bytes in the line or the trailers.
    line: u32,
}

impl Chunks {
    /// At the beginning of a body.
    pub fn new() -> Self {
        Self { at: At::Size, size: 0, digits: 0, line: 0 }
    }

    /// Whether the whole body was fed.
    pub fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Takes the next bytes and gives the data in them; how many of them belong to the body.
    pub fn feed(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<usize, Malformed> {
        let mut i = 0;
        while i < bytes.len() && self.at != At::Done {
            if let At::Data(left) = self.at {
                // No more than the slice's length.
                let taken = left.min((bytes.len() - i) as u64) as usize;
                data(&bytes[i..i + taken]);
                i += taken;
                let left = left - taken as u64;
                self.at = if left == 0 { At::Return } else { At::Data(left) };
                continue;
            }
            self.line += 1;
            self.at = self.next(bytes[i]).ok_or(Malformed)?;
            i += 1;
        }
        Ok(i)
    }

    /// Where a byte that is no data leads to.
    fn next(&mut self, byte: u8) -> Option<At> {
        let (longest, is_text) = match self.at {
            At::Trailer | At::InTrailer | At::TrailerEnd | At::LastEnd => (TRAILERS, byte == b'\t' || byte >= b' '),
            _ => (LINE, byte == b'\t' || byte >= b' '),
        };
        if self.line > longest {
            return None;
        }
        Some(match (self.at, byte) {
            (At::Size, b) if b.is_ascii_hexdigit() && self.digits < 15 => {
                self.digits += 1;
                self.size = self.size * 16 + u64::from((b as char).to_digit(16)?);
                At::Size
            }
            (At::Size, b'\r') if self.digits > 0 => At::SizeEnd,
            (At::Size, b';' | b' ' | b'\t') if self.digits > 0 => At::Extension,
            (At::Extension, b'\r') => At::SizeEnd,
            (At::Extension, _) if is_text => At::Extension,
            (At::SizeEnd, b'\n') => {
                let size = std::mem::take(&mut self.size);
                (self.digits, self.line) = (0, 0);
                if size == 0 { At::Trailer } else { At::Data(size) }
            }
            (At::Return, b'\r') => At::LineFeed,
            (At::LineFeed, b'\n') => {
                self.line = 0;
                At::Size
            }
            (At::Trailer, b'\r') => At::LastEnd,
            // A folded line belongs to the one before, for some.
            (At::Trailer, b' ' | b'\t') => return None,
            (At::Trailer | At::InTrailer, _) if is_text => At::InTrailer,
            (At::InTrailer, b'\r') => At::TrailerEnd,
            (At::TrailerEnd, b'\n') => At::Trailer,
            (At::LastEnd, b'\n') => At::Done,
            _ => return None,
        })
    }
}

/// Adds data as one chunk.
pub fn write(data: &[u8], out: &mut Vec<u8>) {
    if !data.is_empty() {
        // Into memory.
        let _ = write!(out, "{:x}\r\n", data.len());
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    }
}

/// What follows the last chunk.
pub const END: &[u8] = b"0\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    /// The data and the bytes of a body, fed at once; fed byte by byte it must be the same.
    fn read(text: &str) -> Result<(String, usize), Malformed> {
        let decode = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let (mut chunks, mut data, mut length) = (Chunks::new(), Vec::new(), 0);
            for piece in pieces {
                length += chunks.feed(piece, |d| data.extend_from_slice(d))?;
            }
            assert_eq!(chunks.is_done(), length < text.len() || text.ends_with("\r\n\r\n"), "{text:?}");
            Ok((String::from_utf8(data).unwrap(), length))
        };
        let whole = decode(&mut [text.as_bytes()].into_iter());
        assert_eq!(decode(&mut text.as_bytes().chunks(1)), whole, "{text:?}");
        whole
    }

    #[test]
    fn data_is_found_between_extensions_and_trailers_and_what_follows_is_left() {
        assert_eq!(read("3\r\nabc\r\n0\r\n\r\n"), Ok(("abc".into(), 13)));
        assert_eq!(read("3;x=y\r\na\nb\r\nA \r\n0123456789\r\n000\r\nt: x\r\n\r\n"), Ok(("a\nb0123456789".into(), 41)));
        assert_eq!(read("0\r\n\r\nGET / HTTP/1.1\r\n"), Ok((String::new(), 5)));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for text in [
            "3\nabc\r\n0\r\n\r\n",
            "0x3\r\nabc\r\n0\r\n\r\n",
            "\r\n",
            "3\r\nabcd\r\n0\r\n\r\n",
            "3\r\nabc\n0\r\n\r\n",
            "3;a\nb\r\nabc\r\n0\r\n\r\n",
            "3;a\rb\r\nabc\r\n0\r\n\r\n",
            "+3\r\nabc\r\n0\r\n\r\n",
            " 3\r\nabc\r\n0\r\n\r\n",
            "1000000000000003\r\nabc",
            "0\r\n folded\r\n\r\n",
            "0\r\nt: x\n\r\n",
        ] {
            assert_eq!(Chunks::new().feed(text.as_bytes(), |_| {}), Err(Malformed), "{text:?}");
        }
        let long = format!("3;{}\r\n", "x".repeat(2000));
        assert_eq!(Chunks::new().feed(long.as_bytes(), |_| {}), Err(Malformed));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut out = Vec::new();
        write(b"hello", &mut out);
        write(b"", &mut out);
        write(&[b'x'; 300], &mut out);
        out.extend_from_slice(END);
        assert_eq!(read(&String::from_utf8(out).unwrap()).unwrap().0, format!("hello{}", "x".repeat(300)));
    }
}
