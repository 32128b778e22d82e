//! A server in this process with as much as a large team has: the bench of lists asks it, the example `large` shows it to the page.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::Tokens;
use api::server::Limits;
use api::{Guard, GuardConfig, House, Watched};
use bakery::Bakery;
use cloud::health::Capacity;
use cloud::inventory::Protocol;
use cloud::operation::{CreateServerGroup, Operation, UpsertLoadBalancer, WantedListener};
use cloud::simulated::{Behaviour, Simulated, World};
use cloud::{Clouds, Key, Provider};
use jiff::SignedDuration;
use pipeline::applications::{self, Save};
use pipeline::{Engine, pipelines};
use serde_json::{Map, Value, json};
use stages::room::Room;
use stages::tidy::{Keep, Tidy};
use store::clock::SystemClock;
use store::{Location, Store, StoreError, Tx, params};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How much there is, all of it of the application `shop`.
#[derive(Clone, Copy)]
pub struct Size {
    /// Server groups, five of each cluster.
    pub groups: usize,
    /// Instances of each.
    pub instances: u32,
    /// Pipelines.
    pub pipelines: usize,
    /// Past runs of them, the newest a moment ago.
    pub runs: usize,
}

/// A server that answers as long as this is kept.
pub struct Served {
    /// Where.
    pub address: SocketAddr,
    _ending: watch::Sender<bool>,
    _data: tempfile::TempDir,
}

/// Fills a server and starts it; `root` is an apt root that it follows, an empty one if none is given.
pub async fn serve(size: Size, root: Option<&Path>) -> Served {
    let data = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(SystemClock);
    let place = Location::Sqlite(data.path().join("gennaker.db"));
    let store = Store::open(place, api::SCHEMAS, clock.clone()).expect("opens");
    let behaviour = Behaviour { takes: SignedDuration::ZERO, boots: SignedDuration::ZERO };
    let simulated = Arc::new(Simulated::open("cloudy", World::new(clock.clone(), behaviour)));
    fill_cloud(&simulated, size).await;
    fill_store(&store, size).await.expect("filled");
    let registry = stages::types();
    let archive = root.map_or_else(|| data.path().join("archive"), Path::to_owned);
    let roots = vec![apt::Root::open(archive, clock.clone()).expect("a root")];
    let tokens = Arc::new(Tokens::new(&[]).expect("none"));
    let bakery = Bakery::open(store.clone(), data.path().join("images"), Vec::new()).expect("opens");
    let house = House {
        store: store.clone(),
        engine: Engine::new(store.clone()),
        clouds: Arc::new(Clouds::new(vec![simulated]).expect("one account")),
        tidy: Tidy {
            store: store.clone(),
            bakery: bakery.clone(),
            roots: roots.clone(),
            data: data.path().to_owned(),
            keep: Keep::default(),
        },
        room: Room::default(),
        bakery,
        stage_kinds: Arc::new(registry.kinds()),
        registry: Arc::new(registry),
        webhooks: Arc::default(),
        notifiers: Default::default(),
        apt_commands: None,
        reachable: false,
        public_url: "http://localhost".into(),
        cron_zone: jiff::tz::TimeZone::UTC,
        tokens: tokens.clone(),
        aptly: api::aptly::Aptly::new(roots.first().cloned(), api::aptly::Settings::default()),
        watched: Arc::new(Watched::new(data.path(), &roots, store.clock().now())),
        roots: Arc::new(roots),
    };
    let guard = Guard::new(GuardConfig::default(), tokens, clock);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (end, ending) = watch::channel(false);
    let limits = Limits { body_size: 1 << 20, body_time: Duration::from_secs(5) };
    tokio::spawn(api::server::serve(vec![listener.into()], api::server::service(house, guard, limits), ending));
    Served { address, _ending: end, _data: data }
}

async fn fill_cloud(cloud: &Simulated, size: Size) {
    let listeners = vec![WantedListener::new(Protocol::Http, 80)];
    let balancer = UpsertLoadBalancer::new("front", "here", "shop", listeners);
    cloud.start(&Operation::UpsertLoadBalancer(balancer), &Key::new("front")).await.expect("made");
    for number in 0..size.groups {
        let cluster = format!("shop-stack{}", number / 5).parse().expect("a name");
        let operation = CreateServerGroup {
            load_balancers: vec!["front".into()],
            ..CreateServerGroup::new(cluster, "here", "image-1", Capacity::exactly(size.instances))
        };
        let key = Key::new(format!("group-{number}"));
        cloud.start(&Operation::CreateServerGroup(operation), &key).await.expect("made");
    }
}

