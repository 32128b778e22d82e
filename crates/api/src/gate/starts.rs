//! Starting pipelines: by name or id, or inline.

use access::Caller;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use pipeline::start::parameters::{self, Giver};
use pipeline::templates::{self, TemplateError};
use pipeline::{EngineError, StartRequest, pipelines};
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(start_v2))
        .routes(routes!(start_of_application))
        .routes(routes!(start_inline))
}

/// Starts a saved pipeline. The body is the trigger, flat or beneath `trigger`: both are sent by clients in use.
#[utoipa::path(post, path = "/pipelines/{application}/{pipeline}", params(("application" = String, Path), ("pipeline" = String, Path)),
    request_body = Object, responses((status = ACCEPTED, body = Object), (status = BAD_REQUEST, body = Problem), (status = NOT_FOUND, body = Problem)))]
async fn start(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((application, name)): Path<(String, String)>,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = begin(&house, &caller, application, name, body).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "ref": format!("/pipelines/{id}") }))))
}

/// The same as Deck asks for it.
#[utoipa::path(post, path = "/pipelines/v2/{application}/{pipeline}", params(("application" = String, Path), ("pipeline" = String, Path)),
    request_body = Object, responses((status = ACCEPTED, body = Object), (status = BAD_REQUEST, body = Problem), (status = NOT_FOUND, body = Problem)))]
async fn start_v2(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((application, name)): Path<(String, String)>,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = begin(&house, &caller, application, name, body).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "eventId": id, "ref": format!("/pipelines/{id}") }))))
}

/// The same as older clients ask for it.
#[utoipa::path(post, path = "/applications/{application}/pipelineConfigs/{pipeline}",
    params(("application" = String, Path), ("pipeline" = String, Path)), request_body = Object,
    responses((status = ACCEPTED, body = Object), (status = BAD_REQUEST, body = Problem), (status = NOT_FOUND, body = Problem)))]
async fn start_of_application(
    state: State<House>,
    caller: Extension<Caller>,
    names: Path<(String, String)>,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    start(state, caller, names, body).await
}

async fn begin(
    house: &House,
    caller: &Caller,
    application: String,
    name: String,
    body: Body,
) -> Result<String, Problem> {
    let mut body = body.object_or_empty("a trigger")?;
    if let Some(Value::Object(inner)) = body.get("trigger").cloned() {
        body = inner;
    }
    let trigger = by(body, caller);
    let wanted = name.clone();
    let found = house.read::<_, EngineError>(move |tx| {
        let found = pipelines::by_name_or_id(tx, &application, &wanted)?;
        Ok(found.map(|config| templates::planned(tx, config)).transpose()?)
    });
    let config = found.await?.ok_or(EngineError::UnknownPipeline(name))?;
    parameters::check(&config, &trigger, Giver::Person).map_err(EngineError::from)?;
    Ok(house.engine.begin(StartRequest { config, trigger, ..StartRequest::default() }).await?)
}

/// A trigger with its defaults. A caller with a name of their own cannot be somebody else.
fn by(mut trigger: Map<String, Value>, caller: &Caller) -> Map<String, Value> {
    trigger.entry("type").or_insert_with(|| json!("manual"));
    if *caller != Caller::anonymous() {
        trigger.insert("user".into(), json!(caller.name));
    }
    trigger
}

/// Starts a pipeline that stands in the body, saved or not; with `plan: true` it is only made out from its template and shown.
#[utoipa::path(post, path = "/pipelines/start", request_body = Object, responses((status = OK, body = Object), (status = BAD_REQUEST, body = Problem)))]
async fn start_inline(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let mut config = body.object("a pipeline")?;
    if !config.get("application").is_some_and(Value::is_string) {
        return Err(Problem::bad_request("$.application: a pipeline belongs to an application; name it"));
    }
    let trigger = match config.shift_remove("trigger") {
        Some(Value::Object(trigger)) => trigger,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(Problem::bad_request("$.trigger: must be an object")),
    };
    if config.get("plan") == Some(&Value::Bool(true)) {
        let planned = house.read::<_, TemplateError>(move |tx| templates::planned(tx, config.clone())).await?;
        return Ok(Json(Value::Object(planned)));
    }
    let trigger = by(trigger, &caller);
    let id = house.engine.begin(StartRequest { config, trigger, ..StartRequest::default() }).await?;
    Ok(Json(json!({ "ref": format!("/pipelines/{id}") })))
}
