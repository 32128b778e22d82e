//! The control socket: HTTP/1.1 with JSON on a Unix socket, for this user alone.
//!
//! `PUT /wanted`, `GET /wanted`, `GET /status`, `GET /events?after=SEQ&wait=MS`, `GET /series?balancer=ID&since=MS`
//! (see [`crate::status::Series`]), `POST /handover`, `POST /stop`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::UnixStream;

use super::{Plane, PutError, handover};
use crate::unix;
use crate::wanted::Wanted;

/// The largest wanted state.
const LARGEST: usize = 64 << 20;

/// Serves one connection.
pub(super) async fn serve(plane: Arc<Plane>, stream: UnixStream) {
    let own = unix::is_own(&stream);
    let service = service_fn(move |request| {
        let plane = plane.clone();
        async move {
            if !own {
                return Ok::<_, Infallible>(text(
                    StatusCode::FORBIDDEN,
                    "only the user of this data plane may speak to it",
                ));
            }
            Ok(answer(&plane, request).await)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .serve_connection(TokioIo::new(stream), service);
    // A caller that breaks off is no event.
    let _ = connection.await;
}

async fn answer(plane: &Arc<Plane>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::PUT, "/wanted") => put(plane, request.into_body()).await,
        (&Method::GET, "/wanted") => json(&plane.wanted().await),
        (&Method::GET, "/status") => json(&plane.status().await),
        (&Method::GET, "/events") => {
            let number = |name: &str| parameter(request.uri().query(), name).and_then(|v| v.parse().ok());
            let wait = Duration::from_millis(number("wait").unwrap_or(0)).min(Duration::from_secs(60));
            json(&plane.journal().after(number("after").unwrap_or(0), wait).await)
        }
        (&Method::GET, "/series") => {
            let query = request.uri().query();
            let since = parameter(query, "since").and_then(|v| v.parse().ok()).unwrap_or(0);
            match plane.series(parameter(query, "balancer").unwrap_or_default(), since) {
                Some(series) => json(&series),
                None => text(StatusCode::NOT_FOUND, "there is no such balancer: give one as ?balancer=ID"),
            }
        }
        (&Method::POST, "/stop") => {
            plane.end();
            json(&serde_json::json!({ "stopping": true }))
        }
        (&Method::POST, "/handover") => {
            match plane.clone().hand_over(parameter(request.uri().query(), "lock") == Some("1")) {
                Ok(()) => json(&serde_json::json!({ "socket": handover::SOCKET })),
                Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
            }
        }
        _ => text(
            StatusCode::NOT_FOUND,
            "there are: PUT /wanted, GET /wanted, GET /status, GET /events, GET /series, POST /handover, POST /stop",
        ),
    }
}

async fn put(plane: &Plane, body: Incoming) -> Response<Full<Bytes>> {
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "the wanted state is incomplete or larger than 64 MiB");
    };
    let wanted: Wanted = match serde_json::from_slice(&body.to_bytes()) {
        Ok(wanted) => wanted,
        Err(error) => return text(StatusCode::BAD_REQUEST, &format!("the wanted state cannot be read: {error}")),
    };
    match plane.put(wanted).await {
        Ok(accepted) => json(&accepted),
        Err(error) => {
            let status = match error {
                PutError::Wrong(_) => StatusCode::BAD_REQUEST,
                PutError::Older { .. } | PutError::Differs(_) => StatusCode::CONFLICT,
                PutError::Disk { .. } => StatusCode::INSUFFICIENT_STORAGE,
            };
            text(status, &error.to_string())
        }
    }
}

fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    query?.split('&').find_map(|pair| pair.split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| v))
}

fn json(value: &impl Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_vec(value) {
        Ok(bytes) => respond(StatusCode::OK, "application/json", bytes),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn text(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
}

fn respond(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    answer
}
