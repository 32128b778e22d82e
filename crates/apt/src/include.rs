//! Uploads: `.changes` files with a signature, the files they list, and who may send them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use debian::package::{Kind, Package};
use debian::source;
use jiff::Timestamp;

use crate::add::{Added, check, remove_files, walk};
use crate::error::{At, Error, Result};
use crate::pool;
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::uploaders::Uploaders;
use crate::verify::Keyrings;

/// How uploads are taken.
#[derive(Debug, Clone, Default)]
pub struct IncludeOptions {
    /// A package in the way leaves the repository.
    pub force_replace: bool,
    /// Files that were taken are removed.
    pub remove_files: bool,
    /// Uploads without a signature are taken.
    pub accept_unsigned: bool,
    /// Signatures are not checked.
    pub ignore_signatures: bool,
    /// Who checks them, with which keys.
    pub keyrings: Keyrings,
    /// Who may upload, for repositories that do not say so themselves.
    pub uploaders: Option<Uploaders>,
}

/// Which repository an upload goes to: made of its fields.
pub type Target<'a> = &'a dyn Fn(&dyn Fn(&str) -> Option<String>) -> Option<String>;

/// Biggest `.changes` that is read.
const BIGGEST: u64 = 4 << 20;

impl Root {
    /// Takes uploads; gives the files that were not taken.
    pub fn include(
        &self,
        paths: &[PathBuf],
        options: &IncludeOptions,
        target: Target<'_>,
        sink: Sink<'_>,
    ) -> Result<Vec<String>> {
        let mut changes = BTreeSet::new();
        let mut failed = Vec::new();
        for path in paths {
            if path.is_dir() {
                walk(path, 0, &mut |file| {
                    if file.extension().is_some_and(|extension| extension == "changes") {
                        changes.insert(file.to_owned());
                    }
                });
            } else if path.extension().is_some_and(|extension| extension == "changes") {
                changes.insert(path.clone());
            } else {
                sink(Line::Warning(format!("unknown file extension: {}", path.display())));
                failed.push(path.display().to_string());
            }
        }
        for file in changes {
            if let Err(error) = self.include_one(&file, options, target, &mut failed, sink) {
                if error.is_full() {
                    return Err(error);
                }
                sink(Line::Warning(error.to_string()));
                failed.push(file.display().to_string());
            }
        }
        Ok(failed)
    }

    fn include_one(
        &self,
        path: &Path,
        options: &IncludeOptions,
        target: Target<'_>,
        failed: &mut Vec<String>,
        sink: Sink<'_>,
    ) -> Result<()> {
        let shown = path.display();
        if fs::metadata(path).at("read", path)?.len() > BIGGEST {
            return Err(Error::Invalid(format!("unable to process file {shown}: bigger than 4 MiB")));
        }
        let bytes = fs::read(path).at("read", path)?;
        let changes =
            source::read(&bytes).map_err(|error| Error::Invalid(format!("unable to process file {shown}: {error}")))?;
        if !changes.signed && !options.accept_unsigned {
            return Err(Error::Invalid(format!(
                "unable to process file {shown}: .changes file is not signed and unsigned processing hasn't been enabled"
            )));
        }
        let keys = if changes.signed && !options.ignore_signatures {
            verify(&bytes, &options.keyrings, path, self.store().clock().now())?
        } else {
            Vec::new()
        };
        let field = |name: &str| Some(changes.stanza.get(name).to_owned()).filter(|value| !value.is_empty());
        let name = target(&field).ok_or_else(|| Error::Invalid("the template of -repo cannot be read".into()))?;
        sink(Line::Step(format!(
            "Loading repository {name} for changes file {}...",
            path.file_name().unwrap_or_default().to_string_lossy()
        )));
        let repo = self.repo(&name)?;
        if let Some(uploaders) = repo.uploaders.as_ref().or(options.uploaders.as_ref()) {
            let value = |name: &str| changes.stanza.get(name).to_owned();
            uploaders.decide(&value, &keys).map_err(|why| {
                Error::Invalid(format!(
                    "changes file skipped due to uploaders config: {shown}, keys [{}]: {why}",
                    keys.join(" ")
                ))
            })?;
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut files = Vec::new();
        for listed in &changes.files {
            let file = folder.join(&listed.name);
            let sums = pool::sums(&file)?;
            check(listed, &sums)?;
            let wanted = Path::new(&listed.name).extension().and_then(|extension| extension.to_str());
            if wanted.is_some_and(|extension| matches!(extension, "deb" | "udeb" | "ddeb" | "dsc" | "buildinfo")) {
                files.push(file);
            }
        }
        files.sort();
        let mut added = Added::default();
        let allowed = |package: &Package| fits(package, &changes.stanza);
        self.add_files(&repo.uuid, &files, options.force_replace, &allowed, &mut added, sink)?;
        if options.remove_files {
            remove_files(&added.processed);
            remove_files(&[path.to_owned()]);
        }
        failed.extend(added.failed);
        Ok(())
    }
}

/// Whether the upload names this package.
fn fits(package: &Package, changes: &debian::stanza::Stanza) -> bool {
    let has = |field: &str, word: &str| changes.get(field).split_whitespace().any(|one| one == word);
    let architecture = &package.key.architecture;
    if architecture != "all" && !has("Architecture", architecture) {
        return false;
    }
    match package.kind {
        Kind::Source => changes.get("Source").split_whitespace().next() == Some(package.key.name.as_str()),
        _ => {
            has("Binary", package.key.name.strip_suffix("-dbgsym").unwrap_or(&package.key.name))
                || has("Binary", &package.key.name)
        }
    }
}

/// Checks the signature of an upload and gives the ids of the keys that made it.
fn verify(bytes: &[u8], keyrings: &Keyrings, path: &Path, now: Timestamp) -> Result<Vec<String>> {
    keyrings.clear(bytes, now).map_err(|why| {
        Error::Signing(format!(
            "unable to process file {}: verification of clearsigned file failed: {why}",
            path.display()
        ))
    })
}
