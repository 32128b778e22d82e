//! What a predecessor still has open at each member. It serves its last connections while its successor serves everybody else; a member
//! is idle only when both have nothing open there, so the one that leaves tells the other until its last connection is over.
//!
//! `leaving-PID` is locked while it lives, `leaving-PID.json` is what it has open. Without the lock it is gone, and nothing is open.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::disk;

const NAME: &str = "leaving-";

/// Open requests, connections and tunnels by balancer and member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open(pub BTreeMap<String, BTreeMap<String, u64>>);

impl Open {
    /// At a member.
    pub fn at(&self, balancer: &str, member: &str) -> u64 {
        self.0.get(balancer).and_then(|members| members.get(member)).copied().unwrap_or(0)
    }

    fn add(&mut self, other: Open) {
        for (balancer, members) in other.0 {
            let mine = self.0.entry(balancer).or_default();
            members.into_iter().for_each(|(member, open)| *mine.entry(member).or_default() += open);
        }
    }
}

/// One that tells.
pub struct Leaving {
    path: PathBuf,
    _lock: File,
    told: Open,
}

impl Leaving {
    /// Begins to tell; what is open now is told when this returns.
    pub fn begin(folder: &Path, open: Open) -> io::Result<Self> {
        let path = folder.join(format!("{NAME}{}", std::process::id()));
        let lock = File::create(&path)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        write(&path, &open)?;
        Ok(Self { path, _lock: lock, told: open })
    }

    /// Tells what changed.
    pub fn tell(&mut self, open: Open) {
        if open != self.told && write(&self.path, &open).is_ok() {
            self.told = open;
        }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path.with_extension("json"));
        let _ = fs::remove_file(&self.path);
    }
}

fn write(path: &Path, open: &Open) -> io::Result<()> {
    disk::replace_unsynced(&path.with_extension("json"), &serde_json::to_vec(open)?)
}

/// What all that leave have open.
pub fn open(folder: &Path) -> Open {
    let mut all = Open::default();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(NAME) || name.contains('.') {
            continue;
        }
        let (path, data) = (entry.path(), entry.path().with_extension("json"));
        let Ok(file) = File::open(&path) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            // It is gone without having said so.
            let _ = fs::remove_file(data);
            let _ = fs::remove_file(path);
            continue;
        }
        let read = fs::read(data).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        all.add(read.unwrap_or_default());
    }
    all
}
