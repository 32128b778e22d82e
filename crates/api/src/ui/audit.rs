//! The audit log, for administrators: what it says, and whether it was left alone.

use access::Caller;
use access::audit::{self, Entry, Head, Verified};
use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::query::Query;
use crate::{House, Problem};

/// The most entries that are given at once.
const MOST: u32 = 1000;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(verify))
}

/// Which entries.
#[derive(Deserialize, utoipa::IntoParams)]
struct Which {
    /// So many, at most 1,000; 100 without it.
    limit: Option<u32>,
    /// Of this one only: a token's name, or `anonymous`.
    who: Option<String>,
    /// Not older than this, in milliseconds since 1970.
    since: Option<i64>,
    /// Only those with a smaller number: the last one's of the answer before.
    before: Option<i64>,
}

/// Gives entries of the audit log, the newest first: `{seq, at, who, role, method, path, status, request, previous, digest}`; only to administrators.
#[utoipa::path(get, path = "/ui-api/audit", params(Which),
    responses((status = OK, body = Vec<Object>), (status = FORBIDDEN, body = Problem)))]
async fn list(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<Entry>>, Problem> {
    super::for_admins(&caller, "the audit log")?;
    let limit = which.limit.unwrap_or(100).min(MOST);
    let asked = audit::Asked { who: which.who, since: which.since, before: which.before, limit };
    Ok(Json(house.read::<_, store::StoreError>(move |tx| audit::list(tx, &asked)).await?))
}

/// What was told before.
#[derive(Deserialize, utoipa::IntoParams)]
struct Noted {
    /// A head that was told before, `NUMBER:DIGEST`: it has to be in the log still.
    head: Option<String>,
}

/// Follows the audit log from its oldest entry to its newest: `{entries, since, head: {seq, digest}, broken: {seq, why}}`; only for administrators.
#[utoipa::path(get, path = "/ui-api/audit/verify", params(Noted),
    responses((status = OK, body = Object), (status = BAD_REQUEST, body = Problem), (status = FORBIDDEN, body = Problem)))]
async fn verify(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(noted): Query<Noted>,
) -> Result<Json<Verified>, Problem> {
    super::for_admins(&caller, "the audit log")?;
    let noted: Option<Head> = noted.head.map(|head| head.parse()).transpose().map_err(Problem::bad_request)?;
    Ok(Json(house.read::<_, store::StoreError>(move |tx| audit::verify(tx, noted.as_ref())).await?))
}
