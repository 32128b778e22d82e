//! Publications in a bucket. They are rendered into a folder of this machine like all others, and what changed there is brought to the bucket:
//! package files and names by hash before a generation is shown, then the indexes, `InRelease` last; what is not shown any more goes after that.
//!
//! The database remembers which file an object was made of, so nothing is listed or compared over the network but once, when there may be
//! objects of an aptly. A crash in between is finished by whoever next works on the prefix.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::objects::ObjectError;
use store::params;

use super::generation::{prefix_folder, shown_link};
use super::{Bucket, Publication, of_place};
use crate::cores;
use crate::error::{At, Error, Result};
use crate::pool;
use crate::report::{Line, Progress, Sink, Work};
use crate::root::Root;

/// Files that go up at once.
const AT_ONCE: usize = 8;
/// So many files go up before they are recorded.
const CHUNK: usize = 64;
/// So many objects are removed by one request; S3 takes 1000.
const REMOVED: usize = 500;
/// What clients read first goes last, in this order.
const LAST: [&str; 3] = ["Release.gpg", "Release", "InRelease"];

impl From<ObjectError> for Error {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::File { path, source } => Error::File { what: "read", path, source },
            other => Error::Remote(other.to_string()),
        }
    }
}

/// The bucket of a storage, and the folder that it follows.
pub(super) struct Replica<'a> {
    root: &'a Root,
    bucket: Arc<Bucket>,
    storage: String,
    prefix: String,
    /// What object names are below.
    base: PathBuf,
}

/// An object as the database remembers it.
struct Known {
    /// The file that it was made of.
    stamp: String,
    md5: String,
}

/// What a bucket has.
struct There {
    /// What we brought, by name.
    known: BTreeMap<String, Known>,
    /// Where we brought nothing yet: the tags of what somebody else did.
    listed: HashMap<String, String>,
}

/// A file that is to go up, under all its names.
struct Upload {
    path: PathBuf,
    stamp: String,
    names: Vec<String>,
    /// An object with the same content.
    from: Option<String>,
}

/// The bucket of a publication; none if it is published to a folder.
pub(super) fn of<'a>(root: &'a Root, storage: &str, prefix: &str) -> Result<Option<Replica<'a>>> {
    let endpoint = root.endpoint(storage)?;
    let replica = |bucket| Replica {
        root,
        bucket,
        storage: storage.to_owned(),
        prefix: prefix.to_owned(),
        base: endpoint.folder.clone(),
    };
    Ok(endpoint.bucket.clone().map(replica))
}

/// Removes from the bucket of a publication's place, if it has one, what is no file there any more.
pub(super) fn forget_old(root: &Root, publication: &Publication) -> Result<()> {
    let (storage, prefix) = (&publication.storage, &publication.prefix);
    let Some(replica) = of(root, storage, prefix)? else { return Ok(()) };
    replica.forget(&root.store().read(|tx| of_place(tx, storage, prefix))?)
}

