//! Snapshots.

use apt::{DropRefused, Line, Merge, Pull, Root, Snapshot};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::{Fields, Params};
use super::packages::{Wanted, query};
use super::{Answer, Aptly, Fault};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(create))
        .routes(routes!(show))
        .routes(routes!(edit))
        .routes(routes!(drop))
        .routes(routes!(packages))
        .routes(routes!(diff))
        .routes(routes!(merge))
        .routes(routes!(pull))
}

fn shown(root: &Root, snapshot: &Snapshot) -> Result<Value, Fault> {
    Ok(root.shown_snapshot(snapshot, None, false)?)
}

/// Makes a snapshot of a repository or mirror. That it is `there` is found out at once, also for whoever wants a task.
pub async fn of_source(
    aptly: Aptly,
    (kind, source): (&'static str, String),
    params: &Params,
    fields: &Fields,
    there: impl Fn(&Root, &str) -> apt::Result<()> + Send + 'static,
    make: fn(&Root, &str, &str) -> apt::Result<Snapshot>,
) -> Response {
    let looked_for = source.clone();
    let ready = async {
        let name = fields.required("Name")?;
        aptly.blocking(move |root| Ok(there(root, &looked_for)?)).await?;
        Ok::<_, Fault>(name)
    };
    let name = match ready.await {
        Ok(name) => name,
        Err(fault) => return fault.into_response(),
    };
    let description = fields.text("Description").filter(|text| !text.is_empty());
    let (task, resources) = (format!("Create snapshot of {kind} {source}"), vec![source.clone(), name.clone()]);
    let work = move |root: &Root, _: &mut dyn FnMut(Line)| {
        let made = make(root, &name, &source);
        let mut made = made.map_err(|error| Fault::from(error).conflict_as(StatusCode::BAD_REQUEST))?;
        if let Some(description) = description {
            made = root.describe_snapshot(&name, &description)?;
        }
        Ok(Answer::created(shown(root, &made)?))
    };
    aptly.task(params, task, resources, work).await
}

/// Snapshots.
#[utoipa::path(get, path = "/api/snapshots", responses((status = OK, body = Object)))]
async fn list(State(aptly): State<Aptly>, params: Params) -> Result<Answer, Fault> {
    let by_time = match params.text("sort") {
        None | Some("name") => false,
        Some("time") => true,
        Some(other) => return Err(Fault::bad(format!("sorting method \"{other}\" unknown"))),
    };
    let all = aptly.blocking(move |root| {
        let mut all = root.snapshots()?;
        if by_time {
            all.sort_by_key(|snapshot| snapshot.created);
        }
        let one = |snapshot: &Snapshot| {
            let mut shown = shown(root, snapshot)?;
            shown["NumPackages"] = root.count(&snapshot.root)?.into();
            Ok::<_, Fault>(shown)
        };
        all.iter().map(one).collect::<Result<Vec<_>, _>>()
    });
    Ok(Answer::ok(all.await?))
}

/// Makes a snapshot of others and of single packages.
#[utoipa::path(post, path = "/api/snapshots", responses((status = OK, body = Object)))]
async fn create(State(aptly): State<Aptly>, params: Params, fields: Fields) -> Response {
    let name = match fields.required("Name") {
        Ok(name) => name,
        Err(fault) => return fault.into_response(),
    };
    let description = fields.text("Description").unwrap_or_default();
    let (sources, refs) = (fields.list("SourceSnapshots"), fields.list("PackageRefs"));
    let (task, resources) = (format!("Create snapshot {name}"), sources.clone());
    let work = move |root: &Root, _: &mut dyn FnMut(Line)| {
        let made = root.snapshot_refs(&name, &description, &sources, &refs);
        let made = made.map_err(|error| Fault::from(error).conflict_as(StatusCode::BAD_REQUEST))?;
        Ok(Answer::created(shown(root, &made)?))
    };
    aptly.task(&params, task, resources, work).await
}

/// One snapshot.
#[utoipa::path(get, path = "/api/snapshots/{name}", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn show(State(aptly): State<Aptly>, Path(name): Path<String>) -> Result<Answer, Fault> {
    Ok(Answer::ok(aptly.blocking(move |root| shown(root, &root.snapshot(&name)?)).await?))
}

/// Renames a snapshot or describes it anew.
#[utoipa::path(put, path = "/api/snapshots/{name}", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn edit(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params, fields: Fields) -> Response {
    let new = fields.text("Name").filter(|new| !new.is_empty());
    let description = fields.text("Description").filter(|text| !text.is_empty());
    let (task, resources) = (format!("Update snapshot {name}"), vec![name.clone()]);
    let work = move |root: &Root, _: &mut dyn FnMut(Line)| {
        let mut snapshot = root.snapshot(&name)?;
        if let Some(new) = new.filter(|new| *new != name) {
            snapshot = root.rename_snapshot(&name, &new)?;
        }
        if let Some(description) = description {
            snapshot = root.describe_snapshot(&snapshot.name, &description)?;
        }
        Ok(Answer::ok(shown(root, &snapshot)?))
    };
    aptly.task(&params, task, resources, work).await
}

