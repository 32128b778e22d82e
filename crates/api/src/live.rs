//! The live stream: server-sent events from the change table.
//!
//! `id:` is the number of the change; a reader that was cut off comes back with `Last-Event-ID` and misses nothing. When what it missed is no longer
//! kept it gets `reset` and reads everything anew.

use std::convert::Infallible;
use std::time::Duration;

use access::Caller;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use store::{StoreError, change};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{House, Problem};

/// How many changes one look takes.
const LOOK: u32 = 500;

/// The stream's route.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(follow))
}

/// Where to begin.
#[derive(Deserialize, utoipa::IntoParams)]
struct From {
    /// The number of the last change that the reader knows; `Last-Event-ID` wins over it. Without both the stream begins now.
    after: Option<i64>,
}

/// Follows what changes: events `change` with `{topic, key}`, and `reset` when the reader must read everything anew.
#[utoipa::path(get, path = "/ui-api/live", params(From), responses((status = OK, content_type = "text/event-stream", body = String)))]
async fn follow(
    State(house): State<House>,
    Extension(caller): Extension<Caller>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let known = resumed.or(from.after);
    let mut told = house.store.changes();
    let newest = *told.borrow_and_update();
    let oldest: i64 = house.read::<_, StoreError>(change::oldest).await?;
    // A number from a store that was put back, or from before the window, cannot be gone on from.
    let lost = known.is_some_and(|known| known > newest || known + 1 < oldest);
    let begin = if lost { newest } else { known.unwrap_or(newest) };
    let first = if lost { Event::default().event("reset") } else { Event::default().event("hello") };
    let head = stream::once(async move { Ok(first.id(begin.to_string()).data("{}")) });
    let tail = stream::unfold((house, caller, told, begin, Vec::<change::Change>::new().into_iter()), next);
    Ok(Sse::new(futures_util::StreamExt::chain(head, tail))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)).text("alive")))
}

type Position = (House, Caller, tokio::sync::watch::Receiver<i64>, i64, std::vec::IntoIter<change::Change>);

async fn next(
    (house, caller, mut told, mut seen, mut ready): Position,
) -> Option<(Result<Event, Infallible>, Position)> {
    loop {
        if let Some(change) = ready.next() {
            let data =
                serde_json::json!({ "topic": change.topic, "key": change.key, "at": change.at.as_millisecond() });
            let event = Event::default().event("change").id(change.seq.to_string()).data(data.to_string());
            return Some((Ok(event), (house, caller, told, change.seq, ready)));
        }
        // A token that was revoked is a change of the store, too, and is known by when that is told.
        if !house.tokens.know(&caller) {
            return None;
        }
        told.borrow_and_update();
        let after = seen;
        // A store that cannot be read ends the stream; the reader comes back.
        let found = house.read::<_, StoreError>(move |tx| change::after(tx, after, LOOK)).await.ok()?;
        if found.is_empty() {
            told.changed().await.ok()?;
            continue;
        }
        seen = found.last().map_or(seen, |change| change.seq);
        ready = found.into_iter();
    }
}
