//! What a TCP connection or a UDP flow is counted by.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::meter::{Meter, Shard, bump};
use super::table::MemberRuntime;
use super::worker::Worker;

/// A connection or flow at a member, counted as open until it is dropped.
pub struct Open {
    worker: usize,
    pub member: Arc<MemberRuntime>,
    group: Arc<Meter>,
}

impl Open {
    /// One more, given out now.
    pub fn new(worker: &Rc<Worker>, member: &Arc<MemberRuntime>, group: &Arc<Meter>) -> Self {
        let open = Self { worker: worker.index, member: member.clone(), group: group.clone() };
        let now = worker.shared.clock.now();
        open.each(|s| {
            bump(&s.requests);
            s.open.fetch_add(1, Relaxed);
            s.last_request.store(now, Relaxed);
        });
        open
    }

    /// Counts at the member and at its group.
    pub fn each(&self, act: impl Fn(&Shard)) {
        act(self.member.meter.shard(self.worker));
        act(self.group.shard(self.worker));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.each(|s| {
            s.open.fetch_sub(1, Relaxed);
        });
    }
}
