//! A hint that a file was touched. Nothing depends on it: whoever waits also looks once a second.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify;
use tokio::io::unix::AsyncFd;

/// Waits for a file to be touched.
pub struct Wake {
    file: PathBuf,
    watch: Option<AsyncFd<OwnedFd>>,
}

impl Wake {
    /// For this file, which need not exist yet.
    pub fn on(file: PathBuf) -> Wake {
        Wake { file, watch: None }
    }

    /// Returns when the file was touched, or after `longest`.
    pub async fn wait(&mut self, longest: Duration) {
        if self.watch.is_none() {
            self.watch = watch(&self.file);
        }
        let Some(fd) = &self.watch else {
            tokio::time::sleep(longest).await;
            return;
        };
        let touched = async {
            if let Ok(mut ready) = fd.readable().await {
                let mut buffer = [0; 4096];
                // Drained: several touches are one reason to look.
                while rustix::io::read(fd.get_ref(), &mut buffer).is_ok_and(|n| n > 0) {}
                ready.clear_ready();
            }
        };
        if tokio::time::timeout(longest, touched).await.is_err() && !self.file.exists() {
            self.watch = None;
        }
    }
}

fn watch(file: &Path) -> Option<AsyncFd<OwnedFd>> {
    let fd = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).ok()?;
    let of = inotify::WatchFlags::ATTRIB | inotify::WatchFlags::MODIFY | inotify::WatchFlags::CLOSE_WRITE;
    inotify::add_watch(&fd, file, of).ok()?;
    #[allow(deprecated, reason = "unsound only for types whose descriptor can change; an OwnedFd keeps its own")]
    AsyncFd::new(fd).ok()
}
