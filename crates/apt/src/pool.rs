//! The pool: package files by the hash of their content, in aptly's layout.
//!
//! A file comes in through a staging file beside the pool, is hashed on the way, and gets its final name by a rename that
//! replaces nothing. Nobody ever sees half a file under a final name. Files are copied, not linked to the original:
//! an original that is edited in place must not change what is published.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use debian::package::PackageFile;
use debian::source::Listed;
use debian::sums::Sums;
use store::{Row, Tx, params};

use crate::error::{At, Error, Result};
use crate::mirror::Fetch;
use crate::root::{Root, make_folder};

/// `<aa>/<bb>/<the next 28 digits>_<name>`: aptly's path below the pool.
pub fn pool_path(sha256: &str, name: &str) -> Result<String> {
    let name = base(name);
    debian::names::file(name)?;
    if !store::id::is_sha256(sha256) {
        return Err(Error::Invalid(format!("{sha256:?} is not a SHA-256")));
    }
    Ok(format!("{}/{}/{}_{name}", &sha256[..2], &sha256[2..4], &sha256[4..32]))
}

/// An installer's files have paths for names.
fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// Where aptlys before 1.1 kept a file, by its MD5. It is still looked for there, and never made there.
pub(crate) fn old_path(md5: &str, name: &str) -> Result<String> {
    let name = base(name);
    debian::names::file(name)?;
    if md5.len() != 32 || !md5.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::Invalid(format!("{md5:?} is not an MD5")));
    }
    Ok(format!("{}/{}/{name}", &md5[..2], &md5[2..4]))
}

/// A file on its way into the pool; removed when dropped.
pub(crate) struct Staged {
    path: PathBuf,
    /// Name and sums.
    pub file: PackageFile,
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Gone already when it was moved into the pool.
        let _ = fs::remove_file(&self.path);
    }
}

/// Copies what is read from it into a file.
struct Tee<'a, R> {
    input: R,
    output: &'a mut File,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        if let Err(error) = self.output.write_all(&into[..read]) {
            let kind = error.kind();
            self.failed = Some(error);
            return Err(kind.into());
        }
        Ok(read)
    }
}

/// Copies the file `from` to the pool's edge while `read` reads it; `read` must read to the end and give the sums.
pub(crate) fn stage<T>(
    root: &Root,
    from: &Path,
    read: impl FnOnce(&mut dyn Read) -> Result<(T, Sums)>,
) -> Result<(T, Staged)> {
    let name = from.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    debian::names::file(&name)?;
    let folder = root.pool().join(".incoming");
    make_folder(&folder)?;
    let path = folder.join(root.new_uuid());
    let input = File::open(from).at("read", from)?;
    if !input.metadata().at("read", from)?.is_file() {
        return Err(Error::Invalid(format!("{} is not a regular file", from.display())));
    }
    let mut output = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path).at("write", &path)?;
    // Web servers of other users read it, whatever the umask.
    output.set_permissions(fs::Permissions::from_mode(0o644)).at("write", &path)?;
    let mut staged = Staged { path, file: PackageFile { name, sums: Sums::default() } };
    let mut tee = Tee { input: BufReader::with_capacity(128 << 10, input), output: &mut output, failed: None };
    let done = read(&mut tee);
    // A full disk shows as a read error to the parser; the cause is told instead.
    if let Some(error) = tee.failed {
        return Err(error).at("write", &staged.path);
    }
    let (answer, sums) = done?;
    staged.file.sums = sums;
    Ok((answer, staged))
}

/// The sums of a file.
pub(crate) fn sums(path: &Path) -> Result<Sums> {
    Sums::read(File::open(path).at("read", path)?).at("read", path)
}

/// The sums in a row: `size, md5, sha1, sha256, sha512` from column `at` on.
pub(crate) fn sums_of(row: &Row, at: usize) -> Result<Sums> {
    Ok(Sums {
        size: u64::try_from(row.int(at)?).unwrap_or(0),
        md5: row.text(at + 1)?,
        sha1: row.text(at + 2)?,
        sha256: row.text(at + 3)?,
        sha512: row.text(at + 4)?,
    })
}

