//! The file server of repositories: what stands beneath one folder, over HTTP/1, read only.
//!
//! Files are opened beneath the folder by the kernel's own rule, so neither an encoded `..` nor a link leads out of it; links that stay inside
//! work, because a publication is one. Each core has a thread with a runtime of its own, and files go from the page cache to the socket.
//! Not here: who may read (aptly's `serve` lets everybody) and what the folder holds (`apt`).

mod answer;
mod conditions;
mod connection;
mod folder;
mod listing;
mod path;
mod request;

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use answer::{Content, answer};
pub(crate) use folder::{Folder, OpenFile};
pub(crate) use listing::escape;
pub(crate) use path::encode;

/// Serves `root` on an open socket, on one thread a core, for as long as the process lives. Each look-up starts at `root` anew, so a folder that is
/// made later is served too.
pub fn serve(listener: TcpListener, root: &Path) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let folder = Arc::new(Folder::new(root));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = Vec::new();
    for number in 0..cores {
        let (listener, folder) = (listener.try_clone()?, folder.clone());
        let thread = std::thread::Builder::new().name(format!("files-{number}"));
        threads.push(thread.spawn(move || work(listener, folder))?);
    }
    for thread in threads {
        thread.join().map_err(|_| io::Error::other("a thread of the file server ended"))??;
    }
    Ok(())
}

fn work(listener: TcpListener, folder: Arc<Folder>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors: others are served meanwhile, and closing one makes room.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let folder = folder.clone();
            tokio::task::spawn_local(async move {
                // A client that goes away is no event.
                let _ = connection::serve(stream, &folder).await;
            });
        }
    })
}
