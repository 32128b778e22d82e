//! What Prometheus scrapes from a server: `/metrics`. Names begin with `gennaker_`, those of the process with `process_`; units are seconds and
//! bytes. aptly's own `/api/metrics` is in `aptly::metrics`.
//!
//! A scrape costs about the same whatever there is: counters are kept where things happen, the rest is a few looks into indexes, one question to
//! each account, and a status of each disk. No label holds an id of an execution or a path with one.

mod account;
mod archive;
mod engine;
mod process;
mod requests;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::House;
use crate::exposition::{Exposition, Kind, MEDIA_TYPE};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Which parts could be asked.
#[derive(Default)]
struct Parts(Vec<(String, bool)>);

impl Parts {
    /// Notes whether a part answered; a failure is logged and leaves its numbers out.
    fn note<T, E: std::fmt::Display>(&mut self, part: &str, answer: Result<T, E>) -> Option<T> {
        self.0.push((part.to_owned(), answer.is_ok()));
        answer.inspect_err(|error| tracing::warn!(%error, part, "a part cannot be measured")).ok()
    }
}

/// Gives the server's numbers in Prometheus' text format: queue, executions, stages, tasks, instances, load balancers, archives, requests, disks and process.
#[utoipa::path(get, path = "/metrics", responses((status = OK, body = String, content_type = "text/plain")))]
async fn metrics(State(house): State<House>) -> Response {
    let (mut text, mut parts) = (Exposition::default(), Parts::default());
    text.family("gennaker_build_info", Kind::Gauge, "The version that answers; always 1.");
    text.sample("gennaker_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    engine::write(&house, &mut text, &mut parts).await;
    account::write(&house, &mut text, &mut parts).await;
    archive::write(&house, &mut text, &mut parts).await;
    requests::write(&house, &mut text);
    process::write(&house, &mut text);
    text.family(
        "gennaker_scrape_success",
        Kind::Gauge,
        "Whether a part could be measured; without it its numbers are missing.",
    );
    for (part, well) in &parts.0 {
        text.sample("gennaker_scrape_success", &[("part", part)], u8::from(*well));
    }
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], text.finish()).into_response()
}

/// Milliseconds as seconds.
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
