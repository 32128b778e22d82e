//! The server is killed, again and again, in the middle of running pipelines. Every one of them ends as if nothing had
//! happened: nothing is lost, nothing is done under two names, and no child is started twice.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::Server;

/// How often it is killed.
const KILLS: usize = 50;

/// Counts calls by their `Idempotency-Key`.
struct Hooked {
    address: String,
    keys: Arc<Mutex<BTreeMap<String, usize>>>,
}

fn hooked() -> Hooked {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let keys: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let counted = keys.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = counted.clone();
            std::thread::spawn(move || serve(stream, &counted));
        }
    });
    Hooked { address, keys }
}

fn serve(stream: TcpStream, keys: &Mutex<BTreeMap<String, usize>>) {
    let Ok(mut writer) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut key, mut lines) = (0, None, 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            lines += 1;
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "idempotency-key" => key = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        if lines == 0 || reader.read_exact(&mut body).is_err() {
            return;
        }
        if let (Some(key), Ok(mut keys)) = (key, keys.lock()) {
            *keys.entry(key).or_default() += 1;
        }
        // Long enough to be killed in.
        std::thread::sleep(Duration::from_millis(15));
        if writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"ok\":true}").is_err() {
            return;
        }
    }
}

/// One request; none when the server was killed meanwhile.
fn try_ask(address: &str, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// Numbers that look random and come again with the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn child() -> Value {
    json!({"id": "child-pipeline", "application": "kills", "name": "child", "stages": [
        {"refId": "1", "type": "wait", "name": "short", "requisiteStageRefIds": [], "waitTime": 0},
        {"refId": "2", "type": "evaluateVariables", "name": "answer", "requisiteStageRefIds": ["1"],
            "variables": [{"key": "fromChild", "value": "grown"}]},
    ]})
}

/// Parallel branches of everything that needs nothing but this server: `number` tells runs apart.
fn pipeline(number: usize, hook: &str) -> Value {
    json!({"application": "kills", "name": "parent", "id": "parent-pipeline",
    "trigger": {"type": "manual", "parameters": {"number": number}},
    "stages": [
        {"refId": "vars", "type": "evaluateVariables", "name": "vars", "requisiteStageRefIds": [],
            "variables": [{"key": "mine", "value": "${#toInt(parameters.number) + 1}"}]},
        {"refId": "nap", "type": "wait", "name": "nap", "requisiteStageRefIds": ["vars"], "waitTime": 1},
        {"refId": "hook", "type": "webhook", "name": "hook", "requisiteStageRefIds": ["vars"],
            "url": format!("http://{hook}/hook"), "payload": {"n": number}},
        {"refId": "hook2", "type": "webhook", "name": "hook2", "requisiteStageRefIds": ["hook"],
            "url": format!("http://{hook}/hook2"), "payload": {"n": number}},
        {"refId": "child", "type": "pipeline", "name": "child", "requisiteStageRefIds": ["vars"],
            "application": "kills", "pipeline": "child-pipeline"},
        {"refId": "check", "type": "checkPreconditions", "name": "check", "requisiteStageRefIds": ["nap"],
            "preconditions": [{"type": "expression", "failPipeline": true, "context": {"expression": "mine > 0"}}]},
        {"refId": "join", "type": "evaluateVariables", "name": "join",
            "requisiteStageRefIds": ["hook2", "child", "check"],
            "variables": [{"key": "both", "value": "${mine}-${fromChild}"}]},
    ]})
}

fn started(address: &str, number: usize, hook: &str) -> Option<String> {
    let (status, answer) = try_ask(address, "POST", "/pipelines/start", &pipeline(number, hook))?;
    assert_eq!(status, 200, "{answer}");
    Some(answer["ref"].as_str()?.rsplit('/').next()?.to_owned())
}

