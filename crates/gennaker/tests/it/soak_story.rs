//! Deployment after deployment by each strategy, with users of every kind on the load balancer all the time, while the server is killed and
//! the data plane is replaced. `make soak` lets it go on for as long as one likes; here it is short.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::redblack_story::{connect, ended, head, one_request, post, read, succeeds};
use crate::server::Server;

/// How long each strategy goes on, in seconds, at least; one deployment in any case.
const SECONDS: &str = "GENNAKER_SOAK";

/// A program that answers requests, keeps connections, and echoes what comes through a WebSocket's upgrade.
const PROGRAM: &str = r#"
const http = require('http');
const version = require('fs').readFileSync(__dirname + '/version', 'utf8');
const server = http.createServer((request, response) => response.end(version));
server.keepAliveTimeout = 10000;
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.on('data', (bytes) => socket.write(bytes));
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
});
server.listen(process.env.PORT, '127.0.0.1');
"#;

fn image(folder: &Path, version: &str) {
    for (name, content) in [
        ("usr/share/soak/server.js", PROGRAM),
        ("usr/share/soak/version", version),
        ("usr/lib/systemd/system/soak.service", "[Service]\nExecStart=/usr/bin/env node /usr/share/soak/server.js\n"),
    ] {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, content).expect("written");
    }
}

/// What users saw.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    requests: AtomicU64,
    slowest_us: AtomicU64,
    failures: Mutex<Vec<String>>,
}

impl Seen {
    fn one(&self, what: &str, ask: impl FnOnce() -> std::io::Result<()>) -> bool {
        let since = Instant::now();
        let asked = ask();
        self.requests.fetch_add(1, Relaxed);
        let took = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.slowest_us.fetch_max(took, Relaxed);
        if let Err(error) = &asked {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.push(format!("{what}: {error}"));
        }
        asked.is_ok()
    }
}

/// How a user connects.
#[derive(Clone, Copy)]
enum Kind {
    KeepAlive,
    Close,
    WebSocket,
}

fn request(address: &str, keep: bool, kept: &mut Option<BufReader<TcpStream>>) -> std::io::Result<()> {
    let answer = one_request(address, keep, kept)?;
    if answer.starts_with("failed") { Err(std::io::Error::other(answer)) } else { Ok(()) }
}

