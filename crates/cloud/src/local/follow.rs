//! Follows the data plane: starts it, tells it the whole wanted state after every change, listens to what happens there, and takes the
//! steps that are then due. Level-triggered: it may be ended and begun anew at any moment.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use dataplane::client::{Client, ClientError};

use super::advance::{self, Seen};
use super::apply::Rules;
use super::machine::Machine;
use super::read;
use super::state::State;
use crate::provider::CloudError;

/// How long one question for events waits when nothing is expected.
const QUIET: Duration = Duration::from_secs(25);
/// How often the counters are looked at while connections drain: they make no events.
const DRAINING: Duration = Duration::from_millis(100);
/// The pause after a failure.
const TROUBLE: Duration = Duration::from_millis(250);

/// Runs until it is dropped.
pub(super) async fn follow(machine: Arc<Machine>) {
    let client = Client::new(&machine.options.dir);
    tokio::join!(push(&machine, &client), listen(&machine, &client));
}

/// Tells the wanted state at once, and again whenever it has changed.
async fn push(machine: &Arc<Machine>, client: &Client) {
    loop {
        match tell(machine, client).await {
            Ok(()) => machine.push.notified().await,
            Err(why) => {
                // Why there is none is worth more than that there is none.
                if machine.seen().trouble.is_none() {
                    machine.trouble(why);
                }
                let _ = tokio::time::timeout(TROUBLE, machine.push.notified()).await;
            }
        }
    }
}

async fn tell(machine: &Arc<Machine>, client: &Client) -> Result<(), String> {
    let states = machine.states().await.map_err(|error| error.to_string())?;
    match client.put_wanted(&machine.wanted(&states)).await {
        Ok(accepted) => {
            for problem in &accepted.problems {
                tracing::warn!(problem, "the data plane could not do all of it at once");
            }
            machine.confirmed(accepted.generation);
            look(machine, client).await
        }
        // It knows a newer state than the store (which was put back, perhaps): ours is the truth and must become the newest.
        Err(ClientError::Refused { status: 409, .. }) => {
            let there = client.status().await.map_err(|error| error.to_string())?.generation.unwrap_or(0);
            overtake(machine, there).await.map_err(|error| error.to_string())?;
            Err("the data plane had a newer state; it is told ours again".into())
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn overtake(machine: &Arc<Machine>, generation: u64) -> Result<(), CloudError> {
    let Some(first) = machine.accounts.first().cloned() else { return Ok(()) };
    let raise = move |tx: &mut store::Tx<'_>| {
        let before = State::load(tx, &first.account)?;
        let mut state = before.clone();
        state.generation = state.generation.max(generation) + 1;
        state.save(tx, &first.account, &before)
    };
    machine.store.write(raise).await
}

/// Waits for events; looks at the status after each, and starts the data plane when there is none.
async fn listen(machine: &Arc<Machine>, client: &Client) {
    let mut after = 0;
    // It is tried four times a second: the same failure is logged once.
    let mut told = String::new();
    loop {
        let is_draining = |state: &State| advance::is_draining(state, &machine.seen());
        let draining = machine.states().await.is_ok_and(|states| states.iter().any(is_draining));
        let wait = if draining { DRAINING } else { QUIET };
        match client.events(after, wait).await {
            Ok(events) => {
                told.clear();
                let news = events.reset || events.seq != after;
                after = events.seq;
                if (news || draining)
                    && let Err(why) = look(machine, client).await
                {
                    machine.trouble(why);
                }
            }
            Err(error) => {
                machine.trouble(error.to_string());
                after = 0;
                if let Err(error) = dataplane::spawn::spawn(&machine.options.dir, &machine.options.exe).await {
                    let error = error.to_string();
                    if told != error {
                        tracing::error!(error, "there is no data plane");
                        told.clone_from(&error);
                    }
                    machine.trouble(error);
                    tokio::time::sleep(TROUBLE).await;
                }
                machine.push.notify_one();
            }
        }
    }
}

/// Reads the status and takes the steps that are due.
async fn look(machine: &Arc<Machine>, client: &Client) -> Result<(), String> {
    let status = client.status().await.map_err(|error| error.to_string())?;
    let digest = read::digest(&status);
    let lost = {
        let mut seen = machine.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = seen.confirmed.is_some_and(|confirmed| status.generation.is_none_or(|there| there < confirmed));
        seen.status = Some(status);
        seen.trouble = None;
        lost
    };
    if lost {
        machine.push.notify_one();
    }
    let changed = {
        let mut last = machine.digest.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, digest.clone()) != digest
    };
    let advanced = step(machine).await.map_err(|error| error.to_string())?;
    if changed || advanced {
        machine.tell();
    }
    Ok(())
}

/// One transaction that takes the steps that are due, if any are.
async fn step(machine: &Arc<Machine>) -> Result<bool, CloudError> {
    let seen: Seen = machine.seen();
    let now = machine.store.clock().now();
    let states = machine.states().await?;
    let due = |(before, rules): (&State, &Arc<Rules>)| {
        let mut state = before.clone();
        advance::advance(&mut state, rules, &seen, now);
        state != *before
    };
    if !states.iter().zip(&machine.accounts).any(due) {
        return Ok(false);
    }
    let machine = machine.clone();
    let store = machine.store.clone();
    let work = move |tx: &mut store::Tx<'_>| {
        for rules in &machine.accounts {
            let before = State::load(tx, &rules.account)?;
            let mut state = before.clone();
            if advance::advance(&mut state, rules, &seen, now) {
                let pusher = machine.clone();
                tx.after_commit(move || pusher.push.notify_one());
            }
            state.save(tx, &rules.account, &before)?;
        }
        Ok(())
    };
    store.write::<(), CloudError, _>(work).await?;
    Ok(true)
}

impl Machine {
    fn confirmed(&self, generation: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.confirmed = Some(seen.confirmed.map_or(generation, |known| known.max(generation)));
    }

    fn trouble(&self, why: String) {
        tracing::debug!(why, "trouble with the data plane");
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).trouble = Some(why);
    }
}
