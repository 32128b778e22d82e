//! Starts the data plane detached from its starter, or adopts the one that runs already.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::client::Client;

/// Why there is no data plane.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The program could not be run.
    #[error("cannot start the data plane {}: {cause}", exe.display())]
    Run {
        /// The program.
        exe: PathBuf,
        /// The cause.
        cause: std::io::Error,
    },
    /// It ended at once or never answered; its log says why.
    #[error("the data plane did not come up: {why}; see {}", log.display())]
    Silent {
        /// What was seen.
        why: String,
        /// Where it writes.
        log: PathBuf,
    },
}

/// The data plane's log in the data folder.
pub const LOG: &str = "dataplane.log";
/// A log of this size is put aside at the next start.
const LARGEST_LOG: u64 = 16 << 20;
/// How long it may take to answer: a disk that many write to at once can make a file wait for many seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same of one that somebody else started.
const OTHERS: Duration = Duration::from_secs(2);

/// A client of the data plane of `dir`: of the one that runs, else of one started as `exe dataplane --dir dir --detach`, which lives in
/// a session of its own and outlives the caller. One of another version is replaced under load. `dir` exists and is 0700.
pub async fn spawn(dir: &Path, exe: &Path) -> Result<Client, SpawnError> {
    let client = Client::new(dir);
    match client.status().await {
        Ok(status) if status.version == env!("CARGO_PKG_VERSION") => Ok(client),
        Ok(_) => replace(dir, exe).await,
        Err(_) => match run(dir, exe, &[]).await {
            Ok(()) => answered(dir, None, PATIENCE).await,
            // Perhaps because somebody else started one at the same moment.
            Err(error @ SpawnError::Silent { .. }) => answered(dir, None, OTHERS).await.map_err(|_| error),
            Err(error) => Err(error),
        },
    }
}

/// Puts a data plane of the program `exe` in the place of the one that runs: it takes over the listening sockets, so no request notices.
pub async fn replace(dir: &Path, exe: &Path) -> Result<Client, SpawnError> {
    let before = Client::new(dir).status().await.ok().map(|status| status.pid);
    run(dir, exe, &["--take-over"]).await?;
    answered(dir, before, PATIENCE).await
}

/// Waits until the data plane `child` serves `dir`; for who puts one into the background. `Some` when it ended instead.
pub async fn serves(dir: &Path, child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    let client = Client::new(dir);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if client.status().await.is_ok_and(|status| status.pid == child.id()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(None)
}

async fn run(dir: &Path, exe: &Path, more: &[&str]) -> Result<(), SpawnError> {
    let failed = |cause| SpawnError::Run { exe: exe.to_owned(), cause };
    let full = std::fs::metadata(dir.join(LOG)).is_ok_and(|m| m.len() > LARGEST_LOG);
    if full {
        let _ = std::fs::rename(dir.join(LOG), dir.join(format!("{LOG}.1")));
    }
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(dir.join(LOG)).map_err(failed)?;
    let mut command = Command::new(exe);
    command.arg("dataplane").args(more).args(["--detach", "--dir"]).arg(dir);
    // The allocator of our binary reads it as it starts: huge pages would double what idle connections hold.
    command.env("MIMALLOC_ALLOW_THP", "0");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).current_dir("/");
    // It puts itself into the background and ends when that one serves, so nobody inherits a zombie.
    match tokio::task::spawn_blocking(move || command.status()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(silent(dir, &format!("it ended with {status}"))),
        Ok(Err(cause)) => Err(failed(cause)),
        Err(error) => Err(silent(dir, &error.to_string())),
    }
}

/// Waits for one that is not `before`.
async fn answered(dir: &Path, before: Option<u32>, patience: Duration) -> Result<Client, SpawnError> {
    let client = Client::new(dir);
    let deadline = Instant::now() + patience;
    loop {
        let why = match client.status().await {
            Ok(status) if Some(status.pid) != before => return Ok(client),
            Ok(_) => "the old one goes on".to_owned(),
            Err(error) => error.to_string(),
        };
        if Instant::now() > deadline {
            return Err(silent(dir, &why));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn silent(dir: &Path, why: &str) -> SpawnError {
    let log = dir.join(LOG);
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let why = said.lines().last().map_or_else(|| why.to_owned(), |last| format!("{why}; it last wrote: {last}"));
    SpawnError::Silent { why, log }
}
