//! Whom an application tells what, as people keep it.

use access::Caller;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use pipeline::notifications;
use serde_json::{Map, Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(kinds)).routes(routes!(show, save, delete))
}

/// Kinds of notifications that can be sent; none yet.
#[utoipa::path(get, path = "/notifications/metadata", responses((status = OK, body = Vec<Object>)))]
async fn kinds() -> Json<Value> {
    Json(json!([]))
}

/// Whom a thing (`application` and its name) tells what.
#[utoipa::path(get, path = "/notifications/{type}/{name}", params(("type" = String, Path), ("name" = String, Path)),
    responses((status = OK, body = Object)))]
async fn show(State(house): State<House>, Path((kind, name)): Path<(String, String)>) -> Result<Json<Value>, Problem> {
    let (k, n) = (kind.clone(), name.clone());
    let found = house.read::<_, StoreError>(move |tx| notifications::get(tx, &k, &n)).await?;
    let mut document = found.unwrap_or_else(Map::new);
    document.entry(kind).or_insert_with(|| json!(name));
    Ok(Json(Value::Object(document)))
}

/// Keeps whom a thing tells what.
#[utoipa::path(post, path = "/notifications/{type}/{name}", params(("type" = String, Path), ("name" = String, Path)), request_body = Object,
    responses((status = OK), (status = BAD_REQUEST, body = Problem)))]
async fn save(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((kind, name)): Path<(String, String)>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let document = body.object("whom it tells what")?;
    house
        .write::<_, StoreError>(move |tx| notifications::save(tx, &kind, &name, &document, &caller.name).map(drop))
        .await?;
    Ok(StatusCode::OK)
}

/// Forgets it.
#[utoipa::path(delete, path = "/notifications/{type}/{name}", params(("type" = String, Path), ("name" = String, Path)),
    responses((status = OK)))]
async fn delete(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((kind, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    house.write::<_, StoreError>(move |tx| notifications::delete(tx, &kind, &name, &caller.name)).await?;
    Ok(StatusCode::OK)
}
