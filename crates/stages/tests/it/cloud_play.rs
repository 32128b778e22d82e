//! Where deployments are played: an engine with the stages over clouds, a store, and a simulated cloud. A second account, `stormy`, is there
//! for what must not be touched.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cloud::simulated::{Behaviour, Simulated, World as Cloud};
use cloud::{Clouds, Query};
use jiff::SignedDuration;
use pipeline::engine::FetchNothing;
use pipeline::model::{Kind, Status};
use pipeline::{Engine, Execution, Map, StartRequest};
use serde_json::{Value, json};
use store::clock::{Clock, SystemClock};
use store::{Location, Store, StoreError};

pub struct Play {
    pub store: Store,
    pub engine: Engine,
    pub clouds: Clouds,
    pub cloud: Arc<Cloud>,
    /// The folder of the store, where it ends with the play.
    _folder: Option<tempfile::TempDir>,
}

/// A new world.
pub async fn play() -> Play {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let play = Play::over(folder.path(), world(clock.clone()), clock).await;
    Play { _folder: Some(folder), ..play }
}

/// A cloud in which everything is done at once.
pub fn world(clock: Arc<dyn Clock>) -> Arc<Cloud> {
    Cloud::new(clock, Behaviour { takes: SignedDuration::ZERO, boots: SignedDuration::ZERO })
}

impl Play {
    /// A server that starts over a store and a cloud that may know each other.
    pub async fn over(folder: &Path, cloud: Arc<Cloud>, clock: Arc<dyn Clock>) -> Play {
        let place = Location::Sqlite(folder.join("gennaker.db"));
        let store = Store::open(place, &[pipeline::schema::MIGRATIONS], clock).unwrap();
        let clouds = Clouds::new(vec![
            Arc::new(Simulated::open("cloudy", cloud.clone())),
            Arc::new(Simulated::open("stormy", world(Arc::new(SystemClock)))),
        ])
        .unwrap();
        let engine = Engine::new(store.clone());
        let registry = stages::infrastructure::register(
            stages::types(),
            &clouds,
            &store,
            stages::infrastructure::TrafficGuards::default(),
        );
        engine.start(registry, Arc::new(FetchNothing)).await.unwrap();
        let waker = engine.clone();
        stages::infrastructure::wake_on_changes(&clouds, move |topic| waker.wake(topic));
        Play { _folder: None, store, engine, clouds, cloud }
    }

    pub async fn run(&self, stages: Value) -> Execution {
        let id = self.begin(stages).await;
        self.ended(&id).await
    }

    /// Starts a run of these stages.
    pub async fn begin(&self, stages: Value) -> String {
        let mut config = Map::new();
        config.insert("application".into(), json!("shop"));
        config.insert("stages".into(), stages);
        let request = StartRequest { config, trigger: Map::new(), kind: Kind::Orchestration, key: None };
        self.engine.begin(request).await.unwrap()
    }

    /// A run when it has ended.
    pub async fn ended(&self, id: &str) -> Execution {
        self.engine.ended(id, Duration::from_secs(20)).await.unwrap();
        let run = self.now(id).await;
        assert!(run.status.is_complete(), "it does not end: {}", serde_json::to_string_pretty(&run).unwrap());
        run
    }

    /// A run as it is now.
    pub async fn now(&self, id: &str) -> Execution {
        let id = id.to_owned();
        self.store.read::<_, StoreError, _>(move |tx| pipeline::records::get(tx, &id)).await.unwrap().unwrap()
    }

    /// The instances of a group that get traffic.
    pub async fn in_traffic(&self, name: &str) -> usize {
        let all = self.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
        let group = all.iter().find(|group| group.name.to_string() == name).unwrap();
        group.up(None) as usize
    }

    pub async fn succeeds(&self, stages: Value) -> Execution {
        let run = self.run(stages).await;
        assert_eq!(run.status, Status::Succeeded, "{}", serde_json::to_string_pretty(&run).unwrap());
        run
    }

    /// Makes the load balancer `front`.
    pub async fn front(&self) {
        self.front_of("cloudy").await;
    }

    /// The same in an account.
    pub async fn front_of(&self, account: &str) {
        let balancer = json!({"type": "upsertLoadBalancer", "credentials": account, "region": "here", "loadBalancerName": "front", "portRange": "80"});
        self.succeeds(json!([balancer])).await;
    }

    /// The groups of `cloudy` in region `here`: name, whether it gets traffic, instances.
    pub async fn groups(&self) -> Vec<(String, bool, usize)> {
        self.groups_of("cloudy").await
    }

    /// The same of an account.
    pub async fn groups_of(&self, account: &str) -> Vec<(String, bool, usize)> {
        let all = self.clouds.list(&Query::of("shop")).await.unwrap().server_groups;
        let here = all.iter().filter(|group| group.region == "here" && group.account == account);
        here.map(|group| (group.name.to_string(), !group.disabled, group.instances.len())).collect()
    }
}

pub fn deploy(more: Value) -> Value {
    let mut cluster = json!({"account": "cloudy", "region": "here", "image": "image-1", "capacity": {"min": 2, "max": 2, "desired": "2"}});
    cluster.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"type": "deploy", "name": "Deploy", "clusters": [cluster]})
}

pub fn group(name: &str, traffic: bool, count: usize) -> (String, bool, usize) {
    (name.to_owned(), traffic, count)
}

pub fn names(run: &Execution) -> Vec<String> {
    run.stages.iter().map(|stage| stage.name.clone()).collect()
}

pub fn why(run: &Execution) -> String {
    run.stages.iter().filter_map(|stage| stage.context.get("exception")).map(Value::to_string).collect()
}