/// What is written down of a file in the pool, by its path there.
pub(crate) fn recorded(tx: &mut Tx<'_>, path: &str) -> Result<Option<Sums>> {
    let sql = "select size, md5, sha1, sha256, sha512 from pool_file where path = ?1";
    tx.query_opt(sql, params![path])?.map(|row| sums_of(&row, 0)).transpose()
}

/// Downloads a file to the pool's edge and checks it; with `lax` its sums may be others than the listed ones.
pub(crate) fn download(root: &Root, url: &str, listed: &Listed, lax: bool, fetch: &dyn Fetch) -> Result<Staged> {
    debian::names::file(&listed.name)?;
    let folder = root.pool().join(".incoming");
    make_folder(&folder)?;
    let path = folder.join(root.new_uuid());
    let mut staged = Staged { path, file: PackageFile { name: listed.name.clone(), sums: Sums::default() } };
    let most = if lax { u64::MAX } else { listed.size };
    fetch.save(url, most, &staged.path)?;
    fs::set_permissions(&staged.path, fs::Permissions::from_mode(0o644)).at("write", &staged.path)?;
    let sums = sums(&staged.path)?;
    if !lax {
        crate::add::check(listed, &sums)?;
    }
    staged.file.sums = sums;
    Ok(staged)
}

/// Moves files into the pool and writes down what they are.
pub(crate) fn record(root: &Root, staged: &[Staged]) -> Result<()> {
    let paths = settle(root, staged)?;
    root.store().write(|tx| staged.iter().zip(&paths).try_for_each(|(file, path)| note(tx, &file.file.sums, path)))
}

/// Writes down what a file in the pool is.
pub(crate) fn note(tx: &mut Tx<'_>, sums: &Sums, path: &str) -> Result<()> {
    let size = i64::try_from(sums.size).unwrap_or(i64::MAX);
    tx.execute(
        "insert into pool_file (path, size, md5, sha1, sha256, sha512) values (?1, ?2, ?3, ?4, ?5, ?6) on conflict do nothing",
        params![path, size, &sums.md5, &sums.sha1, &sums.sha256, &sums.sha512],
    )?;
    Ok(())
}

/// Moves staged files into the pool, durably, and gives their paths below it. Their names are written down as staged
/// before they appear, so that no cleanup takes them away before a package names them.
pub(crate) fn settle(root: &Root, staged: &[Staged]) -> Result<Vec<String>> {
    let paths =
        staged.iter().map(|file| pool_path(&file.file.sums.sha256, &file.file.name)).collect::<Result<Vec<_>>>()?;
    for chunk in paths.chunks(400) {
        root.store().write(|tx| {
            let now = tx.now();
            for path in chunk {
                let sql =
                    "insert into staging (path, at) values (?1, ?2) on conflict (path) do update set at = excluded.at";
                tx.execute(sql, params![path, now])?;
            }
            Ok::<(), Error>(())
        })?;
    }
    let pool = root.pool();
    for (file, path) in staged.iter().zip(&paths) {
        let target = pool.join(path);
        if let Some(folder) = target.parent() {
            make_folder(folder)?;
        }
        match rustix::fs::renameat_with(
            rustix::fs::CWD,
            &file.path,
            rustix::fs::CWD,
            &target,
            rustix::fs::RenameFlags::NOREPLACE,
        ) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => {
                if fs::metadata(&target).at("read", &target)?.len() != file.file.sums.size {
                    return Err(Error::Conflict(format!(
                        "unable to import into pool: file {} already exists",
                        target.display()
                    )));
                }
            }
            Err(error) => return Err(io::Error::from(error)).at("write", &target),
        }
    }
    sync(&pool)?;
    Ok(paths)
}

/// Everything written to the file system of `folder` is on disk when this returns.
pub(crate) fn sync(folder: &Path) -> Result<()> {
    let file = File::open(folder).at("open", folder)?;
    rustix::fs::syncfs(&file).at("sync", folder)
}

/// Where the file of a package is.
pub fn located(root: &Root, file: &PackageFile) -> Result<PathBuf> {
    let path = root.pool().join(pool_path(&file.sums.sha256, &file.name)?);
    if !path.exists() {
        let old = old_path(&file.sums.md5, &file.name).map(|old| root.pool().join(old));
        if let Some(old) = old.ok().filter(|old| old.exists()) {
            return Ok(old);
        }
    }
    Ok(path)
}
