//! What clients ask and what is answered with nothing until the part that knows it is built: an empty collection is `[]`, never 404.

use access::Caller;
use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::House;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(plugins))
        .routes(routes!(plugin_infos))
        .routes(routes!(installed_plugins))
        .routes(routes!(jobs))
        .routes(routes!(webhooks))
        .routes(routes!(banners))
        .routes(routes!(service_accounts))
        .routes(routes!(slack_channels))
        .routes(routes!(pager_services))
        .routes(routes!(on_call))
        .routes(routes!(tags))
        .merge(builds())
        .merge(artifacts())
        .merge(of_application())
}

fn builds() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(build_masters))
        .routes(routes!(build_masters_v3))
        .routes(routes!(build_jobs))
        .routes(routes!(build_jobs_v3))
        .routes(routes!(build_job_v3))
        .routes(routes!(builds_v3))
        .routes(routes!(concourse_teams))
        .routes(routes!(concourse_pipelines))
        .routes(routes!(concourse_jobs))
        .routes(routes!(concourse_resources))
        .routes(routes!(gcb_accounts))
        .routes(routes!(gcb_triggers))
        .routes(routes!(codebuild_accounts))
        .routes(routes!(codebuild_projects))
}

fn artifacts() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(artifact_accounts))
        .routes(routes!(artifact_names))
        .routes(routes!(artifact_versions))
        .routes(routes!(artifactory))
        .routes(routes!(nexus))
        .routes(routes!(subscriptions))
        .routes(routes!(image_tags))
}

fn of_application() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(raw_resources))
        .routes(routes!(functions_of_application))
        .routes(routes!(functions))
        .routes(routes!(vpcs))
        .routes(routes!(storage))
        .routes(routes!(certificates_of))
        .routes(routes!(roles_of))
}

macro_rules! empty {
    ($($(#[$doc:meta])* $name:ident $path:literal $(($($param:literal),*))?),* $(,)?) => {$(
        $(#[$doc])*
        #[utoipa::path(get, path = $path, $(params($(($param = String, Path)),*),)? responses((status = OK, body = Vec<Object>)))]
        async fn $name() -> Json<Value> {
            Json(json!([]))
        }
    )*};
}

empty! {
    /// Plugins of Deck; there are none.
    plugins "/plugins/deck/plugin-manifest.json",
    /// Plugins that could be had; there are none.
    plugin_infos "/plugins/info",
    /// Plugins that are there; none are.
    installed_plugins "/plugins/installed",
    /// Jobs that the operator prepared.
    jobs "/jobs/preconfigured",
    /// What the operator tells everybody.
    banners "/banners",
    /// Users that are no persons; there are none.
    service_accounts "/serviceAccounts",
    /// Channels of Slack; none are known.
    slack_channels "/slack/channels",
    /// Services of PagerDuty; none are known.
    pager_services "/pagerDuty/services",
    /// Who is on call; nobody is known.
    on_call "/pagerDuty/oncalls",
    /// Tags of things in clouds; none are kept.
    tags "/tags",
    /// Build servers; none are known.
    build_masters "/v2/builds",
    /// Build servers; none are known.
    build_masters_v3 "/v3/builds",
    /// Jobs of a build server; none are known.
    build_jobs "/v2/builds/{master}/jobs" ("master"),
    /// Jobs of a build server; none are known.
    build_jobs_v3 "/v3/builds/{master}/jobs" ("master"),
    /// A job of a build server (`?job=`); none is known.
    build_job_v3 "/v3/builds/{master}/job" ("master"),
    /// Builds of a job (`?job=`); none are known.
    builds_v3 "/v3/builds/{master}/builds" ("master"),
    /// Teams of a Concourse; none are known.
    concourse_teams "/concourse/{master}/teams" ("master"),
    /// Pipelines of a team; none are known.
    concourse_pipelines "/concourse/{master}/teams/{team}/pipelines" ("master", "team"),
    /// Jobs of a pipeline; none are known.
    concourse_jobs "/concourse/{master}/teams/{team}/pipelines/{pipeline}/jobs" ("master", "team", "pipeline"),
    /// Resources of a pipeline; none are known.
    concourse_resources "/concourse/{master}/teams/{team}/pipelines/{pipeline}/resources" ("master", "team", "pipeline"),
    /// Accounts of Google Cloud Build; none are known.
    gcb_accounts "/gcb/accounts",
    /// Triggers of an account of Google Cloud Build; none are known.
    gcb_triggers "/gcb/triggers/{account}" ("account"),
    /// Accounts of AWS CodeBuild; none are known.
    codebuild_accounts "/codebuild/accounts",
    /// Projects of an account of AWS CodeBuild; none are known.
    codebuild_projects "/codebuild/projects/{account}" ("account"),
    /// Accounts that artifacts are fetched with.
    artifact_accounts "/artifacts/credentials",
    /// Names of artifacts of an account; none are known.
    artifact_names "/artifacts/account/{account}/names" ("account"),
    /// Versions of an artifact of an account; none are known.
    artifact_versions "/artifacts/account/{account}/versions" ("account"),
    /// Searches of Artifactory; none are known.
    artifactory "/artifactory/names",
    /// Searches of Nexus; none are known.
    nexus "/nexus/names",
    /// Subscriptions to messages; there are none.
    subscriptions "/pubsub/subscriptions",
    /// Tags of images of a registry; none are known.
    image_tags "/images/tags",
    /// Resources of an application that no other list has; there are none.
    raw_resources "/applications/{application}/rawResources" ("application"),
    /// Functions of an application; there are none.
    functions_of_application "/applications/{application}/functions" ("application"),
    /// Functions in clouds; there are none.
    functions "/functions",
    /// Networks of Amazon; none can be chosen.
    vpcs "/vpcs",
    /// Accounts of storage; there are none.
    storage "/storage",
    /// Certificates of one provider; none can be chosen.
    certificates_of "/certificates/{provider}" ("provider"),
    /// Roles of one provider; none can be chosen.
    roles_of "/roles/{provider}" ("provider"),
}

/// Webhooks that the operator prepared.
#[utoipa::path(get, path = "/webhooks/preconfigured", responses((status = OK, body = Vec<Object>)))]
async fn webhooks(State(house): State<House>, Extension(caller): Extension<Caller>) -> Json<Value> {
    // Those that the caller may see; where they lead nobody sees.
    let seen = house.webhooks.iter().filter(|w| w.enabled != Some(false) && w.permits("READ", &caller.name));
    Json(seen.map(|webhook| webhook.listed()).collect())
}
