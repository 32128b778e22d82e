//! A request at a member, for the counters: open until it is done, and told apart by how it ended.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::meter::{Meter, Shard, bump};
use super::table::{MemberRuntime, Target};
use super::worker::Worker;
use crate::wanted::Ejection;

/// Counted as open until it is done. Dropped before: the client gave up.
pub struct Ticket {
    worker: Rc<Worker>,
    /// Who has the request.
    pub member: Arc<MemberRuntime>,
    group: Arc<Meter>,
    address: SocketAddr,
    ejection: Option<Ejection>,
    /// When it was given.
    pub since: Instant,
    closed: bool,
}

impl Ticket {
    /// A request goes to this member.
    pub fn open(worker: &Rc<Worker>, target: &Target) -> Self {
        let ticket = Self {
            worker: worker.clone(),
            member: target.member.clone(),
            group: target.group.clone(),
            address: target.address,
            ejection: target.ejection,
            since: Instant::now(),
            closed: false,
        };
        ticket.each(|s| {
            s.open.fetch_add(1, Relaxed);
        });
        ticket
    }

    /// This member is the one that the request is told of: counted once, however many were asked before.
    pub fn reached(&self) {
        let now = self.worker.shared.clock.now();
        self.each(|s| {
            bump(&s.requests);
            s.last_request.store(now, Relaxed);
        });
    }

    fn each(&self, act: impl Fn(&Shard)) {
        act(self.member.meter.shard(self.worker.index));
        act(self.group.shard(self.worker.index));
    }

    /// The head of the answer is here; says when that is.
    pub fn answered(&self, status: u16) -> Instant {
        let now = Instant::now();
        let time = now - self.since;
        self.each(|s| s.answered(time));
        self.member.answered();
        if status >= 500 {
            self.each(|s| bump(&s.status_5xx));
        }
        now
    }

    fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.each(|s| {
                s.open.fetch_sub(1, Relaxed);
            });
        }
    }

    /// The answer is complete; a connection that can take the next request is kept, as used at this time.
    pub fn done(mut self, kept: Option<(TcpStream, Instant)>) {
        self.close();
        if let Some((stream, used)) = kept {
            self.worker.pool.put(self.address, stream, used);
        }
    }

    /// The member broke off.
    pub fn broke(mut self) {
        self.close();
        self.member.failed(self.ejection);
        self.each(|s| {
            bump(&s.reset);
            bump(&s.failed);
        });
    }

    /// The member took too long.
    pub fn late(mut self) {
        self.close();
        self.member.failed(self.ejection);
        self.each(|s| {
            bump(&s.timed_out);
            bump(&s.failed);
        });
    }

    /// The member took no connection. `anew`: it had not refused this request before; `last`: nobody else is asked.
    pub fn refused(mut self, anew: bool, last: bool) {
        self.close();
        self.member.failed(self.ejection);
        self.each(|s| {
            if anew {
                bump(&s.refused);
            }
            if last {
                bump(&s.failed);
            } else if anew {
                bump(&s.retried);
            }
        });
    }

    /// The request goes out once more.
    pub fn retried(mut self) {
        self.close();
        self.each(|s| bump(&s.retried));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.closed {
            self.close();
            self.each(|s| bump(&s.abandoned));
        }
    }
}
