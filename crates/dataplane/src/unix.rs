//! Unix sockets in folders of any depth: a socket's path is limited to 107 bytes, so a long one is reached through its open folder.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

const LONGEST: usize = 100;

/// The path to use, and the open folder that must live as long as it is used.
pub fn short(dir: &Path, name: &str) -> io::Result<(PathBuf, Option<File>)> {
    let path = dir.join(name);
    if path.as_os_str().len() <= LONGEST {
        return Ok((path, None));
    }
    let folder = File::open(dir)?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd())), Some(folder)))
}

/// Connects to the socket `name` in `dir`.
pub async fn connect(dir: &Path, name: &str) -> io::Result<UnixStream> {
    let (path, _folder) = short(dir, name)?;
    UnixStream::connect(path).await
}

/// Listens on the socket `name` in `dir`, for this user alone; a stale one is replaced (the caller holds the folder's lock).
pub fn listen(dir: &Path, name: &str) -> io::Result<UnixListener> {
    let (path, _folder) = short(dir, name)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // The folder is 0700, so nobody can connect between bind and chmod.
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Whether the other end is this user or root.
pub fn is_own(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}
