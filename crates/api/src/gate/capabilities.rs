//! What this server can do, as clients ask for it.

use axum::Json;
use pipeline::evaluate;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::House;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(monitors)).routes(routes!(expressions)).routes(routes!(quiet_period))
}

/// Services that watch deployments; none are known.
#[utoipa::path(get, path = "/capabilities/deploymentMonitors", responses((status = OK, body = Vec<Object>)))]
async fn monitors() -> Json<Value> {
    Json(json!([]))
}

/// The functions that expressions may call, and the ways of evaluating.
#[utoipa::path(get, path = "/capabilities/expressions", responses((status = OK, body = Object)))]
async fn expressions() -> Json<Value> {
    let functions = evaluate::FUNCTIONS.iter().map(|function| {
        let parameters: Vec<Value> =
            function.takes.iter().map(|name| json!({"name": name, "type": "String", "description": ""})).collect();
        json!({"name": function.name, "parameters": parameters, "description": function.about, "documentation": function.about})
    });
    let evaluators = [
        ("v3", "A text is evaluated as soon as its names are known", true),
        ("v4", "Stage by stage, when each starts", false),
    ];
    let evaluators = evaluators.map(|(key, about, old)| {
        json!({"versionKey": key, "displayName": key.to_uppercase(), "description": about, "isDeprecated": old,
            "deprecated": old, "supportsSpelValidation": true})
    });
    Json(json!({"functions": functions.collect::<Vec<_>>(), "spelEvaluators": evaluators}))
}

/// The time in which no pipeline starts by itself; there is none.
#[utoipa::path(get, path = "/capabilities/quietPeriod", responses((status = OK, body = Object)))]
async fn quiet_period() -> Json<Value> {
    Json(json!({ "startTime": 0, "endTime": 0, "enabled": false, "inQuietPeriod": false }))
}
