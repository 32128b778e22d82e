//! What the machine does to us: a full disk, links planted in folders.

use std::sync::Arc;

use store::blob::{BlobError, Blobs, FolderBlobs};
use store::clock::SystemClock;
use store::id::Ids;
use store::{Location, Migration, SharedStore, Store, StoreError, Tx, params};
use testkit::disk::SmallDisk;
use testkit::probe;

const ROWS: &[Migration] =
    &[Migration { domain: "rows", number: 1, sql: "create table line (id bigint primary key, text text not null);" }];

fn line(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.execute("insert into line (id, text) values (?1, ?2)", params![id, "x".repeat(2_000)]).map(drop)
}

fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.query_opt("select count(*) from line", &[])?.map_or(Ok(0), |row| row.int(0))
}

#[test]
fn a_full_disk_is_named_and_the_store_goes_on_when_there_is_room_again() {
    let disk = match SmallDisk::mount(1) {
        Ok(disk) => disk,
        Err(reason) => return probe::not_run(&reason),
    };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 300_000]).expect("fits");
    let path = disk.path().join("gennaker.db");
    let store = Store::open(Location::Sqlite(path.clone()), &[ROWS], Arc::new(SystemClock)).expect("opens");
    let (mut kept, mut error) = (0, None);
    for id in 0..1_000 {
        match store.write_blocking(move |tx| line(tx, id)) {
            Ok(()) => kept += 1,
            Err(e) => {
                error = Some(e);
                break;
            }
        }
    }
    let error = error.expect("the disk is small");
    assert!(error.is_full(), "{error:?}");
    let place = path.display();
    assert_eq!(
        error.to_string(),
        format!("the disk that holds {place} is full: make room; what was acknowledged before is safe")
    );
    assert_eq!(store.read_blocking(count).expect("reading goes on"), kept);

    std::fs::remove_file(&ballast).expect("makes room");
    store.write_blocking(|tx| line(tx, 5_000)).expect("writes again without a restart");
    assert_eq!(store.read_blocking(count).expect("reads"), kept + 1);
}

#[test]
fn a_full_disk_refuses_a_shared_write_and_a_blob_and_leaves_nothing_half() {
    let disk = match SmallDisk::mount(1) {
        Ok(disk) => disk,
        Err(reason) => return probe::not_run(&reason),
    };
    let store = SharedStore::open(&disk.path().join("apt.db"), ROWS, Arc::new(SystemClock)).expect("opens");
    let many = |tx: &mut Tx<'_>| -> Result<(), StoreError> { (0..1_000).try_for_each(|id| line(tx, id)) };
    assert!(store.write(many).expect_err("too much").is_full());
    assert_eq!(store.read(count).expect("reads"), 0);

    let blobs = FolderBlobs::open(&disk.path().join("b"), Arc::new(Ids::seeded(1))).expect("opens");
    let error = blobs.put(&vec![7; 2_000_000]).expect_err("too much");
    assert!(matches!(error, BlobError::Full { .. }), "{error:?}");
    let staging = std::fs::read_dir(disk.path().join("b/staging")).expect("lists");
    assert_eq!(staging.count(), 0, "nothing is left of it");
    store.write(|tx| line(tx, 1)).expect("small things fit again");
}

#[test]
fn a_blob_that_was_planted_as_a_link_is_not_written_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "mine").expect("written");
    let blobs = FolderBlobs::open(&folder.path().join("b"), Arc::new(Ids::seeded(1))).expect("opens");
    let kept = blobs.put(b"good").expect("kept");
    let file = blobs.file(&kept.digest).expect("a file");
    std::fs::remove_file(&file).expect("removed");
    std::os::unix::fs::symlink(&victim, &file).expect("planted");
    blobs.put(b"good").expect("kept anew");
    assert_eq!(std::fs::read_to_string(&victim).expect("reads"), "mine");
    assert_eq!(std::fs::read_to_string(&file).expect("reads"), "good");
}
