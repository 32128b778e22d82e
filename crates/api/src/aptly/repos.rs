//! Local repositories.

use std::path::{Path as FilePath, PathBuf};

use apt::{AddOptions, DropRefused, IncludeOptions, Line, RepoChange, Root, Transfer};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::{Fields, Params};
use super::packages::{Wanted, query};
use super::{Answer, Aptly, Fault, files, snapshots};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(create))
        .routes(routes!(show))
        .routes(routes!(edit))
        .routes(routes!(drop))
        .routes(routes!(packages))
        .routes(routes!(add_refs))
        .routes(routes!(remove_refs))
        .routes(routes!(add_folder))
        .routes(routes!(add_file))
        .routes(routes!(include_folder))
        .routes(routes!(include_file))
        .routes(routes!(copy))
        .routes(routes!(snapshot))
}

/// Local repositories.
#[utoipa::path(get, path = "/api/repos", responses((status = OK, body = Object)))]
async fn list(State(aptly): State<Aptly>) -> Result<Answer, Fault> {
    let all = aptly.blocking(|root| {
        let shown = root.repos()?.into_iter().map(|(repo, count)| {
            let mut shown = repo.shown();
            shown["NumPackages"] = count.into();
            shown
        });
        Ok(shown.collect::<Vec<Value>>())
    });
    Ok(Answer::ok(all.await?))
}

fn change(fields: &Fields) -> RepoChange {
    RepoChange {
        comment: fields.text("Comment"),
        distribution: fields.text("DefaultDistribution"),
        component: fields.text("DefaultComponent"),
        uploaders: None,
    }
}

/// Makes a local repository.
#[utoipa::path(post, path = "/api/repos", responses((status = OK, body = Object)))]
async fn create(State(aptly): State<Aptly>, fields: Fields) -> Result<Answer, Fault> {
    let name = fields.required("Name")?;
    let mut change = change(&fields);
    // Unlike the command, the API knows no default.
    change.component = change.component.or(Some(String::new()));
    let from = fields.text("FromSnapshot").filter(|name| !name.is_empty());
    let made = aptly.blocking(move |root| Ok(root.create_repo(&name, &change, from.as_deref())?)).await?;
    Ok(Answer::created(made.shown()))
}

/// One local repository.
#[utoipa::path(get, path = "/api/repos/{name}", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn show(State(aptly): State<Aptly>, Path(name): Path<String>) -> Result<Answer, Fault> {
    Ok(Answer::ok(aptly.blocking(move |root| Ok(root.repo(&name)?.shown())).await?))
}

/// Renames a local repository or changes what it says.
#[utoipa::path(put, path = "/api/repos/{name}", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn edit(State(aptly): State<Aptly>, Path(name): Path<String>, fields: Fields) -> Result<Answer, Fault> {
    let (change, new) = (change(&fields), fields.text("Name").filter(|name| !name.is_empty()));
    let edited = aptly.blocking(move |root| {
        let mut name = name;
        if let Some(new) = new.filter(|new| *new != name) {
            root.rename_repo(&name, &new)?;
            name = new;
        }
        Ok(root.edit_repo(&name, &change)?.shown())
    });
    Ok(Answer::ok(edited.await?))
}

/// Removes a local repository.
#[utoipa::path(delete, path = "/api/repos/{name}", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn drop(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params) -> Response {
    let force = params.flag("force");
    let (task, resources) = (format!("Delete repo {name}"), vec![name.clone()]);
    let work = move |root: &Root, _: &mut dyn FnMut(Line)| match root.drop_repo(&name, force) {
        Ok(_) => Ok(Answer::nothing()),
        Err(DropRefused::Published(_)) => Err(Fault::conflict("unable to drop, local repo is published")),
        Err(DropRefused::Snapshots(_)) => {
            Err(Fault::conflict("unable to drop, local repo has snapshots, use ?force=1 to override"))
        }
        Err(DropRefused::Other(error)) => Err(error.into()),
    };
    aptly.task(&params, task, resources, work).await
}

/// Packages of a local repository.
#[utoipa::path(get, path = "/api/repos/{name}/packages", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn packages(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params) -> Result<Answer, Fault> {
    let wanted = Wanted::read(&params, &aptly.settings().follow)?;
    aptly.blocking(move |root| wanted.of_list(root, &root.repo(&name)?.root)).await
}

