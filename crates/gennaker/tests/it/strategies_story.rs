//! Strategies on this machine with users on the load balancer, and what the report of a deployment says of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::certificate::self_signed;

use crate::redblack_story::{
    Users, deploy, ended, expect, groups, image, one_request, post, prepare, prepare_with, read, succeeds,
};
use crate::server::{Server, ask};

/// The report of a task, once it is written.
fn report(server: &Server, task: &str) -> Value {
    let id = task.rsplit('/').next().expect("an id");
    let deadline = Instant::now() + crate::server::PATIENCE;
    loop {
        let seen = read(server, &format!("/executions/{id}/deploymentReport"));
        if seen["final"] == true {
            return seen;
        }
        assert!(Instant::now() < deadline, "no report is written: {seen:#}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn requests(report: &Value, role: &str) -> u64 {
    let groups = report["loadBalancers"][0]["groups"].as_array().expect("groups");
    groups.iter().filter(|group| group["role"] == role).filter_map(|group| group["total"]["requests"].as_u64()).sum()
}

fn failures(answers: &std::collections::BTreeMap<String, usize>) -> Vec<(&String, &usize)> {
    answers.iter().filter(|(answer, _)| answer.starts_with("failed")).collect()
}

#[test]
fn a_report_tells_what_users_had_of_a_deployment() {
    let (server, address) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    let users = Users::begin(&address);
    let task = deploy(&server, "two", json!({"delayBeforeDisableSec": 1}));
    let id = task.rsplit('/').next().expect("an id");
    succeeds(&server, &task);
    let seen = report(&server, &task);
    let answers = users.end();
    assert_eq!(failures(&answers), []);

    assert_eq!((&seen["total"]["failures"], &seen["status"]), (&json!(0), &json!("SUCCEEDED")));
    let (old, new) = (requests(&seen, "old"), requests(&seen, "new"));
    assert!(old > 50 && new > 50, "{old} of the old, {new} of the new");
    assert!(
        old + new <= answers.values().sum::<usize>() as u64 + 6,
        "no more than there were: {answers:?}, {old}, {new}"
    );
    let steps: Vec<&str> =
        seen["steps"].as_array().expect("steps").iter().filter_map(|step| step["name"].as_str()).collect();
    assert_eq!(steps, ["deploy", "Deploy in local", "Wait Before Disable", "disableCluster"]);
    let both = |second: &Value| second["at"].as_i64().expect("a moment");
    let seconds = seen["loadBalancers"][0]["groups"][1]["seconds"].as_array().expect("seconds");
    assert!(seconds.len() >= 2 && seconds.windows(2).all(|pair| both(&pair[0]) < both(&pair[1])), "second by second");

    let (code, out, said) = server.also(&["deployment", "report", id, "-o", "text"]);
    assert_eq!(code, 0, "{said}");
    assert!(out.contains(&format!("{} requests, 0 failed", seen["total"]["requests"])), "{out}");
    let file = server.folder.path().join("report.html");
    let (code, _, said) = server.also(&["deployment", "report", id, "--html", file.to_str().expect("text")]);
    assert_eq!(code, 0, "{said}");
    let page = std::fs::read_to_string(&file).expect("written");
    assert!(page.contains("<svg") && page.contains("hello-v001"), "{page}");

    // What moved no traffic has none, and one that is forgotten takes its report along.
    let quiet = post(&server, json!({"type": "wait", "waitTime": 0}));
    succeeds(&server, &quiet);
    let quiet = quiet.rsplit('/').next().expect("an id");
    let (status, body) = ask(&server.address(), "GET", &format!("/executions/{quiet}/deploymentReport"), "");
    assert_eq!(status, 404, "{body}");
    assert!(body.contains("moved no traffic"), "{body}");
}

#[test]
fn new_machines_come_in_as_old_ones_go_out_and_no_request_fails() {
    let (server, address) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    let users = Users::begin(&address);
    succeeds(
        &server,
        &deploy(&server, "two", json!({"strategy": "rolling", "useSourceCapacity": true, "batchSize": 2})),
    );
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 4)]));
    let answers = users.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["This is Default", "This is v2"], "{answers:?}");

    // What the old ones wrote is there when they are not.
    let logs = |more: &[&str]| server.also(&[&["logs", "hello/v000"], more].concat());
    let (code, _, said) = logs(&[]);
    assert_eq!(code, 1);
    assert!(said.contains("no instance of hello/v000") && said.contains("--previous shows 4 that are gone"), "{said}");
    let (code, out, said) = logs(&["--previous"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(out.lines().filter(|line| line.contains("  listening on ")).count(), 4, "{out}");
    let (_, out, _) = logs(&["--since", "10m", "--timestamps"]);
    assert!(out.lines().all(|line| line.contains("Z ") && line.starts_with("hello-v000-")), "{out}");
}

#[test]
fn a_canary_gets_its_share_and_decides() {
    let (server, address) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    let users = Users::begin(&address);
    let canary = |minutes: f64| json!({"strategy": "canary", "canary": {"percentage": 10, "lifetimeMinutes": minutes, "minimumRequests": 20}});
    let task = deploy(&server, "two", canary(0.06));
    succeeds(&server, &task);
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 4)]));
    let answers = users.end();
    assert_eq!(failures(&answers), []);
    let seen = report(&server, &task);
    assert!(requests(&seen, "canary") > 0 && requests(&seen, "baseline") > 0, "{seen:#}");
    let run = read(&server, &format!("/pipelines/{}", task.rsplit('/').next().expect("an id")));
    let stages = run["stages"].as_array().expect("stages");
    let compared = stages.iter().find(|stage| stage["type"] == "compareServerGroups").expect("they were compared");
    let got = |side: &str| compared["outputs"]["comparison"][side]["requests"].as_u64().expect("a count");
    let (canary_got, baseline_got) = (got("canary"), got("baseline"));
    assert!(
        canary_got >= 20 && canary_got.abs_diff(baseline_got) <= 10,
        "the same share: {canary_got}, {baseline_got}"
    );

    // One that is well when it is checked and fails its users is found out by them, and few see it.
    let users = Users::begin(&address);
    let task = deploy(&server, "moody", canary(10.0));
    let seen = ended(&server, &task);
    assert_eq!(seen["status"], "TERMINAL");
    assert!(seen.to_string().contains("the canary fails more often"), "{seen:#}");
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 4)]), "nothing of it is left");
    let answers = users.end();
    let failed: usize = failures(&answers).into_iter().map(|(_, count)| count).sum();
    let all: usize = answers.values().sum();
    assert!(failed > 0 && failed * 5 < all, "one in ten, while it was there: {answers:?}");
}

