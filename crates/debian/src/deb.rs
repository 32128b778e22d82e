//! `.deb` files: read in one pass, listed, unpacked, built.

mod builder;
mod scripts;
mod unpack;

use std::io::{self, Read};

use thiserror::Error;

pub use crate::tar::Unpacked;
pub use builder::{BuildError, Builder};
pub use scripts::scripts;
pub use unpack::{UnpackError, unpack};

use crate::ar::{self, ArError};
use crate::control::{self, ControlError};
use crate::decompress::{self, Compression, Limits};
use crate::stanza::Stanza;
use crate::sums::{SumReader, Sums};
use crate::tar::{self, EntryKind, TarError};

/// Why a `.deb` is refused. The caller adds the file's name.
#[derive(Debug, Error)]
pub enum DebError {
    /// The outer archive is broken.
    #[error(transparent)]
    Ar(#[from] ArError),
    /// Members are missing, doubled, out of order or odd.
    #[error("member {name:?} at offset {offset}: {problem}")]
    Member {
        /// The member's name.
        name: String,
        /// Where it begins in the file.
        offset: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// A member that must be there is not.
    #[error("no {0} in the archive")]
    Missing(&'static str),
    /// An inner archive is broken, or too big.
    #[error("in {member}: {source}")]
    Tar {
        /// Which member.
        member: String,
        /// Why.
        source: TarError,
    },
    /// The control file is broken.
    #[error("in the control file, {0}")]
    Control(#[from] ControlError),
    /// There is no control file in the control member.
    #[error("no control file in {0}")]
    NoControl(String),
}

/// The biggest control file that is read.
const BIGGEST_CONTROL: u64 = 8 << 20;

/// What one pass over a `.deb` gives.
#[derive(Debug, Clone)]
pub struct Deb {
    /// The control file.
    pub control: Stanza,
    /// Size and sums of the whole file.
    pub sums: Sums,
}

/// Reads the control file and the sums of the whole file in one pass over `input`, to its end. Nothing is unpacked.
pub fn read(input: impl Read) -> Result<Deb, DebError> {
    let mut summed = SumReader::new(input);
    let mut control = None;
    walk(&mut summed, |part, member, body| {
        if part == Part::Control {
            control = Some(read_control(member, body)?);
        }
        Ok(())
    })?;
    let control = control.ok_or(DebError::Missing("control.tar"))?;
    Ok(Deb { control, sums: summed.finish() })
}

/// The paths of all files and links (not folders) that the package installs, sorted, without `./` before.
pub fn contents(input: impl Read) -> Result<Vec<String>, DebError> {
    let mut paths = Vec::new();
    walk(input, |part, member, body| {
        if part != Part::Data {
            return Ok(());
        }
        with_tar(member, body, Limits::DATA, |archive| {
            archive.each(|entry, _| {
                if entry.kind != EntryKind::Directory && !entry.path.is_empty() {
                    paths.push(entry.path.clone());
                }
                Ok::<(), TarError>(())
            })
        })
    })?;
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// Which of the two inner archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Control,
    Data,
}

/// A member that holds an inner archive.
struct Inner {
    name: String,
    compression: Compression,
}

/// Walks the members in the order that `.deb` prescribes and hands the two inner archives to `each`.
fn walk(
    input: impl Read,
    mut each: impl FnMut(Part, &Inner, &mut dyn Read) -> Result<(), DebError>,
) -> Result<(), DebError> {
    let mut archive = ar::Archive::open(input)?;
    let (mut version, mut control, mut data) = (false, false, false);
    while let Some(member) = archive.next_member()? {
        let refuse = |problem| Err(DebError::Member { name: member.name.clone(), offset: member.offset, problem });
        if !version {
            if member.name != "debian-binary" {
                return refuse("debian-binary must come first");
            }
            if !archive.body(&member, |body| is_known_version(body))? {
                return refuse("not a format version that this program knows (2.x)");
            }
            version = true;
            continue;
        }
        if member.name.starts_with('_') {
            // Reserved for additions that readers pass over.
            archive.body(&member, |_| Ok::<(), ArError>(()))?;
            continue;
        }
        let (part, rest) = match (member.name.strip_prefix("control.tar"), member.name.strip_prefix("data.tar")) {
            (Some(rest), _) if !control => (Part::Control, rest),
            (_, Some(rest)) if control && !data => (Part::Data, rest),
            (Some(_), _) => return refuse("a second control member"),
            (_, Some(_)) if data => return refuse("a second data member"),
            (_, Some(_)) => return refuse("the data member stands before the control member"),
            _ => return refuse("no such member belongs into a .deb"),
        };
        let extension = rest.strip_prefix('.').unwrap_or(rest);
        let known = Compression::of_extension(extension).filter(|_| rest.is_empty() || rest.len() > 1);
        let Some(compression) = known.filter(|_| rest.is_empty() == (extension.is_empty())) else {
            return refuse("unknown compression");
        };
        let inner = Inner { name: member.name.clone(), compression };
        archive.body(&member, |body| each(part, &inner, body))?;
        (control, data) = (true, part == Part::Data);
    }
    match (version, control, data) {
        (false, _, _) => Err(DebError::Missing("debian-binary")),
        (_, false, _) => Err(DebError::Missing("control.tar")),
        (_, _, false) => Err(DebError::Missing("data.tar")),
        _ => Ok(()),
    }
}

fn is_known_version(body: &mut dyn Read) -> Result<bool, ArError> {
    let mut text = Vec::new();
    body.take(64).read_to_end(&mut text)?;
    Ok(text.starts_with(b"2.") && text.get(2).is_some_and(u8::is_ascii_digit))
}

fn with_tar<T>(
    member: &Inner,
    body: &mut dyn Read,
    limits: Limits,
    work: impl FnOnce(&mut tar::Archive<Box<dyn Read + '_>>) -> Result<T, TarError>,
) -> Result<T, DebError> {
    let named = |source| DebError::Tar { member: member.name.clone(), source };
    let reader = decompress::reader(body, member.compression, limits).map_err(|error| named(error.into()))?;
    work(&mut tar::Archive::new(reader)).map_err(named)
}

fn read_control(member: &Inner, body: &mut dyn Read) -> Result<Stanza, DebError> {
    let mut found: Option<Vec<u8>> = None;
    with_tar(member, body, Limits::METADATA, |archive| {
        archive.each(|entry, content| {
            let problem = |problem| TarError::Path { offset: entry.offset, path: entry.path.clone(), problem };
            if entry.path != "control" {
                return Ok(());
            }
            if entry.kind != EntryKind::File || found.is_some() {
                return Err(problem("must be one regular file"));
            }
            if entry.size > BIGGEST_CONTROL {
                return Err(problem("bigger than 8 MiB"));
            }
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            found = Some(bytes);
            Ok(())
        })
    })?;
    let bytes = found.ok_or_else(|| DebError::NoControl(member.name.clone()))?;
    Ok(Stanza::from_paragraph(&control::parse_one(&bytes)?))
}

/// Whether an error came from the input and not from the `.deb`'s content.
pub fn is_read_error(error: &DebError) -> bool {
    let real = |error: &io::Error| error.raw_os_error().is_some();
    match error {
        DebError::Ar(ArError::Read(error)) => real(error),
        DebError::Tar { source: TarError::Read(error), .. } => real(error),
        _ => false,
    }
}
