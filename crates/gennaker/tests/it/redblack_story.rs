//! Red/black on this machine, by `POST /tasks`, with users on the load balancer all the time: nobody notices, not even when the server is
//! killed in the middle.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::package::{TestPackage, package};

use crate::server::{Server, ask};

/// A program that answers everything alike, and its unit.
fn files(status: &str, text: &str) -> [(&'static str, String); 2] {
    let program = format!(
        r#"
use IO::Socket::INET;
$SIG{{PIPE}} = 'IGNORE';
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ENV{{PORT}}", Listen => 100, ReuseAddr => 1) or die "cannot listen: $!";
$| = 1; print "listening on $ENV{{PORT}}\n";
while (my $c = $s->accept) {{
    my ($asked, $probe) = (0, 0);
    while (my $l = <$c>) {{ $asked = 1; $probe = 1 if $l =~ /gennaker-health/; last if $l eq "\r\n"; }}
    my $status = $probe && "{status}" =~ /Moody/ ? "HTTP/1.1 200 OK" : "{status}";
    print $c "$status\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}" if $asked;
    close $c;
}}
"#,
        length = text.len()
    );
    let unit = "[Service]\nExecStart=/usr/bin/perl /usr/share/hello/server.pl\n";
    [("usr/share/hello/server.pl", program), ("usr/lib/systemd/system/hello.service", unit.into())]
}

/// The same as a package `helloterry`, to be given more.
pub fn service(version: &str, text: &str) -> TestPackage {
    let files = files("HTTP/1.1 200 OK", text).into_iter();
    files.fold(package("helloterry", version), |package, (name, content)| package.file(name, 0o644, content))
}

/// A folder as an unpacked package leaves it: a program that answers everything alike, and its unit. With a status called `Moody` health
/// checks are answered well.
pub fn image(folder: &Path, status: &str, text: &str) {
    for (name, content) in files(status, text) {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, content).expect("written");
    }
}

/// Posts a job as a task.
pub fn post(server: &Server, job: Value) -> String {
    let body = json!({"application": "hello", "description": "a test", "job": [job]}).to_string();
    let (status, answer) = ask(&server.address(), "POST", "/tasks", &body);
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    answer["ref"].as_str().expect("a reference").to_owned()
}

pub fn read(server: &Server, path: &str) -> Value {
    let (status, body) = ask(&server.address(), "GET", path, "");
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
}

/// Waits until a task has ended.
pub fn ended(server: &Server, task: &str) -> Value {
    let deadline = Instant::now() + crate::server::PATIENCE;
    loop {
        let seen = read(server, task);
        if !matches!(seen["status"].as_str(), Some("RUNNING" | "NOT_STARTED")) {
            return seen;
        }
        assert!(Instant::now() < deadline, "{task} does not end: {seen:#}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn succeeds(server: &Server, task: &str) {
    let seen = ended(server, task);
    assert_eq!(seen["status"], "SUCCEEDED", "{seen:#}");
}

pub fn deploy(server: &Server, image: &str, more: Value) -> String {
    let image = server.folder.path().join(image);
    let mut cluster = json!({
        "account": "local", "application": "hello", "region": "local", "strategy": "redblack", "image": image,
        "capacity": {"min": 4, "max": 4, "desired": 4}, "loadBalancers": ["hello"],
    });
    cluster.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    post(server, json!({"type": "deploy", "clusters": [cluster]}))
}

/// The server groups: name, whether it gets traffic, instances up.
pub fn groups(server: &Server) -> Vec<(String, bool, u64)> {
    let list = read(server, "/applications/hello/serverGroups");
    let one = |group: &Value| {
        let name = group["name"].as_str().expect("a name").to_owned();
        (name, group["isDisabled"] == false, group["instanceCounts"]["up"].as_u64().expect("a count"))
    };
    list.as_array().expect("a list").iter().map(one).collect()
}

pub fn expect(list: &[(&str, bool, u64)]) -> Vec<(String, bool, u64)> {
    list.iter().map(|(name, traffic, up)| ((*name).to_owned(), *traffic, *up)).collect()
}

/// Users: some keep their connection, some make a new one for each request.
pub struct Users {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<BTreeMap<String, usize>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Users {
    pub fn begin(address: &str) -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeMap::new())));
        let user = |number: usize| {
            let (stop, seen, address) = (stop.clone(), seen.clone(), address.to_owned());
            std::thread::spawn(move || use_it(&address, number < 4, &stop, &seen))
        };
        let threads = (0..6).map(user).collect();
        Self { stop, seen, threads }
    }

    /// What users were answered, and how often.
    pub fn end(self) -> BTreeMap<String, usize> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a user ends well");
        }
        self.seen.lock().expect("not poisoned").clone()
    }

    pub fn count(&self, answer: &str) -> usize {
        self.seen.lock().expect("not poisoned").get(answer).copied().unwrap_or(0)
    }
}

