//! What a server is watched by beside its domains' own counts: its requests, how it goes with following archives, and where its files lie.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use apt::Root;
use jiff::Timestamp;
use stages::react::apt_published::Pulse;

use crate::ready::Last;
use crate::requests::Requests;

/// One for a server.
pub struct Watched {
    /// The data folder.
    pub data: PathBuf,
    /// When the server began.
    pub started: Timestamp,
    /// Requests that were answered.
    pub requests: Requests,
    /// Roots that are followed, in the order of the configuration.
    pub followed: Vec<Followed>,
    /// What was found when somebody last asked whether the server is ready.
    pub(crate) last: Last,
}

/// A root that is followed.
pub struct Followed {
    /// The root.
    pub root: Root,
    /// How it goes.
    pub pulse: Arc<Pulse>,
}

impl Watched {
    /// Nothing happened so far; the server begins now.
    pub fn new(data: &Path, roots: &[Root], started: Timestamp) -> Self {
        let followed = |root: &Root| Followed { root: root.clone(), pulse: Arc::default() };
        Self {
            data: data.to_owned(),
            started,
            requests: Requests::default(),
            followed: roots.iter().map(followed).collect(),
            last: Last::default(),
        }
    }
}
