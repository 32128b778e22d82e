//! Somebody watches a server: its numbers and the dashboard over them, whether it is ready, its log, and what is in force.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::redblack_story::service;
use crate::server::{PATIENCE, Server, ask, ask_with, exchange, free_port, gennaker, run};

/// The dashboard that the Debian package brings.
const DASHBOARD: &str = include_str!("../../../../packaging/grafana.json");

/// The names of metrics in an expression of Prometheus: what begins as ours do.
fn names(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("gennaker_") || word.starts_with("process_")).map(str::to_owned).collect()
}

/// Every expression of the dashboard: what panels show, and where its variables come from.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(text) if key == "expr" || key == "definition" => found.push(text.to_owned()),
                    _ => expressions(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

fn scraped(server: &Server) -> String {
    let (status, text) = ask(&server.address(), "GET", "/metrics", "");
    assert_eq!(status, 200, "{text}");
    text
}

/// The value of one sample.
fn sample(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn what_a_server_does_is_counted_and_the_dashboard_asks_only_for_what_is_exposed() {
    let server = Server::start("");
    let port = free_port();
    let package = service("1.0", "This is Default").write_to(server.folder.path());
    let package = package.to_str().expect("a plain path");
    let (code, out, why) = server.also(&["up", "--output", "text", package, "--port", &port.to_string()]);
    assert_eq!(code, 0, "{out}{why}");
    for _ in 0..3 {
        assert_eq!(ask(&format!("127.0.0.1:{port}"), "GET", "/", "").0, 200);
    }
    // What was published is noticed within a second, by those who count and by those who follow it.
    let deadline = Instant::now() + PATIENCE;
    let says =
        |text: &str, name: &str, value: &str| text.lines().any(|line| line.starts_with(name) && line.ends_with(value));
    let seen = |text: &str| {
        says(text, "gennaker_apt_published_total{", "} 1") && says(text, "gennaker_apt_outbox_lag_events{", "} 0")
    };
    let mut text = scraped(&server);
    while !seen(&text) {
        assert!(Instant::now() < deadline, "{text}");
        std::thread::sleep(Duration::from_millis(20));
        text = scraped(&server);
    }
    let root = server.folder.path().join(".aptly").canonicalize().expect("the user's archive").display().to_string();
    for (name, expected) in [
        ("gennaker_executions_started_total{kind=\"pipeline\"}", 1.0),
        ("gennaker_executions_ended_total{kind=\"pipeline\",status=\"SUCCEEDED\"}", 1.0),
        ("gennaker_executions{status=\"RUNNING\"}", 0.0),
        ("gennaker_deployments_total", 1.0),
        ("gennaker_deployments_failed_total", 0.0),
        ("gennaker_stages_ended_total{type=\"deploy\",status=\"SUCCEEDED\"}", 1.0),
        ("gennaker_queue_messages", 0.0),
        ("gennaker_engine_up", 1.0),
        ("gennaker_tasks_running", 0.0),
        ("gennaker_server_groups{account=\"local\"}", 1.0),
        ("gennaker_balancer_unserved_total{account=\"local\",balancer=\"helloterry\"}", 0.0),
        ("gennaker_balancer_requests_total{account=\"local\",balancer=\"helloterry\",group=\"helloterry-v000\"}", 3.0),
        ("gennaker_balancer_failures_total{account=\"local\",balancer=\"helloterry\",group=\"helloterry-v000\"}", 0.0),
        ("gennaker_balancer_answer_seconds_bucket{account=\"local\",balancer=\"helloterry\",le=\"+Inf\"}", 3.0),
        (&format!("gennaker_apt_publications{{root=\"{root}\"}}"), 1.0),
        (&format!("gennaker_apt_published_total{{root=\"{root}\"}}"), 1.0),
        (&format!("gennaker_apt_outbox_lag_events{{root=\"{root}\"}}"), 0.0),
        ("gennaker_scrape_success{part=\"account local\"}", 1.0),
    ] {
        assert_eq!(sample(&text, name), Some(expected), "{name} in\n{text}");
    }
    let up = sample(&text, "gennaker_instances{account=\"local\",state=\"up\"}");
    assert!(up.is_some_and(|up| up >= 1.0), "{text}");
    let passed =
        sample(&text, "gennaker_health_checks_total{account=\"local\",group=\"helloterry-v000\",result=\"passed\"}");
    assert!(passed.is_some_and(|checks| checks >= 1.0), "{text}");
    assert!(sample(&text, "gennaker_engine_transitions_total").is_some_and(|count| count > 3.0), "{text}");
    assert!(sample(&text, "gennaker_task_run_seconds_count").is_some_and(|count| count > 0.0), "{text}");
    assert!(!text.contains("\"01"), "no label holds an id of an execution: {text}");

    let exposed: BTreeSet<&str> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(['{', ' ']).next()).collect();
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let mut asked = Vec::new();
    expressions(&dashboard, &mut asked);
    assert!(asked.len() > 40, "the dashboard asks for little");
    for expression in &asked {
        let names = names(expression);
        assert!(!names.is_empty(), "{expression}");
        for name in names {
            assert!(exposed.contains(name.as_str()), "{name} of {expression} is not exposed:\n{text}");
        }
    }
}

#[test]
fn a_server_whose_data_plane_hangs_is_not_ready_until_it_answers_again() {
    let server = Server::start("");
    let ready = || {
        let (status, body) = ask(&server.address(), "GET", "/health/ready", "");
        (status, serde_json::from_str::<Value>(&body).expect("JSON"))
    };
    let becomes = |expected: u16| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, body) = ready();
            if status == expected {
                return body;
            }
            assert!(Instant::now() < deadline, "{body}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let well = becomes(200);
    assert_eq!(well["status"], "UP");
    let parts: Vec<&String> = well["components"].as_object().expect("components").keys().collect();
    assert_eq!(parts, ["account local", "archive", "archive disk", "disk", "engine", "store"]);

    let plane = std::fs::read_to_string(server.data().join("dataplane.pid")).expect("a data plane runs");
    let plane = Pid::from_raw(plane.trim().parse().expect("a number")).expect("a process");
    kill_process(plane, Signal::STOP).expect("stopped");
    let ill = becomes(503);
    let (code, out, _) = server.also(&["account", "check"]);
    assert!(code == 1 && out.starts_with("local: ") && out.contains("does not answer within 500 ms"), "{out}");
    kill_process(plane, Signal::CONT).expect("goes on");
    assert_eq!(ill["problems"], serde_json::json!(["account local: it does not answer; the server's log says why"]));
    becomes(200);
    let (code, out, _) = server.also(&["account", "check", "local"]);
    assert!(code == 0 && out.starts_with("local: it answers, within "), "{out}");
    let (code, _, said) = server.also(&["account", "check", "mars"]);
    assert!(code == 1 && said.contains("no account \"mars\" is configured"), "{said}");
    let (_, log, _) = server.also(&["logs", "--server"]);
    assert!(
        log.contains(" WARN  api::ready: the server is not ready problems=account local: it does not answer"),
        "{log}"
    );
    assert!(log.contains(" INFO  api::ready: the server is ready again"), "{log}");
}

#[test]
fn the_id_of_an_error_is_found_in_the_log() {
    if !std::path::Path::new("/usr/bin/python3").exists() {
        return testkit::probe::not_run("there is no python3 to break a store");
    }
    let server = Server::start("");
    let break_it = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('drop table project'); c.commit()";
    let store = server.data().join("gennaker.db");
    let (code, _, why) = run(std::process::Command::new("/usr/bin/python3").args(["-c", break_it]).arg(store));
    assert_eq!(code, 0, "{why}");
    let line = ["X-Request-Id: proxy-17".to_owned()];
    let (status, head, body) = exchange(&server.address(), "GET", "/projects?q=geheim", &line, "");
    assert_eq!(status, 500, "{body}");
    assert!(head.to_lowercase().contains("x-request-id: proxy-17"), "{head}");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["requestId"], "proxy-17");
    ask_with(&server.address(), "GET", "/projects", &["X-Request-Id: proxy-1".to_owned()], "");

    let (code, log, why) = server.also(&["logs", "--server", "--request", "proxy-17"]);
    assert_eq!((code, log.lines().count()), (0, 1), "{log}{why}");
    let end = "status=500 why=the database refused a statement: no such table: project request=proxy-17\n";
    let said: String = log
        .split(" millis=")
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_digit()) })
        .collect();
    assert!(
        said.contains(" ERROR api::requests: a request failed ") && said.contains("method=GET route=/projects"),
        "{log}"
    );
    assert!(said.ends_with(end), "{log}");
    assert!(server.complaints().contains("proxy-17"), "it is on standard error, too");
    assert!(!server.complaints().contains("geheim"), "queries are not logged");

    // From another machine, and the command line says where to look.
    let url = format!("--server=http://{}", server.address());
    let (code, far, why) = run(gennaker(server.folder.path()).args(["logs", &url, "--request", "proxy-17"]));
    assert_eq!((code, far), (0, log), "{why}");
    let (code, _, why) = run(gennaker(server.folder.path()).args(["project", "list", &url]));
    assert_eq!(code, 1);
    let id = why.split("(request ").nth(1).and_then(|rest| rest.split(':').next()).expect("an id in the message");
    let (_, log, _) = server.also(&["logs", "--server", "--request", id]);
    assert!(log.contains("no such table: project"), "{why}{log}");
    let (code, _, why) = server.also(&["logs"]);
    assert_eq!(code, 2, "{why}");
}

