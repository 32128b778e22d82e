//! What people and programs did in the apt roots that the server follows, and the way back from it.

use access::Caller;
use apt::{Op, Root, Signing};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking;
use crate::query::Query;
use crate::{House, Problem};

/// The most operations of a root that one answer has.
const MOST: u32 = 200;
/// The most packages of one change that are named.
const NAMED: usize = 100;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(operations)).routes(routes!(undo))
}

/// What was done, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
struct Operations {
    operations: Vec<Operation>,
}

/// One command or request that changed something.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    /// The folder of the root.
    root: String,
    /// Its number in that root.
    id: i64,
    /// When it began, in milliseconds since 1970.
    at: i64,
    /// Who did it; empty if that is not known.
    who: String,
    /// By which command or request.
    command: String,
    /// The operation that it undid.
    undoes: Option<i64>,
    /// The operation that undid it.
    undone_by: Option<i64>,
    /// What it changed.
    changes: Vec<Change>,
}

/// One thing that was changed.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Change {
    /// `repo`, `snapshot`, `mirror` or `publication`.
    kind: String,
    /// Its name; of a publication its path.
    name: String,
    /// `made`, `changed` or `removed`.
    what: &'static str,
    /// How many packages came.
    added_count: usize,
    /// How many packages went.
    removed_count: usize,
    /// The first of those that came.
    added: Vec<String>,
    /// The first of those that went.
    removed: Vec<String>,
}

impl Operation {
    pub(super) fn of(root: &Root, op: Op) -> Operation {
        let change = |mut change: apt::OpChange| {
            let (added_count, removed_count) = (change.added.len(), change.removed.len());
            change.added.truncate(NAMED);
            change.removed.truncate(NAMED);
            let apt::OpChange { kind, name, what, added, removed } = change;
            Change { kind, name, what, added_count, removed_count, added, removed }
        };
        Operation {
            root: root.path().display().to_string(),
            id: op.id,
            at: op.at.as_millisecond(),
            who: op.who,
            command: op.command,
            undoes: op.undoes,
            undone_by: op.undone_by,
            changes: op.changes.into_iter().map(change).collect(),
        }
    }
}

/// What an error of a root is to a client.
pub(super) fn problem(error: apt::Error) -> Problem {
    let message = error.to_string();
    match error {
        apt::Error::NotFound(_) => Problem::not_found(message),
        apt::Error::Conflict(_) | apt::Error::Signing(_) => Problem::conflict(message),
        apt::Error::Invalid(_) => Problem::bad_request(message),
        _ => Problem::internal(message),
    }
}

/// Gives what was done in the last two weeks, the newest first, of every root.
#[utoipa::path(get, path = "/ui-api/operations", responses((status = OK, body = Operations)))]
async fn operations(State(house): State<House>) -> Result<Json<Operations>, Problem> {
    blocking(move || {
        let mut all = Vec::new();
        for root in house.roots.iter() {
            all.extend(root.ops(MOST).map_err(problem)?.into_iter().map(|op| Operation::of(root, op)));
        }
        all.sort_by_key(|one| std::cmp::Reverse((one.at, one.id)));
        Ok(Operations { operations: all })
    })
    .await
}

/// How an operation is undone.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
struct Undo {
    /// The folder of the root; the first that the server follows if it is not said.
    root: Option<String>,
    /// A publication that comes back is not signed.
    #[serde(default)]
    skip_signing: bool,
}

/// The root whose folder is `path`; the first that the server follows if none is said.
pub(super) fn root_of<'a>(house: &'a House, path: Option<&str>) -> Result<&'a Root, Problem> {
    let is_meant = |root: &&Root| path.is_none_or(|path| root.path().display().to_string() == path);
    house.roots.iter().find(is_meant).ok_or_else(|| Problem::not_found("the server follows no such root"))
}

/// How what is published on the page is signed: as aptly's configuration says, or not at all.
pub(super) fn signing(house: &House, skip: bool) -> Signing {
    let configured = house.aptly.settings().signing.clone();
    Signing { skip: skip || configured.skip, batch: true, ..configured }
}

/// Makes everything that an operation changed what it was before, as an operation of its own, and gives that.
#[utoipa::path(post, path = "/ui-api/operations/{id}/undo", params(("id" = i64, Path), Undo),
    responses((status = OK, body = Operation), (status = NOT_FOUND, body = Problem), (status = CONFLICT, body = Problem)))]
async fn undo(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<i64>,
    Query(how): Query<Undo>,
) -> Result<Json<Operation>, Problem> {
    blocking(move || {
        let root = root_of(&house, how.root.as_deref())?;
        let signing = signing(&house, how.skip_signing);
        let acting = root.clone().acting(&caller.name, &format!("undo {id} on the page"));
        let undone = acting.undo(Some(id), &signing, &mut |_| {}).map_err(problem)?;
        Ok(Operation::of(root, root.op(undone.by).map_err(problem)?))
    })
    .await
}
