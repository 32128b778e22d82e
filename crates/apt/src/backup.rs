//! What a backup of a root takes: a copy of the database, and the files that this copy needs. Copying the files is not here.
//!
//! The database comes first and says which files belong to it. Files of the pool never change, so each that is still there is the one that
//! the copy means. One may have been taken away since (by a cleanup), and a publication may have been renewed: then the copy is taken again,
//! until nothing moved meanwhile. For the last tries [`Root::hold`] keeps publications as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use store::{SharedStore, Tx};

use crate::cleanup;
use crate::error::{At, Result};
use crate::root::{PrefixLock, Root};
use crate::schema::MIGRATIONS;

/// What a copy of a database refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// Files of the pool: of each the paths below the pool where it may be.
    pub pool: BTreeSet<Vec<String>>,
    /// What was published.
    pub shown: Shown,
}

/// What is published: publications by their id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown(BTreeMap<String, Place>);

/// Where a publication is, and the generation that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    storage: String,
    prefix: String,
    distribution: String,
    generation: i64,
}

impl Shown {
    /// The places outside the root that are published to: `filesystem:NAME`, `s3:NAME`.
    pub fn elsewhere(&self) -> BTreeSet<&str> {
        self.0.values().map(|place| place.storage.as_str()).filter(|storage| !storage.is_empty()).collect()
    }
}

/// Publications stay as they are for as long as this lives.
pub struct Held {
    _locks: Vec<PrefixLock>,
}

/// The number of the schema of apt roots that this program knows.
pub fn schema() -> i64 {
    MIGRATIONS.last().map_or(0, |step| step.number.into())
}

impl Root {
    /// Copies the database as it is at one moment into the new file `to`, and tells what it needs. Nobody is held up.
    pub fn copy_database(&self, to: &Path) -> Result<Needs> {
        store::copy::copy(self.store().path(), to)?;
        // Opening brings the tables of an older program to ours: that is done to another copy, so that this one stays one whole file.
        let folder = tempfile::tempdir_in(to.parent().unwrap_or(Path::new("."))).at("make a folder beside", to)?;
        let look = folder.path().join("look.db");
        std::fs::copy(to, &look).at("write", &look)?;
        let copy = SharedStore::open(&look, MIGRATIONS, self.store().clock().clone())?;
        copy.read(|tx| Ok(Needs { pool: needed(tx)?, shown: shown(tx)? }))
    }

    /// What is published now.
    pub fn shown(&self) -> Result<Shown> {
        self.store().read(shown)
    }

    /// Whether readers see these generations. Not for an instant after each publication: it is recorded first, and shown then.
    pub fn is_settled(&self, shown: &Shown) -> bool {
        shown.0.values().filter(|place| place.storage.is_empty()).all(|place| {
            let link = self.public().join(&place.prefix).join("dists").join(&place.distribution);
            let target = std::fs::read_link(link).ok();
            target.and_then(|target| target.file_name()?.to_str()?.parse().ok()) == Some(place.generation)
        })
    }

    /// Keeps what is published as it is: whoever publishes meanwhile waits.
    pub fn hold(&self) -> Result<Held> {
        let Shown(all) = self.shown()?;
        // In one order, so that two who do this do not wait for each other.
        let places: BTreeSet<_> = all.into_values().map(|place| (place.storage, place.prefix)).collect();
        let locks = places.iter().map(|(storage, prefix)| self.lock_prefix(storage, prefix));
        Ok(Held { _locks: locks.collect::<Result<_>>()? })
    }
}

fn shown(tx: &mut Tx<'_>) -> Result<Shown> {
    let rows = tx.query("select uuid, storage, prefix, distribution, generation from publication", &[])?;
    let place = |row: &store::Row| {
        let (storage, prefix) = (row.text(1)?, row.text(2)?);
        Ok((row.text(0)?, Place { storage, prefix, distribution: row.text(3)?, generation: row.int(4)? }))
    };
    Ok(Shown(rows.iter().map(place).collect::<Result<_>>()?))
}

fn needed(tx: &mut Tx<'_>) -> Result<BTreeSet<Vec<String>>> {
    let mut needed: BTreeSet<Vec<String>> = cleanup::appstream(tx)?.into_iter().map(|path| vec![path]).collect();
    for row in tx.query("select files from package", &[])? {
        cleanup::name_files(&row.text(0)?, |path, old| {
            needed.insert(std::iter::once(path).chain(old).collect());
        })?;
    }
    Ok(needed)
}
