//! The stage types that pipelines may use, each with the schema of its fields: what forms are made of.

use axum::Json;
use axum::extract::State;
use pipeline::fields;
use serde::Serialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::House;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(stages))
}

/// All stage types.
#[derive(Serialize, utoipa::ToSchema)]
struct Stages {
    /// JSON schema of the fields that every stage may have.
    #[schema(value_type = Object)]
    common: Value,
    /// By type.
    stages: Vec<StageKind>,
}

/// One of them.
#[derive(Serialize, utoipa::ToSchema)]
struct StageKind {
    /// What a stage says as its `type`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// JSON schema of its own fields; null where a stage takes any.
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
}

/// Lists the stage types with the schemas of their fields.
#[utoipa::path(get, path = "/ui-api/stages", responses((status = OK, body = Stages)))]
async fn stages(State(house): State<House>) -> Json<Stages> {
    let schema = |kind: &str| house.registry.stage_type(kind, None).and_then(|stage| stage.schema()).map(Value::from);
    let stages = house.stage_kinds.iter().map(|kind| StageKind { kind, schema: schema(kind) }).collect();
    Json(Stages { common: Value::from(fields::written(fields::COMMON)), stages })
}