async fn change_refs(
    aptly: Aptly,
    name: String,
    params: &Params,
    fields: &Fields,
    change: fn(&Root, &str, &[String]) -> apt::Result<apt::Repo>,
) -> Response {
    if !fields.0.contains_key("PackageRefs") {
        return super::asked::required("PackageRefs").into_response();
    }
    let refs = fields.list("PackageRefs");
    let (task, resources) = (format!("Change packages of repo {name}"), vec![name.clone()]);
    let work = move |root: &Root, _: &mut dyn FnMut(Line)| {
        let changed = change(root, &name, &refs);
        let changed = changed.map_err(|error| Fault::from(error).conflict_as(StatusCode::BAD_REQUEST))?;
        Ok(Answer::ok(changed.shown()))
    };
    aptly.task(params, task, resources, work).await
}

/// Puts packages in by their keys.
#[utoipa::path(post, path = "/api/repos/{name}/packages", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn add_refs(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params, fields: Fields) -> Response {
    change_refs(aptly, name, &params, &fields, Root::add_refs).await
}

/// Takes packages out by their keys.
#[utoipa::path(delete, path = "/api/repos/{name}/packages", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn remove_refs(State(aptly): State<Aptly>, Path(name): Path<String>, params: Params, fields: Fields) -> Response {
    change_refs(aptly, name, &params, &fields, Root::remove_refs).await
}

/// What a client is told of files that were taken or not.
#[derive(Default)]
struct Report {
    warnings: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
}

impl Report {
    /// Keeps a line, and passes it on.
    fn take(&mut self, line: Line, sink: &mut dyn FnMut(Line)) {
        match &line {
            Line::Warning(text) => self.warnings.push(text.clone()),
            Line::Added(key) => self.added.push(format!("{key} added")),
            Line::Removed(key, why) => self.removed.push(format!("{key} {}", why.unwrap_or("removed"))),
            Line::Copied(..) | Line::Step(_) | Line::Note(_) | Line::Progress(_) => {}
        }
        sink(line);
    }

    fn shown(self, failed: Vec<String>) -> Value {
        let report = json!({"Warnings": self.warnings, "Added": self.added, "Removed": self.removed});
        json!({"FailedFiles": failed, "Report": report})
    }
}

/// Takes the folder away when nothing waits in it any more.
fn tidy(folder: &FilePath) {
    // It is not empty while files failed; that is no error.
    let _ = std::fs::remove_dir(folder);
}

async fn add(aptly: Aptly, name: String, dir: String, file: Option<String>, params: Params) -> Response {
    let options = AddOptions { force_replace: params.flag("forceReplace"), remove_files: !params.flag("noRemove") };
    let (folder, path) = match places(&aptly, &dir, file.as_deref()) {
        Ok(places) => places,
        Err(fault) => return fault.into_response(),
    };
    let (task, resources) = (format!("Add packages from dir {dir} to repo {name}"), vec![name.clone(), dir]);
    let work = move |root: &Root, sink: &mut dyn FnMut(Line)| {
        let mut report = Report::default();
        let added = root.add(&name, &[path], options, &mut |line| report.take(line, sink))?;
        tidy(&folder);
        Ok(Answer::ok(report.shown(added.failed)))
    };
    aptly.task(&params, task, resources, work).await
}

/// A folder of uploads, and what of it is meant.
fn places(aptly: &Aptly, dir: &str, file: Option<&str>) -> Result<(PathBuf, PathBuf), Fault> {
    let uploads = aptly.uploads()?;
    Ok((files::meant(&uploads, dir, None)?, files::meant(&uploads, dir, file)?))
}

/// Adds all packages of a folder of uploads.
#[utoipa::path(post, path = "/api/repos/{name}/file/{dir}", params(("name" = String, Path), ("dir" = String, Path)), responses((status = OK, body = Object)))]
async fn add_folder(State(aptly): State<Aptly>, Path((name, dir)): Path<(String, String)>, params: Params) -> Response {
    add(aptly, name, dir, None, params).await
}

/// Adds one uploaded package.
#[utoipa::path(post, path = "/api/repos/{name}/file/{dir}/{file}", params(("name" = String, Path), ("dir" = String, Path), ("file" = String, Path)), responses((status = OK, body = Object)))]
async fn add_file(
    State(aptly): State<Aptly>,
    Path((name, dir, file)): Path<(String, String, String)>,
    params: Params,
) -> Response {
    add(aptly, name, dir, Some(file), params).await
}

