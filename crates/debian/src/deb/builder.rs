//! Building of `.deb` files that `dpkg-deb` accepts: the same input and time give the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use md5::{Digest, Md5};
use thiserror::Error;

use crate::ar;
use crate::compress;
use crate::control::{self, ControlError};
use crate::decompress::Compression;
use crate::names::{self, NameError};
use crate::stanza::{BINARY_ORDER, Stanza};
use crate::sums::hex;

/// Why a package could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// A path that does not stay inside the package.
    #[error("path {0:?} must be relative, without '..'")]
    Path(String),
    /// Name, version or architecture does not have its grammar.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The control fields given are broken.
    #[error("control: {0}")]
    Control(#[from] ControlError),
    /// Packing or reading a file failed.
    #[error("unable to pack {what}")]
    Io {
        /// What was being packed.
        what: String,
        /// Why.
        source: io::Error,
    },
}

enum Content {
    File { mode: u32, bytes: Vec<u8> },
    Link { target: String },
    Folder { mode: u32 },
}

/// A package in the making.
///
/// ```text
/// let deb = Builder::new("Package: hello\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: greets\n")?
///     .file("usr/bin/hello", 0o755, "#!/bin/sh\necho hello\n")?
///     .build()?;
/// ```
pub struct Builder {
    control: Stanza,
    scripts: BTreeMap<String, Vec<u8>>,
    conffiles: Vec<String>,
    content: BTreeMap<String, Content>,
    mtime: u64,
    compression: Compression,
}

impl Builder {
    /// A package with these control fields; `Installed-Size` is added when it is missing.
    pub fn new(control: &str) -> Result<Builder, BuildError> {
        let control = Stanza::from_paragraph(&control::parse_one(control.as_bytes())?);
        names::package(control.get("Package"))?;
        names::version(control.get("Version"))?;
        names::architecture(control.get("Architecture"))?;
        Ok(Builder {
            control,
            scripts: BTreeMap::new(),
            conffiles: Vec::new(),
            content: BTreeMap::new(),
            mtime: 0,
            compression: Compression::Xz,
        })
    }

    /// The time of all members and files, in seconds since 1970 (0 unless set).
    #[must_use]
    pub fn mtime(mut self, seconds: u64) -> Builder {
        self.mtime = seconds;
        self
    }

    /// How the inner archives are packed (xz unless set).
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Builder {
        self.compression = compression;
        self
    }

