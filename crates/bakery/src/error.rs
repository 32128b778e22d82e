//! Why there is no image.

use std::io;
use std::path::{Path, PathBuf};

use store::StoreError;

use crate::source::SourceError;

/// What can go wrong between a package's name and its image.
#[derive(Debug, thiserror::Error)]
pub enum BakeError {
    /// Nothing to put into the image.
    #[error("no package is named: give the name of at least one, as in \"package\": \"helloterry\"")]
    NoPackage,
    /// A name that no image can have.
    #[error(
        "\"{0}\" is no image's name: letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 200"
    )]
    ImageName(String),
    /// Nothing, or two things, say what runs.
    #[error("say what its instances run, in one way: a command, or the name of a systemd unit inside")]
    NoRun,
    /// A word that is no package.
    #[error("\"{0}\" is no package: write NAME, NAME=VERSION or NAME_VERSION_ARCHITECTURE")]
    PackageName(String),
    /// The publication does not hold it.
    #[error("{source_name} holds no package {wanted}; {known}")]
    NotPublished {
        /// Where it was looked for.
        source_name: String,
        /// What was looked for.
        wanted: String,
        /// What there is of that name.
        known: String,
    },
    /// A dependency that nobody provides.
    #[error(
        "{package} depends on {dependency}, which is neither installed on this machine, nor on its path, nor in {source_name}; \
         install it here (apt-get install {first}) or add it to the repository"
    )]
    Unsatisfied {
        /// Whose dependency.
        package: String,
        /// The dependency as written.
        dependency: String,
        /// Its first alternative.
        first: String,
        /// The publication.
        source_name: String,
    },
    /// A closure without end.
    #[error("{0} needs more than {1} packages")]
    TooManyPackages(String, usize),
    /// Dependency text that cannot be read.
    #[error("cannot read the dependencies of {package}: {why}")]
    Relation {
        /// Whose.
        package: String,
        /// What is wrong.
        why: String,
    },
    /// The publication could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The bytes are not those that the index promised.
    #[error("{file} has SHA-256 {found}, but the index says {promised}: publish the repository again", file = file.display())]
    Changed {
        /// The package file.
        file: PathBuf,
        /// As the index says.
        promised: String,
        /// As it is.
        found: String,
    },
    /// A package that must not become an image.
    #[error("cannot unpack {file}: {why}", file = file.display())]
    Unpack {
        /// The package file.
        file: PathBuf,
        /// What is wrong, with the place.
        why: String,
    },
    /// A package that ships what no image may hold.
    #[error("{package} ships {path}, which no image may hold (accounts, passwords, private keys)")]
    Forbidden {
        /// The package.
        package: String,
        /// The path in it.
        path: String,
    },
    /// Nothing says what an instance runs.
    #[error("{package} has no systemd unit with an ExecStart, so nothing says what an instance runs; {hint}")]
    NoCommand {
        /// The package.
        package: String,
        /// What was found instead.
        hint: String,
    },
    /// A unit that cannot be read.
    #[error("unit {unit}: {why}")]
    Unit {
        /// The unit's path in the image.
        unit: String,
        /// What is wrong.
        why: String,
    },
    /// Builder or base image that we do not have.
    #[error("no {what} \"{name}\"; there are: {known}")]
    Unknown {
        /// Builder or base image.
        what: &'static str,
        /// As asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// No image has that id or name.
    #[error("no image \"{0}\": it was never baked here, or was removed")]
    NoImage(String),
    /// The disk.
    #[error("{doing} {path}: {source}", path = path.display())]
    Io {
        /// What was done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The control store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The builder's thread died.
    #[error("the builder stopped without an answer: {0}")]
    Died(String),
    /// Somebody cancelled it.
    #[error("the bake was cancelled")]
    Cancelled,
}

impl BakeError {
    /// For `map_err`: what was done, and where.
    pub(crate) fn io<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> BakeError + 'a {
        move |source| BakeError::Io { doing, path: path.to_owned(), source }
    }
}
