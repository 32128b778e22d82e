//! The shim: one small process an instance, the first of its PID namespace where there is one. It starts the program, keeps its log, starts
//! it again when it ends, and ends it when told. When the shim dies, the instance dies: the namespace with it, or by the parent-death signal.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use super::log::Log;
use super::{LaunchError, Role, SELF, Tried, cgroup, command};
use crate::clock::Clock;
use crate::folder::{Ask, Folder, SOCKET, Word};
use crate::proc::{Family, Process};
use crate::status::{Exit, InstanceState, IsolationKind};
use crate::unix;
use crate::wanted::{Instance, Restart};

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A program that ran for so long is no failing start any more.
const LONG: Duration = Duration::from_secs(10);

struct Shim {
    folder: Folder,
    spec: Instance,
    isolation: IsolationKind,
    clock: Clock,
    log: Arc<Mutex<Log>>,
    written: Arc<Notify>,
    word: watch::Sender<Word>,
    told: mpsc::UnboundedReceiver<Duration>,
    children: Signals,
    term: Signals,
}

/// How waiting for the program came out.
enum Outcome {
    Ended(Exit),
    Told(Duration),
}

/// Supervises the instance in `folder` until it is told to stop.
pub fn run(folder: Folder, isolation: IsolationKind, clock: Clock) -> Result<(), LaunchError> {
    let _ = rustix::process::setsid();
    let _ = rustix::thread::set_name(c"gennaker-shim");
    if isolation == IsolationKind::None {
        // Orphans of the program come here instead of leaving.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
    let place = folder.path().display().to_string();
    let Some(_lock) = folder.lock().tried(|| format!("cannot lock {place}"))? else {
        return Err(io::Error::other("another shim serves it")).tried(|| place);
    };
    let spec = folder.spec().tried(|| format!("cannot read {place}/spec.json"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().tried(|| "cannot start".into())?;
    runtime.block_on(async {
        let shim = me().tried(|| "cannot read /proc/self".into())?;
        let word = Word {
            shim,
            isolation,
            state: InstanceState::Starting,
            since: clock.now(),
            exit: folder.word().ok().and_then(|w| w.exit),
            restarts: 0,
            lines: Vec::new(),
            warnings: cgroup::enter(Path::new(cgroup::MOUNT), folder.path(), &spec.limits).into_iter().collect(),
        };
        folder.write_word(&word).tried(|| format!("cannot write {place}/shim.json"))?;
        let log = Log::open(folder.log(), spec.limits.log_bytes.unwrap_or(8 << 20), clock.clone())
            .tried(|| format!("cannot open {place}/log"))?;
        let listener = unix::listen(folder.path(), SOCKET).tried(|| format!("cannot listen on {place}/{SOCKET}"))?;
        let (word, _) = watch::channel(word);
        let (tell, told) = mpsc::unbounded_channel();
        let log = Arc::new(Mutex::new(log));
        tokio::spawn(listen(listener, word.clone(), tell));
        let written = Arc::new(Notify::new());
        tokio::spawn(tell_lines(log.clone(), word.clone(), written.clone()));
        let children = signal(SignalKind::child()).tried(|| "cannot wait for children".into())?;
        let term = signal(SignalKind::terminate()).tried(|| "cannot take signals".into())?;
        Shim { folder, spec, isolation, clock, log, written, word, told, children, term }.supervise().await;
        Ok(())
    })
}

/// This process as the machine sees it: `/proc` is the machine's, also inside a PID namespace.
fn me() -> io::Result<Process> {
    let number = std::fs::read_link("/proc/self")?;
    let pid = number.to_str().and_then(|n| n.parse().ok());
    pid.and_then(Process::of).ok_or_else(|| io::Error::other("no number"))
}

impl Shim {
    async fn supervise(mut self) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let started = Instant::now();
            let again = match self.start() {
                Ok((pid, reader)) => {
                    self.say(InstanceState::Running, None);
                    match self.until(pid).await {
                        Outcome::Told(grace) => return self.end(pid, grace).await,
                        Outcome::Ended(exit) => {
                            self.end_leftovers();
                            // The last words may still be in the pipe.
                            let _ = tokio::time::timeout(Duration::from_millis(200), reader).await;
                            let again = match self.spec.restart {
                                Restart::Always => true,
                                Restart::OnFailure => exit.code != Some(0),
                                Restart::Never => false,
                            };
                            self.say(if again { InstanceState::Waiting } else { InstanceState::Ended }, Some(exit));
                            again
                        }
                    }
                }
                Err(error) => {
                    self.log().say(&format!("cannot start: {error}"));
                    self.say(InstanceState::Failed, None);
                    true
                }
            };
            pause = if started.elapsed() >= LONG { SHORTEST_PAUSE } else { pause };
            let told = tokio::select! {
                _ = tokio::time::sleep(pause), if again => false,
                _ = self.told.recv() => true,
                _ = self.term.recv() => true,
            };
            if told {
                return self.say(InstanceState::Ended, None);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.word.send_modify(|w| w.restarts += 1);
        }
    }

    fn start(&mut self) -> io::Result<(Pid, JoinHandle<()>)> {
        let (reader, writer) = io::pipe()?;
        let child = command(Path::new(SELF), Role::Program, self.folder.path(), self.isolation)
            .stdout(Stdio::from(writer.try_clone()?))
            .stderr(Stdio::from(writer))
            .process_group(0)
            .spawn()?;
        let reader =
            tokio::spawn(read(pipe::Receiver::from_owned_fd(reader.into())?, self.log.clone(), self.written.clone()));
        Ok((Pid::from_child(&child), reader))
    }

    /// Waits for the program's end or for an order to stop.
    async fn until(&mut self, pid: Pid) -> Outcome {
        loop {
            if let Some(exit) = self.reap(pid) {
                return Outcome::Ended(exit);
            }
            tokio::select! {
                _ = self.children.recv() => {}
                grace = self.told.recv() => return Outcome::Told(grace.unwrap_or_default()),
                _ = self.term.recv() => return Outcome::Told(Duration::from_millis(self.spec.grace_ms)),
            }
        }
    }

    /// Takes all that ended (orphans come here too); the program's own end is told.
    fn reap(&self, pid: Pid) -> Option<Exit> {
        let mut own = None;
        while let Ok(Some((who, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            if who == pid {
                own = Some(Exit {
                    code: status.exit_status(),
                    signal: status.terminating_signal(),
                    at: self.clock.now(),
                });
            }
        }
        own
    }

    async fn end(mut self, pid: Pid, grace: Duration) {
        self.say(InstanceState::Stopping, None);
        let _ = rustix::process::kill_process_group(pid, Signal::TERM);
        let deadline = tokio::time::Instant::now() + grace;
        let mut exit = None;
        while exit.is_none() {
            let waited = tokio::time::timeout_at(deadline, self.children.recv()).await;
            exit = self.reap(pid);
            if waited.is_err() {
                break;
            }
        }
        if exit.is_none() {
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
            let _ = tokio::time::timeout(Duration::from_secs(1), self.children.recv()).await;
            exit = self.reap(pid);
        }
        self.end_leftovers();
        self.say(InstanceState::Ended, exit);
    }

    /// Ends what the program left behind.
    fn end_leftovers(&self) {
        if std::process::id() == 1 {
            // As first process of a PID namespace: group "1" is `kill(-1)`, everyone in the namespace but ourselves.
            let _ = rustix::process::kill_process_group(Pid::INIT, Signal::KILL);
            return;
        }
        for _ in 0..20 {
            let left = Family::read().descendants(std::process::id());
            for pid in left.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
            while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
            if left.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn say(&self, state: InstanceState, exit: Option<Exit>) {
        let (now, lines) = (self.clock.now(), self.log().tail());
        self.word.send_modify(|word| {
            word.state = state;
            word.since = now;
            word.lines = lines;
            if exit.is_some() {
                word.exit = exit;
            }
        });
        // Only a help for those who come after its end.
        let _ = self.folder.write_word(&self.word.borrow());
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(mut from: pipe::Receiver, log: Arc<Mutex<Log>>, written: Arc<Notify>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        log.lock().unwrap_or_else(PoisonError::into_inner).write(&buffer[..n]);
        written.notify_one();
    }
}

/// Tells new lines to watchers, once a second at most; a silent program costs nothing.
async fn tell_lines(log: Arc<Mutex<Log>>, word: watch::Sender<Word>, written: Arc<Notify>) {
    loop {
        written.notified().await;
        // The first words come soon, a flood of them once a second.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let lines = log.lock().unwrap_or_else(PoisonError::into_inner).tail();
        word.send_if_modified(|word| {
            let changed = word.lines != lines;
            word.lines = lines;
            changed
        });
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
}

async fn listen(listener: UnixListener, word: watch::Sender<Word>, tell: mpsc::UnboundedSender<Duration>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if unix::is_own(&stream) => {
                drop(tokio::spawn(serve(stream, word.subscribe(), tell.clone())))
            }
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(stream: UnixStream, mut word: watch::Receiver<Word>, tell: mpsc::UnboundedSender<Duration>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader.take(64 << 10)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Ask::Stop { grace_ms }) => drop(tell.send(Duration::from_millis(grace_ms))),
            Ok(Ask::Watch) => break,
            Err(_) => return,
        }
    }
    loop {
        let Ok(mut line) = serde_json::to_vec(&*word.borrow_and_update()) else { return };
        line.push(b'\n');
        if writer.write_all(&line).await.is_err() || word.changed().await.is_err() {
            return;
        }
    }
}
