//! The store of one apt root: a SQLite file that any number of processes use at the same time, synchronously.
//!
//! There is no server process and no thread of its own. Keep write transactions under 500 rows and 50 ms, and do no file
//! work, hashing or compression inside one: everybody else waits meanwhile.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::{Backend, Mode};
use crate::clock::Clock;
use crate::id::Ids;
use crate::sqlite::{Options, Sqlite};
use crate::{Migration, StoreError, Tx, migration};

/// A database file that processes share. Cheap to clone.
#[derive(Clone)]
pub struct SharedStore(Arc<Shared>);

struct Shared {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    ids: Ids,
    /// Open connections that nobody uses at the moment.
    idle: Mutex<Vec<Sqlite>>,
    /// Threads of this process queue here and do not poll for the file's lock.
    turn: Mutex<()>,
}

/// Every user of the machine that may write the root may write its database: the umask decides.
const OPTIONS: Options = Options { mode: 0o660, read_only: false, checkpoint_on_close: false };

impl SharedStore {
    /// Opens the file and brings its schema to the last of `steps` (numbered 1, 2, 3 …). When nothing is to be done,
    /// nothing is written. A file of a newer version is refused by name.
    pub fn open(path: &Path, steps: &[Migration], clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let mut db = Sqlite::open(path, OPTIONS)?;
        migrate(&mut db, steps)?;
        let ids = Ids::random()?;
        let (path, idle, turn) = (path.to_owned(), Mutex::new(vec![db]), Mutex::new(()));
        Ok(SharedStore(Arc::new(Shared { path, clock, ids, idle, turn })))
    }

    /// Runs `work` in a write transaction: kept when it answers `Ok`, undone when it answers `Err`.
    pub fn write<T, E: From<StoreError>>(&self, mut work: impl FnMut(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut db = self.take()?;
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &*self.0;
        db.begin(Mode::Write)?;
        let mut tx = Tx::new(&mut db, &shared.ids, shared.clock.now(), None);
        let done = work(&mut tx);
        let done = match tx.failed() {
            Some(failed) => done.and(Err(failed.into())),
            None => done,
        };
        let effects = tx.into_effects();
        let kept = match done {
            Ok(answer) => db.commit().map(|()| answer).map_err(E::from),
            Err(e) => Err(e),
        };
        if kept.is_err() {
            db.rollback();
        }
        drop(_turn);
        self.give_back(db);
        if kept.is_ok() {
            effects.into_iter().for_each(|effect| effect());
        }
        kept
    }

    /// Runs `work` on one consistent moment. What it writes is undone.
    pub fn read<T, E: From<StoreError>>(&self, mut work: impl FnMut(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut db = self.take()?;
        let shared = &*self.0;
        db.begin(Mode::Read)?;
        let done = work(&mut Tx::new(&mut db, &shared.ids, shared.clock.now(), None));
        db.rollback();
        self.give_back(db);
        done
    }

    /// The database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The clock that transactions show.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    fn take(&self) -> Result<Sqlite, StoreError> {
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Sqlite::open(&self.0.path, OPTIONS), Ok)
    }

    fn give_back(&self, db: Sqlite) {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < 4 {
            idle.push(db);
        }
    }
}

fn migrate(db: &mut Sqlite, steps: &[Migration]) -> Result<(), StoreError> {
    let known = steps.last().map_or(0, |step| i64::from(step.number));
    if current(db, steps, known)? == known {
        return Ok(());
    }
    db.begin(Mode::Write)?;
    let done = migrate_in_transaction(db, steps, known).and_then(|()| db.commit());
    if done.is_err() {
        db.rollback();
    }
    done
}

fn migrate_in_transaction(db: &mut Sqlite, steps: &[Migration], known: i64) -> Result<(), StoreError> {
    // Asked again under the lock: another process may have done it meanwhile.
    let from = current(db, steps, known)?;
    for step in steps.iter().filter(|step| i64::from(step.number) > from) {
        migration::run(db, step)?;
    }
    db.set_user_version(known)
}

fn current(db: &Sqlite, steps: &[Migration], known: i64) -> Result<i64, StoreError> {
    let found = db.user_version()?;
    if found > known {
        let domain = steps.first().map_or("apt", |step| step.domain).to_owned();
        return Err(StoreError::NewerSchema { place: db.place().to_owned(), domain, found, known });
    }
    Ok(found)
}
