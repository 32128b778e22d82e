//! Decompression of what strangers packed: as a stream, with a bound on the output and on its ratio to the input.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// How a member or an index is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gz,
    /// bzip2.
    Bz2,
    /// xz.
    Xz,
    /// The format before xz (`.lzma`).
    Lzma,
    /// Zstandard.
    Zst,
}

impl Compression {
    /// The compression that the end of a file name tells; a name without a known end is not packed.
    pub fn of_extension(extension: &str) -> Option<Compression> {
        Some(match extension {
            "" => Compression::None,
            "gz" => Compression::Gz,
            "bz2" => Compression::Bz2,
            "xz" => Compression::Xz,
            "lzma" => Compression::Lzma,
            "zst" => Compression::Zst,
            _ => return None,
        })
    }

    /// The compression that a file's first bytes tell; not packed when they are no packer's.
    pub fn of_first_bytes(bytes: &[u8]) -> Compression {
        match bytes {
            [0x1f, 0x8b, ..] => Compression::Gz,
            [b'B', b'Z', b'h', ..] => Compression::Bz2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zst,
            _ => Compression::None,
        }
    }

    /// The end of a file name, with its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gz => ".gz",
            Compression::Bz2 => ".bz2",
            Compression::Xz => ".xz",
            Compression::Lzma => ".lzma",
            Compression::Zst => ".zst",
        }
    }
}

/// What unpacking may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most bytes that come out.
    pub output: u64,
    /// How many bytes may come out of one byte, once more than [`Limits::free`] came out.
    pub ratio: u64,
    /// So much may come out whatever the ratio.
    pub free: u64,
}

impl Limits {
    /// For metadata, which is held in memory.
    pub const METADATA: Limits = Limits { output: 32 << 20, ratio: 200, free: 4 << 20 };
    /// For the files of a package.
    pub const DATA: Limits = Limits { output: 64 << 30, ratio: 500, free: 256 << 20 };
}

/// The memory that a decoder may ask for: what `xz -9` and `zstd --long=27` need, with room.
const DECODER_MEMORY: u64 = 192 << 20;

/// A reader of what `input` unpacks to. Going past `limits` is an error of kind [`io::ErrorKind::QuotaExceeded`].
pub fn reader<'a>(input: impl Read + 'a, compression: Compression, limits: Limits) -> io::Result<Box<dyn Read + 'a>> {
    let taken = Rc::new(Cell::new(0));
    let counted = Counted { inner: input, taken: Rc::clone(&taken) };
    let inner: Box<dyn Read + 'a> = match compression {
        Compression::None => Box::new(counted),
        Compression::Gz => Box::new(flate2::read::MultiGzDecoder::new(counted)),
        Compression::Bz2 => Box::new(bzip2::read::MultiBzDecoder::new(counted)),
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(DECODER_MEMORY, liblzma::stream::CONCATENATED)
                .map_err(io::Error::other)?;
            Box::new(liblzma::read::XzDecoder::new_stream(counted, stream))
        }
        Compression::Lzma => {
            let stream = liblzma::stream::Stream::new_lzma_decoder(DECODER_MEMORY).map_err(io::Error::other)?;
            Box::new(liblzma::read::XzDecoder::new_stream(counted, stream))
        }
        Compression::Zst => {
            let mut decoder = zstd::stream::read::Decoder::new(counted)?;
            decoder.window_log_max(27)?;
            Box::new(decoder)
        }
    };
    Ok(Box::new(Bounded { inner, taken, given: 0, limits }))
}

/// Counts what is taken from the packed side.
struct Counted<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}

/// Stops when too much comes out.
struct Bounded<'a> {
    inner: Box<dyn Read + 'a>,
    taken: Rc<Cell<u64>>,
    given: u64,
    limits: Limits,
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.given += read as u64;
        let stop = |why: String| Err(io::Error::new(io::ErrorKind::QuotaExceeded, why));
        if self.given > self.limits.output {
            return stop(format!("unpacks to more than {} bytes", self.limits.output));
        }
        if self.given > self.limits.free && self.given / self.limits.ratio > self.taken.get().max(1) {
            return stop(format!("unpacks to more than {} times its size", self.limits.ratio));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(compression: Compression, bytes: &[u8]) -> Vec<u8> {
        crate::compress::pack(compression, bytes).unwrap()
    }

    #[test]
    fn every_format_gives_back_what_was_packed() {
        let text = b"hello, hello, hello".repeat(1000);
        for compression in [Compression::None, Compression::Gz, Compression::Bz2, Compression::Xz, Compression::Zst] {
            let packed = packed(compression, &text);
            let mut back = Vec::new();
            reader(&packed[..], compression, Limits::METADATA).unwrap().read_to_end(&mut back).unwrap();
            assert_eq!(back, text, "{compression:?}");
        }
    }

    #[test]
    fn a_bomb_is_stopped_by_its_ratio_and_by_its_size() {
        let zeros = vec![0; 8 << 20];
        for compression in [Compression::Gz, Compression::Bz2, Compression::Xz, Compression::Zst] {
            let bomb = packed(compression, &zeros);
            let seen =
                |limits| io::copy(&mut reader(&bomb[..], compression, limits).unwrap(), &mut io::sink()).unwrap_err();
            let ratio = seen(Limits { output: 1 << 30, ratio: 50, free: 1 << 20 });
            assert_eq!(ratio.kind(), io::ErrorKind::QuotaExceeded, "{compression:?}: {ratio}");
            let size = seen(Limits { output: 1 << 20, ratio: 1 << 40, free: 1 << 30 });
            assert_eq!(size.to_string(), "unpacks to more than 1048576 bytes", "{compression:?}");
        }
    }
}
