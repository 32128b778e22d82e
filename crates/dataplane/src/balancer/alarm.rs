//! One timer for everything that a connection waits for. Deadlines mostly move away while it runs, so it is set anew when it rings too
//! early, not with each request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is asked with the deadline that counts now.
pub struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    /// A timer that first looks at this time.
    pub fn new(first: Instant) -> Self {
        Self(Box::pin(sleep_until(first)))
    }

    /// Ready when it is `due` or later.
    pub fn poll(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        if due < self.0.deadline() {
            self.0.as_mut().reset(due);
        }
        loop {
            ready!(self.0.as_mut().poll(cx));
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.0.as_mut().reset(due);
        }
    }
}
