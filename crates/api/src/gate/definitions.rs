//! Saved pipelines and strategies, read.

use axum::Json;
use axum::extract::{Path, Query, State};
use pipeline::pipelines;
use serde_json::{Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::applications::{Limit, states};
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(of_application))
        .routes(routes!(show))
        .routes(routes!(strategies))
        .routes(routes!(strategy))
        .routes(routes!(all))
        .routes(routes!(all_strategies))
        .routes(routes!(history))
}

/// An application's pipelines, in their order.
#[utoipa::path(get, path = "/applications/{application}/pipelineConfigs", params(("application" = String, Path)),
    responses((status = OK, body = Vec<Object>)))]
async fn of_application(State(house): State<House>, Path(application): Path<String>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(move |tx| pipelines::of_application(tx, &application, Some(false))).await?;
    Ok(Json(json!(all)))
}

/// One pipeline of an application, by its name or id.
#[utoipa::path(get, path = "/applications/{application}/pipelineConfigs/{pipeline}",
    params(("application" = String, Path), ("pipeline" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn show(
    State(house): State<House>,
    Path((application, name)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let wanted = name.clone();
    let found = house.read::<_, StoreError>(move |tx| pipelines::by_name_or_id(tx, &application, &wanted)).await?;
    found
        .map(|found| Json(Value::Object(found)))
        .ok_or_else(|| Problem::not_found(format!("there is no pipeline '{name}'")))
}

/// An application's strategies, in their order.
#[utoipa::path(get, path = "/applications/{application}/strategyConfigs", params(("application" = String, Path)),
    responses((status = OK, body = Vec<Object>)))]
async fn strategies(State(house): State<House>, Path(application): Path<String>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(move |tx| pipelines::of_application(tx, &application, Some(true))).await?;
    Ok(Json(json!(all)))
}

/// One strategy of an application, by its name or id.
#[utoipa::path(get, path = "/applications/{application}/strategyConfigs/{strategy}",
    params(("application" = String, Path), ("strategy" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn strategy(
    State(house): State<House>,
    Path((application, name)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let wanted = name.clone();
    let found = house.read::<_, StoreError>(move |tx| pipelines::strategy(tx, &application, &wanted)).await?;
    found
        .map(|found| Json(Value::Object(found)))
        .ok_or_else(|| Problem::not_found(format!("there is no strategy '{name}'")))
}

/// All pipelines.
#[utoipa::path(get, path = "/pipelineConfigs", responses((status = OK, body = Vec<Object>)))]
async fn all(State(house): State<House>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(|tx| pipelines::all(tx, false)).await?;
    Ok(Json(json!(all)))
}

/// All strategies.
#[utoipa::path(get, path = "/strategyConfigs", responses((status = OK, body = Vec<Object>)))]
async fn all_strategies(State(house): State<House>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(|tx| pipelines::all(tx, true)).await?;
    Ok(Json(json!(all)))
}

/// A pipeline's saved states, newest first.
#[utoipa::path(get, path = "/pipelineConfigs/{id}/history", params(("id" = String, Path), Limit), responses((status = OK, body = Vec<Object>)))]
async fn history(
    State(house): State<House>,
    Path(id): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(states(&house, "pipeline", id, limit).await?))
}
