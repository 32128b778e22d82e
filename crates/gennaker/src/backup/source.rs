//! Backups as they are read: which snapshots there are, what a manifest says, whether every byte is as it was written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::manifest::Manifest;
use super::shelf::{self, sum_of};
use super::{MANIFEST, MANIFEST_SUM, hash, is_archive, remove_if_there};

/// Where a file of this hash is in a folder of backups.
pub fn blob(folder: &Path, sha256: &str) -> PathBuf {
    folder.join("blobs").join(sha256.get(..2).unwrap_or_default()).join(sha256)
}

/// The snapshots of a folder, the oldest first.
pub fn snapshots(folder: &Path) -> anyhow::Result<Vec<String>> {
    let place = folder.join("snapshots");
    let entries = match fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", place.display())),
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// The manifest of a snapshot, if it is as it was written.
pub fn manifest_of(folder: &Path, name: &str) -> anyhow::Result<Manifest> {
    let place = folder.join("snapshots").join(name);
    let read = |file: &str| {
        let path = place.join(file);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    parse(&read(MANIFEST)?, &read(MANIFEST_SUM)?).with_context(|| format!("the snapshot {name} is damaged"))
}

fn parse(text: &[u8], sum: &[u8]) -> anyhow::Result<Manifest> {
    if sum_of(text).as_bytes() != sum.trim_ascii() {
        bail!("{MANIFEST} is not what was written");
    }
    let manifest: Manifest = serde_json::from_slice(text).with_context(|| format!("cannot read {MANIFEST}"))?;
    manifest.check_hashes()?;
    Ok(manifest)
}

/// A backup that was opened to be read.
pub struct Source {
    path: PathBuf,
    is_archive: bool,
    /// Nobody takes anything away meanwhile.
    _lock: Option<File>,
    /// What is in it.
    pub manifest: Manifest,
    /// The snapshot's name; none of an archive.
    pub name: Option<String>,
    /// Paths whose bytes are not what was written, each with the reason. Filled by [`Source::verified`].
    pub damaged: Vec<(String, &'static str)>,
}

impl Source {
    /// Opens a backup (of a folder the newest snapshot, or the one of this name) and compares every byte with its hash. Hashes in `whole` were
    /// compared before, for another snapshot of the folder; those that are found good are added.
    pub fn verified(
        path: &Path,
        snapshot: Option<&str>,
        whole: &mut BTreeSet<String>,
        tell: &mut dyn FnMut(u64),
    ) -> anyhow::Result<Source> {
        if is_archive(path)? {
            if snapshot.is_some() {
                bail!("{} is one backup: it has no snapshots", path.display());
            }
            return Self::archive(path, tell);
        }
        if !path.is_dir() {
            bail!("there is no backup {}", path.display());
        }
        let lock = shelf::lock(path, false)?;
        let names = snapshots(path)?;
        let name = match snapshot {
            Some(name) if names.iter().any(|one| one == name) => name.to_owned(),
            Some(name) => bail!("{} holds no snapshot {name}; it holds {}", path.display(), listed(&names)),
            None => {
                names.last().cloned().with_context(|| format!("{} holds no snapshot that is whole", path.display()))?
            }
        };
        let manifest = manifest_of(path, &name)?;
        let mut source = Source {
            path: path.to_owned(),
            is_archive: false,
            _lock: Some(lock),
            manifest,
            name: Some(name),
            damaged: Vec::new(),
        };
        let mut bad = BTreeMap::new();
        for sha256 in source.manifest.hashes() {
            if whole.contains(sha256) {
                continue;
            }
            let found = File::open(blob(path, sha256)).and_then(|file| hash(file, |_| Ok(())));
            match found {
                Ok((found, size)) => {
                    tell(size);
                    if found == sha256 {
                        whole.insert(found);
                    } else {
                        bad.insert(sha256.to_owned(), "its bytes changed");
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    bad.insert(sha256.to_owned(), "it is missing");
                }
                Err(_) => {
                    bad.insert(sha256.to_owned(), "it cannot be read");
                }
            }
        }
        source.damaged = damaged(&source.manifest, &bad);
        Ok(source)
    }

    fn archive(path: &Path, tell: &mut dyn FnMut(u64)) -> anyhow::Result<Source> {
        let mut there: BTreeMap<String, bool> = BTreeMap::new();
        let (mut text, mut sum) = (Vec::new(), Vec::new());
        let done = entries(path, |name, bytes| {
            match name {
                MANIFEST => drop(bytes.read_to_end(&mut text)?),
                MANIFEST_SUM => drop(bytes.read_to_end(&mut sum)?),
                name => {
                    let (found, size) = hash(bytes, |_| Ok(()))?;
                    tell(size);
                    if let Some(sha256) = name.strip_prefix("blobs/") {
                        there.insert(sha256.to_owned(), found == sha256);
                    }
                }
            }
            Ok(())
        });
        done.with_context(|| format!("{} is damaged", path.display()))?;
        let manifest = parse(&text, &sum).with_context(|| format!("{} is damaged or no backup", path.display()))?;
        let mut bad = BTreeMap::new();
        for (_, _, sha256) in manifest.files() {
            match there.get(sha256) {
                Some(true) => {}
                Some(false) => drop(bad.insert(sha256.to_owned(), "its bytes changed")),
                None => drop(bad.insert(sha256.to_owned(), "it is missing")),
            }
        }
        let damaged = damaged(&manifest, &bad);
        Ok(Source { path: path.to_owned(), is_archive: true, _lock: None, manifest, name: None, damaged })
    }

    /// Removes the damaged files of a snapshot.
    pub fn remove_damaged(&self) -> anyhow::Result<()> {
        let bad: BTreeSet<&str> = self.damaged.iter().map(|(path, _)| path.as_str()).collect();
        for (_, _, sha256) in self.manifest.files().filter(|(path, _, _)| bad.contains(path)) {
            remove_if_there(&blob(&self.path, sha256))?;
        }
        Ok(())
    }

    /// Hands out the bytes of every file, once a hash.
    pub fn each(&self, mut each: impl FnMut(&str, &mut dyn Read) -> anyhow::Result<()>) -> anyhow::Result<()> {
        if self.is_archive {
            return entries(&self.path, |name, bytes| match name.strip_prefix("blobs/") {
                Some(sha256) => each(sha256, bytes),
                None => Ok(()),
            });
        }
        for sha256 in self.manifest.hashes() {
            let place = blob(&self.path, sha256);
            let mut file = File::open(&place).with_context(|| format!("cannot read {}", place.display()))?;
            each(sha256, &mut file)?;
        }
        Ok(())
    }
}

/// Every entry of an archive, in its order.
fn entries(path: &Path, mut each: impl FnMut(&str, &mut dyn Read) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let wrong = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(wrong)?;
    let mut archive = tar::Archive::new(zstd::Decoder::new(BufReader::new(file)).with_context(wrong)?);
    for entry in archive.entries().with_context(wrong)? {
        let mut entry = entry.with_context(wrong)?;
        let name = entry.path().with_context(wrong)?.to_string_lossy().into_owned();
        each(&name, &mut entry).with_context(|| format!("cannot read {name}"))?;
    }
    // What stands behind the end has a checksum of its own.
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).with_context(wrong)?;
    Ok(())
}

fn damaged(manifest: &Manifest, bad: &BTreeMap<String, &'static str>) -> Vec<(String, &'static str)> {
    let why = |(path, _, sha256): (&str, u64, &str)| Some((path.to_owned(), *bad.get(sha256)?));
    manifest.files().filter_map(why).collect()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hash_that_leads_elsewhere_is_refused_before_any_file_is_opened_or_removed() {
        let place = tempfile::tempdir().expect("a folder");
        let (precious, snapshot) = (place.path().join("precious"), place.path().join("kept/snapshots/one"));
        fs::write(&precious, "mine").expect("written");
        fs::create_dir_all(&snapshot).expect("made");
        for sha256 in [precious.to_str().expect("a plain path"), "../../../precious", "ab", ""] {
            let entry = json!({"path": "config", "kind": "file", "mode": 0o600, "size": 4, "modified": 0, "sha256": sha256, "stamp": ""});
            let manifest =
                json!({"format": 1, "made": "2027-03-01T12:00:00Z", "version": "0.1.0", "data": "/d", "config": null,
                "controlStore": true, "schemas": {}, "roots": [], "entries": [entry]})
                .to_string();
            fs::write(snapshot.join(MANIFEST), &manifest).expect("written");
            fs::write(snapshot.join(MANIFEST_SUM), sum_of(manifest.as_bytes())).expect("written");
            let kept = place.path().join("kept");
            let found = Source::verified(&kept, None, &mut BTreeSet::new(), &mut |_| panic!("a file was opened"));
            let error = format!("{:#}", found.err().expect("refused"));
            assert_eq!(error, "the snapshot one is damaged: it holds \"config\", which no backup of ours does");
        }
        assert_eq!(fs::read_to_string(&precious).expect("there"), "mine");
    }
}
