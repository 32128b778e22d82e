//! Which paths packages install: read from their files when first needed, then remembered.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;

use debian::package::{Key, Kind, Package, is_for};
use store::{Row, Tx, params};

use crate::cores;
use crate::error::{At, Error, Result};
use crate::packages;
use crate::pool;
use crate::report::{Line, Sink};
use crate::root::Root;

/// How many packages are asked for, and remembered, at once.
const CHUNK: usize = 400;

/// The paths of a package.
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    architecture: String,
    udeb: bool,
    /// As Contents names the package: `section/name`.
    pub owner: String,
    /// One a line.
    pub paths: String,
}

impl Contents {
    /// Whether the Contents file of that architecture, of the installer's packages or of the others, lists it.
    pub fn is_for(&self, architecture: &str, udeb: bool) -> bool {
        self.udeb == udeb && is_for(&self.architecture, architecture)
    }
}

/// What the binary packages among `keys` install. One whose files cannot be listed is told, and installs nothing.
pub(crate) fn of(root: &Root, keys: &[Key], sink: Sink<'_>) -> Result<Vec<Contents>> {
    let mut found = Vec::with_capacity(keys.len());
    let keys: Vec<&Key> = keys.iter().filter(|key| key.architecture != "source").collect();
    for chunk in keys.chunks(CHUNK) {
        let mut known = root.store().read(|tx| known(tx, chunk))?;
        let unknown: Vec<Key> = chunk
            .iter()
            .filter(|key| known.get(&key.full()).is_none_or(|known| known.owner.is_none()))
            .map(|key| (*key).clone())
            .collect();
        if !unknown.is_empty() {
            learn(root, &unknown, &mut known, sink)?;
        }
        for key in chunk {
            let Some(Known { kind, owner: Some(owner), paths }) = known.remove(&key.full()) else { continue };
            let architecture = key.architecture.clone();
            found.push(Contents { architecture, udeb: kind == Kind::Udeb.word(), owner, paths });
        }
    }
    Ok(found)
}

/// A remembered row; those that an aptly's database brought have paths alone.
struct Known {
    kind: String,
    owner: Option<String>,
    paths: String,
}

fn known(tx: &mut Tx<'_>, keys: &[&Key]) -> Result<HashMap<String, Known>> {
    let known = |row: Row| -> Result<Known> {
        Ok(Known { kind: row.opt_text(1)?.unwrap_or_default(), owner: row.opt_text(2)?, paths: row.text(3)? })
    };
    let rows = packages::rows_of(tx, "contents", "kind, owner, paths", keys)?;
    rows.into_iter().map(|(key, row)| Ok((key, known(row)?))).collect()
}

/// Reads what is not known, on all cores, and remembers it.
fn learn(root: &Root, keys: &[Key], known: &mut HashMap<String, Known>, sink: Sink<'_>) -> Result<()> {
    let packages = root.store().read(|tx| packages::load(tx, keys))?;
    let paths: Vec<Option<String>> =
        packages.iter().map(|package| known.remove(&package.key.full()).map(|known| known.paths)).collect();
    let tasks: Vec<(&Package, Option<String>)> = packages.iter().zip(paths).collect();
    let read = cores::on_all(&tasks, |(package, paths)| match paths {
        Some(paths) => Ok((paths.clone(), None)),
        None => read(root, package),
    })?;
    for (package, (paths, warning)) in packages.iter().zip(read) {
        if let Some(warning) = warning {
            sink(Line::Warning(warning));
        }
        let section = package.stanza.get("Section");
        let name = &package.key.name;
        let owner = if section.is_empty() { name.clone() } else { format!("{section}/{name}") };
        known.insert(package.key.full(), Known { kind: package.kind.word().into(), owner: Some(owner), paths });
    }
    root.store().write(|tx| {
        for key in keys.iter().map(Key::full) {
            let Some(Known { kind, owner, paths }) = known.get(&key) else { continue };
            tx.execute(
                "insert into contents (key, kind, owner, paths) values (?1, ?2, ?3, ?4)
                 on conflict (key) do update set kind = excluded.kind, owner = excluded.owner",
                params![key, kind, owner.as_deref(), paths],
            )?;
        }
        Ok::<(), Error>(())
    })
}

/// The paths of a package out of its file, or none and why.
fn read(root: &Root, package: &Package) -> Result<(String, Option<String>)> {
    let Some(file) = package.files.first().filter(|_| matches!(package.kind, Kind::Deb | Kind::Udeb)) else {
        return Ok(Default::default());
    };
    let path = pool::located(root, file)?;
    let input = File::open(&path).at("read", &path)?;
    Ok(match debian::deb::contents(BufReader::new(input)) {
        Ok(paths) => (paths.join("\n"), None),
        Err(error) => {
            let key = &package.key;
            let warning = format!("Unable to list the files of {key}: {error}; it is published without Contents");
            (String::new(), Some(warning))
        }
    })
}
