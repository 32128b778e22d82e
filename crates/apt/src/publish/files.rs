//! Files and links of a generation.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::{At, Result};
use crate::root::make_folder;

/// Writes a new file that everybody may read.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    fs::write(path, bytes).at("write", path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).at("write", path)
}

/// A second name for a file; one that is there already has the same content.
pub(super) fn link(from: &Path, to: &Path) -> Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).at("link", to),
    }
}

/// Removes a folder with all that is in it; one that is not there is fine.
pub(super) fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at("remove", path),
        _ => Ok(()),
    }
}
