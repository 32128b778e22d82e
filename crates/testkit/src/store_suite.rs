//! What every database under the control store must do alike. Each case gets an empty database of its own.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::clock::{Clock, FakeClock};
use store::{Location, Migration, Store, StoreError, Tx, Value, change, params};

type Case = (&'static str, fn(&Location));

/// All cases.
pub const CASES: &[Case] = &[
    ("a job that fails leaves the others of its commit alone", a_job_that_fails_leaves_the_others_alone),
    ("jobs run in the order in which they came", jobs_run_in_order),
    ("a panic undoes its own job only", a_panic_undoes_its_own_job_only),
    ("a failed statement undoes its job even when the closure goes on", a_failed_statement_undoes_its_job),
    ("effects run after the commit and not at all after a failure", effects_run_after_the_commit),
    ("changes are numbered in the order of commits, across restarts", changes_are_numbered),
    ("old changes are swept, the newest stays", old_changes_are_swept),
    ("migrations run once, in order, and a broken one leaves nothing", migrations_run_once),
    ("a newer schema is refused by name", a_newer_schema_is_refused),
    ("a second row with the same key is refused as such", uniqueness_is_told),
    ("a row that is there can be replaced or left", conflicts_can_be_settled),
    ("a reader sees what was acknowledged and cannot write", readers_see_and_cannot_write),
    ("values come back as they went in, and text sorts by its bytes", values_come_back),
    ("time and ids come from the store", time_and_ids_come_from_the_store),
    ("many callers at once lose nothing", many_callers_lose_nothing),
];

const NOTES: &[Migration] = &[
    Migration {
        domain: "notes",
        number: 1,
        sql: "create table note (id bigint primary key, text text not null, body blob);",
    },
    Migration { domain: "notes", number: 2, sql: "alter table note add column mood text;" },
];

fn noon() -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("a time")
}

fn open(location: &Location) -> Store {
    open_with(location, &[NOTES]).expect("opens")
}

fn open_with(location: &Location, lists: &[&[Migration]]) -> Result<Store, StoreError> {
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::at(noon()));
    Store::open(location.clone(), lists, clock)
}

fn insert(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.execute("insert into note (id, text) values (?1, ?2)", params![id, format!("note {id}")]).map(drop)
}

fn ids(store: &Store) -> Vec<i64> {
    let read = |tx: &mut Tx<'_>| -> Result<Vec<i64>, StoreError> {
        tx.query("select id from note order by id", &[])?.iter().map(|row| row.int(0)).collect()
    };
    store.read_blocking(read).expect("reads")
}

/// Keeps the writer busy until the answer is dropped, so that what is queued meanwhile shares a commit.
fn hold(store: &Store) -> mpsc::Sender<()> {
    let (begun, wait) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let (store, held) = (store.clone(), Mutex::new(held));
    thread::spawn(move || {
        let work = move |_: &mut Tx<'_>| -> Result<(), StoreError> {
            let _ = begun.send(());
            let _ = held.lock().expect("alone").recv();
            Ok(())
        };
        store.write_blocking(work)
    });
    wait.recv_timeout(Duration::from_secs(10)).expect("the writer begins");
    release
}

/// Queues one job a number, in order, while the writer is held; gives each one's answer.
fn together<T: Send + 'static>(
    store: &Store,
    count: i64,
    job: fn(&mut Tx<'_>, i64) -> Result<T, StoreError>,
) -> Vec<Result<T, StoreError>> {
    let release = hold(store);
    let mut callers = Vec::new();
    for id in 0..count {
        let (store, (sent, queued)) = (store.clone(), mpsc::channel());
        callers.push(thread::spawn(move || {
            let _ = sent.send(());
            store.write_blocking(move |tx| job(tx, id))
        }));
        queued.recv().expect("the caller runs");
        thread::sleep(Duration::from_millis(2));
    }
    drop(release);
    callers.into_iter().map(|caller| caller.join().expect("no panic")).collect()
}

fn a_job_that_fails_leaves_the_others_alone(location: &Location) {
    let store = open(location);
    let answers = together(&store, 20, |tx, id| {
        insert(tx, id)?;
        insert(tx, id + 100)?;
        if id % 3 == 0 { Err(StoreError::Closed) } else { Ok(id) }
    });
    for (id, answer) in answers.iter().enumerate() {
        assert_eq!(answer.is_ok(), id % 3 != 0, "job {id}: {answer:?}");
    }
    let kept: Vec<i64> = (0..20).chain(100..120).filter(|id| id % 100 % 3 != 0).collect();
    assert_eq!(ids(&store), kept);
}