/// What makes a file another one: its number, size and time.
fn stamp(path: &Path) -> Result<String> {
    let meta = fs::metadata(path).at("read", path)?;
    Ok(format!("{}:{}:{}.{}", meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
}

impl Replica<'_> {
    /// Brings what a generation needs that is not shown yet: package files, and its indexes under the names by hash.
    pub fn before_shown(&self, publication: &Publication, folder: &Path, sink: Sink<'_>) -> Result<()> {
        let mut files = self.pool_files(publication)?;
        let dist = self.dist_files(publication, folder)?;
        files.extend(dist.into_iter().filter(|(name, _)| name.contains("/by-hash/")));
        self.upload(&mut self.there()?, files, sink)
    }

    /// Brings the indexes of the generation that is shown here, and makes the bucket show it.
    pub fn after_shown(&self, publication: &Publication, sink: Sink<'_>) -> Result<()> {
        let shown = shown_link(self.root, publication)?;
        let (last, indexes): (BTreeMap<String, PathBuf>, BTreeMap<String, PathBuf>) =
            self.dist_files(publication, &shown)?.into_iter().partition(|(_, path)| {
                path.parent() == Some(&shown)
                    && path.file_name().is_some_and(|name| LAST.iter().any(|last| *last == name))
            });
        let mut there = self.there()?;
        self.upload(&mut there, indexes, sink)?;
        for name in LAST {
            let one = last.iter().filter(|(_, path)| path.ends_with(name));
            self.upload(&mut there, one.map(|(name, path)| (name.clone(), path.clone())).collect(), sink)?;
        }
        self.root.store().write(|tx| {
            let sql = "insert into replica (publication, generation) values (?1, ?2)
                       on conflict (publication) do update set generation = excluded.generation";
            Ok(tx.execute(sql, params![&publication.uuid, publication.generation]).map(drop)?)
        })
    }

    /// Finishes what a crash prevented.
    pub fn recover(&self, publication: &Publication) -> Result<()> {
        let shown = self.root.store().read(|tx| {
            let sql = "select generation from replica where publication = ?1";
            Ok::<_, Error>(tx.query_opt(sql, params![&publication.uuid])?.map(|row| row.int(0)).transpose()?)
        })?;
        let link = shown_link(self.root, publication)?;
        if shown == Some(publication.generation) || !link.exists() {
            return Ok(());
        }
        let folder = fs::canonicalize(&link).at("resolve", &link)?;
        self.before_shown(publication, &folder, &mut |_| {})?;
        self.after_shown(publication, &mut |_| {})
    }

    /// Removes the objects that are no files of these publications any more.
    pub fn forget(&self, publications: &[Publication]) -> Result<()> {
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for publication in publications {
            wanted.extend(self.pool_files(publication)?.into_keys());
            wanted.extend(self.dist_files(publication, &shown_link(self.root, publication)?)?.into_keys());
        }
        let gone: Vec<String> = self.known()?.into_keys().filter(|name| !wanted.contains(name)).collect();
        for names in gone.chunks(REMOVED) {
            self.bucket.objects.delete(names)?;
            self.root.store().write(|tx| {
                for name in names {
                    let sql = "delete from object where storage = ?1 and prefix = ?2 and name = ?3";
                    tx.execute(sql, params![&self.storage, &self.prefix, name])?;
                }
                Ok::<(), Error>(())
            })?;
        }
        Ok(())
    }

    /// Package files below the prefix of a publication, by name.
    fn pool_files(&self, publication: &Publication) -> Result<BTreeMap<String, PathBuf>> {
        let mut files = BTreeMap::new();
        self.collect(&prefix_folder(self.root, publication)?.join("pool"), &mut |below| below.to_owned(), &mut files)?;
        Ok(files)
    }

    /// The files of a generation in `folder`, by the names under which the publication shows them.
    fn dist_files(&self, publication: &Publication, folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
        let shown = shown_link(self.root, publication)?;
        let mut files = BTreeMap::new();
        let mut named =
            |path: &Path| path.strip_prefix(folder).map_or_else(|_| path.to_owned(), |below| shown.join(below));
        self.collect(folder, &mut named, &mut files)?;
        if !publication.settings.acquire_by_hash {
            files.retain(|name, _| !name.contains("/by-hash/"));
        }
        Ok(files)
    }

    /// All files below `folder`, with their names below the base once `named` said where they are shown.
    fn collect(
        &self,
        folder: &Path,
        named: &mut dyn FnMut(&Path) -> PathBuf,
        files: &mut BTreeMap<String, PathBuf>,
    ) -> Result<()> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).at("read", folder),
        };
        for entry in entries {
            let path = entry.at("read", folder)?.path();
            // The links to the names by hash are followed; they lead to folders without links to folders.
            if fs::metadata(&path).at("read", &path)?.is_dir() {
                self.collect(&path, named, files)?;
                continue;
            }
            let shown = named(&path);
            let name = shown.strip_prefix(&self.base).ok().and_then(Path::to_str);
            let name =
                name.ok_or_else(|| Error::Invalid(format!("{} cannot be the name of an object", shown.display())))?;
            if self.bucket.plus_workaround && name.contains('+') {
                files.insert(name.replace('+', " "), path.clone());
            }
            files.insert(name.to_owned(), path);
        }
        Ok(())
    }

    /// The objects that were brought, by name.
    fn known(&self) -> Result<BTreeMap<String, Known>> {
        self.root.store().read(|tx| {
            let sql = "select name, stamp, md5 from object where storage = ?1 and prefix = ?2";
            let rows = tx.query(sql, params![&self.storage, &self.prefix])?;
            rows.iter().map(|row| Ok((row.text(0)?, Known { stamp: row.text(1)?, md5: row.text(2)? }))).collect()
        })
    }

    /// What the bucket has.
    fn there(&self) -> Result<There> {
        let known = self.known()?;
        let listed = if known.is_empty() { self.listed()? } else { HashMap::new() };
        Ok(There { known, listed })
    }

    /// Brings those of these files that the bucket does not have, and remembers them.
    fn upload(&self, there: &mut There, files: BTreeMap<String, PathBuf>, sink: Sink<'_>) -> Result<()> {
        let known = &there.known;
        let by_stamp: HashMap<&str, &String> = known.iter().map(|(name, known)| (&known.stamp[..], name)).collect();
        let mut uploads: BTreeMap<String, Upload> = BTreeMap::new();
        for (name, path) in files {
            let stamp = stamp(&path)?;
            if known.get(&name).is_some_and(|known| known.stamp == stamp) {
                continue;
            }
            let from = by_stamp.get(&stamp[..]).map(|name| (*name).clone());
            let upload = uploads.entry(stamp.clone()).or_insert(Upload { path, stamp, names: Vec::new(), from });
            upload.names.push(name);
        }
        let uploads: Vec<Upload> = uploads.into_values().collect();
        let total = uploads.len() as u64;
        let mut progress = Progress { work: Work::Upload, total, remaining: total, ..Progress::default() };
        for chunk in uploads.chunks(CHUNK) {
            let sums = cores::on_some(AT_ONCE, chunk, |upload| self.bring(upload, there))?;
            self.root.store().write(|tx| {
                for (upload, md5) in chunk.iter().zip(&sums) {
                    for name in &upload.names {
                        let sql = "insert into object (storage, prefix, name, stamp, md5) values (?1, ?2, ?3, ?4, ?5)
                                   on conflict (storage, prefix, name) do update set stamp = excluded.stamp, md5 = excluded.md5";
                        tx.execute(sql, params![&self.storage, &self.prefix, name, &upload.stamp, md5])?;
                    }
                }
                Ok::<(), Error>(())
            })?;
            for (upload, md5) in chunk.iter().zip(sums) {
                let known = || Known { stamp: upload.stamp.clone(), md5: md5.clone() };
                there.known.extend(upload.names.iter().map(|name| (name.clone(), known())));
            }
            progress.remaining -= chunk.len() as u64;
            sink(Line::Progress(progress));
        }
        Ok(())
    }

    /// The tags of objects that somebody else may have brought: an aptly whose publication was taken over.
    fn listed(&self) -> Result<HashMap<String, String>> {
        let folder = if self.prefix == "." { "pool".to_owned() } else { format!("{}/pool", self.prefix) };
        Ok(self.bucket.objects.list(&folder)?.into_iter().map(|object| (object.name, object.tag)).collect())
    }

    /// Brings one file; gives its MD5.
    fn bring(&self, upload: &Upload, there: &There) -> Result<String> {
        let md5 = pool::sums(&upload.path)?.md5;
        let There { known, listed } = there;
        let is_there = |name: &String| {
            known.get(name).is_some_and(|known| known.md5 == md5) || listed.get(name).is_some_and(|tag| *tag == md5)
        };
        let mut from = upload.from.clone().or_else(|| upload.names.iter().find(|name| is_there(name)).cloned());
        for name in upload.names.iter().filter(|name| !is_there(name)) {
            match &from {
                Some(from) => self.bucket.objects.copy(from, name)?,
                None => {
                    let is_package = !name.contains("/dists/") && !name.starts_with("dists/");
                    self.bucket.objects.put(&upload.path, name, is_package.then_some(&md5[..]))?;
                    from = Some(name.clone());
                }
            }
        }
        Ok(md5)
    }
}
