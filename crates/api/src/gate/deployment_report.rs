//! What a deployment did to its users. Written by `stages::react::deployment_report` when an execution has ended.

use axum::Json;
use axum::extract::{Path, State};
use pipeline::reports;
use serde_json::Value;
use stages::react::deployment_report::compile;
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::executions;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(show))
}

/// What users had of an execution (a pipeline's or a task's) that moved traffic: requests, failures, retries and latencies of each server
/// group, second by second, with the moments of the steps. Of one that still runs until now, and `final` is false.
#[utoipa::path(get, path = "/executions/{id}/deploymentReport", params(("id" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn show(State(house): State<House>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let run = executions::read(&house, id.clone()).await?;
    let read = move |tx: &mut store::Tx<'_>| Ok((reports::get(tx, &id)?, reports::is_wanted(tx, &id)?));
    match house.read::<_, StoreError>(read).await? {
        (Some(report), _) => Ok(Json(report)),
        (None, true) => Ok(Json(compile(&house.clouds, &run, house.now()).await)),
        (None, false) => {
            Err(Problem::not_found(format!("execution {} moved no traffic: there is nothing to report", run.id)))
        }
    }
}
