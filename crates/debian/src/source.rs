//! `.dsc` and `.changes` files: which files belong to a source package or an upload, with their sums.

use thiserror::Error;

use crate::control::{self, ControlError};
use crate::names::{self, NameError};
use crate::signed::{self, SignedError};
use crate::stanza::Stanza;

/// Why a `.dsc` or `.changes` is refused.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The armour is broken, or something stands outside it.
    #[error(transparent)]
    Signed(#[from] SignedError),
    /// The fields are broken.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A file name that is no file name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A line of a file list.
    #[error("field {field}: {line:?} is not a checksum, a size and a name")]
    Line {
        /// Which field.
        field: &'static str,
        /// The line.
        line: String,
    },
    /// No files are listed.
    #[error("no files are listed")]
    NoFiles,
}

/// The size of a file of which only sums are listed.
pub const UNKNOWN_SIZE: u64 = u64::MAX;

/// A file as it is listed, with the sums that are given for it (empty where none is).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Base name.
    pub name: String,
    /// Bytes; [`UNKNOWN_SIZE`] where only sums are listed.
    pub size: u64,
    /// MD5, if listed.
    pub md5: String,
    /// SHA-1, if listed.
    pub sha1: String,
    /// SHA-256, if listed.
    pub sha256: String,
    /// SHA-512, if listed.
    pub sha512: String,
}

/// A read `.dsc` or `.changes`.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its fields.
    pub stanza: Stanza,
    /// The files that it lists, sorted by name.
    pub files: Vec<Listed>,
    /// Whether a signature is around it. It is not checked here.
    pub signed: bool,
}

/// Reads a `.dsc` or `.changes`.
pub fn read(bytes: &[u8]) -> Result<SourceFile, SourceError> {
    let message = signed::strip(bytes)?;
    let stanza = Stanza::from_paragraph(&control::parse_one(message.text.as_bytes())?);
    let files = listed(&stanza)?;
    Ok(SourceFile { stanza, files, signed: message.signed })
}

/// The files that a `.dsc`, a `.changes` or a paragraph of a `Sources` index lists, sorted by name.
pub fn listed(stanza: &Stanza) -> Result<Vec<Listed>, SourceError> {
    let mut files: Vec<Listed> = Vec::new();
    type Slot = fn(&mut Listed) -> &mut String;
    let fields: [(&'static str, Slot); 4] = [
        ("Files", |file| &mut file.md5),
        ("Checksums-Sha1", |file| &mut file.sha1),
        ("Checksums-Sha256", |file| &mut file.sha256),
        ("Checksums-Sha512", |file| &mut file.sha512),
    ];
    for (field, slot) in fields {
        for line in stanza.get(field).lines().map(str::trim).filter(|line| !line.is_empty()) {
            let broken = || SourceError::Line { field, line: line.chars().take(200).collect() };
            // A .changes has section and priority between size and name.
            let words: Vec<_> = line.split_whitespace().collect();
            let [sum, size, .., name] = words[..] else {
                return Err(broken());
            };
            let size = size.parse().map_err(|_| broken())?;
            if !sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(broken());
            }
            names::file(name)?;
            let at = files.iter().position(|file| file.name == name).unwrap_or_else(|| {
                files.push(Listed { name: name.to_owned(), size, ..Listed::default() });
                files.len() - 1
            });
            if files[at].size != size {
                return Err(broken());
            }
            *slot(&mut files[at]) = sum.to_ascii_lowercase();
        }
    }
    if files.is_empty() {
        return Err(SourceError::NoFiles);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
