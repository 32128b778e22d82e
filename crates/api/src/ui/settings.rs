//! What the operator settled and the page shows by.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::tokens::{self, TokenShown};
use crate::{House, Problem};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(settings))
}

/// The answer.
#[derive(Serialize, utoipa::ToSchema)]
struct Settings {
    /// The team's time zone, in which cron triggers count: `Asia/Seoul`.
    zone: String,
    /// Who may come in with a token; nobody on a server that lets in everybody on its own machine.
    tokens: Vec<TokenShown>,
}

/// Gives what the operator settled.
#[utoipa::path(get, path = "/ui-api/settings", responses((status = OK, body = Settings)))]
async fn settings(State(house): State<House>) -> Result<Json<Settings>, Problem> {
    let tokens = tokens::all(&house).await?;
    Ok(Json(Settings { zone: house.cron_zone.iana_name().unwrap_or("UTC").to_owned(), tokens }))
}
