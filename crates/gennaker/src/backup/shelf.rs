//! Where the bytes of a backup go: a folder with blobs by their hash, or one archive. Nothing is named a backup before it is whole.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use debian::sums::hex;
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use super::manifest::{Manifest, What};
use super::source;
use super::{MANIFEST, MANIFEST_SUM, hash};

/// Where a backup is being written to.
pub enum Shelf {
    /// A folder of snapshots.
    Folder(Folder),
    /// One file.
    Archive(Box<Archive>),
}

/// A folder that holds snapshots.
pub struct Folder {
    path: PathBuf,
    /// Hashes that whole snapshots name: what lies there was on the disk when they were named.
    trusted: BTreeSet<String>,
    _lock: File,
}

/// An archive in the making.
pub struct Archive {
    path: PathBuf,
    part: PathBuf,
    tar: tar::Builder<zstd::Encoder<'static, BufWriter<File>>>,
    there: BTreeSet<String>,
    scratch: tempfile::TempDir,
}

/// A file that was put away.
pub struct Put {
    /// Its SHA-256.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
    /// Whether it was not there before.
    pub is_new: bool,
}

impl Shelf {
    /// Opens a folder, which is made when it is not there, and takes its lock. Leftovers of one that was killed are removed.
    pub fn folder(path: &Path) -> anyhow::Result<Shelf> {
        let wrong = || format!("cannot write {}", path.display());
        let foreign = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.file_name());
        // The last one: a disk of its own.
        let ours = ["blobs", "snapshots", "new", "lock", "lost+found"];
        if let Some(name) = foreign.into_iter().find(|name| !ours.iter().any(|own| name == own)) {
            bail!("{} holds {}: name an empty folder, or one that holds backups", path.display(), name.display());
        }
        private_folder(path).with_context(wrong)?;
        let lock = lock(path, true)?;
        let new = path.join("new");
        if new.exists() {
            fs::remove_dir_all(&new).with_context(|| format!("cannot remove {}", new.display()))?;
        }
        for folder in [&new, &path.join("blobs"), &path.join("snapshots")] {
            private_folder(folder).with_context(wrong)?;
        }
        Ok(Shelf::Folder(Folder { path: path.to_owned(), trusted: BTreeSet::new(), _lock: lock }))
    }

    /// Begins an archive beside its place. One that is there already is replaced when the new one is whole.
    pub fn archive(path: &Path) -> anyhow::Result<Shelf> {
        let beside = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let wrong = || format!("cannot write {}", part.display());
        let _ = fs::remove_file(&part);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).with_context(wrong)?;
        let mut packer = zstd::Encoder::new(BufWriter::with_capacity(256 << 10, file), 3).with_context(wrong)?;
        packer.include_checksum(true).and_then(|()| packer.multithread(2)).with_context(wrong)?;
        let scratch = tempfile::Builder::new().prefix(".gennaker-backup-").tempdir_in(beside).with_context(wrong)?;
        let (tar, there) = (tar::Builder::new(packer), BTreeSet::new());
        Ok(Shelf::Archive(Box::new(Archive { path: path.to_owned(), part, tar, there, scratch })))
    }

    /// A private folder for copies on their way, on the disk of the backup.
    pub fn scratch(&self) -> PathBuf {
        match self {
            Shelf::Folder(folder) => folder.path.join("new"),
            Shelf::Archive(archive) => archive.scratch.path().to_owned(),
        }
    }

    /// What the newest snapshot knows: hashes of files that did not change since, by their stamps.
    pub fn known(&mut self) -> anyhow::Result<HashMap<String, String>> {
        let mut known = HashMap::new();
        let Shelf::Folder(folder) = self else { return Ok(known) };
        // A damaged one is no reason to make no new one; it only helps nothing.
        let names = source::snapshots(&folder.path)?;
        let newest = names.iter().rev().find_map(|name| source::manifest_of(&folder.path, name).ok());
        let Some(newest) = newest else { return Ok(known) };
        folder.trusted.extend(newest.files().map(|(_, _, sha256)| sha256.to_owned()));
        for entry in newest.entries {
            if let What::File { stamp, sha256, .. } = entry.what {
                known.insert(stamp, sha256);
            }
        }
        Ok(known)
    }

    /// Whether a file of this hash and size is there and need not be read again.
    pub fn has(&self, sha256: &str, size: u64) -> bool {
        match self {
            Shelf::Folder(folder) => folder.has(sha256, size),
            Shelf::Archive(archive) => archive.there.contains(sha256),
        }
    }

    /// Takes a file in, `size` bytes of it.
    pub fn put(&mut self, file: &mut File, size: u64) -> io::Result<Put> {
        match self {
            Shelf::Folder(folder) => folder.put(file),
            Shelf::Archive(archive) => archive.put(file, size),
        }
    }

    /// Names the backup, now that everything is there; gives the snapshot's name.
    pub fn finish(self, manifest: &Manifest) -> anyhow::Result<Option<String>> {
        let text = serde_json::to_vec_pretty(manifest)?;
        let sum = sum_of(&text);
        match self {
            Shelf::Folder(folder) => folder.finish(manifest, &text, &sum).map(Some),
            Shelf::Archive(archive) => archive.finish(&text, &sum).map(|()| None),
        }
    }
}

