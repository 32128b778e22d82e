//! One compressed file out of pieces that were compressed one by one, so that a change costs what changed.
//!
//! gzip members simply follow each other. bzip2 readers (apt's among them) end with the first stream, so one stream is made of the
//! blocks of all pieces: blocks are aligned to bits, hence the shifting, and the stream ends with a checksum over the blocks'
//! own. Facts about the format: "BZIP2: Format Specification" (Tsai, 2016).

use std::io::{self, Write};

use super::pack;
use crate::decompress::Compression;

/// The 48 bits that end a bzip2 stream.
const END: u64 = 0x1772_4538_5090;
/// Header of a bzip2 stream with blocks of 900 kB.
const HEADER: &[u8; 4] = b"BZh9";
/// So much text always fits a block of 900 kB: its run-length step can make four bytes into five.
const ONE_BLOCK: usize = 700_000;

/// A piece in one form, for [`Assembler::push`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The piece, from its first bit; what follows its last bit is zero.
    pub bytes: Vec<u8>,
    /// What it is.
    pub extent: Extent,
}

/// What must be known of a piece to take it out of an assembled file again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Its length in bits.
    pub bits: u64,
    /// bzip2: how many blocks it has.
    pub blocks: u32,
    /// bzip2: the checksum that a stream of these blocks alone would end with.
    pub sum: u32,
    /// The CRC-32 of [`Part::bytes`].
    pub check: u32,
}

impl Part {
    /// Compresses one piece. An empty one takes no room.
    pub fn new(form: Compression, plain: &[u8]) -> io::Result<Part> {
        if plain.is_empty() {
            return Ok(Part::default());
        }
        if form != Compression::Bz2 {
            let bytes = pack(form, plain)?;
            let extent = Extent { bits: bytes.len() as u64 * 8, ..Extent::default() };
            return Ok(Part { bytes, extent }.checked());
        }
        let mut joined = Bits::default();
        let (mut blocks, mut sum) = (0, 0);
        for chunk in plain.chunks(ONE_BLOCK) {
            let stream = pack(form, chunk)?;
            let (bits, crc) = block(&stream)?;
            joined.push(&stream[HEADER.len()..], bits);
            blocks += 1;
            sum = combine(sum, 1, crc);
        }
        let bits = joined.len();
        let bytes = joined.into_bytes();
        Ok(Part { bytes, extent: Extent { bits, blocks, sum, check: 0 } }.checked())
    }

    /// The piece of that extent out of `bytes`, in which it begins at bit `shift`; nothing if it is not what it was.
    pub fn cut(bytes: &[u8], shift: u32, extent: Extent) -> Option<Part> {
        if (bytes.len() as u64 * 8) < u64::from(shift) + extent.bits {
            return None;
        }
        let bytes = if shift == 0 && extent.bits.is_multiple_of(8) {
            bytes[..usize::try_from(extent.bits / 8).ok()?].to_vec()
        } else {
            shifted_down(bytes, shift, extent.bits)?
        };
        let part = Part { bytes, extent }.checked();
        (part.extent == extent).then_some(part)
    }

    fn checked(mut self) -> Part {
        // Not flate2's, which takes six times as long: this is done for every piece that a publication keeps.
        self.extent.check = crc32fast::hash(&self.bytes);
        self
    }
}

/// Where the first piece begins in an assembled file, in bits.
pub fn first_bit(form: Compression) -> u64 {
    if form == Compression::Bz2 { HEADER.len() as u64 * 8 } else { 0 }
}

/// Writes pieces as one file.
pub struct Assembler<W> {
    form: Compression,
    output: W,
    /// bzip2: bits that fill no byte yet.
    bits: Bits,
    sum: u32,
    empty: bool,
}

impl<W: Write> Assembler<W> {
    /// Begins a file.
    pub fn new(form: Compression, mut output: W) -> io::Result<Self> {
        if form == Compression::Bz2 {
            output.write_all(HEADER)?;
        }
        Ok(Assembler { form, output, bits: Bits::default(), sum: 0, empty: true })
    }

    /// Writes the next piece.
    pub fn push(&mut self, part: &Part) -> io::Result<()> {
        if part.extent.bits == 0 {
            return Ok(());
        }
        self.empty = false;
        if self.form != Compression::Bz2 {
            return self.output.write_all(&part.bytes);
        }
        self.bits.push(&part.bytes, part.extent.bits);
        self.sum = combine(self.sum, part.extent.blocks, part.extent.sum);
        self.output.write_all(&self.bits.take_whole())
    }

