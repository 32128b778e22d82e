//! Events that come in by HTTP.

use axum::Json;
use axum::extract::{Path, State};
use pipeline::{EngineError, pipelines, trigger};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(receive))
}

/// Takes an event and starts the pipelines whose triggers match it.
#[utoipa::path(post, path = "/webhooks/{type}/{source}", params(("type" = String, Path), ("source" = String, Path)), request_body = Object,
    responses((status = OK, body = Object)))]
async fn receive(
    State(house): State<House>,
    Path((kind, source)): Path<(String, String)>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let payload = body.object_or_empty("a webhook's payload")?;
    let engine = house.engine.clone();
    let event = house
        .write::<_, EngineError>(move |tx| {
            let id = tx.uuid();
            let event = json!({ "type": kind, "source": source, "payload": payload, "eventId": id });
            for pipeline in pipelines::with_trigger(tx, "webhook")? {
                let Some(mut fired) = trigger::fires(&pipeline, "webhook", &event) else { continue };
                fired.insert("eventId".into(), json!(id));
                let pipeline = pipeline.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                engine.trigger(tx, &pipeline, &fired, &id)?;
            }
            Ok(id)
        })
        .await?;
    Ok(Json(json!({ "eventProcessed": true, "eventId": event })))
}
