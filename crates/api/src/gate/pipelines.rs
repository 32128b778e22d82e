//! Saved pipelines and strategies, changed.

use access::Caller;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use pipeline::pipelines::{self, PipelineError};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use stages::circles;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(save))
        .routes(routes!(save_strategy))
        .routes(routes!(save_all))
        .routes(routes!(update))
        .routes(routes!(rename))
        .routes(routes!(rename_strategy))
        .routes(routes!(reorder))
        .routes(routes!(reorder_strategies))
        .routes(routes!(update_strategy))
        .routes(routes!(delete))
        .routes(routes!(delete_strategy))
}

/// Whether a lost update is looked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Stale {
    /// Refuse when somebody saved it since it was read (`updateTs`).
    stale_check: Option<bool>,
}

/// Saves a pipeline; one without `id` gets one.
#[utoipa::path(post, path = "/pipelines", params(Stale), request_body = Object,
    responses((status = OK), (status = BAD_REQUEST, body = Problem)))]
async fn save(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(stale): Query<Stale>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let pipeline = body.object("a pipeline")?;
    keep(&house, pipeline, stale.stale_check.unwrap_or(false), caller).await?;
    Ok(StatusCode::OK)
}

/// Saves a strategy: a pipeline that deploys.
#[utoipa::path(post, path = "/strategies", params(Stale), request_body = Object,
    responses((status = OK), (status = BAD_REQUEST, body = Problem)))]
async fn save_strategy(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(stale): Query<Stale>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let mut strategy = body.object("a strategy")?;
    strategy.insert("strategy".into(), json!(true));
    keep(&house, strategy, stale.stale_check.unwrap_or(false), caller).await?;
    Ok(StatusCode::OK)
}

/// Whose pipelines are saved.
#[derive(Deserialize, utoipa::IntoParams)]
struct Of {
    /// The application; absent means that of each pipeline.
    application: Option<String>,
}

impl Of {
    fn is(&self, pipeline: &Map<String, Value>) -> bool {
        let own = pipeline.get("application").and_then(Value::as_str).unwrap_or_default();
        self.application.as_deref().is_none_or(|application| application.eq_ignore_ascii_case(own))
    }
}

/// Saves many; each for itself.
#[utoipa::path(post, path = "/pipelines/bulksave", params(Of), request_body = Vec<Object>, responses((status = OK, body = Object)))]
async fn save_all(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(of): Query<Of>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let (mut saved, mut failed) = (Vec::new(), Vec::new());
    for pipeline in body.list("the pipelines")? {
        let name = pipeline["name"].clone();
        let done = match pipeline {
            Value::Object(pipeline) if !of.is(&pipeline) => {
                Err(Problem::bad_request("$.application: is not the application of this request"))
            }
            Value::Object(pipeline) => keep(&house, pipeline, false, caller.clone()).await,
            _ => Err(Problem::bad_request("a pipeline must be a JSON object")),
        };
        match done {
            Ok(_) => saved.push(name),
            Err(problem) => failed.push(json!({ "name": name, "errorMsg": problem.message() })),
        }
    }
    Ok(Json(json!({
        "successful_pipelines_count": saved.len(),
        "successful_pipelines": saved,
        "failed_pipelines_count": failed.len(),
        "failed_pipelines": failed,
    })))
}

/// Saves a pipeline under the id in the path and answers what is kept.
#[utoipa::path(put, path = "/pipelines/{id}", params(("id" = String, Path)), request_body = Object,
    responses((status = OK, body = Object), (status = BAD_REQUEST, body = Problem)))]
async fn update(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    replace(&house, caller, id, body.object("a pipeline")?).await
}

/// Saves a strategy under the id in the path and answers what is kept.
#[utoipa::path(put, path = "/strategies/{id}", params(("id" = String, Path)), request_body = Object,
    responses((status = OK, body = Object), (status = BAD_REQUEST, body = Problem)))]
async fn update_strategy(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let mut strategy = body.object("a strategy")?;
    strategy.insert("strategy".into(), json!(true));
    replace(&house, caller, id, strategy).await
}

