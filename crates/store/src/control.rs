//! The control store: applications, pipelines, executions, queue. One process owns it; `lock` sees to that.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, watch};

use crate::backend::Backend;
use crate::clock::Clock;
use crate::id::Ids;
use crate::job::{Job, pack};
use crate::postgres::Postgres;
use crate::reader::Reader;
use crate::sqlite::{Options, Sqlite};
use crate::writer::{Connect, Writer};
use crate::{Migration, StoreError, Tx, migration};

/// So many callers may wait before the next one waits for a place in the queue.
const QUEUE: usize = 1024;
/// Threads that read. Each costs a connection with its cache once it was used.
const READERS: usize = 3;

/// Where the control store is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file; it is made, readable for its owner alone.
    Sqlite(PathBuf),
    /// `postgres://user:password@host:port/database`.
    Postgres(String),
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Location::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Location::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

impl Location {
    fn connect(&self, read_only: bool) -> Result<Box<dyn Backend>, StoreError> {
        match self {
            Location::Sqlite(path) => {
                let options = Options { mode: 0o600, read_only, checkpoint_on_close: true };
                Ok(Box::new(Sqlite::open(path, options)?))
            }
            Location::Postgres(url) => Ok(Box::new(Postgres::open(url, !read_only)?)),
        }
    }
}

/// The control store. Cheap to clone; the last clone that goes closes it after its last job.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    writes: Option<mpsc::Sender<Box<dyn Job>>>,
    reads: Option<mpsc::Sender<Box<dyn Job>>>,
    told: watch::Receiver<i64>,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    threads: Vec<JoinHandle<()>>,
}

impl Store {
    /// Opens the store and brings every domain's schema to the last of its steps, in one transaction. A store of a newer
    /// version is refused by name. Blocks for a few milliseconds; may be called anywhere.
    pub fn open(location: Location, lists: &[&[Migration]], clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_with_ids(location, lists, clock, Ids::random()?)
    }

    /// Like [`Store::open`] with a given source of ids, so that a test's ids repeat.
    pub fn open_with_ids(
        location: Location,
        lists: &[&[Migration]],
        clock: Arc<dyn Clock>,
        ids: Ids,
    ) -> Result<Self, StoreError> {
        let ids = Arc::new(ids);
        let (writes, write_jobs) = mpsc::channel(QUEUE);
        let (reads, read_jobs) = mpsc::channel(QUEUE);
        let (writer, told) = start_writer(&location, lists, &clock, &ids, write_jobs)?;
        let mut threads = vec![writer];
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        for number in 1..=READERS {
            let place = location.clone();
            let connect: Connect = Box::new(move || place.connect(true));
            let reader = Reader { connect, clock: clock.clone(), ids: ids.clone() };
            let jobs = read_jobs.clone();
            threads.push(spawn(&format!("store-read-{number}"), move || reader.work(&jobs))?);
        }
        let (writes, reads) = (Some(writes), Some(reads));
        Ok(Store(Arc::new(Inner { writes, reads, told, clock, ids, threads })))
    }

    /// Runs `work` in a write transaction: kept and on the disk when this answers `Ok`, undone when it answers `Err`.
    /// Several callers share one commit. `work` may run more than once.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        ask(self.0.writes.as_ref(), work).await
    }

    /// [`Store::write`] for a thread of its own; panics on a thread that runs async tasks, and must not be called from
    /// an effect after a commit, which runs on the writer itself.
    pub fn write_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        ask_blocking(self.0.writes.as_ref(), work)
    }

    /// Runs `work` on one consistent moment that holds everything acknowledged before. It cannot write.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        ask(self.0.reads.as_ref(), work).await
    }

    /// [`Store::read`] for a thread of its own; panics on a thread that runs async tasks.
    pub fn read_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        ask_blocking(self.0.reads.as_ref(), work)
    }

    /// Shows the number of the newest committed row of the change table, and wakes when it grows.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.0.told.clone()
    }

    /// The clock that transactions show.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The source of ids that transactions use.
    #[must_use]
    pub fn ids(&self) -> &Arc<Ids> {
        &self.0.ids
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        (self.writes, self.reads) = (None, None);
        let own = std::thread::current().id();
        // An effect may hold the last clone: then this is the writer's thread, and it ends by itself.
        for thread in self.threads.drain(..).filter(|thread| thread.thread().id() != own) {
            let _ = thread.join();
        }
    }
}

async fn ask<T, E, F>(queue: Option<&mpsc::Sender<Box<dyn Job>>>, work: F) -> Result<T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (job, answer) = pack(work);
    let queue = queue.ok_or(StoreError::Closed)?;
    queue.send(job).await.map_err(|_| StoreError::Closed)?;
    answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
}

fn ask_blocking<T, E, F>(queue: Option<&mpsc::Sender<Box<dyn Job>>>, work: F) -> Result<T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (job, answer) = pack(work);
    let queue = queue.ok_or(StoreError::Closed)?;
    queue.blocking_send(job).map_err(|_| StoreError::Closed)?;
    answer.blocking_recv().unwrap_or_else(|_| Err(StoreError::Closed.into()))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|e| StoreError::Open { place: format!("thread {name}"), what: e.to_string() })
}

/// The writer opens its connection itself, on its own thread: a PostgreSQL connection belongs to the thread that made it.
fn start_writer(
    location: &Location,
    lists: &[&[Migration]],
    clock: &Arc<dyn Clock>,
    ids: &Arc<Ids>,
    jobs: mpsc::Receiver<Box<dyn Job>>,
) -> Result<(JoinHandle<()>, watch::Receiver<i64>), StoreError> {
    let (ready, opened) = std::sync::mpsc::sync_channel(1);
    let (told, hear) = watch::channel(0);
    let (place, clock, ids) = (location.clone(), clock.clone(), ids.clone());
    let lists: Vec<Vec<Migration>> = lists.iter().map(|list| list.to_vec()).collect();
    let thread = spawn("store-write", move || {
        match open_for_writing(&place, &lists) {
            Ok((backend, newest)) => {
                told.send_replace(newest);
                let connect: Connect = Box::new(move || place.connect(false));
                let writer = Writer { backend, connect, clock, ids, newest, told };
                if ready.send(Ok(())).is_ok() {
                    writer.work(jobs);
                }
            }
            // The receiver lives until this arrives.
            Err(e) => drop(ready.send(Err(e))),
        }
    })?;
    opened.recv().map_err(|_| StoreError::Closed)??;
    Ok((thread, hear))
}

fn open_for_writing(place: &Location, lists: &[Vec<Migration>]) -> Result<(Box<dyn Backend>, i64), StoreError> {
    let mut backend = place.connect(false)?;
    let lists: Vec<&[Migration]> = lists.iter().map(Vec::as_slice).collect();
    migration::apply(backend.as_mut(), &lists)?;
    let newest = backend.query("select coalesce(max(seq), 0) from change", &[])?;
    let newest = newest.first().map_or(Ok(0), |row| row.int(0))?;
    Ok((backend, newest))
}
