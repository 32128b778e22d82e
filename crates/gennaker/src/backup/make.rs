//! Makes a backup while everything goes on running.
//!
//! The order is what makes it consistent. The control store is copied first: where it has read an apt root to must never lie behind what that
//! root's copy holds, else events that come after a restore would be taken for old ones. Then come the images that this copy names, then each
//! apt root: its database, and after it the files that this copy of the database needs. Files of images, of pools and of generations never
//! change, so one that is still there is the one that is meant. One that is gone was taken away by a cleanup since: then the copy of that
//! database is too old, and is taken again. Nothing is held up but, when a root never rests, its publications for the last tries.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use store::clock::{Clock, SystemClock};

use super::manifest::{Entry, FORMAT, Manifest, Total, What};
use super::remove_if_there;
use super::shelf::Shelf;

/// So often a database is copied anew because something went away meanwhile.
const TRIES: u32 = 6;
/// From this try on publications wait.
const PATIENT: u32 = 4;
/// What of a root is taken besides its database and its pool, where it is there.
const OF_ROOT: [&str; 3] = ["public", "keys", "skel"];

/// What is to be backed up.
pub struct Ask {
    /// The data folder.
    pub data: PathBuf,
    /// The configuration file, if there is one.
    pub config: Option<PathBuf>,
    /// Whether the control store is the file in the data folder, or in PostgreSQL.
    pub control_store: bool,
    /// The apt roots.
    pub roots: Vec<PathBuf>,
}

/// What was made.
pub struct Made {
    /// The snapshot's name; none of an archive.
    pub snapshot: Option<String>,
    /// All that is in it.
    pub total: Total,
    /// What was not there before.
    pub new: Total,
    /// What somebody should know.
    pub warnings: Vec<String>,
}

struct Maker<'a> {
    shelf: Shelf,
    /// Hashes of files that were read before, by stamp.
    known: HashMap<String, String>,
    /// Paths of what is in already, by device and number: the next one is the same file.
    seen: HashMap<(u64, u64), String>,
    entries: Vec<Entry>,
    new: Total,
    done: Total,
    tell: &'a mut dyn FnMut(Total),
    warnings: Vec<String>,
}

/// Makes it on `shelf`; `tell` hears how far it is.
pub fn make(ask: &Ask, mut shelf: Shelf, tell: &mut dyn FnMut(Total)) -> anyhow::Result<Made> {
    let known = shelf.known()?;
    let made = SystemClock.now();
    let mut maker = Maker {
        shelf,
        known,
        seen: HashMap::new(),
        entries: Vec::new(),
        new: Total::default(),
        done: Total::default(),
        tell,
        warnings: Vec::new(),
    };
    let mut schemas = maker.control(ask)?;
    for (number, root) in ask.roots.iter().enumerate() {
        let schema = schemas.entry("apt".to_owned()).or_default();
        *schema = maker.root(number, root)?.max(*schema);
    }
    if let Some(config) = &ask.config
        && !maker.file(config, "config")?
    {
        maker.warnings.push(format!("the configuration {} went away", config.display()));
    }
    let manifest = Manifest {
        format: FORMAT,
        made,
        version: env!("CARGO_PKG_VERSION").into(),
        data: ask.data.clone(),
        config: ask.config.clone(),
        control_store: ask.control_store,
        schemas,
        roots: ask.roots.clone(),
        entries: maker.entries,
    };
    let (total, new, warnings) = (manifest.total(), maker.new, maker.warnings);
    Ok(Made { snapshot: maker.shelf.finish(&manifest)?, total, new, warnings })
}

