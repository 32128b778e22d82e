//! Blobs in a folder: `ROOT/blobs/sha256/HEX`, as an OCI image layout has them, and `ROOT/staging/` for those on their way.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{BlobError, Blobs, Digest, Kept, Readable, Staged};
use crate::id::Ids;

/// A folder of blobs, for its owner alone.
pub struct FolderBlobs {
    kept: PathBuf,
    staging: PathBuf,
    ids: Arc<Ids>,
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> BlobError {
    match source.kind() {
        io::ErrorKind::StorageFull => BlobError::Full { path: path.to_owned() },
        _ => BlobError::Disk { doing, path: path.to_owned(), source },
    }
}

impl FolderBlobs {
    /// Opens the folder and makes what is missing of it (mode 0700).
    pub fn open(root: &Path, ids: Arc<Ids>) -> Result<Self, BlobError> {
        let blobs = FolderBlobs { kept: root.join("blobs").join("sha256"), staging: root.join("staging"), ids };
        for folder in [&blobs.kept, &blobs.staging] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|e| failed("make", folder, e))?;
        }
        Ok(blobs)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.kept.join(digest.hex())
    }
}

impl Blobs for FolderBlobs {
    fn stage(&self) -> Result<Box<dyn Staged>, BlobError> {
        let path = self.staging.join(self.ids.uuid());
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = made.map_err(|e| failed("make", &path, e))?;
        let (hash, kept) = (Sha256::new(), self.kept.clone());
        Ok(Box::new(StagedFile { file, path, kept, hash, size: 0 }))
    }

    fn open(&self, digest: &Digest) -> Result<Box<dyn Readable>, BlobError> {
        let path = self.path(digest);
        match File::open(&path) {
            Ok(file) => Ok(Box::new(file)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(BlobError::Missing(*digest)),
            Err(e) => Err(failed("open", &path, e)),
        }
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        let path = self.path(digest);
        match fs::metadata(&path) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("look at", &path, e)),
        }
    }

    fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path, e)),
            _ => Ok(()),
        }
    }

    fn file(&self, digest: &Digest) -> Option<PathBuf> {
        Some(self.path(digest))
    }
}

struct StagedFile {
    file: File,
    path: PathBuf,
    kept: PathBuf,
    hash: Sha256,
    size: u64,
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Staged for StagedFile {
    fn keep(self: Box<Self>) -> Result<Kept, BlobError> {
        let digest = Digest::new(self.hash.clone().finalize().into());
        let target = self.kept.join(digest.hex());
        // A link, or a file of another length, is not what we kept: it is replaced.
        let there = fs::symlink_metadata(&target).is_ok_and(|found| found.is_file() && found.len() == self.size);
        if !there {
            self.file.sync_all().map_err(|e| failed("write", &self.path, e))?;
            fs::rename(&self.path, &target).map_err(|e| failed("make", &target, e))?;
            let folder = File::open(&self.kept).and_then(|folder| folder.sync_all());
            folder.map_err(|e| failed("write", &self.kept, e))?;
        }
        Ok(Kept { digest, size: self.size })
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // Gone when it was kept; else nothing may stay behind. What a crash leaves is swept at the next start.
        let _ = fs::remove_file(&self.path);
    }
}
