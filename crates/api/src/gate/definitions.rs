//! Saved pipelines and strategies, read: as they are, and as they were.

use access::Caller;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use pipeline::pipelines::{self, PipelineError};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::history::{self, Limit};
use crate::query::Query;
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
        .routes(routes!(past))
        .routes(routes!(past_of_strategy))
        .routes(routes!(past_state))
        .routes(routes!(restore))
        .routes(routes!(past_by_name))
        .routes(routes!(past_state_by_name))
        .routes(routes!(restore_by_name))
        .routes(routes!(convert))
}

/// Which pipelines of an application are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Which {
    /// Only those whose name holds this text.
    pipeline_name_filter: Option<String>,
    /// So many at most.
    pipeline_limit: Option<usize>,
}

/// An application's pipelines, in their order.
#[utoipa::path(get, path = "/applications/{application}/pipelineConfigs", params(("application" = String, Path), Which),
    responses((status = OK, body = Vec<Object>)))]
async fn of_application(
    State(house): State<House>,
    Path(application): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Value>, Problem> {
    let mut all =
        house.read::<_, StoreError>(move |tx| pipelines::of_application(tx, &application, Some(false))).await?;
    let part = which.pipeline_name_filter.unwrap_or_default().to_lowercase();
    all.retain(|one| one.get("name").and_then(Value::as_str).unwrap_or_default().to_lowercase().contains(&part));
    all.truncate(which.pipeline_limit.unwrap_or(usize::MAX));
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
async fn past(
    State(house): State<House>,
    Path(id): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(history::states(&house, "pipeline", id, limit).await?))
}

/// A strategy's saved states, newest first.
#[utoipa::path(get, path = "/strategyConfigs/{id}/history", params(("id" = String, Path), Limit), responses((status = OK, body = Vec<Object>)))]
async fn past_of_strategy(
    State(house): State<House>,
    Path(id): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(history::states(&house, "pipeline", id, limit).await?))
}

/// One saved state of a pipeline.
#[utoipa::path(get, path = "/pipelineConfigs/{id}/history/{number}", params(("id" = String, Path), ("number" = i64, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn past_state(
    State(house): State<House>,
    Path((id, number)): Path<(String, i64)>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(history::state(&house, "pipeline", id, number).await?))
}

/// Makes a pipeline what it was then; also one that was deleted.
#[utoipa::path(post, path = "/pipelineConfigs/{id}/history/{number}/restore", params(("id" = String, Path), ("number" = i64, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn restore(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((id, number)): Path<(String, i64)>,
) -> Result<Json<Value>, Problem> {
    let saved = house.write::<_, PipelineError>(move |tx| pipelines::restore(tx, &id, number, &caller.name)).await?;
    Ok(Json(Value::Object(saved)))
}

/// The id of a pipeline that is there, or was.
async fn id_of(house: &House, application: String, name: String) -> Result<String, Problem> {
    let wanted = name.clone();
    let found = house.read::<_, StoreError>(move |tx| pipelines::id_of(tx, &application, &wanted)).await?;
    found.ok_or_else(|| Problem::not_found(format!("there is no pipeline '{name}', and there was none")))
}

/// The saved states of a pipeline named by its application and its name or id; also of one that was deleted.
#[utoipa::path(get, path = "/applications/{application}/pipelineConfigs/{pipeline}/history",
    params(("application" = String, Path), ("pipeline" = String, Path), Limit),
    responses((status = OK, body = Vec<Object>), (status = NOT_FOUND, body = Problem)))]
async fn past_by_name(
    State(house): State<House>,
    Path((application, name)): Path<(String, String)>,
    Query(limit): Query<Limit>,
) -> Result<Json<Value>, Problem> {
    let id = id_of(&house, application, name).await?;
    Ok(Json(history::states(&house, "pipeline", id, limit).await?))
}

