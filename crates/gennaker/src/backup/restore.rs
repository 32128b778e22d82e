//! Brings a backup back into empty folders. Nothing is written before every byte of it was compared; the data folder is marked while it is
//! filled, so that no server takes half of it for the whole.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use stages::room::Disk;
use store::clock::SystemClock;
use store::lock::FolderLock;
use store::{Location, Store};

use super::manifest::{Entry, Manifest, Total, What, root_of};
use super::source::Source;
use super::{hash, size};
use crate::folder;

/// Stands in a data folder while it is being filled.
pub const MARK: &str = "restoring";
/// So much must be free beyond what is written.
const SPARE: u64 = 16 << 20;

/// Where to.
pub struct Ask {
    /// The data folder.
    pub data: PathBuf,
    /// The apt roots, one for each of the backup; none: where they were.
    pub roots: Vec<PathBuf>,
    /// Where the configuration is looked for.
    pub config: PathBuf,
}

/// What was brought back.
pub struct Restored {
    /// The files.
    pub total: Total,
    /// The apt roots, as they stand now.
    pub roots: Vec<PathBuf>,
    /// Where the configuration of then is, and whether it is in force there.
    pub config: Option<(PathBuf, bool)>,
}

/// Restores a backup that was verified.
pub fn restore(source: &Source, ask: &Ask, tell: &mut dyn FnMut(Total)) -> anyhow::Result<Restored> {
    let manifest = &source.manifest;
    let roots = places(manifest, ask)?;
    refuse_running(&ask.data)?;
    for place in std::iter::once(&ask.data).chain(&roots) {
        refuse_full(place)?;
    }
    refuse_small(manifest, ask, &roots)?;
    folder::ensure(&ask.data)?;
    let _lock = FolderLock::take(&ask.data)?;
    let mark = ask.data.join(MARK);
    fs::create_dir(&mark).with_context(|| format!("cannot make {}", mark.display()))?;
    let mut unpacker =
        Unpacker { data: mark.clone(), roots: &roots, config: mark.join("config"), done: Total::default(), tell };
    unpacker.all(source)?;
    let total = unpacker.done;
    for entry in &manifest.entries {
        if let Some(name) = entry.path.strip_prefix("data/images/").filter(|name| !name.contains('/')) {
            bakery::unpack_layer(&mark.join("images").join(name))?;
        }
    }
    let roots: Vec<PathBuf> = roots.iter().map(|root| root.canonicalize().unwrap_or_else(|_| root.clone())).collect();
    if manifest.control_store {
        tell_the_store(manifest, &mark, &ask.data, &roots)?;
    }
    let config = place_config(manifest, &mark.join("config"), &ask.config)?;
    for root in &roots {
        let wrong = || format!("cannot sync {}", root.display());
        rustix::fs::syncfs(File::open(root).with_context(wrong)?).with_context(wrong)?;
    }
    settle(&ask.data, &mark)?;
    Ok(Restored { total, roots, config })
}

/// Where each root goes.
fn places(manifest: &Manifest, ask: &Ask) -> anyhow::Result<Vec<PathBuf>> {
    if ask.roots.is_empty() {
        return Ok(manifest.roots.clone());
    }
    if ask.roots.len() != manifest.roots.len() {
        let there: Vec<String> = manifest.roots.iter().map(|root| root.display().to_string()).collect();
        bail!("the backup holds {} apt roots ({}): give --root as often, in this order", there.len(), there.join(", "));
    }
    ask.roots
        .iter()
        .map(|root| std::path::absolute(root).with_context(|| format!("cannot use {}", root.display())))
        .collect()
}

fn refuse_running(data: &Path) -> anyhow::Result<()> {
    if FolderLock::is_held(data) {
        bail!(
            "a server runs for {}: end it with `gennaker stop`, and its instances with `gennaker down --all`",
            data.display()
        );
    }
    Ok(())
}

