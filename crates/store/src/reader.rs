//! The control store's readers: a few threads with a read-only connection each, so that a long read never delays a write.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::backend::{Backend, Mode};
use crate::clock::Clock;
use crate::id::Ids;
use crate::job::Job;
use crate::writer::Connect;
use crate::{StoreError, Tx};

pub(crate) struct Reader {
    pub connect: Connect,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
}

impl Reader {
    /// Works until the store is dropped. The connection is opened by the first job.
    pub(crate) fn work(self, jobs: &Mutex<mpsc::Receiver<Box<dyn Job>>>) {
        let mut open: Option<Box<dyn Backend>> = None;
        loop {
            let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
            let Some(mut job) = next else { return };
            let error = self.run(&mut open, job.as_mut()).err();
            if error.is_some() {
                open = None;
            }
            job.answer(error);
        }
    }

    fn run(&self, open: &mut Option<Box<dyn Backend>>, job: &mut dyn Job) -> Result<(), StoreError> {
        if let Some(db) = open.as_mut()
            && db.begin(Mode::Read).is_err()
        {
            *open = None;
        }
        let db = match open {
            Some(db) => db,
            None => {
                let db = open.insert((self.connect)()?);
                db.begin(Mode::Read)?;
                db
            }
        };
        job.run(&mut Tx::new(db.as_mut(), &self.ids, self.clock.now(), None));
        db.rollback();
        Ok(())
    }
}
