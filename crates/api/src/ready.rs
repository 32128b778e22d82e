//! Whether the server can do its work right now, for load balancers and supervisors: `/health/ready`. That it answers at all is `/health`.
//!
//! Anybody may ask, so no path and no name from the outside stands in the answer, and who asks often is told what was found a moment ago.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use stages::room::Disk;
use store::{Migration, StoreError, params};
use tokio::sync::Mutex;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::House;

/// The row that is written to see whether anything can be.
pub const MIGRATIONS: &[Migration] =
    &[Migration { domain: "ready", number: 1, sql: "create table ready (id bigint primary key, at bigint not null)" }];

/// So long what was found is told again.
const FRESH: Duration = Duration::from_secs(2);
/// A store that has not committed by then does not.
const COMMIT: Duration = Duration::from_secs(5);
/// What takes longer, in milliseconds, hangs: a batch of the engine, or a look into an outbox, which is due every second.
const STUCK: i64 = 60_000;
/// A disk is full when less than this is free, or a thirtieth of a small one: the store, images and publications need room to be written.
const ROOM: u64 = 1 << 30;
const SHARE: u64 = 30;

/// What was found, and when.
pub(crate) type Last = Mutex<Option<(Instant, Ready)>>;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<House> {
    OpenApiRouter::new().routes(routes!(ready))
}

/// Whether the server can do its work.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct Ready {
    /// `UP` or `DOWN`.
    status: &'static str,
    /// What is wrong: the component and a sentence.
    problems: Vec<String>,
    /// By name.
    components: BTreeMap<String, ReadyComponent>,
}

/// One part that must work.
#[derive(Clone, Serialize, utoipa::ToSchema)]
struct ReadyComponent {
    /// `UP` or `DOWN`.
    status: &'static str,
    /// How it is, in one sentence.
    says: String,
}

/// Tells whether everything works that pipelines and deployments need: 200, or 503 with what does not.
#[utoipa::path(get, path = "/health/ready", responses((status = OK, body = Ready), (status = SERVICE_UNAVAILABLE, body = Ready)))]
async fn ready(State(house): State<House>) -> (StatusCode, Json<Ready>) {
    let mut last = house.watched.last.lock().await;
    let found = match &*last {
        Some((at, found)) if at.elapsed() < FRESH => found.clone(),
        before => {
            let found = look(&house).await;
            let was = before.as_ref().map_or("UP", |(_, before)| before.status);
            match (was, found.status) {
                ("UP", "DOWN") => tracing::warn!(problems = found.problems.join("; "), "the server is not ready"),
                ("DOWN", "UP") => tracing::info!("the server is ready again"),
                _ => {}
            }
            *last = Some((Instant::now(), found.clone()));
            found
        }
    };
    let status = if found.status == "UP" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(found))
}

type Told = Result<String, String>;

async fn look(house: &House) -> Ready {
    let mut parts: Vec<(String, Told)> = vec![("store".into(), store(house).await), ("engine".into(), engine(house))];
    let now = house.now().as_millisecond();
    for (at, followed) in house.watched.followed.iter().enumerate() {
        parts.push((numbered("archive", at), archive(followed.pulse.read_at(), now)));
    }
    for provider in house.clouds.providers() {
        let told = match provider.reach().await {
            Ok(()) => Ok("it answers".into()),
            Err(error) => {
                tracing::warn!(%error, "an account does not answer");
                Err("it does not answer; the server's log says why".into())
            }
        };
        parts.push((format!("account {}", provider.describe().name), told));
    }
    parts.push(("disk".into(), disk(&house.watched.data)));
    for (at, followed) in house.watched.followed.iter().enumerate() {
        parts.push((numbered("archive disk", at), disk(followed.root.path())));
    }
    let problems: Vec<String> =
        parts.iter().filter_map(|(name, told)| Some(format!("{name}: {}", told.as_ref().err()?))).collect();
    let component = |told: Told| match told {
        Ok(says) => ReadyComponent { status: "UP", says },
        Err(says) => ReadyComponent { status: "DOWN", says },
    };
    Ready {
        status: if problems.is_empty() { "UP" } else { "DOWN" },
        problems,
        components: parts.into_iter().map(|(name, told)| (name, component(told))).collect(),
    }
}

/// The first has no number.
fn numbered(name: &str, at: usize) -> String {
    if at == 0 { name.to_owned() } else { format!("{name} {}", at + 1) }
}

async fn store(house: &House) -> Told {
    let write = house.store.write(|tx| {
        let now = tx.now();
        let sql = "insert into ready (id, at) values (1, ?1) on conflict (id) do update set at = excluded.at";
        tx.execute(sql, params![now]).map(drop)
    });
    match tokio::time::timeout(COMMIT, write).await {
        Ok(Ok(())) => Ok("it takes what is written".into()),
        Ok(Err(StoreError::Full { .. })) => Err("there is no room left for it: make some".into()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store cannot be written");
            Err("it does not take what is written; the server's log says why".into())
        }
        Err(_) => Err(format!("it has committed nothing for {} s", COMMIT.as_secs())),
    }
}

fn engine(house: &House) -> Told {
    let meter = house.engine.meter();
    if !meter.works() {
        return Err("it does not work yet, or no more".into());
    }
    match meter.busy_since().map(|since| house.now().as_millisecond() - since) {
        Some(busy) if busy > STUCK => Err(format!("it has been at one piece of work for {} s", busy / 1000)),
        _ => Ok("it works".into()),
    }
}

/// Whether what is published is noticed.
fn archive(read_at: Option<i64>, now: i64) -> Told {
    match read_at {
        None => Err("what is published there has not been read yet".into()),
        Some(at) if now - at > STUCK => {
            Err(format!("what is published there has not been read for {} s", (now - at) / 1000))
        }
        Some(_) => Ok("what is published there starts pipelines".into()),
    }
}

fn disk(folder: &Path) -> Told {
    match Disk::at(folder) {
        Some(disk) => enough(&disk),
        None => Err("nobody can tell how much is free".into()),
    }
}

/// Pure: whether that is enough.
fn enough(disk: &Disk) -> Told {
    let says = disk.room();
    if disk.free < ROOM.min(disk.total / SHARE) { Err(format!("{says}: make room")) } else { Ok(says) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_disk_is_full_below_a_gibibyte_or_a_thirtieth_of_a_small_one() {
        let told = |free, total| enough(&Disk { place: "/data".into(), total, free, used_percent: 0 });
        for (free, all, expected) in [
            (2 * GIB, 1000 * GIB, true),
            (GIB - 1, 1000 * GIB, false),
            (GIB / 2, 10 * GIB, true),
            (GIB / 4, 10 * GIB, false),
            (0, GIB, false),
        ] {
            assert_eq!(told(free, all).is_ok(), expected, "{free} of {all}");
        }
        assert_eq!(told(0, 3 * GIB), Err("0.0 GiB of 3.0 GiB are free: make room".into()));
    }

    #[test]
    fn an_archive_that_nobody_reads_is_told() {
        assert_eq!(archive(Some(40_000), 100_000), Ok("what is published there starts pipelines".into()));
        assert_eq!(archive(Some(39_999), 100_000), Err("what is published there has not been read for 60 s".into()));
        assert_eq!(archive(None, 100_000), Err("what is published there has not been read yet".into()));
    }
}
