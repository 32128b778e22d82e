//! Other places than the root's `public` to publish to: folders of this machine (`filesystem:NAME`) and buckets (`s3:NAME`).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::objects::Objects;

use crate::error::{At, Error, Result};
use crate::pool;
use crate::root::Root;

/// How package files get there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LinkMethod {
    /// As another name of the pool's file; copied where the file system is another one.
    #[default]
    HardLink,
    /// As a link to the pool's file.
    SymLink,
    /// As a copy.
    Copy,
}

/// What makes a copy that is there already a good one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verify {
    /// The same content.
    #[default]
    Content,
    /// The same size.
    Size,
}

/// A bucket to publish to.
#[derive(Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its objects.
    pub objects: Objects,
    /// Objects with a `+` in their names are also there with a blank instead, which some servers make of it.
    pub plus_workaround: bool,
}

/// A place to publish to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The folder, or the one on this machine that a bucket is kept like; made when it is first used.
    pub folder: PathBuf,
    /// How package files get there.
    pub link: LinkMethod,
    /// How copies are checked.
    pub verify: Verify,
    /// The bucket that is kept like the folder, if it is not the folder itself that clients read.
    pub bucket: Option<Arc<Bucket>>,
}

impl Endpoint {
    /// A folder that clients read.
    pub fn folder(folder: impl Into<PathBuf>) -> Endpoint {
        Endpoint { folder: folder.into(), link: LinkMethod::HardLink, verify: Verify::Content, bucket: None }
    }

    /// A bucket; what it shows is rendered in a folder of this machine, with the package files as links.
    pub fn bucket(folder: impl Into<PathBuf>, bucket: Bucket) -> Endpoint {
        Endpoint { bucket: Some(Arc::new(bucket)), ..Endpoint::folder(folder) }
    }
}

impl Root {
    /// The place of a storage as publications name it: empty for `public`, or `filesystem:NAME` or `s3:NAME`.
    pub(crate) fn endpoint(&self, storage: &str) -> Result<Endpoint> {
        let not_configured =
            |kind: &str, name: &str| Error::Invalid(format!("published {kind} storage {name} not configured"));
        match storage.split_once(':') {
            None if storage.is_empty() => Ok(Endpoint::folder(self.public())),
            Some((kind, name)) => self.endpoints().get(storage).cloned().ok_or_else(|| match kind {
                "filesystem" => not_configured("local", name),
                kind => not_configured(&kind.to_uppercase(), name),
            }),
            None => Err(Error::Invalid(format!("unknown published storage format: {storage}"))),
        }
    }
}

impl Root {
    /// The folders that are published to, by name; the root's own has none.
    pub fn served_folders(&self) -> BTreeMap<String, PathBuf> {
        let named = self.endpoints().iter().filter_map(|(storage, endpoint)| {
            Some((storage.strip_prefix("filesystem:")?.to_owned(), endpoint.folder.clone()))
        });
        named.chain([(String::new(), self.public())]).collect()
    }

    /// The names of the storages of a kind (`filesystem`, `s3`) that are configured.
    pub fn storages(&self, kind: &str) -> Vec<String> {
        let named = self.endpoints().keys().filter_map(|storage| storage.split_once(':'));
        named.filter(|(of, _)| *of == kind).map(|(_, name)| name.to_owned()).collect()
    }
}

impl Endpoint {
    /// Makes a file of the pool appear at a place; what is there already must be the same, unless `force`.
    pub(super) fn put(&self, from: &Path, to: &Path, force: bool) -> Result<()> {
        match self.make(from, to) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && !from.exists() => {
                return Err(Error::Damaged(format!("{} is missing from the pool", from.display())));
            }
            Err(error) => return Err(error).at("link", to),
        }
        if self.is_same(from, to)? {
            return Ok(());
        }
        if !force {
            return Err(Error::Conflict(format!(
                "unable to publish: unable to process packages: error linking file to {}: file already exists and is different; give the package another version, or use -force-overwrite",
                to.display()
            )));
        }
        let beside = beside(to);
        let _ = fs::remove_file(&beside);
        self.make(from, &beside).at("link", &beside)?;
        fs::rename(&beside, to).at("write", to)
    }

    /// As an error when something is there.
    fn make(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.link {
            LinkMethod::HardLink => match fs::hard_link(from, to) {
                // Linux lets nobody link to a file of another user that he may not write (fs.protected_hardlinks).
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::CrossesDevices | io::ErrorKind::PermissionDenied | io::ErrorKind::TooManyLinks
                    ) =>
                {
                    copy(from, to)
                }
                done => done,
            },
            LinkMethod::SymLink => {
                // A link to nothing could be made.
                fs::metadata(from)?;
                std::os::unix::fs::symlink(from, to)
            }
            LinkMethod::Copy if fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
            LinkMethod::Copy => copy(from, to),
        }
    }

    fn is_same(&self, from: &Path, to: &Path) -> Result<bool> {
        // A link to a file that is gone is not the same.
        let Ok(old) = fs::metadata(to) else { return Ok(false) };
        let new = fs::metadata(from).at("read", from)?;
        if old.dev() == new.dev() && old.ino() == new.ino() {
            return Ok(true);
        }
        if !old.is_file() || old.len() != new.len() {
            return Ok(false);
        }
        Ok((self.link == LinkMethod::Copy && self.verify == Verify::Size) || pool::sums(to)? == pool::sums(from)?)
    }
}

/// Nobody sees half a copy.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let beside = beside(to);
    fs::copy(from, &beside)?;
    fs::rename(&beside, to)
}

fn beside(to: &Path) -> PathBuf {
    to.with_file_name(format!(".{}.new", to.file_name().unwrap_or_default().to_string_lossy()))
}
