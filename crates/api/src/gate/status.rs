//! That the server is there, and which version it is.

use axum::Json;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::House;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(version))
}

/// Whether the server is well.
#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    /// `UP`.
    status: &'static str,
}

/// Answers as soon as the server accepts requests.
#[utoipa::path(get, path = "/health", responses((status = OK, body = Health)))]
async fn health() -> Json<Health> {
    Json(Health { status: "UP" })
}

/// The server's version.
#[derive(Serialize, utoipa::ToSchema)]
struct Version {
    /// As `gennaker --version` prints it.
    version: &'static str,
}

/// What every client asks first.
#[utoipa::path(get, path = "/version", responses((status = OK, body = Version)))]
async fn version() -> Json<Version> {
    Json(Version { version: env!("CARGO_PKG_VERSION") })
}
