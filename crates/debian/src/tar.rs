//! `tar` archives, read as a stream: the entries with their paths checked, and bounds on what their headers may claim.
//!
//! An own reader, because long names and extended headers must not be believed to any size. Writing uses the `tar`
//! crate (see `deb::Builder`).

mod unpack;

use std::io::{self, Read};

use thiserror::Error;

pub use unpack::{Specials, Unpacked, Unpacker, unpack};

/// A name or link target may have so many bytes.
const LONGEST_NAME: u64 = 16 * 1024;
/// An extended header may have so many bytes.
const LONGEST_HEADER: u64 = 1024 * 1024;
/// An archive may have so many entries.
pub const MOST_ENTRIES: u64 = 2_000_000;

/// Why an archive is refused.
#[derive(Debug, Error)]
pub enum TarError {
    /// A header that is not one.
    #[error("bad tar header at offset {offset}: {problem}")]
    Header {
        /// Where in the unpacked archive.
        offset: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// A path that would leave the folder into which it is unpacked, or that no file can have.
    #[error("path {path:?} at offset {offset}: {problem}")]
    Path {
        /// Where in the unpacked archive.
        offset: u64,
        /// The path, shortened.
        path: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// More than [`MOST_ENTRIES`].
    #[error("more than {MOST_ENTRIES} entries")]
    TooMany,
    /// The archive ends before its last entry does.
    #[error("the archive ends too early, at offset {0}")]
    Truncated(u64),
    /// The source could not be read or unpacked.
    #[error(transparent)]
    Read(#[from] io::Error),
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link to this target.
    Symlink(String),
    /// A hard link to this earlier path of the archive.
    Hardlink(String),
    /// A device, a pipe or something unknown: its type byte.
    Special(u8),
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative path without `./` before and `/` behind; empty for the archive's own root.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits, setuid and friends included.
    pub mode: u32,
    /// Modification time in seconds since 1970.
    pub mtime: i64,
    /// Size of its content.
    pub size: u64,
    /// Where its header begins.
    pub offset: u64,
}

/// Reads the entries of an archive.
pub struct Archive<R> {
    input: R,
    offset: u64,
    entries: u64,
}

impl<R: Read> Archive<R> {
    /// Reads from `input`, which is already unpacked.
    pub fn new(input: R) -> Self {
        Archive { input, offset: 0, entries: 0 }
    }

    /// Calls `each` with every entry and a reader of its content; what it leaves unread is skipped.
    pub fn each<E: From<TarError>>(
        &mut self,
        mut each: impl FnMut(&Entry, &mut dyn Read) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(entry) = self.next_entry()? {
            let mut content = (&mut self.input).take(entry.size);
            each(&entry, &mut content)?;
            io::copy(&mut content, &mut io::sink()).map_err(TarError::from)?;
            if content.limit() > 0 {
                return Err(TarError::Truncated(self.offset + entry.size - content.limit()).into());
            }
            self.offset += entry.size;
            self.skip_padding(entry.size)?;
        }
        Ok(())
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, TarError> {
        let (mut long_name, mut long_link) = (None, None);
        let mut extended = Extended::default();
        loop {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return Err(TarError::TooMany);
            }
            let offset = self.offset;
            let Some(header) = self.block()? else {
                return Ok(None);
            };
            if header.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            let bad = |problem| Err(TarError::Header { offset, problem });
            if !checksum_fits(&header) {
                return bad("the checksum does not fit");
            }
            let Some(size) = number(&header[124..136]) else {
                return bad("the size is not a number");
            };
            let claimed = if matches!(header[156], b'L' | b'K') { LONGEST_NAME } else { LONGEST_HEADER };
            match header[156] {
                b'L' | b'K' | b'x' | b'g' if size > claimed => {
                    return bad("a name or extended header of absurd size");
                }
                b'L' => long_name = Some(self.small(size, offset)?),
                b'K' => long_link = Some(self.small(size, offset)?),
                b'x' => {
                    extended = Extended::read(&self.small(size, offset)?)
                        .ok_or(TarError::Header { offset, problem: "bad extended header" })?
                }
                b'g' => drop(self.small(size, offset)?),
                b'S' => return bad("sparse files are not supported"),
                kind => {
                    if extended.sparse {
                        return bad("sparse files are not supported");
                    }
                    let name = extended.path.or(long_name).unwrap_or_else(|| header_name(&header));
                    let link = extended.link.or(long_link).unwrap_or_else(|| until_nul(&header[157..257]).to_vec());
                    let size = extended.size.unwrap_or(size);
                    return entry(&header, offset, kind, &name, &link, size).map(Some);
                }
            }
        }
    }

    /// The next 512 bytes; nothing at the end.
    fn block(&mut self) -> Result<Option<[u8; 512]>, TarError> {
        let mut block = [0; 512];
        let mut got = 0;
        while got < 512 {
            match self.input.read(&mut block[got..])? {
                0 if got == 0 => return Ok(None),
                0 => return Err(TarError::Truncated(self.offset + got as u64)),
                read => got += read,
            }
        }
        self.offset += 512;
        Ok(Some(block))
    }

    /// The whole content of a small entry.
    fn small(&mut self, size: u64, offset: u64) -> Result<Vec<u8>, TarError> {
        let mut content = Vec::new();
        (&mut self.input).take(size).read_to_end(&mut content)?;
        if content.len() as u64 != size {
            return Err(TarError::Truncated(offset + 512 + content.len() as u64));
        }
        self.offset += size;
        self.skip_padding(size)?;
        while content.last() == Some(&0) {
            content.pop();
        }
        Ok(content)
    }

    fn skip_padding(&mut self, size: u64) -> Result<(), TarError> {
        let padding = (512 - size % 512) % 512;
        let skipped = io::copy(&mut (&mut self.input).take(padding), &mut io::sink())?;
        self.offset += skipped;
        if skipped == padding { Ok(()) } else { Err(TarError::Truncated(self.offset)) }
    }
}

fn entry(header: &[u8; 512], offset: u64, kind: u8, name: &[u8], link: &[u8], size: u64) -> Result<Entry, TarError> {
    let path = clean_path(name, offset)?;
    let kind = match kind {
        b'0' | 0 | b'7' if name.ends_with(b"/") => EntryKind::Directory,
        b'0' | 0 | b'7' => EntryKind::File,
        b'1' => EntryKind::Hardlink(clean_path(link, offset)?),
        b'2' => EntryKind::Symlink(text(link, offset)?.to_owned()),
        b'5' => EntryKind::Directory,
        other => EntryKind::Special(other),
    };
    // Only files have content; some packers write the size of a link's target.
    let size = if matches!(kind, EntryKind::File | EntryKind::Special(_)) { size } else { 0 };
    let mode = u32::try_from(number(&header[100..108]).unwrap_or(0o644) & 0o7777).unwrap_or(0o644);
    let mtime = number(&header[136..148]).and_then(|time| i64::try_from(time).ok()).unwrap_or(0);
    Ok(Entry { path, kind, mode, mtime, size, offset })
}

/// Extended header records that we heed.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Extended {
    /// Reads `LENGTH KEY=VALUE\n` records.
    fn read(mut bytes: &[u8]) -> Option<Extended> {
        let mut found = Extended::default();
        while !bytes.is_empty() {
            let blank = bytes.iter().position(|byte| *byte == b' ')?;
            let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
            if length <= blank + 1 || length > bytes.len() || bytes[length - 1] != b'\n' {
                return None;
            }
            let record = &bytes[blank + 1..length - 1];
            bytes = &bytes[length..];
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => found.path = Some(value.to_vec()),
                b"linkpath" => found.link = Some(value.to_vec()),
                b"size" => found.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
                _ if key.starts_with(b"GNU.sparse") => found.sparse = true,
                _ => {}
            }
        }
        Some(found)
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len())]
}

