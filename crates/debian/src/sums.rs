//! Checksums: the four sums of a file and its size, made in one pass.

use std::io::{self, Read, Write};

use md5::Md5;
use sha1::Sha1;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest, Sha256, Sha512};

/// Size and checksums of one file, as lower-case hexadecimal text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Sums {
    /// Bytes.
    pub size: u64,
    /// MD5.
    pub md5: String,
    /// SHA-1.
    pub sha1: String,
    /// SHA-256.
    pub sha256: String,
    /// SHA-512.
    pub sha512: String,
}

impl Sums {
    /// The sums of `bytes`.
    pub fn of(bytes: &[u8]) -> Sums {
        let mut summing = Summing::default();
        summing.update(bytes);
        summing.finish()
    }

    /// The sums of everything that `input` still gives.
    pub fn read(mut input: impl Read) -> io::Result<Sums> {
        let mut summing = Summing::default();
        io::copy(&mut input, &mut summing)?;
        Ok(summing.finish())
    }
}

/// The running state of the four sums.
#[derive(Clone, Default)]
pub struct Summing {
    size: u64,
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
    sha512: Sha512,
}

impl Summing {
    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
        self.sha512.update(bytes);
    }

    /// The state as text, for [`Summing::resume`]. Another version of the crates that sum may not understand it.
    pub fn state(&self) -> String {
        let Summing { size, md5, sha1, sha256, sha512 } = self;
        let states =
            [hex(&md5.serialize()), hex(&sha1.serialize()), hex(&sha256.serialize()), hex(&sha512.serialize())];
        format!("{size} {}", states.join(" "))
    }

    /// Goes on from a state.
    pub fn resume(state: &str) -> Option<Summing> {
        let mut words = state.split(' ');
        Some(Summing {
            size: words.next()?.parse().ok()?,
            md5: restored(words.next()?)?,
            sha1: restored(words.next()?)?,
            sha256: restored(words.next()?)?,
            sha512: restored(words.next()?)?,
        })
    }

    /// The sums of what was taken.
    pub fn finish(self) -> Sums {
        Sums {
            size: self.size,
            md5: hex(&self.md5.finalize()),
            sha1: hex(&self.sha1.finalize()),
            sha256: hex(&self.sha256.finalize()),
            sha512: hex(&self.sha512.finalize()),
        }
    }
}

fn restored<T: SerializableState>(text: &str) -> Option<T> {
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    T::deserialize(&SerializedState::<T>::try_from(&bytes?[..]).ok()?).ok()
}

impl Write for Summing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lower-case hexadecimal text of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    // By hand: this is done several times for each file of a repository.
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' - 10 + value });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A reader that sums what passes through it.
pub struct SumReader<R> {
    inner: R,
    summing: Summing,
}

impl<R: Read> SumReader<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        SumReader { inner, summing: Summing::default() }
    }

    /// Bytes that passed so far.
    pub fn offset(&self) -> u64 {
        self.summing.size
    }

    /// The sums of what passed.
    pub fn finish(self) -> Sums {
        self.summing.finish()
    }
}

impl<R: Read> Read for SumReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.summing.update(&into[..read]);
        Ok(read)
    }
}

/// FNV-1a with 64 bits, which aptly uses to name the set of files of a package.
#[derive(Clone, Copy)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// The value.
    pub fn finish(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_of_nothing_are_the_known_ones() {
        let sums = Sums::of(b"");
        assert_eq!(sums.size, 0);
        assert_eq!(sums.md5, "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(sums.sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(sums.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert!(sums.sha512.starts_with("cf83e1357eefb8bdf1542850d66d8007"));
    }

    #[test]
    fn summing_goes_on_from_a_state() {
        let text: Vec<u8> = (0..1000u32).map(|n| (n % 251) as u8).collect();
        for at in [0, 1, 63, 64, 65, 128, 999, 1000] {
            let mut first = Summing::default();
            first.update(&text[..at]);
            let mut second = Summing::resume(&first.state()).unwrap();
            second.update(&text[at..]);
            assert_eq!(second.finish(), Sums::of(&text), "{at}");
        }
        for broken in ["", "0", "0 00 00 00 00", "x y", &Summing::default().state()[1..]] {
            assert!(Summing::resume(broken).is_none(), "{broken:?}");
        }
    }

    #[test]
    fn fnv_of_a_known_word() {
        let mut fnv = Fnv::default();
        fnv.update(b"foobar");
        assert_eq!(fnv.finish(), 0x8594_4171_f739_67e8);
    }
}
