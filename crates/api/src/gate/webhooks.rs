//! Events that come in by HTTP. What they start is `pipeline::trigger`.

use access::{Action, Caller};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::{Extension, Json};
use pipeline::trigger::delivery::{Delivery, Outcome, outcome};
use pipeline::{EngineError, Map, pipelines};
use serde_json::{Value, json};
use store::{StoreError, Tx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::RawBody;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(receive))
}

/// Takes an event and starts the pipelines whose triggers match it: `git` from `github`, `gitlab`, `bitbucket` or `stash`, `webhook` from anywhere.
/// The same event sent again starts nothing again.
#[utoipa::path(post, path = "/webhooks/{type}/{source}", params(("type" = String, Path), ("source" = String, Path)), request_body = Object,
    responses((status = OK, body = Object), (status = BAD_REQUEST, body = Problem)))]
async fn receive(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((kind, source)): Path<(String, String)>,
    headers: HeaderMap,
    body: RawBody,
) -> Result<Json<Value>, Problem> {
    let form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
    if form {
        return Err(Problem::bad_request(
            "a webhook's payload is JSON: choose application/json as the webhook's content type",
        ));
    }
    let payload = body.json()?.object_or_empty("a webhook's payload")?;
    let headers = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let mut delivery = Delivery::new(&kind, &source, headers, body.0.to_vec(), payload);
    if !caller.role.may(Action::Write) {
        delivery = delivery.of_a_stranger();
    }
    let name = delivery.given_name().unwrap_or_else(|| house.store.ids().uuid());
    let key = format!("{}:{}:{name}", delivery.kind(), delivery.source());
    // Matched where it holds up no writer: payloads and expressions are other people's.
    let look = move |tx: &mut Tx<'_>| {
        let (event, mut refused, mut fired) = (delivery.event(), 0, Vec::new());
        for pipeline in pipelines::with_trigger(tx, delivery.kind())? {
            match outcome(&pipeline, &delivery, &event) {
                Outcome::Fires(trigger) => fired.extend(text(&pipeline, "id").map(|id| (id, trigger))),
                Outcome::Silent => {}
                Outcome::Refused => refused += 1,
            }
        }
        Ok((fired, refused))
    };
    let (fired, refused) = house.read::<_, StoreError>(look).await?;
    if !fired.is_empty() {
        let (engine, event) = (house.engine.clone(), name.clone());
        let start = move |tx: &mut Tx<'_>| {
            for (id, trigger) in &fired {
                let mut trigger = trigger.clone();
                trigger.insert("eventId".into(), json!(event));
                match engine.trigger(tx, id, &trigger, &key) {
                    // It was deleted in this moment.
                    Err(EngineError::UnknownPipeline(_)) => {}
                    done => drop(done?),
                }
            }
            Ok(())
        };
        house.write::<_, EngineError>(start).await?;
    }
    if refused > 0 {
        let (kind, source): (String, String) = (shown(&kind), shown(&source));
        tracing::warn!(
            kind,
            source,
            refused,
            "a webhook does not prove to know the secrets of triggers; those did not fire"
        );
    }
    Ok(Json(json!({ "eventProcessed": true, "eventId": name })))
}

fn text(map: &Map, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// A name from a path, for a log line.
fn shown(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}
