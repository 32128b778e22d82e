//! By what this server tells people, whether that works, and what became of what a run told.

use access::Caller;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use pipeline::notices::{self, Notice};
use serde::Serialize;
use stages::react::notices::trial;
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::{House, Problem};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(notifiers)).routes(routes!(test)).routes(routes!(of_execution))
}

/// The answer.
#[derive(Serialize, utoipa::ToSchema)]
struct NotifierKinds {
    /// The kinds of notifications that this server can send.
    kinds: Vec<String>,
}

/// Gives the kinds of notifications that this server can send.
#[utoipa::path(get, path = "/ui-api/notifiers", responses((status = OK, body = NotifierKinds)))]
async fn notifiers(State(house): State<House>) -> Json<NotifierKinds> {
    Json(NotifierKinds { kinds: house.notifiers.kinds().into_iter().map(str::to_owned).collect() })
}

/// Sends a trial by a notification (`{type, address, …}`) and answers when it was taken.
#[utoipa::path(post, path = "/ui-api/notifiers/test", request_body = Object,
    responses((status = NO_CONTENT), (status = BAD_REQUEST, body = Problem), (status = BAD_GATEWAY, body = Problem)))]
async fn test(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let config = body.object("the notification")?;
    let kind = config.get("type").and_then(serde_json::Value::as_str).unwrap_or_default();
    if kind.is_empty() {
        return Err(Problem::bad_request("$.type is missing: by what is it sent?"));
    }
    let id = house.store.ids().ulid(house.now());
    let message = trial(&config, &caller.name, id, &house.public_url);
    let told = house.notifiers.send(kind, &message).await;
    told.map_err(|error| Problem::new(StatusCode::BAD_GATEWAY, error.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}

/// A notification that a run led to.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    /// Its id.
    id: String,
    /// The execution that it is about.
    execution: String,
    /// The id of the stage that it is about; absent for the run.
    stage: Option<String>,
    /// What happened: `pipeline.failed` …
    event: String,
    /// By what it goes.
    kind: String,
    /// Where it goes.
    address: String,
    /// When it happened, in milliseconds since 1970.
    at: i64,
    /// When it is tried (again), in milliseconds since 1970; absent when nothing is left to do.
    due: Option<i64>,
    /// How often it was tried.
    attempts: i64,
    /// Why the latest try failed; absent when it did not.
    error: Option<String>,
}

impl From<Notice> for Told {
    fn from(notice: Notice) -> Self {
        let address = match notice.config.get("address") {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        Self {
            id: notice.id,
            execution: notice.execution,
            stage: Some(notice.stage).filter(|stage| !stage.is_empty()),
            event: notice.event,
            kind: notice.kind,
            address,
            at: notice.at,
            due: notice.due,
            attempts: notice.attempts,
            error: Some(notice.error).filter(|error| !error.is_empty()),
        }
    }
}

/// Gives whom a run told what, in the order in which it happened, and what became of it.
#[utoipa::path(get, path = "/ui-api/executions/{id}/notifications", params(("id" = String, Path)), responses((status = OK, body = Vec<Told>)))]
async fn of_execution(State(house): State<House>, Path(id): Path<String>) -> Result<Json<Vec<Told>>, Problem> {
    let found = house.read::<_, StoreError>(move |tx| notices::of_execution(tx, &id)).await?;
    Ok(Json(found.into_iter().map(Told::from).collect()))
}
