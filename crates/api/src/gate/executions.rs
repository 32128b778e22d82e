//! One execution: looked at, cancelled, held, judged, restarted. Lists of them are in `listings`.

use access::Caller;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use pipeline::records;
use pipeline::{Execution, Message};
use serde::Deserialize;
use serde_json::Value;
use store::{StoreError, Tx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view;
use crate::body::Body;
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(show, delete))
        .routes(routes!(cancel))
        .routes(routes!(cancel_of_application))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(patch))
        .routes(routes!(restart))
}

/// One execution, whole.
#[utoipa::path(get, path = "/pipelines/{id}", params(("id" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn show(State(house): State<House>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(view::execution(&read(&house, id).await?, true)))
}

/// An execution, or 404.
pub async fn read(house: &House, id: String) -> Result<Execution, Problem> {
    let wanted = id.clone();
    let run = house.read::<_, StoreError>(move |tx| records::get(tx, &wanted)).await?;
    run.ok_or_else(|| Problem::not_found(format!("there is no execution {id}")))
}

/// Forgets an execution that has ended.
#[utoipa::path(delete, path = "/pipelines/{id}", params(("id" = String, Path)),
    responses((status = OK), (status = BAD_REQUEST, body = Problem), (status = NOT_FOUND, body = Problem)))]
async fn delete(State(house): State<House>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    house.engine.delete(&id).await?;
    Ok(StatusCode::OK)
}

/// Why it is cancelled, and how.
#[derive(Deserialize, utoipa::IntoParams)]
pub struct Reason {
    /// Shown with the execution.
    pub reason: Option<String>,
    /// End it at once, whatever its stages are at.
    pub force: Option<bool>,
}

/// Ends an execution.
#[utoipa::path(put, path = "/pipelines/{id}/cancel", params(("id" = String, Path), Reason),
    responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn cancel(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(reason): Query<Reason>,
) -> Result<StatusCode, Problem> {
    end(&house, caller, &id, reason).await
}

/// Ends an execution; the application in the path is not looked at, because one client leaves it unfilled.
#[utoipa::path(put, path = "/applications/{application}/pipelines/{id}/cancel",
    params(("application" = String, Path), ("id" = String, Path), Reason), responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn cancel_of_application(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((_application, id)): Path<(String, String)>,
    Query(reason): Query<Reason>,
) -> Result<StatusCode, Problem> {
    end(&house, caller, &id, reason).await
}

/// Cancels and answers 200.
pub async fn end(house: &House, caller: Caller, id: &str, reason: Reason) -> Result<StatusCode, Problem> {
    let force = reason.force.unwrap_or(false);
    let reason = reason.reason.filter(|reason| !reason.is_empty());
    let user = caller.name;
    let message = if force { Message::ForceCancel { user, reason } } else { Message::CancelExecution { user, reason } };
    house.engine.tell(id, message).await?;
    Ok(StatusCode::OK)
}

/// Holds an execution.
#[utoipa::path(put, path = "/pipelines/{id}/pause", params(("id" = String, Path)), responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn pause(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    house.engine.tell(&id, Message::PauseExecution { user: caller.name }).await?;
    Ok(StatusCode::OK)
}

/// Lets a held execution go on.
#[utoipa::path(put, path = "/pipelines/{id}/resume", params(("id" = String, Path)), responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn resume(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    house.engine.tell(&id, Message::ResumeExecution { user: caller.name }).await?;
    Ok(StatusCode::OK)
}

/// Lays values over a stage's context: `{"judgmentStatus":"continue"}`, `{"skipRemainingWait":true}`, `{"manualSkip":true}`.
#[utoipa::path(patch, path = "/pipelines/{id}/stages/{stage}", params(("id" = String, Path), ("stage" = String, Path)), request_body = Object,
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn patch(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((id, stage)): Path<(String, String)>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let context = body.object("the changes")?;
    house.engine.tell(&id, Message::PatchStage { stage, user: caller.name, context }).await?;
    Ok(Json(view::execution(&read(&house, id).await?, true)))
}

/// Runs a stage anew, with everything after it. The body lays values over its context.
#[utoipa::path(put, path = "/pipelines/{id}/stages/{stage}/restart", params(("id" = String, Path), ("stage" = String, Path)), request_body = Object,
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn restart(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((id, stage)): Path<(String, String)>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let mut context = body.object_or_empty("the changes")?;
    context.extend(saved_preconditions(&house, &id, &stage).await?);
    house.engine.tell(&id, Message::RestartStage { stage, user: caller.name, context }).await?;
    Ok(Json(view::execution(&read(&house, id).await?, true)))
}

/// The preconditions of a stage as its pipeline is saved now: a restart asks those, not the ones that it failed on.
async fn saved_preconditions(house: &House, id: &str, stage: &str) -> Result<pipeline::Map, Problem> {
    let (id, stage) = (id.to_owned(), stage.to_owned());
    let found = move |tx: &mut Tx<'_>| {
        let Some(run) = records::get(tx, &id)? else { return Ok(None) };
        let Some(asked) = run.stage(&stage).filter(|s| s.context.contains_key("preconditions")) else {
            return Ok(None);
        };
        let Some(config) = run.pipeline_config_id.as_deref() else { return Ok(None) };
        let saved = pipeline::pipelines::by_id(tx, config)?.unwrap_or_default();
        let stages = saved.get("stages").and_then(Value::as_array);
        let same = stages.into_iter().flatten().find(|s| s["refId"].as_str() == Some(&asked.ref_id));
        Ok(same.and_then(|s| s.get("preconditions")).cloned())
    };
    let found = house.read::<_, StoreError>(found).await?;
    Ok(found.map(|list| ("preconditions".to_owned(), list)).into_iter().collect())
}
