//! The transaction that domain code works on: synchronous, no input or output inside, effects after the commit.

use jiff::Timestamp;

use crate::backend::Backend;
use crate::id::Ids;
use crate::{Row, StoreError, Value};

/// What is done after a commit.
pub(crate) type Effect = Box<dyn FnOnce() + Send>;

/// One transaction. A closure that gets one may be run more than once, so it does nothing but read and write here.
///
/// A statement that fails undoes the whole transaction, even when the closure goes on and answers `Ok`: write
/// `on conflict do nothing` where a row may be there already.
pub struct Tx<'a> {
    backend: &'a mut dyn Backend,
    ids: &'a Ids,
    now: Timestamp,
    effects: Vec<Effect>,
    /// Number of the newest row of the change table; `None` where there is no such table.
    feed: Option<&'a mut i64>,
    /// The first statement that failed: PostgreSQL then refuses the rest, so SQLite must not keep it either.
    failed: Option<StoreError>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(backend: &'a mut dyn Backend, ids: &'a Ids, now: Timestamp, feed: Option<&'a mut i64>) -> Self {
        Tx { backend, ids, now, effects: Vec::new(), feed, failed: None }
    }

    pub(crate) fn into_effects(self) -> Vec<Effect> {
        self.effects
    }

    /// The error that undoes this transaction.
    pub(crate) fn failed(&self) -> Option<StoreError> {
        self.failed.clone()
    }

    fn note<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(e) = &done {
            self.failed.get_or_insert_with(|| e.clone());
        }
        done
    }

    /// Runs a statement that changes rows and tells how many.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let done = self.backend.execute(sql, params);
        self.note(done)
    }

    /// Runs a statement that gives rows, all of them.
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let found = self.backend.query(sql, params);
        self.note(found)
    }

    /// Runs a statement that gives rows, and takes the first if there is one.
    pub fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// Runs a statement that counts: the number in the first column of its only row.
    pub fn count(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.query_opt(sql, params)?.map_or(Ok(0), |row| row.int(0)).map(i64::unsigned_abs)
    }

    /// The moment of this transaction; the same however often it is asked.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A new ULID, greater than all before.
    pub fn ulid(&mut self) -> String {
        self.ids.ulid(self.now)
    }

    /// A new random UUID.
    pub fn uuid(&mut self) -> String {
        self.ids.uuid()
    }

    /// Pushes something short to do once this transaction is committed (wake somebody, send to a channel, take over what is
    /// so now). It runs on the store's thread before the caller has its answer and before the change is told, in the order of
    /// the commits; not at all when the transaction is rolled back.
    pub fn after_commit(&mut self, effect: impl FnOnce() + Send + 'static) {
        self.effects.push(Box::new(effect));
    }

    /// Adds a row to the change table: something about `key` of `topic` is different now. The page's live stream tells it.
    pub fn change(&mut self, topic: &str, key: &str) -> Result<(), StoreError> {
        let Some(newest) = self.feed.as_deref_mut() else {
            return Err(StoreError::NoFeed);
        };
        *newest += 1;
        let row: &[Value] = crate::params![*newest, self.now, topic, key];
        self.execute("insert into change (seq, at, topic, key) values (?1, ?2, ?3, ?4)", row)?;
        Ok(())
    }
}
