//! Looking at what an expression would give in an execution.

use axum::Json;
use axum::extract::{Path, Query, State};
use pipeline::evaluate::{self, Given};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::executions::read;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(evaluate_get, evaluate_post)).routes(routes!(evaluate_in_stage))
}

/// The text to evaluate.
#[derive(Deserialize, utoipa::IntoParams)]
struct Expression {
    /// A text with `${…}` in it.
    expression: String,
}

/// Evaluates a text over an execution.
#[utoipa::path(get, path = "/pipelines/{id}/evaluateExpression", params(("id" = String, Path), Expression), responses((status = OK, body = Object)))]
async fn evaluate_get(
    State(house): State<House>,
    Path(id): Path<String>,
    Query(asked): Query<Expression>,
) -> Result<Json<Value>, Problem> {
    answer(&house, id, None, asked.expression).await
}

/// The same with the text as the body: plain, or `{"expression": …}`.
#[utoipa::path(post, path = "/pipelines/{id}/evaluateExpression", params(("id" = String, Path)), request_body = String, responses((status = OK, body = Object)))]
async fn evaluate_post(
    State(house): State<House>,
    Path(id): Path<String>,
    body: String,
) -> Result<Json<Value>, Problem> {
    let inner = serde_json::from_str::<Value>(&body)
        .ok()
        .and_then(|value| value.get("expression")?.as_str().map(str::to_owned));
    answer(&house, id, None, inner.unwrap_or(body)).await
}

/// Evaluates a text as a stage of an execution would see it.
#[utoipa::path(get, path = "/pipelines/{id}/{stage}/evaluateExpression", params(("id" = String, Path), ("stage" = String, Path), Expression),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn evaluate_in_stage(
    State(house): State<House>,
    Path((id, stage)): Path<(String, String)>,
    Query(asked): Query<Expression>,
) -> Result<Json<Value>, Problem> {
    answer(&house, id, Some(stage), asked.expression).await
}

async fn answer(house: &House, id: String, stage: Option<String>, text: String) -> Result<Json<Value>, Problem> {
    let run = read(house, id).await?;
    let stage = match stage {
        None => String::new(),
        Some(stage) => {
            let found = run.stage(&stage).or_else(|| run.stage_by_ref(&stage));
            found
                .map(|found| found.ref_id.clone())
                .ok_or_else(|| Problem::not_found(format!("execution {} has no stage {stage}", run.id)))?
        }
    };
    let execution = serde_json::to_value(&run).map_err(|error| Problem::internal(error.to_string()))?;
    let given = Given { now: house.now(), ..Given::default() };
    let done = evaluate::stage_context(&execution, &stage, &json!({ "result": text }), &given);
    let mut answer = json!({ "result": done.value["result"] });
    if !done.failed.is_empty() {
        answer["detail"] = Value::Object(done.summary());
    }
    Ok(Json(answer))
}
