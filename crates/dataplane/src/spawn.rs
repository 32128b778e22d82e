//! Starts the data plane detached from its starter, or adopts the one that runs already.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Client, ClientError};

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

/// A client of the data plane of `dir`: of the one that runs, else of one started as `exe dataplane --dir dir --detach`, which lives in
/// a session of its own and outlives the caller. `dir` exists and is 0700.
pub async fn spawn(dir: &Path, exe: &Path) -> Result<Client, SpawnError> {
    let client = Client::new(dir);
    if client.status().await.is_ok() {
        return Ok(client);
    }
    let run = |cause| SpawnError::Run { exe: exe.to_owned(), cause };
    let log = std::fs::OpenOptions::new().create(true).append(true).open(dir.join(LOG)).map_err(run)?;
    // It puts itself into the background, so this call returns at once and nobody inherits a zombie.
    let started = tokio::task::spawn_blocking({
        let (exe, dir) = (exe.to_owned(), dir.to_owned());
        move || {
            Command::new(exe)
                .args(["dataplane", "--detach", "--dir"])
                .arg(dir)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .current_dir("/")
                .status()
        }
    });
    match started.await {
        Ok(Ok(status)) if status.success() => {}
        Ok(Ok(status)) => return Err(silent(dir, &format!("it ended with {status}"))),
        Ok(Err(source)) => return Err(run(source)),
        Err(error) => return Err(silent(dir, &error.to_string())),
    }
    answered(client).await.map_err(|why| silent(dir, &why.to_string()))
}

async fn answered(client: Client) -> Result<Client, ClientError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match client.status().await {
            Ok(_) => return Ok(client),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

fn silent(dir: &Path, why: &str) -> SpawnError {
    SpawnError::Silent { why: why.to_owned(), log: dir.join(LOG) }
}
