//! An apt root, a control store and an engine without stage types: enough to see what starts.

use std::sync::Arc;

use apt::{
    AddOptions, Fetch, FetchError, MirrorChange, PublishRequest, Root, Settings, Signing, SourceKind, Trust,
    UpdateMirror, UpdateRequest,
};
use jiff::SignedDuration;
use pipeline::{Engine, Execution, Map};
use serde_json::{Value, json};
use stages::react::apt_published::{Tail, WINDOW};
use store::clock::FakeClock;
use store::{Location, Store};
use testkit::package::TestPackage;

pub struct World {
    folder: tempfile::TempDir,
    pub clock: Arc<FakeClock>,
    pub root: Root,
    pub store: Store,
    pub engine: Engine,
}

impl World {
    /// A root with the repository `terry-repo`, published as `stretch` while it is empty.
    pub fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
        let root = Root::open(folder.path().join("aptly"), clock.clone()).unwrap();
        root.create_repo("terry-repo", &Default::default(), None).unwrap();
        let place = Location::Sqlite(folder.path().join("gennaker.db"));
        let lists = [pipeline::schema::MIGRATIONS, bakery::MIGRATIONS, stages::react::MIGRATIONS];
        let store = Store::open(place, &lists, clock.clone()).unwrap();
        let engine = Engine::new(store.clone());
        World { folder, clock, root, store, engine }
    }

    pub fn add(&self, package: &TestPackage) {
        let incoming = self.folder.path().join("incoming");
        std::fs::create_dir_all(&incoming).unwrap();
        let file = package.write_to(&incoming);
        let options = AddOptions { force_replace: true, ..AddOptions::default() };
        let added = self.root.add("terry-repo", &[file], options, &mut |_| {}).unwrap();
        assert_eq!(added.failed, Vec::<String>::new());
    }

    pub fn publish(&self) {
        let request = PublishRequest {
            kind: SourceKind::Local,
            names: vec!["terry-repo".into()],
            components: vec![String::new()],
            storage: String::new(),
            prefix: ".".into(),
            distribution: "stretch".into(),
            architectures: vec!["amd64".into(), "arm64".into()],
            settings: Settings::default(),
            force_overwrite: false,
            signing: Signing { skip: true, ..Signing::default() },
            date: None,
        };
        self.root.publish(&request, &mut |_| {}).unwrap();
    }

    pub fn update(&self) {
        let request = UpdateRequest {
            prefix: ".".into(),
            distribution: "stretch".into(),
            force_overwrite: true,
            signing: Signing { skip: true, ..Signing::default() },
            ..UpdateRequest::default()
        };
        self.root.update_publication(&request, &mut |_| {}).unwrap();
    }

    /// Makes a mirror of what the root itself publishes.
    pub fn mirror(&self, name: &str) {
        let change = MirrorChange { archive: Some("http://upstream/".into()), ..MirrorChange::default() };
        let trust = Trust { unchecked: true, ..Trust::default() };
        let fetch = Published(self.root.public());
        self.root.create_mirror(name, "stretch", &[], &change, [false; 2], &trust, &fetch).unwrap();
    }

    pub fn update_mirror(&self, name: &str) {
        let how = UpdateMirror { trust: Trust { unchecked: true, ..Trust::default() }, ..UpdateMirror::default() };
        self.root.update_mirror(name, &how, &Published(self.root.public()), &mut |_| {}).unwrap();
    }

    /// Saves a pipeline with an apt trigger; more keys of the trigger in `more`.
    pub async fn pipeline(&self, name: &str, more: Value) {
        self.pipeline_with(name, more, json!([{"type": "wait", "waitTime": 1}])).await;
    }

    /// The same with stages of its own.
    pub async fn pipeline_with(&self, name: &str, more: Value, stages: Value) {
        let mut trigger = json!({"type": "apt", "enabled": true, "distribution": "stretch", "package": "hello"});
        trigger.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config = json!({"application": "shop", "name": name, "triggers": [trigger], "stages": stages});
        let config: Map = config.as_object().unwrap().clone();
        self.store.write(move |tx| pipeline::pipelines::save(tx, &config, false, "test").map(drop)).await.unwrap();
    }

    /// What a server does once.
    pub async fn tail(&self) {
        self.tail_with(WINDOW).await;
    }

    pub async fn tail_with(&self, window: SignedDuration) {
        let tail = Tail { root: self.root.clone(), engine: self.engine.clone(), window, pulse: Arc::default() };
        while tail.step().await.unwrap() {}
    }

    /// Executions of the application, the oldest first.
    pub async fn runs(&self) -> Vec<Execution> {
        let found = self.store.read(|tx| {
            let rows = tx.query("select id from execution order by id", &[])?;
            let mut runs = Vec::new();
            for row in rows {
                runs.extend(pipeline::records::get(tx, &row.text(0)?)?);
            }
            Ok::<_, store::StoreError>(runs)
        });
        found.await.unwrap()
    }
}

/// `http://upstream/` is this folder.
struct Published(std::path::PathBuf);

impl Published {
    fn file(&self, url: &str) -> std::path::PathBuf {
        self.0.join(url.strip_prefix("http://upstream/").unwrap())
    }
}

impl Fetch for Published {
    fn get(&self, url: &str, _: u64) -> Result<Vec<u8>, FetchError> {
        std::fs::read(self.file(url)).map_err(|_| FetchError::Missing(url.into()))
    }

    fn save(&self, url: &str, _: u64, to: &std::path::Path) -> Result<(), FetchError> {
        std::fs::copy(self.file(url), to).map(drop).map_err(|_| FetchError::Missing(url.into()))
    }
}
