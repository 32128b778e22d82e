//! Gate: the product's API at the root, in the shapes that `spin`, Deck and scripts know. One file a resource; this is the list.

use utoipa_axum::router::OpenApiRouter;

use crate::House;

mod applications;
mod bakery;
mod cron;
mod definitions;
mod executions;
mod expression;
mod foresight;
mod infrastructure;
mod inventory;
mod misc;
mod pipelines;
mod problems;
mod projects;
mod search;
mod starts;
mod status;
mod tasks;
mod view;
mod webhooks;

/// Every route at the root.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .merge(status::routes())
        .merge(applications::routes())
        .merge(projects::routes())
        .merge(definitions::routes())
        .merge(pipelines::routes())
        .merge(foresight::routes())
        .merge(starts::routes())
        .merge(executions::routes())
        .merge(search::routes())
        .merge(expression::routes())
        .merge(tasks::routes())
        .merge(infrastructure::routes())
        .merge(bakery::routes())
        .merge(webhooks::routes())
        .merge(cron::routes())
        .merge(misc::routes())
}