fn jobs_run_in_order(location: &Location) {
    let store = open(location);
    together(&store, 10, |tx, id| {
        let sql = "insert into note (id, text) select coalesce(max(id), 0) + 1, ?1 from note";
        tx.execute(sql, params![id.to_string()])
    });
    let read = |tx: &mut Tx<'_>| -> Result<Vec<String>, StoreError> {
        tx.query("select text from note order by id", &[])?.iter().map(|row| row.text(0)).collect()
    };
    let texts = store.read_blocking(read).expect("reads");
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
}

fn a_panic_undoes_its_own_job_only(location: &Location) {
    let store = open(location);
    let answers = together(&store, 4, |tx, id| {
        insert(tx, id)?;
        assert_ne!(id, 2, "the planted panic");
        Ok(())
    });
    assert!(matches!(&answers[2], Err(StoreError::Panicked { what }) if what.contains("the planted panic")));
    assert_eq!(ids(&store), [0, 1, 3]);
}

fn a_failed_statement_undoes_its_job(location: &Location) {
    let store = open(location);
    store.write_blocking(|tx| insert(tx, 1)).expect("writes");
    for count in [1, 3] {
        let answers = together(&store, count, |tx, id| {
            insert(tx, 10 + id)?;
            let _ = insert(tx, 1);
            Ok(())
        });
        assert!(answers.iter().all(|a| a.as_ref().is_err_and(StoreError::is_unique)), "{answers:?}");
        assert_eq!(ids(&store), [1]);
    }
}

fn effects_run_after_the_commit(location: &Location) {
    let store = open(location);
    let (told, hear) = mpsc::channel();
    for id in [1, 2, 3] {
        let (told, other) = (told.clone(), store.clone());
        let answer = store.write_blocking(move |tx| {
            insert(tx, id)?;
            let (told, other) = (told.clone(), other.clone());
            tx.after_commit(move || {
                let seen = other.read_blocking(|tx| Ok::<_, StoreError>(tx.query("select id from note", &[])?.len()));
                let _ = told.send((id, seen.expect("reads")));
            });
            if id == 2 { Err(StoreError::Closed) } else { Ok(()) }
        });
        assert_eq!(answer.is_err(), id == 2);
        // Who has the answer need not wait for what follows from it.
        let followed = [Some((1, 1)), None, Some((3, 2))][usize::try_from(id - 1).expect("small")];
        assert_eq!(hear.try_recv().ok(), followed);
    }
    drop(told);
    drop(store);
    assert!(hear.recv_timeout(Duration::from_secs(10)).is_err(), "the effect of what was undone never ran");
}

fn changes_are_numbered(location: &Location) {
    let store = open(location);
    assert_eq!(*store.changes().borrow(), 0);
    together(&store, 4, |tx, id| {
        tx.change("note", &id.to_string())?;
        if id == 1 { Err(StoreError::Closed) } else { Ok(()) }
    });
    let seen = |store: &Store, from: i64| {
        let found = store.read_blocking(move |tx| change::after(tx, from, 10)).expect("reads");
        found.into_iter().map(|c| (c.topic, c.key)).collect::<Vec<_>>()
    };
    let note = |key: &str| ("note".to_owned(), key.to_owned());
    assert_eq!(seen(&store, 0), [note("0"), note("2"), note("3")]);
    let newest = *store.changes().borrow();
    assert_eq!(seen(&store, newest), []);
    drop(store);
    let store = open(location);
    assert_eq!(*store.changes().borrow(), newest, "the number goes on after a restart");
    store.write_blocking(|tx| tx.change("note", "later")).expect("writes");
    assert_eq!(seen(&store, newest), [note("later")]);
}

fn old_changes_are_swept(location: &Location) {
    let clock = Arc::new(FakeClock::at(noon()));
    let store = Store::open(location.clone(), &[], clock.clone() as Arc<dyn Clock>).expect("opens");
    for key in ["a", "b", "c"] {
        store.write_blocking(move |tx| tx.change("note", key)).expect("writes");
        clock.advance(SignedDuration::from_hours(1));
    }
    let late = noon() + SignedDuration::from_hours(9);
    assert_eq!(store.write_blocking(move |tx| change::sweep(tx, late, 1)).expect("sweeps"), 1);
    assert_eq!(store.write_blocking(move |tx| change::sweep(tx, late, 100)).expect("sweeps"), 1);
    assert_eq!(store.read_blocking(change::oldest).expect("reads"), 3);
}

fn migrations_run_once(location: &Location) {
    drop(open_with(location, &[&NOTES[..1]]).expect("opens"));
    let store = open(location);
    store.write_blocking(|tx| tx.execute("update note set mood = ?1", params!["fine"])).expect("the column is there");
    drop(store);
    const BROKEN: &[Migration] = &[
        Migration { domain: "broken", number: 1, sql: "create table left_behind (id bigint);" },
        Migration { domain: "broken", number: 2, sql: "create table note (id bigint);" },
    ];
    let error = open_with(location, &[NOTES, BROKEN]).err().expect("refused").to_string();
    assert!(error.starts_with("migration 2 of \"broken\" failed on "), "{error}");
    let store = open(location);
    let none = store.read_blocking(|tx| tx.query("select 1 from left_behind", &[]));
    assert!(matches!(none, Err(StoreError::Sql { .. })), "{none:?}");
}

