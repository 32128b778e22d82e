//! What a database must be able to do for us. One adapter each for SQLite and PostgreSQL; nothing above knows which it is.

use crate::{Row, StoreError, Value};

/// How a transaction is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Takes the write lock at once, so that it cannot fail half-way for want of it.
    Write,
    /// Sees one consistent moment and changes nothing.
    Read,
}

/// One connection to a database.
pub(crate) trait Backend: Send {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError>;
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError>;
    /// Several statements without parameters: migrations.
    fn batch(&mut self, sql: &str) -> Result<(), StoreError>;
    fn begin(&mut self, mode: Mode) -> Result<(), StoreError>;
    fn commit(&mut self) -> Result<(), StoreError>;
    fn rollback(&mut self);
    fn savepoint(&mut self) -> Result<(), StoreError>;
    fn release(&mut self) -> Result<(), StoreError>;
    fn rollback_to_savepoint(&mut self) -> Result<(), StoreError>;
    /// Whether the transaction still stands: a full disk makes SQLite give it up by itself.
    fn in_transaction(&self) -> bool;
    /// The database's file or address, for messages.
    fn place(&self) -> &str;
}
