//! Lists of jobs: how everything but pipelines is changed.

use std::time::Duration;

use access::Caller;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use pipeline::model::Kind;
use pipeline::records::{self, Query as Wanted};
use pipeline::{Map, StartRequest};
use serde::Deserialize;
use serde_json::{Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::executions::{Reason, end, read};
use super::view;
use crate::body::Body;
use crate::query::Query;
use crate::{House, Problem};

/// Jobs that touch nothing outside are over before the answer; this bounds the wait for those that do.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(show, delete))
        .routes(routes!(cancel))
        .routes(routes!(cancel_all))
        .routes(routes!(details))
        .routes(routes!(of_application, start_of_application))
        .routes(routes!(show_of_application))
        .routes(routes!(cancel_of_application))
        .routes(routes!(details_of_application))
}

/// Starts jobs: `{application, description, job: [{type, …}]}`.
#[utoipa::path(post, path = "/tasks", request_body = Object, responses((status = OK, body = Object), (status = BAD_REQUEST, body = Problem)))]
async fn start(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    begin(&house, &caller, body.object("a task")?).await
}

/// The same for an application, as older clients ask for it.
#[utoipa::path(post, path = "/applications/{application}/tasks", params(("application" = String, Path)), request_body = Object,
    responses((status = OK, body = Object), (status = BAD_REQUEST, body = Problem)))]
async fn start_of_application(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(application): Path<String>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let mut body = body.object("a task")?;
    body.insert("application".into(), json!(application));
    begin(&house, &caller, body).await
}

async fn begin(house: &House, caller: &Caller, mut body: Map) -> Result<Json<Value>, Problem> {
    let jobs = match body.shift_remove("job") {
        Some(Value::Array(jobs)) if !jobs.is_empty() => jobs,
        _ => return Err(Problem::bad_request("$.job: must be a list of jobs, each an object with a type")),
    };
    if let Some(place) = jobs.iter().position(|job| !job.get("type").is_some_and(Value::is_string)) {
        return Err(Problem::bad_request(format!("$.job[{place}].type: is missing")));
    }
    let mut trigger = match body.shift_remove("trigger") {
        Some(Value::Object(trigger)) => trigger,
        _ => Map::new(),
    };
    if *caller != Caller::anonymous() || !trigger.contains_key("user") {
        trigger.insert("user".into(), json!(caller.name));
    }
    body.insert("stages".into(), Value::Array(jobs));
    let request = StartRequest { config: body, trigger, kind: Kind::Orchestration, key: None };
    let id = house.engine.begin(request).await?;
    house.engine.ended(&id, AT_ONCE).await?;
    Ok(Json(json!({ "ref": format!("/tasks/{id}") })))
}

/// How far jobs have come.
#[utoipa::path(get, path = "/tasks/{id}", params(("id" = String, Path)), responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn show(State(house): State<House>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(view::task(&read(&house, id).await?)))
}

/// Forgets jobs that have ended.
#[utoipa::path(delete, path = "/tasks/{id}", params(("id" = String, Path)), responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn delete(State(house): State<House>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    house.engine.delete(&id).await?;
    Ok(StatusCode::OK)
}

/// Ends jobs.
#[utoipa::path(put, path = "/tasks/{id}/cancel", params(("id" = String, Path), Reason), responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn cancel(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(reason): Query<Reason>,
) -> Result<StatusCode, Problem> {
    end(&house, caller, &id, reason).await
}

/// Which jobs are to end.
#[derive(Deserialize, utoipa::IntoParams)]
struct These {
    /// Their ids, separated by commas.
    ids: Option<String>,
}

/// Ends several lists of jobs; those that are not there are left out.
#[utoipa::path(put, path = "/tasks/cancel", params(These), responses((status = OK), (status = BAD_REQUEST, body = Problem)))]
async fn cancel_all(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(these): Query<These>,
) -> Result<StatusCode, Problem> {
    let ids = these.ids.unwrap_or_default();
    let ids: Vec<&str> = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Err(Problem::bad_request("ids: name the tasks that are to end"));
    }
    for id in ids {
        match end(&house, caller.clone(), id, Reason { reason: None, force: None }).await {
            Err(problem) if problem.status() != StatusCode::NOT_FOUND => return Err(problem),
            _ => {}
        }
    }
    Ok(StatusCode::OK)
}

/// What the cloud noted about one operation of these jobs.
#[utoipa::path(get, path = "/tasks/{id}/details/{operation}", params(("id" = String, Path), ("operation" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn details(
    State(house): State<House>,
    Path((id, operation)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let run = read(&house, id).await?;
    let mut noted = run.stages.iter().filter_map(|stage| stage.context.get("kato.tasks")?.as_array()).flatten();
    // Some clouds number their operations.
    let same = |one: &&Value| match &one["id"] {
        Value::Number(number) => number.as_u64() == operation.parse().ok(),
        other => other.as_str() == Some(&operation),
    };
    let found = noted.rfind(same);
    found
        .map(|found| Json(found.clone()))
        .ok_or_else(|| Problem::not_found(format!("task {} has no operation {operation}", run.id)))
}

/// Which jobs are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
struct Listed {
    /// The page, from 1 on.
    page: Option<usize>,
    /// How many a page; absent means 100.
    limit: Option<usize>,
    /// Statuses, separated by commas; empty means all.
    statuses: Option<String>,
}

/// An application's jobs, newest first.
#[utoipa::path(get, path = "/applications/{application}/tasks", params(("application" = String, Path), Listed),
    responses((status = OK, body = Vec<Object>)))]
async fn of_application(
    State(house): State<House>,
    Path(application): Path<String>,
    Query(wanted): Query<Listed>,
) -> Result<Json<Value>, Problem> {
    let statuses = view::statuses(wanted.statuses.as_deref())?;
    let limit = wanted.limit.unwrap_or(100).clamp(1, 3500);
    let skip = wanted.page.unwrap_or(1).saturating_sub(1).saturating_mul(limit);
    let query = Wanted {
        kind: Kind::Orchestration,
        application: Some(application),
        statuses,
        limit,
        skip,
        ..Wanted::default()
    };
    let runs = house.read::<_, StoreError>(move |tx| records::list(tx, &query)).await?;
    Ok(Json(runs.iter().map(view::task).collect()))
}

/// The same as `GET /tasks/{id}`, for older clients.
#[utoipa::path(get, path = "/applications/{application}/tasks/{id}", params(("application" = String, Path), ("id" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn show_of_application(
    State(house): State<House>,
    Path((_application, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(view::task(&read(&house, id).await?)))
}

/// The same as `PUT /tasks/{id}/cancel`, for older clients.
#[utoipa::path(put, path = "/applications/{application}/tasks/{id}/cancel", params(("application" = String, Path), ("id" = String, Path), Reason),
    responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn cancel_of_application(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((_application, id)): Path<(String, String)>,
    Query(reason): Query<Reason>,
) -> Result<StatusCode, Problem> {
    end(&house, caller, &id, reason).await
}

/// The same as `GET /tasks/{id}/details/{operation}`, for older clients.
#[utoipa::path(get, path = "/applications/{application}/tasks/{id}/details/{operation}",
    params(("application" = String, Path), ("id" = String, Path), ("operation" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn details_of_application(
    state: State<House>,
    Path((_application, id, operation)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    details(state, Path((id, operation))).await
}
