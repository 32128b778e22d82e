//! The names of index files by their hashes. The generations of a publication share them: whoever read an older `InRelease` finds the
//! indexes that it lists until that generation is forgotten, and a new generation costs only what is new.
//!
//! They lie in `.generations/DIST/by-hash/FOLDER/by-hash/`; in a generation, `FOLDER/by-hash` is a link to that.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use debian::sums::Sums;
use serde::{Deserialize, Serialize};

use super::files::link;
use crate::error::{At, Result};
use crate::root::make_folder;

/// Generations share them here, beside their folders.
pub(super) const SHARED: &str = "by-hash";

/// A file of a generation, so that its names can be offered on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Listed {
    path: String,
    size: u64,
    md5: String,
    sha1: String,
    sha256: String,
    sha512: String,
}

impl Listed {
    pub fn new(path: String, sums: Sums) -> Listed {
        let Sums { size, md5, sha1, sha256, sha512 } = sums;
        Listed { path, size, md5, sha1, sha256, sha512 }
    }

    /// Whether clients that read an older Release may ask for it: they take the compressed forms.
    pub fn is_packed(&self) -> bool {
        [".gz", ".bz2", ".xz"].iter().any(|end| self.path.ends_with(end))
    }

    fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    fn names(&self) -> [PathBuf; 4] {
        let names = [("MD5Sum", &self.md5), ("SHA1", &self.sha1), ("SHA256", &self.sha256), ("SHA512", &self.sha512)];
        names.map(|(hash, sum)| Path::new(hash).join(sum))
    }
}

fn shared(generations: &Path, folder: &str) -> PathBuf {
    generations.join(SHARED).join(folder).join("by-hash")
}

/// Offers the file `path` of the generation in `folder` by its hashes as well.
pub(super) fn offer(generations: &Path, folder: &Path, path: &str, sums: &Sums) -> Result<()> {
    let listed = Listed::new(path.to_owned(), sums.clone());
    let shared = shared(generations, listed.folder());
    let file = folder.join(path);
    for name in listed.names() {
        let name = shared.join(name);
        make_folder(name.parent().unwrap_or(&shared))?;
        link(&file, &name)?;
    }
    let below = Path::new(listed.folder());
    let shown = folder.join(below).join("by-hash");
    if fs::symlink_metadata(&shown).is_err() {
        // Up from the index's folder and out of the generation's.
        let up = "../".repeat(below.components().count() + 1);
        let target = Path::new(&up).join(SHARED).join(below).join("by-hash");
        std::os::unix::fs::symlink(target, &shown).at("link", &shown)?;
    }
    Ok(())
}

/// Offers on what a distribution's folder offers in folders of its own: an aptly's, or one of ours from before generations shared them.
pub(super) fn adopt(generations: &Path, shown: &Path) -> Result<()> {
    let mut found: Vec<PathBuf> = Vec::new();
    crate::add::walk(shown, 0, &mut |file| {
        let mut below = file.strip_prefix(shown).into_iter().flat_map(Path::components);
        if below.any(|part| part == Component::Normal("by-hash".as_ref())) {
            found.push(file.to_owned());
        }
    });
    for file in found {
        // `by-hash/SHA256/1a2b…`; links such as aptly's `Packages.old` are not names that anybody was given.
        let is_name = file.file_name().is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_hexdigit));
        let Some(below) = file.strip_prefix(shown).ok().filter(|_| is_name) else { continue };
        let name = generations.join(SHARED).join(below);
        make_folder(name.parent().unwrap_or(generations))?;
        let real = fs::canonicalize(&file).at("read", &file)?;
        link(&real, &name)?;
    }
    Ok(())
}

/// Takes away the names of `gone` that none of `kept` has.
pub(super) fn forget<'a>(generations: &Path, gone: impl Iterator<Item = &'a Listed>, kept: &[&Listed]) -> Result<()> {
    let kept: HashSet<(&str, &str)> = kept.iter().map(|file| (file.folder(), file.sha256.as_str())).collect();
    for file in gone.filter(|file| !kept.contains(&(file.folder(), file.sha256.as_str()))) {
        let shared = shared(generations, file.folder());
        for name in file.names() {
            let path = shared.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).at("remove", &path),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The bytes of those files that were not seen before.
pub(super) fn new_bytes<'a>(files: impl Iterator<Item = &'a Listed>, seen: &mut HashSet<&'a str>) -> u64 {
    files.filter(|file| seen.insert(&file.sha256)).map(|file| file.size).sum()
}