/// Opens a WebSocket, sends a few words, each of which must come back, and closes it.
fn words(address: &str, seen: &Seen) {
    let mut stream = None;
    let opened = seen.one("WebSocket", || {
        let mut fresh = connect(address)?;
        let hello = "GET /socket HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        fresh.get_mut().write_all(hello.as_bytes())?;
        let (status, ..) = head(&mut fresh)?;
        stream = Some(fresh);
        if status.contains(" 101 ") { Ok(()) } else { Err(std::io::Error::other(status.trim().to_owned())) }
    });
    let Some(mut stream) = stream.filter(|_| opened) else { return };
    for number in 0..20_u8 {
        let word = [number; 16];
        let echoed = seen.one("a word in a WebSocket", || {
            stream.get_mut().write_all(&word)?;
            let mut back = [0; 16];
            stream.read_exact(&mut back)?;
            if back == word { Ok(()) } else { Err(std::io::Error::other("another word came back")) }
        });
        if !echoed || seen.stop.load(Relaxed) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn user(kind: Kind, address: String, seen: Arc<Seen>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut kept = None;
        while !seen.stop.load(Relaxed) {
            match kind {
                Kind::KeepAlive => drop(seen.one("keep-alive", || request(&address, true, &mut kept))),
                Kind::Close => drop(seen.one("close", || request(&address, false, &mut kept))),
                Kind::WebSocket => words(&address, &seen),
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    })
}

fn prepare() -> (Server, String) {
    let server = Server::start("");
    for version in ["one", "two"] {
        image(&server.folder.path().join(version), version);
    }
    let application = json!({"name": "soak", "email": "owner@example.org"});
    succeeds(&server, &post(&server, json!({"type": "createApplication", "application": application})));
    let check = json!({"healthCheckType": "HTTP", "port": 8080, "requestPath": "/", "checkIntervalSec": 0.2, "timeoutSec": 5,
                       "healthyThreshold": 1, "unhealthyThreshold": 5});
    let balancer = json!({"type": "upsertLoadBalancer", "credentials": "local", "region": "local", "loadBalancerName": "soak",
                          "ipProtocol": "TCP", "portRange": "auto", "healthCheck": check});
    succeeds(&server, &post(&server, balancer));
    let balancer = read(&server, "/loadBalancers/local/local/soak")[0].clone();
    (server, balancer["dnsName"].as_str().expect("an address").to_owned())
}

fn deploy(server: &Server, strategy: &str, number: usize) -> String {
    let image = server.folder.path().join(["one", "two"][number % 2]);
    let canary = json!({"percentage": 20, "lifetimeMinutes": 0.02, "minimumRequests": 5, "strategy": "highlander"});
    let cluster = json!({
        "account": "local", "application": "soak", "region": "local", "strategy": strategy, "image": image, "loadBalancers": ["soak"],
        "capacity": {"min": 2, "max": 2, "desired": 2}, "targetPercentages": [50], "canary": canary, "maxRemainingAsgs": 2,
        "allowDeleteActive": true,
    });
    post(server, json!({"type": "deploy", "clusters": [cluster]}))
}

/// What goes wrong with the machinery while a deployment runs.
fn disturb(server: Server, number: usize) -> Server {
    std::thread::sleep(Duration::from_millis(u64::try_from(number * 137 % 600).unwrap_or(0)));
    match number % 3 {
        0 => {
            let folder = server.kill();
            Server::start_in(folder, "")
        }
        1 => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let replaced =
                runtime.block_on(dataplane::spawn::replace(&server.data(), Path::new(env!("CARGO_BIN_EXE_gennaker"))));
            replaced.expect("another data plane takes over");
            server
        }
        _ => server,
    }
}

fn soak(strategy: &str) {
    #[allow(clippy::disallowed_methods, reason = "tests are told by the environment how long they go on")]
    let seconds: u64 = std::env::var(SECONDS).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let (mut server, address) = prepare();
    succeeds(&server, &deploy(&server, "none", 0));
    let seen = Arc::new(Seen::default());
    let kinds = [Kind::KeepAlive, Kind::KeepAlive, Kind::KeepAlive, Kind::Close, Kind::Close, Kind::WebSocket];
    // A long run is there for many requests.
    let crowd = if seconds > 0 { 3 } else { 1 };
    let kinds = kinds.repeat(crowd).into_iter();
    let users: Vec<_> = kinds.map(|kind| user(kind, address.clone(), seen.clone())).collect();
    let (since, mut deployments) = (Instant::now(), 0);
    while deployments == 0 || since.elapsed() < Duration::from_secs(seconds) {
        deployments += 1;
        let task = deploy(&server, strategy, deployments);
        server = disturb(server, deployments + strategy.len());
        let run = ended(&server, &task);
        assert_eq!(run["status"], "SUCCEEDED", "{strategy}, deployment {deployments}: {run:#}");
        tidy(&server);
    }
    seen.stop.store(true, Relaxed);
    users.into_iter().for_each(|user| user.join().expect("a user ends well"));
    let failures = seen.failures.lock().unwrap_or_else(PoisonError::into_inner);
    let (requests, slowest) = (seen.requests.load(Relaxed), seen.slowest_us.load(Relaxed) / 1000);
    println!(
        "{strategy}: {deployments} deployments, {requests} requests, {} failed, slowest {slowest} ms",
        failures.len()
    );
    assert_eq!(failures.as_slice(), [""; 0], "{strategy}: {} of {requests} requests failed", failures.len());
    assert!(requests > 200, "{requests}");
}

/// Ends groups without traffic, so that the machine does not fill up.
fn tidy(server: &Server) {
    let groups = read(server, "/applications/soak/serverGroups");
    let mut names: Vec<(i64, &Value)> = Vec::new();
    for group in groups.as_array().expect("a list") {
        names.push((group["createdTime"].as_i64().unwrap_or(0), &group["name"]));
    }
    names.sort_by_key(|(created, _)| *created);
    names.pop();
    for (_, name) in names {
        let job =
            json!({"type": "destroyServerGroup", "credentials": "local", "region": "local", "serverGroupName": name});
        succeeds(server, &post(server, job));
    }
}

#[test]
fn highlander_loses_no_request() {
    soak("highlander");
}

#[test]
fn red_black_loses_no_request() {
    soak("redblack");
}

#[test]
fn rolling_red_black_loses_no_request() {
    soak("rollingredblack");
}

#[test]
fn rolling_loses_no_request() {
    soak("rolling");
}

#[test]
fn a_canary_loses_no_request() {
    soak("canary");
}