async fn include(aptly: Aptly, name: String, dir: String, file: Option<String>, params: Params) -> Response {
    let options = IncludeOptions {
        force_replace: params.flag("forceReplace"),
        remove_files: !params.flag("noRemoveFiles"),
        accept_unsigned: params.flag("acceptUnsigned"),
        ignore_signatures: params.flag("ignoreSignature"),
        keyrings: aptly.settings().keyrings(Vec::new()),
        ..IncludeOptions::default()
    };
    let (folder, path) = match places(&aptly, &dir, file.as_deref()) {
        Ok(places) => places,
        Err(fault) => return fault.into_response(),
    };
    let (task, resources) = (format!("Include packages from changes in dir {dir} to repo {name}"), vec![dir]);
    let work = move |root: &Root, sink: &mut dyn FnMut(Line)| {
        let mut report = Report::default();
        let target = |field: &dyn Fn(&str) -> Option<String>| filled(&name, field);
        let failed = root.include(&[path], &options, &target, &mut |line| report.take(line, sink))?;
        tidy(&folder);
        Ok(Answer::ok(report.shown(failed)))
    };
    aptly.task(&params, task, resources, work).await
}

/// Pure: `{{.Field}}` in a repository's name, filled in from a `.changes` file.
fn filled(name: &str, field: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut text = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, behind) = after.split_once("}}")?;
        text.push_str(before);
        text.push_str(&field(inside.trim().strip_prefix('.')?)?);
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

/// Takes the uploads of all `.changes` files of a folder.
#[utoipa::path(post, path = "/api/repos/{name}/include/{dir}", params(("name" = String, Path), ("dir" = String, Path)), responses((status = OK, body = Object)))]
async fn include_folder(
    State(aptly): State<Aptly>,
    Path((name, dir)): Path<(String, String)>,
    params: Params,
) -> Response {
    include(aptly, name, dir, None, params).await
}

/// Takes the upload of one `.changes` file.
#[utoipa::path(post, path = "/api/repos/{name}/include/{dir}/{file}", params(("name" = String, Path), ("dir" = String, Path), ("file" = String, Path)), responses((status = OK, body = Object)))]
async fn include_file(
    State(aptly): State<Aptly>,
    Path((name, dir, file)): Path<(String, String, String)>,
    params: Params,
) -> Response {
    include(aptly, name, dir, Some(file), params).await
}

/// Copies packages from another repository.
#[utoipa::path(post, path = "/api/repos/{name}/copy/{source}/{query}", params(("name" = String, Path), ("source" = String, Path), ("query" = String, Path)), responses((status = OK, body = Object)))]
async fn copy(
    State(aptly): State<Aptly>,
    Path((name, source, text)): Path<(String, String, String)>,
    params: Params,
    fields: Fields,
) -> Response {
    let follow = aptly.settings().follow.clone();
    let how = Transfer {
        moves: false,
        dry_run: fields.flag("dry-run").unwrap_or(false),
        with_deps: fields.flag("with-deps").unwrap_or(false).then_some(follow),
    };
    let (task, resources) =
        (format!("Copy packages from repo {source} to repo {name}"), vec![name.clone(), source.clone()]);
    let work = move |root: &Root, sink: &mut dyn FnMut(Line)| {
        let unprocessable = |message: String| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, message);
        let query = query(&text).map_err(|fault| unprocessable(fault.message))?;
        for repo in [&source, &name] {
            root.repo(repo).map_err(|error| Fault::bad(error.to_string()))?;
        }
        let copied =
            root.transfer(&source, &name, &query, &how, sink).map_err(|error| Fault::bad(error.to_string()))?;
        if copied.is_empty() {
            return Err(unprocessable("no package found for filter: ".to_owned() + &text));
        }
        let added = copied.iter().map(|key| format!("added {}-{}({})", key.name, key.version, key.architecture));
        Ok(Answer::ok(json!({"Report": {"Warnings": [], "Added": added.collect::<Vec<_>>(), "Removed": []}})))
    };
    aptly.task(&params, task, resources, work).await
}

/// Makes a snapshot of a repository.
#[utoipa::path(post, path = "/api/repos/{name}/snapshots", params(("name" = String, Path)), responses((status = OK, body = Object)))]
async fn snapshot(State(aptly): State<Aptly>, Path(repo): Path<String>, params: Params, fields: Fields) -> Response {
    let there = |root: &Root, repo: &str| root.repo(repo).map(std::mem::drop);
    snapshots::of_source(aptly, ("repo", repo), &params, &fields, there, Root::snapshot_repo).await
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn a_repository_s_name_takes_fields_of_the_upload() {
        let field = |name: &str| (name == "Distribution").then(|| "bookworm".to_owned());
        assert_eq!(filled("plain", &field).as_deref(), Some("plain"));
        assert_eq!(filled("apt-{{.Distribution}}-x", &field).as_deref(), Some("apt-bookworm-x"));
        assert_eq!(filled("{{ .Distribution }}", &field).as_deref(), Some("bookworm"));
        assert_eq!(filled("{{.Other}}", &field), None);
        assert_eq!(filled("{{.Distribution", &field), None);
    }
}
