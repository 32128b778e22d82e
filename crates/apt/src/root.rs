//! One apt root: its folder, its database, its locks. Everything else takes a [`Root`].

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use store::SharedStore;
use store::clock::Clock;
use store::id::Ids;

use crate::error::{At, Result};
use crate::ops::Actor;
use crate::publish::Endpoint;
use crate::report::{Line, Sink};
use crate::schema::MIGRATIONS;
use crate::takeover::{self, Standing};

/// An open apt root. Cheap to clone; any number of processes may hold one on the same folder.
#[derive(Clone)]
pub struct Root {
    path: PathBuf,
    store: SharedStore,
    ids: Arc<Ids>,
    /// Places to publish to, by storage.
    endpoints: Arc<BTreeMap<String, Endpoint>>,
    /// Whose work its changes are.
    actor: Arc<Actor>,
    /// Where the store is when it is not in the root.
    _elsewhere: Option<Arc<tempfile::TempDir>>,
}

impl Root {
    /// Opens the root in `path`, making folder and database when they are missing. The database of an aptly is taken over when there
    /// is nothing of ours yet; a root to which aptly wrote afterwards is refused.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Root> {
        Self::open_telling(path, clock, &mut |_| {})
    }

    /// The same; taking over may take a while and is told.
    pub fn open_telling(path: impl AsRef<Path>, clock: Arc<dyn Clock>, sink: Sink<'_>) -> Result<Root> {
        let path = path.as_ref();
        fs::create_dir_all(path).at("make", path)?;
        let store = SharedStore::open(&path.join(takeover::STORE), MIGRATIONS, clock)?;
        match takeover::standing(path, &store)? {
            Standing::Fine => {}
            Standing::New => {
                let taken = takeover::take(path, &store, false, sink)?;
                taken.left_out.into_iter().for_each(|line| sink(Line::Warning(line)));
            }
            Standing::Changed => return Err(takeover::changed(path)),
        }
        Self::with(path, store, None)
    }

    /// Opens the root in `path` to look at it. An aptly's database that was not taken over is read where it lies, and nothing is
    /// written there; what is written to such a root is lost. What was read is kept in the folder `cache`, if one is given.
    pub fn look(path: impl AsRef<Path>, clock: Arc<dyn Clock>, cache: Option<&Path>) -> Result<Root> {
        let path = path.as_ref();
        if !takeover::is_there(path) {
            return Self::open(path, clock);
        }
        let ours = path.join(takeover::STORE);
        if ours.exists() {
            let store = SharedStore::open(&ours, MIGRATIONS, clock.clone())?;
            match takeover::standing(path, &store)? {
                Standing::New => {}
                Standing::Fine => return Self::with(path, store, None),
                Standing::Changed => {
                    tracing::warn!("{}", takeover::changed(path));
                    return Self::with(path, store, None);
                }
            }
        }
        let place = path.canonicalize().at("resolve", path)?;
        let (folder, store) = takeover::copy(&place, clock, cache)?;
        Self::with(path, store, folder.map(Arc::new))
    }

    fn with(path: &Path, store: SharedStore, elsewhere: Option<Arc<tempfile::TempDir>>) -> Result<Root> {
        // The path is made absolute once: what we print and hand out must not depend on the working directory.
        let path = path.canonicalize().at("resolve", path)?;
        Ok(Root {
            path,
            store,
            ids: Arc::new(Ids::random()?),
            endpoints: Arc::default(),
            actor: Arc::default(),
            _elsewhere: elsewhere,
        })
    }

    /// The same root that can also publish to these places: `filesystem:NAME` or `s3:NAME`.
    pub fn with_endpoints(self, endpoints: BTreeMap<String, Endpoint>) -> Root {
        Root { endpoints: Arc::new(endpoints), ..self }
    }

    pub(crate) fn with_actor(self, actor: Actor) -> Root {
        Root { actor: Arc::new(actor), ..self }
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    pub(crate) fn endpoints(&self) -> &BTreeMap<String, Endpoint> {
        &self.endpoints
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where package files are kept.
    pub fn pool(&self) -> PathBuf {
        self.path.join("pool")
    }

    /// Where repositories are published, ready for a web server.
    pub fn public(&self) -> PathBuf {
        self.path.join("public")
    }

    /// The file that is touched after each event, for who waits for one.
    pub fn wake(&self) -> PathBuf {
        self.path.join("wake")
    }

    /// A new random name.
    pub(crate) fn new_uuid(&self) -> String {
        self.ids.uuid()
    }

    pub(crate) fn store(&self) -> &SharedStore {
        &self.store
    }

    /// Tells everybody who watches that there is an event. A failure is harmless: they also look once a second.
    pub(crate) fn touch_wake(&self) {
        let path = self.wake();
        let touched = OpenOptions::new().create(true).append(true).mode(0o666).open(&path).and_then(|mut file| {
            // Grows by a byte each time, so that watchers of content and of times both see it; emptied now and then.
            if file.metadata()?.size() > 4096 {
                file.set_len(0)?;
            }
            file.write_all(b".")
        });
        if let Err(error) = touched {
            tracing::debug!(path = %path.display(), %error, "cannot touch");
        }
    }

    /// Waits until nobody else publishes below this prefix. Freed when the answer is dropped, also by a killed process.
    pub(crate) fn lock_prefix(&self, storage: &str, prefix: &str) -> Result<PrefixLock> {
        let folder = self.path.join("locks");
        fs::create_dir_all(&folder).at("make", &folder)?;
        let name = format!("{storage}{}{}", if storage.is_empty() { "" } else { ":" }, prefix).replace('/', "%2f");
        let path = folder.join(if name == "." { "root".to_owned() } else { name });
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o666).open(&path).at("open", &path)?;
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(PrefixLock { _file: file }),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error)).at("lock", &path),
            }
        }
    }
}

/// Makes a folder that web servers of other users can read, whatever the umask, with all folders above that are missing.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    // Tried first: mostly the folder above is there.
    let mut made = fs::create_dir(path);
    if let (Err(error), Some(above)) = (&made, path.parent())
        && error.kind() == io::ErrorKind::NotFound
    {
        make_folder(above)?;
        made = fs::create_dir(path);
    }
    match made {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        // Whoever may not write here need not, as long as it is there.
        Err(_) if path.is_dir() => return Ok(()),
        Err(error) => return Err(error).at("make", path),
    }
    let mode = fs::metadata(path).at("read", path)?.mode() & 0o7777;
    if mode & 0o755 == 0o755 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o755)).at("make", path)
}

/// Held while a prefix is published.
pub(crate) struct PrefixLock {
    _file: File,
}