fn a_newer_schema_is_refused(location: &Location) {
    drop(open(location));
    let error = open_with(location, &[&NOTES[..1]]).err().expect("refused");
    let text = error.to_string();
    assert!(text.contains("has schema 2 of \"notes\", this version knows up to 1: use the newer version"), "{text}");
}

fn uniqueness_is_told(location: &Location) {
    let store = open(location);
    store.write_blocking(|tx| insert(tx, 1)).expect("writes");
    assert!(store.write_blocking(|tx| insert(tx, 1)).is_err_and(|e| e.is_unique()));
    let nothing = |tx: &mut Tx<'_>| tx.execute("insert into note (id, text) values (2, ?1)", params![None::<i64>]);
    assert!(matches!(store.write_blocking(nothing), Err(StoreError::Constraint { .. })));
    assert_eq!(ids(&store), [1]);
}

fn conflicts_can_be_settled(location: &Location) {
    let store = open(location);
    let put = |tx: &mut Tx<'_>| {
        let sql = "insert into note (id, text) values (1, ?1) on conflict (id) do update set text = excluded.text, mood = 'new'
                   returning coalesce(mood, 'none')";
        tx.query_opt(sql, params!["x"])?.expect("a row").text(0)
    };
    assert_eq!(store.write_blocking(put).expect("inserts"), "none");
    assert_eq!(store.write_blocking(put).expect("replaces"), "new");
    let leave = |tx: &mut Tx<'_>| tx.execute("insert into note (id, text) values (1, 'y') on conflict do nothing", &[]);
    assert_eq!(store.write_blocking(leave).expect("leaves"), 0);
}

fn readers_see_and_cannot_write(location: &Location) {
    let store = open(location);
    for id in 0..20 {
        store.write_blocking(move |tx| insert(tx, id)).expect("writes");
        assert_eq!(ids(&store).len() as i64, id + 1, "acknowledged, so it is seen");
    }
    assert!(store.read_blocking(|tx| insert(tx, 99)).is_err());
    assert_eq!(ids(&store).len(), 20);
}

fn values_come_back(location: &Location) {
    let store = open(location);
    let bytes: Vec<u8> = (0..=255).collect();
    let given = bytes.clone();
    let write = move |tx: &mut Tx<'_>| {
        let sql = "insert into note (id, text, body, mood) values (?1, ?2, ?3, ?4)";
        tx.execute(sql, params![i64::MAX, "naïve '🦀' ?1", given.clone(), None::<String>])?;
        tx.execute(sql, params![i64::MIN, "", Vec::new(), "a"])?;
        tx.execute(sql, params![0, "B", None::<Vec<u8>>, "a"])?;
        tx.execute(sql, params![1, "a", None::<Vec<u8>>, "a"])
    };
    store.write_blocking(write).expect("writes");
    let read = |tx: &mut Tx<'_>| tx.query("select id, text, body, mood from note order by text", &[]);
    let rows = store.read_blocking::<_, StoreError, _>(read).expect("reads");
    let text = |t: &str| Value::Text(t.to_owned());
    let expected = [
        vec![Value::Int(i64::MIN), text(""), Value::Blob(Vec::new()), text("a")],
        vec![Value::Int(0), text("B"), Value::Null, text("a")],
        vec![Value::Int(1), text("a"), Value::Null, text("a")],
        vec![Value::Int(i64::MAX), text("naïve '🦀' ?1"), Value::Blob(bytes), Value::Null],
    ];
    assert_eq!(rows.iter().map(|row| row.values().to_vec()).collect::<Vec<_>>(), expected);
    assert_eq!(rows[0].text(0).expect_err("a number").to_string(), "column 0 holds a number, wanted text");
}

fn time_and_ids_come_from_the_store(location: &Location) {
    let store = open(location);
    let take = |tx: &mut Tx<'_>| Ok::<_, StoreError>((tx.now(), tx.ulid(), tx.ulid()));
    let (now, first, second) = store.write_blocking(take).expect("writes");
    assert_eq!(now, noon());
    assert_eq!(first[..10], second[..10], "the same moment");
    assert!(first < second);
}

fn many_callers_lose_nothing(location: &Location) {
    let store = open(location);
    let callers: Vec<_> = (0..32)
        .map(|caller: i64| {
            let store = store.clone();
            thread::spawn(move || {
                (0..10).for_each(|n| store.write_blocking(move |tx| insert(tx, caller * 10 + n)).expect("writes"));
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().expect("no panic"));
    assert_eq!(ids(&store), (0..320).collect::<Vec<i64>>());
}
