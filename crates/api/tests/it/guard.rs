//! Who gets in: names, foreign pages, tokens.

use access::Role;
use api::GuardConfig;
use pipeline::pipelines;
use serde_json::json;

use crate::server::Server;

fn rules() -> GuardConfig {
    GuardConfig { hosts: vec!["build.example.org".into()], origins: vec!["https://deck.example.org".into()] }
}

#[test]
fn a_name_that_was_pointed_to_loopback_is_not_answered() {
    let server = Server::start(rules());
    for (host, status) in [
        ("localhost:9000", 200),
        ("127.0.0.1", 200),
        ("[::1]:1", 200),
        ("build.example.org:80", 200),
        ("evil.example.org", 421),
        ("localhost.evil.example.org", 421),
        ("", 421),
    ] {
        let answer = server.ask("GET", "/version", &[&format!("Host: {host}")]);
        assert_eq!(answer.status, status, "{host}: {}", answer.body);
    }
}

#[test]
fn a_foreign_page_changes_nothing_and_reads_no_answer() {
    let server = Server::start(rules());
    let own = format!("Origin: http://{}", server.address);
    // 405 and 404 come from behind the guard; 403 is the guard.
    for (lines, passes) in [
        (vec![], true),
        (vec![own.as_str()], true),
        (vec!["Origin: http://localhost:3000"], true),
        (vec!["Origin: https://deck.example.org", "Sec-Fetch-Site: cross-site"], true),
        (vec!["Origin: https://evil.example.org"], false),
        (vec!["Origin: null"], false),
        (vec!["Sec-Fetch-Site: cross-site"], false),
        (vec!["Origin: http://localhost.evil.example.org"], false),
    ] {
        let answer = server.ask("POST", "/version", &lines);
        assert_eq!(answer.status != 403, passes, "{lines:?}: {} {}", answer.status, answer.body);
    }
    let answer = server.ask("GET", "/version", &["Origin: https://evil.example.org"]);
    assert!(!answer.head.contains("access-control-allow-origin"), "{}", answer.head);
}

#[test]
fn deck_gets_what_it_needs_for_its_preflight() {
    let server = Server::start(rules());
    let lines = [
        "Origin: http://localhost:9100",
        "Access-Control-Request-Method: GET",
        "Access-Control-Request-Headers: x-ratelimit-app",
    ];
    let answer = server.ask("OPTIONS", "/applications", &lines);
    assert_eq!(answer.status, 200);
    for line in [
        "access-control-allow-origin: http://localhost:9100",
        "access-control-allow-credentials: true",
        "access-control-max-age: 3600",
        "access-control-expose-headers: x-auth-redirect-url",
    ] {
        assert!(answer.head.contains(line), "{line} in\n{}", answer.head);
    }
    let answer = server.ask("GET", "/no-such-path", &["Origin: http://localhost:9100"]);
    assert_eq!(answer.status, 404);
    assert!(
        answer.head.contains("access-control-allow-origin: http://localhost:9100"),
        "errors carry it too: {}",
        answer.head
    );
    assert_eq!(server.ask("OPTIONS", "/applications", &["Origin: https://evil.example.org"]).status, 403);
}

#[test]
fn a_token_is_taken_from_each_place_where_clients_put_it() {
    let server = Server::with_tokens(rules(), &[("token-of-operator", Role::Operator)]);
    assert_eq!(server.ask("GET", "/health", &[]).status, 200, "that it is well may be known to all");
    let answer = server.ask("GET", "/ui-api/live?after=-1", &[]);
    assert_eq!(answer.status, 401);
    assert!(answer.head.contains("www-authenticate: basic"), "a browser asks by itself: {}", answer.head);
    for line in [
        "Authorization: Bearer token-of-operator",
        "Authorization: Basic YW55Ym9keTp0b2tlbi1vZi1vcGVyYXRvcg==",
        "X-Spinnaker-Token: token-of-operator",
    ] {
        assert_eq!(server.ask("GET", "/no-such-path", &[line]).status, 404, "{line}");
    }
    assert_eq!(server.ask("GET", "/no-such-path", &["X-Spinnaker-User: operator"]).status, 401, "a name is no proof");
    assert_eq!(server.ask("GET", "/no-such-path", &["Authorization: Bearer wrong"]).status, 401);
}

#[test]
fn every_route_asks_for_a_token_and_no_change_is_a_viewers() {
    let server = Server::with_tokens(rules(), &[("token-of-viewer", Role::Viewer)]);
    let document = api::openapi::document().expect("a document");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let open = ["/", "/health", "/version"];
    let mut walked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let concrete = path.replace(['{', '}'], "");
        for method in item
            .as_object()
            .expect("methods")
            .keys()
            .filter(|key| !["parameters", "summary", "description"].contains(&key.as_str()))
        {
            let method = method.to_uppercase();
            let nobody = server.ask(&method, &concrete, &[]).status;
            // Of webhooks see below.
            let webhook = method == "POST" && path.starts_with("/webhooks/");
            if open.contains(&path.as_str()) || path.starts_with("/ui/") || webhook {
                assert_ne!(nobody, 401, "{method} {path}");
            } else {
                assert_eq!(nobody, 401, "{method} {path} without a token");
            }
            if method != "GET" {
                let viewer = server.ask(&method, &concrete, &["Authorization: Bearer token-of-viewer"]).status;
                assert_eq!(viewer, 403, "{method} {path} by a viewer");
            }
            walked += 1;
        }
    }
    assert!(walked >= 4, "the document has {walked} routes only");
}

#[test]
fn a_webhook_without_a_token_fires_only_what_has_a_secret_and_only_when_it_is_signed() {
    let server =
        Server::with_tokens(rules(), &[("token-of-operator", Role::Operator), ("token-of-viewer", Role::Viewer)]);
    let saved = server.store.write_blocking(|tx| {
        for (name, secret) in [("open", ""), ("signed", "key")] {
            let trigger = json!({"type": "webhook", "enabled": true, "source": "ci", "secret": secret});
            let pipeline =
                json!({"application": "shop", "id": name, "name": name, "stages": [], "triggers": [trigger]});
            pipelines::save(tx, pipeline.as_object().expect("an object"), false, "test")?;
        }
        Ok::<_, pipelines::PipelineError>(())
    });
    saved.expect("saved");
    let started = || {
        let names = server.store.read_blocking(|tx| {
            let rows = tx.query("select name from execution order by name, id", &[])?;
            rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()
        });
        names.expect("read")
    };
    // Of an empty body under `key`.
    let signed = "X-Hub-Signature-256: sha256=5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0";
    let token = "Authorization: Bearer token-of-operator";
    assert_eq!(server.ask("POST", "/webhooks/webhook/ci", &[]).status, 200);
    assert_eq!(started(), [""; 0]);
    assert_eq!(server.ask("POST", "/webhooks/webhook/ci", &[signed]).status, 200);
    assert_eq!(started(), ["signed"]);
    assert_eq!(server.ask("POST", "/webhooks/webhook/ci", &["Authorization: Bearer wrong", signed]).status, 401);
    assert_eq!(
        server.ask("POST", "/webhooks/webhook/ci", &["Authorization: Bearer token-of-viewer", signed]).status,
        403
    );
    assert_eq!(server.ask("POST", "/webhooks/webhook/ci", &[token]).status, 200);
    assert_eq!(started(), ["open", "signed"]);
    let form = server.ask("POST", "/webhooks/git/github", &[token, "Content-Type: application/x-www-form-urlencoded"]);
    assert_eq!(form.status, 400);
    assert!(form.body.contains("choose application/json"), "{}", form.body);
}