async fn replace(
    house: &House,
    caller: Caller,
    id: String,
    mut pipeline: Map<String, Value>,
) -> Result<Json<Value>, Problem> {
    let own = pipeline.get("id").and_then(Value::as_str).filter(|own| !own.is_empty());
    if let Some(own) = own.filter(|own| *own != id) {
        return Err(Problem::bad_request(format!("$.id: is {own}, but the path names {id}")));
    }
    pipeline.insert("id".into(), json!(id));
    Ok(Json(Value::Object(keep(house, pipeline, false, caller).await?)))
}

async fn keep(
    house: &House,
    pipeline: Map<String, Value>,
    stale_check: bool,
    caller: Caller,
) -> Result<Map<String, Value>, Problem> {
    house.write::<_, PipelineError>(move |tx| circles::save(tx, &pipeline, stale_check, &caller.name)).await
}

/// A new name for a pipeline.
#[derive(Deserialize, utoipa::ToSchema)]
struct Rename {
    /// The application.
    application: String,
    /// The name now.
    from: String,
    /// The name from now on.
    to: String,
}

/// Renames a pipeline.
#[utoipa::path(post, path = "/pipelines/move", request_body = Rename, responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn rename(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Json(rename): Json<Rename>,
) -> Result<StatusCode, Problem> {
    renamed(&house, caller, rename, false).await
}

/// Renames a strategy.
#[utoipa::path(post, path = "/strategies/move", request_body = Rename, responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn rename_strategy(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Json(rename): Json<Rename>,
) -> Result<StatusCode, Problem> {
    renamed(&house, caller, rename, true).await
}

async fn renamed(house: &House, caller: Caller, rename: Rename, strategy: bool) -> Result<StatusCode, Problem> {
    house
        .write::<_, PipelineError>(move |tx| {
            let find = if strategy { pipelines::strategy } else { pipelines::by_name_or_id };
            let found = find(tx, &rename.application, &rename.from)?;
            let mut pipeline = found.ok_or_else(|| PipelineError::Unknown(rename.from.clone()))?;
            pipeline.insert("name".into(), json!(rename.to));
            pipelines::save(tx, &pipeline, false, &caller.name)
        })
        .await?;
    Ok(StatusCode::OK)
}

/// Puts pipelines into another order: `{application, idsToIndices: {id: place}}`.
#[utoipa::path(post, path = "/actions/pipelines/reorder", request_body = Object, responses((status = OK, body = Object)))]
async fn reorder(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    reordered(&house, caller, body.object("the new order")?).await
}

/// Puts strategies into another order: `{application, idsToIndices: {id: place}}`.
#[utoipa::path(post, path = "/actions/strategies/reorder", request_body = Object, responses((status = OK, body = Object)))]
async fn reorder_strategies(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    reordered(&house, caller, body.object("the new order")?).await
}

async fn reordered(house: &House, caller: Caller, body: Map<String, Value>) -> Result<Json<Value>, Problem> {
    let Some(Value::Object(places)) = body.get("idsToIndices").cloned() else {
        return Err(Problem::bad_request("idsToIndices must be an object: id of a pipeline and its place"));
    };
    house.write::<_, PipelineError>(move |tx| pipelines::reorder(tx, &places, &caller.name)).await?;
    Ok(Json(json!({ "status": "SUCCEEDED" })))
}

/// Deletes a pipeline.
#[utoipa::path(delete, path = "/pipelines/{application}/{pipeline}", params(("application" = String, Path), ("pipeline" = String, Path)),
    responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn delete(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((application, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    house.write::<_, PipelineError>(move |tx| pipelines::delete(tx, &application, &name, false, &caller.name)).await?;
    Ok(StatusCode::OK)
}

/// Deletes a strategy.
#[utoipa::path(delete, path = "/strategies/{application}/{strategy}", params(("application" = String, Path), ("strategy" = String, Path)),
    responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn delete_strategy(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((application, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    house.write::<_, PipelineError>(move |tx| pipelines::delete(tx, &application, &name, true, &caller.name)).await?;
    Ok(StatusCode::OK)
}
