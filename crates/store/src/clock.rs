//! The one source of time. Everything above is handed a [`Clock`]; tests hand a [`FakeClock`].

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

/// What time it is.
pub trait Clock: Send + Sync {
    /// The current moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place where the machine's clock is read")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct FakeClock(Mutex<Timestamp>);

impl FakeClock {
    /// A clock that shows `at`.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        FakeClock(Mutex::new(at))
    }

    /// A clock that shows this RFC 3339 text; a bad text shows the epoch.
    #[must_use]
    pub fn at_text(text: &str) -> Self {
        FakeClock::at(text.parse().unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// Moves the clock to `at`, also backwards.
    pub fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = at;
    }

    /// Moves the clock on by `by`, at most to the end of time.
    pub fn advance(&self, by: SignedDuration) {
        let mut at = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *at = at.checked_add(by).unwrap_or(Timestamp::MAX);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
