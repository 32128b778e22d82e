//! The suite on a real PostgreSQL server, and what only a server can do to us.

use std::sync::Arc;

use store::clock::SystemClock;
use store::{Store, StoreError, params};
use testkit::probe;
use testkit::store_suite::CASES;

#[test]
fn postgresql_holds_the_suite() {
    let server = match testkit::postgres::start() {
        Ok(server) => server,
        Err(reason) => return probe::not_run(&reason),
    };
    for (name, case) in CASES {
        println!("{name}");
        case(&server.fresh());
    }
}

#[test]
fn a_database_that_goes_away_is_found_again_and_shared_with_nobody() {
    let server = match testkit::postgres::start() {
        Ok(server) => server,
        Err(reason) => return probe::not_run(&reason),
    };
    let location = server.fresh();
    let store = Store::open(location.clone(), &[], Arc::new(SystemClock)).expect("opens");
    let second = Store::open(location, &[], Arc::new(SystemClock)).err().expect("refused").to_string();
    assert!(second.ends_with("another server uses this database: stop it first"), "{second}");

    store.write_blocking(|tx| tx.change("before", "1")).expect("writes");
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'gennaker'";
    server.psql(cut).expect("cut");
    // The first write after the cut may find the connection gone; it is told so and nothing is kept twice.
    let first = store.write_blocking(|tx| tx.change("after", "1"));
    assert!(matches!(first, Ok(()) | Err(StoreError::Lost { .. })), "{first:?}");
    store.write_blocking(|tx| tx.change("after", "2")).expect("writes on a new connection");
    let count = |tx: &mut store::Tx<'_>| -> Result<i64, StoreError> {
        let sql = "select count(*) from change where topic = ?1 and key = ?2";
        tx.query_opt(sql, params!["after", "2"])?.map_or(Ok(0), |row| row.int(0))
    };
    assert_eq!(store.read_blocking(count).expect("reads on a new connection"), 1);
}
