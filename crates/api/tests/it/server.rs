//! A server on a free port, and a client that sends exactly the bytes that a test writes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use access::{Role, Secret, TokenConfig, Tokens, token};
use api::server::Limits;
use api::{Guard, GuardConfig, House, Watched};
use bakery::Bakery;
use cloud::Clouds;
use pipeline::engine::FetchNothing;
use pipeline::{Engine, Registry};
use stages::room::Room;
use stages::tidy::{Keep, Tidy};
use store::clock::SystemClock;
use store::{Location, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Small ones, so that a test reaches them.
const LIMITS: Limits = Limits { body_size: 1 << 20, body_time: Duration::from_millis(500) };

/// A running server; it ends with the value.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it keeps.
    pub store: Store,
    /// Who may come.
    pub tokens: Arc<Tokens>,
    end: watch::Sender<bool>,
    _runtime: Runtime,
    _data: TempDir,
}

/// An answer: status, head in small letters, body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The lines of the head, in small letters.
    pub head: String,
    /// The body as text.
    pub body: String,
}

impl Server {
    /// Without tokens, with these rules.
    pub fn start(rules: GuardConfig) -> Self {
        Self::with_tokens(rules, &[])
    }

    /// With tokens `(text, role)`; the text is the name too.
    pub fn with_tokens(rules: GuardConfig, tokens: &[(&str, Role)]) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(SystemClock);
        let store =
            Store::open(Location::Sqlite(data.path().join("gennaker.db")), api::SCHEMAS, clock.clone()).expect("opens");
        let configured: Vec<_> = tokens
            .iter()
            .map(|(text, role)| TokenConfig {
                name: (*text).into(),
                hash: Secret::new(token::hash(&Secret::new(*text)).expect("hashes")),
                role: *role,
            })
            .collect();
        let tokens = Arc::new(Tokens::new(&configured).expect("good tokens"));
        let guard = Guard::new(rules, tokens.clone(), clock);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runs");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (end, ending) = watch::channel(false);
        let engine = Engine::new(store.clone());
        // It runs nothing, and says so at once when it is told something.
        runtime.block_on(engine.start(Registry::new(), Arc::new(FetchNothing))).expect("starts");
        let bakery = Bakery::open(store.clone(), data.path().join("images"), Vec::new()).expect("opens");
        let house = House {
            store: store.clone(),
            engine,
            clouds: Arc::new(Clouds::default()),
            tidy: Tidy {
                store: store.clone(),
                bakery: bakery.clone(),
                roots: Vec::new(),
                data: data.path().to_owned(),
                keep: Keep::default(),
            },
            room: Room::default(),
            bakery,
            registry: Arc::default(),
            stage_kinds: Arc::default(),
            webhooks: Arc::default(),
            notifiers: Default::default(),
            apt_commands: None,
            reachable: false,
            public_url: "http://localhost".into(),
            cron_zone: jiff::tz::TimeZone::UTC,
            tokens: tokens.clone(),
            roots: Arc::default(),
            watched: Arc::new(Watched::new(data.path(), &[], store.clock().now())),
            aptly: api::aptly::Aptly::new(None, api::aptly::Settings::default()),
        };
        let service = api::server::service(house, guard, LIMITS);
        runtime.spawn(api::server::serve(vec![listener.into()], service, ending));
        Self { address, store, tokens, end, _runtime: runtime, _data: data }
    }

    /// A connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        stream
    }

    /// Sends a request with these header lines and reads the answer. `Host` is the address unless a line gives another.
    pub fn ask(&self, method: &str, path: &str, lines: &[&str]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !lines.iter().any(|line| line.to_lowercase().starts_with("host:")) {
            head += &format!("Host: {}\r\n", self.address);
        }
        for line in lines {
            head += line;
            head += "\r\n";
        }
        let mut stream = self.connect();
        stream.write_all(format!("{head}\r\n").as_bytes()).expect("sent");
        read(stream)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.end.send(true);
    }
}

/// Reads an answer to the end of the connection.
pub fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_lowercase(), body: body.into() }
}
