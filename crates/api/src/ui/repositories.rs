//! Repositories, mirrors, snapshots and where they are published, of every apt root that the server follows, in one answer for one screen.

use apt::{Mirror, Root, Snapshot};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::publications::Published;
use super::{blocking, operations};
use crate::{House, Problem};

/// The most packages of one repository that the answer lists.
const MOST: usize = 2_000;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(repositories))
}

/// What the screen shows.
#[derive(Default, Serialize, utoipa::ToSchema)]
struct Repositories {
    /// By name.
    repositories: Vec<Repository>,
    /// By name.
    mirrors: Vec<Mirrored>,
    /// The newest first.
    snapshots: Vec<Taken>,
    /// By place.
    publications: Vec<Published>,
}

/// A local repository.
#[derive(Serialize, utoipa::ToSchema)]
struct Repository {
    /// Its name.
    name: String,
    /// What people wrote of it.
    comment: String,
    /// Distribution that a publication takes by default.
    distribution: String,
    /// Component that a publication takes by default.
    component: String,
    /// How many packages it has.
    count: usize,
    /// The first of them, in the order of an index.
    packages: Vec<Package>,
}

/// A package of a repository.
#[derive(Serialize, utoipa::ToSchema)]
struct Package {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// Its architecture.
    architecture: String,
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

/// Gives all repositories with their packages, mirrors, snapshots, and all publications with the line that a client needs.
#[utoipa::path(get, path = "/ui-api/repositories", responses((status = OK, body = Repositories)))]
async fn repositories(State(house): State<House>) -> Result<Json<Repositories>, Problem> {
    blocking(move || {
        let mut all = Repositories::default();
        for root in house.roots.iter() {
            read_root(root, &mut all).map_err(operations::problem)?;
        }
        all.snapshots.sort_by_key(|one| std::cmp::Reverse(one.created));
        Ok(all)
    })
    .await
}

fn read_root(root: &Root, all: &mut Repositories) -> apt::Result<()> {
    for (repo, count) in root.repos()? {
        let packages = root.keys(&repo.root)?.into_iter().take(MOST).map(|key| Package {
            name: key.name,
            version: key.version,
            architecture: key.architecture,
        });
        all.repositories.push(Repository {
            packages: packages.collect(),
            count: usize::try_from(count).unwrap_or(usize::MAX),
            name: repo.name,
            comment: repo.comment,
            distribution: repo.distribution,
            component: repo.component,
        });
    }
    for mirror in root.mirrors()? {
        all.mirrors.push(mirrored(root, mirror)?);
    }
    for snapshot in root.snapshots()? {
        all.snapshots.push(taken(root, snapshot)?);
    }
    for publication in root.publications()? {
        all.publications.push(Published::of(root, &publication)?);
    }
    Ok(())
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
