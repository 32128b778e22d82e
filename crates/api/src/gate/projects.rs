//! Projects: which applications and clusters belong together.

use axum::Json;
use axum::extract::{Path, State};
use pipeline::projects;
use serde_json::{Map, Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// All projects.
#[utoipa::path(get, path = "/projects", responses((status = OK, body = Vec<Object>)))]
async fn list(State(house): State<House>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(projects::all).await?;
    Ok(Json(all.into_iter().map(complete).collect()))
}

/// One project, by its name or id.
#[utoipa::path(get, path = "/projects/{project}", params(("project" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn show(State(house): State<House>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let wanted = name.clone();
    let project = house.read::<_, StoreError>(move |tx| projects::get(tx, &wanted)).await?;
    let project = project.ok_or_else(|| Problem::not_found(format!("there is no project '{name}'")))?;
    Ok(Json(complete(project)))
}

/// What Deck's dashboard breaks without.
fn complete(mut project: Map<String, Value>) -> Value {
    let config = project.entry("config").or_insert_with(|| json!({}));
    if let Some(config) = config.as_object_mut() {
        for key in ["applications", "clusters", "pipelineConfigs"] {
            config.entry(key).or_insert_with(|| json!([]));
        }
    }
    Value::Object(project)
}
