//! Answers as aptly gives them: a status with JSON, or `{"error": …}`.

use apt::Error;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What was done.
#[derive(Debug, Clone)]
pub struct Answer(pub StatusCode, pub Value);

impl Answer {
    /// 200 with this.
    pub fn ok(value: impl Into<Value>) -> Self {
        Self(StatusCode::OK, value.into())
    }

    /// 201 with this.
    pub fn created(value: impl Into<Value>) -> Self {
        Self(StatusCode::CREATED, value.into())
    }

    /// 200 with `{}`.
    pub fn nothing() -> Self {
        Self::ok(json!({}))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

/// What went wrong.
#[derive(Debug, Clone)]
pub struct Fault {
    /// How it is told to programs.
    pub status: StatusCode,
    /// How it is told to people.
    pub message: String,
}

impl Fault {
    /// This status with this sentence.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 500.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// 503.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// The same with other words for a conflict: some routes answer 400 to it.
    pub fn conflict_as(mut self, status: StatusCode) -> Self {
        if self.status == StatusCode::CONFLICT {
            self.status = status;
        }
        self
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::Conflict(_) => StatusCode::CONFLICT,
            Error::Invalid(_) | Error::Name(_) | Error::Query(_) => StatusCode::BAD_REQUEST,
            _ if error.is_full() => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.message}))).into_response()
    }
}