fn use_it(address: &str, keep: bool, stop: &AtomicBool, seen: &Mutex<BTreeMap<String, usize>>) {
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let answer = one_request(address, keep, &mut connection).unwrap_or_else(|error| format!("failed: {error}"));
        *seen.lock().expect("not poisoned").entry(answer).or_insert(0) += 1;
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// A connection on which nobody waits for ever.
pub fn connect(address: &str) -> std::io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(BufReader::new(stream))
}

/// Reads an answer's head: its status line, the length of its body, and whether the connection ends with it.
pub fn head(stream: &mut BufReader<TcpStream>) -> std::io::Result<(String, usize, bool)> {
    let (mut status, mut line, mut length, mut closes) = (String::new(), String::new(), 0, false);
    stream.read_line(&mut status)?;
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err(std::io::Error::other(format!("cut off after {status:?}")));
        }
        let lower = line.trim().to_ascii_lowercase();
        match lower.split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
            Some(("connection", value)) => closes |= value.trim() == "close",
            _ if lower.is_empty() => return Ok((status, length, closes)),
            _ => {}
        }
    }
}

/// Asks once: the answer's text, or what failed.
pub fn one_request(address: &str, keep: bool, kept: &mut Option<BufReader<TcpStream>>) -> std::io::Result<String> {
    let mut stream = match kept.take() {
        Some(stream) => stream,
        None => connect(address)?,
    };
    let how = if keep { "keep-alive" } else { "close" };
    write!(stream.get_mut(), "GET / HTTP/1.1\r\nHost: hello\r\nConnection: {how}\r\n\r\n")?;
    let (status, length, closes) = head(&mut stream)?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    if keep && !closes {
        *kept = Some(stream);
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    Ok(if status.contains(" 200 ") { text } else { format!("failed: {}: {text}", status.trim()) })
}

pub fn prepare() -> (Server, String) {
    prepare_with("")
}

/// The same with this configuration.
pub fn prepare_with(config: &str) -> (Server, String) {
    let server = Server::start(config);
    for (name, status, text) in [
        ("one", "HTTP/1.1 200 OK", "This is Default"),
        ("two", "HTTP/1.1 200 OK", "This is v2"),
        ("bad", "HTTP/1.1 500 Broken", "broken"),
        ("moody", "HTTP/1.1 500 Moody", "moody"),
    ] {
        image(&server.folder.path().join(name), status, text);
    }
    let application = json!({"name": "hello", "email": "owner@example.org"});
    succeeds(&server, &post(&server, json!({"type": "createApplication", "application": application})));
    let check = json!({"healthCheckType": "HTTP", "port": 8080, "requestPath": "/", "checkIntervalSec": 0.1, "timeoutSec": 2,
                       "healthyThreshold": 1, "unhealthyThreshold": 3});
    let balancer = json!({"type": "upsertLoadBalancer", "credentials": "local", "region": "local", "loadBalancerName": "hello",
                          "ipProtocol": "TCP", "portRange": "auto", "healthCheck": check});
    succeeds(&server, &post(&server, balancer));
    let address =
        read(&server, "/applications/hello/loadBalancers")[0]["dnsName"].as_str().expect("an address").to_owned();
    (server, address)
}

#[test]
fn traffic_moves_from_version_to_version_and_no_request_fails() {
    let (server, address) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    assert_eq!(groups(&server), expect(&[("hello-v000", true, 4)]));
    let first = read(&server, "/applications/hello/serverGroups/local/local/hello-v000");
    let mut zones: Vec<&str> =
        first["instances"].as_array().expect("a list").iter().filter_map(|i| i["zone"].as_str()).collect();
    zones.sort_unstable();
    assert_eq!(zones, ["local-a", "local-a", "local-b", "local-b"]);

    let users = Users::begin(&address);
    succeeds(&server, &deploy(&server, "two", json!({})));
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 4)]));
    let oldest = json!({"type": "destroyServerGroup", "credentials": "local", "region": "local", "cluster": "hello",
                        "target": "oldest_asg_dynamic"});
    succeeds(&server, &post(&server, oldest));
    assert_eq!(groups(&server), expect(&[("hello-v001", true, 4)]));

    // A version that never gets well gets no traffic, and says why.
    let bad = ended(&server, &deploy(&server, "bad", json!({"stageTimeoutMs": 10_000})));
    assert_eq!(bad["status"], "TERMINAL");
    let why = bad.to_string();
    assert!(why.contains("0 of 4 instances of hello-v002 are up") && why.contains("answered 500"), "{why}");
    let red = read(&server, "/applications/hello/serverGroups/local/local/hello-v002");
    let why = red["instances"][0]["why"].as_str().expect("a red instance says why");
    assert!(why.contains("answered 500") && why.contains("listening on"), "{why}");

    let answers = users.end();
    let failed: Vec<_> = answers.iter().filter(|(answer, _)| answer.starts_with("failed")).collect();
    assert_eq!(failed, [] as [(&String, &usize); 0]);
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["This is Default", "This is v2"]);
}

