//! Unpacking of a package's files.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{DebError, Part, walk, with_tar};
use crate::decompress::Limits;
use crate::tar::{Specials, Unpacked, Unpacker};

/// Why a package could not be unpacked.
#[derive(Debug, Error)]
pub enum UnpackError {
    /// The folder to unpack into cannot be opened.
    #[error("unable to open {folder}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The package is broken, or something in it may not or cannot be unpacked.
    #[error(transparent)]
    Deb(#[from] DebError),
}

/// Unpacks the files of the `.deb` in `input` into `folder`, which must exist. Owners are not restored, special bits are
/// taken away, devices are refused; nothing outside `folder` is read or written.
pub fn unpack(input: impl Read, folder: &Path) -> Result<Unpacked, UnpackError> {
    let mut unpacker = Unpacker::new(folder, Specials::Refused)
        .map_err(|source| UnpackError::Folder { folder: folder.to_owned(), source })?;
    walk(input, |part, member, body| {
        if part != Part::Data {
            return Ok(());
        }
        with_tar(member, body, Limits::DATA, |archive| archive.each(|entry, content| unpacker.place(entry, content)))
    })?;
    Ok(unpacker.finish())
}