#[test]
fn a_firewall_decides_who_reaches_a_load_balancer() {
    let (server, address) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    let wall = |network: &str| {
        json!({"type": "upsertSecurityGroup", "credentials": "local", "region": "local", "securityGroupName": "hello-office",
               "description": "the office", "ipIngress": [{"cidr": network, "startPort": 1, "endPort": 65535, "type": "tcp"},
                                                          {"cidr": network, "startPort": 53, "endPort": 53, "type": "udp"}]})
    };
    let balancer = |more: Value| {
        let check = json!({"healthCheckType": "HTTP", "port": 8080, "requestPath": "/", "checkIntervalSec": 0.1, "healthyThreshold": 1});
        let mut job = json!({"type": "upsertLoadBalancer", "credentials": "local", "region": "local", "loadBalancerName": "hello",
                             "ipProtocol": "TCP", "portRange": "auto", "healthCheck": check});
        job.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        job
    };
    let behind = json!({"securityGroups": ["hello-office"]});
    let seen = ended(&server, &post(&server, balancer(behind.clone())));
    let said = seen.to_string().replace("\\\"", "\"");
    assert!(said.contains("firewall \"hello-office\" does not exist"), "{seen:#}");

    succeeds(&server, &post(&server, wall("192.0.2.0/24")));
    succeeds(&server, &post(&server, balancer(behind)));
    assert!(one_request(&address, false, &mut None).is_err(), "nobody from here");
    succeeds(&server, &post(&server, wall("127.0.0.0/8")));
    assert_eq!(
        one_request(&address, false, &mut None).expect("it answers"),
        "This is Default",
        "a changed rule is in force"
    );

    let seen = read(&server, "/securityGroups/local/local/hello-office");
    assert_eq!(
        (&seen["description"], &seen["inboundRules"][0]["range"]),
        (&json!("the office"), &json!({"ip": "127.0.0.0", "cidr": "/8"}))
    );
    let protocols = [&seen["inboundRules"][0]["protocol"], &seen["inboundRules"][1]["protocol"]];
    assert_eq!(protocols, ["tcp", "udp"]);
    assert_eq!(read(&server, "/securityGroups")["local"]["local"]["local"][0]["name"], "hello-office");
    assert_eq!(read(&server, "/applications/hello/loadBalancers")[0]["securityGroups"], json!(["hello-office"]));
    let delete = json!({"type": "deleteSecurityGroup", "credentials": "local", "region": "local", "securityGroupName": "hello-office"});
    let seen = ended(&server, &post(&server, delete.clone()));
    assert!(seen.to_string().contains("load balancer hello is behind firewall hello-office"), "{seen:#}");
    succeeds(&server, &post(&server, balancer(json!({}))));
    succeeds(&server, &post(&server, delete));
    assert_eq!(ask(&server.address(), "GET", "/securityGroups/local/local/hello-office", "").0, 404);
}