impl Maker<'_> {
    /// The control store and the images. Gives the numbers of its schemas.
    fn control(&mut self, ask: &Ask) -> anyhow::Result<std::collections::BTreeMap<String, i64>> {
        let images = ask.data.join("images");
        if !ask.control_store {
            let all = fs::read_dir(&images).into_iter().flatten().flatten();
            let mut names: Vec<String> = all.filter_map(|entry| entry.file_name().into_string().ok()).collect();
            names.retain(|name| name.len() == 64);
            names.sort();
            self.images(&images, &names)?;
            return Ok(Default::default());
        }
        let db = ask.data.join("gennaker.db");
        let copy = self.shelf.scratch().join("control.db");
        let mut missing_before = Vec::new();
        for _ in 0..TRIES {
            let mark = self.entries.len();
            remove_if_there(&copy)?;
            store::copy::copy(&db, &copy)?;
            let ids = bakery::images_of(&copy)?;
            self.database(&copy, &db, "data/gennaker.db")?;
            let names: Vec<String> = ids.iter().map(|id| id.trim_start_matches("sha256:").to_owned()).collect();
            let missing = self.images(&images, &names)?;
            if missing == missing_before || missing.is_empty() {
                let lost = missing.iter().map(|name| {
                    format!("the files of image sha256:{name} are gone: it is baked again when it is wanted")
                });
                self.warnings.extend(lost);
                return Ok(store::copy::schemas(&copy)?);
            }
            missing_before = missing;
            self.back_to(mark);
        }
        bail!("images come and go too fast in {}: try again", images.display())
    }

    /// Layouts of images; the unpacked files are made of them again. Gives those that are not there.
    fn images(&mut self, folder: &Path, names: &[String]) -> anyhow::Result<Vec<String>> {
        let mut missing = Vec::new();
        for name in names {
            let at = folder.join(name);
            if !self.tree(&at, &format!("data/images/{name}"), "layer")? || !at.is_dir() {
                missing.push(name.clone());
            }
        }
        Ok(missing)
    }

    /// One apt root. Gives the number of its schema.
    fn root(&mut self, number: usize, path: &Path) -> anyhow::Result<i64> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let root =
            apt::Root::open(path, clock).with_context(|| format!("cannot open the apt root {}", path.display()))?;
        let copy = self.shelf.scratch().join(format!("root-{number}.db"));
        let mut missing_before = Vec::new();
        for number_of_try in 1..=TRIES {
            let held = if number_of_try >= PATIENT { Some(root.hold()?) } else { None };
            let mark = self.entries.len();
            remove_if_there(&copy)?;
            let needs = root.copy_database(&copy)?;
            if held.is_none() && !root.is_settled(&needs.shown) {
                std::thread::sleep(std::time::Duration::from_millis(20));
                continue;
            }
            let top = format!("root/{number}");
            let mode = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.mode() & 0o7777;
            self.entries.push(Entry { path: top.clone(), what: What::Folder { mode } });
            self.database(&copy, &path.join("gennaker.db"), &format!("{top}/gennaker.db"))?;
            let missing = self.pool(&root.pool(), &format!("{top}/pool"), &needs)?;
            for name in OF_ROOT {
                self.tree(&path.join(name), &format!("{top}/{name}"), "")?;
            }
            if root.shown()? == needs.shown && (missing.is_empty() || missing == missing_before) {
                self.warnings.extend(
                    missing.iter().map(|file| format!("{file} is missing in {} itself", root.pool().display())),
                );
                self.warnings.extend(needs.shown.elsewhere().into_iter().map(|place| {
                    format!("what is published to {place} lies outside the root and is not in the backup; publish it again after a restore")
                }));
                return Ok(store::copy::shared_schema(&copy)?);
            }
            missing_before = missing;
            self.back_to(mark);
        }
        bail!("publications of {} come and go too fast: try again", path.display())
    }

    /// Files of a pool that a copy of the database needs. Gives those that are not there.
    fn pool(&mut self, pool: &Path, to: &str, needs: &apt::backup::Needs) -> anyhow::Result<Vec<String>> {
        let mut missing = Vec::new();
        for places in &needs.pool {
            let mut found = false;
            for place in places {
                found = found || self.file(&pool.join(place), &format!("{to}/{place}"))?;
            }
            if !found {
                missing.extend(places.first().cloned());
            }
        }
        Ok(missing)
    }

    /// Takes the copy of a database in, which comes back as readable as the original is.
    fn database(&mut self, copy: &Path, original: &Path, to: &str) -> anyhow::Result<()> {
        let wrong = || format!("cannot read {}", original.display());
        let theirs = fs::metadata(original).with_context(wrong)?.mode() & 0o7777;
        self.file(copy, to)?;
        if let Some(Entry { what: What::File { mode, .. }, .. }) = self.entries.last_mut() {
            *mode = theirs;
        }
        Ok(())
    }

    /// Forgets what was noted since: it is looked at again.
    fn back_to(&mut self, mark: usize) {
        let gone: HashSet<String> = self.entries.drain(mark..).map(|entry| entry.path).collect();
        self.seen.retain(|_, path| !gone.contains(path));
    }

    /// A folder and all in it but what is called `without` directly beneath it. `false`: it is not there.
    fn tree(&mut self, from: &Path, path: &str, without: &str) -> anyhow::Result<bool> {
        let wrong = || format!("cannot read {}", from.display());
        let meta = match fs::symlink_metadata(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            meta => meta.with_context(wrong)?,
        };
        if meta.is_symlink() {
            let target = match fs::read_link(from) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                target => target.with_context(wrong)?,
            };
            self.entries.push(Entry { path: path.to_owned(), what: What::Link { target } });
            return Ok(true);
        }
        if !meta.is_dir() {
            // Sockets, pipes and devices are nothing to bring back.
            return if meta.is_file() { self.file(from, path) } else { Ok(true) };
        }
        let entries = match fs::read_dir(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            entries => entries.with_context(wrong)?,
        };
        self.entries.push(Entry { path: path.to_owned(), what: What::Folder { mode: meta.mode() & 0o7777 } });
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.with_context(wrong)?.file_name().into_string();
            names.push(
                name.map_err(|name| anyhow::anyhow!("{} holds {name:?}, whose name is not UTF-8", from.display()))?,
            );
        }
        names.sort();
        for name in names.iter().filter(|name| *name != without) {
            self.tree(&from.join(name), &format!("{path}/{name}"), "")?;
        }
        Ok(true)
    }

    /// One file. `false`: it is not there.
    fn file(&mut self, from: &Path, path: &str) -> anyhow::Result<bool> {
        let wrong = || format!("cannot back up {}", from.display());
        let mut file = match OpenOptions::new().read(true).open(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file.with_context(wrong)?,
        };
        let meta = file.metadata().with_context(wrong)?;
        if let Some(of) = self.seen.get(&(meta.dev(), meta.ino())) {
            self.entries.push(Entry { path: path.to_owned(), what: What::Same { of: of.clone() } });
            return Ok(true);
        }
        let modified = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
        let stamp = format!("{}-{}-{}-{modified}", meta.dev(), meta.ino(), meta.len());
        let sha256 = self.keep(&mut file, meta.len(), &stamp).with_context(wrong)?;
        self.seen.insert((meta.dev(), meta.ino()), path.to_owned());
        self.done.add(meta.len());
        (self.tell)(self.done);
        let what = What::File { mode: meta.mode() & 0o7777, size: meta.len(), modified, sha256, stamp };
        self.entries.push(Entry { path: path.to_owned(), what });
        Ok(true)
    }

    /// Takes the bytes in, unless they are known; gives their hash.
    fn keep(&mut self, file: &mut File, size: u64, stamp: &str) -> io::Result<String> {
        if let Some(sha256) = self.known.get(stamp)
            && self.shelf.has(sha256, size)
        {
            return Ok(sha256.clone());
        }
        let put = self.shelf.put(file, size)?;
        if put.size != size {
            return Err(io::Error::other("it changed while it was read: try again"));
        }
        if put.is_new {
            self.new.add(put.size);
        }
        self.known.insert(stamp.to_owned(), put.sha256.clone());
        Ok(put.sha256)
    }
}
