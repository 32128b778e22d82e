//! The store of an apt root, used by several at once.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use store::clock::SystemClock;
use store::{Migration, SharedStore, StoreError, Tx, params};

const STEPS: &[Migration] = &[
    Migration { domain: "apt", number: 1, sql: "create table counter (name text primary key, value bigint not null);" },
    Migration { domain: "apt", number: 2, sql: "alter table counter add column note text;" },
];

fn open(path: &Path) -> SharedStore {
    SharedStore::open(path, STEPS, Arc::new(SystemClock)).expect("opens")
}

fn add_one(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let sql = "insert into counter (name, value) values (?1, 1) on conflict (name) do update set value = value + 1 returning value";
    tx.query_opt(sql, params!["c"])?.map_or(Ok(0), |row| row.int(0))
}

fn value(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_opt("select value from counter", &[])?.map_or(Ok(0), |row| row.int(0))
}

#[test]
fn many_users_of_one_file_wait_for_each_other_and_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gennaker.db");
    // Each opens the file for itself, as processes do, and all at the same moment: the first makes it.
    let users: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            thread::spawn(move || {
                let store = open(&path);
                (0..25).for_each(|_| assert!(store.write(add_one).is_ok()));
            })
        })
        .collect();
    users.into_iter().for_each(|user| user.join().expect("no panic"));
    assert_eq!(open(&path).read(value).expect("reads"), 200);
}

#[test]
fn a_new_file_is_opened_by_many_at_the_same_moment() {
    for _ in 0..40 {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gennaker.db");
        let start = std::sync::Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    assert_eq!(open(&path).read(value).expect("reads"), 0);
                });
            }
        });
    }
}

#[test]
fn a_failure_undoes_the_whole_transaction_and_its_effects() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("gennaker.db"));
    let told = Arc::new(std::sync::atomic::AtomicU32::new(0));
    for fail in [true, false] {
        let told = told.clone();
        let done = store.write(|tx| {
            add_one(tx)?;
            let told = told.clone();
            tx.after_commit(move || _ = told.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
            if fail { Err(StoreError::Closed) } else { Ok(()) }
        });
        assert_eq!(done.is_err(), fail);
    }
    assert_eq!(store.read(value).expect("reads"), 1);
    assert_eq!(told.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn reading_writes_nothing_and_does_not_wait_for_a_writer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gennaker.db");
    open(&path).write(add_one).expect("writes");
    let before: Vec<_> =
        ["", "-wal"].iter().map(|end| std::fs::read(format!("{}{end}", path.display())).expect("reads")).collect();
    let store = open(&path);
    assert_eq!(store.read(value).expect("reads"), 1);
    store.read(add_one).expect("is undone");
    drop(store);
    let after: Vec<_> =
        ["", "-wal"].iter().map(|end| std::fs::read(format!("{}{end}", path.display())).expect("reads")).collect();
    assert!(before == after, "neither the file nor its log changed");

    let store = open(&path);
    let other = store.clone();
    store
        .write(|tx| {
            add_one(tx)?;
            let since = Instant::now();
            assert_eq!(other.read(value)?, 1, "not committed yet");
            assert!(since.elapsed() < Duration::from_secs(5));
            Ok::<_, StoreError>(())
        })
        .expect("writes");
}

#[test]
fn an_older_program_refuses_the_file_of_a_newer_one_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gennaker.db");
    open(&path);
    let error = SharedStore::open(&path, &STEPS[..1], Arc::new(SystemClock)).err().expect("refused").to_string();
    assert_eq!(
        error,
        format!(
            "{} has schema 2 of \"apt\", this version knows up to 1: use the newer version of the program",
            path.display()
        )
    );
}

#[test]
fn the_group_may_write_the_file_if_the_umask_lets_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gennaker.db");
    open(&path);
    let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode & !0o660, 0, "{mode:o}: nothing for others");
}

#[test]
fn opening_and_reading_is_a_matter_of_milliseconds() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gennaker.db");
    open(&path).write(add_one).expect("writes");
    let since = Instant::now();
    assert_eq!(open(&path).read(value).expect("reads"), 1);
    println!("opened and read in {:?}", since.elapsed());
}
