//! How an error looks on the wire: the JSON that Spinnaker's clients read, made in one place.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::StoreError;
use store::clock::{Clock, SystemClock};

/// An error of a request.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// When, in milliseconds since 1970.
    timestamp: i64,
    /// The HTTP status.
    status: u16,
    /// The status in words.
    error: String,
    /// What kind of error; absent when the status says it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<String>,
    /// What is wrong, where, and what to do about it.
    message: String,
    /// Further findings, as a validator has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    /// The request's id, which is in the server's log, too.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Problem {
    /// An error of this status.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            timestamp: SystemClock.now().as_millisecond(),
            status: status.as_u16(),
            error: status.canonical_reason().unwrap_or("Error").into(),
            exception: None,
            message: message.into(),
            errors: Vec::new(),
            request_id: None,
        }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401: who asks is not known.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 403: who asks may not.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404: there is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 409: it changed meanwhile, or is in use.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 500: our fault. The cause is logged with the answer; the client gets it too, for causes carry no secrets.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// The same with the name of its kind.
    #[must_use]
    pub fn kind(mut self, exception: impl Into<String>) -> Self {
        self.exception = Some(exception.into());
        self
    }

    /// The same with further findings.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<String>) -> Self {
        self.errors = errors;
        self
    }

    /// The same with the id of the request that it answers.
    #[must_use]
    pub(crate) fn with_request(mut self, id: &str) -> Self {
        self.request_id = Some(id.to_owned());
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full { .. } => Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string()),
            StoreError::Unique { .. } => Self::conflict(error.to_string()),
            other => Self::internal(other.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.clone())).into_response();
        // So that whoever knows the request's id writes it in, and logs what is wrong.
        response.extensions_mut().insert(self);
        response
    }
}
