//! Where ids come from: ULIDs that never go backwards, random UUIDs, and random bytes. A seeded source repeats itself, for tests.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::StoreError;

/// Crockford's base 32, as ULIDs use it.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A source of ids. Cheap to share behind an `Arc`.
pub struct Ids(Mutex<State>);

struct State {
    seed: [u8; 32],
    drawn: u64,
    /// The last ULID given, as a number; the next one is greater.
    last: u128,
}

/// Bytes that nobody can guess, from the system.
pub fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0u8; N];
    let wrong = |what: String| StoreError::Open { place: "the system's randomness".into(), what };
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        Ok(got) if got == N => Ok(bytes),
        Ok(_) => Err(wrong("short answer".into())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// Bytes in hexadecimal digits, small letters.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a text has the form of a SHA-256 in hexadecimal digits.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Ids {
    /// A source seeded by the system's randomness.
    pub fn random() -> Result<Self, StoreError> {
        random().map(Ids::from_seed)
    }

    /// A source that gives the same ids in every run.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let mut bytes = [0u8; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Ids::from_seed(bytes)
    }

    fn from_seed(seed: [u8; 32]) -> Self {
        Ids(Mutex::new(State { seed, drawn: 0, last: 0 }))
    }

    /// A ULID for the moment `now`, greater than every one given before, even when the clock goes back.
    pub fn ulid(&self, now: Timestamp) -> String {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let random = u128::from_le_bytes(state.draw()) >> 48;
        let millis = u128::try_from(now.as_millisecond()).unwrap_or(0) & ((1 << 48) - 1);
        // Half of the random space is left free, so that counting up within one millisecond cannot overflow into the time.
        let fresh = (millis << 80) | (random >> 1);
        let next = if fresh > state.last { fresh } else { state.last + 1 };
        state.last = next;
        (0..26).rev().map(|digit| char::from(ALPHABET[((next >> (digit * 5)) & 31) as usize])).collect()
    }

    /// A random UUID (version 4), in small letters.
    pub fn uuid(&self) -> String {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uuid::Builder::from_random_bytes(state.draw()).into_uuid().to_string()
    }

    /// Sixteen random bytes.
    pub fn bytes(&self) -> [u8; 16] {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).draw()
    }
}

impl State {
    fn draw(&mut self) -> [u8; 16] {
        self.drawn += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.drawn.to_le_bytes());
        let hash = hash.finalize();
        let mut out = [0u8; 16];
        out.copy_from_slice(&hash[..16]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn ulids_carry_the_time_and_only_grow_even_when_the_clock_goes_back() {
        let ids = Ids::seeded(7);
        let first = ids.ulid(at(1_700_000_000_000));
        assert_eq!(first.len(), 26);
        assert_eq!(&first[..10], "01HF7YAT00");
        let mut last = first;
        for now in [1_700_000_000_000, 1_600_000_000_000, 1_700_000_000_001, 1_700_000_000_001] {
            let next = ids.ulid(at(now));
            assert!(next > last, "{next} after {last}");
            last = next;
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_ids_and_uuids_are_version_4() {
        let (a, b) = (Ids::seeded(1), Ids::seeded(1));
        let uuid = a.uuid();
        assert_eq!(uuid, b.uuid());
        assert_eq!(&uuid[14..15], "4");
        assert_ne!(a.uuid(), uuid);
    }
}
