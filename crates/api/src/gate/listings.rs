//! Lists of executions: of an application, of pipelines, by ids, and where one failed. Looking for them by their trigger is in `search`.

use std::collections::VecDeque;

use axum::Json;
use axum::extract::{Path, State};
use pipeline::records::{self, Detail, Newest, Query as Wanted};
use pipeline::{Execution, Status};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{StoreError, Tx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view;
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(of_application)).routes(routes!(find)).routes(routes!(failed_stages))
}

/// The most that one answer lists of each pipeline.
const MOST: usize = 1000;

fn detail(expand: bool) -> Detail {
    if expand { Detail::Whole } else { Detail::Brief }
}

fn shown(runs: &[Execution], expand: bool) -> Json<Value> {
    Json(runs.iter().map(|run| view::execution(run, expand)).collect())
}

/// Which executions of an application are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct OfApplication {
    /// How many of each pipeline; absent means 10.
    limit: Option<usize>,
    /// Statuses, separated by commas; empty means all.
    statuses: Option<String>,
    /// With the stages' data; absent means true.
    expand: Option<bool>,
    /// Only of pipelines whose name holds this text.
    pipeline_name_filter: Option<String>,
    /// Of so many pipelines at most.
    pipeline_limit: Option<usize>,
}

/// An application's executions, newest first, so many of each pipeline.
#[utoipa::path(get, path = "/applications/{application}/pipelines", params(("application" = String, Path), OfApplication),
    responses((status = OK, body = Vec<Object>)))]
async fn of_application(
    State(house): State<House>,
    Path(application): Path<String>,
    Query(wanted): Query<OfApplication>,
) -> Result<Json<Value>, Problem> {
    let expand = wanted.expand.unwrap_or(true);
    let newest = Newest {
        application,
        statuses: view::statuses(wanted.statuses.as_deref())?,
        limit: wanted.limit.unwrap_or(10).clamp(1, MOST),
        name: wanted.pipeline_name_filter.unwrap_or_default().to_lowercase(),
        pipelines: wanted.pipeline_limit,
    };
    let runs = house.read::<_, StoreError>(move |tx| {
        let ids = records::newest_of_each(tx, &newest)?;
        records::read_all(tx, &ids, detail(expand))
    });
    Ok(shown(&runs.await?, expand))
}

/// Which executions are wanted: of pipelines, or by their ids.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Find {
    /// Ids of saved pipelines, separated by commas.
    pipeline_config_ids: Option<String>,
    /// Ids of executions, separated by commas.
    execution_ids: Option<String>,
    /// How many of each pipeline; absent means 1.
    limit: Option<usize>,
    /// Statuses, separated by commas; empty means all.
    statuses: Option<String>,
    /// With the stages' data; absent means true.
    expand: Option<bool>,
}

/// Executions of some pipelines, or some executions; those that are not there are left out.
#[utoipa::path(get, path = "/executions", params(Find), responses((status = OK, body = Vec<Object>), (status = BAD_REQUEST, body = Problem)))]
async fn find(State(house): State<House>, Query(wanted): Query<Find>) -> Result<Json<Value>, Problem> {
    let list = |text: Option<String>| -> Vec<String> {
        text.unwrap_or_default().split(',').map(str::trim).filter(|id| !id.is_empty()).map(Into::into).collect()
    };
    let (configs, ids) = (list(wanted.pipeline_config_ids), list(wanted.execution_ids));
    if configs.is_empty() == ids.is_empty() {
        return Err(Problem::bad_request("give either pipelineConfigIds or executionIds"));
    }
    let statuses = view::statuses(wanted.statuses.as_deref())?;
    let limit = wanted.limit.unwrap_or(1).clamp(1, MOST);
    let expand = wanted.expand.unwrap_or(true);
    let runs = house
        .read::<_, StoreError>(move |tx| {
            let mut ids = ids.clone();
            for pipeline in &configs {
                let query =
                    Wanted { pipeline: Some(pipeline.clone()), statuses: statuses.clone(), limit, ..Wanted::default() };
                ids.extend(records::find(tx, &query)?);
            }
            records::read_all(tx, &ids, detail(expand))
        })
        .await?;
    Ok(shown(&runs, expand))
}

/// Where an execution failed.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Failed {
    /// The execution.
    execution_id: String,
    /// Where the page of the client is; links are made with it.
    deck_origin: Option<String>,
    /// How many at most; absent means 1.
    limit: Option<usize>,
}

/// How many executions are looked into.
const FAMILY: usize = 500;

/// The stages that failed of an execution, and of those that it started: the last ones, which failed by themselves.
#[utoipa::path(get, path = "/executions/failedStages", params(Failed),
    responses((status = OK, body = Vec<Object>), (status = NOT_FOUND, body = Problem)))]
async fn failed_stages(State(house): State<House>, Query(asked): Query<Failed>) -> Result<Json<Value>, Problem> {
    let root = super::executions::read(&house, asked.execution_id.clone()).await?;
    let limit = asked.limit.unwrap_or(1).clamp(1, MOST);
    let origin = asked.deck_origin.unwrap_or_default();
    let found = house.read::<_, StoreError>(move |tx| leaves(tx, root.clone(), limit, &origin));
    Ok(Json(json!(found.await?)))
}

/// Level by level, so that the nearest come first.
fn leaves(tx: &mut Tx<'_>, root: Execution, limit: usize, origin: &str) -> Result<Vec<Value>, StoreError> {
    let (mut next, mut found, mut looked) = (VecDeque::from([root]), Vec::new(), 0);
    while let Some(run) = next.pop_front() {
        looked += 1;
        for stage in run
            .stages
            .iter()
            .filter(|s| matches!(s.status, Status::Terminal | Status::Stopped | Status::FailedContinue))
        {
            let inside = run.all_children(&stage.id).any(|child| child.status.is_failure());
            if inside {
                continue;
            }
            let child = stage.context.get("executionId").and_then(Value::as_str).map(str::to_owned);
            let child = match child.filter(|_| stage.kind == "pipeline" && looked < FAMILY) {
                Some(id) => records::get(tx, &id)?.filter(|child| child.status.is_failure()),
                None => None,
            };
            match child {
                Some(child) => next.push_back(child),
                None => found.push(failure(&run, stage, origin)),
            }
            if found.len() >= limit {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

fn failure(run: &Execution, stage: &pipeline::model::Stage, origin: &str) -> Value {
    let exception = stage.context.get("exception");
    let errors = exception.and_then(|e| e.pointer("/details/errors")).cloned().unwrap_or_else(|| json!([]));
    let origin = origin.trim_end_matches('/');
    json!({
        "application": run.application, "executionId": run.id, "executionName": run.name,
        "pipelineConfigId": run.pipeline_config_id, "stageId": stage.id, "stageName": stage.name, "stageType": stage.kind,
        "refId": stage.ref_id, "status": stage.status, "startTime": stage.start_time, "endTime": stage.end_time,
        "errors": errors, "exception": exception,
        "url": format!("{origin}/#/applications/{}/executions/details/{}?stage={}", run.application, run.id, stage.ref_id),
    })
}
