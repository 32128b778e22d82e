//! The server's own log, for administrators: requests of others stand in it.

use access::Caller;
use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::query::Query;
use crate::server_log::{self, Asked, ServerLines};
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(server_log))
}

/// What of it.
#[derive(Deserialize, utoipa::IntoParams)]
struct Which {
    /// So many of the newest lines, at most 10,000; 100 without it.
    lines: Option<usize>,
    /// Those of one request only: its id.
    request: Option<String>,
    /// Only what came after this place: `next` of an answer before.
    after: Option<String>,
}

/// Gives the server's newest log lines; only to administrators.
#[utoipa::path(get, path = "/ui-api/log", params(Which),
    responses((status = OK, body = ServerLines), (status = FORBIDDEN, body = Problem), (status = NOT_FOUND, body = Problem)))]
async fn server_log(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Result<Json<ServerLines>, Problem> {
    super::for_admins(&caller, "the server's log")?;
    let asked = Asked { lines: which.lines.unwrap_or(100), request: which.request, after: which.after };
    super::blocking(move || {
        server_log::read(&house.watched.data, &asked).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Problem::not_found("the server keeps no log in its data folder"),
            _ => Problem::internal(format!("the log cannot be read: {error}")),
        })
    })
    .await
}