impl Folder {
    fn blob(&self, sha256: &str) -> PathBuf {
        source::blob(&self.path, sha256)
    }

    fn has(&self, sha256: &str, size: u64) -> bool {
        self.trusted.contains(sha256) && fs::metadata(self.blob(sha256)).is_ok_and(|meta| meta.len() == size)
    }

    fn put(&mut self, file: &mut File) -> io::Result<Put> {
        let mut part = tempfile::Builder::new().prefix("blob-").tempfile_in(self.path.join("new"))?;
        let (sha256, size) = hash(file, |piece| part.write_all(piece))?;
        let is_new = !self.has(&sha256, size);
        if is_new {
            let place = self.blob(&sha256);
            if let Some(folder) = place.parent() {
                private_folder(folder)?;
            }
            part.persist(&place).map_err(|error| error.error)?;
            // Renamed over whatever a killed backup left there, so it is good within this run.
            self.trusted.insert(sha256.clone());
        }
        Ok(Put { sha256, size, is_new })
    }

    fn finish(self, manifest: &Manifest, text: &[u8], sum: &str) -> anyhow::Result<String> {
        let new = self.path.join("new/snapshot");
        private_folder(&new)?;
        write_private(&new.join(MANIFEST), text)?;
        write_private(&new.join(MANIFEST_SUM), format!("{sum}\n").as_bytes())?;
        // Once for all blobs: a snapshot must not be named before they are on the disk.
        let all = File::open(&self.path)?;
        rustix::fs::syncfs(&all).with_context(|| format!("cannot sync {}", self.path.display()))?;
        let base = manifest.made.strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
        let names = std::iter::once(base.clone()).chain((2..).map(|number| format!("{base}-{number}")));
        let snapshots = self.path.join("snapshots");
        let name = names.into_iter().find(|name| !snapshots.join(name).exists()).unwrap_or(base);
        let place = snapshots.join(&name);
        fs::rename(&new, &place).with_context(|| format!("cannot name {}", place.display()))?;
        File::open(&snapshots)?.sync_all().with_context(|| format!("cannot sync {}", snapshots.display()))?;
        fs::remove_dir_all(self.path.join("new")).with_context(|| format!("cannot tidy {}", self.path.display()))?;
        Ok(name)
    }
}