fn refuse_full(place: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", place.display())),
    };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).filter(|name| name != "lock").collect();
    if names.is_empty() {
        return Ok(());
    }
    let why = match names.iter().any(|name| name == MARK) {
        true => "a restore into it did not end: remove what is in it and restore again",
        false => {
            "a backup is restored into an empty folder only: end what runs there, move the folder aside, then restore again"
        }
    };
    bail!("{} is not empty; {why}", place.display())
}

/// Refuses what will not fit, by disk.
fn refuse_small(manifest: &Manifest, ask: &Ask, roots: &[PathBuf]) -> anyhow::Result<()> {
    // By place first: there are few of those, and many files.
    let mut places: Vec<(&PathBuf, u64)> = Vec::new();
    for (path, bytes, _) in manifest.files() {
        let place = root_of(path).and_then(|(number, _)| roots.get(number)).unwrap_or(&ask.data);
        // Layers are packed and unpacked.
        let bytes = if path.starts_with("data/images/") { bytes.saturating_mul(2) } else { bytes };
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, sum)) => *sum = sum.saturating_add(bytes),
            None => places.push((place, bytes)),
        }
    }
    let mut wanted: BTreeMap<u64, (&Path, u64)> = BTreeMap::new();
    for (place, bytes) in places {
        let there = place.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
        let disk = fs::metadata(there).with_context(|| format!("cannot look at {}", there.display()))?.dev();
        let (_, sum) = wanted.entry(disk).or_insert((there, SPARE));
        *sum = sum.saturating_add(bytes);
    }
    for (place, bytes) in wanted.into_values() {
        let free = Disk::of(place).with_context(|| format!("cannot look at {}", place.display()))?.free;
        if free < bytes {
            bail!(
                "it needs {} on the disk of {}, where {} are free: make room",
                size(bytes),
                place.display(),
                size(free)
            );
        }
    }
    Ok(())
}

struct Unpacker<'a> {
    data: PathBuf,
    roots: &'a [PathBuf],
    config: PathBuf,
    done: Total,
    tell: &'a mut dyn FnMut(Total),
}

impl Unpacker<'_> {
    fn place(&self, path: &str) -> PathBuf {
        if let Some(below) = path.strip_prefix("data/") {
            return self.data.join(below);
        }
        let root = root_of(path).and_then(|(number, below)| Some(self.roots.get(number)?.join(below)));
        root.unwrap_or_else(|| self.config.clone())
    }

    fn all(&mut self, source: &Source) -> anyhow::Result<()> {
        let mut wanted: HashMap<&str, Vec<&Entry>> = HashMap::new();
        for root in self.roots {
            fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
        }
        for entry in &source.manifest.entries {
            match &entry.what {
                What::Folder { mode } => self.make_folder(&self.place(&entry.path), Some(*mode))?,
                What::File { sha256, .. } => wanted.entry(sha256).or_default().push(entry),
                _ => {}
            }
        }
        source.each(|sha256, bytes| match wanted.get(sha256) {
            Some(entries) => self.files(sha256, entries, bytes),
            None => Ok(()),
        })?;
        // Links last: nothing is written through one.
        for Entry { path, what } in &source.manifest.entries {
            let place = self.place(path);
            let wrong = || format!("cannot make {}", place.display());
            match what {
                What::Same { of } => {
                    self.make_folder_of(&place)?;
                    fs::hard_link(self.place(of), &place).with_context(wrong)?;
                }
                What::Link { target } => {
                    self.make_folder_of(&place)?;
                    std::os::unix::fs::symlink(target, &place).with_context(wrong)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the bytes of one hash to wherever they belong.
    fn files(&mut self, sha256: &str, entries: &[&Entry], bytes: &mut dyn Read) -> anyhow::Result<()> {
        let mut first: Option<PathBuf> = None;
        for entry in entries {
            let What::File { mode, size, modified, .. } = &entry.what else { continue };
            let place = self.place(&entry.path);
            let wrong = || format!("cannot write {}", place.display());
            self.make_folder_of(&place)?;
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place).with_context(wrong)?;
            let (found, _) = match &first {
                None => hash(&mut *bytes, |piece| file.write_all(piece)),
                Some(first) => File::open(first).and_then(|from| hash(from, |piece| file.write_all(piece))),
            }
            .with_context(wrong)?;
            if found != sha256 {
                bail!("{} changed since it was verified", entry.path);
            }
            let seconds = u64::try_from(modified / 1_000_000_000).unwrap_or(0);
            let rest = u32::try_from(modified % 1_000_000_000).unwrap_or(0);
            let at = SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, rest)).unwrap_or(SystemTime::UNIX_EPOCH);
            file.set_times(FileTimes::new().set_modified(at)).with_context(wrong)?;
            file.set_permissions(Permissions::from_mode(mode & 0o7777)).with_context(wrong)?;
            first.get_or_insert(place);
            self.done.add(*size);
            (self.tell)(self.done);
        }
        Ok(())
    }

    fn make_folder_of(&self, place: &Path) -> anyhow::Result<()> {
        place.parent().map_or(Ok(()), |folder| self.make_folder(folder, None))
    }

    fn make_folder(&self, place: &Path, mode: Option<u32>) -> anyhow::Result<()> {
        let wrong = || format!("cannot make {}", place.display());
        fs::create_dir_all(place).with_context(wrong)?;
        match mode {
            // Whoever brings it back writes into it, whatever it was.
            Some(mode) => {
                fs::set_permissions(place, Permissions::from_mode((mode & 0o7777) | 0o700)).with_context(wrong)
            }
            None => Ok(()),
        }
    }
}

