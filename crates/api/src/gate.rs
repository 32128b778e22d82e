//! Gate: the product's API at the root, in the shapes that `spin`, Deck and scripts know. One file a resource; this is the list.

use utoipa_axum::router::OpenApiRouter;

use crate::House;

mod admin;
mod applications;
mod auth;
mod bakery;
mod capabilities;
mod cron;
mod definitions;
mod deployment_report;
mod executions;
mod expression;
mod foresight;
mod held_back;
mod history;
mod images;
mod infrastructure;
mod inventory;
mod listings;
mod lookup;
mod misc;
mod notifications;
mod orphans;
mod pipelines;
mod problems;
mod projects;
mod search;
mod starts;
mod status;
mod tasks;
mod templates;
mod view;
mod webhooks;

/// Every route at the root.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .merge(status::routes())
        .merge(auth::routes())
        .merge(applications::routes())
        .merge(projects::routes())
        .merge(definitions::routes())
        .merge(pipelines::routes())
        .merge(foresight::routes())
        .merge(starts::routes())
        .merge(templates::routes())
        .merge(executions::routes())
        .merge(listings::routes())
        .merge(search::routes())
        .merge(expression::routes())
        .merge(tasks::routes())
        .merge(infrastructure::routes())
        .merge(deployment_report::routes())
        .merge(held_back::routes())
        .merge(images::routes())
        .merge(orphans::routes())
        .merge(lookup::routes())
        .merge(notifications::routes())
        .merge(capabilities::routes())
        .merge(admin::routes())
        .merge(bakery::routes())
        .merge(webhooks::routes())
        .merge(cron::routes())
        .merge(misc::routes())
}
