//! Publications as the page shows them: what a client writes down, and what was shown before with the way back to it.

use access::Caller;
use apt::{Publication, Rollback, Root};
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{blocking, of_all, operations};
use crate::body::Body;
use crate::{House, Problem};

/// The most packages of one generation's changes that are named.
const NAMED: usize = 50;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(publications)).routes(routes!(roll_back))
}

/// Where something is published.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Published {
    /// The folder of the root.
    root: String,
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
    /// `local` or `snapshot`.
    kind: &'static str,
    /// Whether clients can check who made it.
    signed: bool,
    /// What a client writes into its `sources.list`.
    line: String,
}

/// All publications with what they showed.
#[derive(Serialize, utoipa::ToSchema)]
struct Publications {
    /// By place.
    publications: Vec<History>,
}

/// A publication with what it showed.
#[derive(Serialize, utoipa::ToSchema)]
struct History {
    /// The publication.
    #[serde(flatten)]
    published: Published,
    /// What it shows and showed before, the newest first.
    generations: Vec<Generation>,
}

/// What was shown from one moment on.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Generation {
    /// Its number.
    number: i64,
    /// Since when, in milliseconds since 1970.
    at: i64,
    /// Whether it is the one that is shown.
    shown: bool,
    /// How many packages it has.
    packages: u64,
    /// How many came with it.
    added_count: usize,
    /// How many went with it.
    removed_count: usize,
    /// The first of those that came.
    added: Vec<String>,
    /// The first of those that went.
    removed: Vec<String>,
}

impl Published {
    pub(super) fn of(root: &Root, one: &Publication) -> Published {
        let signed = root.is_signed(one);
        let components: Vec<String> = one.sources.keys().cloned().collect();
        Published {
            root: root.path().display().to_string(),
            line: source_line(&one.prefix, &one.distribution, &components, signed),
            prefix: one.place(),
            distribution: one.distribution.clone(),
            architectures: one.architectures.clone(),
            sources: one.sources.values().map(|source| source.name.clone()).collect(),
            kind: one.kind.word(),
            components,
            signed,
        }
    }
}

impl History {
    fn of(root: &Root, one: &Publication) -> apt::Result<History> {
        let history = root.publication_history(&one.storage, &one.prefix, &one.distribution)?;
        let generations = history.into_iter().map(Generation::of).collect();
        Ok(History { published: Published::of(root, one), generations })
    }
}

impl Generation {
    fn of(mut past: apt::Past) -> Generation {
        let (added_count, removed_count) = (past.added.len(), past.removed.len());
        past.added.truncate(NAMED);
        past.removed.truncate(NAMED);
        Generation {
            number: past.number,
            at: past.at.as_millisecond(),
            shown: past.shown,
            packages: past.packages,
            added_count,
            removed_count,
            added: past.added,
            removed: past.removed,
        }
    }
}

/// The line of a `sources.list`. Today's apt refuses an unsigned publication that is not called trusted.
fn source_line(prefix: &str, distribution: &str, components: &[String], signed: bool) -> String {
    let trust = if signed { "" } else { "[trusted=yes] " };
    let folder = if prefix == "." { String::new() } else { format!("{prefix}/") };
    format!("deb {trust}http://HOST:8080/{folder} {distribution} {}", components.join(" "))
}

/// Gives all publications with what they show and showed.
#[utoipa::path(get, path = "/ui-api/publications", responses((status = OK, body = Publications)))]
async fn publications(State(house): State<House>) -> Result<Json<Publications>, Problem> {
    blocking(move || {
        let publications = of_all(&house, Root::publications, |root, one| History::of(root, &one))?;
        Ok(Publications { publications })
    })
    .await
}

/// Which publication goes back, and to what.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct RollBack {
    /// The folder of the root; the first that the server follows if it is not said.
    root: Option<String>,
    /// Its place: `prefix` or `storage:prefix`.
    prefix: String,
    /// Its distribution.
    distribution: String,
    /// The generation; the one before the one that is shown if none is given.
    to: Option<i64>,
    /// It is not signed.
    #[serde(default)]
    skip_signing: bool,
}

/// What a publication shows after it went back.
#[derive(Serialize, utoipa::ToSchema)]
struct RolledBack {
    /// The number of the new generation.
    generation: i64,
}

/// Shows again what a publication showed before, as a new generation.
#[utoipa::path(post, path = "/ui-api/publications/rollback", request_body = RollBack,
    responses((status = OK, body = RolledBack), (status = NOT_FOUND, body = Problem), (status = CONFLICT, body = Problem)))]
async fn roll_back(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<RolledBack>, Problem> {
    let asked = body.object("which publication goes back")?;
    let how: RollBack =
        serde_json::from_value(asked.into()).map_err(|error| Problem::bad_request(error.to_string()))?;
    blocking(move || {
        let root = operations::root_of(&house, how.root.as_deref())?;
        let publications = root.publications().map_err(operations::problem)?;
        let is_meant = |one: &&Publication| one.place() == how.prefix && one.distribution == how.distribution;
        let meant = publications.iter().find(is_meant);
        let gone = || Problem::not_found(format!("there is no publication {}/{}", how.prefix, how.distribution));
        let meant = meant.ok_or_else(gone)?;
        let request = Rollback {
            storage: meant.storage.clone(),
            prefix: meant.prefix.clone(),
            distribution: meant.distribution.clone(),
            to: how.to,
            signing: operations::signing(&house, how.skip_signing),
            ..Rollback::default()
        };
        let acting = root.clone().acting(&caller.name, "publish rollback on the page");
        let made = acting.rollback_publication(&request, &mut |_| {}).map_err(operations::problem)?;
        Ok(RolledBack { generation: made.generation })
    })
    .await
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
