//! Refuses what would fill a disk that is almost full: uploads, images, publications. Reading, cleaning up and taking away go on, and so do
//! jobs; starts of pipelines the engine refuses itself.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use stages::room::Room;

use crate::Problem;

/// What takes room, by the beginning of its path.
const TAKES_ROOM: [&str; 6] =
    ["/api/files/", "/api/repos/", "/api/mirrors/", "/api/publish", "/images/import", "/ui-api/up"];

pub(crate) async fn watch(State(room): State<Room>, request: Request<Body>, next: Next) -> Response {
    let grows = matches!(*request.method(), Method::POST | Method::PUT);
    if grows
        && TAKES_ROOM.iter().any(|path| request.uri().path().starts_with(path))
        && let Some(why) = room.refusal()
    {
        return Problem::new(StatusCode::INSUFFICIENT_STORAGE, why).into_response();
    }
    next.run(request).await
}
