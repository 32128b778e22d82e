//! The same work on many things at once.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::Result;

/// How many things are worked on at once.
pub(crate) fn count() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Does `work` with each item, on all cores; the answers are in the order of the items. The first error is told.
pub(crate) fn on_all<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    on_some(count(), items, work)
}

/// The same with so many at once, for work that waits more than it computes.
pub(crate) fn on_some<T: Sync, R: Send>(
    most: usize,
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let workers = most.min(items.len());
    if workers < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let answers: Vec<Mutex<Option<Result<R>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(item), Some(slot)) = (items.get(at), answers.get(at)) else { break };
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(work(item));
                }
            });
        }
    });
    // Every slot is filled: a worker that panics ends the scope with its panic.
    answers.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Does `work` with each of a few items, all at once; it is given the item's number as well. The first error is told.
pub(crate) fn each<T: Send>(items: &mut [T], work: impl Fn(usize, &mut T) -> Result<()> + Sync) -> Result<()> {
    let work = &work;
    thread::scope(|scope| {
        let workers: Vec<_> =
            items.iter_mut().enumerate().map(|(number, item)| scope.spawn(move || work(number, item))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}
