//! What clients ask at every load and what is answered with nothing until the part that knows it is built: an empty collection is `[]`, never 404.

use access::Caller;
use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::House;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(plugins))
        .routes(routes!(notification_types))
        .routes(routes!(jobs))
        .routes(routes!(webhooks))
        .routes(routes!(banners))
        .routes(routes!(templates))
        .routes(routes!(templates_v2))
        .routes(routes!(artifact_accounts))
        .routes(routes!(quiet_period))
}

/// Plugins of the page; there are none.
#[utoipa::path(get, path = "/plugins/deck/plugin-manifest.json", responses((status = OK, body = Vec<Object>)))]
async fn plugins() -> Json<Value> {
    Json(json!([]))
}

/// Kinds of notifications.
#[utoipa::path(get, path = "/notifications/metadata", responses((status = OK, body = Vec<Object>)))]
async fn notification_types() -> Json<Value> {
    Json(json!([]))
}

/// Jobs that the operator prepared.
#[utoipa::path(get, path = "/jobs/preconfigured", responses((status = OK, body = Vec<Object>)))]
async fn jobs() -> Json<Value> {
    Json(json!([]))
}

/// Webhooks that the operator prepared.
#[utoipa::path(get, path = "/webhooks/preconfigured", responses((status = OK, body = Vec<Object>)))]
async fn webhooks(State(house): State<House>, Extension(caller): Extension<Caller>) -> Json<Value> {
    // Those that the caller may see; where they lead nobody sees.
    let seen = house.webhooks.iter().filter(|w| w.enabled != Some(false) && w.permits("READ", &caller.name));
    Json(seen.map(|webhook| webhook.listed()).collect())
}

/// What the operator tells everybody.
#[utoipa::path(get, path = "/banners", responses((status = OK, body = Vec<Object>)))]
async fn banners() -> Json<Value> {
    Json(json!([]))
}

/// Templates of the first kind.
#[utoipa::path(get, path = "/pipelineTemplates", responses((status = OK, body = Vec<Object>)))]
async fn templates() -> Json<Value> {
    Json(json!([]))
}

/// Templates of the second kind.
#[utoipa::path(get, path = "/v2/pipelineTemplates", responses((status = OK, body = Vec<Object>)))]
async fn templates_v2() -> Json<Value> {
    Json(json!([]))
}

/// Accounts that artifacts are fetched with.
#[utoipa::path(get, path = "/artifacts/credentials", responses((status = OK, body = Vec<Object>)))]
async fn artifact_accounts() -> Json<Value> {
    Json(json!([]))
}

/// The time in which no pipeline starts by itself; there is none.
#[utoipa::path(get, path = "/capabilities/quietPeriod", responses((status = OK, body = Object)))]
async fn quiet_period() -> Json<Value> {
    Json(json!({ "startTime": 0, "endTime": 0, "enabled": false, "inQuietPeriod": false }))
}
