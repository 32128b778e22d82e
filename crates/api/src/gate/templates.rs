//! Pipeline templates of the second kind: kept, planned, asked who uses them. Of the first kind there are none.

use access::Caller;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use pipeline::templates::{self, Kept, Save, TemplateError, Version};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::history::{self, Limit};
use crate::body::Body;
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(first_kind))
        .routes(routes!(list))
        .routes(routes!(versions))
        .routes(routes!(plan))
        .routes(routes!(create))
        .routes(routes!(update))
        .routes(routes!(show, delete))
        .routes(routes!(dependents))
        .routes(routes!(past))
        .routes(routes!(past_state))
        .routes(routes!(restore))
}

/// Templates of the first kind; there are none.
#[utoipa::path(get, path = "/pipelineTemplates", responses((status = OK, body = Vec<Object>)))]
async fn first_kind() -> Json<Value> {
    Json(json!([]))
}

/// For whom the templates are meant.
#[derive(Deserialize, utoipa::IntoParams)]
struct Scopes {
    /// Those of these scopes; may be repeated.
    scopes: Option<String>,
    /// The same, as some clients spell it.
    scope: Option<String>,
}

impl Scopes {
    fn all(&self) -> Vec<String> {
        let both = self.scopes.iter().chain(&self.scope);
        both.flat_map(|list| list.split(',')).map(|scope| scope.trim().to_owned()).collect()
    }
}

/// A template as clients read it.
fn shown(kept: Kept) -> Value {
    let mut body = kept.body;
    if let Some(tag) = kept.tag.filter(|_| !kept.pinned) {
        body.entry("tag").or_insert_with(|| json!(tag));
    }
    Value::Object(body)
}

/// The templates, each once for each tag.
#[utoipa::path(get, path = "/v2/pipelineTemplates", params(Scopes), responses((status = OK, body = Vec<Object>)))]
async fn list(State(house): State<House>, Query(scopes): Query<Scopes>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(templates::all).await?;
    let scopes = scopes.all();
    let wanted = all.into_iter().filter(|kept| !kept.pinned && templates::is_for(&kept.body, &scopes));
    Ok(Json(wanted.map(shown).collect()))
}

/// The templates by their ids, each with all its versions.
#[utoipa::path(get, path = "/v2/pipelineTemplates/versions", params(Scopes), responses((status = OK, body = Object)))]
async fn versions(State(house): State<House>, Query(scopes): Query<Scopes>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(templates::all).await?;
    let scopes = scopes.all();
    let mut by_id = Map::new();
    for kept in all.into_iter().filter(|kept| templates::is_for(&kept.body, &scopes)) {
        // A digest that a tag has, too, is there once, with the tag.
        let id = kept.id.clone();
        let entry = by_id.entry(id).or_insert_with(|| json!([]));
        let Value::Array(list) = entry else { continue };
        let twin = list.iter().position(|other| other["digest"].as_str() == Some(&kept.digest));
        match (twin, kept.pinned) {
            (Some(_), true) => {}
            (Some(at), false) if list[at]["tag"].is_null() => list[at] = shown(kept),
            _ => list.push(shown(kept)),
        }
    }
    Ok(Json(Value::Object(by_id)))
}

/// The pipeline that a configuration and its template make.
#[utoipa::path(post, path = "/v2/pipelineTemplates/plan", request_body = Object,
    responses((status = OK, body = Object), (status = BAD_REQUEST, body = Problem), (status = NOT_FOUND, body = Problem)))]
async fn plan(State(house): State<House>, body: Body) -> Result<Json<Value>, Problem> {
    let config = body.object("a pipeline's configuration")?;
    let planned = house.read::<_, TemplateError>(move |tx| templates::plan(tx, &config)).await?;
    Ok(Json(Value::Object(planned)))
}

/// Which version, and whether its users are looked at.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Which {
    /// `stable`, `latest` …
    tag: Option<String>,
    /// `sha256:…`
    digest: Option<String>,
    /// Do not refuse when pipelines that use it could not be planned any more.
    skip_plan_dependents: Option<bool>,
}

impl Which {
    fn version(&self) -> Version {
        let tagged = Version::tagged(self.tag.as_deref());
        Version { digest: self.digest.clone().filter(|digest| !digest.is_empty()), ..tagged }
    }
}

