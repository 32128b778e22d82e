//! What requests did, counted for Prometheus under the names that aptly's dashboards ask for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Aptly, Fault, nothing};
use crate::exposition::{Exposition, Kind, MEDIA_TYPE};

/// Methods that are counted under their own names; who asks by another one cannot make us remember it.
const METHODS: [Method; 5] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE];
/// So many upload folders are counted by name; those that come after them together.
const FOLDERS: usize = 1000;
/// The name of those that come after them.
const OTHERS: &str = "(others)";

/// What is counted.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Counts>);

/// A method, and the first two parts of a path.
type Asked = (&'static str, String);

#[derive(Debug, Default)]
struct Counts {
    in_flight: BTreeMap<Asked, i64>,
    /// By status code too.
    answered: BTreeMap<(u16, Asked), Answered>,
    /// Files by the folder that they were uploaded to.
    uploaded: BTreeMap<String, u64>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Answered {
    requests: u64,
    request_bytes: u64,
    response_bytes: u64,
    seconds: f64,
}

impl Metrics {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts files that were uploaded to a folder.
    pub fn uploaded(&self, folder: &str, files: u64) {
        let mut counts = self.lock();
        let known = counts.uploaded.len() < FOLDERS || counts.uploaded.contains_key(folder);
        *counts.uploaded.entry(if known { folder } else { OTHERS }.to_owned()).or_default() += files;
    }
}

/// A request that is being answered; counted as such until it is dropped, also when the client goes away.
struct InFlight<'a>(&'a Metrics, Asked);

impl<'a> InFlight<'a> {
    fn new(metrics: &'a Metrics, asked: Asked) -> Self {
        *metrics.lock().in_flight.entry(asked.clone()).or_default() += 1;
        Self(metrics, asked)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        *self.0.lock().in_flight.entry(self.1.clone()).or_default() -= 1;
    }
}

/// `/api/repos/x/packages` counts as `/api/repos`. Only routes come here, so there are few of them.
fn asked(request: &Request) -> Asked {
    let method = METHODS.iter().position(|method| method == request.method());
    let method = method.map_or("OTHER", |at| ["GET", "HEAD", "POST", "PUT", "DELETE"][at]);
    let path: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).take(2).collect();
    (method, format!("/{}", path.join("/")))
}

impl Aptly {
    /// Answers a request and counts it.
    pub(super) async fn counted(&self, request: Request, next: Next) -> Response {
        if !self.settings().metrics {
            return next.run(request).await;
        }
        let asked = asked(&request);
        let request_bytes = request.body().size_hint().exact().unwrap_or(0);
        let started = Instant::now();
        let in_flight = InFlight::new(self.metrics(), asked.clone());
        let answer = next.run(request).await;
        drop(in_flight);
        let mut counts = self.metrics().lock();
        let answered = counts.answered.entry((answer.status().as_u16(), asked)).or_default();
        answered.requests += 1;
        answered.request_bytes += request_bytes;
        answered.response_bytes += answer.body().size_hint().exact().unwrap_or(0);
        answered.seconds += started.elapsed().as_secs_f64();
        drop(counts);
        answer
    }
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// What Prometheus scrapes; not there unless `enableMetricsEndpoint` is set.
#[utoipa::path(get, path = "/api/metrics", responses((status = OK, body = String, content_type = "text/plain")))]
async fn metrics(State(aptly): State<Aptly>) -> Result<Response, Fault> {
    if !aptly.settings().metrics {
        return Ok(nothing().await.into_response());
    }
    let packages = aptly
        .blocking(|root| {
            let mut packages = Vec::new();
            for publication in root.publications()? {
                let sources: Vec<&str> = publication.sources.values().map(|source| source.name.as_str()).collect();
                let sources = format!("[{}]", sources.join(" "));
                for (component, count) in root.published_counts(&publication)? {
                    packages.push((sources.clone(), publication.distribution.clone(), component, count));
                }
            }
            Ok(packages)
        })
        .await?;
    let mut text = Exposition::default();
    requests(&mut text, &aptly.metrics().lock());
    text.family("aptly_build_info", Kind::Gauge, "The version that answers.");
    text.sample("aptly_build_info", &[("version", &aptly.settings().version), ("goversion", "")], 1);
    text.family("aptly_repos_package_count", Kind::Gauge, "Packages of a published component.");
    for (source, distribution, component, count) in &packages {
        let labels = [("source", &source[..]), ("distribution", distribution), ("component", component)];
        text.sample("aptly_repos_package_count", &labels, count);
    }
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text.finish()).into_response())
}

fn requests(text: &mut Exposition, counts: &Counts) {
    let name = "aptly_api_http_requests_in_flight";
    text.family(name, Kind::Gauge, "Requests that are being answered.");
    for ((method, path), count) in &counts.in_flight {
        text.sample(name, &[("method", method), ("path", path)], count);
    }
    let name = "aptly_api_http_requests_total";
    text.family(name, Kind::Counter, "Requests that were answered.");
    for ((code, (method, path)), answered) in &counts.answered {
        text.sample(name, &[("code", &code.to_string()), ("method", method), ("path", path)], answered.requests);
    }
    type Sum = fn(&Answered) -> f64;
    let summaries: [(&str, &str, Sum); 3] = [
        ("aptly_api_http_request_size_bytes", "Sizes of requests in bytes.", |one| one.request_bytes as f64),
        ("aptly_api_http_response_size_bytes", "Sizes of answers in bytes.", |one| one.response_bytes as f64),
        ("aptly_api_http_request_duration_seconds", "Times from request to answer in seconds.", |one| one.seconds),
    ];
    for (name, help, sum) in summaries {
        text.family(name, Kind::Summary, help);
        for ((code, (method, path)), answered) in &counts.answered {
            let code = code.to_string();
            let labels = [("code", &code[..]), ("method", method), ("path", path)];
            text.sample(&format!("{name}_sum"), &labels, sum(answered));
            text.sample(&format!("{name}_count"), &labels, answered.requests);
        }
    }
    let name = "aptly_api_files_uploaded_total";
    text.family(name, Kind::Counter, "Files that were uploaded.");
    for (folder, files) in &counts.uploaded {
        text.sample(name, &[("directory", folder)], files);
    }
}
