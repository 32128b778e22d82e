//! The archives' numbers: publications, how they went, and how far the server is with reading what was published.

use std::collections::BTreeMap;

use apt::Root;
use jiff::Timestamp;
use stages::react::apt_published::cursor;
use store::StoreError;

use super::{Parts, seconds};
use crate::House;
use crate::exposition::{Exposition, Kind};

/// What is read from one root.
struct Archive {
    publications: u64,
    newest: Option<Timestamp>,
    /// Events that were not acted upon yet.
    behind: i64,
    /// When the first of them happened.
    waits_since: Option<Timestamp>,
}

pub(super) async fn write(house: &House, text: &mut Exposition, parts: &mut Parts) {
    let now = house.now();
    let names: Vec<String> =
        house.watched.followed.iter().map(|followed| followed.root.path().display().to_string()).collect();
    let of = names.clone();
    let cursors = house.store.read::<_, StoreError, _>(move |tx| of.iter().map(|name| cursor(tx, name)).collect());
    let cursors: Vec<i64> = parts.note("archives", cursors.await).unwrap_or_default();
    let mut all: BTreeMap<&str, Archive> = BTreeMap::new();
    for ((followed, name), cursor) in house.watched.followed.iter().zip(&names).zip(cursors) {
        let root = followed.root.clone();
        let read = tokio::task::spawn_blocking(move || read(&root, cursor)).await;
        let read = read.map_err(|error| error.to_string()).and_then(|read| read.map_err(|error| error.to_string()));
        if let Some(archive) = parts.note(&format!("archive {name}"), read) {
            all.insert(name, archive);
        }
    }
    let each = |text: &mut Exposition, name: &str, help: &str, value: &dyn Fn(&Archive) -> Option<f64>| {
        text.family(name, Kind::Gauge, help);
        for (root, archive) in &all {
            if let Some(value) = value(archive) {
                text.sample(name, &[("root", root)], value);
            }
        }
    };
    each(text, "gennaker_apt_publications", "Publications.", &|archive| Some(archive.publications as f64));
    let help = "When the newest generation of any publication was made, in seconds since 1970.";
    each(text, "gennaker_apt_last_publication_timestamp_seconds", help, &|archive| {
        archive.newest.map(|at| seconds(at.as_millisecond()))
    });
    let help = "Events of the archive that the server has not acted upon.";
    each(text, "gennaker_apt_outbox_lag_events", help, &|archive| Some(archive.behind as f64));
    let help = "How long ago the first of them happened; 0 when there is none.";
    each(text, "gennaker_apt_outbox_lag_seconds", help, &|archive| {
        Some(archive.waits_since.map_or(0.0, |at| seconds((now.as_millisecond() - at.as_millisecond()).max(0))))
    });
    counted(house, &names, text);
}

/// What was counted since the start.
fn counted(house: &House, names: &[String], text: &mut Exposition) {
    let name = "gennaker_apt_published_total";
    text.family(name, Kind::Counter, "New generations of publications that the server saw, whoever made them.");
    for (followed, root) in house.watched.followed.iter().zip(names) {
        text.sample(name, &[("root", root)], followed.pulse.published.get());
    }
    let name = "gennaker_apt_follow_failures_total";
    text.family(name, Kind::Counter, "Times that the archive's outbox could not be read or acted upon.");
    for (followed, root) in house.watched.followed.iter().zip(names) {
        text.sample(name, &[("root", root)], followed.pulse.failures.get());
    }
    let name = "gennaker_apt_publish_requests_total";
    text.family(name, Kind::Counter, "Publishing that the API was asked for, by what came of it: done or failed.");
    let asked = house.aptly.published().read();
    for result in ["done", "failed"] {
        text.sample(name, &[("result", result)], asked.get(result).copied().unwrap_or(0));
    }
}

fn read(root: &Root, cursor: i64) -> apt::Result<Archive> {
    let (publications, newest) = root.publishing()?;
    let behind = (root.outbox_end()? - cursor).max(0);
    Ok(Archive { publications, newest, behind, waits_since: root.outbox_waits_since(cursor)? })
}
