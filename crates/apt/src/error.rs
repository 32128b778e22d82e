//! What can go wrong in a repository. The kinds are what callers act on (exit code, HTTP status); the text is for people.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why something could not be done.
#[derive(Debug, Error)]
pub enum Error {
    /// No such repository, snapshot, publication or package.
    #[error("{0}")]
    NotFound(String),
    /// It is there already, or in use, or would change what may not change.
    #[error("{0}")]
    Conflict(String),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A name that does not have the grammar of its kind.
    #[error(transparent)]
    Name(#[from] debian::names::NameError),
    /// A query that cannot be read.
    #[error(transparent)]
    Query(#[from] debian::query::QueryError),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A file.
    #[error("unable to {what} {path}: {source}", path = path.display())]
    File {
        /// What was tried (`read`, `write` …).
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Storage on another machine.
    #[error("{0}")]
    Remote(String),
    /// Signing.
    #[error("{0}")]
    Signing(String),
    /// Something in the database or the pool is not as it must be.
    #[error("{0}")]
    Damaged(String),
}

impl Error {
    /// The disk is full.
    pub fn is_full(&self) -> bool {
        match self {
            Error::Store(error) => error.is_full(),
            Error::File { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}

/// Names the file in an error of the file system.
pub(crate) trait At<T> {
    /// `what` is a verb: "read", "write", "make".
    fn at(self, what: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, what: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|error| Error::File { what, path: path.to_owned(), source: error.into() })
    }
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