/// The executions of a saved pipeline's id, all of them.
fn runs(address: &str, pipeline: &str) -> Vec<Value> {
    let path = format!("/executions?pipelineConfigIds={pipeline}&limit=1000");
    let (status, answer) = try_ask(address, "GET", &path, &Value::Null).expect("the server answers");
    assert_eq!(status, 200, "{answer}");
    answer.as_array().expect("a list").clone()
}

fn wait_for_the_end(address: &str) -> Vec<Value> {
    let deadline = Instant::now() + crate::server::PATIENCE;
    loop {
        let all = runs(address, "parent-pipeline");
        let open: Vec<&Value> =
            all.iter().filter(|r| r["status"] == "RUNNING" || r["status"] == "NOT_STARTED").collect();
        if open.is_empty() {
            return all;
        }
        assert!(Instant::now() < deadline, "{} of {} never end, as {}", open.len(), all.len(), open[0]);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn killed_fifty_times_every_pipeline_ends_right() {
    let seed = std::hash::RandomState::new().build_hasher().finish();
    eprintln!("seed {seed}");
    let mut random = Random(seed);
    let hook = hooked();
    let config = format!("[outgoing]\nallow = [\"{}\"]\n", hook.address);
    let mut server = Server::start(&config);
    let address = server.address();
    assert_eq!(try_ask(&address, "POST", "/pipelines", &child()).map(|a| a.0), Some(200));
    let mut acknowledged = BTreeSet::new();
    for round in 0..KILLS {
        let address = server.address();
        let number = round * 2;
        let hooks = hook.address.clone();
        // Two starts at the same time as the kill, which hits before, between or after them.
        let starter = std::thread::spawn(move || [number, number + 1].map(|n| started(&address, n, &hooks)));
        std::thread::sleep(Duration::from_millis(random.below(120)));
        let folder = server.kill();
        acknowledged.extend(starter.join().expect("it asked").into_iter().flatten());
        server = Server::start_in(folder, &config);
    }
    let address = server.address();
    let all = wait_for_the_end(&address);
    let there: BTreeSet<String> = all.iter().filter_map(|r| r["id"].as_str().map(str::to_owned)).collect();
    assert!(acknowledged.is_subset(&there), "lost: {:?} (seed {seed})", acknowledged.difference(&there));
    assert!(acknowledged.len() >= KILLS / 2, "too few starts were acknowledged to tell: {}", acknowledged.len());
    for run in &all {
        ended_right(run, seed);
    }
    each_child_once(&address, &all, seed);
    let keys = hook.keys.lock().expect("keys");
    assert_eq!(keys.len(), 2 * all.len(), "one key for each webhook stage (seed {seed})");
    eprintln!("{KILLS} kills, {} runs, {} calls under {} keys", all.len(), keys.values().sum::<usize>(), keys.len());
}

fn ended_right(run: &Value, seed: u64) {
    assert_eq!(run["status"], "SUCCEEDED", "seed {seed}: {run}");
    for stage in run["stages"].as_array().expect("stages") {
        assert_eq!(stage["status"], "SUCCEEDED", "seed {seed}: {stage}");
    }
    let number = run["trigger"]["parameters"]["number"].as_i64().expect("its number");
    let join = run["stages"].as_array().and_then(|s| s.iter().find(|s| s["refId"] == "join")).expect("join");
    assert_eq!(join["outputs"]["both"], json!(format!("{}-grown", number + 1)), "seed {seed}: {join}");
}

/// Each run started one child, and there is no child that no run knows.
fn each_child_once(address: &str, all: &[Value], seed: u64) {
    let of = |run: &Value| {
        let stages = run["stages"].as_array().expect("stages");
        let stage = stages.iter().find(|s| s["refId"] == "child").expect("child");
        stage["context"]["executionId"].as_str().expect("its execution").to_owned()
    };
    let known: BTreeSet<String> = all.iter().map(of).collect();
    let there: BTreeSet<String> =
        runs(address, "child-pipeline").iter().filter_map(|r| r["id"].as_str().map(str::to_owned)).collect();
    assert_eq!(known.len(), all.len(), "seed {seed}");
    assert_eq!(known, there, "seed {seed}");
}
