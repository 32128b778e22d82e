//! What takes room, and making some: `gennaker df` and `gennaker gc` ask here.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use stages::tidy::TidyError;
use stages::usage::{self, Usage};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::query::Query;
use crate::{House, Problem};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(disk_usage)).routes(routes!(collect))
}

/// A disk.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct DiskShown {
    /// A folder on it.
    #[schema(value_type = String)]
    place: PathBuf,
    /// Its bytes.
    total: u64,
    /// Those that the server may still write.
    free: u64,
    /// How full it is for the server, in percent.
    used_percent: u64,
}

/// One thing that takes room.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct UseShown {
    /// What it is.
    what: String,
    /// Where it is.
    #[schema(value_type = String)]
    place: PathBuf,
    /// How many things of its kind.
    count: u64,
    /// What is counted.
    of: String,
    /// Its bytes.
    bytes: u64,
    /// Bytes that could go now.
    freeable: u64,
    /// By which command; empty when there is nothing to do.
    freed_by: String,
}

/// What takes room.
#[derive(Serialize, utoipa::ToSchema)]
struct UsageShown {
    /// The disks, each once.
    disks: Vec<DiskShown>,
    /// What takes room on them.
    uses: Vec<UseShown>,
}

impl From<Usage> for UsageShown {
    fn from(usage: Usage) -> Self {
        let disk = |one: stages::room::Disk| {
            let stages::room::Disk { place, total, free, used_percent } = one;
            DiskShown { place, total, free, used_percent }
        };
        let each = |one: usage::Use| UseShown {
            what: one.what.into(),
            place: one.place,
            count: one.count,
            of: one.of.into(),
            bytes: one.bytes,
            freeable: one.freeable,
            freed_by: one.freed_by.into(),
        };
        UsageShown {
            disks: usage.disks.into_iter().map(disk).collect(),
            uses: usage.uses.into_iter().map(each).collect(),
        }
    }
}

/// Things of a kind that went, or would go.
#[derive(Serialize, utoipa::ToSchema)]
struct Collected {
    /// What they are.
    what: String,
    /// How many.
    count: u64,
    /// Bytes of files.
    bytes: u64,
    /// Their names, where they have some.
    names: Vec<String>,
}

/// How it is asked.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct How {
    /// Only look.
    dry_run: Option<bool>,
}

fn problem(error: TidyError) -> Problem {
    match error {
        TidyError::Store(error) => error.into(),
        other => Problem::internal(other.to_string()),
    }
}

/// Gives what takes how much of the disks. It looks at many files.
#[utoipa::path(get, path = "/ui-api/usage", responses((status = OK, body = UsageShown)))]
async fn disk_usage(State(house): State<House>) -> Result<Json<UsageShown>, Problem> {
    Ok(Json(usage::usage(&house.tidy).await.map_err(problem)?.into()))
}

/// Forgets now what is past its time, or says what would go. For administrators.
#[utoipa::path(post, path = "/ui-api/gc", params(How), responses((status = OK, body = Vec<Collected>)))]
async fn collect(State(house): State<House>, Query(how): Query<How>) -> Result<Json<Vec<Collected>>, Problem> {
    let swept = house.tidy.sweep(how.dry_run.unwrap_or(false)).await.map_err(problem)?;
    let each = |one: stages::tidy::Swept| Collected {
        what: one.what.into(),
        count: one.count,
        bytes: one.bytes,
        names: one.names,
    };
    Ok(Json(swept.into_iter().map(each).collect()))
}
