//! aptly's records: a LevelDB whose values are MessagePack of the old kind (texts and bytes look the same, unknown keys are allowed,
//! missing ones mean nothing). Facts: package records begin with `c1 01`, times are texts that hold a MessagePack time, or 15 bytes of Go's.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use rmpv::Value;
use rusty_leveldb::{DB, LdbIterator, Options};
use sha2::{Digest, Sha256};

use crate::error::{At, Error, Result};

/// An open database: a copy of what changes, with links to the tables, which never change. The original is only read.
pub(super) struct Records {
    db: RefCell<DB>,
    // After the database, which writes into it until it is closed.
    _copy: tempfile::TempDir,
    /// Keeps an aptly from starting meanwhile.
    _lock: Option<fs::File>,
}

fn damaged(what: impl std::fmt::Display) -> Error {
    Error::Damaged(format!("aptly's database cannot be read: {what}"))
}

impl Records {
    /// Opens the database in a folder. Refused while an aptly has it open.
    pub fn open(folder: &Path) -> Result<Records> {
        let lock = fs::File::open(folder.join("LOCK")).ok();
        if let Some(lock) = &lock
            && rustix::fs::flock(lock, rustix::fs::FlockOperation::NonBlockingLockShared).is_err()
        {
            return Err(Error::Conflict(format!(
                "an aptly is working on {}: wait until it has ended",
                folder.display()
            )));
        }
        let copy = tempfile::tempdir().at("make a folder in", &std::env::temp_dir())?;
        let original = folder.canonicalize().at("read", folder)?;
        for entry in fs::read_dir(&original).at("read", &original)? {
            let entry = entry.at("read", &original)?;
            let (from, name) = (entry.path(), entry.file_name());
            let to = copy.path().join(&name);
            let name = name.to_string_lossy();
            if name.ends_with(".ldb") || name.ends_with(".sst") {
                std::os::unix::fs::symlink(&from, &to).at("link", &to)?;
            } else if name.ends_with(".log") || name.starts_with("MANIFEST") || name == "CURRENT" {
                fs::copy(&from, &to).at("copy", &from)?;
            }
        }
        let options = Options { create_if_missing: false, ..Options::default() };
        let db = DB::open(copy.path(), options).map_err(damaged)?;
        Ok(Records { db: RefCell::new(db), _copy: copy, _lock: lock })
    }

    /// The records whose key begins so, in order.
    pub fn below(&self, prefix: &str) -> Result<Below> {
        let mut iterator = self.db.borrow_mut().new_iter().map_err(damaged)?;
        iterator.seek(prefix.as_bytes());
        Ok(Below { iterator, prefix: prefix.as_bytes().to_vec(), begun: false })
    }

    /// One record.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.db.borrow_mut().get(key.as_bytes()).map(|bytes| bytes.to_vec())
    }

    /// The sum over all records.
    pub fn content(&self) -> Result<String> {
        let mut sum = Sha256::new();
        for (key, value) in self.below("")? {
            for part in [&key, &value] {
                sum.update((part.len() as u64).to_be_bytes());
                sum.update(part);
            }
        }
        Ok(debian::sums::hex(&sum.finalize()))
    }
}

/// Records in the order of their keys.
pub(super) struct Below {
    iterator: rusty_leveldb::DBIterator,
    prefix: Vec<u8>,
    begun: bool,
}

impl Below {
    /// Moves to this key, which must not lie behind; its value, if it is there.
    pub fn at(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        while self.iterator.valid() {
            let (here, value) = self.iterator.current()?;
            if here.as_ref() >= key {
                return (here.as_ref() == key).then(|| value.to_vec());
            }
            self.iterator.advance();
        }
        None
    }
}

impl Iterator for Below {
    type Item = (Vec<u8>, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::replace(&mut self.begun, true) {
            self.iterator.advance();
        }
        if !self.iterator.valid() {
            return None;
        }
        let (key, value) = self.iterator.current()?;
        key.starts_with(&self.prefix).then(|| (key.to_vec(), value.to_vec()))
    }
}