    /// Where it is written to.
    pub fn output(&mut self) -> &mut W {
        &mut self.output
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<W> {
        match self.form {
            Compression::Bz2 => {
                let mut end = END.to_be_bytes()[2..].to_vec();
                end.extend(self.sum.to_be_bytes());
                self.bits.push(&end, 80);
                self.output.write_all(&self.bits.into_bytes())?;
            }
            form if self.empty => self.output.write_all(&pack(form, b"")?)?,
            _ => {}
        }
        Ok(self.output)
    }
}

/// The checksum of a stream that goes on with `blocks` blocks, whose own stream's checksum is `next`.
fn combine(sum: u32, blocks: u32, next: u32) -> u32 {
    sum.rotate_left(blocks % 32) ^ next
}

/// The length in bits of the one block of a stream, and its checksum.
fn block(stream: &[u8]) -> io::Result<(u64, u32)> {
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "the bzip2 packer's stream does not end as streams do");
    let tail = stream.len().checked_sub(11).filter(|at| *at >= HEADER.len()).ok_or_else(odd)?;
    // The end is ten bytes long, and up to seven bits fill the last byte.
    let last = stream[tail..].iter().fold(0u128, |value, byte| value << 8 | u128::from(*byte));
    for padding in 0..8 {
        if (last >> (padding + 32)) as u64 & 0xffff_ffff_ffff == END {
            let bits = (stream.len() - HEADER.len()) as u64 * 8 - 80 - padding;
            return Ok((bits, (last >> padding) as u32));
        }
    }
    Err(odd())
}

/// Bits in a row, the first in the highest place.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// How many bits of the last byte are used; 0: all.
    used: u32,
}

impl Bits {
    fn len(&self) -> u64 {
        let whole = self.bytes.len() as u64 * 8;
        if self.used == 0 { whole } else { whole - u64::from(8 - self.used) }
    }

    /// Appends the first `count` bits.
    fn push(&mut self, from: &[u8], count: u64) {
        let Ok(whole) = usize::try_from(count.div_ceil(8)) else { return };
        let from = &from[..whole.min(from.len())];
        let rest = (count % 8) as u32;
        // What lies behind the last bit is not to be trusted.
        let mask = |byte: u8, last: bool| if last && rest != 0 { byte & (0xffu8 << (8 - rest)) } else { byte };
        self.bytes.reserve(from.len() + 1);
        let used = self.used;
        if used == 0 {
            self.bytes.extend_from_slice(from);
            if let Some(last) = self.bytes.last_mut().filter(|_| !from.is_empty()) {
                *last = mask(*last, true);
            }
            self.used = rest;
            return;
        }
        let mut carry = self.bytes.pop().unwrap_or_default();
        for (at, byte) in from.iter().enumerate() {
            let byte = mask(*byte, at + 1 == from.len());
            self.bytes.push(carry | byte >> used);
            carry = byte << (8 - used);
        }
        let total = used + rest;
        // The carry holds bits unless all of the last byte's went into the one before.
        if rest == 0 || total > 8 {
            self.bytes.push(carry);
        }
        self.used = total % 8;
    }

    /// Takes the bytes that are full.
    fn take_whole(&mut self) -> Vec<u8> {
        let keep = if self.used == 0 { None } else { self.bytes.pop() };
        let taken = std::mem::take(&mut self.bytes);
        self.bytes.extend(keep);
        taken
    }

    fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// `count` bits from bit `shift` of `from`.
fn shifted_down(from: &[u8], shift: u32, count: u64) -> Option<Vec<u8>> {
    let (skip, shift) = ((shift / 8) as usize, shift % 8);
    let from = from.get(skip..)?;
    let length = usize::try_from(count.div_ceil(8)).ok()?;
    let mut bytes: Vec<u8> = if shift == 0 {
        from.get(..length)?.to_vec()
    } else {
        let next = |at: usize| from.get(at + 1).copied().unwrap_or_default();
        from.get(..length)?.iter().enumerate().map(|(at, byte)| byte << shift | next(at) >> (8 - shift)).collect()
    };
    let rest = (count % 8) as u32;
    if let Some(last) = bytes.last_mut().filter(|_| rest != 0) {
        *last &= 0xffu8 << (8 - rest);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    fn assembled(form: Compression, pieces: &[Vec<u8>]) -> (Vec<u8>, Vec<Part>) {
        let parts: Vec<Part> = pieces.iter().map(|piece| Part::new(form, piece).unwrap()).collect();
        let mut assembler = Assembler::new(form, Vec::new()).unwrap();
        parts.iter().for_each(|part| assembler.push(part).unwrap());
        (assembler.finish().unwrap(), parts)
    }

    fn unpacked(form: Compression, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        match form {
            Compression::Gz => flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).unwrap(),
            // Not the decoder of many streams: it must be one.
            Compression::Bz2 => bzip2::read::BzDecoder::new(bytes).read_to_end(&mut text).unwrap(),
            _ => text.write(bytes).unwrap(),
        };
        text
    }

    /// What the tool itself makes of it.
    fn told(tool: &str, bytes: &[u8]) -> Vec<u8> {
        let mut child =
            Command::new(tool).args(["-d", "-c"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut input, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
        let writer = std::thread::spawn(move || input.write_all(&bytes));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success(), "{tool}: {:?}", output.status);
        output.stdout
    }

    fn stanzas(count: usize, salt: usize) -> Vec<u8> {
        (0..count).map(|n| format!("Package: p{}\nVersion: 1.{salt}\n\n", n * salt)).collect::<String>().into_bytes()
    }

    #[test]
    fn gzip_and_bzip2_read_what_was_assembled_as_one_file() {
        let runs = vec![b'a'; 1_600_000];
        let pieces = [stanzas(500, 1), Vec::new(), stanzas(1, 7), runs, stanzas(3000, 13)];
        let whole = pieces.concat();
        assert!(told("gzip", &assembled(Compression::Gz, &pieces).0) == whole);
        assert!(told("bzip2", &assembled(Compression::Bz2, &pieces).0) == whole);
        assert!(assembled(Compression::None, &pieces).0 == whole);
    }

    #[test]
    fn a_file_of_nothing_is_a_file_of_its_form() {
        for pieces in [vec![], vec![Vec::new(), Vec::new()]] {
            assert_eq!(told("gzip", &assembled(Compression::Gz, &pieces).0), b"");
            assert_eq!(told("bzip2", &assembled(Compression::Bz2, &pieces).0), b"");
            assert_eq!(assembled(Compression::None, &pieces).0, b"");
        }
    }

    #[test]
    fn pieces_that_need_several_blocks_are_told_by_their_count() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let noise: Vec<u8> = (0..ONE_BLOCK * 2 + 1).map(|_| random()).collect();
        let part = Part::new(Compression::Bz2, &noise).unwrap();
        assert_eq!(part.extent.blocks, 3);
        let (file, _) = assembled(Compression::Bz2, &[stanzas(10, 3), noise.clone(), stanzas(10, 5)]);
        assert!(told("bzip2", &file) == [stanzas(10, 3), noise, stanzas(10, 5)].concat());
    }

    #[test]
    fn a_piece_that_was_tampered_with_is_not_taken_out() {
        let (mut file, parts) = assembled(Compression::Gz, &[stanzas(10, 1)]);
        assert!(Part::cut(&file, 0, parts[0].extent).is_some());
        file[20] ^= 1;
        assert!(Part::cut(&file, 0, parts[0].extent).is_none());
        assert!(Part::cut(&file[..20], 0, parts[0].extent).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever the pieces: the file is read back whole, and each piece can be taken out and assembled anew.
        #[test]
        fn pieces_go_in_and_out(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..12)) {
            for form in [Compression::None, Compression::Gz, Compression::Bz2] {
                let (file, parts) = assembled(form, &pieces);
                prop_assert_eq!(unpacked(form, &file), pieces.concat());
                let mut at = first_bit(form);
                let mut again = Assembler::new(form, Vec::new()).unwrap();
                for part in &parts {
                    let (byte, shift) = ((at / 8) as usize, (at % 8) as u32);
                    let taken = Part::cut(&file[byte..], shift, part.extent);
                    prop_assert_eq!(taken.as_ref(), Some(part));
                    again.push(&taken.unwrap()).unwrap();
                    at += part.extent.bits;
                }
                prop_assert_eq!(again.finish().unwrap(), file);
            }
        }
    }
}
