//! The scenes: what is started, and what is measured of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{Server, responder};
use crate::{Figure, ORCA};

/// Connections that start pipelines at the same time.
const CONNECTIONS: usize = 64;

/// Five stages in a line, each with two variables of which one is an expression.
fn five() -> Value {
    (1..=5)
        .map(|n| {
            let requires: Vec<String> = (n > 1).then(|| (n - 1).to_string()).into_iter().collect();
            let value = if n == 1 { "${ 40 + 2 }".to_owned() } else { format!("${{ v{} + 1 }}", n - 1) };
            json!({"refId": n.to_string(), "type": "evaluateVariables", "name": format!("Set {n}"), "requisiteStageRefIds": requires,
                "variables": [{"key": format!("v{n}"), "value": value}, {"key": format!("plain{n}"), "value": "x"}]})
        })
        .collect()
}

fn start(client: &mut Client, pipeline: &str) -> String {
    let told = client.json("POST", &format!("/pipelines/bench/{pipeline}"), "{}");
    told["ref"].as_str().and_then(|r| r.rsplit('/').next()).expect("an execution").to_owned()
}

/// Waits until an execution has ended; its JSON.
fn ended(client: &mut Client, id: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let run = client.json("GET", &format!("/pipelines/{id}"), "");
        match run["status"].as_str() {
            Some("NOT_STARTED" | "RUNNING" | "PAUSED") => {}
            Some("SUCCEEDED") => return run,
            other => panic!("execution {id} is {other:?}"),
        }
        assert!(Instant::now() < until, "execution {id} does not end");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Waits until no execution of the application runs or waits for its start.
fn drained(client: &mut Client) {
    let path = "/applications/bench/pipelines?statuses=NOT_STARTED,RUNNING&limit=1&expand=false";
    while client.json("GET", path, "").as_array().is_none_or(|all| !all.is_empty()) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}

fn percentile(mut of: Vec<f64>, share: f64) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(((of.len() as f64 * share) as usize).min(of.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// Starts `pipeline` from many connections for so long, or `most` times; how often.
fn press(server: &Server, pipeline: &'static str, seconds: f64, most: u64) -> u64 {
    let (count, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (mut client, count, over) = (server.client(), count.clone(), over.clone());
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) && count.fetch_add(1, Ordering::Relaxed) < most {
                    start(&mut client, pipeline);
                }
            })
        })
        .collect();
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < until && count.load(Ordering::Relaxed) < most {
        std::thread::sleep(Duration::from_millis(10));
    }
    over.store(true, Ordering::Relaxed);
    callers.into_iter().for_each(|caller| caller.join().expect("a caller"));
    count.load(Ordering::Relaxed).min(most)
}

/// One pipeline at a time on an idle server.
pub fn idle(_: f64) -> Vec<Figure> {
    let server = Server::start();
    server.save("five", five());
    let child =
        json!([{"refId": "1", "type": "pipeline", "name": "Child", "application": "bench", "pipeline": "five"}]);
    server.save("parent", child);
    let mut client = server.client();
    let mut time = |pipeline: &str| {
        let times = (0..200).map(|_| {
            let since = Instant::now();
            let id = start(&mut client, pipeline);
            ended(&mut client, &id);
            since.elapsed().as_secs_f64() * 1000.0
        });
        median(times.collect())
    };
    let (alone, parent) = (time("five"), time("parent"));
    let child = (parent - alone).max(0.001);
    vec![
        Figure::new("an idle pipeline of 5 stages, start to end", alone, "ms", "<= 5").against(ORCA.idle_ms / alone),
        Figure::new("what a child pipeline adds", child, "ms", "<= 2").against(ORCA.child_ms / child),
    ]
}

/// As many pipelines as it takes.
pub fn throughput(seconds: f64) -> Vec<Figure> {
    let server = Server::start();
    server.save("five", five());
    let before = server.processor_seconds();
    let since = Instant::now();
    let started = press(&server, "five", seconds, u64::MAX) as f64;
    drained(&mut server.client());
    let took = since.elapsed().as_secs_f64();
    let stages = started * 5.0 / took;
    let cost = (server.processor_seconds() - before) / started * 1e6;
    // Each run: the execution, five stages and five tasks begin and end.
    vec![
        Figure::new("evaluateVariables stages", stages, "/s", ">= 7500").against(stages / ORCA.stages_a_second),
        Figure::new("durable transitions", started * 22.0 / took, "/s", ""),
        Figure::new("processor time of the server for a pipeline", cost, "us", ""),
    ]
}

/// Stages that call something outside.
pub fn effects(seconds: f64) -> Vec<Figure> {
    let server = Server::start();
    let (address, answered) = responder();
    let stages: Value = (1..=20)
        .map(|n| json!({"refId": n.to_string(), "type": "webhook", "name": format!("Call {n}"), "url": format!("http://{address}/"), "method": "POST"}))
        .collect();
    server.save("calls", stages);
    let since = Instant::now();
    press(&server, "calls", (seconds / 4.0).max(2.0), u64::MAX);
    drained(&mut server.client());
    let done = answered.load(Ordering::Relaxed) as f64;
    vec![Figure::new("effect tasks (webhooks to this machine)", done / since.elapsed().as_secs_f64(), "/s", ">= 4000")]
}

