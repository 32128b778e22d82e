//! Looking at what an expression would give in an execution.

use axum::Json;
use axum::extract::{Path, State};
use pipeline::evaluate::{self, Given};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::executions::read;
use crate::body::Body;
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(evaluate_get, evaluate_post))
        .routes(routes!(evaluate_in_stage, post_in_stage))
        .routes(routes!(variables))
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
    answer(&house, id, None, text_of(body)).await
}

/// The text in a body: plain, or the member `expression` of an object.
fn text_of(body: String) -> String {
    let inner = serde_json::from_str::<Value>(&body).ok();
    inner.and_then(|value| value.get("expression")?.as_str().map(str::to_owned)).unwrap_or(body)
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

/// The same with the text as the body.
#[utoipa::path(post, path = "/pipelines/{id}/{stage}/evaluateExpression", params(("id" = String, Path), ("stage" = String, Path)),
    request_body = String, responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn post_in_stage(
    State(house): State<House>,
    Path((id, stage)): Path<(String, String)>,
    body: String,
) -> Result<Json<Value>, Problem> {
    answer(&house, id, Some(stage), text_of(body)).await
}

/// In which execution, and behind which stages, variables are evaluated.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Behind {
    /// The execution; absent means the one in the path.
    execution_id: Option<String>,
    /// The refIds of the stages that they stand behind, separated by commas.
    requisite_stage_ref_ids: Option<String>,
    /// `v3` or `v4`; absent means the execution's own.
    spel_version: Option<String>,
}

/// What an `evaluateVariables` stage with these variables (`[{key, value}]`) would come to in an execution.
#[utoipa::path(post, path = "/pipelines/{id}/evaluateVariables", params(("id" = String, Path), Behind), request_body = Vec<Object>,
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn variables(
    State(house): State<House>,
    Path(id): Path<String>,
    Query(behind): Query<Behind>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let variables = body.list("the variables")?;
    let run = read(&house, behind.execution_id.unwrap_or(id)).await?;
    let mut execution = serde_json::to_value(&run).map_err(|error| Problem::internal(error.to_string()))?;
    let requires: Vec<String> = match behind.requisite_stage_ref_ids {
        Some(list) => list.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect(),
        // Behind everything: all that the execution knows is in scope.
        None => run.top_stages().map(|stage| stage.ref_id.clone()).collect(),
    };
    const REF: &str = "evaluateVariables preview";
    let context = json!({ "variables": variables });
    if let Some(stages) = execution["stages"].as_array_mut() {
        stages
            .push(json!({"id": REF, "refId": REF, "type": "evaluateVariables", "name": "preview", "context": context,
            "outputs": {}, "requisiteStageRefIds": requires}));
    }
    if let Some(version) = behind.spel_version {
        execution["spelEvaluator"] = json!(version);
    }
    let given = Given { now: house.now(), ..Given::default() };
    let done = evaluate::variables(&execution, REF, &context, &given).evaluated;
    Ok(Json(json!({ "result": done.value["variables"], "detail": done.summary() })))
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
