//! Who gets in: names, foreign pages, tokens.

use access::{Kept, Role, Scope};
use api::GuardConfig;
use pipeline::pipelines;
use serde_json::json;

use crate::server::Server;

fn rules() -> GuardConfig {
    GuardConfig {
        hosts: vec!["build.example.org".into()],
        origins: vec!["https://deck.example.org".into()],
        ..GuardConfig::default()
    }
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

/// What bearers of one application may do besides reading what its name stands in the path of.
const OF_ONE: [&str; 14] = [
    "GET /",
    "GET /auth/user",
    "GET /auth/rawUser",
    "GET /capabilities/expressions",
    "GET /credentials",
    "GET /health",
    "GET /health/ready",
    "GET /login",
    "GET /ui-api/stages",
    "GET /version",
    "POST /pipelines/{application}/{pipeline}",
    "POST /pipelines/v2/{application}/{pipeline}",
    "GET /applications/{application}/pipelineConfigs/{pipeline}/history/{number}",
    "GET /applications/{application}/history/{number}",
];

#[test]
fn every_route_is_walked_with_every_role_and_with_none() {
    let roles = [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)];
    let server = Server::with_tokens(rules(), &roles);
    // The walk puts `application` into the place of {application}.
    let (of_one, one) =
        Kept::make("of one", Role::Operator, Scope::Application("application".into()), "admin", [1; 24]);
    let (of_other, other) =
        Kept::make("of another", Role::Operator, Scope::Application("shop".into()), "admin", [2; 24]);
    server.tokens.keep(&[of_one, of_other]);
    let document = api::openapi::document().expect("a document");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let open = ["/", "/health", "/health/ready", "/version"];
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
            let by = |token: &str| server.ask(&method, &concrete, &[&format!("Authorization: Bearer {token}")]);
            let nobody = server.ask(&method, &concrete, &[]).status;
            // Of webhooks see below.
            let webhook = method == "POST" && path.starts_with("/webhooks/");
            if open.contains(&path.as_str()) || path.starts_with("/ui/") || webhook {
                assert_ne!(nobody, 401, "{method} {path}");
            } else {
                assert_eq!(nobody, 401, "{method} {path} without a token");
            }
            let changes = method != "GET";
            let settings = ["/admin", "/ui-api/tokens", "/ui-api/gc"].iter().any(|route| path.starts_with(route));
            // Everybody's requests stand in the log.
            let admins = (changes && settings) || path == "/ui-api/log" || path.starts_with("/ui-api/audit");
            let may = |token: &str| !matches!(by(token).status, 401 | 403);
            // The live stream never ends by itself: that it is not refused is seen elsewhere.
            if path != "/ui-api/live" {
                assert_eq!(may("viewer"), !changes && !admins, "{method} {path} by a viewer");
                assert_eq!(may("operator"), !admins, "{method} {path} by an operator");
                assert!(may("admin"), "{method} {path} by an admin");
            }
            let route = format!("{method} {path}");
            let of_application = !changes && path.contains("{application}") && !path.contains("{id}");
            let own = of_application || OF_ONE.contains(&route.as_str());
            assert_eq!(may(one.reveal()), own, "{route} by an operator of this application");
            let foreign = own && !path.contains("{application}");
            assert_eq!(may(other.reveal()), foreign, "{route} by an operator of another");
            walked += 1;
        }
    }
    assert!(walked > 200, "the document has {walked} routes only");
}

#[test]
fn a_bearer_of_one_application_reaches_its_runs_and_no_others() {
    let server = Server::with_tokens(rules(), &[("admin", Role::Admin)]);
    let (kept, token) = Kept::make("shop's", Role::Operator, Scope::Application("Shop".into()), "admin", [3; 24]);
    server.tokens.keep(&[kept]);
    let saved = server.store.write_blocking(|tx| {
        for application in ["shop", "blog"] {
            let pipeline =
                json!({"application": application, "id": application, "name": "ship", "stages": [], "triggers": []});
            pipelines::save(tx, pipeline.as_object().expect("an object"), false, "test")?;
        }
        Ok::<_, pipelines::PipelineError>(())
    });
    saved.expect("saved");
    let bearer = format!("Authorization: Bearer {}", token.reveal());
    let ask = |method: &str, path: &str| server.ask(method, path, &[&bearer]);
    let admin = |method: &str, path: &str| server.ask(method, path, &["Authorization: Bearer admin"]);
    let started = |answer: &crate::server::Answer| {
        assert_eq!(answer.status, 202, "{}", answer.body);
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        body["ref"].as_str().expect("a place").to_owned()
    };
    let own = started(&ask("POST", "/pipelines/shop/ship"));
    let foreign = started(&admin("POST", "/pipelines/blog/ship"));
    assert_eq!((ask("GET", &own).status, ask("GET", &foreign).status), (200, 403));
    let look = |run: &str| ask("GET", &format!("{run}/evaluateExpression?expression=x")).status;
    assert_eq!((look(&own), look(&foreign)), (200, 403));
    assert_eq!(ask("PUT", &format!("{foreign}/cancel")).status, 403);
    let id = foreign.trim_start_matches("/pipelines/");
    let around = ask("PUT", &format!("/applications/shop/pipelines/{id}/cancel"));
    assert_eq!(around.status, 403, "both must be its own");
    assert!(around.body.contains("shop's is for the application Shop alone and may not do this"), "{}", around.body);
    assert_eq!(ask("POST", "/pipelines/blog/ship").status, 403);
    assert_eq!(
        (ask("GET", "/pipelineConfigs/shop/history").status, ask("GET", "/pipelineConfigs/blog/history").status),
        (200, 403)
    );
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
