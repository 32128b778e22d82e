//! What was acknowledged survives `kill -9`, whole.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use store::clock::SystemClock;
use store::{Location, Migration, Store, StoreError, Tx, params};
use testkit::probe;

const PAIRS: &[Migration] = &[Migration {
    domain: "pairs",
    number: 1,
    sql: "create table pair (id bigint not null, half bigint not null, primary key (id, half));",
}];
/// Names the database to the child that writes.
const CHILD: &str = "GENNAKER_TEST_CRASH_DATABASE";

#[allow(clippy::disallowed_methods, reason = "the child of this test is told by the environment what to write to")]
fn told() -> Option<String> {
    std::env::var(CHILD).ok()
}

fn location(text: &str) -> Location {
    if text.starts_with("postgres://") { Location::Postgres(text.into()) } else { Location::Sqlite(text.into()) }
}

/// Does nothing unless it is the child: then it writes pairs from eight threads and prints each that is acknowledged, until it is killed.
#[test]
fn a_child_writes_until_it_is_killed() {
    let Some(place) = told() else { return };
    let store = Store::open(location(&place), &[PAIRS], Arc::new(SystemClock)).expect("opens");
    let first =
        store.read_blocking(|tx| Ok::<_, StoreError>(tx.query("select id from pair", &[])?.len())).expect("reads");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = store.clone();
            scope.spawn(move || {
                for n in 0.. {
                    let id = (first as i64 + n) * 8 + thread;
                    let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                        for half in [1, 2] {
                            tx.execute("insert into pair (id, half) values (?1, ?2)", params![id, half])?;
                        }
                        Ok(())
                    };
                    if store.write_blocking(write).is_err() || writeln!(std::io::stdout(), "\nkept {id}").is_err() {
                        return;
                    }
                }
            });
        }
    });
}

fn child(place: &str) -> Child {
    let own = std::env::current_exe().expect("this program");
    let mut child = Command::new(own);
    child.args(["--exact", "crash::a_child_writes_until_it_is_killed", "--nocapture"]).env(CHILD, place);
    child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a child")
}

/// Kills a writing child after so many acknowledgements; gives all that it printed.
fn kill_after(place: &str, acknowledged: usize) -> Vec<i64> {
    let mut child = child(place);
    let mut kept = Vec::new();
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    for line in lines.map_while(Result::ok) {
        let Some(id) = line.strip_prefix("kept ").and_then(|id| id.parse().ok()) else { continue };
        kept.push(id);
        if kept.len() == acknowledged {
            child.kill().expect("killed");
        }
    }
    child.wait().expect("ended");
    assert!(kept.len() >= acknowledged, "the child ended by itself after {}", kept.len());
    kept
}

fn all_acknowledged_are_there(place: &str) {
    let mut kept = Vec::new();
    for acknowledged in [1, 40, 200, 77] {
        kept.extend(kill_after(place, acknowledged));
        let store = Store::open(location(place), &[PAIRS], Arc::new(SystemClock)).expect("opens after the crash");
        let read = |tx: &mut Tx<'_>| -> Result<Vec<(i64, i64)>, StoreError> {
            let rows = tx.query("select id, count(*) from pair group by id", &[])?;
            rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect()
        };
        let found = store.read_blocking(read).expect("reads");
        assert!(found.iter().all(|(_, halves)| *halves == 2), "a pair is whole or not there");
        let lost: Vec<_> = kept.iter().filter(|id| !found.iter().any(|(there, _)| there == *id)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }
}

#[test]
fn sqlite_keeps_what_it_acknowledged_before_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    all_acknowledged_are_there(&folder.path().join("gennaker.db").display().to_string());
}

#[test]
fn postgresql_keeps_what_it_acknowledged_before_a_kill() {
    match testkit::postgres::start() {
        Ok(server) => match server.fresh() {
            Location::Postgres(url) => all_acknowledged_are_there(&url),
            Location::Sqlite(_) => unreachable!("a server gives PostgreSQL databases"),
        },
        Err(reason) => probe::not_run(&reason),
    }
}
