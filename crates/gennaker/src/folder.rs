//! The data folder: private to its user, made when it is not there.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, bail};

use crate::environment::user_of;

/// Makes `folder` (and its parents) for this user alone, or checks that it is so already.
pub fn ensure(folder: &Path) -> anyhow::Result<()> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("cannot make the data folder {}", folder.display())),
    }
    // A link would let whoever owns the place where it stands choose where the data goes.
    let found = std::fs::symlink_metadata(folder).with_context(|| format!("cannot look at {}", folder.display()))?;
    if !found.is_dir() {
        bail!("the data folder {} is not a folder", folder.display());
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        let (owner, place) = (user_of(found.uid()), folder.display());
        bail!(
            "the data folder {place} belongs to another user, {owner}: run this as that user (runuser -u {owner} -- gennaker …), or choose another with --data"
        );
    }
    if found.mode() & 0o077 != 0 {
        bail!(
            "the data folder {} can be read by others: run chmod 700 on it, or choose another with --data",
            folder.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_folder_is_private_and_an_open_or_planted_one_is_refused() {
        let place = tempfile::tempdir().expect("a folder");
        let data = place.path().join("deep/data");
        ensure(&data).expect("made");
        ensure(&data).expect("taken again");
        assert_eq!(std::fs::metadata(&data).expect("there").permissions().mode() & 0o777, 0o700);

        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).expect("opened");
        let error = ensure(&data).expect_err("refused").to_string();
        assert!(
            error.ends_with("can be read by others: run chmod 700 on it, or choose another with --data"),
            "{error}"
        );

        let link = place.path().join("link");
        std::os::unix::fs::symlink(&data, &link).expect("planted");
        assert!(ensure(&link).expect_err("refused").to_string().ends_with("is not a folder"));
    }
}
