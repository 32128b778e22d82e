//! Opening what stands beneath a folder, and never anything else.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2, sendfile};

/// The folder that is served.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

/// What a path names.
pub enum Found {
    /// A regular file.
    File(OpenFile),
    /// A folder, with its entries.
    Folder(Vec<Entry>),
}

/// A file that is open for reading.
pub struct OpenFile {
    file: File,
    /// Its size in bytes when it was opened.
    pub size: u64,
    /// When it was last written.
    pub modified: Timestamp,
    nanos: i64,
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a folder, also behind a link.
    pub folder: bool,
}

impl Folder {
    /// The folder at `root`; it need not be there yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Opens what `path` names beneath the folder. Links are followed as long as they stay beneath it.
    pub fn find(&self, path: &str) -> io::Result<Found> {
        let root = openat(CWD, &self.root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let path = if path.is_empty() { "." } else { path };
        // Not blocking: a named pipe that was planted here must not hold the thread.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = beneath(&root, path, flags)?;
        let file = File::from(opened);
        let about = file.metadata()?;
        if about.is_dir() {
            return Ok(Found::Folder(entries(&file)?));
        }
        if !about.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let nanos = about.mtime_nsec();
        let modified = Timestamp::from_second(about.mtime()).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Found::File(OpenFile { file, size: about.len(), modified, nanos }))
    }
}

fn beneath(root: &OwnedFd, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let rule = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    loop {
        match openat2(root, path, flags, Mode::empty(), rule) {
            Ok(opened) => return Ok(opened),
            // A rename elsewhere made the kernel unsure whether the path left the folder: ask again.
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn entries(folder: &File) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let folder = match entry.file_type() {
            rustix::fs::FileType::Directory => true,
            rustix::fs::FileType::Symlink => {
                rustix::fs::statat(folder, name, rustix::fs::AtFlags::empty()).is_ok_and(|about| {
                    rustix::fs::FileType::from_raw_mode(about.st_mode) == rustix::fs::FileType::Directory
                })
            }
            _ => false,
        };
        entries.push(Entry { name: name.to_owned(), folder });
    }
    entries.sort();
    Ok(entries)
}

impl OpenFile {
    /// Changes when the contents do.
    pub fn tag(&self) -> String {
        format!("\"{:x}{:08x}-{:x}\"", self.modified.as_second(), self.nanos, self.size)
    }

    /// When it was last written, as HTTP writes it.
    pub fn modified(&self) -> String {
        DateTimePrinter::new().timestamp_to_rfc9110_string(&self.modified).unwrap_or_default()
    }

    /// Appends `length` bytes from `from` on; a file that became shorter is an error.
    pub fn append(&self, from: u64, length: u64, output: &mut Vec<u8>) -> io::Result<()> {
        let start = output.len();
        output.resize(start + usize::try_from(length).unwrap_or(usize::MAX), 0);
        self.file.read_exact_at(&mut output[start..], from)
    }

    /// Sends at most `length` bytes from `from` on to a socket, and gives how many it took; none at the end of the file.
    pub fn send(&self, socket: impl AsFd, mut from: u64, length: usize) -> io::Result<usize> {
        Ok(sendfile(socket, &self.file, Some(&mut from), length)?)
    }
}
