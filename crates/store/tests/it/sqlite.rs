//! The suite on SQLite, and what only a file can show.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use store::clock::SystemClock;
use store::lock::FolderLock;
use store::{Location, Store};
use testkit::store_suite::CASES;

#[test]
fn sqlite_holds_the_suite() {
    for (name, case) in CASES {
        println!("{name}");
        let folder = tempfile::tempdir().expect("a folder");
        case(&Location::Sqlite(folder.path().join("gennaker.db")));
    }
}

#[test]
fn the_file_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gennaker.db");
    let store = Store::open(Location::Sqlite(path), &[], Arc::new(SystemClock)).expect("opens");
    store.write_blocking(|tx| tx.change("a", "b")).expect("writes");
    let mut seen = 0;
    for file in std::fs::read_dir(folder.path()).expect("lists") {
        let file = file.expect("an entry");
        assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
        seen += 1;
    }
    assert!(seen >= 3, "the database, its log and its shared memory");
}

#[test]
fn a_second_server_on_the_folder_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let lock = FolderLock::take(folder.path()).expect("free");
    let error = FolderLock::take(folder.path()).expect_err("held").to_string();
    let own = std::process::id();
    assert!(error.starts_with(&format!("another server (process {own}) uses the data folder ")), "{error}");
    assert!(FolderLock::is_held(folder.path()));
    drop(lock);
    assert!(!FolderLock::is_held(folder.path()));
    FolderLock::take(folder.path()).expect("free again");
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gennaker.db");
    std::fs::write(&path, "this is a letter and no database".repeat(100)).expect("written");
    let error = Store::open(Location::Sqlite(path.clone()), &[], Arc::new(SystemClock)).err().expect("refused");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}
