//! Which paths a package installs: read from its file when first needed, then remembered.

use std::fs::File;
use std::io::BufReader;

use debian::package::Package;
use store::params;

use crate::error::{At, Error, Result};
use crate::pool;
use crate::report::{Line, Sink};
use crate::root::Root;

/// The paths of `package`; a package whose files cannot be listed is told and has none.
pub(crate) fn of(root: &Root, package: &Package, sink: Sink<'_>) -> Result<Vec<String>> {
    let key = package.key.full();
    let known = root
        .store()
        .read(|tx| Ok::<_, Error>(tx.query_opt("select paths from contents where key = ?1", params![&key])?))?;
    if let Some(row) = known {
        return Ok(row.text(0)?.lines().map(str::to_owned).collect());
    }
    let Some(file) = package.files.first() else { return Ok(Vec::new()) };
    let path = pool::located(root, file)?;
    let input = File::open(&path).at("read", &path)?;
    let paths = match debian::deb::contents(BufReader::new(input)) {
        Ok(paths) => paths,
        Err(error) => {
            sink(Line::Warning(format!(
                "Unable to list the files of {}: {error}; it is published without Contents",
                package.key
            )));
            Vec::new()
        }
    };
    let text = paths.join("\n");
    root.store().write(|tx| {
        tx.execute("insert into contents (key, paths) values (?1, ?2) on conflict do nothing", params![&key, &text])?;
        Ok::<(), Error>(())
    })?;
    Ok(paths)
}
