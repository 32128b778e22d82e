//! The live stream: what changes arrives in order, once, also over a cut.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use access::{Kept, Role, Scope};
use api::GuardConfig;
use store::StoreError;

use crate::server::Server;

/// Opens the stream and gives its lines.
fn follow(server: &Server, query: &str, line: &str) -> BufReader<TcpStream> {
    let mut stream = server.connect();
    let head = format!("GET /ui-api/live{query} HTTP/1.1\r\nHost: localhost\r\n{line}\r\n");
    stream.write_all(head.as_bytes()).expect("sent");
    BufReader::new(stream)
}

/// The next event: its name, id and data.
fn event(lines: &mut BufReader<TcpStream>) -> (String, String, String) {
    let mut event = (String::new(), String::new(), String::new());
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).expect("the stream goes on");
        match line.trim_end().split_once(": ").or(line.trim_end().split_once(':')) {
            Some(("event", text)) => event.0 = text.into(),
            Some(("id", text)) => event.1 = text.into(),
            Some(("data", text)) => event.2 = text.into(),
            _ if line.trim().is_empty() && !event.0.is_empty() => return event,
            _ => {}
        }
    }
}

fn change(server: &Server, topic: &'static str, key: &'static str) {
    server.store.write_blocking::<_, StoreError, _>(move |tx| tx.change(topic, key)).expect("written");
}

fn told(event: &(String, String, String)) -> (String, String) {
    let data: serde_json::Value = serde_json::from_str(&event.2).expect("JSON");
    assert_eq!(event.0, "change");
    (data["topic"].as_str().expect("a topic").into(), data["key"].as_str().expect("a key").into())
}

#[test]
fn changes_arrive_in_order_and_a_cut_loses_none() {
    let server = Server::start(GuardConfig::default());
    let mut lines = follow(&server, "", "");
    assert_eq!(event(&mut lines).0, "hello");
    change(&server, "execution", "a");
    change(&server, "execution", "b");
    let first = event(&mut lines);
    assert_eq!(told(&first), ("execution".into(), "a".into()));
    assert_eq!(told(&event(&mut lines)), ("execution".into(), "b".into()));
    drop(lines);

    change(&server, "application", "c");
    let mut lines = follow(&server, "", &format!("Last-Event-ID: {}\r\n", first.1));
    assert_eq!(event(&mut lines).0, "hello");
    assert_eq!(told(&event(&mut lines)), ("execution".into(), "b".into()));
    assert_eq!(told(&event(&mut lines)), ("application".into(), "c".into()));
}

#[test]
fn a_number_from_another_store_is_told_to_begin_anew() {
    let server = Server::start(GuardConfig::default());
    change(&server, "execution", "a");
    let mut lines = follow(&server, "?after=4000", "");
    assert_eq!(event(&mut lines).0, "reset");
}

#[test]
fn a_stream_ends_when_its_token_goes_though_nothing_else_happens_after() {
    let server = Server::with_tokens(GuardConfig::default(), &[("kim", Role::Admin)]);
    let (kept, token) = Kept::make("watcher", Role::Viewer, Scope::Server, "kim", [5; 24]);
    server.tokens.keep(&[kept]);
    let mut lines = follow(&server, "", &format!("Connection: close\r\nAuthorization: Bearer {}\r\n", token.reveal()));
    assert_eq!(event(&mut lines).0, "hello");
    let tokens = server.tokens.clone();
    let revoked = server.store.write_blocking::<_, StoreError, _>(move |tx| {
        let tokens = tokens.clone();
        tx.after_commit(move || tokens.keep(&[]));
        tx.change("token", "watcher")
    });
    revoked.expect("written");
    // Whether the change itself is told before depends on where the stream was just then.
    let rest: Vec<String> = lines.lines().map_while(Result::ok).collect();
    assert!(rest.ends_with(&["0".to_owned(), String::new()]), "the last chunk comes: {rest:?}");
    assert!(!rest.iter().any(|line| line.starts_with(':')), "it lived on: {rest:?}");
}