impl Archive {
    fn put(&mut self, file: &mut File, size: u64) -> io::Result<Put> {
        // Read twice: the name stands before the bytes.
        let (sha256, read) = hash(&mut *file, |_| Ok(()))?;
        if read != size {
            return Err(io::Error::other("it changed while it was read"));
        }
        let is_new = self.there.insert(sha256.clone());
        if is_new {
            file.rewind()?;
            self.append(&format!("blobs/{sha256}"), size, file)?;
        }
        Ok(Put { sha256, size, is_new })
    }

    fn append(&mut self, name: &str, size: u64, bytes: impl Read) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_size(size);
        header.set_mtime(0);
        self.tar.append_data(&mut header, name, bytes.take(size))
    }

    fn finish(mut self: Box<Self>, text: &[u8], sum: &str) -> anyhow::Result<()> {
        let wrong = format!("cannot write {}", self.part.display());
        let sum = format!("{sum}\n");
        self.append(MANIFEST, text.len() as u64, text).with_context(|| wrong.clone())?;
        self.append(MANIFEST_SUM, sum.len() as u64, sum.as_bytes()).with_context(|| wrong.clone())?;
        let done = self.tar.into_inner().and_then(zstd::Encoder::finish);
        let file = done.and_then(|buffer| buffer.into_inner().map_err(io::IntoInnerError::into_error));
        file.and_then(|file| file.sync_all()).with_context(|| wrong)?;
        fs::rename(&self.part, &self.path).with_context(|| format!("cannot name {}", self.path.display()))?;
        let beside = self.scratch.path().parent().unwrap_or(Path::new("."));
        File::open(beside)?.sync_all().with_context(|| format!("cannot sync {}", beside.display()))
    }
}

/// Removes the oldest snapshots until `keep` are left, then blobs that none names any more. Gives how many snapshots went, and bytes.
pub fn forget(path: &Path, keep: usize) -> anyhow::Result<(usize, u64)> {
    let _lock = lock(path, true)?;
    let mut names = source::snapshots(path)?;
    let old: Vec<String> = names.drain(..names.len().saturating_sub(keep)).collect();
    for name in &old {
        let place = path.join("snapshots").join(name);
        // Not a snapshot any more from this moment on, then away.
        let aside = path.join("new");
        fs::rename(&place, &aside)
            .and_then(|()| fs::remove_dir_all(&aside))
            .with_context(|| format!("cannot remove {}", place.display()))?;
    }
    let mut wanted = BTreeMap::new();
    for name in &names {
        let manifest = source::manifest_of(path, name)?;
        wanted.extend(manifest.files().map(|(_, size, sha256)| (sha256.to_owned(), size)));
    }
    let mut bytes = 0;
    for folder in fs::read_dir(path.join("blobs"))?.flatten() {
        for blob in fs::read_dir(folder.path())?.flatten() {
            if !blob.file_name().to_str().is_some_and(|name| wanted.contains_key(name)) {
                bytes += blob.metadata().map_or(0, |meta| meta.len());
                fs::remove_file(blob.path()).with_context(|| format!("cannot remove {}", blob.path().display()))?;
            }
        }
    }
    Ok((old.len(), bytes))
}

/// Takes the lock of a folder of backups: alone to write, with others to read.
pub fn lock(path: &Path, alone: bool) -> anyhow::Result<File> {
    let file = path.join("lock");
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&file);
    let opened = opened.with_context(|| format!("cannot lock {}", path.display()))?;
    let how = if alone { FlockOperation::NonBlockingLockExclusive } else { FlockOperation::NonBlockingLockShared };
    match flock(&opened, how) {
        Ok(()) => Ok(opened),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            bail!("another backup or restore works on {}: wait until it has ended", path.display())
        }
        Err(error) => Err(io::Error::from(error)).with_context(|| format!("cannot lock {}", path.display())),
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = written.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Makes a folder for this user alone, unless it is there.
fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The hash of a text, as it stands beside a manifest.
pub(super) fn sum_of(text: &[u8]) -> String {
    hex(&Sha256::digest(text))
}