fn header_name(header: &[u8; 512]) -> Vec<u8> {
    let name = until_nul(&header[..100]);
    // Only POSIX archives have a prefix; GNU's use the room for something else.
    let prefix = if &header[257..263] == b"ustar\0" { until_nul(&header[345..500]) } else { b"" };
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// Octal text, or a binary number marked by its first bit.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        if high.iter().enumerate().any(|(at, byte)| *byte != if at == 0 { 0x80 } else { 0 }) {
            return None;
        }
        return Some(low.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))).filter(|value| *value < 1 << 62);
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn checksum_fits(header: &[u8; 512]) -> bool {
    let sum: u64 =
        header.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
    number(&header[148..156]) == Some(sum)
}

fn text(bytes: &[u8], offset: u64) -> Result<&str, TarError> {
    let refuse = |problem| TarError::Path {
        offset,
        path: String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned(),
        problem,
    };
    let text = std::str::from_utf8(bytes).map_err(|_| refuse("not valid UTF-8"))?;
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(refuse("empty, or with control characters"));
    }
    Ok(text)
}

/// A relative path without `.`, `..` and doubled slashes.
fn clean_path(bytes: &[u8], offset: u64) -> Result<String, TarError> {
    let path = text(bytes, offset)?;
    let refuse = |problem| TarError::Path { offset, path: path.chars().take(200).collect(), problem };
    if path.starts_with('/') {
        return Err(refuse("absolute paths are not allowed"));
    }
    if path.len() as u64 > LONGEST_NAME {
        return Err(refuse("too long"));
    }
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(refuse("'..' is not allowed"));
    }
    Ok(parts.join("/"))
}