#[test]
fn what_is_in_force_is_shown_with_where_it_comes_from() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("mine.toml");
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:1\"\nstore = \"postgres://me:geheim@db/g\"\n")
        .expect("written");
    let file = file.to_str().expect("a plain path");
    let shown = |args: &[&str]| {
        let mut command = gennaker(home.path());
        command.env("GENNAKER_OUTGOING__ALLOW", "public, ci.example.org:443");
        let (code, out, why) = run(command.args(["config", "show", "--config", file, "--data", "/srv/g"]).args(args));
        assert_eq!(code, 0, "{why}");
        assert!(!out.contains("geheim"), "{out}");
        out
    };
    let plain = shown(&["--origin"]);
    let squeezed: Vec<String> =
        plain.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for expected in [
        "server.data = \"/srv/g\" # --data".to_owned(),
        format!("server.listen = \"127.0.0.1:1\" # {file}:2"),
        format!("server.store = \"••••\" # {file}:3"),
        "server.gate_listen = \"127.0.0.1:8084\" # default".to_owned(),
        "outgoing.allow = [\"public\",\"ci.example.org:443\"] # GENNAKER_OUTGOING__ALLOW".to_owned(),
    ] {
        assert!(squeezed.contains(&expected), "{expected} in\n{plain}");
    }
    assert!(!shown(&[]).contains('#'));
    let json: Value = serde_json::from_str(&shown(&["--json"])).expect("JSON");
    assert_eq!(json["server.listen"], serde_json::json!({"value": "127.0.0.1:1", "origin": format!("{file}:2")}));
}
