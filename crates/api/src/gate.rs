//! Gate: the product's API at the root, in the shapes that `spin`, Deck and scripts know. One file a resource; this is the list.

use utoipa_axum::router::OpenApiRouter;

use crate::House;

mod status;

/// Every route at the root.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().merge(status::routes())
}
