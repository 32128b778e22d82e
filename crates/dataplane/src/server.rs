//! The data plane's process: one per data folder, held by a lock. It keeps the wanted state in force and serves the control socket
//! ([`control`]); requests run in the balancer's own threads.

mod control;
pub(crate) mod handover;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc as blocking;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, watch};

pub use crate::balancer::Limits;
use crate::balancer::leaving::{self, Leaving};
use crate::balancer::{Balancers, past};
use crate::clock::Clock;
use crate::health::Checks;
use crate::instances::Instances;
use crate::journal::Journal;
use crate::status::{Accepted, EventKind, Isolation, IsolationKind, Series, Status};
use crate::wanted::{SCHEMA, Wanted, WantedError};
use crate::{client, disk, launch, unix};
use handover::Handed;

/// The wanted state's name in the data folder.
pub const WANTED: &str = "wanted.json";
/// How long the first checks may take before a stored wanted state is served.
const FIRST_LOOK: Duration = Duration::from_millis(300);
/// How long a successor waits for its predecessor.
const PATIENCE: Duration = Duration::from_secs(30);
/// The lock's name in the data folder.
const LOCK: &str = "dataplane.lock";
/// The name of the file with the process's number in the data folder.
const PID: &str = "dataplane.pid";

/// How to run a data plane.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder, 0700.
    pub dir: PathBuf,
    /// The program whose `launch` verb starts instances.
    pub exe: PathBuf,
    /// The time.
    pub clock: Clock,
    /// Balancer threads; 0 is one a core.
    pub workers: usize,
    /// Bounds on clients and members.
    pub limits: Limits,
    /// Whether to take the place of the data plane that serves this folder now, with its listening sockets.
    pub take_over: bool,
    /// Whether instances are kept apart as far as this machine allows; else they are plain processes.
    pub isolate: bool,
    /// How long running requests may take when it is told to end.
    pub drain: Duration,
}

/// Why a data plane does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The data folder cannot be used.
    #[error("cannot use the data folder {}: {cause}", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// Another one serves this folder.
    #[error("another data plane serves {}: ask `gennaker status`, end it with `gennaker down --all`", .0.display())]
    Locked(PathBuf),
    /// The stored wanted state cannot be read.
    #[error("{}: {why}; move it away to start with nothing (instances go on until a new wanted state arrives)", path.display())]
    Wanted {
        /// The file.
        path: PathBuf,
        /// The cause.
        why: String,
    },
    /// Threads, sockets.
    #[error("cannot start the data plane: {0}")]
    Start(io::Error),
}

/// Why a wanted state is not in force.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// It makes no sense.
    #[error(transparent)]
    Wrong(#[from] WantedError),
    /// Somebody knows better already.
    #[error("generation {got} is older than {have}, which is in force")]
    Older {
        /// What came.
        got: u64,
        /// What is in force.
        have: u64,
    },
    /// Two that differ with one number.
    #[error("generation {0} is in force already with another content: send it with a higher number")]
    Differs(u64),
    /// It could not be written, so it is not in force.
    #[error("cannot write {}: {cause}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
}

/// The running parts.
pub(crate) struct Plane {
    options: Options,
    journal: Arc<Journal>,
    checks: Arc<Checks>,
    balancers: Balancers,
    instances: Instances,
    isolation: Isolation,
    started_at: i64,
    /// Also the order of changes: one at a time.
    wanted: Mutex<Option<Wanted>>,
    ending: watch::Sender<bool>,
    lock: File,
    /// Waits until this one has stopped accepting.
    successor: std::sync::Mutex<Option<UnixStream>>,
}

/// Runs a data plane until it is told to end by `TERM`, `INT` or `POST /stop`.
pub fn run(mut options: Options) -> Result<(), ServerError> {
    let (lock, inherited) = claim(&mut options)?;
    serve(options, lock, inherited, |_| {}, true)
}

/// A data plane in threads of this process, for tests.
pub struct Running {
    ending: watch::Sender<bool>,
    thread: JoinHandle<Result<(), ServerError>>,
}

