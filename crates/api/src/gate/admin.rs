//! What only an administrator may do.

use access::Caller;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::executions::{Reason, end, read};
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(force_cancel)).routes(routes!(hydrate))
}

/// Which execution is meant.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Which {
    /// Its id.
    execution_id: String,
    /// Only look.
    dry_run: Option<bool>,
}

/// Ends an execution at once, whatever it is at.
#[utoipa::path(put, path = "/admin/executions/forceCancel", params(Which), responses((status = OK), (status = NOT_FOUND, body = Problem)))]
async fn force_cancel(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Result<StatusCode, Problem> {
    end(&house, caller, &which.execution_id, Reason { reason: None, force: Some(true) }).await
}

/// Puts an execution's messages back into the queue; state and messages are one here, so there are never any to put back.
#[utoipa::path(post, path = "/admin/executions/hydrate", params(Which), responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn hydrate(State(house): State<House>, Query(which): Query<Which>) -> Result<Json<Value>, Problem> {
    let run = read(&house, which.execution_id).await?;
    Ok(Json(
        json!({"dryRun": which.dry_run.unwrap_or(true), "executions": {run.id: {"canApply": true, "actions": []}}}),
    ))
}
