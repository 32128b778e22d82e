//! The body of a request: JSON, read strictly (what two readers could understand differently is refused with its place), or a file.

use std::fmt;
use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt;

use crate::Problem;

/// A JSON body; an empty one is `null`. A key that stands twice in an object is an error, so are numbers that do not fit and nesting without end.
#[derive(Debug, Clone, PartialEq)]
pub struct Body(pub Value);

impl Body {
    /// The body as an object; `what` names it in the error.
    pub fn object(self, what: &str) -> Result<Map<String, Value>, Problem> {
        match self.0 {
            Value::Object(map) => Ok(map),
            other => Err(Problem::bad_request(format!("{what} must be a JSON object, not {}", kind(&other)))),
        }
    }

    /// The body as an object, an empty one when there is no body.
    pub fn object_or_empty(self, what: &str) -> Result<Map<String, Value>, Problem> {
        if self.0.is_null() { Ok(Map::new()) } else { self.object(what) }
    }

    /// The body as a list; `what` names it in the error.
    pub fn list(self, what: &str) -> Result<Vec<Value>, Problem> {
        match self.0 {
            Value::Array(list) => Ok(list),
            other => Err(Problem::bad_request(format!("{what} must be a JSON list, not {}", kind(&other)))),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        RawBody::from_request(request, state).await?.json()
    }
}

/// A body as it came, for whoever looks at its signature before its meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct RawBody(pub Bytes);

impl RawBody {
    /// The body, read.
    pub fn json(&self) -> Result<Body, Problem> {
        read(&self.0).map(Body)
    }
}

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await;
        bytes
            .map(Self)
            .map_err(|error| Problem::new(error.status(), format!("the body could not be read: {}", error.body_text())))
    }
}

/// Why a body did not become a file.
pub enum Unsaved {
    /// The disk.
    Disk(io::Error),
    /// It ended before its end.
    Broke,
    /// Nothing came for too long.
    Still,
}

/// Writes a body into a file, piece by piece; it may stand still for `silence`.
pub async fn save<E>(
    pieces: impl Stream<Item = Result<Bytes, E>>,
    file: &mut tokio::fs::File,
    silence: Duration,
) -> Result<(), Unsaved> {
    let mut pieces = pin!(pieces);
    loop {
        match tokio::time::timeout(silence, pieces.next()).await {
            Ok(Some(Ok(piece))) => file.write_all(&piece).await.map_err(Unsaved::Disk)?,
            Ok(Some(Err(_))) => return Err(Unsaved::Broke),
            Ok(None) => return file.flush().await.map_err(Unsaved::Disk),
            Err(_) => return Err(Unsaved::Still),
        }
    }
}

/// Reads strict JSON.
pub fn read(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    let strict: Strict = serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request(format!("the body is not good JSON: {error}")))?;
    Ok(strict.0)
}

/// A JSON value without doubled keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if map.contains_key(&key) {
                let shown: String = key.chars().take(60).collect();
                return Err(A::Error::custom(format!("the key \"{shown}\" stands twice in an object")));
            }
            let Strict(value) = members.next_value()?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let problem = read(text.as_bytes()).expect_err("refused");
        assert_eq!(problem.message(), expected);
    }

    #[test]
    fn good_json_is_read_as_it_is() {
        let text = r#"{"b": [1, -2, 2.5, true, null, "x"], "a": {"b": {}}}"#;
        let value = read(text.as_bytes()).expect("good");
        assert_eq!(value, serde_json::from_str::<Value>(text).expect("good"));
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), ["b", "a"], "the order is kept");
        assert_eq!(read(b" \n"), Ok(Value::Null));
    }

    #[test]
    fn what_could_be_understood_in_two_ways_is_refused_with_its_place() {
        refused(
            "{\"a\": 1,\n \"a\": 2}",
            "the body is not good JSON: the key \"a\" stands twice in an object at line 2 column 4",
        );
        refused("{\"a\": 1", "the body is not good JSON: EOF while parsing an object at line 1 column 7");
        let digits = "1".repeat(400);
        refused(&digits, "the body is not good JSON: number out of range at line 1 column 400");
        let deep = "[".repeat(10_000);
        refused(&deep, "the body is not good JSON: recursion limit exceeded at line 1 column 128");
    }
}
