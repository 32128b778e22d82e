//! A server on loopback that answers as a test tells it, and an engine with every stage type that calls it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use cloud::Clouds;
use events::outgoing::{Allow, Outgoing, OutgoingConfig};
use pipeline::engine::FetchNothing;
use pipeline::model::Kind;
use pipeline::{Engine, Execution, Map, StartRequest};
use serde_json::{Value, json};
use stages::Services;
use stages::script::Scripts;
use stages::webhook::{Preconfigured, register_preconfigured};
use store::clock::SystemClock;
use store::{Location, Store, StoreError};

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `POST /path`.
    pub line: String,
    /// The header lines, names in lower case.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

/// A server on a free port.
pub struct Server {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Answers each request with what `answer` gives for it and for its number, from 0.
    pub fn start(answer: impl Fn(&Seen, usize) -> String + Send + Sync + 'static) -> Server {
        Server::raw(move |seen, number, stream| {
            let _ = stream.write_all(answer(seen, number).as_bytes());
        })
    }

    /// Lets `answer` write what it likes.
    pub fn raw(answer: impl Fn(&Seen, usize, &mut TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (all, answer) = (seen.clone(), Arc::new(answer));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (all, answer) = (all.clone(), answer.clone());
                thread::spawn(move || {
                    let Some(request) = read(&mut stream) else { return };
                    let number = {
                        let mut all = all.lock().unwrap();
                        all.push(request.clone());
                        all.len() - 1
                    };
                    answer(&request, number, &mut stream);
                });
            }
        });
        Server { address, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|s| s.line.clone()).collect()
    }
}

fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<String> = lines
        .filter(|l| !l.is_empty())
        .map(|l| {
            let (name, value) = l.split_once(": ").unwrap_or((l, ""));
            format!("{}: {value}", name.to_lowercase())
        })
        .collect();
    let length = headers.iter().find_map(|h| h.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Seen { line, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

/// An answer with a JSON body.
pub fn says(status: &str, more: &str, body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{more}\r\n{body}", body.len())
}

/// An engine with every stage type; what it may call is loopback.
pub struct Play {
    pub store: Store,
    pub engine: Engine,
    pub folder: tempfile::TempDir,
}

impl Play {
    pub async fn new(prepared: &str) -> Play {
        Play::with(prepared, OutgoingConfig::default()).await
    }

    pub async fn with(prepared: &str, bounds: OutgoingConfig) -> Play {
        #[derive(serde::Deserialize, Default)]
        struct File {
            #[serde(default)]
            preconfigured: Vec<Preconfigured>,
            #[serde(default)]
            secret: Vec<access::SecretConfig>,
        }
        // Once for the process; a second time does nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let place = Location::Sqlite(folder.path().join("gennaker.db"));
        let store = Store::open(place, &[pipeline::schema::MIGRATIONS], Arc::new(SystemClock)).unwrap();
        let engine = Engine::new(store.clone());
        let allow = Allow::try_from(vec!["127.0.0.1".to_owned()]).unwrap();
        let File { preconfigured, secret } = toml::from_str(prepared).unwrap();
        let webhooks = Arc::new(preconfigured);
        let services = Services {
            engine: engine.clone(),
            outgoing: Arc::new(Outgoing::new(OutgoingConfig { allow, ..bounds })),
            webhooks: webhooks.clone(),
            secrets: Arc::new(access::Secrets::new(&secret, |_| None).unwrap()),
        };
        let scripts = Scripts {
            clouds: Arc::new(Clouds::new(vec![]).unwrap()),
            folder: folder.path().join("scripts"),
            path: "/usr/bin:/bin".into(),
            outgoing: services.outgoing.clone(),
            allowed: Vec::new(),
        };
        let registry = stages::script::register(stages::all(&services), scripts);
        let registry = register_preconfigured(registry, &webhooks).unwrap();
        engine.start(registry, Arc::new(FetchNothing)).await.unwrap();
        Play { store, engine, folder }
    }

    pub async fn begin(&self, stages: Value) -> String {
        self.start(json!({"application": "shop", "name": "p", "stages": stages}), json!({"user": "ann"})).await
    }

    pub async fn start(&self, config: Value, trigger: Value) -> String {
        let map = |value: Value| -> Map { value.as_object().unwrap().clone() };
        let request = StartRequest { config: map(config), trigger: map(trigger), kind: Kind::Pipeline, key: None };
        self.engine.begin(request).await.unwrap()
    }

    pub async fn save(&self, config: Value) -> String {
        let config = config.as_object().unwrap().clone();
        let saved = self.store.write(move |tx| pipeline::pipelines::save(tx, &config, false, "test")).await.unwrap();
        saved["id"].as_str().unwrap().to_owned()
    }

    pub async fn now(&self, id: &str) -> Execution {
        let read = id.to_owned();
        self.store.read::<_, StoreError, _>(move |tx| pipeline::records::get(tx, &read)).await.unwrap().unwrap()
    }

    pub async fn ended(&self, id: &str) -> Execution {
        self.engine.ended(id, Duration::from_secs(30)).await.unwrap();
        self.now(id).await
    }

    /// Runs these stages to their end.
    pub async fn run(&self, stages: Value) -> Execution {
        let id = self.begin(stages).await;
        self.ended(&id).await
    }

    /// Waits until an execution looks as it should.
    pub async fn until(&self, id: &str, looks: impl Fn(&Execution) -> bool) -> Execution {
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            let run = self.now(id).await;
            if looks(&run) {
                return run;
            }
            assert!(Instant::now() < limit, "it never came to that: {run:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// How many processes have these words; one that has ended and waits for its parent does not count.
pub fn running(words: &str) -> usize {
    let wanted = words.replace(' ', "\0") + "\0";
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter(|e| std::fs::read_to_string(e.path().join("cmdline")).is_ok_and(|line| line == wanted)).count()
}

/// A stage without requisites.
pub fn stage(kind: &str, more: Value) -> Value {
    let mut stage = json!({"type": kind, "name": kind, "refId": "1", "requisiteStageRefIds": []});
    stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage
}
