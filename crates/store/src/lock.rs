//! One server a data folder: a lock on `DATA/lock` that ends with the process, and who holds it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

/// Why the folder's lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another server uses the folder.
    #[error("another server (process {holder}) uses the data folder {folder}: stop it with `gennaker stop --data {folder}`, or choose another folder with --data", folder = folder.display())]
    Held {
        /// The data folder.
        folder: PathBuf,
        /// Its process id, or "unknown".
        holder: String,
    },
    /// The lock's file cannot be made or written.
    #[error("cannot lock {file}", file = file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Held as long as the value lives, at most as long as the process.
#[derive(Debug)]
pub struct FolderLock(#[allow(dead_code, reason = "dropping the file lets the lock go")] File);

impl FolderLock {
    /// Takes the lock of `folder` at once or says who has it.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join("lock");
        let broken = |source| LockError::File { file: path.clone(), source };
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = open.map_err(broken)?;
        if let Err(e) = patiently(&file) {
            if e != rustix::io::Errno::WOULDBLOCK {
                return Err(broken(e.into()));
            }
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() { "unknown" } else { holder.trim() };
            return Err(LockError::Held { folder: folder.to_owned(), holder: holder.to_owned() });
        }
        let note = || -> std::io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        let mut note = note;
        note().map_err(broken)?;
        Ok(FolderLock(file))
    }

    /// Whether some process holds the lock of `folder`.
    #[must_use]
    pub fn is_held(folder: &Path) -> bool {
        let Ok(file) = OpenOptions::new().read(true).write(true).open(folder.join("lock")) else {
            return false;
        };
        flock(&file, FlockOperation::NonBlockingLockExclusive).is_err()
    }
}

/// Tries for a moment: somebody who only asks whether the lock is held has it for an instant.
fn patiently(file: &File) -> rustix::io::Result<()> {
    let since = Instant::now();
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) if since.elapsed() < Duration::from_millis(100) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}
