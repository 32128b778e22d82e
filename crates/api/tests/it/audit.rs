//! What of the requests comes into the audit log.

use std::io::Write;
use std::time::{Duration, Instant};

use access::audit::{self, Asked, Entry};
use access::{Kept, Role, Scope};
use api::GuardConfig;
use store::StoreError;

use crate::server::Server;

fn server() -> Server {
    Server::with_tokens(GuardConfig::default(), &[("kim", Role::Admin), ("lee", Role::Viewer)])
}

/// The log, the oldest first, as `who method path status`.
fn log(server: &Server) -> Vec<String> {
    let all = Asked { limit: 100, ..Asked::default() };
    let entries = server.store.read_blocking::<_, StoreError, _>(move |tx| audit::list(tx, &all)).expect("read");
    let shown = |one: &Entry| format!("{} {} {} {}", one.who, one.method, one.path, one.status);
    entries.iter().rev().map(shown).collect()
}

#[test]
fn who_changed_something_is_noted_and_who_only_asked_is_not() {
    let server = server();
    let ask = |method: &str, path: &str, token: &str| {
        server.ask(method, path, &[&format!("Authorization: Bearer {token}"), "Content-Length: 0"]).status
    };
    assert_eq!(ask("DELETE", "/pipelines/shop/none%20such?really=yes", "kim"), 404);
    assert_eq!(ask("DELETE", "/pipelines/shop/ship", "lee"), 403);
    // Asked only, from nowhere, or by nobody whom the server knows.
    for (method, path, token) in [
        ("GET", "/applications", "kim"),
        ("POST", "/pipelines/plan", "kim"),
        ("POST", "/webhooks/webhook/deploy", "kim"),
        ("POST", "/no/such/route", "kim"),
        ("DELETE", "/pipelines/shop/ship", "a stranger"),
    ] {
        ask(method, path, token);
    }
    let (kept, token) = Kept::make("of blog", Role::Operator, Scope::Application("blog".into()), "kim", [9; 24]);
    server.tokens.keep(&[kept]);
    assert_eq!(ask("DELETE", "/pipelines/shop/ship", token.reveal()), 403);
    let expected = [
        "kim DELETE /pipelines/shop/none%20such 404",
        "lee DELETE /pipelines/shop/ship 403",
        "of blog DELETE /pipelines/shop/ship 403",
    ];
    assert_eq!(log(&server), expected);
    let answer = server.ask("GET", "/ui-api/audit/verify", &["Authorization: Bearer kim"]);
    let found: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(
        (&found["entries"], &found["head"]["seq"], &found["broken"]),
        (&3.into(), &3.into(), &serde_json::Value::Null)
    );
}

#[test]
fn who_goes_away_before_the_answer_is_noted_too() {
    let server = server();
    let head = "DELETE /pipelines/shop/ship HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer kim\r\nContent-Length: 10\r\n\r\nhalf";
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut patience = Duration::from_millis(100);
    let noted = loop {
        let mut stream = server.connect();
        stream.write_all(head.as_bytes()).expect("sent");
        // Who goes before the server knows them is a stranger: then once more, with more patience.
        std::thread::sleep(patience);
        drop(stream);
        std::thread::sleep(patience);
        if let Some(noted) = log(&server).pop() {
            break noted;
        }
        assert!(Instant::now() < deadline, "nothing was noted");
        patience *= 2;
    };
    let expected = [400, 499].map(|status| format!("kim DELETE /pipelines/shop/ship {status}"));
    assert!(expected.contains(&noted), "{noted}");
}
