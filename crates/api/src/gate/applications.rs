//! Applications.

use axum::Json;
use axum::extract::{Path, Query, State};
use pipeline::{applications, revision};
use serde::Deserialize;
use serde_json::{Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(history))
        .routes(routes!(notifications))
}

/// All applications' attributes, by name.
#[utoipa::path(get, path = "/applications", responses((status = OK, body = Vec<Object>)))]
async fn list(State(house): State<House>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(applications::all).await?;
    Ok(Json(json!(all)))
}

/// How much of an application is wanted.
#[derive(Deserialize, utoipa::IntoParams)]
struct Expand {
    /// With its clusters; absent means true.
    expand: Option<bool>,
}

/// One application.
#[utoipa::path(get, path = "/applications/{application}", params(("application" = String, Path), Expand),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn show(
    State(house): State<House>,
    Path(name): Path<String>,
    Query(expand): Query<Expand>,
) -> Result<Json<Value>, Problem> {
    let wanted = name.clone();
    let attributes = house.read::<_, StoreError>(move |tx| applications::get(tx, &wanted)).await?;
    let attributes = attributes.ok_or_else(|| Problem::not_found(format!("there is no application '{name}'")))?;
    let clusters =
        if expand.expand.unwrap_or(true) { super::infrastructure::summary(&house, &name).await? } else { json!({}) };
    Ok(Json(json!({ "name": attributes.get("name"), "attributes": attributes, "clusters": clusters })))
}

/// How many saved states are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
pub struct Limit {
    /// The newest so many; absent means 20.
    pub limit: Option<usize>,
}

/// An application's saved states, newest first.
#[utoipa::path(get, path = "/applications/{application}/history", params(("application" = String, Path), Limit),
    responses((status = OK, body = Vec<Object>)))]
async fn history(
    State(house): State<House>,
    Path(name): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(states(&house, "application", applications::folded(&name), limit).await?))
}

/// The saved states of a thing, each with who saved it and when.
pub async fn states(house: &House, kind: &'static str, id: String, limit: Limit) -> Result<Value, Problem> {
    let limit = limit.limit.unwrap_or(20).min(1000);
    let states = house.read::<_, StoreError>(move |tx| revision::history(tx, kind, &id, limit)).await?;
    let shown = states.into_iter().map(|state| {
        let mut body = state.body;
        if let Some(map) = body.as_object_mut() {
            map.insert("lastModifiedBy".into(), json!(state.who));
            map.insert("updateTs".into(), json!(state.at.to_string()));
            map.insert("revision".into(), json!(state.number));
            if state.deleted {
                map.insert("deleted".into(), json!(true));
            }
        }
        body
    });
    Ok(shown.collect())
}

/// Whom an application tells what; nobody yet.
#[utoipa::path(get, path = "/notifications/application/{application}", params(("application" = String, Path)),
    responses((status = OK, body = Object)))]
async fn notifications(Path(application): Path<String>) -> Json<Value> {
    Json(json!({ "application": application }))
}
