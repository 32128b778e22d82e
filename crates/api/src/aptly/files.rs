//! Uploads: files that wait in folders until a repository takes them.

use std::io::ErrorKind;
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Multipart, Path, State};
use futures_util::Stream;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, Aptly, Fault};
use crate::body::{self, Unsaved};

/// How long an upload may stand still.
const SILENCE: Duration = Duration::from_secs(60);

/// The routes of this file.
pub fn routes() -> OpenApiRouter<Aptly> {
    OpenApiRouter::new()
        .routes(routes!(folders))
        .routes(routes!(files))
        .routes(routes!(upload))
        .routes(routes!(drop_folder))
        .routes(routes!(place))
        .routes(routes!(drop_file))
}

/// One part of a path below the uploads.
pub fn part(what: &'static str, text: &str) -> Result<String, Fault> {
    let plain = !text.is_empty() && text.len() <= 250 && text != "." && text != "..";
    if plain && !text.contains(['/', '\\']) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Fault::bad(format!("wrong {what}")))
}

fn disk(error: std::io::Error) -> Fault {
    match error.kind() {
        ErrorKind::StorageFull => Fault::new(axum::http::StatusCode::INSUFFICIENT_STORAGE, error.to_string()),
        _ => Fault::internal(error.to_string()),
    }
}

/// Folders with uploads.
#[utoipa::path(get, path = "/api/files", responses((status = OK, body = Object)))]
async fn folders(State(aptly): State<Aptly>) -> Result<Answer, Fault> {
    let mut names = Vec::new();
    each(&aptly.uploads()?, |name, is_dir| {
        if is_dir {
            names.push(name);
        }
    })?;
    names.sort();
    Ok(Answer::ok(names))
}

/// Calls `each` with the entries of a folder; one that is not there has none.
fn each(folder: &FilePath, mut each: impl FnMut(String, bool)) -> Result<(), Fault> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(disk)?,
    };
    for entry in entries {
        let entry = entry.map_err(disk)?;
        let is_dir = entry.file_type().map_err(disk)?.is_dir();
        each(entry.file_name().to_string_lossy().into_owned(), is_dir);
    }
    Ok(())
}

/// Files of a folder.
#[utoipa::path(get, path = "/api/files/{dir}", params(("dir" = String, Path)), responses((status = OK, body = Object)))]
async fn files(State(aptly): State<Aptly>, Path(dir): Path<String>) -> Result<Answer, Fault> {
    let folder = aptly.uploads()?.join(part("dir", &dir)?);
    if !folder.is_dir() {
        return Err(Fault::missing(format!("lstat {}: no such file or directory", folder.display())));
    }
    let (mut names, mut open) = (Vec::new(), vec![folder]);
    while let Some(folder) = open.pop() {
        each(&folder, |name, is_dir| if is_dir { open.push(folder.join(name)) } else { names.push(name) })?;
    }
    names.sort();
    Ok(Answer::ok(names))
}

/// Uploads files as a form with any field names.
#[utoipa::path(post, path = "/api/files/{dir}", params(("dir" = String, Path)), responses((status = OK, body = Object)))]
async fn upload(State(aptly): State<Aptly>, Path(dir): Path<String>, mut form: Multipart) -> Result<Answer, Fault> {
    let (name, mut stored) = (part("dir", &dir)?, Vec::new());
    let folder = aptly.uploads()?.join(&name);
    while let Some(field) = form.next_field().await.map_err(|error| Fault::bad(error.body_text()))? {
        let Some(file) = field.file_name() else { continue };
        // Some clients send a whole path.
        let file = part("file", file.rsplit(['/', '\\']).next().unwrap_or_default())?;
        receive(&folder, &file, field).await?;
        stored.push(format!("{name}/{file}"));
    }
    aptly.metrics().uploaded(&name, stored.len() as u64);
    Ok(Answer::ok(stored))
}

/// A file by `PUT`, as `dput` and `curl -T` send it.
#[utoipa::path(put, path = "/api/files/{dir}/{file}", params(("dir" = String, Path), ("file" = String, Path)), responses((status = OK, body = Object)))]
async fn place(
    State(aptly): State<Aptly>,
    Path((dir, file)): Path<(String, String)>,
    body: Body,
) -> Result<Answer, Fault> {
    let (dir, file) = (part("dir", &dir)?, part("file", &file)?);
    receive(&aptly.uploads()?.join(&dir), &file, body.into_data_stream()).await?;
    aptly.metrics().uploaded(&dir, 1);
    Ok(Answer::ok(vec![format!("{dir}/{file}")]))
}

/// Writes a file beside its place and names it when it is whole: nobody finds half of it.
async fn receive<E>(
    folder: &FilePath,
    name: &str,
    pieces: impl Stream<Item = Result<axum::body::Bytes, E>>,
) -> Result<(), Fault> {
    std::fs::create_dir_all(folder).map_err(disk)?;
    let staged = tempfile::Builder::new().prefix(".upload-").tempfile_in(folder).map_err(disk)?;
    let mut file = tokio::fs::File::from_std(staged.reopen().map_err(disk)?);
    body::save(pieces, &mut file, SILENCE).await.map_err(|why| match why {
        Unsaved::Disk(error) => disk(error),
        Unsaved::Broke => Fault::bad(format!("{name} broke off on its way")),
        Unsaved::Still => Fault::bad(format!("{name} stood still on its way")),
    })?;
    file.sync_all().await.map_err(disk)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(staged.path(), mode).map_err(disk)?;
    staged.persist(folder.join(name)).map_err(|error| disk(error.error))?;
    Ok(())
}

/// Removes a folder of uploads.
#[utoipa::path(delete, path = "/api/files/{dir}", params(("dir" = String, Path)), responses((status = OK, body = Object)))]
async fn drop_folder(State(aptly): State<Aptly>, Path(dir): Path<String>) -> Result<Answer, Fault> {
    gone(std::fs::remove_dir_all(aptly.uploads()?.join(part("dir", &dir)?)))
}

/// Removes one uploaded file.
#[utoipa::path(delete, path = "/api/files/{dir}/{file}", params(("dir" = String, Path), ("file" = String, Path)), responses((status = OK, body = Object)))]
async fn drop_file(State(aptly): State<Aptly>, Path((dir, file)): Path<(String, String)>) -> Result<Answer, Fault> {
    gone(std::fs::remove_file(aptly.uploads()?.join(part("dir", &dir)?).join(part("file", &file)?)))
}

fn gone(removed: std::io::Result<()>) -> Result<Answer, Fault> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(disk(error)),
        _ => Ok(Answer::nothing()),
    }
}

/// What a request means by a folder, or a file in it.
pub fn meant(uploads: &FilePath, dir: &str, file: Option<&str>) -> Result<PathBuf, Fault> {
    let folder = uploads.join(part("dir", dir)?);
    match file {
        Some(file) => Ok(folder.join(part("file", file)?)),
        None => Ok(folder),
    }
}
