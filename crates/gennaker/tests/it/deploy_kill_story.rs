//! The server is killed with SIGKILL at many moments of running deployments. Every execution ends right, no server group is
//! made twice, and what was deployed goes on answering. Kills of pipelines without a cloud are in `kill_story`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::probe;

use crate::server::{Server, ask};

const RUNS: u32 = 12;
/// Kills that one execution has to live through.
const KILLS_EACH: u32 = 3;

/// A folder with an unpacked package: a program that answers on its port, and the unit that names it.
fn image(folder: &Path) -> String {
    let root = folder.join("image");
    let (units, program) = (root.join("usr/lib/systemd/system"), root.join("usr/lib/answer"));
    std::fs::create_dir_all(&units).expect("made");
    std::fs::create_dir_all(&program).expect("made");
    let script = "require('http').createServer((_, to) => to.end('here')).listen(process.env.PORT, '127.0.0.1')\n";
    std::fs::write(program.join("answer.js"), script).expect("written");
    let unit = "[Service]\nExecStart=/usr/bin/env node /usr/lib/answer/answer.js\n";
    std::fs::write(units.join("answer.service"), unit).expect("written");
    root.display().to_string()
}

fn call(address: &str, method: &str, path: &str, body: &Value) -> Value {
    let (status, text) = ask(address, method, path, &body.to_string());
    assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn job(address: &str, job: Value) {
    let body = json!({ "application": "kept", "description": "new", "job": [job] });
    let path = call(address, "POST", "/tasks", &body)["ref"].as_str().expect("a reference").to_owned();
    assert_eq!(ended(address, &path)["status"], "SUCCEEDED");
}

/// The task or execution once it has ended.
fn ended(address: &str, path: &str) -> Value {
    let deadline = Instant::now() + crate::server::PATIENCE;
    loop {
        let found = call(address, "GET", path, &Value::Null);
        if !["RUNNING", "NOT_STARTED"].contains(&found["status"].as_str().unwrap_or_default()) {
            return found;
        }
        assert!(Instant::now() < deadline, "{path} does not end: {found:#}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn pipeline(image: &str) -> Value {
    let cluster = json!({
        "account": "local", "application": "kept", "cloudProvider": "local", "region": "local", "imageId": image,
        "capacity": { "min": 1, "max": 1, "desired": 1 }, "loadBalancers": ["kept"], "strategy": "highlander",
    });
    json!({ "application": "kept", "name": "deploy", "stages": [
        { "refId": "1", "requisiteStageRefIds": [], "type": "wait", "waitTime": 0 },
        { "refId": "2", "requisiteStageRefIds": ["1"], "type": "deploy", "clusters": [cluster] },
        { "refId": "3", "requisiteStageRefIds": ["2"], "type": "wait", "waitTime": 0 },
    ]})
}

/// The names of the server groups that an execution says it made.
fn made(execution: &Value) -> BTreeSet<String> {
    let stages = execution["stages"].as_array().into_iter().flatten();
    stages
        .filter(|stage| stage["type"] == "createServerGroup")
        .flat_map(|stage| stage["context"]["deploy.server.groups"]["local"].as_array().into_iter().flatten())
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_deployment_survives_any_kill_and_makes_its_server_group_once() {
    if !["/usr/bin/node", "/usr/local/bin/node"].iter().any(|node| Path::new(node).exists()) {
        return probe::not_run("no node in /usr/bin or /usr/local/bin");
    }
    let mut server = Server::start("");
    let image = image(server.folder.path());
    let address = server.address();
    job(&address, json!({ "type": "createApplication", "application": { "name": "kept", "email": "a@b.c" } }));
    let check = json!({ "healthCheckType": "HTTP", "port": 0, "requestPath": "/", "checkIntervalSec": 0.1,
        "timeoutSec": 1, "healthyThreshold": 1, "unhealthyThreshold": 2 });
    let balancer = json!({ "type": "upsertLoadBalancer", "cloudProvider": "local", "credentials": "local",
        "region": "local", "loadBalancerName": "kept", "ipProtocol": "TCP", "portRange": "0", "healthCheck": check });
    job(&address, balancer);
    call(&address, "POST", "/pipelines", &pipeline(&image));

    let (mut all, mut seed) = (BTreeSet::new(), 0x9e37_79b9_u64);
    for run in 0..RUNS {
        let started = call(&server.address(), "POST", "/pipelines/v2/kept/deploy", &json!({}));
        for _ in 0..KILLS_EACH {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            std::thread::sleep(Duration::from_millis((seed >> 33) % 200));
            server = Server::start_in(server.kill(), "");
        }
        let execution = ended(&server.address(), started["ref"].as_str().expect("a reference"));
        assert_eq!(execution["status"], "SUCCEEDED", "run {run}: {execution:#}");
        let groups = made(&execution);
        assert_eq!(groups.len(), 1, "run {run} made one server group: {execution:#}");
        all.extend(groups);
    }
    let expected: BTreeSet<String> = (0..RUNS).map(|n| format!("kept-v{n:03}")).collect();
    assert_eq!(all, expected, "numbered without a gap: none was made beside those");

    // The last one stands behind the load balancer and answers.
    let (_, status, _) = server.also(&["status", "--json"]);
    let status: Value = serde_json::from_str(&status).expect("JSON");
    let balancers = status["dataPlane"]["balancers"].as_array().expect("balancers");
    let kept = balancers.iter().find(|balancer| balancer["id"] == "kept").expect("the balancer");
    let bound = kept["listeners"][0]["bound"].as_str().expect("an address");
    assert_eq!(ask(bound, "GET", "/", ""), (200, "here".to_owned()));
}
