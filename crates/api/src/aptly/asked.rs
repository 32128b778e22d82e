//! What requests carry: query parameters, and bodies as JSON or as a form with the same names.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use super::Fault;

/// Query parameters; of a name that stands twice the first counts.
#[derive(Debug, Clone, Default)]
pub struct Params(HashMap<String, String>);

impl Params {
    /// Only `1` is yes.
    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value == "1")
    }

    /// What stands there, if it is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a task is the answer; `otherwise` when the request does not say.
    pub fn is_async(&self, otherwise: bool) -> bool {
        let off = ["n", "no", "f", "false", "0", "off"];
        self.text("_async").map_or(otherwise, |value| !off.contains(&value.to_ascii_lowercase().as_str()))
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned()))
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut found = HashMap::new();
        for (name, value) in pairs(parts.uri.query().unwrap_or_default()) {
            found.entry(name).or_insert(value);
        }
        Ok(Self(found))
    }
}

/// A body's fields. Those that are not known are passed over.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub Map<String, Value>);

impl Fields {
    /// A text, also an empty one.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// A text that must be there.
    pub fn required(&self, name: &str) -> Result<String, Fault> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| required(name))
    }

    /// A switch; nothing when it is not there.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(on) => Some(*on),
            Value::String(text) => Some(matches!(text.as_str(), "1" | "true")),
            Value::Number(number) => Some(number.as_i64() == Some(1)),
            _ => None,
        }
    }

    /// A list of texts; a single text is a list of one.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    /// The fields of an object below; none when it is not there.
    pub fn below(&self, name: &str) -> Fields {
        Fields(self.0.get(name).and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// A list of objects.
    pub fn objects(&self, name: &str) -> Vec<Fields> {
        objects(self.0.get(name))
    }
}

/// The objects of a list.
pub fn objects(list: Option<&Value>) -> Vec<Fields> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_object).cloned().map(Fields).collect()
}

/// The words for a field that is missing, by which clients know it.
pub fn required(name: &str) -> Fault {
    Fault::bad(format!("Key: '{name}' Error:Field validation for '{name}' failed on the 'required' tag"))
}

/// A body as JSON, whatever it is.
pub struct Document(pub Value);

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_json = kind.starts_with("application/json");
        let bytes = Bytes::from_request(request, state).await.map_err(|error| Fault::bad(error.body_text()))?;
        if is_json {
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return Err(Fault::bad("EOF"));
            }
            let read = crate::body::read(&bytes).map_err(|problem| Fault::bad(problem.message()))?;
            return Ok(Self(read));
        }
        let text = String::from_utf8_lossy(&bytes);
        let mut fields = Map::new();
        for (name, value) in pairs(&text) {
            match fields.get_mut(&name) {
                None => drop(fields.insert(name, value.into())),
                Some(Value::Array(list)) => list.push(value.into()),
                Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
            }
        }
        Ok(Self(Value::Object(fields)))
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        match Document::from_request(request, state).await?.0 {
            Value::Object(fields) => Ok(Self(fields)),
            Value::Null => Ok(Self::default()),
            _ => Err(Fault::bad("the body must be an object")),
        }
    }
}