/// So many runs are written by one transaction.
const PIECE: usize = 2_000;

async fn fill_store(store: &Store, size: Size) -> Result<(), StoreError> {
    let ids = store.write(move |tx| save(tx, size)).await?;
    let ids = Arc::new(ids);
    for first in (0..size.runs).step_by(PIECE) {
        let ids = ids.clone();
        store
            .write(move |tx| {
                let now = tx.now().as_millisecond();
                (first..size.runs.min(first + PIECE)).try_for_each(|number| run(tx, number, &ids, now))
            })
            .await?;
    }
    Ok(())
}

/// Saves the application and its pipelines; gives their ids.
fn save(tx: &mut Tx<'_>, size: Size) -> Result<Vec<String>, StoreError> {
    let map = |value: Value| value.as_object().cloned().unwrap_or_default();
    let attributes = map(json!({"name": "shop", "email": "shop@example.com"}));
    applications::save(tx, &attributes, Save::Upsert, "kim").expect("an application");
    let stages = json!([
        {"refId": "1", "type": "wait", "name": "Take a breath", "waitTime": 1, "requisiteStageRefIds": []},
        {"refId": "2", "type": "manualJudgment", "name": "Shall it go on?", "requisiteStageRefIds": ["1"]},
        {"refId": "3", "type": "wait", "name": "And another", "waitTime": 1, "requisiteStageRefIds": ["2"]},
    ]);
    let one = |number: usize| -> Map<String, Value> {
        map(json!({"application": "shop", "name": format!("pipeline-{number}"), "stages": stages}))
    };
    let mut ids = Vec::new();
    for number in 0..size.pipelines {
        let saved = pipelines::save(tx, &one(number), false, "kim").expect("a pipeline");
        ids.push(saved["id"].as_str().unwrap_or_default().to_owned());
    }
    Ok(ids)
}

/// Writes a run that ended, as the engine leaves it; one of 37 failed.
fn run(tx: &mut Tx<'_>, number: usize, pipelines: &[String], now: i64) -> Result<(), StoreError> {
    let pipeline = number % pipelines.len();
    let (id, name) = (tx.ulid(), format!("pipeline-{pipeline}"));
    let built = now - number as i64 * 60_000 - 60_000;
    let status = if number % 37 == 36 { "TERMINAL" } else { "SUCCEEDED" };
    let kinds = [("wait", "Take a breath"), ("manualJudgment", "Shall it go on?"), ("wait", "And another")];
    let mut order = Vec::new();
    for (place, (kind, what)) in kinds.into_iter().enumerate() {
        let (stage, at) = (tx.ulid(), built + place as i64 * 10_000);
        let before: Vec<String> = (place > 0).then(|| place.to_string()).into_iter().collect();
        let body = json!({"id": stage, "refId": (place + 1).to_string(), "type": kind, "name": what, "startTime": at, "endTime": at + 10_000,
            "status": if place == 2 { status } else { "SUCCEEDED" }, "context": {}, "requisiteStageRefIds": before,
            "tasks": [{"id": "1", "name": kind, "implementingClass": kind, "status": "SUCCEEDED", "startTime": at, "endTime": at + 10_000}]});
        tx.execute(
            "insert into stage (execution, id, body) values (?1, ?2, ?3)",
            params![&id, &stage, body.to_string()],
        )?;
        order.push(stage);
    }
    let body = json!({"type": "PIPELINE", "id": id, "application": "shop", "name": name, "pipelineConfigId": pipelines[pipeline],
        "buildTime": built, "startTime": built, "endTime": built + 30_000, "status": status,
        "trigger": {"type": "manual", "user": if number.is_multiple_of(3) { "lee" } else { "kim" }}});
    tx.execute(
        "insert into execution (id, kind, application, pipeline, name, status, built, started, ended, body, stages)
         values (?1, 'PIPELINE', 'shop', ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)",
        params![
            &id,
            &pipelines[pipeline],
            &name,
            status,
            built,
            built + 30_000,
            body.to_string(),
            json!(order).to_string()
        ],
    )?;
    Ok(())
}
