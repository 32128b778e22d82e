//! Mirrors.

use apt::{DropRefused, Fetch, Line, MirrorChange, Root, Trust, UpdateMirror};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::{Fields, Params};
use super::packages::Wanted;
use super::{Answer, Aptly, Downloads, Fault, snapshots};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(create))
        .routes(routes!(show))
        .routes(routes!(edit))
        .routes(routes!(update))
        .routes(routes!(drop))
        .routes(routes!(packages))
        .routes(routes!(snapshot))
}

/// Mirrors.
#[utoipa::path(get, path = "/api/mirrors", responses((status = OK, body = Object)))]
async fn list(State(aptly): State<Aptly>) -> Result<Answer, Fault> {
    let all = aptly.blocking(|root| {
        let one = |mirror: &apt::Mirror| {
            let mut shown = mirror.shown();
            shown["NumPackages"] = root.count(&mirror.root)?.into();
            Ok::<Value, Fault>(shown)
        };
        root.mirrors()?.iter().map(one).collect::<Result<Vec<_>, _>>()
    });
    Ok(Answer::ok(all.await?))
}

fn trust(aptly: &Aptly, fields: &Fields) -> Trust {
    let keyrings = aptly.settings().keyrings(fields.list("Keyrings"));
    Trust { unchecked: fields.flag("IgnoreSignatures").unwrap_or(false), keyrings }
}

fn change(fields: &Fields) -> MirrorChange {
    let architectures = fields.list("Architectures");
    MirrorChange {
        archive: fields.text("ArchiveURL").filter(|url| !url.is_empty()),
        architectures: (!architectures.is_empty()).then_some(architectures),
        filter: fields.text("Filter"),
        filter_with_deps: fields.flag("FilterWithDeps"),
        sources: fields.flag("DownloadSources"),
        udebs: fields.flag("DownloadUdebs"),
        installer: fields.flag("DownloadInstaller"),
        appstream: fields.flag("DownloadAppStream"),
    }
}

fn downloads(aptly: &Aptly) -> Result<Downloads, Fault> {
    aptly.settings().downloads.clone().ok_or_else(|| Fault::unavailable("nothing is downloaded here"))
}

/// Makes a mirror of what a `Release` describes.
#[utoipa::path(post, path = "/api/mirrors", responses((status = OK, body = Object)))]
async fn create(State(aptly): State<Aptly>, fields: Fields) -> Result<Answer, Fault> {
    let (name, _) = (fields.required("Name")?, fields.required("ArchiveURL")?);
    let (downloads, trust, mut change) = (downloads(&aptly)?, trust(&aptly, &fields), change(&fields));
    if change.architectures.is_none() && !aptly.settings().architectures.is_empty() {
        change.architectures = Some(aptly.settings().architectures.clone());
    }
    let distribution = fields.text("Distribution").unwrap_or_default();
    let components = fields.list("Components");
    let flag = |name: &str| fields.flag(name).unwrap_or(false);
    let forced = [flag("SkipComponentCheck"), flag("SkipArchitectureCheck")];
    let made = aptly.blocking(move |root| {
        let fetch: &dyn Fetch = &*downloads;
        let made = root.create_mirror(&name, &distribution, &components, &change, forced, &trust, fetch);
        // Whatever is wrong with it, the request asked for something that is not there.
        made.map_err(|error| Fault::bad(format!("unable to fetch mirror: {error}")))
    });
    Ok(Answer::created(made.await?.shown()))
}

/// One mirror.
#[utoipa::path(get, path = "/api/mirrors/{name}", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn show(State(aptly): State<Aptly>, Path(name): Path<String>) -> Result<Answer, Fault> {
    Ok(Answer::ok(aptly.blocking(move |root| Ok(root.mirror(&name)?.shown())).await?))
}

/// Changes what is mirrored.
#[utoipa::path(post, path = "/api/mirrors/{name}", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn edit(State(aptly): State<Aptly>, Path(name): Path<String>, fields: Fields) -> Result<Answer, Fault> {
    let (downloads, trust, change) = (downloads(&aptly)?, trust(&aptly, &fields), change(&fields));
    let edited = aptly.blocking(move |root| Ok(root.edit_mirror(&name, &change, &trust, &*downloads)?.shown()));
    Ok(Answer::ok(edited.await?))
}

/// Downloads what is new.
#[utoipa::path(put, path = "/api/mirrors/{name}", params(("name" = String, Path)), responses((status = NO_CONTENT)))]
async fn update(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params, fields: Fields) -> Response {
    let there = name.clone();
    let ready = async {
        aptly.blocking(move |root| Ok(root.mirror(&there).map(std::mem::drop)?)).await?;
        downloads(&aptly)
    };
    let downloads = match ready.await {
        Ok(downloads) => downloads,
        Err(fault) => return fault.into_response(),
    };
    let flag = |name: &str| fields.flag(name).unwrap_or(false);
    let how = UpdateMirror {
        force: flag("ForceUpdate"),
        ignore_checksums: flag("IgnoreChecksums"),
        latest: flag("LatestOnly"),
        trust: trust(&aptly, &fields),
        follow: aptly.settings().follow.clone(),
    };
    let (task, resources) = (format!("Update mirror {name}"), vec![name.clone()]);
    let work = move |root: &Root, sink: &mut dyn FnMut(Line)| match root.update_mirror(&name, &how, &*downloads, sink) {
        Ok(_) => Ok(Answer(StatusCode::NO_CONTENT, Value::Null)),
        Err(error @ apt::Error::Conflict(_)) => Err(error.into()),
        Err(error) => Err(Fault::internal(format!("unable to update: {error}"))),
    };
    aptly.task(&params, task, resources, work).await
}

/// Removes a mirror.
#[utoipa::path(delete, path = "/api/mirrors/{name}", params(("name" = String, Path)), responses((status = NO_CONTENT)))]
async fn drop(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params) -> Response {
    let force = params.flag("force");
    let (task, resources) = (format!("Delete mirror {name}"), vec![name.clone()]);
    let work = move |root: &Root, _: &mut dyn FnMut(Line)| match root.drop_mirror(&name, force) {
        Ok(_) => Ok(Answer(StatusCode::NO_CONTENT, Value::Null)),
        Err(DropRefused::Other(error)) => Err(error.into()),
        Err(_) => {
            Err(Fault::new(StatusCode::FORBIDDEN, "won't delete mirror with snapshots, use 'force=1' to override"))
        }
    };
    aptly.task(&params, task, resources, work).await
}

/// Packages of the last update.
#[utoipa::path(get, path = "/api/mirrors/{name}/packages", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn packages(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params) -> Result<Answer, Fault> {
    let wanted = Wanted::read(&params, &aptly.settings().follow)?;
    let answer = aptly.blocking(move |root| {
        let mirror = root.mirror(&name)?;
        match mirror.updated {
            Some(_) => wanted.of_list(root, &mirror.root),
            None => Err(Fault::missing("unable to show package list, mirror hasn't been downloaded yet")),
        }
    });
    answer.await
}

/// Makes a snapshot of the last update.
#[utoipa::path(post, path = "/api/mirrors/{name}/snapshots", params(("name" = String, Path)), responses((status = CREATED, body = Object)))]
async fn snapshot(State(aptly): State<Aptly>, Path(mirror): Path<String>, params: Params, fields: Fields) -> Response {
    let there = |root: &Root, mirror: &str| root.mirror(mirror).map(std::mem::drop);
    snapshots::of_source(aptly, ("mirror", mirror), &params, &fields, there, Root::snapshot_mirror).await
}
