//! What each request goes through before anything else: it gets an id, which is in its answer and in every line that is logged for it, it is
//! counted, and what went wrong on our side is logged.
//!
//! Paths are logged as their routes, so that no id of a thing and no token of a query gets into the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use events::meter::{Counters, Histogram, MOMENTS};
use store::Store;
use tracing::Instrument;

use crate::Problem;
use crate::audit::Noting;
use crate::watched::Watched;

/// Where an id is taken from, and told.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// A longer one is replaced.
const LONGEST: usize = 64;

/// What a request is about, for counts: few words, whatever strangers ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Spinnaker's shapes, at the root.
    Gate,
    /// What only the page asks.
    Page,
    /// The page's files.
    Files,
    /// aptly's API.
    Aptly,
    /// What comes in from git hosts and others.
    Webhook,
    /// Health and metrics.
    Watch,
    /// No address of ours.
    Nothing,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 7] =
        [Class::Gate, Class::Page, Class::Files, Class::Aptly, Class::Webhook, Class::Watch, Class::Nothing];

    /// As a label.
    pub fn word(self) -> &'static str {
        match self {
            Class::Gate => "gate",
            Class::Page => "page",
            Class::Files => "files",
            Class::Aptly => "aptly",
            Class::Webhook => "webhook",
            Class::Watch => "watch",
            Class::Nothing => "nothing",
        }
    }

    fn of(route: Option<&str>) -> Class {
        let Some(route) = route else { return Class::Nothing };
        let first = route.trim_start_matches('/').split('/').next().unwrap_or_default();
        match first {
            "ui-api" => Class::Page,
            "" | "ui" => Class::Files,
            "api" | "repos" => Class::Aptly,
            "webhooks" => Class::Webhook,
            "health" | "metrics" | "version" => Class::Watch,
            _ => Class::Gate,
        }
    }
}

/// Requests since the start.
pub struct Requests {
    /// By class, method and status.
    pub answered: Counters<(Class, &'static str, u16)>,
    times: Vec<(Class, Histogram)>,
    running: AtomicI64,
}

impl Default for Requests {
    fn default() -> Self {
        let times = Class::ALL.into_iter().map(|class| (class, Histogram::new(MOMENTS))).collect();
        Self { answered: Counters::default(), times, running: AtomicI64::new(0) }
    }
}

impl Requests {
    /// How long they took until their answer began, by class.
    pub fn times(&self) -> impl Iterator<Item = (Class, &Histogram)> {
        self.times.iter().map(|(class, times)| (*class, times))
    }

    /// How many are being answered.
    pub fn running(&self) -> i64 {
        self.running.load(Relaxed)
    }

    fn count(&self, class: Class, method: &'static str, status: StatusCode, took: Duration) {
        self.answered.count((class, method, status.as_u16()));
        if let Some((_, times)) = self.times.iter().find(|(of, _)| *of == class) {
            times.observe(took);
        }
    }
}

/// Methods that are counted under their own names; who asks by another one cannot make us remember it.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// One that is being answered, until it is dropped: also when the client goes away.
struct Running<'a>(&'a Requests);

impl<'a> Running<'a> {
    fn new(requests: &'a Requests) -> Self {
        requests.running.fetch_add(1, Relaxed);
        Self(requests)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

/// What the way of a request needs.
#[derive(Clone)]
pub(crate) struct Way {
    pub watched: Arc<Watched>,
    pub store: Store,
}

/// Answers a request under its id.
pub(crate) async fn watch(State(way): State<Way>, mut request: Request, next: Next) -> Response {
    let id = given(&request).unwrap_or_else(|| way.store.ids().ulid(way.store.clock().now()));
    let path = request.extensions().get::<MatchedPath>().cloned();
    let route = path.as_ref().map(MatchedPath::as_str);
    let (class, method) = (Class::of(route), word(request.method()));
    let noting = Noting::of(&mut request, route, &id, &way.store);
    let began = Instant::now();
    // At the level of errors, so that no filter leaves it out where an error is shown.
    let span = tracing::error_span!("request", id);
    let requests = &way.watched.requests;
    let running = Running::new(requests);
    let done = async {
        let mut response = next.run(request).await;
        let (status, took) = (response.status(), began.elapsed());
        requests.count(class, method, status, took);
        let problem = response.extensions_mut().remove::<Problem>();
        if let Some(noting) = noting {
            noting.answered(status).await;
        }
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let route = route.unwrap_or("(no route)");
        // A server that is not ready says so to whoever asks, and once in its log.
        if status.is_server_error() && class != Class::Watch {
            let why = problem.as_ref().map(Problem::message).unwrap_or_default();
            tracing::error!(method, route, status = status.as_u16(), millis, why, "a request failed");
        } else {
            tracing::debug!(method, route, status = status.as_u16(), millis, "answered");
        }
        (response, problem)
    };
    let (response, problem) = done.instrument(span).await;
    drop(running);
    named(response, problem, &id)
}

/// The answer with the id: as a header, and in the body of a problem.
fn named(response: Response, problem: Option<Problem>, id: &str) -> Response {
    let mut response = match problem {
        None => response,
        Some(problem) => {
            let (mut head, _) = response.into_parts();
            let (body_head, body) = Json(problem.with_request(id)).into_response().into_parts();
            head.headers.remove(axum::http::header::CONTENT_LENGTH);
            head.headers.extend(body_head.headers);
            Response::from_parts(head, body)
        }
    };
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// An id that came with the request, if it is one that can be shown and searched for.
fn given(request: &Request) -> Option<String> {
    let id = request.headers().get(HEADER)?.to_str().ok()?;
    let sane = (1..=LONGEST).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    sane.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn an_id_that_came_is_taken_only_if_it_can_be_shown() {
        let given = |id: &str| {
            let request = Request::builder().header(HEADER, HeaderValue::from_bytes(id.as_bytes()).expect("a value"));
            given(&request.body(Body::empty()).expect("a request"))
        };
        for good in ["a", "01J8Z3.x_y-z", &"x".repeat(64)] {
            assert_eq!(given(good).as_deref(), Some(good));
        }
        for bad in ["", "a b", "a\tb", "é", "{x}", "a=b", &"x".repeat(65)] {
            assert_eq!(given(bad), None, "{bad}");
        }
    }

    #[test]
    fn routes_are_counted_by_their_first_part() {
        for (route, class) in [
            (Some("/applications/{application}/pipelines"), Class::Gate),
            (Some("/ui-api/home"), Class::Page),
            (Some("/ui/{*path}"), Class::Files),
            (Some("/"), Class::Files),
            (Some("/api/repos/{name}"), Class::Aptly),
            (Some("/webhooks/{kind}/{source}"), Class::Webhook),
            (Some("/health/ready"), Class::Watch),
            (None, Class::Nothing),
        ] {
            assert_eq!(Class::of(route), class, "{route:?}");
        }
    }
}
