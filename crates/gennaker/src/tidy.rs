//! What a server forgets by itself, in small transactions, so that nobody waits for it.

use std::time::Duration;

use jiff::SignedDuration;
use store::{Store, StoreError, change};

/// A reader of the live stream that was away for longer reads everything anew.
const CHANGES: SignedDuration = SignedDuration::from_hours(24);
/// Longer than any execution is kept: nobody asks for the key of an older operation again.
const OPERATIONS: SignedDuration = SignedDuration::from_hours(24 * 120);
/// How often it is looked.
const EVERY: Duration = Duration::from_secs(600);
/// Rows in one transaction.
const PIECE: u32 = 500;

/// Sweeps for as long as the server runs.
pub async fn forever(store: Store) {
    loop {
        if let Err(error) = sweep(&store).await {
            // A full disk, mostly: the next round tries again.
            tracing::warn!(%error, "could not forget old changes");
        }
        if let Err(error) = forget_operations(&store).await {
            tracing::warn!(%error, "could not forget old operations");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn sweep(store: &Store) -> Result<(), StoreError> {
    let before = store.clock().now().checked_sub(CHANGES).unwrap_or(jiff::Timestamp::MIN);
    while store.write(move |tx| change::sweep(tx, before, PIECE)).await? == u64::from(PIECE) {}
    Ok(())
}

async fn forget_operations(store: &Store) -> Result<(), StoreError> {
    let before = store.clock().now().checked_sub(OPERATIONS).unwrap_or(jiff::Timestamp::MIN);
    store.write(move |tx| cloud::local::forget(tx, before)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::Location;
    use store::clock::{Clock, FakeClock};

    use super::*;

    #[test]
    fn changes_of_the_last_day_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
        let place = Location::Sqlite(folder.path().join("gennaker.db"));
        let store = Store::open(place, &[], clock.clone() as Arc<dyn Clock>).expect("opens");
        let write = |count: i64| {
            let many = move |tx: &mut store::Tx<'_>| (0..count).try_for_each(|n| tx.change("a", &n.to_string()));
            store.write_blocking(many).expect("writes");
        };
        write(1_200);
        clock.advance(SignedDuration::from_hours(25));
        write(3);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runs");
        runtime.block_on(sweep(&store)).expect("sweeps");
        assert_eq!(store.read_blocking(change::oldest).expect("reads"), 1_201);
    }
}
