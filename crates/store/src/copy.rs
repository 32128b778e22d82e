//! Copies of database files that others go on writing to, and what a file's schemas are: for backups. What is in them is not known here.

use std::collections::BTreeMap;
use std::path::Path;

use crate::backend::Backend;
use crate::sqlite::{Options, Sqlite};
use crate::{Migration, StoreError, migration};

/// Nothing is written to the database, not even its log is taken back into it.
const LOOK: Options = Options { mode: 0o600, read_only: true, checkpoint_on_close: false };

/// Copies the SQLite database `from` as it is at one moment into the new file `to`, for its owner alone. Writers of other processes are not
/// held up. The copy was read once: it is whole.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let mut db = Sqlite::open(from, LOOK)?;
    // It would make the file readable for others.
    crate::sqlite::make_file(to, 0o600)?;
    let place = to.display().to_string();
    db.execute("vacuum into ?1", &[place.as_str().into()]).map_err(|error| match error {
        StoreError::Full { .. } => StoreError::Full { place: place.clone() },
        other => other,
    })?;
    let mut copied = Sqlite::open(to, LOOK)?;
    let found = copied.query("pragma quick_check(1)", &[])?;
    match found.first().map(|row| row.text(0)).transpose()?.as_deref() {
        Some("ok") => Ok(()),
        says => Err(StoreError::Disk {
            place: from.display().to_string(),
            what: format!("its content is damaged ({})", says.unwrap_or("no answer")),
        }),
    }
}

/// The number of each domain's schema in a control store's file.
pub fn schemas(path: &Path) -> Result<BTreeMap<String, i64>, StoreError> {
    let rows = Sqlite::open(path, LOOK)?.query("select domain, number from schema_version", &[])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// The number of the schema of a shared store's file.
pub fn shared_schema(path: &Path) -> Result<i64, StoreError> {
    Sqlite::open(path, LOOK)?.user_version()
}

/// The first column of what a query finds in a database's file. Nothing is written there, and no schema is brought to ours.
pub fn column(path: &Path, sql: &str) -> Result<Vec<String>, StoreError> {
    Sqlite::open(path, LOOK)?.query(sql, &[])?.iter().map(|row| row.text(0)).collect()
}

/// The highest number of each domain that this program knows, the store's own included.
#[must_use]
pub fn known(lists: &[&[Migration]]) -> BTreeMap<String, i64> {
    let mut known = BTreeMap::new();
    for step in std::iter::once(&migration::OWN).chain(lists).flat_map(|list| list.iter()) {
        let highest: &mut i64 = known.entry(step.domain.to_owned()).or_default();
        *highest = (*highest).max(step.number.into());
    }
    known
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::{Location, Store, params};

    const STEPS: &[Migration] =
        &[Migration { domain: "shop", number: 1, sql: "create table item (name text primary key)" }];

    #[test]
    fn a_copy_is_of_one_moment_while_the_store_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (db, to) = (folder.path().join("gennaker.db"), folder.path().join("copy.db"));
        let store = Store::open(Location::Sqlite(db.clone()), &[STEPS], Arc::new(SystemClock)).unwrap();
        let add = |name: &'static str| {
            let insert = move |tx: &mut crate::Tx<'_>| tx.execute("insert into item values (?1)", params![name]);
            store.write_blocking(insert).unwrap();
        };
        add("before");
        copy(&db, &to).unwrap();
        add("after");
        assert_eq!(schemas(&to).unwrap(), [("shop".to_owned(), 1), ("store".to_owned(), 1)].into());
        assert_eq!(known(&[STEPS]), schemas(&to).unwrap());
        assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        let copied = Store::open(Location::Sqlite(to), &[STEPS], Arc::new(SystemClock)).unwrap();
        let names = copied.read_blocking(|tx| tx.query("select name from item", &[])).unwrap();
        assert_eq!(names.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>(), ["before"]);
    }

    #[test]
    fn what_is_no_database_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (db, to) = (folder.path().join("gennaker.db"), folder.path().join("copy.db"));
        std::fs::write(&db, "not a database, but long enough to look like a file with something in it".repeat(20))
            .unwrap();
        let error = copy(&db, &to).unwrap_err().to_string();
        assert!(error.contains("gennaker.db"), "{error}");
    }
}
