//! aptly's command line from another machine: a command is run here, as the server's user and on its archive, and what it prints is passed on as it
//! is printed. Files come before by `/api/files`. What may be run, and how, is the binary's to say ([`AptCommands`]).

use std::path::Path;
use std::process::Stdio;

use access::Caller;
use axum::Extension;
use axum::body::Body as Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::{House, Problem};

/// A command of aptly, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AptCommand {
    /// Its words: `["repo", "add"]`.
    pub command: Vec<String>,
    /// Flags without dashes, and their values.
    #[serde(default)]
    pub flags: Vec<(String, String)>,
    /// What follows them. Where a command takes files they are `upload:DIR` or `upload:DIR/FILE`, as they were uploaded.
    #[serde(default)]
    pub args: Vec<String>,
}

impl AptCommand {
    /// Whether it makes an archive larger.
    fn takes_room(&self) -> bool {
        let words: Vec<&str> = self.command.iter().map(String::as_str).collect();
        matches!(
            words[..],
            ["repo", "add" | "include" | "import"]
                | ["mirror", "update"]
                | ["publish", "repo" | "snapshot" | "switch" | "update"]
        )
    }
}

/// Makes a process of a command, or says why it does not.
pub trait AptCommands: Send + Sync {
    /// `uploads`: the folder of uploaded files. `who`: for whom it is run.
    fn process(&self, asked: &AptCommand, uploads: &Path, who: &str) -> Result<tokio::process::Command, String>;
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(run))
}

/// Runs a command of aptly on the server's archive. The answer is a JSON object a line, as things happen: `{"out": text}` and `{"err": text}` for
/// what it prints, at last `{"code": number}`, its exit code. A caller that goes away ends it.
#[utoipa::path(post, path = "/ui-api/apt", request_body = AptCommand,
    responses((status = OK, content_type = "application/x-ndjson", body = String), (status = BAD_REQUEST, body = Problem)))]
async fn run(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let asked: AptCommand = serde_json::from_value(body.object("the command")?.into())
        .map_err(|error| Problem::bad_request(error.to_string()))?;
    let (Some(commands), Some(root)) = (&house.apt_commands, house.roots.first()) else {
        return Err(Problem::conflict("this server follows no archive: name one under [[apt.root]]"));
    };
    if asked.takes_room()
        && let Some(why) = house.room.refusal()
    {
        return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, why));
    }
    let uploads = root.path().join("upload");
    let mut process = commands.process(&asked, &uploads, &caller.name).map_err(Problem::bad_request)?;
    process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = process.spawn().map_err(|error| Problem::internal(format!("cannot run the command: {error}")))?;
    let (told, lines) = mpsc::channel::<String>(256);
    let out = child.stdout.take().map(|out| tokio::spawn(pass_on("out", out, told.clone())));
    let err = child.stderr.take().map(|err| tokio::spawn(pass_on("err", err, told.clone())));
    tokio::spawn(async move {
        let code = tokio::select! {
            ended = child.wait() => ended.ok().and_then(|status| status.code()).unwrap_or(1),
            // Dropping the child ends it.
            () = told.closed() => return,
        };
        for reader in [out, err].into_iter().flatten() {
            let _ = reader.await;
        }
        let _ = told.send(format!("{}\n", serde_json::json!({ "code": code }))).await;
    });
    let lines = stream::unfold(lines, |mut lines| async {
        lines.recv().await.map(|line| (Ok::<_, std::convert::Infallible>(line), lines))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Bytes::from_stream(lines)).into_response())
}

/// Passes on what a process writes, line by line.
async fn pass_on(kind: &'static str, from: impl AsyncRead + Unpin, told: mpsc::Sender<String>) {
    let (mut from, mut bytes) = (BufReader::new(from), Vec::new());
    while from.read_until(b'\n', &mut bytes).await.is_ok_and(|count| count > 0) {
        let line = serde_json::json!({ kind: String::from_utf8_lossy(&bytes) });
        if told.send(format!("{line}\n")).await.is_err() {
            return;
        }
        bytes.clear();
    }
}