/// Keeps a new template.
#[utoipa::path(post, path = "/v2/pipelineTemplates/create", params(Which), request_body = Object,
    responses((status = ACCEPTED), (status = BAD_REQUEST, body = Problem)))]
async fn create(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let template = body.object("a pipeline template")?;
    let save = move |tx: &mut store::Tx<'_>| {
        templates::save(tx, &template, which.tag.as_deref(), Save::Create, &caller.name).map(drop)
    };
    house.write::<_, TemplateError>(save).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Keeps a template's new text.
#[utoipa::path(post, path = "/v2/pipelineTemplates/update/{id}", params(("id" = String, Path), Which), request_body = Object,
    responses((status = ACCEPTED), (status = BAD_REQUEST, body = Problem)))]
async fn update(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let template = body.object("a pipeline template")?;
    if template.get("id").and_then(Value::as_str).is_some_and(|own| own != id) {
        return Err(Problem::bad_request(format!("$.id: must be {id}, the template that is updated")));
    }
    let how = Save::Update { check_dependents: !which.skip_plan_dependents.unwrap_or(false) };
    let save = move |tx: &mut store::Tx<'_>| {
        let mut template = template.clone();
        template.insert("id".into(), json!(id));
        templates::save(tx, &template, which.tag.as_deref(), how, &caller.name).map(drop)
    };
    house.write::<_, TemplateError>(save).await?;
    Ok(StatusCode::ACCEPTED)
}

/// One version of a template.
#[utoipa::path(get, path = "/v2/pipelineTemplates/{id}", params(("id" = String, Path), Which),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn show(
    State(house): State<House>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Value>, Problem> {
    let version = which.version();
    let key = version.key(&id);
    let found = house.read::<_, StoreError>(move |tx| templates::get(tx, &id, &version)).await?;
    found
        .map(|kept| Json(shown(kept)))
        .ok_or_else(|| Problem::not_found(format!("there is no pipeline template {key}")))
}

/// Forgets one version of a template; its history stays.
#[utoipa::path(delete, path = "/v2/pipelineTemplates/{id}", params(("id" = String, Path), Which),
    responses((status = ACCEPTED), (status = NOT_FOUND, body = Problem)))]
async fn delete(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<StatusCode, Problem> {
    house.write::<_, TemplateError>(move |tx| templates::delete(tx, &id, &which.version(), &caller.name)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The pipelines that are made from a template.
#[utoipa::path(get, path = "/v2/pipelineTemplates/{id}/dependents", params(("id" = String, Path)),
    responses((status = OK, body = Vec<Object>)))]
async fn dependents(State(house): State<House>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(move |tx| templates::dependents(tx, &id)).await?;
    let one = |pipeline: &pipeline::Map| {
        json!({"application": pipeline.get("application"), "pipelineConfigId": pipeline.get("id"),
            "pipelineName": pipeline.get("name")})
    };
    Ok(Json(all.iter().map(one).collect()))
}

/// A template's saved states under a tag, newest first.
#[utoipa::path(get, path = "/v2/pipelineTemplates/{id}/history", params(("id" = String, Path), Which, Limit),
    responses((status = OK, body = Vec<Object>)))]
async fn past(
    State(house): State<House>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    Query(limit): Query<Limit>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(history::states(&house, "template", which.version().key(&id), limit).await?))
}

/// One of them.
#[utoipa::path(get, path = "/v2/pipelineTemplates/{id}/history/{number}", params(("id" = String, Path), ("number" = i64, Path), Which),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn past_state(
    State(house): State<House>,
    Path((id, number)): Path<(String, i64)>,
    Query(which): Query<Which>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(history::state(&house, "template", which.version().key(&id), number).await?))
}

/// Makes a template what it was then; also one that was deleted.
#[utoipa::path(post, path = "/v2/pipelineTemplates/{id}/history/{number}/restore",
    params(("id" = String, Path), ("number" = i64, Path), Which),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn restore(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((id, number)): Path<(String, i64)>,
    Query(which): Query<Which>,
) -> Result<Json<Value>, Problem> {
    let restore = move |tx: &mut store::Tx<'_>| templates::restore(tx, &id, &which.version(), number, &caller.name);
    Ok(Json(Value::Object(house.write::<_, TemplateError>(restore).await?)))
}
