//! Images: which there are, and the import of root file systems.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use bakery::{BakeError, Import, Run};
use cloud::Query as CloudQuery;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::inventory as shape;
use crate::body::{self, Unsaved};
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(images)).routes(routes!(import))
}

/// Which images are asked for.
#[derive(Deserialize, utoipa::IntoParams)]
struct ImageQuery {
    /// Part of the name.
    q: Option<String>,
    /// Of this provider.
    provider: Option<String>,
    /// In this account.
    account: Option<String>,
    /// At most so many.
    count: Option<usize>,
}

/// Images that can be deployed.
#[utoipa::path(get, path = "/images/find", params(ImageQuery), responses((status = OK, body = Vec<Object>)))]
async fn images(State(house): State<House>, Query(asked): Query<ImageQuery>) -> Result<Json<Value>, Problem> {
    let accounts = house.clouds.describe();
    let all = house.clouds.list(&CloudQuery::default()).await?.images;
    let provider = |name: &str| accounts.iter().find(|account| account.name == name).map(|a| a.provider.clone());
    let part = asked.q.as_deref().unwrap_or_default().trim_matches('*').to_lowercase();
    let fits = |image: &&cloud::inventory::Image| {
        image.name.to_lowercase().contains(&part)
            && asked.account.as_ref().is_none_or(|account| *account == image.account)
            && asked.provider.as_ref().is_none_or(|wanted| provider(&image.account).is_none_or(|p| p == *wanted))
    };
    Ok(Json(all.iter().filter(fits).take(asked.count.unwrap_or(1000)).map(shape::image).collect()))
}

/// What is imported, and how it runs.
#[derive(Deserialize, utoipa::IntoParams)]
struct ImportQuery {
    /// The image's name.
    name: String,
    /// JSON: `{"unit": NAME}` or `{"config": {"command": [WORDS], "env": {}, "port": N, "user": NAME, "directory": PATH}}`.
    run: String,
}

/// Makes an image of a root file system: the body is a tar archive, packed by gzip, bzip2, xz, zstd or not at all.
#[utoipa::path(post, path = "/images/import", params(ImportQuery), request_body(content_type = "application/octet-stream", content = String),
    responses((status = CREATED, body = Object), (status = OK, body = Object, description = "It was there already."), (status = BAD_REQUEST, body = Problem)))]
async fn import(
    State(house): State<House>,
    Query(asked): Query<ImportQuery>,
    archive: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let run: Run = serde_json::from_str(&asked.run)
        .map_err(|error| Problem::bad_request(format!("`run` does not say how it runs: {error}")))?;
    let received = house.bakery.receive();
    receive(archive, received.path()).await?;
    let import = Import { file: received.path().to_owned(), name: asked.name, run };
    let baked = house.bakery.import(import, |line| tracing::info!("image import: {line}")).await.map_err(told)?;
    let status = if baked.previously_baked { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(json!({"image": baked.image, "previouslyBaked": baked.previously_baked}))))
}

/// How long the archive may stand still on its way.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(30);

async fn receive(archive: Body, path: &std::path::Path) -> Result<(), Problem> {
    let disk = |error: std::io::Error| {
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, format!("the archive cannot be written down: {error}"))
    };
    let mut file = tokio::fs::File::create_new(path).await.map_err(disk)?;
    body::save(archive.into_data_stream(), &mut file, SILENCE).await.map_err(|why| match why {
        Unsaved::Disk(error) => disk(error),
        Unsaved::Broke => Problem::bad_request("the archive broke off on its way"),
        Unsaved::Still => Problem::new(StatusCode::REQUEST_TIMEOUT, "the archive stood still on its way"),
    })
}

/// What the archive or its description has wrong is the caller's; the rest is ours.
fn told(error: BakeError) -> Problem {
    match error {
        BakeError::ImageName(_) | BakeError::NoRun | BakeError::Unit { .. } => Problem::bad_request(error.to_string()),
        // The file's place here says nothing to whoever sent it.
        BakeError::Unpack { why, .. } => Problem::bad_request(format!("the archive cannot be unpacked: {why}")),
        other => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, other.to_string()),
    }
}
