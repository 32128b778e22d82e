//! Repositories and where they are published, of every apt root that the server follows, in one answer for one screen.

use apt::Root;
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

/// Gives all repositories with their packages, and all publications with the line that a client needs.
#[utoipa::path(get, path = "/ui-api/repositories", responses((status = OK, body = Repositories)))]
async fn repositories(State(house): State<House>) -> Result<Json<Repositories>, Problem> {
    blocking(move || {
        let mut all = Repositories::default();
        for root in house.roots.iter() {
            read_root(root, &mut all).map_err(operations::problem)?;
        }
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
    all.publications.extend(root.publications()?.iter().map(|one| Published::of(root, one)));
    Ok(())
}