/// Removes a snapshot.
#[utoipa::path(delete, path = "/api/snapshots/{name}", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn drop(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params) -> Response {
    let force = params.flag("force");
    let (task, resources) = (format!("Delete snapshot {name}"), vec![name.clone()]);
    let work = move |root: &Root, _: &mut dyn FnMut(Line)| match root.drop_snapshot(&name, force) {
        Ok(_) => Ok(Answer::nothing()),
        Err(DropRefused::Published(_)) => Err(Fault::conflict("unable to drop: snapshot is published")),
        Err(DropRefused::Snapshots(_)) => Err(Fault::conflict(
            "won't delete snapshot that was used as source for other snapshots, use ?force=1 to override",
        )),
        Err(DropRefused::Other(error)) => Err(error.into()),
    };
    aptly.task(&params, task, resources, work).await
}

/// Packages of a snapshot.
#[utoipa::path(get, path = "/api/snapshots/{name}/packages", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn packages(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params) -> Result<Answer, Fault> {
    let wanted = Wanted::read(&params, &aptly.settings().follow)?;
    aptly.blocking(move |root| wanted.of_list(root, &root.snapshot(&name)?.root)).await
}

/// What two snapshots differ in.
#[utoipa::path(get, path = "/api/snapshots/{name}/diff/{with}", params(("name" = String, Path), ("with" = String, Path)), responses((status = OK, body = Object)))]
async fn diff(
    State(aptly): State<Aptly>,
    Path((left, right)): Path<(String, String)>,
    params: Params,
) -> Result<Answer, Fault> {
    let only = params.flag("onlyMatching");
    let rows = aptly.blocking(move |root| {
        let (left, right) = (root.snapshot(&left)?, root.snapshot(&right)?);
        let rows = root.compare(&left.root, &right.root)?;
        let wanted = rows.iter().filter(|row| !only || (row.left.is_some() && row.right.is_some()));
        let key = |key: &Option<debian::package::Key>| key.as_ref().map(|key| key.full());
        Ok(wanted.map(|row| json!({"Left": key(&row.left), "Right": key(&row.right)})).collect::<Vec<_>>())
    });
    Ok(Answer::ok(rows.await?))
}

/// Makes a snapshot of several.
#[utoipa::path(post, path = "/api/snapshots/{name}/merge", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn merge(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params, fields: Fields) -> Response {
    let sources = fields.list("Sources");
    let how = match (params.flag("latest"), params.flag("no-remove")) {
        (true, true) => return Fault::bad("no-remove and latest are mutually exclusive").into_response(),
        (true, false) => Merge::Latest,
        (false, true) => Merge::KeepAll,
        (false, false) => Merge::Replace,
    };
    if sources.is_empty() {
        return Fault::bad("At least one source snapshot is required").into_response();
    }
    let (task, resources) = (format!("Merge snapshot {name}"), sources.clone());
    let work = move |root: &Root, _: &mut dyn FnMut(Line)| {
        let made = root.merge_snapshots(&name, &sources, how)?;
        Ok(Answer::created(shown(root, &made)?))
    };
    aptly.task(&params, task, resources, work).await
}

/// Makes a snapshot with packages of another pulled in.
#[utoipa::path(post, path = "/api/snapshots/{name}/pull", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn pull(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params, fields: Fields) -> Response {
    let mut follow = aptly.settings().follow.clone();
    let given = fields.list("Architectures");
    if !given.is_empty() {
        follow.architectures = given;
    }
    let dry_run = params.flag("dry-run");
    let how = Pull {
        dry_run,
        no_deps: params.flag("no-deps"),
        no_remove: params.flag("no-remove"),
        all_matches: params.flag("all-matches"),
        follow,
    };
    let texts = fields.list("Queries");
    let read = || {
        let (source, destination) = (fields.required("Source")?, fields.required("Destination")?);
        if texts.is_empty() {
            return Err(super::asked::required("Queries"));
        }
        let queries = texts.iter().map(|text| query(text)).collect::<Result<Vec<_>, _>>()?;
        Ok((source, destination, queries))
    };
    let (source, destination, queries) = match read() {
        Ok(read) => read,
        Err(fault) => return fault.into_response(),
    };
    let words = texts.join(" ");
    let task = format!("Pull snapshot {source} into {name} and save as {destination}");
    let resources = vec![name.clone(), source.clone()];
    let work = move |root: &Root, sink: &mut dyn FnMut(Line)| {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        let mut keep = |line: Line| {
            match &line {
                Line::Added(key) => added.push(key.to_string()),
                Line::Removed(key, _) => removed.push(key.to_string()),
                _ => {}
            }
            sink(line);
        };
        match root.pull_snapshot(&name, &source, &destination, &queries, &words, &how, &mut keep)? {
            Some(made) => Ok(Answer::created(shown(root, &made)?)),
            None => Ok(Answer::ok(json!({"added_packages": added, "removed_packages": removed}))),
        }
    };
    aptly.task(&params, task, resources, work).await
}
