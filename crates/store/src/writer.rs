//! The control store's only writer: takes whatever jobs wait, runs each in a savepoint of one transaction, commits once,
//! performs what they asked to be done after the commit, then tells what changed and answers all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::backend::{Backend, Mode};
use crate::clock::Clock;
use crate::id::Ids;
use crate::job::{Job, message};
use crate::tx::Effect;
use crate::{StoreError, Tx};

/// At most so many jobs share a commit: more gain nothing and make the first of them wait.
const BATCH: usize = 256;

/// Opens a connection anew, after the database went away.
pub(crate) type Connect = Box<dyn Fn() -> Result<Box<dyn Backend>, StoreError> + Send>;

pub(crate) struct Writer {
    pub backend: Box<dyn Backend>,
    pub connect: Connect,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    /// Number of the newest change that is in the database.
    pub newest: i64,
    pub told: watch::Sender<i64>,
}

/// How one job of a transaction ended.
enum Ran {
    Kept(Vec<Effect>),
    Undone,
    /// The database gave up the transaction as a whole.
    Broken,
}

impl Writer {
    /// Works until the store is dropped and its last job is done.
    pub(crate) fn work(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = jobs.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH {
                let Ok(job) = jobs.try_recv() else { break };
                batch.push(job);
            }
            self.run(batch);
        }
    }

    fn run(&mut self, mut batch: Vec<Box<dyn Job>>) {
        if let Err(e) = self.begin() {
            return batch.into_iter().for_each(|job| job.answer(Some(e.clone())));
        }
        let (before, alone) = (self.newest, batch.len() == 1);
        let mut effects = Vec::new();
        for job in &mut batch {
            match self.run_one(job.as_mut(), alone) {
                Ran::Kept(more) => effects.extend(more),
                Ran::Undone => {}
                Ran::Broken => {
                    self.give_up(before);
                    return self.one_by_one(batch);
                }
            }
        }
        match self.backend.commit() {
            Ok(()) => self.committed(batch, effects, before),
            Err(e) => {
                self.give_up(before);
                // Lost while committing: nobody knows whether it was kept, so it must not be done again here.
                if alone || matches!(e, StoreError::Lost { .. }) {
                    batch.into_iter().for_each(|job| job.answer(Some(e.clone())));
                } else {
                    self.one_by_one(batch);
                }
            }
        }
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        let begun = self.backend.begin(Mode::Write);
        if let Err(StoreError::Lost { .. }) = begun {
            self.backend = (self.connect)()?;
            return self.backend.begin(Mode::Write);
        }
        begun
    }

    fn run_one(&mut self, job: &mut dyn Job, alone: bool) -> Ran {
        let before = self.newest;
        if !alone && self.backend.savepoint().is_err() {
            return Ran::Broken;
        }
        let mut tx = Tx::new(self.backend.as_mut(), &self.ids, self.clock.now(), Some(&mut self.newest));
        let keep = job.run(&mut tx);
        let effects = tx.into_effects();
        if !self.backend.in_transaction() && !alone {
            return Ran::Broken;
        }
        if keep {
            return if alone || self.backend.release().is_ok() { Ran::Kept(effects) } else { Ran::Broken };
        }
        self.newest = before;
        if alone {
            self.backend.rollback();
            // Something must stand for the commit that follows.
            return if self.begin().is_ok() { Ran::Undone } else { Ran::Broken };
        }
        if self.backend.rollback_to_savepoint().is_ok() { Ran::Undone } else { Ran::Broken }
    }

    /// One job spoilt the transaction for the others: each gets its own, and its own answer.
    fn one_by_one(&mut self, batch: Vec<Box<dyn Job>>) {
        if batch.len() == 1 {
            return batch.into_iter().for_each(|job| job.answer(None));
        }
        batch.into_iter().for_each(|job| self.run(vec![job]));
    }

    fn committed(&mut self, batch: Vec<Box<dyn Job>>, effects: Vec<Effect>, before: i64) {
        // Before anybody hears of it: who has an answer, or was told that something changed, finds what followed from it done.
        for effect in effects {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(effect)) {
                tracing::error!(what = message(&*panic), "an effect after a commit panicked");
            }
        }
        // Before the answers: who has theirs and then looks at the number sees their own change in it.
        if self.newest != before {
            self.told.send_replace(self.newest);
        }
        batch.into_iter().for_each(|job| job.answer(None));
    }

    fn give_up(&mut self, newest: i64) {
        self.newest = newest;
        self.backend.rollback();
    }
}
