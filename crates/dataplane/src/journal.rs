//! The last events of this data plane, for `GET /events`.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::status::{Event, EventKind, Events};

/// How many are kept.
const KEPT: usize = 2_000;

/// The last events, with a signal for those who wait for the next.
pub struct Journal {
    clock: Clock,
    ring: Mutex<Ring>,
    last: watch::Sender<u64>,
}

struct Ring {
    next: u64,
    events: VecDeque<Event>,
}

impl Journal {
    /// An empty one. Numbers start at the time, so that they grow over restarts and a reader sees that it missed some.
    pub fn new(clock: Clock) -> Self {
        let first = u64::try_from(clock.now()).unwrap_or(0) * 1_000;
        Self {
            clock,
            ring: Mutex::new(Ring { next: first + 1, events: VecDeque::new() }),
            last: watch::channel(first).0,
        }
    }

    /// Notes that something changed.
    pub fn note(&self, kind: EventKind, id: impl Into<String>, text: impl Into<String>) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event { seq: ring.next, at: self.clock.now(), kind, id: id.into(), text: text.into() };
        tracing::info!(kind = ?event.kind, id = event.id, "{}", event.text);
        ring.next += 1;
        if ring.events.len() == KEPT {
            ring.events.pop_front();
        }
        let seq = event.seq;
        ring.events.push_back(event);
        drop(ring);
        self.last.send_replace(seq);
    }

    /// The last event's number.
    pub fn seq(&self) -> u64 {
        *self.last.borrow()
    }

    /// What happened after `after`; waits up to `wait` when that is nothing.
    pub async fn after(&self, after: u64, wait: Duration) -> Events {
        let mut last = self.last.subscribe();
        if *last.borrow_and_update() == after {
            let _ = tokio::time::timeout(wait, last.changed()).await;
        }
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = ring.events.front().map_or(ring.next, |e| e.seq);
        let reset = after + 1 < oldest || after >= ring.next;
        let events = ring.events.iter().filter(|e| reset || e.seq > after).cloned().collect();
        Events { seq: ring.next - 1, reset, events }
    }
}