impl Running {
    /// Ends it as `TERM` does.
    pub fn stop(self) -> Result<(), ServerError> {
        self.ending.send_replace(true);
        self.thread.join().unwrap_or_else(|_| Err(ServerError::Start(io::Error::other("its thread panicked"))))
    }
}

/// Starts a data plane in threads of this process; returns when its socket answers.
pub fn start(mut options: Options) -> Result<Running, ServerError> {
    let (lock, inherited) = claim(&mut options)?;
    let (tell, told) = blocking::channel();
    let thread = std::thread::spawn(move || {
        serve(options, lock, inherited, move |plane| drop(tell.send(plane.ending.clone())), false)
    });
    match told.recv() {
        Ok(ending) => Ok(Running { ending, thread }),
        Err(_) => match thread.join() {
            Ok(Err(error)) => Err(error),
            _ => Err(ServerError::Start(io::Error::other("its thread ended"))),
        },
    }
}

/// Makes the data folder, takes its lock, and the predecessor's listening sockets if it is to be replaced.
fn claim(options: &mut Options) -> Result<(File, Vec<Handed>), ServerError> {
    let file = open_lock(options)?;
    if options.take_over && !try_lock(&file, options)? {
        let mut taken = inherit(options)?;
        if let Some(lock) = taken.lock.take() {
            // Its file is ours now as well: there is no moment in which somebody else could take the folder.
            taken.wait(PATIENCE);
            return Ok((lock, taken.sockets));
        }
        // The predecessor lets go as soon as it has stopped accepting.
        let deadline = std::time::Instant::now() + PATIENCE;
        while !try_lock(&file, options)? {
            if std::time::Instant::now() > deadline {
                return Err(ServerError::Locked(options.dir.clone()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        return Ok((file, taken.sockets));
    } else if !try_lock(&file, options)? {
        return Err(ServerError::Locked(options.dir.clone()));
    }
    Ok((file, Vec::new()))
}

fn inherit(options: &Options) -> Result<handover::Taken, ServerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServerError::Start)?;
    let asked = runtime.block_on(client::Client::new(&options.dir).hand_over());
    asked.map_err(|error| ServerError::Start(io::Error::other(error.to_string())))?;
    handover::take(&options.dir).map_err(ServerError::Start)
}

/// The lock's file. The folder's path becomes absolute: instances live with another working directory.
fn open_lock(options: &mut Options) -> Result<File, ServerError> {
    let dir = options.dir.clone();
    let folder = |cause| ServerError::Folder { dir: dir.clone(), cause };
    disk::private_folder(&options.dir).map_err(folder)?;
    options.dir = options.dir.canonicalize().map_err(folder)?;
    let path = options.dir.join(LOCK);
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(folder)
}

fn try_lock(file: &File, options: &Options) -> Result<bool, ServerError> {
    match rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(ServerError::Folder { dir: options.dir.clone(), cause: error.into() }),
    }
}

fn serve(
    options: Options,
    lock: File,
    inherited: Vec<Handed>,
    ready: impl FnOnce(&Plane),
    signals: bool,
) -> Result<(), ServerError> {
    more_files();
    let isolation = match options.isolate {
        true => launch::probe(&options.exe, &options.dir),
        false => Isolation { kind: IsolationKind::None, why: "isolation is switched off".into() },
    };
    let stored = read_wanted(&options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServerError::Start)?;
    let drain = options.drain;
    // Service managers follow the one that serves, also when another takes its place: it is written before the predecessor ends.
    let id = disk::replace_unsynced(&options.dir.join(PID), format!("{}\n", std::process::id()).as_bytes());
    id.unwrap_or_else(|error| tracing::warn!("{PID} is not written: {error}"));
    let plane = runtime.block_on(async {
        let plane = Arc::new(Plane::new(options, lock, isolation)?);
        let listener = unix::listen(&plane.options.dir, client::SOCKET).map_err(ServerError::Start)?;
        if let Some(wanted) = stored {
            // Who is red now gets nothing, also from a data plane that has just started.
            plane.check(&wanted);
            plane.checks.asked(FIRST_LOOK).await;
            let problems = plane.apply(&wanted, inherited).await;
            problems.iter().for_each(|p| tracing::warn!("{p}"));
            *plane.wanted.lock().await = Some(wanted);
        }
        plane.go_on();
        ready(&plane);
        plane.live(listener, signals).await?;
        Ok(plane)
    })?;
    // Tasks hold the plane; they end with the runtime, then the balancer's threads finish what runs.
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Some(Plane { mut balancers, lock, successor, options, .. }) = Arc::into_inner(plane) {
        balancers.close();
        let leave = |balancers: &Balancers, part| {
            let past = balancers.give_past(options.clock.now().div_euclid(1000) * 1000);
            let left = past::leave(&options.dir, part, &past);
            left.unwrap_or_else(|error| tracing::warn!("what was counted is lost: {error}"));
        };
        leave(&balancers, "closed");
        let mut leaving = Leaving::begin(&options.dir, balancers.open());
        if let Err(error) = &leaving {
            tracing::warn!("a successor cannot know what is still open here: {error}");
        }
        // From here on a successor may serve this folder; only running requests are left to this process.
        drop((successor, lock));
        balancers.end(drain, |balancers| {
            if let Ok(leaving) = &mut leaving {
                leaving.tell(balancers.open());
            }
        });
        drop(leaving);
        leave(&balancers, "ended");
    }
    Ok(())
}

/// As many open files as the machine gives: each request of a client needs two.
fn more_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

fn read_wanted(options: &Options) -> Result<Option<Wanted>, ServerError> {
    let path = options.dir.join(WANTED);
    let wrong = |why: String| ServerError::Wanted { path: path.clone(), why };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error.to_string())),
    };
    let wanted: Wanted = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    wanted.check().map_err(|error| wrong(error.to_string()))?;
    Ok(Some(wanted))
}

