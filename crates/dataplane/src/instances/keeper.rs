//! Keeps one instance as it is wanted: adopts the shim that lives, else starts one; ends it when it is wanted no more or otherwise.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::{Shared, address};
use crate::folder::{Ask, Folder, SOCKET, Word};
use crate::proc::{self, Process};
use crate::status::{EventKind, Health, HealthState, InstanceState, InstanceStatus, IsolationKind};
use crate::wanted::Instance;
use crate::{launch, logs, unix};

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a shim may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// One instance's task.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    id: String,
    folder: Folder,
    want: watch::Receiver<Option<Instance>>,
}

/// A line to a living shim.
struct Line {
    shim: Process,
    lines: tokio::io::Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
    last: Word,
}

/// What is known before anything is.
pub(super) fn first_status(spec: &Instance, isolation: IsolationKind, now: i64) -> InstanceStatus {
    InstanceStatus {
        id: spec.id.clone(),
        group: spec.group.clone(),
        zone: spec.zone.clone(),
        state: InstanceState::Starting,
        since: now,
        shim_pid: None,
        pid: None,
        port: spec.port,
        ports: Vec::new(),
        exit: None,
        restarts: 0,
        lines: Vec::new(),
        health: Health { state: HealthState::Unknown, since: now, why: "there is no health check".into() },
        isolation,
        warnings: Vec::new(),
    }
}

impl Keeper {
    /// The keeper of the instance `id`.
    pub(super) fn new(shared: Arc<Shared>, id: String, want: watch::Receiver<Option<Instance>>) -> Self {
        let folder = Folder::of(&shared.data, &id);
        Self { shared, id, folder, want }
    }

