//! What only the page asks for, under `/ui-api`: one request for a whole screen. Not here: the live stream (`live`) and the page's files (`page`).

use access::{Action, Caller};
use apt::Root;
use axum::Json;
use axum::extract::{Path, State};
use pipeline::model::{Kind, Status};
use pipeline::records::{self, LogLine};
use pipeline::{Execution, applications};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{StoreError, Tx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::query::Query;
use crate::{House, Problem};

mod accounts;
mod activity;
mod apt_command;
mod archives;
mod audit;
mod notifiers;
mod operations;
mod provenance;
mod publications;
mod repositories;
mod server_log;
mod settings;
mod stages;
mod tokens;
mod up;
mod upkeep;
mod uploads;
mod versions;

pub use apt_command::{AptCommand, AptCommands};

/// How long what broke stands on Home, in milliseconds.
const BROKEN_FOR: i64 = 24 * 60 * 60 * 1000;
/// The most that one part of Home lists.
const MOST: usize = 50;
/// The most lines of a log that one answer has; older ones are left out.
const LINES: usize = 5_000;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new()
        .routes(routes!(home))
        .routes(routes!(stage_log))
        .merge(activity::routes())
        .merge(repositories::routes())
        .merge(apt_command::routes())
        .merge(archives::routes())
        .merge(notifiers::routes())
        .merge(operations::routes())
        .merge(publications::routes())
        .merge(provenance::routes())
        .merge(server_log::routes())
        .merge(settings::routes())
        .merge(stages::routes())
        .merge(accounts::routes())
        .merge(audit::routes())
        .merge(tokens::routes())
        .merge(up::routes())
        .merge(upkeep::routes())
        .merge(versions::routes())
}

/// Refuses whoever is no administrator to read `what`: requests of others stand in it.
fn for_admins(caller: &Caller, what: &str) -> Result<(), Problem> {
    if caller.role.may(Action::Administer) {
        return Ok(());
    }
    Err(Problem::forbidden(format!("{} is a {} and may not read {what}", caller.name, caller.role)))
}

/// Works on apt roots, which are synchronous and may wait for another process.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<Json<T>, Problem> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(error.to_string()))?;
    done.map(Json)
}

/// What every root has of a kind, as it is shown.
fn of_all<T, S>(
    house: &House,
    list: impl Fn(&Root) -> apt::Result<Vec<T>>,
    show: impl Fn(&Root, T) -> apt::Result<S>,
) -> Result<Vec<S>, Problem> {
    let mut all = Vec::new();
    for root in house.roots.iter() {
        for one in list(root).map_err(operations::problem)? {
            all.push(show(root, one).map_err(operations::problem)?);
        }
    }
    Ok(all)
}

/// What Home shows: what runs (and perhaps waits for a person), and what broke in the last day.
#[derive(Serialize, utoipa::ToSchema)]
struct Home {
    /// Runs that have not ended, newest first.
    running: Vec<Value>,
    /// Runs that failed in the last 24 hours, newest first.
    broken: Vec<Value>,
    /// How many applications there are.
    applications: usize,
}

/// Gives what needs somebody, what runs and what broke, over all applications.
#[utoipa::path(get, path = "/ui-api/home", responses((status = OK, body = Home)))]
async fn home(State(house): State<House>) -> Result<Json<Home>, Problem> {
    let since = house.now().as_millisecond() - BROKEN_FOR;
    let home = house.read::<_, StoreError>(move |tx| read_home(tx, since)).await?;
    Ok(Json(home))
}

fn read_home(tx: &mut Tx<'_>, since: i64) -> Result<Home, StoreError> {
    let running = runs(tx, &[Status::Running, Status::NotStarted, Status::Paused, Status::Suspended])?;
    let broken = runs(tx, &[Status::Terminal])?;
    Ok(Home {
        running: running.iter().map(written).collect(),
        broken: broken.iter().filter(|run| run.end_time.is_some_and(|end| end >= since)).map(written).collect(),
        applications: applications::all(tx)?.len(),
    })
}

fn runs(tx: &mut Tx<'_>, statuses: &[Status]) -> Result<Vec<Execution>, StoreError> {
    let query =
        records::Query { kind: Kind::Pipeline, statuses: statuses.to_vec(), limit: MOST, ..records::Query::default() };
    records::list(tx, &query)
}

fn written(run: &Execution) -> Value {
    serde_json::to_value(run).unwrap_or(Value::Null)
}

/// The lines that a stage and the stages inside it wrote.
#[derive(Serialize, utoipa::ToSchema)]
struct StageLog {
    /// In the order in which they were written.
    lines: Vec<Line>,
    /// Whether older lines were left out.
    cut: bool,
}

/// One line.
#[derive(Serialize, utoipa::ToSchema)]
struct Line {
    /// Its number in the execution.
    seq: i64,
    /// The stage that wrote it.
    stage: String,
    /// When, in milliseconds.
    at: i64,
    /// What it says.
    text: String,
}

/// From where on.
#[derive(Deserialize, utoipa::IntoParams)]
struct After {
    /// The number of the last line that the reader has.
    #[serde(default)]
    after: i64,
}

/// Gives the live log of a stage, its synthetic stages included.
#[utoipa::path(get, path = "/ui-api/executions/{id}/stages/{stage_id}/log",
    params(("id" = String, Path), ("stage_id" = String, Path), After),
    responses((status = OK, body = StageLog), (status = NOT_FOUND)))]
async fn stage_log(
    State(house): State<House>,
    Path((id, stage_id)): Path<(String, String)>,
    Query(from): Query<After>,
) -> Result<Json<StageLog>, Problem> {
    let wanted = id.clone();
    let found = house.read::<_, StoreError>(move |tx| read_log(tx, &wanted, &stage_id, from.after)).await?;
    found.map(Json).ok_or_else(|| Problem::not_found(format!("there is no execution {id}")))
}

fn read_log(tx: &mut Tx<'_>, id: &str, stage: &str, after: i64) -> Result<Option<StageLog>, StoreError> {
    let Some(run) = records::get(tx, id)? else {
        return Ok(None);
    };
    let inside = inside(&run, stage);
    let mut lines = records::log(tx, id, None, after)?;
    lines.retain(|line| inside.contains(&line.stage.as_str()));
    let cut = lines.len() > LINES;
    let from = lines.len().saturating_sub(LINES);
    Ok(Some(StageLog { lines: lines.drain(from..).map(Line::from).collect(), cut }))
}

/// The ids of a stage and of all stages below it.
fn inside<'a>(run: &'a Execution, stage: &'a str) -> Vec<&'a str> {
    let mut ids = vec![stage];
    let mut next = 0;
    while let Some(parent) = ids.get(next).copied() {
        // A stage that names itself as its parent, by whatever mistake, is not walked twice.
        ids.extend(run.all_children(parent).map(|child| child.id.as_str()).filter(|id| *id != stage));
        next += 1;
        if next > run.stages.len() {
            break;
        }
    }
    ids
}

impl From<LogLine> for Line {
    fn from(line: LogLine) -> Self {
        Self { seq: line.number, stage: line.stage, at: line.at, text: line.line }
    }
}
