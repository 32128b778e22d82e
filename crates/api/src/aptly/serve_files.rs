//! Published files under the API's own address (`serveInAPIMode`): `/repos/` lists the places, `/repos/PLACE/…` is what stands in one.
//! `-` is the root's own `public`.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;

use super::{Aptly, Fault, nothing};
use crate::files::{self, Content, Folder, OpenFile};

/// So much of a file is read at once, in bytes.
const PIECE: u64 = 256 << 10;

/// The routes of this file.
pub fn routes() -> Router<Aptly> {
    Router::new()
        .route("/repos", get(places))
        .route("/repos/", get(places))
        .route("/repos/{place}/{*path}", get(file))
        .route("/repos/{place}/", get(file))
}

/// A page with the places.
async fn places(State(aptly): State<Aptly>) -> Result<Response, Fault> {
    let mut page = String::from("<pre>\n");
    for name in aptly.root()?.served_folders().keys() {
        let (link, shown) = if name.is_empty() { ("-", "default") } else { (&name[..], &name[..]) };
        page += &format!("<a href=\"{}/\">{}</a>\n", files::encode(link), files::escape(shown));
    }
    Ok(Html(page + "</pre>").into_response())
}

/// A file, or a folder as a page.
async fn file(
    State(aptly): State<Aptly>,
    Path(named): Path<Vec<(String, String)>>,
    request: Request,
) -> Result<Response, Fault> {
    let place = named.first().map_or("", |(_, place)| if place == "-" { "" } else { place });
    let Some(folder) = aptly.root()?.served_folders().remove(place) else {
        return Ok(nothing().await.into_response());
    };
    // Behind `/repos/PLACE`, as it was sent: it is decoded once, where files are looked for.
    let raw = request.uri().path().splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let answered =
        tokio::task::spawn_blocking(move || files::answer(&Folder::new(&folder), &method, &raw, &headers)).await;
    let (head, content) = answered.map_err(|error| Fault::internal(error.to_string()))?.into_parts();
    let body = match content {
        Content::Empty => Body::empty(),
        Content::Text(text) => text.into(),
        Content::Part { file, from, length } => Body::from_stream(pieces(file, from, length)),
    };
    Ok(Response::from_parts(head, body))
}

/// A part of a file, read away from the threads that answer.
fn pieces(file: OpenFile, from: u64, length: u64) -> impl stream::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold((file, from, length), |(file, from, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let length = left.min(PIECE);
        let read = move || {
            let mut piece = Vec::new();
            file.append(from, length, &mut piece)?;
            Ok::<_, std::io::Error>((file, piece))
        };
        let (file, piece) = tokio::task::spawn_blocking(read).await.map_err(std::io::Error::other)??;
        Ok(Some((Bytes::from(piece), (file, from + length, left - length))))
    })
}