/// What stands in the control store of places that are others now.
fn tell_the_store(manifest: &Manifest, mark: &Path, data: &Path, roots: &[PathBuf]) -> anyhow::Result<()> {
    let store = Store::open(Location::Sqlite(mark.join("gennaker.db")), api::SCHEMAS, Arc::new(SystemClock))?;
    let (from, to) = (manifest.data.join("images"), data.join("images"));
    store.write_blocking(move |tx| cloud::local::images_moved(tx, &from, &to))?;
    for (from, to) in manifest.roots.iter().zip(roots).filter(|(from, to)| from != to) {
        let (from, to) = (from.display().to_string(), to.display().to_string());
        store.write_blocking(move |tx| stages::react::apt_published::moved(tx, &from, &to))?;
    }
    Ok(())
}

/// Puts the configuration where it is looked for, unless there is one: then beside it. Gives the place, and whether it is in force.
fn place_config(manifest: &Manifest, from: &Path, to: &Path) -> anyhow::Result<Option<(PathBuf, bool)>> {
    if !manifest.entries.iter().any(|entry| entry.path == "config") {
        return Ok(None);
    }
    let text = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let is_same = fs::read(to).is_ok_and(|there| there == text);
    let place = if !to.exists() || is_same { to.to_owned() } else { to.with_extension("toml.from-backup") };
    let written = match is_same {
        true => Ok(()),
        false => write_config(&place, &text),
    };
    fs::remove_file(from).with_context(|| format!("cannot remove {}", from.display()))?;
    written.with_context(|| format!("cannot write the configuration {}", place.display()))?;
    Ok(Some((place.clone(), place == to)))
}

fn write_config(place: &Path, text: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(place)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text)
}

/// Moves everything to its place, the control store last, and takes the mark away.
fn settle(data: &Path, mark: &Path) -> anyhow::Result<()> {
    let wrong = || format!("cannot fill {}", data.display());
    let here = File::open(data).with_context(wrong)?;
    rustix::fs::syncfs(&here).with_context(wrong)?;
    let mut names: Vec<_> = fs::read_dir(mark).with_context(wrong)?.flatten().map(|entry| entry.file_name()).collect();
    names.sort_by_key(|name| name == "gennaker.db");
    for name in names {
        fs::rename(mark.join(&name), data.join(&name)).with_context(wrong)?;
    }
    fs::remove_dir(mark).with_context(wrong)?;
    here.sync_all().with_context(wrong)
}
