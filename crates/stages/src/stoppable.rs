//! Work that a cancellation ends: it runs as long as nobody stops its key, and is dropped when somebody does.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// What runs now, by the idempotency key of its task.
#[derive(Default)]
pub(crate) struct Stoppable(Mutex<HashMap<String, Arc<Notify>>>);

impl Stoppable {
    /// Does the work; `None` when it was stopped.
    pub(crate) async fn run<T>(&self, key: &str, work: impl Future<Output = T>) -> Option<T> {
        let stop = Arc::new(Notify::new());
        self.all().insert(key.to_owned(), stop.clone());
        let done = tokio::select! {
            done = work => Some(done),
            () = stop.notified() => None,
        };
        let mut all = self.all();
        // A later attempt of the same task may stand there by now.
        if all.get(key).is_some_and(|own| Arc::ptr_eq(own, &stop)) {
            all.remove(key);
        }
        done
    }

    /// Stops the work under this key, if it runs.
    pub(crate) fn stop(&self, key: &str) {
        if let Some(stop) = self.all().get(key) {
            stop.notify_one();
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
