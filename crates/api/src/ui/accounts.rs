//! Whether the accounts answer.

use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(health))
}

/// Whether an account answers.
#[derive(Serialize, ToSchema)]
struct AccountHealth {
    /// Its name.
    account: String,
    /// `UP` or `DOWN`.
    #[schema(value_type = String)]
    status: &'static str,
    /// Why it does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// How long that took, in milliseconds.
    millis: u64,
}

/// Asks an account whether it answers: not what was known of it before, but now.
#[utoipa::path(get, path = "/ui-api/accounts/{account}/health", params(("account" = String, Path)),
    responses((status = OK, body = AccountHealth), (status = NOT_FOUND, body = Problem)))]
async fn health(State(house): State<House>, Path(account): Path<String>) -> Result<Json<AccountHealth>, Problem> {
    let provider = house.clouds.account(&account)?;
    let began = Instant::now();
    let why = provider.reach().await.err().map(|error| error.to_string());
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = if why.is_none() { "UP" } else { "DOWN" };
    Ok(Json(AccountHealth { account, status, why, millis }))
}
