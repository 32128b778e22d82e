//! What can go wrong with a store, told by kind so that callers can act on it and people can read it.

use std::path::PathBuf;

/// Why a store could not do what it was asked.
///
/// It can be cloned, because one failed commit answers every job that was in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A row with this key exists already.
    #[error("a record with this key exists already ({what})")]
    Unique {
        /// The constraint or the columns, as the database names them.
        what: String,
    },
    /// Another rule of the schema was broken (reference, not null, check).
    #[error("the record breaks a rule of the schema: {what}")]
    Constraint {
        /// What the database said.
        what: String,
    },
    /// The disk has no room left.
    #[error("the disk that holds {place} is full: make room; what was acknowledged before is safe")]
    Full {
        /// The database's file or address.
        place: String,
    },
    /// The disk answered with an error.
    #[error("cannot read or write {place}: {what}")]
    Disk {
        /// The database's file or address.
        place: String,
        /// What the system said.
        what: String,
    },
    /// Another process holds the database for longer than anybody may.
    #[error("{place} is held by another process for more than {minutes} minutes: end that process, then try again")]
    Busy {
        /// The database's file.
        place: String,
        /// How long we waited.
        minutes: u64,
    },
    /// The database was written by a newer version of this program.
    #[error(
        "{place} has schema {found} of \"{domain}\", this version knows up to {known}: use the newer version of the program"
    )]
    NewerSchema {
        /// The database's file or address.
        place: String,
        /// Whose schema.
        domain: String,
        /// The number found.
        found: i64,
        /// The highest number that this program has.
        known: i64,
    },
    /// A migration did not apply; nothing of it is left behind.
    #[error("migration {number} of \"{domain}\" failed on {place}: {what}")]
    Migration {
        /// The database's file or address.
        place: String,
        /// Whose migration.
        domain: String,
        /// Its number.
        number: u32,
        /// What the database said.
        what: String,
    },
    /// The database could not be opened or reached.
    #[error("cannot open {place}: {what}")]
    Open {
        /// The database's file or address.
        place: String,
        /// What the system said.
        what: String,
    },
    /// The connection was lost; whether the last commit was kept is unknown.
    #[error("lost the connection to {place}: {what}")]
    Lost {
        /// The database's address.
        place: String,
        /// What the database said.
        what: String,
    },
    /// A column holds something else than the code that reads it expects.
    #[error("column {column} holds {found}, wanted {wanted}")]
    Column {
        /// Number of the column, from 0.
        column: usize,
        /// Kind of value wanted.
        wanted: &'static str,
        /// Kind of value found.
        found: &'static str,
    },
    /// The database refused a statement: a mistake of ours.
    #[error("the database refused a statement: {what}")]
    Sql {
        /// What the database said.
        what: String,
    },
    /// A transaction's closure panicked; it was rolled back.
    #[error("a transaction ended in a panic and was rolled back: {what}")]
    Panicked {
        /// The panic's message.
        what: String,
    },
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The change feed belongs to the control store alone.
    #[error("this store has no change feed")]
    NoFeed,
    /// A file of the store could not be made.
    #[error("cannot make {path}: {what}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        what: String,
    },
}

impl StoreError {
    /// Whether it says that a row with the same key exists.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        matches!(self, StoreError::Unique { .. })
    }

    /// Whether it says that the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, StoreError::Full { .. })
    }
}