#[test]
fn a_rolling_deployment_loses_no_request_at_any_step() {
    let (server, address) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    let users = Users::begin(&address);
    let steps = json!({"strategy": "rollingredblack", "targetPercentages": [25, 50], "useSourceCapacity": true});
    let task = deploy(&server, "two", steps);
    // While it goes on both answer.
    let deadline = Instant::now() + crate::server::PATIENCE;
    while users.count("This is v2") == 0 {
        assert!(Instant::now() < deadline, "the new group never gets traffic");
        std::thread::sleep(Duration::from_millis(5));
    }
    succeeds(&server, &task);
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 4)]));

    // One that never gets well loses nothing either: the old group takes everything back.
    let bad = json!({"strategy": "rollingredblack", "targetPercentages": [50], "useSourceCapacity": true, "stageTimeoutMs": 10_000,
                     "rollback": {"onFailure": true, "destroyLatest": true}});
    let seen = ended(&server, &deploy(&server, "bad", bad));
    assert_eq!(seen["status"], "TERMINAL");
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 4)]));

    let answers = users.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["This is Default", "This is v2"], "{answers:?}");
}

#[test]
fn one_command_goes_back_and_what_was_left_stays_away() {
    let (server, address) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    succeeds(&server, &deploy(&server, "two", json!({})));
    let users = Users::begin(&address);
    let (code, out, said) = server.also(&["rollback", "hello", "--reason", "orders fail", "-o", "text"]);
    assert_eq!(code, 0, "{out}{said}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("hello-v001 gave its traffic to hello-v000, "), "{out}");
    assert!(lines[1].contains(" is held back from hello; `gennaker release hello "), "{out}");
    assert_eq!(groups(&server), expect(&[("hello-v000", true, 4), ("hello-v001", false, 0)]));

    let again = ended(&server, &deploy(&server, "two", json!({})));
    assert_eq!(again["status"], "TERMINAL");
    assert!(
        again
            .to_string()
            .contains("is held back from cluster hello in account local: anonymous rolled it back (orders fail)"),
        "{again:#}"
    );
    let (_, list, _) = server.also(&["release", "hello"]);
    let list: Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!((&list[0]["cluster"], &list[0]["reason"]), (&json!("hello"), &json!("orders fail")));
    let version = list[0]["release"].as_str().expect("a release");
    let (code, _, said) = server.also(&["release", "hello", version]);
    assert_eq!((code, said.trim()), (0, format!("{version} may come to hello again").as_str()));
    let (code, _, said) = server.also(&["release", "hello", version]);
    assert_eq!(code, 1);
    assert!(said.contains(&format!("hello holds back no version {version}")), "{said}");
    // Forward again, to the group that is still warm.
    let (code, out, said) = server.also(&["rollback", "hello", "--to", "v001", "-o", "text"]);
    assert_eq!(code, 0, "{out}{said}");
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 4)]));
    let (code, _, said) = server.also(&["rollback", "hello", "--to", "v009"]);
    assert_eq!(code, 1);
    assert!(said.contains("hello has no server group v009 in local; it has hello-v001, hello-v000"), "{said}");
    let failed = users.end().into_iter().filter(|(answer, _)| answer.starts_with("failed")).collect::<Vec<_>>();
    assert_eq!(failed, []);
}

#[test]
fn a_server_that_is_killed_in_the_middle_of_a_deployment_finishes_it() {
    let (mut server, address) = prepare();
    succeeds(&server, &deploy(&server, "one", json!({})));
    let users = Users::begin(&address);
    let task = deploy(&server, "two", json!({"delayBeforeDisableSec": 1}));
    let deadline = Instant::now() + crate::server::PATIENCE;
    while groups(&server).len() < 2 {
        assert!(Instant::now() < deadline, "the second group never appears");
        std::thread::sleep(Duration::from_millis(5));
    }
    let folder = server.kill();
    let before = users.count("This is Default");
    std::thread::sleep(Duration::from_millis(300));
    assert!(users.count("This is Default") > before, "users are served while no server runs");
    server = Server::start_in(folder, "");
    succeeds(&server, &task);
    assert_eq!(groups(&server), expect(&[("hello-v000", false, 0), ("hello-v001", true, 4)]));
    let answers = users.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["This is Default", "This is v2"], "{answers:?}");
}

