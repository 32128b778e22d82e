//! The whole engine over a real store, ended in the middle of its work and started again, on SQLite and on PostgreSQL.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::SignedDuration;
use pipeline::engine::FetchNothing;
use pipeline::model::Status;
use pipeline::{Effect, Engine, StartRequest, TaskInput, TaskResult, records, schema};
use serde_json::{Value, json};
use store::clock::{Clock, FakeClock};
use store::{Location, Store};
use testkit::{postgres, probe};

use crate::world;

/// How often it is ended.
const ROUNDS: usize = 6;

/// Notes under which key it was run for which task.
#[derive(Default)]
struct Noted(Mutex<BTreeMap<(String, String), Vec<String>>>);

#[async_trait]
impl Effect for Noted {
    async fn run(&self, input: TaskInput) -> TaskResult {
        if let Ok(mut noted) = self.0.lock() {
            noted.entry((input.stage_id.clone(), input.task_id.clone())).or_default().push(input.key.clone());
        }
        // Long enough to be ended in.
        tokio::time::sleep(Duration::from_millis(u64::from(input.attempt) % 3 * 4)).await;
        TaskResult::succeeded()
    }
}

/// Everything that the small world has, side by side and in a line.
fn pipeline(number: usize) -> StartRequest {
    let stage = |ref_id: &str, kind: &str, requires: &[&str]| json!({"refId": ref_id, "type": kind, "name": ref_id, "requisiteStageRefIds": requires});
    let stages = [
        stage("work", "work", &[]),
        stage("nest", "nest", &["work"]),
        stage("risky", "risky", &["work"]),
        stage("nap", "nap", &[]),
        stage("last", "work", &["nest", "risky", "nap"]),
    ];
    let limited = number.is_multiple_of(3);
    let config = json!({"application": "a", "id": format!("p{}", number % 3), "name": "p", "stages": stages,
        "limitConcurrent": limited, "keepWaitingPipelines": true});
    let config = config.as_object().cloned().expect("an object");
    StartRequest { config, key: Some(format!("start-{number}")), ..StartRequest::default() }
}

fn open(location: &Location, clock: &Arc<FakeClock>) -> Store {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        match Store::open(location.clone(), &[schema::MIGRATIONS], clock.clone() as Arc<dyn Clock>) {
            Ok(store) => return store,
            // The one before may still be closing.
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One life of the engine: `begin` starts what is new, then it works until `enough`.
fn live(
    location: &Location,
    clock: &Arc<FakeClock>,
    noted: &Arc<Noted>,
    begin: Vec<StartRequest>,
    enough: fn(&[Status], u32) -> bool,
) -> Vec<Status> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let store = open(location, clock);
    let statuses = runtime.block_on(async {
        let engine = Engine::new(store.clone());
        let registry = world::registry().effect("effect", noted.clone());
        engine.start(registry, Arc::new(FetchNothing)).await.expect("starts");
        for request in begin {
            engine.begin(request).await.expect("begins");
        }
        for looks in 0.. {
            let query = records::Query { limit: 1000, ..records::Query::default() };
            let runs = store.read(move |tx| records::list(tx, &query)).await.expect("reads");
            let statuses: Vec<Status> = runs.iter().map(|run| run.status).collect();
            if enough(&statuses, looks) {
                return statuses;
            }
            assert!(looks < 4000, "it never ends: {:?}", runs.iter().find(|run| !run.status.is_complete()));
            clock.advance(SignedDuration::from_secs(1));
            // The clock of this world does not wake anybody by itself.
            engine.wake("the clock was moved");
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        Vec::new()
    });
    // Nothing is finished, nobody says goodbye. The next life begins when the last write of this one is through: what
    // keeps two servers off one folder is the folder's lock, which ends with a process and this one goes on.
    let writer = store.changes();
    drop(store);
    runtime.shutdown_background();
    let until = Instant::now() + Duration::from_secs(20);
    while writer.has_changed().is_ok() {
        assert!(Instant::now() < until, "the writer of an ended engine goes on");
        std::thread::sleep(Duration::from_millis(1));
    }
    statuses
}

fn ended_again_and_again(location: &Location) {
    let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
    let noted = Arc::new(Noted::default());
    for round in 0..ROUNDS {
        let begin = (0..4).map(|n| pipeline(round * 4 + n)).collect();
        live(location, &clock, &noted, begin, |_, looks| looks > 2);
    }
    // A start that was acknowledged in an earlier life is not made again.
    let again = vec![pipeline(0), pipeline(1)];
    let statuses = live(location, &clock, &noted, again, |all, _| all.iter().all(|s| s.is_complete()));
    assert_eq!(statuses, vec![Status::Succeeded; ROUNDS * 4]);
    let noted = noted.0.lock().expect("noted");
    for (task, keys) in noted.iter() {
        assert!(keys.iter().all(|key| *key == keys[0]), "{task:?} was run under {keys:?}");
    }
    // Ten effects a run: two of work, five of nest with its children, one of risky, two of last; nap is none.
    let expected: Value = json!(ROUNDS * 4 * 10);
    assert_eq!(json!(noted.len()), expected);
}

#[test]
fn ended_again_and_again_over_sqlite_every_pipeline_ends_right() {
    let folder = tempfile::tempdir().expect("a folder");
    ended_again_and_again(&Location::Sqlite(folder.path().join("gennaker.db")));
}

#[test]
fn ended_again_and_again_over_postgresql_every_pipeline_ends_right() {
    let server = match postgres::start() {
        Ok(server) => server,
        Err(reason) => return probe::not_run(&reason),
    };
    ended_again_and_again(&server.fresh());
}
