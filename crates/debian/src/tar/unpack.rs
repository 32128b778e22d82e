//! Unpacking of archives into a folder that no path, link or race can leave: every name is resolved by the
//! kernel with the folder as its root (`openat2`, `RESOLVE_IN_ROOT`).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self, AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::{Archive, Entry, EntryKind, TarError};
use crate::decompress::{self, Compression, Limits};

/// What happens to devices, pipes and entries of unknown kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Specials {
    /// The archive is refused: a package holds none.
    Refused,
    /// They are left out: whoever shows the files to a program makes its own.
    LeftOut,
}

/// What was unpacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// How many files and links.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Files whose set-user-id, set-group-id or sticky bit was taken away.
    pub stripped: Vec<String>,
}

/// A folder into which archives are unpacked. Owners are not restored and special bits are taken away; nothing outside the folder is
/// read or written.
pub struct Unpacker {
    root: OwnedFd,
    specials: Specials,
    done: Unpacked,
}

impl Unpacker {
    /// Into `folder`, which must exist.
    pub fn new(folder: &Path, specials: Specials) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = fs::open(folder, flags, Mode::empty())?;
        Ok(Self { root, specials, done: Unpacked::default() })
    }

    /// One entry with its content.
    pub fn place(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<(), TarError> {
        if matches!(entry.kind, EntryKind::Special(_)) && self.specials == Specials::LeftOut {
            return Ok(());
        }
        place(self.root.as_fd(), entry, content, &mut self.done).map_err(|problem| match problem {
            Problem::Io(error) => TarError::Read(io::Error::new(error.kind(), format!("{}: {error}", entry.path))),
            Problem::Refused(problem) => TarError::Path { offset: entry.offset, path: entry.path.clone(), problem },
        })
    }

    /// What was unpacked.
    pub fn finish(self) -> Unpacked {
        self.done
    }
}

/// Unpacks a whole archive, packed or not, into `folder`, which must exist; `each` sees every entry first and may end the work.
pub fn unpack(
    input: impl Read,
    folder: &Path,
    specials: Specials,
    mut each: impl FnMut(&Entry) -> Result<(), TarError>,
) -> Result<Unpacked, TarError> {
    let mut unpacker = Unpacker::new(folder, specials)?;
    let mut input = BufReader::with_capacity(256 * 1024, input);
    let compression = Compression::of_first_bytes(input.fill_buf()?);
    let mut archive = Archive::new(decompress::reader(input, compression, Limits::DATA)?);
    archive.each(|entry, content| {
        each(entry)?;
        unpacker.place(entry, content)
    })?;
    Ok(unpacker.finish())
}

enum Problem {
    Io(io::Error),
    Refused(&'static str),
}

impl From<Errno> for Problem {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOSYS => Problem::Refused("this kernel has no openat2; Linux 5.6 or later is needed"),
            Errno::XDEV | Errno::LOOP => Problem::Refused("leads out of the folder"),
            error => Problem::Io(error.into()),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Problem::Io(error)
    }
}

fn place(root: BorrowedFd<'_>, entry: &Entry, content: &mut dyn Read, done: &mut Unpacked) -> Result<(), Problem> {
    if entry.path.is_empty() {
        return Ok(());
    }
    if let EntryKind::Special(_) = entry.kind {
        return Err(Problem::Refused("devices, pipes and unknown entries are not unpacked"));
    }
    let (folder, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
    let parent = open_folder(root, folder)?;
    let mode = Mode::from_raw_mode(entry.mode & 0o777);
    if entry.mode & 0o7000 != 0 && entry.kind != EntryKind::Directory {
        done.stripped.push(entry.path.clone());
    }
    match &entry.kind {
        EntryKind::Directory => return folder_entry(parent.as_fd(), name, mode),
        EntryKind::File => {
            remove(parent.as_fd(), name)?;
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mut file = File::from(fs::openat(&parent, name, flags, Mode::from_raw_mode(0o600))?);
            done.bytes += io::copy(content, &mut file)?;
            file.flush()?;
            fs::fchmod(&file, mode)?;
        }
        EntryKind::Symlink(target) => {
            if climbs_out(folder, target) {
                return Err(Problem::Refused("a link that leads out of the folder"));
            }
            remove(parent.as_fd(), name)?;
            fs::symlinkat(target.as_str(), &parent, name)?;
        }
        EntryKind::Hardlink(target) => {
            let (target_folder, target_name) = target.rsplit_once('/').unwrap_or(("", target));
            let from = open_folder(root, target_folder)?;
            let kind = fs::FileType::from_raw_mode(fs::statat(&from, target_name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
            if kind != fs::FileType::RegularFile {
                return Err(Problem::Refused("a hard link to something that is not a file of this package"));
            }
            remove(parent.as_fd(), name)?;
            fs::linkat(&from, target_name, &parent, name, AtFlags::empty())?;
        }
        EntryKind::Special(_) => {}
    }
    done.files += 1;
    Ok(())
}

/// Opens a folder below `root`, making what is missing; links on the way are resolved with `root` as their root.
fn open_folder(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Problem> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let shown = if path.is_empty() { "." } else { path };
    match fs::openat2(root, shown, flags, Mode::empty(), resolve) {
        Ok(folder) => Ok(folder),
        Err(Errno::NOENT) if !path.is_empty() => {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = open_folder(root, above)?;
            match fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(fs::openat2(root, shown, flags, Mode::empty(), resolve)?)
        }
        Err(error) => Err(error.into()),
    }
}

fn folder_entry(parent: BorrowedFd<'_>, name: &str, mode: Mode) -> Result<(), Problem> {
    match fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
        Ok(()) => {}
        // What is there already (a folder, or a link to one as /lib is) stays.
        Err(Errno::EXIST) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    // Whoever unpacks must be able to go on writing into it.
    Ok(fs::chmodat(parent, name, mode | Mode::RWXU, AtFlags::empty())?)
}

/// Takes away a file or link in the way; a folder stays and makes the next step fail.
fn remove(parent: BorrowedFd<'_>, name: &str) -> Result<(), Problem> {
    match fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a relative link from `folder` climbs above the root of the package.
fn climbs_out(folder: &str, target: &str) -> bool {
    if target.starts_with('/') {
        return false;
    }
    let mut depth = folder.split('/').filter(|part| !part.is_empty()).count() as i64;
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}
