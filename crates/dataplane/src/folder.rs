//! What lies in an instance's folder `DATA/instances/ID/`: the whole truth about it, so that anybody can adopt it.
//!
//! `spec.json` what it shall be · `shim.json` the shim's process and its last word · `shim.sock` the shim's ear · `lock` held while the
//! shim lives · `log`, `log.1` what the program wrote · `private/` its writable folders · `root/` where its root is mounted, in its own
//! mount namespace only.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk;
pub use crate::proc::Process;
use crate::status::{Exit, InstanceState, IsolationKind};
use crate::wanted::Instance;

/// The shim's socket in the folder.
pub const SOCKET: &str = "shim.sock";

/// An instance's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// What a shim says about its program; also its last word on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The shim's process, as the machine sees it.
    pub shim: Process,
    /// How the instance is kept apart.
    pub isolation: IsolationKind,
    /// What the program is doing.
    pub state: InstanceState,
    /// Since when.
    pub since: i64,
    /// How the program last ended.
    pub exit: Option<Exit>,
    /// How often it was started again.
    pub restarts: u64,
    /// The last lines it wrote.
    #[serde(default)]
    pub lines: Vec<String>,
    /// What could not be had.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What a shim is asked, one JSON line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A [`Word`] now and at each change, one a line.
    Watch,
    /// End the program, then yourself.
    Stop {
        /// Milliseconds between `TERM` and `KILL`.
        grace_ms: u64,
    },
}

/// The folder of all instances of a data folder.
pub fn all(data: &Path) -> PathBuf {
    data.join("instances")
}

impl Folder {
    /// The folder of an instance.
    pub fn of(data: &Path, id: &str) -> Self {
        Self { path: all(data).join(id) }
    }

    /// This folder.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the program writes now; the file before it has `.1` at its end.
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Where the root is mounted.
    pub fn root(&self) -> PathBuf {
        self.path.join("root")
    }

    /// A writable folder of the instance.
    pub fn private(&self, name: &str) -> PathBuf {
        self.path.join("private").join(name)
    }

    /// What the shim itself complains about.
    pub fn complaints(&self) -> PathBuf {
        self.path.join("shim.log")
    }

    /// What it shall be, as it was started.
    pub fn spec(&self) -> io::Result<Instance> {
        read(&self.path.join("spec.json"))
    }

    /// Writes what it shall be, and makes the folder.
    pub fn write_spec(&self, spec: &Instance) -> io::Result<()> {
        if let Some(all) = self.path.parent() {
            disk::private_folder(all)?;
        }
        disk::private_folder(&self.path)?;
        disk::replace(&self.path.join("spec.json"), &serde_json::to_vec_pretty(spec)?)
    }

    /// The shim's last word.
    pub fn word(&self) -> io::Result<Word> {
        read(&self.path.join("shim.json"))
    }

    /// Writes the shim's word.
    pub fn write_word(&self, word: &Word) -> io::Result<()> {
        disk::replace(&self.path.join("shim.json"), &serde_json::to_vec_pretty(word)?)
    }

    /// Takes the folder's lock: whoever has it is the instance's only shim. `None` when another one lives.
    pub fn lock(&self) -> io::Result<Option<File>> {
        let file = File::options().write(true).create(true).truncate(false).open(self.path.join("lock"))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}
