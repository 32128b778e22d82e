//! Adding package files to a repository: found, copied into the pool, read, checked against what is there, recorded.
//!
//! Packages go in by batches: each batch is on disk and in the database before it is reported.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use debian::package::{Key, Kind, Package, PackageFile};
use debian::source::{self, Listed, UNKNOWN_SIZE};
use store::{Tx, params};

use crate::error::{At, Error, Result};
use crate::packages;
use crate::pool::{self, Staged};
use crate::repo::{Change, Repo};
use crate::report::{Line, Sink};
use crate::root::Root;
use crate::set;

/// How packages are added.
#[derive(Debug, Clone, Copy, Default)]
pub struct AddOptions {
    /// A package in the way leaves the repository.
    pub force_replace: bool,
    /// Files that were added are removed from where they came.
    pub remove_files: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Added {
    /// Files that were not added; the report said why.
    pub failed: Vec<String>,
    /// Files that belong to added packages.
    pub processed: Vec<PathBuf>,
}

/// So many packages are recorded at a time.
const BATCH: usize = 64;

/// A package whose files are at the pool's edge.
struct Incoming {
    from: PathBuf,
    package: Package,
    staged: Vec<Staged>,
    processed: Vec<PathBuf>,
}

/// Which packages may come in; the answer is why not.
pub(crate) type Restriction<'a> = &'a dyn Fn(&Package) -> bool;

impl Root {
    /// Adds package files, or all those below folders, to a repository.
    pub fn add(&self, repo: &str, paths: &[PathBuf], options: AddOptions, sink: Sink<'_>) -> Result<Added> {
        let repo = self.repo(repo)?;
        let (files, mut added) = collect(paths, sink);
        sink(Line::Step("Loading packages...".into()));
        self.add_files(&repo.uuid, &files, options.force_replace, &|_| true, &mut added, sink)?;
        if options.remove_files {
            remove_files(&added.processed);
        }
        Ok(added)
    }

    pub(crate) fn add_files(
        &self,
        repo: &str,
        files: &[PathBuf],
        force: bool,
        restriction: Restriction<'_>,
        added: &mut Added,
        sink: Sink<'_>,
    ) -> Result<()> {
        for batch in files.chunks(BATCH) {
            let mut incoming = Vec::new();
            for file in batch {
                let shown = file.display().to_string();
                if file.extension().is_some_and(|extension| extension == "buildinfo") {
                    added.processed.push(file.clone());
                    continue;
                }
                match read_package(self, file) {
                    Ok(read) if restriction(&read.package) => incoming.push(read),
                    Ok(read) => {
                        sink(Line::Warning(format!(
                            "{} has been ignored as it doesn't match restriction",
                            read.package.key
                        )));
                        added.failed.push(shown);
                    }
                    // Going on would fail in the same way for each file.
                    Err(error) if error.is_full() => return Err(error),
                    Err(error) => {
                        sink(Line::Warning(format!("Unable to read file {shown}: {error}")));
                        added.failed.push(shown);
                    }
                }
            }
            self.record(repo, incoming, force, added, sink)?;
        }
        Ok(())
    }

    /// Puts a batch into pool, database and list.
    fn record(
        &self,
        repo: &str,
        incoming: Vec<Incoming>,
        force: bool,
        added: &mut Added,
        sink: Sink<'_>,
    ) -> Result<()> {
        if incoming.is_empty() {
            return Ok(());
        }
        let (mut staged, mut plans) = (Vec::new(), Vec::new());
        for one in incoming {
            plans.push((one.from, one.package, one.processed));
            staged.extend(one.staged);
        }
        let paths = pool::settle(self, &staged)?;
        // Computed anew when somebody else changed the repository meanwhile, so the report is made of the last outcome.
        let mut outcome = Vec::new();
        let decide = |tx: &mut Tx<'_>, current: &Repo| {
            outcome.clear();
            let mut change = Change::default();
            for (_, package, _) in &plans {
                let mut there = set::named(tx, &current.root, &package.key.name)?;
                there.retain(|key| !change.remove.contains(key));
                there.extend(change.add.iter().cloned());
                there.retain(|key| key.same_place(&package.key));
                there.dedup();
                outcome.push(place(&mut change, &package.key, there, force));
            }
            Ok(change)
        };
        // A package is recorded in the transaction that puts it into the list, so a cleanup never finds it unused.
        self.change_repo_with(repo, decide, |tx| {
            for (_, package, _) in &plans {
                packages::save(tx, package)?;
            }
            for (file, path) in staged.iter().zip(&paths) {
                pool::note(tx, &file.file.sums, path)?;
                tx.execute("delete from staging where path = ?1", params![path])?;
            }
            Ok(())
        })?;
        for ((from, package, processed), outcome) in plans.into_iter().zip(outcome) {
            match outcome {
                Outcome::Conflict(key) => {
                    sink(Line::Warning(format!(
                        "Unable to add package: package already exists and is different: {key}; give it another version, or use -force-replace"
                    )));
                    added.failed.push(from.display().to_string());
                }
                Outcome::Placed(replaced) => {
                    for key in replaced {
                        sink(Line::Removed(key, Some("removed due to conflict with package being added")));
                    }
                    sink(Line::Added(package.key));
                    added.processed.extend(processed);
                }
            }
        }
        Ok(())
    }
}

enum Outcome {
    Conflict(Key),
    Placed(Vec<Key>),
}

/// Decides about one package: `there` are those of the same name, version and architecture.
fn place(change: &mut Change, key: &Key, there: Vec<Key>, force: bool) -> Outcome {
    if force {
        for other in &there {
            if other != key {
                change.remove.insert(other.clone());
                change.add.remove(other);
            }
        }
    } else if let Some(other) = there.iter().find(|other| *other != key) {
        return Outcome::Conflict(other.clone());
    }
    change.remove.remove(key);
    change.add.insert(key.clone());
    Outcome::Placed(if force { there } else { Vec::new() })
}

