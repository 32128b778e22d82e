//! What goes into a statement and comes out of a row. Four kinds, because both databases agree on these.

use crate::StoreError;

/// One parameter or one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// `bigint`; also truth (0, 1) and times (UTC milliseconds).
    Int(i64),
    /// `text`; also JSON and ids.
    Text(String),
    /// `blob`.
    Blob(Vec<u8>),
}

impl Value {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Int(_) => "a number",
            Value::Text(_) => "text",
            Value::Blob(_) => "bytes",
        }
    }
}

macro_rules! from {
    ($($type:ty => |$v:ident| $make:expr),* $(,)?) => {
        $(impl From<$type> for Value { fn from($v: $type) -> Self { $make } })*
    };
}

from! {
    &str => |v| Value::Text(v.to_owned()),
    String => |v| Value::Text(v),
    &String => |v| Value::Text(v.clone()),
    i64 => |v| Value::Int(v),
    i32 => |v| Value::Int(v.into()),
    u32 => |v| Value::Int(v.into()),
    u16 => |v| Value::Int(v.into()),
    u8 => |v| Value::Int(v.into()),
    bool => |v| Value::Int(v.into()),
    Vec<u8> => |v| Value::Blob(v),
    &[u8] => |v| Value::Blob(v.to_vec()),
    jiff::Timestamp => |v| Value::Int(v.as_millisecond()),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Value::Null, Into::into)
    }
}

/// The parameters of a statement: `tx.execute("… values (?1, ?2)", params![name, size])`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] };
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    fn at(&self, column: usize) -> &Value {
        self.0.get(column).unwrap_or(&Value::Null)
    }

    fn wrong<T>(&self, column: usize, wanted: &'static str) -> Result<T, StoreError> {
        let found = self.0.get(column).map_or("no such column", Value::kind);
        Err(StoreError::Column { column, wanted, found })
    }

    /// The number in column `column` (from 0).
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.at(column) {
            Value::Int(v) => Ok(*v),
            _ => self.wrong(column, "a number"),
        }
    }

    /// The text in column `column` (from 0).
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        match self.at(column) {
            Value::Text(v) => Ok(v.clone()),
            _ => self.wrong(column, "text"),
        }
    }

    /// The number in column `column`, or nothing.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.at(column) {
            Value::Null => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    /// The text in column `column`, or nothing.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        match self.at(column) {
            Value::Null => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// The bytes in column `column`.
    pub fn blob(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        match self.at(column) {
            Value::Blob(v) => Ok(v.clone()),
            _ => self.wrong(column, "bytes"),
        }
    }

    /// The bytes in column `column`, or nothing.
    pub fn opt_blob(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.at(column) {
            Value::Null => Ok(None),
            _ => self.blob(column).map(Some),
        }
    }

    /// The truth in column `column`: a number other than 0.
    pub fn bool(&self, column: usize) -> Result<bool, StoreError> {
        self.int(column).map(|v| v != 0)
    }

    /// The time in column `column`, kept as UTC milliseconds.
    pub fn time(&self, column: usize) -> Result<jiff::Timestamp, StoreError> {
        let millis = self.int(column)?;
        jiff::Timestamp::from_millisecond(millis).or_else(|_| self.wrong(column, "a time"))
    }

    /// The time in column `column`, or nothing.
    pub fn opt_time(&self, column: usize) -> Result<Option<jiff::Timestamp>, StoreError> {
        match self.at(column) {
            Value::Null => Ok(None),
            _ => self.time(column).map(Some),
        }
    }

    /// All columns, left to right.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0
    }
}
