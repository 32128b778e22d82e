//! Projects: which applications, clusters and pipelines belong together, and how they are doing.

use std::collections::BTreeMap;

use access::Caller;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use cloud::inventory::ServerGroup;
use pipeline::projects::{self, ProjectError};
use pipeline::records::{self, Detail, Query as Wanted};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::history::{self, Limit};
use super::view;
use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(clusters))
        .routes(routes!(runs))
        .routes(routes!(past))
        .routes(routes!(past_state))
        .routes(routes!(restore))
}

/// All projects.
#[utoipa::path(get, path = "/projects", responses((status = OK, body = Vec<Object>)))]
async fn list(State(house): State<House>) -> Result<Json<Value>, Problem> {
    let all = house.read::<_, StoreError>(projects::all).await?;
    Ok(Json(all.into_iter().map(complete).collect()))
}

/// One project, by its name or id.
#[utoipa::path(get, path = "/projects/{project}", params(("project" = String, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn show(State(house): State<House>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(found(&house, name).await?))
}

async fn found(house: &House, name: String) -> Result<Value, Problem> {
    let wanted = name.clone();
    let project = house.read::<_, StoreError>(move |tx| projects::get(tx, &wanted)).await?;
    project.map(complete).ok_or_else(|| Problem::not_found(format!("there is no project '{name}'")))
}

/// What Deck's dashboard breaks without.
fn complete(mut project: Map<String, Value>) -> Value {
    let config = project.entry("config").or_insert_with(|| json!({}));
    if let Some(config) = config.as_object_mut() {
        for key in ["applications", "clusters", "pipelineConfigs"] {
            config.entry(key).or_insert_with(|| json!([]));
        }
    }
    Value::Object(project)
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What runs in each cluster that a project shows.
#[utoipa::path(get, path = "/projects/{project}/clusters", params(("project" = String, Path)),
    responses((status = OK, body = Vec<Object>), (status = NOT_FOUND, body = Problem)))]
async fn clusters(State(house): State<House>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let project = found(&house, name).await?;
    let all = house.clouds.list(&cloud::Query { application: None, without_images: true }).await?;
    let one = |cluster: &Value| {
        let named = texts(&cluster["applications"]);
        let applications = if named.is_empty() { texts(&project["config"]["applications"]) } else { named };
        cluster_of_project(cluster, &applications, &all.server_groups)
    };
    Ok(Json(project["config"]["clusters"].as_array().into_iter().flatten().map(one).collect()))
}

/// A cluster of a project: `stack` and `detail` may be `*`, and absent means that there is none.
fn cluster_of_project(cluster: &Value, applications: &[&str], groups: &[ServerGroup]) -> Value {
    let fits = |wanted: &Value, part: Option<&str>| match wanted.as_str().unwrap_or_default() {
        "*" => true,
        wanted => wanted == part.unwrap_or_default(),
    };
    let belongs = |group: &&ServerGroup| {
        let parts = group.name.moniker();
        cluster["account"].as_str() == Some(&group.account)
            && fits(&cluster["stack"], parts.stack.as_deref())
            && fits(&cluster["detail"], parts.detail.as_deref())
    };
    let mut total = Counts::default();
    let shown: Vec<Value> = applications
        .iter()
        .map(|application| {
            let mut regions: BTreeMap<&str, Vec<&ServerGroup>> = BTreeMap::new();
            let own = |group: &&ServerGroup| group.name.cluster().app().eq_ignore_ascii_case(application);
            for group in groups.iter().filter(belongs).filter(own) {
                regions.entry(&group.region).or_default().push(group);
            }
            let last = |groups: &[&ServerGroup]| groups.iter().map(|group| group.created.as_millisecond()).max();
            let pushed = regions.values().filter_map(|groups| last(groups)).max();
            let regions: Vec<Value> = regions
                .iter()
                .map(|(region, groups)| {
                    let mut counts = Counts::default();
                    groups.iter().for_each(|group| counts.add(group));
                    total.join(&counts);
                    let build = |group: &&ServerGroup| json!({"deployed": group.created.as_millisecond(), "images": [group.image]});
                    json!({"region": region, "lastPush": last(groups), "instanceCounts": counts.shown(),
                        "builds": groups.iter().filter(|group| !group.disabled).map(build).collect::<Vec<_>>()})
                })
                .collect();
            json!({"application": application, "lastPush": pushed, "clusters": regions})
        })
        .collect();
    json!({"account": cluster["account"], "stack": cluster["stack"], "detail": cluster["detail"], "applications": shown,
        "instanceCounts": total.shown()})
}

