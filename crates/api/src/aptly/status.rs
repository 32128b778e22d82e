//! Version, health, disk, cleanup, the graph.

use std::io::Write as _;
use std::process::{Command, Stdio};

use apt::Root;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use stages::room::Disk;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::Params;
use super::tasks::EVERYTHING;
use super::{Answer, Aptly, Fault};

/// What a graph may be drawn as, and how that is told.
const PICTURES: [(&str, &str); 3] = [("png", "image/png"), ("svg", "image/svg+xml"), ("pdf", "application/pdf")];

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new()
        .routes(routes!(version))
        .routes(routes!(ready))
        .routes(routes!(healthy))
        .routes(routes!(storage))
        .routes(routes!(s3))
        .routes(routes!(cleanup))
        .routes(routes!(graph))
        .route("/api/gcs", get(none))
        .route("/api/jfrog", get(none))
}

/// The version of aptly whose behaviour this is.
#[utoipa::path(get, path = "/api/version", responses((status = OK, body = Object)))]
async fn version(State(aptly): State<Aptly>) -> Answer {
    Answer::ok(json!({"Version": aptly.settings().version}))
}

/// Whether the root can be read.
#[utoipa::path(get, path = "/api/ready", responses((status = OK, body = Object)))]
async fn ready(State(aptly): State<Aptly>) -> Result<Answer, Fault> {
    let opens = aptly.blocking(|root| Ok(root.repos().map(drop)?)).await;
    match opens {
        Ok(()) => Ok(Answer::ok(json!({"Status": "Aptly is ready"}))),
        Err(_) => Ok(Answer(StatusCode::SERVICE_UNAVAILABLE, json!({"Status": "Aptly is unavailable"}))),
    }
}

/// Whether the server answers.
#[utoipa::path(get, path = "/api/healthy", responses((status = OK, body = Object)))]
async fn healthy() -> Answer {
    Answer::ok(json!({"Status": "Aptly is healthy"}))
}

/// Total and free MiB of the root's file system.
#[utoipa::path(get, path = "/api/storage", responses((status = OK, body = Object)))]
async fn storage(State(aptly): State<Aptly>) -> Result<Answer, Fault> {
    let told = aptly.blocking(|root| {
        let wrong = || Fault::internal(format!("cannot look at the disk of {}", root.path().display()));
        let disk = Disk::of(root.path()).ok_or_else(wrong)?;
        let (total, free) = (disk.total >> 20, disk.free >> 20);
        let full = if total == 0 { 0.0 } else { 100.0 * (total - free.min(total)) as f64 / total as f64 };
        Ok(json!({"Total": total, "Free": free, "PercentFull": full}))
    });
    Ok(Answer::ok(told.await?))
}

/// The names of the buckets that can be published to.
#[utoipa::path(get, path = "/api/s3", responses((status = OK, body = Object)))]
async fn s3(State(aptly): State<Aptly>) -> Result<Answer, Fault> {
    Ok(Answer::ok(aptly.root()?.storages("s3")))
}

/// Nothing can be published there.
async fn none() -> Answer {
    Answer::ok(json!([]))
}

/// Removes packages and files that nothing refers to.
#[utoipa::path(post, path = "/api/db/cleanup", responses((status = OK, body = Object)))]
async fn cleanup(State(aptly): State<Aptly>, params: Params) -> Response {
    let work = |root: &Root, sink: &mut dyn FnMut(apt::Line)| {
        root.cleanup(false, false, sink)?;
        Ok(Answer::ok(Value::Null))
    };
    aptly.task(&params, "Clean up db".into(), vec![EVERYTHING.into()], work).await
}

/// `graph.EXT`: the language of `dot` itself, or a picture.
#[utoipa::path(get, path = "/api/{graph}", params(("graph" = String, Path)), responses((status = OK, body = Object)))]
async fn graph(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params) -> Result<Response, Fault> {
    let extension = name.strip_prefix("graph.").map(str::to_owned);
    let Some(extension) = extension else { return Ok(super::nothing().await.into_response()) };
    let vertical = params.text("layout") == Some("vertical");
    let text = aptly.blocking(move |root| Ok(root.dot(vertical)?)).await?;
    if matches!(extension.as_str(), "dot" | "gv") {
        return Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response());
    }
    let picture = PICTURES.iter().find(|(known, _)| *known == extension);
    let Some((format, kind)) = picture else {
        return Err(Fault::bad(format!("{extension} is no format of a graph: dot, gv, png, svg, pdf")));
    };
    let drawn = tokio::task::spawn_blocking(move || draw(&text, format)).await;
    let bytes = drawn.map_err(|error| Fault::internal(error.to_string()))??;
    Ok(([(header::CONTENT_TYPE, *kind)], bytes).into_response())
}

fn draw(text: &str, format: &str) -> Result<Vec<u8>, Fault> {
    let failed =
        |error: std::io::Error| Fault::internal(format!("unable to execute dot: {error}; is graphviz installed?"));
    let mut dot = Command::new("dot");
    dot.arg(format!("-T{format}")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = dot.spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // It reads everything before it draws.
        let _ = input.write_all(text.as_bytes());
    }
    let done = child.wait_with_output().map_err(failed)?;
    if done.status.success() { Ok(done.stdout) } else { Err(Fault::internal("dot failed")) }
}
