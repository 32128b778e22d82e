//! A closure on its way to a store's thread, and its answer on the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{StoreError, Tx};

/// What a store's thread sees of a closure: its types are forgotten.
pub(crate) trait Job: Send {
    /// Runs the closure; tells whether what it wrote is to be kept. May be called again after a rollback.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Sends the answer of the last run, or `error` when that run came to nothing.
    fn answer(self: Box<Self>, error: Option<StoreError>);
}

struct Typed<F, T, E> {
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

/// Packs a closure; the receiver gets its answer.
pub(crate) fn pack<T, E, F>(work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, receiver) = oneshot::channel();
    (Box::new(Typed { work, outcome: None, reply }), receiver)
}

impl<F, T, E> Job for Typed<F, T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)));
        let outcome = outcome.unwrap_or_else(|panic| Err(StoreError::Panicked { what: message(&*panic) }.into()));
        let outcome = match (outcome, tx.failed()) {
            (Ok(_), Some(failed)) => Err(failed.into()),
            (outcome, _) => outcome,
        };
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, error: Option<StoreError>) {
        let answer = match error {
            Some(e) => Err(e.into()),
            None => self.outcome.unwrap_or_else(|| Err(StoreError::Closed.into())),
        };
        // Nobody waits any more: a request that was given up. What was written stays.
        let _ = self.reply.send(answer);
    }
}

/// The text of a panic.
pub(crate) fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