/// A record's fields.
pub(super) struct Fields(Vec<(Value, Value)>);

impl Fields {
    /// Reads a record. Package records have a mark in front.
    pub fn read(mut bytes: &[u8]) -> Result<Fields> {
        if let Some(rest) = bytes.strip_prefix(b"\xc1\x01") {
            bytes = rest;
        }
        match rmpv::decode::read_value(&mut bytes).map_err(damaged)? {
            Value::Map(fields) => Ok(Fields(fields)),
            other => Err(damaged(format!("a record is no map but {other}"))),
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| bytes(key) == Some(name.as_bytes())).map(|(_, value)| value)
    }

    /// A text; empty when it is not there.
    pub fn text(&self, name: &str) -> String {
        self.get(name).map(text).unwrap_or_default()
    }

    /// A flag.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A number.
    pub fn number(&self, name: &str) -> u64 {
        self.get(name).and_then(Value::as_u64).unwrap_or(0)
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let list = self.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().map(text).collect()).unwrap_or_default()
    }

    /// A map of texts.
    pub fn map(&self, name: &str) -> Vec<(String, String)> {
        self.inner(name).map(|fields| fields.all()).unwrap_or_default()
    }

    /// A map.
    pub fn inner(&self, name: &str) -> Option<Fields> {
        Some(Fields(self.get(name)?.as_map()?.clone()))
    }

    /// A list of maps.
    pub fn each(&self, name: &str) -> Vec<Fields> {
        self.get(name).map(maps).unwrap_or_default()
    }

    /// All fields as texts.
    pub fn all(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(key, value)| (text(key), text(value))).collect()
    }

    /// A time; `None` for the zero time.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        time(bytes(self.get(name)?)?)
    }
}

/// A record that is a list of maps.
pub(super) fn list(mut bytes: &[u8]) -> Result<Vec<Fields>> {
    Ok(maps(&rmpv::decode::read_value(&mut bytes).map_err(damaged)?))
}

/// A record that is a list of texts.
pub(super) fn texts(mut bytes: &[u8]) -> Result<Vec<String>> {
    let value = rmpv::decode::read_value(&mut bytes).map_err(damaged)?;
    Ok(value.as_array().map(|list| list.iter().map(text).collect()).unwrap_or_default())
}

fn maps(value: &Value) -> Vec<Fields> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(|one| Some(Fields(one.as_map()?.clone()))).collect()
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::String(text) => Some(text.as_bytes()),
        Value::Binary(bytes) => Some(bytes),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    bytes(value).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

/// MessagePack's time in 4, 8 or 12 bytes, or Go's in 15.
fn time(bytes: &[u8]) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| {
        bytes.get(range).map(|part| part.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b)))
    };
    let (seconds, nanos) = match bytes.len() {
        4 => (i64::try_from(number(0..4)?).ok()?, 0),
        8 => (i64::try_from(number(0..8)? & 0x3_ffff_ffff).ok()?, number(0..8)? >> 34),
        12 => (number(4..12)?.cast_signed(), number(0..4)?),
        // Seconds since the year 1, then nanoseconds.
        15 if bytes[0] == 1 => (number(1..9)?.cast_signed() - 62_135_596_800, number(9..13)?),
        _ => return None,
    };
    let at = Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()?;
    // The zero time of Go.
    (seconds > -62_135_596_800).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_age_are_read() {
        let at = |bytes: &[u8]| time(bytes).map(|at| at.to_string());
        assert_eq!(at(b"\xc6<\xcf\xe4k\x0b+`").as_deref(), Some("2026-11-28T19:28:32.831468537Z"));
        assert_eq!(at(&[0x5f, 0, 0, 0]).as_deref(), Some("2020-07-04T04:05:20Z"));
        let go = [1, 0, 0, 0, 0x0e, 0xca, 0x29, 0x90, 0x70, 0, 0, 0, 0, 0xff, 0xff];
        assert_eq!(at(&go).as_deref(), Some("2013-11-28T19:28:48Z"));
        assert_eq!(at(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]), None, "the zero time");
        assert_eq!(at(b""), None);
    }
}
