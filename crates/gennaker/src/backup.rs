//! Backups: what is in one (`manifest`), where its bytes go (`shelf`) and come from (`source`), how one is made (`make`) and brought back
//! (`restore`).
//!
//! A folder holds any number of snapshots over one store of files by their hash, so that what did not change is there once:
//!
//! ```text
//! DIR/blobs/ab/ab12…            each file by its SHA-256
//! DIR/snapshots/NAME/           manifest.json, and its own hash beside it; here only when everything it names is
//! DIR/lock                      one backup at a time
//! ```
//!
//! A single file is a tar archive packed with zstd: the same blobs, and the manifest as its last entries.

use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use debian::sums::hex;
use sha2::{Digest, Sha256};

pub mod make;
pub mod manifest;
pub mod restore;
pub mod shelf;
pub mod source;

/// How a backup in one file is called.
pub const ARCHIVE: &str = ".tar.zst";
/// The manifest in a snapshot's folder, and at the end of an archive.
const MANIFEST: &str = "manifest.json";
/// Its hash, beside it.
const MANIFEST_SUM: &str = "manifest.json.sha256";

/// Whether this path is (or would be) a backup in one file. A file by another name than ours is told what to do.
pub fn is_archive(path: &Path) -> anyhow::Result<bool> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.ends_with(ARCHIVE) {
        return Ok(true);
    }
    let other = [".tar", ".tar.gz", ".tgz", ".tar.xz", ".zip", ".zst", ".gz"].iter().any(|end| name.ends_with(end));
    if other || path.is_file() {
        anyhow::bail!("{} is no backup of ours: name a folder, or a file that ends in {ARCHIVE}", path.display());
    }
    Ok(false)
}

/// Reads to the end, handing on what it reads; gives the SHA-256 in hexadecimal and the number of bytes.
fn hash(mut from: impl Read, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(String, u64)> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok((hex(&hash.finalize()), size)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&buffer[..read]);
        each(&buffer[..read])?;
        size += read as u64;
    }
}

/// Removes a file, if it is there.
fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Bytes for people.
pub fn size(bytes: u64) -> String {
    apt::size(bytes)
}
