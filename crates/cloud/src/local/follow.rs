//! Follows the data plane: starts it, tells it the whole wanted state after every change, listens to what happens there, and takes the
//! steps that are then due. Level-triggered: it may be ended and begun anew at any moment.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use dataplane::client::{Client, ClientError};

use super::advance::{self, Seen};
use super::state::State;
use super::{Shared, read, wanted};
use crate::provider::CloudError;

/// How long one question for events waits when nothing is expected.
const QUIET: Duration = Duration::from_secs(25);
/// How often the counters are looked at while connections drain: they make no events.
const DRAINING: Duration = Duration::from_millis(100);
/// The pause after a failure.
const TROUBLE: Duration = Duration::from_millis(250);

/// Runs until it is dropped.
pub(super) async fn follow(shared: Arc<Shared>) {
    let client = Client::new(&shared.options.dir);
    tokio::join!(push(&shared, &client), listen(&shared, &client));
}

/// Tells the wanted state at once, and again whenever it has changed.
async fn push(shared: &Arc<Shared>, client: &Client) {
    loop {
        match tell(shared, client).await {
            Ok(()) => shared.push.notified().await,
            Err(why) => {
                // Why there is none is worth more than that there is none.
                if shared.seen().trouble.is_none() {
                    shared.trouble(why);
                }
                let _ = tokio::time::timeout(TROUBLE, shared.push.notified()).await;
            }
        }
    }
}

async fn tell(shared: &Arc<Shared>, client: &Client) -> Result<(), String> {
    let state = shared.state().await.map_err(|error| error.to_string())?;
    match client.put_wanted(&wanted::wanted(&state, &shared.rules)).await {
        Ok(accepted) => {
            for problem in &accepted.problems {
                tracing::warn!(
                    account = shared.rules.account,
                    problem,
                    "the data plane could not do all of it at once"
                );
            }
            shared.confirmed(accepted.generation);
            look(shared, client).await
        }
        // It knows a newer state than the store (which was put back, perhaps): ours is the truth and must become the newest.
        Err(ClientError::Refused { status: 409, .. }) => {
            let there = client.status().await.map_err(|error| error.to_string())?.generation.unwrap_or(0);
            overtake(shared, there).await.map_err(|error| error.to_string())?;
            Err("the data plane had a newer state; it is told ours again".into())
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn overtake(shared: &Arc<Shared>, generation: u64) -> Result<(), CloudError> {
    let account = shared.rules.account.clone();
    let raise = move |tx: &mut store::Tx<'_>| {
        let before = State::load(tx, &account)?;
        let mut state = before.clone();
        state.generation = state.generation.max(generation) + 1;
        state.save(tx, &account, &before)
    };
    shared.store.write(raise).await
}

/// Waits for events; looks at the status after each, and starts the data plane when there is none.
async fn listen(shared: &Arc<Shared>, client: &Client) {
    let mut after = 0;
    // It is tried four times a second: the same failure is logged once.
    let mut told = String::new();
    loop {
        let draining = shared.state().await.is_ok_and(|state| advance::is_draining(&state, &shared.seen()));
        let wait = if draining { DRAINING } else { QUIET };
        match client.events(after, wait).await {
            Ok(events) => {
                told.clear();
                let news = events.reset || events.seq != after;
                after = events.seq;
                if (news || draining)
                    && let Err(why) = look(shared, client).await
                {
                    shared.trouble(why);
                }
            }
            Err(error) => {
                shared.trouble(error.to_string());
                after = 0;
                if let Err(error) = dataplane::spawn::spawn(&shared.options.dir, &shared.options.exe).await {
                    let error = error.to_string();
                    if told != error {
                        tracing::error!(error, "there is no data plane");
                        told.clone_from(&error);
                    }
                    shared.trouble(error);
                    tokio::time::sleep(TROUBLE).await;
                }
                shared.push.notify_one();
            }
        }
    }
}

/// Reads the status and takes the steps that are due.
async fn look(shared: &Arc<Shared>, client: &Client) -> Result<(), String> {
    let status = client.status().await.map_err(|error| error.to_string())?;
    let digest = read::digest(&status);
    let lost = {
        let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = seen.confirmed.is_some_and(|confirmed| status.generation.is_none_or(|there| there < confirmed));
        seen.status = Some(status);
        seen.trouble = None;
        lost
    };
    if lost {
        shared.push.notify_one();
    }
    let changed = {
        let mut last = shared.digest.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, digest.clone()) != digest
    };
    let advanced = step(shared).await.map_err(|error| error.to_string())?;
    if changed || advanced {
        shared.tell();
    }
    Ok(())
}

/// One transaction that takes the steps that are due, if any are.
async fn step(shared: &Arc<Shared>) -> Result<bool, CloudError> {
    let seen: Seen = shared.seen();
    let now = shared.store.clock().now();
    let before = shared.state().await?;
    let mut state = before.clone();
    advance::advance(&mut state, &seen, now);
    if state == before {
        return Ok(false);
    }
    let (account, pusher) = (shared.rules.account.clone(), shared.clone());
    let work = move |tx: &mut store::Tx<'_>| {
        let before = State::load(tx, &account)?;
        let mut state = before.clone();
        if advance::advance(&mut state, &seen, now) {
            let pusher = pusher.clone();
            tx.after_commit(move || pusher.push.notify_one());
        }
        state.save(tx, &account, &before)
    };
    shared.store.write::<(), CloudError, _>(work).await?;
    Ok(true)
}

impl Shared {
    fn confirmed(&self, generation: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.confirmed = Some(seen.confirmed.map_or(generation, |known| known.max(generation)));
    }

    fn trouble(&self, why: String) {
        tracing::debug!(account = self.rules.account, why, "trouble with the data plane");
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).trouble = Some(why);
    }
}