/// How many instances are in which state.
#[derive(Default)]
struct Counts {
    total: u64,
    up: u64,
    down: u64,
    unknown: u64,
    out_of_service: u64,
    starting: u64,
}

impl Counts {
    fn add(&mut self, group: &ServerGroup) {
        let counts = super::inventory::counts(group);
        let of = |key: &str| counts[key].as_u64().unwrap_or_default();
        self.total += of("total");
        self.up += of("up");
        self.down += of("down");
        self.unknown += of("unknown");
        self.out_of_service += of("outOfService");
        self.starting += of("starting");
    }

    fn join(&mut self, other: &Counts) {
        self.total += other.total;
        self.up += other.up;
        self.down += other.down;
        self.unknown += other.unknown;
        self.out_of_service += other.out_of_service;
        self.starting += other.starting;
    }

    fn shown(&self) -> Value {
        json!({"total": self.total, "up": self.up, "down": self.down, "unknown": self.unknown,
            "outOfService": self.out_of_service, "starting": self.starting})
    }
}

/// Which of a project's executions are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
struct Runs {
    /// How many of each pipeline; absent means 5.
    limit: Option<usize>,
    /// Statuses, separated by commas; empty means all.
    statuses: Option<String>,
}

/// The newest executions of the pipelines that a project shows.
#[utoipa::path(get, path = "/projects/{project}/pipelines", params(("project" = String, Path), Runs),
    responses((status = OK, body = Vec<Object>), (status = NOT_FOUND, body = Problem)))]
async fn runs(
    State(house): State<House>,
    Path(name): Path<String>,
    Query(wanted): Query<Runs>,
) -> Result<Json<Value>, Problem> {
    let project = found(&house, name).await?;
    let configs = project["config"]["pipelineConfigs"].as_array().cloned().unwrap_or_default();
    let statuses = view::statuses(wanted.statuses.as_deref())?;
    let limit = wanted.limit.unwrap_or(5).clamp(1, 1000);
    let runs = house
        .read::<_, StoreError>(move |tx| {
            let mut ids = Vec::new();
            for id in configs.iter().filter_map(|config| config["pipelineConfigId"].as_str()) {
                let statuses = statuses.clone();
                let query = Wanted { pipeline: Some(id.to_owned()), statuses, limit, ..Wanted::default() };
                ids.extend(records::find(tx, &query)?);
            }
            records::read_all(tx, &ids, Detail::Whole)
        })
        .await?;
    Ok(Json(runs.iter().map(|run| view::execution(run, true)).collect()))
}

/// The id of a project that is there, or was.
async fn id_of(house: &House, name: String) -> Result<String, Problem> {
    let wanted = name.clone();
    let found = house.read::<_, StoreError>(move |tx| projects::id_of(tx, &wanted)).await?;
    found.ok_or_else(|| Problem::not_found(format!("there is no project '{name}', and there was none")))
}

/// A project's saved states, newest first; also of one that was deleted.
#[utoipa::path(get, path = "/projects/{project}/history", params(("project" = String, Path), Limit),
    responses((status = OK, body = Vec<Object>), (status = NOT_FOUND, body = Problem)))]
async fn past(
    State(house): State<House>,
    Path(name): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Value>, Problem> {
    let id = id_of(&house, name).await?;
    Ok(Json(history::states(&house, "project", id, limit).await?))
}

/// One of them.
#[utoipa::path(get, path = "/projects/{project}/history/{number}", params(("project" = String, Path), ("number" = i64, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn past_state(
    State(house): State<House>,
    Path((name, number)): Path<(String, i64)>,
) -> Result<Json<Value>, Problem> {
    let id = id_of(&house, name).await?;
    Ok(Json(history::state(&house, "project", id, number).await?))
}

/// Makes a project what it was then; also one that was deleted.
#[utoipa::path(post, path = "/projects/{project}/history/{number}/restore", params(("project" = String, Path), ("number" = i64, Path)),
    responses((status = OK, body = Object), (status = NOT_FOUND, body = Problem)))]
async fn restore(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path((name, number)): Path<(String, i64)>,
) -> Result<Json<Value>, Problem> {
    let id = id_of(&house, name).await?;
    let saved = house.write::<_, ProjectError>(move |tx| projects::restore(tx, &id, number, &caller.name)).await?;
    Ok(Json(Value::Object(saved)))
}
