//! A data plane in a temporary folder, and members that say who they are.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use dataplane::client::Client;
use dataplane::clock::Clock;
use dataplane::server::{self, Limits, Options, Running};
use dataplane::status::{BalancerStatus, Status};
use dataplane::wanted::{Balancer, HealthCheck, Listener, Member, MemberState, Probe, Protocol, StatusRange, Wanted};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running data plane.
pub struct Plane {
    pub client: Client,
    pub dir: tempfile::TempDir,
    running: Option<Running>,
}

pub fn clock() -> Clock {
    Clock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64)
}

/// The example that the tests start as a process.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples/plane");
    assert!(program.exists(), "run `cargo build -p dataplane --example plane` first (cargo test without --test does)");
    program
}

pub fn options(dir: &Path) -> Options {
    Options {
        dir: dir.to_owned(),
        exe: program(),
        clock: clock(),
        workers: 2,
        isolate: true,
        take_over: false,
        limits: Limits { sniff_time: Duration::from_millis(200), ..Limits::default() },
        drain: Duration::from_secs(1),
    }
}

pub fn folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("plane-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .tempdir()
        .unwrap()
}

impl Plane {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Options)) -> Self {
        let dir = folder();
        let mut options = options(dir.path());
        change(&mut options);
        let running = server::start(options).unwrap();
        Self { client: Client::new(dir.path()), dir, running: Some(running) }
    }

    pub async fn put(&self, wanted: &Wanted) {
        let accepted = self.client.put_wanted(wanted).await.unwrap();
        assert_eq!(accepted.problems, [""; 0]);
    }

    pub async fn status(&self) -> Status {
        self.client.status().await.unwrap()
    }

    /// The one balancer.
    pub async fn web(&self) -> BalancerStatus {
        self.status().await.balancers.remove(0)
    }

    /// Where its first listener is.
    pub async fn address(&self) -> SocketAddr {
        self.web().await.listeners[0].bound.unwrap()
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        let stopped = self.running.take().map(Running::stop);
        end_instances(self.dir.path());
        assert!(stopped.is_none_or(|s| s.is_ok()) || std::thread::panicking());
    }
}

/// Ends what goes on without a data plane.
pub fn end_instances(dir: &Path) {
    for entry in std::fs::read_dir(dir.join("instances")).into_iter().flatten().flatten() {
        if let Ok(word) = dataplane::folder::Folder::at(entry.path()).word()
            && word.shim.is_alive()
        {
            let _ = rustix::process::kill_process(
                rustix::process::Pid::from_raw(word.shim.pid as i32).unwrap(),
                rustix::process::Signal::KILL,
            );
        }
    }
}

/// A data plane as a process of its own.
pub struct Served {
    dir: PathBuf,
    child: std::process::Child,
}

impl Served {
    pub fn start(dir: &Path) -> Self {
        use std::process::{Command, Stdio};
        let child = Command::new(program())
            .arg("serve")
            .arg(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self { dir: dir.to_owned(), child: child.unwrap() }
    }

    /// Replaces it by a successor.
    pub fn replaced(dir: &Path) -> Self {
        use std::process::{Command, Stdio};
        let child = Command::new(program()).args(["serve", "--take-over"]).arg(dir).stdin(Stdio::null()).spawn();
        Self { dir: dir.to_owned(), child: child.unwrap() }
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        end_instances(&self.dir);
    }
}

/// Asks until it is so.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(got) = ask().await {
            return got;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A member: an HTTP server that answers its name.
pub struct Upstream {
    pub name: String,
    pub address: SocketAddr,
    pub status: Arc<AtomicU16>,
    pub served: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
    connections: Arc<std::sync::Mutex<Vec<tokio::task::AbortHandle>>>,
}

impl Upstream {
    pub async fn start(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (status, served) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicU64::new(0)));
        let connections: Arc<std::sync::Mutex<Vec<tokio::task::AbortHandle>>> = Arc::default();
        let task = tokio::spawn({
            let (status, served, connections, name) =
                (status.clone(), served.clone(), connections.clone(), name.to_owned());
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (status, served, name) = (status.clone(), served.clone(), name.clone());
                    let service = service_fn(move |request| {
                        served.fetch_add(1, SeqCst);
                        answer(name.clone(), status.load(SeqCst), request)
                    });
                    let connection =
                        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    let task = tokio::spawn(async move { drop(connection.await) });
                    connections.lock().unwrap().push(task.abort_handle());
                }
            }
        });
        Self { name: name.to_owned(), address, status, served, task, connections }
    }

    /// Dies, and is dead when this is over: nothing listens and no connection is open.
    pub async fn kill(self) {
        let (task, connections) = (self.task.abort_handle(), self.connections.clone());
        drop(self);
        until("it is dead", async || {
            let all = connections.lock().unwrap().iter().all(|connection| connection.is_finished());
            (task.is_finished() && all).then_some(())
        })
        .await;
    }

    pub fn member(&self, group: &str, state: MemberState) -> Member {
        Member { id: self.name.clone(), group: group.into(), address: self.address, weight: 1, state }
    }
}

impl Drop for Upstream {
    /// Dies as a killed process does: no answer is finished, nothing listens.
    fn drop(&mut self) {
        self.task.abort();
        self.connections.lock().unwrap().iter().for_each(|c| c.abort());
    }
}

/// `/slow` takes 300 ms, `/hang` never answers, `/headers` tells what came, `/echo` gives the body back; all else answers the name.
async fn answer(name: String, status: u16, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let headers: String = request.headers().iter().map(|(n, v)| format!("{n}: {}\n", v.to_str().unwrap())).collect();
    let Ok(body) = request.into_body().collect().await else { return Ok(Response::new(Full::default())) };
    let text = match path.as_str() {
        "/headers" => headers.into(),
        "/echo" => body.to_bytes(),
        "/hang" => std::future::pending().await,
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            Bytes::from(name)
        }
        _ => Bytes::from(name),
    };
    Ok(Response::builder().status(status).body(Full::new(text)).unwrap())
}

pub fn check() -> HealthCheck {
    HealthCheck {
        probe: Probe::Http { path: "/".into(), port: None, expect: vec![StatusRange { from: 200, to: 299 }] },
        interval_ms: 50,
        timeout_ms: 500,
        rise: 2,
        fall: 2,
    }
}

pub fn web(generation: u64, protocol: Protocol, members: Vec<Member>) -> Wanted {
    let listeners = vec![Listener {
        address: "127.0.0.1:0".parse().unwrap(),
        protocol,
        allow: None,
        proxy_protocol: false,
        certificates: Vec::new(),
    }];
    let balancer = Balancer { id: "web".into(), listeners, members, ..Balancer::default() };
    Wanted { generation, balancers: vec![balancer], ..Wanted::default() }
}

/// One request on a connection of its own; status and body.
pub async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let text = talk(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// Sends bytes and reads until the other side closes.
pub async fn talk(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}