#[test]
fn what_cannot_be_deployed_is_refused_in_words() {
    let (server, _) = prepare();
    for (more, words) in [
        (json!({"image": "/nowhere/at/all"}), "/nowhere/at/all"),
        (json!({"loadBalancers": ["nobody"]}), "load balancer \"nobody\" does not exist"),
        (json!({"account": "mars"}), "no account \"mars\" is configured; known accounts: local"),
        (json!({"stack": "a-b"}), "stack \"a-b\""),
        (json!({"strategy": "monitored"}), "monitored"),
    ] {
        let seen = ended(&server, &deploy(&server, "one", more));
        assert_eq!(seen["status"], "TERMINAL", "{words}");
        assert!(seen.to_string().replace("\\\"", "\"").contains(words), "{words}: {seen:#}");
    }
    assert_eq!(groups(&server), expect(&[]));
}

#[test]
fn what_exists_is_read_in_the_shapes_that_clients_need() {
    let (server, address) = prepare();
    for path in ["clusters", "serverGroups", "serverGroupManagers"] {
        let seen = read(&server, &format!("/applications/hello/{path}"));
        assert!(seen == json!([]) || seen == json!({}), "{path} of nothing: {seen}");
    }
    succeeds(&server, &deploy(&server, "one", json!({"stack": "main"})));

    assert_eq!(read(&server, "/applications/hello/clusters"), json!({"local": ["hello-main"]}));
    let group = read(&server, "/applications/hello/serverGroups")[0].clone();
    assert_eq!(
        group["moniker"],
        json!({"app": "hello", "cluster": "hello-main", "stack": "main", "detail": null, "sequence": 0})
    );
    assert_eq!((&group["instanceCounts"]["total"], &group["instanceCounts"]["up"]), (&json!(4), &json!(4)));
    let instance = group["instances"][0].clone();
    assert!(
        instance["id"].is_string() && instance["health"].as_array().is_some_and(|health| health.len() == 2),
        "{instance}"
    );
    let preview = group["previewAddress"].as_str().expect("an address");
    assert_eq!(one_request(preview, false, &mut None).expect("it answers"), "This is Default");

    let balancer = read(&server, "/applications/hello/loadBalancers")[0].clone();
    assert_eq!(balancer["dnsName"], json!(address));
    assert_eq!(balancer["serverGroups"][0]["name"], "hello-main-v000");
    assert_eq!(balancer["serverGroups"][0]["instances"].as_array().map(Vec::len), Some(4));
    assert_eq!(read(&server, "/loadBalancers")[0]["accounts"][0]["regions"][0]["name"], "local");

    let id = instance["id"].as_str().expect("an id");
    assert_eq!(read(&server, &format!("/instances/local/local/{id}"))["serverGroup"], "hello-main-v000");
    let console = read(&server, &format!("/instances/local/local/{id}/console"));
    assert!(console["output"].as_str().is_some_and(|text| text.contains("listening on")), "{console}");
    assert_eq!(read(&server, "/credentials?expand=true")[0]["cloudProvider"], "local");
    assert_eq!(read(&server, "/credentials/local")["regions"][0]["availabilityZones"], json!(["local-a", "local-b"]));
    assert_eq!(read(&server, "/securityGroups"), json!({"local": {"local": {"local": []}}}));
    let found = read(&server, "/search?q=hello-main&type=serverGroups&pageSize=500");
    assert_eq!(
        (&found[0]["totalMatches"], &found[0]["results"][0]["serverGroup"]),
        (&json!(1), &json!("hello-main-v000"))
    );
    for path in ["/networks", "/subnets", "/instanceTypes", "/keyPairs", "/serverGroups"] {
        assert_eq!(read(&server, path), json!([]), "{path}");
    }
    for path in [
        "/credentials/mars",
        "/applications/hello/serverGroups/local/local/hello-v777",
        "/applications/hello/serverGroups/local/local/..%2fx",
        "/instances/local/local/nobody",
        "/instances/local/local/..%2f..%2fgennaker.db/console",
        "/loadBalancers/local/local/nobody",
    ] {
        let (status, body) = ask(&server.address(), "GET", path, "");
        assert_eq!(status, 404, "{path}: {body}");
    }
}

#[test]
fn a_deployment_that_is_cancelled_ends_and_what_it_made_is_seen() {
    let (server, _) = prepare();
    let task = deploy(&server, "bad", json!({}));
    let deadline = Instant::now() + crate::server::PATIENCE;
    while !read(&server, &task).to_string().contains("0 of 4 instances of hello-v000 are up") {
        assert!(Instant::now() < deadline, "it never says what it waits for");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, body) = ask(&server.address(), "PUT", &format!("{task}/cancel"), "");
    assert_eq!(status, 200, "{body}");
    assert_eq!(ended(&server, &task)["status"], "CANCELED");
    assert_eq!(groups(&server), expect(&[("hello-v000", true, 0)]));
}
