//! Applications.

use access::Caller;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use pipeline::applications::{self, RestoreError};
use serde::Deserialize;
use serde_json::{Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::history::{self, Limit};
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(past))
        .routes(routes!(past_state))
        .routes(routes!(restore))
}

/// Which applications are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
struct Which {
    /// Of whoever has this e-mail address.
    owner: Option<String>,
    /// With something in this account.
    account: Option<String>,
}

/// Applications' attributes, by name.
#[utoipa::path(get, path = "/applications", params(Which), responses((status = OK, body = Vec<Object>)))]
async fn list(State(house): State<House>, Query(which): Query<Which>) -> Result<Json<Value>, Problem> {
    let mut all = house.read::<_, StoreError>(applications::all).await?;
    if let Some(owner) = &which.owner {
        all.retain(|one| {
            one.get("email").and_then(Value::as_str).is_some_and(|email| email.eq_ignore_ascii_case(owner))
        });
    }
    if let Some(account) = &which.account {
        let everything = house.clouds.list(&cloud::Query { application: None, without_images: true }).await?;
        let there: std::collections::HashSet<String> = everything
            .server_groups
            .iter()
            .filter(|group| group.account == *account)
            .map(|group| group.name.cluster().app().to_lowercase())
            .collect();
        all.retain(|one| one.get("name").and_then(Value::as_str).is_some_and(|name| there.contains(name)));
    }
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

/// An application's saved states, newest first; also of one that was deleted.
#[utoipa::path(get, path = "/applications/{application}/history", params(("application" = String, Path), Limit),
    responses((status = OK, body = Vec<Object>)))]
async fn past(
    State(house): State<House>,
    Path(name): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(history::states(&house, "application", applications::folded(&name), limit).await?))
}

/// One saved state of an application.
#[utoipa::path(get, path = "/applications/{application}/history/{number}", params(("application" = String, Path), ("number" = i64, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn past_state(
    State(house): State<House>,
    Path((name, number)): Path<(String, i64)>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(history::state(&house, "application", applications::folded(&name), number).await?))
}

/// Makes an application what it was then. One that was deleted comes back with the pipelines that were deleted with it.
#[utoipa::path(post, path = "/applications/{application}/history/{number}/restore",
    params(("application" = String, Path), ("number" = i64, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn restore(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((name, number)): Path<(String, i64)>,
) -> Result<Json<Value>, Problem> {
    let saved =
        house.write::<_, RestoreError>(move |tx| applications::restore(tx, &name, number, &caller.name)).await?;
    Ok(Json(Value::Object(saved)))
}