    /// Adds a regular file.
    pub fn file(mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Result<Builder, BuildError> {
        self.content.insert(clean(path)?, Content::File { mode, bytes: bytes.into() });
        Ok(self)
    }

    /// Adds a regular file with the bytes of one on disk.
    pub fn file_from(self, path: &str, mode: u32, from: &Path) -> Result<Builder, BuildError> {
        let bytes =
            std::fs::read(from).map_err(|source| BuildError::Io { what: from.display().to_string(), source })?;
        self.file(path, mode, bytes)
    }

    /// Adds a symbolic link.
    pub fn link(mut self, path: &str, target: &str) -> Result<Builder, BuildError> {
        self.content.insert(clean(path)?, Content::Link { target: target.to_owned() });
        Ok(self)
    }

    /// Adds an empty folder; folders of files need not be added.
    pub fn folder(mut self, path: &str, mode: u32) -> Result<Builder, BuildError> {
        self.content.insert(clean(path)?, Content::Folder { mode });
        Ok(self)
    }

    /// Adds a maintainer script (`postinst`, `prerm` …).
    #[must_use]
    pub fn script(mut self, name: &str, text: &str) -> Builder {
        self.scripts.insert(name.to_owned(), text.as_bytes().to_vec());
        self
    }

    /// Marks a file of the package as a configuration file.
    #[must_use]
    pub fn conffile(mut self, path: &str) -> Builder {
        self.conffiles.push(format!("/{}", path.trim_start_matches('/')));
        self
    }

    /// `name_version_arch.deb`, without the epoch, as Debian names files.
    pub fn file_name(&self) -> String {
        let version = self.control.get("Version");
        let version = version.split_once(':').map_or(version, |(_, rest)| rest);
        format!("{}_{version}_{}.deb", self.control.get("Package"), self.control.get("Architecture"))
    }

    /// The bytes of the `.deb`.
    pub fn build(&self) -> Result<Vec<u8>, BuildError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |source| BuildError::Io { what, source }
        };
        let control = compress::pack(self.compression, &self.control_tar().map_err(failed("control.tar"))?)
            .map_err(failed("control.tar"))?;
        let data = compress::pack(self.compression, &self.data_tar().map_err(failed("data.tar"))?)
            .map_err(failed("data.tar"))?;
        let suffix = self.compression.suffix();
        let (control_name, data_name) = (format!("control.tar{suffix}"), format!("data.tar{suffix}"));
        let members: [(&str, &[u8]); 3] = [("debian-binary", b"2.0\n"), (&control_name, &control), (&data_name, &data)];
        let mut deb = Vec::new();
        ar::write(&mut deb, self.mtime, &members).map_err(failed("the archive"))?;
        Ok(deb)
    }

    fn control_tar(&self) -> io::Result<Vec<u8>> {
        let mut stanza = self.control.clone();
        if stanza.get("Installed-Size").is_empty() {
            let size = |content: &Content| {
                if let Content::File { bytes, .. } = content { bytes.len().div_ceil(1024) } else { 1 }
            };
            stanza.set("Installed-Size", self.content.values().map(size).sum::<usize>().max(1).to_string());
        }
        let mut control = String::new();
        stanza.render(&BINARY_ORDER, &mut control);
        let mut files: BTreeMap<String, (u32, Vec<u8>)> = BTreeMap::new();
        files.insert("control".into(), (0o644, control.into_bytes()));
        let sums: String = self
            .content
            .iter()
            .filter_map(|(path, content)| match content {
                Content::File { bytes, .. } => Some(format!("{}  {path}\n", hex(&Md5::digest(bytes)))),
                _ => None,
            })
            .collect();
        if !sums.is_empty() {
            files.insert("md5sums".into(), (0o644, sums.into_bytes()));
        }
        if !self.conffiles.is_empty() {
            files.insert("conffiles".into(), (0o644, (self.conffiles.join("\n") + "\n").into_bytes()));
        }
        for (name, text) in &self.scripts {
            files.insert(name.clone(), (0o755, text.clone()));
        }
        let mut tar = tar::Builder::new(Vec::new());
        self.append(&mut tar, "./", tar::EntryType::Directory, 0o755, b"", None)?;
        for (name, (mode, bytes)) in &files {
            self.append(&mut tar, &format!("./{name}"), tar::EntryType::Regular, *mode, bytes, None)?;
        }
        tar.into_inner()
    }

    fn data_tar(&self) -> io::Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        self.append(&mut tar, "./", tar::EntryType::Directory, 0o755, b"", None)?;
        let mut made = BTreeSet::new();
        for (path, content) in &self.content {
            for (at, _) in path.match_indices('/') {
                let folder = &path[..at];
                if made.insert(folder.to_owned()) && !self.content.contains_key(folder) {
                    self.append(&mut tar, &format!("./{folder}/"), tar::EntryType::Directory, 0o755, b"", None)?;
                }
            }
            match content {
                Content::File { mode, bytes } => {
                    self.append(&mut tar, &format!("./{path}"), tar::EntryType::Regular, *mode, bytes, None)?
                }
                Content::Link { target } => {
                    self.append(&mut tar, &format!("./{path}"), tar::EntryType::Symlink, 0o777, b"", Some(target))?
                }
                Content::Folder { mode } => {
                    self.append(&mut tar, &format!("./{path}/"), tar::EntryType::Directory, *mode, b"", None)?
                }
            }
        }
        tar.into_inner()
    }

    fn append(
        &self,
        tar: &mut tar::Builder<Vec<u8>>,
        path: &str,
        kind: tar::EntryType,
        mode: u32,
        bytes: &[u8],
        link: Option<&str>,
    ) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.mtime);
        header.set_size(bytes.len() as u64);
        header.set_username("root")?;
        header.set_groupname("root")?;
        // The crate takes the `./` away that dpkg's own archives have; a name that fits is written as it is.
        let fits = path.len() < 100 && link.is_none_or(|target| target.len() < 100);
        match (header.as_gnu_mut(), link) {
            (Some(raw), link) if fits => {
                raw.name[..path.len()].copy_from_slice(path.as_bytes());
                if let Some(target) = link {
                    raw.linkname[..target.len()].copy_from_slice(target.as_bytes());
                }
                header.set_cksum();
                tar.append(&header, bytes)
            }
            (_, Some(target)) => tar.append_link(&mut header, path, target),
            (_, None) => tar.append_data(&mut header, path, bytes),
        }
    }
}

fn clean(path: &str) -> Result<String, BuildError> {
    let path = path.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
    let bad = path.is_empty()
        || path.chars().any(char::is_control)
        || path.split('/').any(|part| matches!(part, "" | "." | ".."));
    if bad { Err(BuildError::Path(path.to_owned())) } else { Ok(path.to_owned()) }
}
