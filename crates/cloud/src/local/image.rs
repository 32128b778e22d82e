//! What an instance of this machine runs: an image made by somebody else, or a plain folder with an unpacked package.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use dataplane::wanted::Root;
use serde::{Deserialize, Serialize};

use super::unit;
use crate::inventory::Image;

/// How an image is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// Its files.
    pub root: Root,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// User that it runs as.
    #[serde(default)]
    pub user: Option<String>,
    /// Working directory.
    #[serde(default)]
    pub directory: Option<PathBuf>,
    /// Folders of this machine that it must see as well.
    #[serde(default)]
    pub extra_binds: Vec<PathBuf>,
    /// Folders in front of its `PATH`.
    #[serde(default)]
    pub path: Vec<PathBuf>,
}

/// Why an image cannot be run.
#[derive(Debug, Clone, thiserror::Error)]
#[error("image \"{image}\": {why}")]
pub struct ImageError {
    /// The image as it was asked for.
    pub image: String,
    /// What is wrong and what to do.
    pub why: String,
}

/// Where images come from. The binary gives one that asks the bakery.
#[async_trait]
pub trait Images: Send + Sync {
    /// How an image is run; an error when there is none of that name.
    async fn launch(&self, image: &str) -> Result<Launch, ImageError>;

    /// The images that can be named.
    async fn list(&self) -> Result<Vec<Image>, ImageError>;
}

/// No images but folders.
#[derive(Debug, Clone, Copy, Default)]
pub struct FoldersOnly;

#[async_trait]
impl Images for FoldersOnly {
    async fn launch(&self, image: &str) -> Result<Launch, ImageError> {
        Err(ImageError { image: image.to_owned(), why: "is no folder, and no other images are configured".into() })
    }

    async fn list(&self) -> Result<Vec<Image>, ImageError> {
        Ok(Vec::new())
    }
}

/// How a folder with an unpacked package is run: by its systemd unit, over the host's `/usr`.
pub fn folder(image: &str) -> Result<Launch, ImageError> {
    let failed = |why: String| ImageError { image: image.to_owned(), why };
    let dir = Path::new(image);
    let dir = dir.canonicalize().map_err(|error| failed(format!("cannot open this folder: {error}")))?;
    if !dir.is_dir() {
        return Err(failed("is no folder".into()));
    }
    let unit = unit::find(&dir).map_err(|error| failed(error.to_string()))?;
    Ok(Launch {
        root: Root::Host { layers: vec![dir] },
        command: unit.command,
        env: unit.env,
        user: unit.user,
        directory: unit.directory,
        extra_binds: Vec::new(),
        path: Vec::new(),
    })
}

/// Adds what the command needs from outside `/usr`: an interpreter that only the server's `PATH` finds.
pub fn with_interpreter(mut launch: Launch, server_path: &str) -> Launch {
    let layers: &[PathBuf] = match &launch.root {
        Root::Host { layers } => layers,
        Root::Folder { dir } => std::slice::from_ref(dir),
        // A whole root brings its own interpreters.
        Root::RootFs { .. } => return launch,
    };
    let found = dataplane::interpreter::find(&launch.command, layers, server_path);
    launch.command = found.command;
    launch.extra_binds.extend(found.extra_binds);
    launch.path.extend(found.path);
    launch
}
