//! Blobs: packages, image layers, logs. Named by the SHA-256 of their bytes, so that the same bytes are kept once.

mod folder;

use std::fmt;
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::str::FromStr;

pub use folder::FolderBlobs;

/// Why a blob could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No such blob is kept.
    #[error("no blob {0}")]
    Missing(Digest),
    /// Not a SHA-256 in small hexadecimal letters.
    #[error("{0:?} is not a SHA-256 of 64 hexadecimal digits")]
    Digest(String),
    /// The disk has no room left.
    #[error("the disk that holds {path} is full: make room", path = path.display())]
    Full {
        /// The file that was written.
        path: PathBuf,
    },
    /// Anything else that the disk says.
    #[error("cannot {doing} {path}", path = path.display())]
    Disk {
        /// What was tried, as `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// A SHA-256, the address of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The address of these 32 bytes of hash.
    #[must_use]
    pub fn new(sha256: [u8; 32]) -> Self {
        Digest(sha256)
    }

    /// 64 hexadecimal digits in small letters.
    #[must_use]
    pub fn hex(&self) -> String {
        crate::id::hex(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl FromStr for Digest {
    type Err = BlobError;

    /// Reads 64 digits, with or without `sha256:` before them.
    fn from_str(text: &str) -> Result<Self, BlobError> {
        let wrong = || BlobError::Digest(text.to_owned());
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let fine = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digits.len() != 64 || !digits.bytes().all(fine) {
            return Err(wrong());
        }
        let mut bytes = [0u8; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Digest(bytes))
    }
}

/// A blob that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its address.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// Something that can be read from any place.
pub trait Readable: Read + Seek + Send {}
impl<T: Read + Seek + Send> Readable for T {}

/// A blob on its way in: write, then [`Staged::keep`]. Dropped before, it leaves nothing behind.
pub trait Staged: Write + Send {
    /// Makes the bytes durable under their address. The row that names it comes after this.
    fn keep(self: Box<Self>) -> Result<Kept, BlobError>;
}

/// A place for blobs.
pub trait Blobs: Send + Sync {
    /// Begins a new blob.
    fn stage(&self) -> Result<Box<dyn Staged>, BlobError>;
    /// Opens a blob.
    fn open(&self, digest: &Digest) -> Result<Box<dyn Readable>, BlobError>;
    /// Its length, when it is kept.
    fn size(&self, digest: &Digest) -> Result<Option<u64>, BlobError>;
    /// Forgets a blob; the row that named it went before. One that is not kept is fine.
    fn remove(&self, digest: &Digest) -> Result<(), BlobError>;
    /// The blob's file, where blobs are files.
    fn file(&self, digest: &Digest) -> Option<PathBuf>;

    /// Keeps these bytes.
    fn put(&self, bytes: &[u8]) -> Result<Kept, BlobError> {
        let mut staged = self.stage()?;
        let place = || PathBuf::from("staging");
        staged.write_all(bytes).map_err(|e| match e.kind() {
            std::io::ErrorKind::StorageFull => BlobError::Full { path: place() },
            _ => BlobError::Disk { doing: "write", path: place(), source: e },
        })?;
        staged.keep()
    }
}