/// One of them.
#[utoipa::path(get, path = "/applications/{application}/pipelineConfigs/{pipeline}/history/{number}",
    params(("application" = String, Path), ("pipeline" = String, Path), ("number" = i64, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn past_state_by_name(
    State(house): State<House>,
    Path((application, name, number)): Path<(String, String, i64)>,
) -> Result<Json<Value>, Problem> {
    let id = id_of(&house, application, name).await?;
    Ok(Json(history::state(&house, "pipeline", id, number).await?))
}

/// Makes the pipeline what it was then; also one that was deleted.
#[utoipa::path(post, path = "/applications/{application}/pipelineConfigs/{pipeline}/history/{number}/restore",
    params(("application" = String, Path), ("pipeline" = String, Path), ("number" = i64, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn restore_by_name(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((application, name, number)): Path<(String, String, i64)>,
) -> Result<Json<Value>, Problem> {
    let id = id_of(&house, application, name).await?;
    let saved = house.write::<_, PipelineError>(move |tx| pipelines::restore(tx, &id, number, &caller.name)).await?;
    Ok(Json(Value::Object(saved)))
}

/// A pipeline as a template of the first kind, as text of YAML: a beginning for whoever writes one.
#[utoipa::path(get, path = "/pipelineConfigs/{id}/convertToTemplate", params(("id" = String, Path)),
    responses((status = OK, body = String), (status = NOT_FOUND, body = Problem)))]
async fn convert(State(house): State<House>, Path(id): Path<String>) -> Result<String, Problem> {
    let wanted = id.clone();
    let found = house.read::<_, StoreError>(move |tx| pipelines::by_id(tx, &wanted)).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no pipeline {id}")))?;
    Ok(expr::print_yaml(&converted(&found)))
}

/// `refId` and `requisiteStageRefIds` become `id` and `dependsOn`, the rest of a stage its `config`.
fn converted(pipeline: &Map<String, Value>) -> Value {
    let list = |key: &str| pipeline.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let named = |key: &str| -> Vec<Value> {
        let mut all = list(key);
        for (place, one) in all.iter_mut().enumerate() {
            if let Some(map) = one.as_object_mut() {
                let kind = map.get("type").and_then(Value::as_str).unwrap_or("unnamed").to_owned();
                map.entry("name").or_insert_with(|| json!(format!("{kind}{place}")));
            }
        }
        all
    };
    let id = |stage: &Value, reference: &Value| {
        json!(format!("{}{}", stage["type"].as_str().unwrap_or("stage"), reference.as_str().unwrap_or_default()))
    };
    let all = list("stages");
    let stages: Vec<Value> = all
        .iter()
        .map(|stage| {
            let requires = stage["requisiteStageRefIds"].as_array().into_iter().flatten();
            let depends: Vec<Value> =
                requires.filter_map(|r| all.iter().find(|s| s["refId"] == *r).map(|s| id(s, r))).collect();
            let mut config = stage.as_object().cloned().unwrap_or_default();
            for key in ["refId", "requisiteStageRefIds", "type", "name"] {
                config.shift_remove(key);
            }
            json!({"id": id(stage, &stage["refId"]), "type": stage["type"], "dependsOn": depends, "name": stage["name"],
                "config": config})
        })
        .collect();
    json!({
        "schema": "1",
        "id": format!("{}-generatedTemplate", pipeline.get("application").and_then(Value::as_str).unwrap_or("generated")),
        "metadata": {"name": pipeline.get("name"), "description": pipeline.get("description").cloned().unwrap_or_else(|| json!("")),
            "owner": pipeline.get("lastModifiedBy"), "scopes": [pipeline.get("application")]},
        "protect": false,
        "configuration": {
            "concurrentExecutions": {"limitConcurrent": pipeline.get("limitConcurrent").cloned().unwrap_or_else(|| json!(true)),
                "keepWaitingPipelines": pipeline.get("keepWaitingPipelines").cloned().unwrap_or_else(|| json!(false))},
            "triggers": named("triggers"), "parameters": list("parameterConfig"), "notifications": named("notifications"),
            "expectedArtifacts": list("expectedArtifacts"),
        },
        "variables": [],
        "stages": stages,
    })
}