impl Plane {
    fn new(options: Options, lock: File, isolation: Isolation) -> Result<Self, ServerError> {
        let journal = Arc::new(Journal::new(options.clock.clone()));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = if options.workers == 0 { cores } else { options.workers };
        let balancers = Balancers::start(workers, options.limits.clone(), options.clock.clone(), journal.clone())
            .map_err(ServerError::Start)?;
        let checks = Arc::new(Checks::new(options.clock.clone(), journal.clone()));
        let instances = Instances::new(&options, isolation.kind, journal.clone(), checks.clone());
        let started_at = options.clock.now();
        Ok(Self {
            options,
            journal,
            checks,
            balancers,
            instances,
            isolation,
            started_at,
            wanted: Mutex::new(None),
            ending: watch::channel(false).0,
            lock,
            successor: std::sync::Mutex::default(),
        })
    }

    /// Serves until it is told to end.
    async fn live(self: &Arc<Self>, listener: UnixListener, signals: bool) -> Result<(), ServerError> {
        let mut told = self.ending.subscribe();
        let mut beat = tokio::time::interval(Duration::from_secs(1));
        let mut term = signal(SignalKind::terminate()).map_err(ServerError::Start)?;
        let mut int = signal(SignalKind::interrupt()).map_err(ServerError::Start)?;
        let mut seconds = std::pin::pin!(self.count_seconds());
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(tokio::spawn(control::serve(self.clone(), stream))),
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
                _ = beat.tick() => self.balancers.retry(),
                _ = &mut seconds => {}
                _ = told.wait_for(|t| *t) => return Ok(()),
                _ = term.recv(), if signals => return Ok(()),
                _ = int.recv(), if signals => return Ok(()),
            }
        }
    }

    /// Takes each second into the series when it is over; never returns.
    async fn count_seconds(&self) {
        loop {
            // Timers and the clock may differ by a little: no second is taken twice.
            let into = self.options.clock.now().rem_euclid(1000);
            let left = if into > 950 { 2000 - into } else { 1000 - into };
            tokio::time::sleep(Duration::from_millis(left.unsigned_abs())).await;
            self.balancers.second(last_second(self.options.clock.now()));
            self.go_on();
        }
    }

    pub(crate) fn series(&self, balancer: &str, since: i64) -> Option<Series> {
        self.balancers.series(balancer, since)
    }

    /// Takes a whole wanted state; when this returns it is on disk and in force.
    pub(crate) async fn put(&self, wanted: Wanted) -> Result<Accepted, PutError> {
        wanted.check()?;
        let mut current = self.wanted.lock().await;
        if let Some(have) = &*current {
            if wanted.generation < have.generation {
                return Err(PutError::Older { got: wanted.generation, have: have.generation });
            }
            if wanted.generation == have.generation && wanted != *have {
                return Err(PutError::Differs(have.generation));
            }
        }
        let generation = wanted.generation;
        if current.as_ref() != Some(&wanted) {
            let path = self.options.dir.join(WANTED);
            let bytes = serde_json::to_vec_pretty(&wanted).map_err(io::Error::other);
            bytes.and_then(|bytes| disk::replace(&path, &bytes)).map_err(|cause| PutError::Disk { path, cause })?;
        }
        let problems = self.apply(&wanted, Vec::new()).await;
        if current.as_ref() != Some(&wanted) {
            self.journal.note(EventKind::Wanted, "wanted", format!("generation {generation} is in force"));
        }
        *current = Some(wanted);
        Ok(Accepted { generation, problems })
    }

    fn check(&self, wanted: &Wanted) {
        let mut subjects = Balancers::subjects(wanted);
        subjects.extend(Instances::subjects(wanted));
        self.checks.set(subjects);
    }

    async fn apply(&self, wanted: &Wanted, inherited: Vec<Handed>) -> Vec<String> {
        self.check(wanted);
        // Traffic leaves an instance before the instance ends.
        let problems = self.balancers.apply(wanted, &self.checks, inherited).await;
        self.instances.want(&wanted.instances);
        problems
    }

    pub(crate) async fn wanted(&self) -> Option<Wanted> {
        self.wanted.lock().await.clone()
    }

    pub(crate) async fn status(&self) -> Status {
        let generation = self.wanted.lock().await.as_ref().map(|w| w.generation);
        Status {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            started_at: self.started_at,
            at: self.options.clock.now(),
            generation,
            seq: self.journal.seq(),
            isolation: self.isolation.clone(),
            balancers: self.balancers.status(&leaving::open(&self.options.dir), &self.checks),
            instances: self.instances.status(),
        }
    }

    /// Adds what predecessors left to what is counted here.
    fn go_on(&self) {
        past::take(&self.options.dir).into_iter().for_each(|past| self.balancers.take_past(past));
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Gives the listening sockets to a successor, then ends. What is asked meanwhile is answered by the successor.
    pub(crate) fn hand_over(self: Arc<Self>, with_lock: bool) -> io::Result<()> {
        let listener = handover::listen(&self.options.dir)?;
        tokio::task::spawn_blocking(move || {
            let given = handover::give(&listener, &self.balancers.sockets(), with_lock.then_some(&self.lock));
            let _ = std::fs::remove_file(self.options.dir.join(handover::SOCKET));
            match given {
                Ok(stream) => {
                    *self.successor.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
                    self.end();
                }
                Err(error) => tracing::warn!("the successor did not take over, so this one goes on: {error}"),
            }
        });
        Ok(())
    }

    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }
}

/// The second that is over at `now` (UTC milliseconds): a timer may be a little early, and as late as it likes.
fn last_second(now: i64) -> i64 {
    (now + 50).div_euclid(1000) * 1000 - 1000
}

#[cfg(test)]
mod tests {
    use super::last_second;

    #[test]
    fn a_timer_that_is_early_or_late_takes_no_second_twice() {
        for (now, expected) in
            [(12_000, 11_000), (11_960, 11_000), (12_400, 11_000), (12_700, 11_000), (13_000, 12_000)]
        {
            assert_eq!(last_second(now), expected, "{now}");
        }
    }
}
