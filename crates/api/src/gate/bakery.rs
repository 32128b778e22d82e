//! What images can be made of: bases and builders, as the page's and Spinnaker's forms offer them.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::House;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(options)).routes(routes!(options_of))
}

/// Base images of every cloud.
#[utoipa::path(get, path = "/bakery/options", responses((status = OK, body = Vec<Object>)))]
async fn options(State(house): State<House>) -> Json<Value> {
    Json(json!([local(&house)]))
}

/// Base images of one cloud; `null` for one that bakes nothing.
#[utoipa::path(get, path = "/bakery/options/{provider}", params(("provider" = String, Path)), responses((status = OK, body = Object)))]
async fn options_of(State(house): State<House>, Path(provider): Path<String>) -> Json<Value> {
    Json(if provider == "local" { local(&house) } else { json!({"cloudProvider": provider, "baseImages": []}) })
}

fn local(house: &House) -> Value {
    let bases = house.bakery.builders().iter().flat_map(|builder| {
        builder.bases().into_iter().map(|(id, sentence)| {
            json!({
                "id": id,
                "displayName": id,
                "shortDescription": sentence,
                "detailedDescription": sentence,
                "packageType": "DEB",
                "vmTypes": [],
                "builder": builder.kind(),
            })
        })
    });
    json!({"cloudProvider": "local", "baseImages": bases.collect::<Vec<_>>()})
}