    /// Until the instance is gone.
    pub(super) async fn run(mut self) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let want = self.want.borrow_and_update().clone();
            let line = self.adopt().await;
            let result = match (line, want) {
                (Some(line), Some(spec)) if self.is_current(&spec) => Ok(self.watch(line, &spec).await),
                (Some(line), _) => {
                    self.end(line).await;
                    continue;
                }
                (None, Some(spec)) => {
                    self.sweep();
                    self.start(&spec).await
                }
                (None, None) => {
                    self.sweep();
                    if self.remove() {
                        return;
                    }
                    Err("its folder cannot be removed".into())
                }
            };
            match result {
                Ok(lived) if lived > LONGEST_PAUSE => pause = SHORTEST_PAUSE,
                // Either it is wanted otherwise, which ends the pause at once, or its shim died.
                Ok(_) => {}
                Err(why) => self.failed(why),
            }
            let _ = tokio::time::timeout(pause, self.want.changed()).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// A line to the shim that holds the folder's lock, if one does.
    async fn adopt(&self) -> Option<Line> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match self.folder.lock() {
                Ok(Some(_)) | Err(_) => return None,
                Ok(None) => {}
            }
            if let Some(line) = self.connect().await {
                return Some(line);
            }
            if tokio::time::Instant::now() > deadline {
                // It lives and does not speak: it is of no use.
                if let Ok(word) = self.folder.word() {
                    kill(word.shim);
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn connect(&self) -> Option<Line> {
        let stream: UnixStream = unix::connect(self.folder.path(), SOCKET).await.ok()?;
        let (reader, mut writer) = stream.into_split();
        writer.write_all(&ask(&Ask::Watch)).await.ok()?;
        let mut lines = BufReader::new(reader).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await.ok()?.ok()??;
        let last: Word = serde_json::from_str(&first).ok()?;
        Some(Line { shim: last.shim, lines, writer, last })
    }

    fn is_current(&self, spec: &Instance) -> bool {
        self.folder.spec().is_ok_and(|have| !spec.needs_restart(&have))
    }

    async fn start(&mut self, spec: &Instance) -> Result<Duration, String> {
        self.shared.update(&self.id, |s| s.state = InstanceState::Starting);
        self.folder
            .write_spec(spec)
            .map_err(|error| format!("cannot write {}: {error}", self.folder.path().display()))?;
        let (exe, folder, isolation) = (self.shared.exe.clone(), self.folder.clone(), self.shared.isolation);
        let launched = tokio::task::spawn_blocking(move || launch::instance(&exe, &folder, isolation)).await;
        launched.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        // The launcher has ended, the shim takes the lock in a moment.
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.connect().await {
                return Ok(self.watch(line, spec).await);
            }
            if tokio::time::Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.complaints()).unwrap_or_default();
                return Err(format!("its shim did not come up: {}", log.lines().last().unwrap_or("it said nothing")));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Follows a shim until it ends or the instance is wanted otherwise; tells how long that was.
    async fn watch(&mut self, mut line: Line, spec: &Instance) -> Duration {
        let since = std::time::Instant::now();
        self.take(&line.last, None, spec);
        loop {
            tokio::select! {
                said = line.lines.next_line() => {
                    let word = said.ok().flatten().and_then(|l| serde_json::from_str::<Word>(&l).ok());
                    let Some(word) = word else { break };
                    self.take(&word, Some(&line.last), spec);
                    line.last = word;
                }
                changed = self.want.changed() => {
                    let now = self.want.borrow().clone();
                    if changed.is_err() || now.is_none_or(|now| now.needs_restart(spec)) {
                        self.want.mark_changed();
                        break;
                    }
                }
            }
        }
        since.elapsed()
    }

    /// Notes what the shim says.
    fn take(&self, word: &Word, before: Option<&Word>, spec: &Instance) {
        let changed = before.is_none_or(|b| b.state != word.state);
        self.shared.update(&self.id, |status| {
            status.state = word.state;
            status.since = word.since;
            status.shim_pid = Some(word.shim.pid);
            status.exit.clone_from(&word.exit);
            status.restarts = word.restarts;
            status.lines.clone_from(&word.lines);
            status.isolation = word.isolation;
            status.warnings.clone_from(&word.warnings);
        });
        if !changed {
            // Who watches an instance that does not get well wants its words; a healthy one may talk as it likes.
            if before.is_some_and(|b| b.lines != word.lines) && !self.is_green(spec) {
                self.shared.journal.note(EventKind::Instance, self.id.clone(), "it wrote something");
            }
            return;
        }
        let text = match (&word.state, &word.exit) {
            (InstanceState::Waiting | InstanceState::Ended, Some(exit)) => match (exit.code, exit.signal) {
                (Some(code), _) => format!("its program ended with exit code {code}"),
                (None, Some(signal)) => format!("its program was ended by signal {signal}"),
                (None, None) => "its program ended".into(),
            },
            (InstanceState::Running, _) => "its program runs".into(),
            (state, _) => format!("it is {state:?}").to_lowercase(),
        };
        if let Some(address) = address(spec) {
            let ended = matches!(word.state, InstanceState::Waiting | InstanceState::Ended | InstanceState::Failed);
            self.shared.checks.hint(address, ended.then_some(text.as_str()));
        }
        self.shared.journal.note(EventKind::Instance, self.id.clone(), text);
    }

    fn is_green(&self, spec: &Instance) -> bool {
        let check = address(spec).zip(spec.health.as_ref());
        check
            .and_then(|(address, check)| self.shared.checks.find(address, check))
            .is_some_and(|c| c.health().state == HealthState::Up)
    }

    fn failed(&self, why: String) {
        self.shared.journal.note(EventKind::Instance, self.id.clone(), why.clone());
        let now = self.shared.clock.now();
        self.shared.update(&self.id, |status| {
            status.state = InstanceState::Failed;
            status.since = now;
            status.shim_pid = None;
            status.warnings = vec![why];
        });
    }

    /// Ends a shim and waits for its end: asked first, killed when it does not obey.
    async fn end(&self, mut line: Line) {
        let grace = self.folder.spec().map_or(0, |spec| spec.grace_ms);
        self.shared.update(&self.id, |status| status.state = InstanceState::Stopping);
        // A watching line takes no orders, so a new one is opened.
        let _ = line.writer.shutdown().await;
        if let Ok(mut stream) = unix::connect(self.folder.path(), SOCKET).await {
            let _ = stream.write_all(&ask(&Ask::Stop { grace_ms: grace })).await;
            let _ = tokio::time::timeout(Duration::from_millis(grace) + Duration::from_secs(3), gone(line.shim)).await;
        }
        if line.shim.is_alive() {
            kill(line.shim);
            let _ = tokio::time::timeout(PATIENCE, gone(line.shim)).await;
        }
        self.shared.update(&self.id, |status| status.shim_pid = None);
        self.shared.journal.note(EventKind::Instance, self.id.clone(), "it was ended");
        self.sweep();
    }

    /// Ends what escaped a dead shim. With a PID namespace nothing can.
    fn sweep(&self) {
        if self.shared.isolation == IsolationKind::None {
            let mark = format!("GENNAKER_FOLDER={}", self.folder.path().display());
            proc::marked(mark.as_bytes()).into_iter().for_each(kill);
        }
    }

    /// Removes the folder of an instance that is gone.
    fn remove(&self) -> bool {
        if let Err(error) = logs::keep(&self.shared.data, &self.id, &self.folder) {
            tracing::warn!(%error, instance = self.id, "the log of an instance that is gone is lost");
        }
        let removed = match std::fs::remove_dir_all(self.folder.path()) {
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
            Ok(()) => true,
        };
        launch::forget(&self.folder);
        removed && self.shared.forget(&self.id)
    }
}

fn ask(ask: &Ask) -> Vec<u8> {
    let mut line = serde_json::to_vec(ask).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Kills this process, never another one of its number.
fn kill(process: Process) {
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return };
    if let Ok(handle) = pidfd_open(pid, PidfdFlags::empty())
        && process.is_alive()
    {
        let _ = pidfd_send_signal(handle, Signal::KILL);
    }
}

/// Returns when the process has ended.
async fn gone(process: Process) {
    while process.is_alive() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
