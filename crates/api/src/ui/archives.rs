//! Mirrors and snapshots of every apt root that the server follows.

use apt::{Mirror, Root, Snapshot};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{blocking, of_all};
use crate::{House, Problem};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(mirrors)).routes(routes!(snapshots))
}

/// All mirrors.
#[derive(Serialize, utoipa::ToSchema)]
struct Mirrors {
    /// By name.
    mirrors: Vec<Mirrored>,
}

/// All snapshots.
#[derive(Serialize, utoipa::ToSchema)]
struct Snapshots {
    /// The newest first.
    snapshots: Vec<Taken>,
}

/// A mirror.
#[derive(Serialize, utoipa::ToSchema)]
struct Mirrored {
    /// Its name.
    name: String,
    /// The address of the archive.
    archive: String,
    /// The distribution; one that ends with a slash is flat.
    distribution: String,
    /// Components.
    components: Vec<String>,
    /// Architectures.
    architectures: Vec<String>,
    /// Only packages that this query means; empty for all.
    filter: String,
    /// When it was last updated, in milliseconds since 1970.
    updated: Option<i64>,
    /// Whether a process updates it now.
    updating: bool,
    /// How many packages it has.
    count: u64,
}

/// A snapshot.
#[derive(Serialize, utoipa::ToSchema)]
struct Taken {
    /// Its name.
    name: String,
    /// How it was made.
    description: String,
    /// When, in milliseconds since 1970.
    created: i64,
    /// What it was made of: `local`, `repo` (a mirror) or `snapshot`.
    kind: &'static str,
    /// The names of what it was made of, as far as they are still there.
    sources: Vec<String>,
    /// How many packages it has.
    count: u64,
}

/// Gives all mirrors.
#[utoipa::path(get, path = "/ui-api/mirrors", responses((status = OK, body = Mirrors)))]
async fn mirrors(State(house): State<House>) -> Result<Json<Mirrors>, Problem> {
    blocking(move || Ok(Mirrors { mirrors: of_all(&house, Root::mirrors, mirrored)? })).await
}

/// Gives all snapshots.
#[utoipa::path(get, path = "/ui-api/snapshots", responses((status = OK, body = Snapshots)))]
async fn snapshots(State(house): State<House>) -> Result<Json<Snapshots>, Problem> {
    blocking(move || {
        let mut snapshots = of_all(&house, Root::snapshots, taken)?;
        snapshots.sort_by_key(|one| std::cmp::Reverse(one.created));
        Ok(Snapshots { snapshots })
    })
    .await
}

fn mirrored(root: &Root, mirror: Mirror) -> apt::Result<Mirrored> {
    Ok(Mirrored {
        count: root.count(&mirror.root)?,
        updating: mirror.is_updating(),
        name: mirror.name,
        archive: mirror.archive,
        distribution: mirror.distribution,
        components: mirror.components,
        architectures: mirror.architectures,
        filter: mirror.filter,
        updated: mirror.updated.map(|at| at.as_millisecond()),
    })
}

fn taken(root: &Root, snapshot: Snapshot) -> apt::Result<Taken> {
    Ok(Taken {
        count: root.count(&snapshot.root)?,
        sources: root.snapshot_sources(&snapshot)?.into_iter().map(|(name, _)| name).collect(),
        kind: snapshot.kind.word(),
        created: snapshot.created.as_millisecond(),
        name: snapshot.name,
        description: snapshot.description,
    })
}
