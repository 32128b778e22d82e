//! What a server is watched by: ids of requests, its numbers, its log, and who may see them.

use access::Role;
use api::GuardConfig;
use serde_json::Value;

use crate::server::{Answer, Server};

fn id(answer: &Answer) -> String {
    let line = answer.head.lines().find_map(|line| line.strip_prefix("x-request-id: "));
    line.unwrap_or_else(|| panic!("no id in {}", answer.head)).to_owned()
}

#[test]
fn every_answer_has_an_id_and_an_error_says_it() {
    let server = Server::with_tokens(GuardConfig::default(), &[("token-of-viewer", Role::Viewer)]);
    let good = server.ask("GET", "/version", &["X-Request-Id: from-the-proxy.7"]);
    assert_eq!((good.status, id(&good).as_str()), (200, "from-the-proxy.7"));
    // One that cannot be shown or searched for is replaced; so is none.
    for lines in [&["X-Request-Id: {\"a\":1}"][..], &[]] {
        let refused = server.ask("GET", "/projects", lines);
        assert_eq!((refused.status, id(&refused).len()), (401, 26), "the guard's refusals have one, too");
        let body: Value = serde_json::from_str(&refused.body).expect("JSON");
        // Heads are compared in small letters here.
        assert_eq!(body["requestId"].as_str().map(str::to_lowercase), Some(id(&refused)));
        assert!(refused.head.contains("www-authenticate"), "{}", refused.head);
    }
}

#[test]
fn numbers_are_a_viewers_and_count_few_classes_whatever_is_asked() {
    let server = Server::with_tokens(GuardConfig::default(), &[("token-of-viewer", Role::Viewer)]);
    let viewer = "Authorization: Bearer token-of-viewer";
    assert_eq!(server.ask("GET", "/metrics", &[]).status, 401);
    for path in ["/nowhere/1", "/nowhere/2", "/applications/a", "/applications/b", "/ui-api/home"] {
        server.ask("GET", path, &[viewer]);
    }
    server.ask("BREW", "/pipelines", &[viewer]);
    let told = server.ask("GET", "/metrics", &[viewer]);
    assert_eq!(told.status, 200);
    assert!(told.head.contains("content-type: text/plain; version=0.0.4"), "{}", told.head);
    let lines: Vec<&str> = told.body.lines().filter(|line| line.starts_with("gennaker_http_requests_total")).collect();
    assert_eq!(
        lines,
        [
            "gennaker_http_requests_total{class=\"gate\",method=\"GET\",code=\"404\"} 2",
            "gennaker_http_requests_total{class=\"gate\",method=\"OTHER\",code=\"403\"} 1",
            "gennaker_http_requests_total{class=\"page\",method=\"GET\",code=\"200\"} 1",
            "gennaker_http_requests_total{class=\"watch\",method=\"GET\",code=\"401\"} 1",
            "gennaker_http_requests_total{class=\"nothing\",method=\"GET\",code=\"404\"} 2",
        ]
    );
}

#[test]
fn anybody_may_know_whether_it_is_ready_and_sees_no_path() {
    let server = Server::with_tokens(GuardConfig::default(), &[("token-of-viewer", Role::Viewer)]);
    let told = server.ask("GET", "/health/ready", &[]);
    let body: Value = serde_json::from_str(&told.body).expect("JSON");
    assert_eq!((told.status, &body["problems"]), (200, &serde_json::json!([])), "{body}");
    let parts: Vec<&String> = body["components"].as_object().expect("components").keys().collect();
    assert_eq!(parts, ["disk", "engine", "store"]);
    assert!(!told.body.contains('/'), "{body}");
}

#[test]
fn the_log_is_an_administrators() {
    let tokens =
        [("token-of-viewer", Role::Viewer), ("token-of-operator", Role::Operator), ("token-of-admin", Role::Admin)];
    let server = Server::with_tokens(GuardConfig::default(), &tokens);
    for (token, status) in [("token-of-viewer", 403), ("token-of-operator", 403), ("token-of-admin", 404)] {
        let told = server.ask("GET", "/ui-api/log", &[&format!("Authorization: Bearer {token}")]);
        assert_eq!(told.status, status, "{}", told.body);
    }
}