/// All package files that are named or lie below folders, in the order of their names.
pub(crate) fn collect(paths: &[PathBuf], sink: Sink<'_>) -> (Vec<PathBuf>, Added) {
    let (mut files, mut added) = (Vec::new(), Added::default());
    for path in paths {
        if path.is_dir() {
            let mut found = Vec::new();
            walk(path, 0, &mut |file| {
                if file
                    .extension()
                    .and_then(|e| e.to_str())
                    .is_some_and(|e| matches!(e, "deb" | "udeb" | "ddeb" | "dsc" | "buildinfo"))
                {
                    found.push(file.to_owned());
                }
            });
            files.append(&mut found);
            continue;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if !path.exists() => {
                sink(Line::Warning(format!("Unable to process {}: no such file or folder", path.display())));
                added.failed.push(path.display().to_string());
            }
            Some("deb" | "udeb" | "ddeb" | "dsc" | "buildinfo") => files.push(path.clone()),
            _ => {
                sink(Line::Warning(format!("Unknown file extension: {}", path.display())));
                added.failed.push(path.display().to_string());
            }
        }
    }
    files.sort();
    files.dedup();
    (files, added)
}

/// Calls `each` with every file below `folder`; links to folders are not followed.
pub(crate) fn walk(folder: &Path, depth: usize, each: &mut dyn FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if depth < 64 {
                walk(&entry.path(), depth + 1, each);
            }
        } else {
            each(&entry.path());
        }
    }
}

/// Removes what was added; a file that cannot be removed stays, as with aptly.
pub(crate) fn remove_files(files: &[PathBuf]) {
    for file in files {
        if let Err(error) = fs::remove_file(file) {
            tracing::debug!(file = %file.display(), %error, "cannot remove");
        }
    }
}

fn read_package(root: &Root, path: &Path) -> Result<Incoming> {
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("dsc") => return read_source(root, path),
        Some("udeb") => Kind::Udeb,
        _ => Kind::Deb,
    };
    let (control, staged) = pool::stage(root, path, |input| {
        let deb = debian::deb::read(input).map_err(|error| Error::Invalid(error.to_string()))?;
        Ok((deb.control, deb.sums))
    })?;
    if control.get("Package").is_empty() {
        return Err(Error::Invalid("Empty package name".into()));
    }
    let package = Package::binary(control, kind, staged.file.clone())?;
    Ok(Incoming { from: path.to_owned(), package, staged: vec![staged], processed: vec![path.to_owned()] })
}

/// Biggest `.dsc` that is read.
const BIGGEST_DSC: u64 = 4 << 20;

fn read_source(root: &Root, path: &Path) -> Result<Incoming> {
    let size = fs::metadata(path).at("read", path)?.len();
    if size > BIGGEST_DSC {
        return Err(Error::Invalid("bigger than 4 MiB".into()));
    }
    let mut bytes = Vec::new();
    let ((), dsc) = pool::stage(root, path, |input| {
        input.take(BIGGEST_DSC).read_to_end(&mut bytes).at("read", path)?;
        Ok(((), debian::sums::Sums::of(&bytes)))
    })?;
    let read = source::read(&bytes).map_err(|error| Error::Invalid(error.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let (mut files, mut staged, mut processed) = (vec![dsc.file.clone()], vec![dsc], vec![path.to_owned()]);
    for listed in &read.files {
        let beside = folder.join(&listed.name);
        if beside.is_file() {
            let ((), file) = pool::stage(root, &beside, |input| {
                let sums = debian::sums::Sums::read(input).at("read", &beside)?;
                check(listed, &sums)?;
                Ok(((), sums))
            })?;
            files.push(file.file.clone());
            staged.push(file);
            processed.push(beside);
        } else {
            files.push(known_file(root, listed)?);
        }
    }
    let package = Package::source(read.stanza, files)?;
    Ok(Incoming { from: path.to_owned(), package, staged, processed })
}

/// Whether a file has the sums that are listed for it; sums that are not listed are not asked for.
pub(crate) fn check(listed: &Listed, sums: &debian::sums::Sums) -> Result<()> {
    let pairs = [
        (&listed.md5, &sums.md5),
        (&listed.sha1, &sums.sha1),
        (&listed.sha256, &sums.sha256),
        (&listed.sha512, &sums.sha512),
    ];
    let same = pairs.iter().all(|(want, have)| want.is_empty() || want == have);
    let fits = listed.size == UNKNOWN_SIZE || listed.size == sums.size;
    if fits && same && pairs.iter().any(|(want, _)| !want.is_empty()) {
        return Ok(());
    }
    Err(Error::Invalid(format!("checksum mismatch for {}: it is not the file that is listed", listed.name)))
}

/// A file of a source package that is in the pool already.
fn known_file(root: &Root, listed: &Listed) -> Result<PackageFile> {
    let missing = || Error::Invalid(format!("file {} is neither beside the .dsc nor in the pool", listed.name));
    let (column, sum) = if listed.sha256.is_empty() { ("md5", &listed.md5) } else { ("sha256", &listed.sha256) };
    let rows = root.store().read(|tx| {
        let sql = format!("select path, size, md5, sha1, sha256, sha512 from pool_file where {column} = ?1");
        Ok::<_, Error>(tx.query(&sql, params![sum])?)
    })?;
    for row in rows {
        let sums = pool::sums_of(&row, 1)?;
        if row.text(0)? == pool::pool_path(&sums.sha256, &listed.name)? && check(listed, &sums).is_ok() {
            return Ok(PackageFile { name: listed.name.clone(), sums });
        }
    }
    Err(missing())
}
