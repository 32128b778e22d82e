//! Repositories and where they are published, of every apt root that the server follows, in one answer for one screen.

use apt::{Publication, Root};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking;
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

/// Where something is published.
#[derive(Serialize, utoipa::ToSchema)]
struct Published {
    /// The folder; `.` for none.
    prefix: String,
    /// The distribution.
    distribution: String,
    /// Components.
    components: Vec<String>,
    /// Architectures.
    architectures: Vec<String>,
    /// Names of the repositories or snapshots it shows.
    sources: Vec<String>,
    /// Whether clients can check who made it.
    signed: bool,
    /// What a client writes into its `sources.list`.
    line: String,
}

/// Gives all repositories with their packages, and all publications with the line that a client needs.
#[utoipa::path(get, path = "/ui-api/repositories", responses((status = OK, body = Repositories)))]
async fn repositories(State(house): State<House>) -> Result<Json<Repositories>, Problem> {
    blocking(move || {
        let mut all = Repositories::default();
        for root in house.roots.iter() {
            read_root(root, &mut all).map_err(|error| Problem::internal(error.to_string()))?;
        }
        Ok(all)
    })
    .await
}

fn read_root(root: &Root, all: &mut Repositories) -> Result<(), apt::Error> {
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
    all.publications.extend(root.publications()?.iter().map(|one| published(root, one)));
    Ok(())
}

fn published(root: &Root, one: &Publication) -> Published {
    let folder = root.public().join(&one.prefix).join("dists").join(&one.distribution);
    let signed = one.storage.is_empty() && folder.join("InRelease").exists();
    let components: Vec<String> = one.sources.keys().cloned().collect();
    Published {
        line: source_line(&one.prefix, &one.distribution, &components, signed),
        prefix: one.place(),
        distribution: one.distribution.clone(),
        architectures: one.architectures.clone(),
        sources: one.sources.values().map(|source| source.name.clone()).collect(),
        components,
        signed,
    }
}

/// The line of a `sources.list`. Today's apt refuses an unsigned publication that is not called trusted.
fn source_line(prefix: &str, distribution: &str, components: &[String], signed: bool) -> String {
    let trust = if signed { "" } else { "[trusted=yes] " };
    let folder = if prefix == "." { String::new() } else { format!("{prefix}/") };
    format!("deb {trust}http://HOST:8080/{folder} {distribution} {}", components.join(" "))
}

#[cfg(test)]
mod tests {
    use super::source_line;

    #[test]
    fn the_line_says_what_apt_needs() {
        let main = ["main".to_owned()];
        assert_eq!(source_line(".", "stretch", &main, false), "deb [trusted=yes] http://HOST:8080/ stretch main");
        assert_eq!(source_line("debian", "sid", &main, true), "deb http://HOST:8080/debian/ sid main");
    }
}