/// From the acceptance of a trigger to the first running task, while others are started, too.
pub fn first_task(_: f64) -> Vec<Figure> {
    let server = Server::start();
    let (address, _) = responder();
    let call = json!([{"refId": "1", "type": "webhook", "name": "Call", "url": format!("http://{address}/"), "method": "POST"}]);
    server.save("call", call);
    let mut client = server.client();
    let mut times = Vec::new();
    for _ in 0..1000 {
        let id = start(&mut client, "call");
        let run = ended(&mut client, &id);
        let (made, began) = (run["buildTime"].as_f64(), run["stages"][0]["tasks"][0]["startTime"].as_f64());
        times.push(began.unwrap_or(f64::NAN) - made.unwrap_or(f64::NAN));
    }
    vec![Figure::new("trigger accepted to first task running, p99", percentile(times, 0.99), "ms", "<= 10")]
}

/// Ten thousand that wait, and a kill.
pub fn waiting(_: f64) -> Vec<Figure> {
    const MANY: u64 = 10_000;
    let server = Server::start();
    server.save("ask", json!([{"refId": "1", "type": "manualJudgment", "name": "Ask"}]));
    press(&server, "ask", 600.0, MANY / 2);
    server.save("nap", json!([{"refId": "1", "type": "wait", "name": "Nap", "waitTime": 3600}]));
    press(&server, "nap", 600.0, MANY / 2);
    std::thread::sleep(Duration::from_secs(2));
    let before = server.processor_seconds();
    std::thread::sleep(Duration::from_secs(10));
    let share = (server.processor_seconds() - before) / 10.0 * 100.0;
    // These fall due while the server is down: all of them have to move when it is back.
    server.save("due", json!([{"refId": "1", "type": "wait", "name": "Due", "waitTime": 20}]));
    let since = Instant::now();
    press(&server, "due", 600.0, MANY);
    let folder = server.kill();
    std::thread::sleep(Duration::from_secs(20).saturating_sub(since.elapsed()) + Duration::from_secs(20));
    let since = Instant::now();
    let (server, served) = Server::start_in(folder);
    let mut client = server.client();
    let path = "/executions?pipelineConfigIds=due&statuses=NOT_STARTED,RUNNING&limit=1&expand=false";
    while client.json("GET", path, "").as_array().is_none_or(|all| !all.is_empty()) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let all = since.elapsed().as_secs_f64();
    vec![
        Figure::new("10,000 executions wait: share of a core", share, "%", "< 1"),
        Figure::new("killed with 20,000 in flight: served again after", served.as_secs_f64(), "s", ""),
        Figure::new("... and the 10,000 that were due have ended after", all, "s", "<= 2"),
    ]
}

/// An application with a long past.
pub fn listing(_: f64) -> Vec<Figure> {
    let server = Server::start();
    server.save("five", five());
    press(&server, "five", 600.0, 100_000);
    drained(&mut server.client());
    let mut client = server.client();
    let mut time = |path: &str| {
        let times = (0..20).map(|_| {
            let since = Instant::now();
            client.json("GET", path, "");
            since.elapsed().as_secs_f64() * 1000.0
        });
        median(times.collect())
    };
    let list = time("/applications/bench/pipelines?limit=30&expand=false");
    let running =
        time("/applications/bench/pipelines?limit=30&statuses=RUNNING,SUSPENDED,PAUSED,NOT_STARTED&expand=true");
    vec![
        Figure::new("30 of an application's 100,000 executions", list, "ms", "<= 50"),
        Figure::new("... and those that run, of which there is none", running, "ms", "<= 50"),
    ]
}

/// One pipeline that runs 200 others.
pub fn fan_out(_: f64) -> Vec<Figure> {
    let server = Server::start();
    server.save("five", five());
    let children: Value = (1..=200)
        .map(|n| json!({"refId": n.to_string(), "type": "pipeline", "name": format!("Child {n}"), "application": "bench", "pipeline": "five"}))
        .collect();
    server.save("wide", children);
    let mut client = server.client();
    let since = Instant::now();
    let id = start(&mut client, "wide");
    let run = ended(&mut client, &id);
    let took = since.elapsed().as_secs_f64();
    let child = run["stages"][199]["context"]["executionId"].as_str().expect("a child").to_owned();
    let size =
        |client: &mut Client, id: &str| client.ask("GET", &format!("/pipelines/{id}"), "").1.len() as f64 / 1024.0;
    let (parent, child) = (size(&mut client, &id), size(&mut client, &child));
    vec![
        Figure::new("200 child pipelines side by side", took, "s", ""),
        Figure::new("the record of the parent", parent, "KiB", ""),
        Figure::new("the record of a child", child, "KiB", "small"),
    ]
}