#[test]
fn a_load_balancer_speaks_tls_with_a_certificate_of_the_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (folder.path().join("hello.pem"), folder.path().join("hello.key"));
    self_signed(&certificate, &key, "hello", "hello.test");
    let config = format!("[[local.certificate]]\nname = \"hello\"\ncertificate = {certificate:?}\nkey = {key:?}\n");
    let server = Server::start(&config);
    image(&server.folder.path().join("one"), "HTTP/1.1 200 OK", "This is Default");
    assert_eq!(read(&server, "/certificates")[0]["serverCertificateName"], "hello");
    let balancer = |name: &str| {
        let check = json!({"healthCheckType": "HTTP", "port": 8443, "requestPath": "/", "checkIntervalSec": 0.1, "healthyThreshold": 1});
        let listener = json!({"externalProtocol": "HTTPS", "externalPort": "auto", "sslCertificateName": name});
        json!({"type": "upsertLoadBalancer", "credentials": "local", "region": "local", "loadBalancerName": "hello",
               "listeners": [listener], "healthCheck": check})
    };
    let seen = ended(&server, &post(&server, balancer("nobody")));
    assert!(seen.to_string().replace("\\\"", "\"").contains("certificate \"nobody\" does not exist"), "{seen:#}");
    succeeds(&server, &post(&server, balancer("hello")));
    succeeds(&server, &deploy(&server, "one", json!({"capacity": {"desired": 1}})));
    let seen = read(&server, "/applications/hello/loadBalancers")[0].clone();
    assert_eq!(seen["listeners"][0]["certificates"], json!(["hello"]));
    let address = seen["dnsName"].as_str().expect("an address");
    let port = address.rsplit(':').next().expect("a port");
    let asked = std::process::Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--max-time",
            "10",
            "--resolve",
            &format!("hello.test:{port}:127.0.0.1"),
            "--cacert",
        ])
        .arg(&certificate)
        .arg(format!("https://hello.test:{port}/"))
        .output()
        .expect("curl runs");
    assert_eq!(String::from_utf8_lossy(&asked.stdout), "This is Default", "{asked:?}");
}

#[test]
fn operations_are_commands_too() {
    let (server, _) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    let group = |more: &[&str]| server.also(&[&["server-group"], more].concat());
    let (code, _, said) = group(&["resize", "hello-v000", "2"]);
    assert_eq!((code, said.trim()), (0, "resizeServerGroup hello-v000: SUCCEEDED"));
    assert_eq!(groups(&server), expect(&[("hello-v000", true, 2)]));
    let (code, _, said) = group(&["clone", "hello-v000"]);
    assert_eq!(code, 0, "{said}");
    let (code, _, said) = group(&["disable", "hello-v000", "--percentage", "50"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(groups(&server), expect(&[("hello-v000", true, 1), ("hello-v001", true, 2)]));
    let (code, _, said) = group(&["destroy", "hello-v000"]);
    assert_eq!(code, 0, "{said}");
    let (_, out, _) = group(&["list", "hello", "-o", "text"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(lines[1].starts_with("hello-v001 ") && lines[1].ends_with("2 of 2  hello"), "{out}");
    let (code, _, said) = group(&["enable", "hello-v000"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no server group hello-v000; `gennaker server-group list hello` shows"), "{said}");

    let fields = ["credentials=local", "region=local", "serverGroupName=hello-v001", "trafficPercentage=30"];
    let (code, out, said) = server.also(&[&["task", "run", "shareTraffic", "-a", "hello"], &fields[..]].concat());
    assert_eq!(code, 0, "{said}");
    let id = serde_json::from_str::<Value>(&out).expect("JSON")["id"].as_str().expect("an id").to_owned();
    let (_, out, _) = server.also(&["task", "get", &id]);
    assert!(out.contains("\"status\": \"SUCCEEDED\""), "{out}");
    let (_, out, _) = server.also(&["task", "get", &id, "-o", "text"]);
    assert!(out.contains("SUCCEEDED") && out.contains("shareTraffic") && !out.contains('{'), "{out}");
    let (code, _, said) =
        server.also(&["task", "run", "resizeServerGroup", "-a", "hello", "credentials=mars", "serverGroupName=x-v000"]);
    assert_eq!(code, 1);
    assert!(said.contains("no account \"mars\" is configured"), "{said}");
}

#[test]
fn instances_may_take_what_the_type_says_that_their_group_names() {
    let config =
        "[local]\nzones = [\"attic\"]\n[[local.instance_type]]\nname = \"small\"\nopen_files = 64\nmemory_mib = 256\n";
    let (server, _) = prepare_with(config);
    let types = json!([{"account": "local", "cloudProvider": "local", "region": "local", "name": "small"}]);
    assert_eq!(read(&server, "/instanceTypes"), types);
    let one = json!({"min": 1, "max": 1, "desired": 1});
    let refused = ended(&server, &deploy(&server, "one", json!({"instanceType": "huge", "capacity": one})));
    assert_eq!(refused["status"], "TERMINAL");
    let why = "account local has no instance type \\\"huge\\\"; its types are small";
    assert!(refused.to_string().contains(why), "{refused}");
    succeeds(&server, &deploy(&server, "one", json!({"instanceType": "small", "capacity": one})));
    let group = &read(&server, "/applications/hello/serverGroups")[0];
    assert_eq!((&group["instanceType"], &group["instances"][0]["zone"]), (&json!("small"), &json!("attic")));
    let (_, out, _) = server.also(&["status", "--json"]);
    let status: Value = serde_json::from_str(&out).expect("JSON");
    let pid = status["dataPlane"]["instances"][0]["pid"].as_u64().expect("it runs");
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit");
    assert_eq!(files.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["64", "64"], "{limits}");
}
