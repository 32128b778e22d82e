//! The OpenAPI document: what it says of the whole; the paths come from the handlers.

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{House, server};

/// The head of the document.
#[derive(OpenApi)]
#[openapi(info(
    title = "Gennaker",
    description = "From a package to traffic: repositories, images, pipelines, deployments. Paths at the root have the shapes of Spinnaker's Gate; what \
                   only the page needs is under /ui-api.",
    license(name = "Apache-2.0")
))]
struct Head;

/// An empty router with the head of the document.
pub(crate) fn router() -> OpenApiRouter<House> {
    OpenApiRouter::with_openapi(Head::openapi())
}

/// The document as pretty JSON with a line break at the end, the same for the same program.
pub fn document() -> Result<String, serde_json::Error> {
    let (_, document) = server::routes();
    document.to_pretty_json().map(|text| text + "\n")
}
