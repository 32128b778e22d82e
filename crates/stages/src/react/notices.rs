//! What people asked to be told is told: notices that are due are put into words and sent, again and again while that may help, and what could
//! not be told stays visible with its reason. Which notices there are is `pipeline::notices`, how each kind is sent `events::notify`.

mod words;

use std::time::Duration;

use events::notify::{Notifiers, NotifyError};
use pipeline::notices::{self, Notice};
use pipeline::{Map, records};
use store::{Store, StoreError};

pub use words::{Words, trial};

/// A try that neither ends well nor badly within this time, because the server ended, is made again.
const LEASE_MS: i64 = 120_000;
/// How long it is waited before each further try, in milliseconds; then it is given up.
const AGAIN_MS: [i64; 5] = [10_000, 60_000, 300_000, 1_800_000, 7_200_000];
/// How many are sent at the same time.
const AT_ONCE: usize = 8;
/// Changes of this time are looked through at once.
const GATHER: Duration = Duration::from_millis(100);
/// The longest sleep: after it the wall clock is looked at again.
const LONGEST: Duration = Duration::from_secs(30);

/// Tells.
pub struct Teller {
    /// The control store.
    pub store: Store,
    /// The kinds that can be sent.
    pub notifiers: Notifiers,
    /// What is said.
    pub words: Words,
}

impl Teller {
    /// Tells until the task is dropped.
    pub async fn run(self) {
        let mut changes = self.store.changes();
        loop {
            changes.mark_unchanged();
            match self.step().await {
                Ok(None) => {}
                // Whatever is written wakes us: most of it is no notice.
                Ok(Some(wait)) => {
                    if tokio::time::timeout(wait, changes.changed()).await.is_ok_and(|gone| gone.is_err()) {
                        return;
                    }
                    tokio::time::sleep(GATHER.min(wait)).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "notifications cannot be sent; trying again");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        }
    }

    /// Tells what is due, a few at a time. With nothing due: how long it may be waited.
    async fn step(&self) -> Result<Option<Duration>, StoreError> {
        let next = self.store.read(notices::next_due).await?;
        let now = self.store.clock().now().as_millisecond();
        match next {
            Some(due) if due <= now => self.tell_due().await.map(|()| None),
            Some(due) => Ok(Some(Duration::from_millis(due.abs_diff(now)).min(LONGEST))),
            None => Ok(Some(LONGEST)),
        }
    }

    async fn tell_due(&self) -> Result<(), StoreError> {
        let due = self.store.write(|tx| notices::take_due(tx, LEASE_MS, AT_ONCE)).await?;
        let mut done = Vec::new();
        for told in
            futures_util::future::join_all(by_place(due).into_iter().map(|notices| self.tell_all(notices))).await
        {
            done.extend(told?);
        }
        let now = self.store.clock().now().as_millisecond();
        let write = move |tx: &mut store::Tx<'_>| {
            done.iter().try_for_each(|(notice, told)| {
                let (error, again) = after(notice, told.as_ref().err(), now);
                notices::tried(tx, notice, &error, again)
            })
        };
        self.store.write(write).await
    }

    /// Tells one place, one after the other: what began must not come behind what ended.
    async fn tell_all(&self, notices: Vec<Notice>) -> Result<Vec<Told>, StoreError> {
        let mut told = Vec::new();
        for notice in notices {
            told.push(self.tell(notice).await?);
        }
        Ok(told)
    }

    async fn tell(&self, notice: Notice) -> Result<Told, StoreError> {
        let id = notice.execution.clone();
        let Some(run) = self.store.read(move |tx| records::get(tx, &id)).await? else {
            let gone = NotifyError::Never("its execution was deleted".into());
            return Ok((notice, Err(gone)));
        };
        let message = self.words.message(&notice, &run, self.store.clock().now());
        let told = self.notifiers.send(&notice.kind, &message).await;
        if let Err(error) = &told {
            let (execution, kind) = (&notice.execution, &notice.kind);
            tracing::warn!(%error, %execution, %kind, event = notice.event, "somebody was not told");
        }
        Ok((notice, told))
    }
}

/// A notice and how its try ended.
type Told = (Notice, Result<(), NotifyError>);

/// Notices that go to the same place, in their order.
fn by_place(notices: Vec<Notice>) -> Vec<Vec<Notice>> {
    let mut places: Vec<Vec<Notice>> = Vec::new();
    for notice in notices {
        let same = |place: &&mut Vec<Notice>| {
            place[0].kind == notice.kind && place[0].config.get("address") == notice.config.get("address")
        };
        match places.iter_mut().find(same) {
            Some(place) => place.push(notice),
            None => places.push(vec![notice]),
        }
    }
    places
}

/// What is noted of a try: its error, and when it is tried again.
fn after(notice: &Notice, error: Option<&NotifyError>, now: i64) -> (String, Option<i64>) {
    let tries = usize::try_from(notice.attempts).unwrap_or(usize::MAX);
    match error {
        None => (String::new(), None),
        Some(NotifyError::Never(why)) => (why.clone(), None),
        Some(NotifyError::Later(why)) => match AGAIN_MS.get(tries.saturating_sub(1)) {
            Some(wait) => (why.clone(), Some(now.saturating_add(*wait))),
            None => (format!("{why}; given up after {tries} tries"), None),
        },
    }
}

/// A text of a notification.
fn text<'a>(config: &'a Map, key: &str) -> &'a str {
    config.get(key).and_then(serde_json::Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
