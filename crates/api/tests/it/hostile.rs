//! What attacks a server over its socket: framing tricks, oversize and slow requests, forged heads.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use api::GuardConfig;

use crate::server::{Answer, Server, read};

/// Sends exactly these bytes and reads until the server closes.
fn send(server: &Server, bytes: &[u8]) -> Answer {
    let mut stream = server.connect();
    // The server may close before everything is sent: that is an answer too.
    let _ = stream.write_all(bytes);
    read(stream)
}

fn answers(answer: &Answer) -> usize {
    (answer.head.clone() + &answer.body.to_lowercase()).matches("http/1.1 ").count()
}

#[test]
fn a_request_with_two_framings_is_never_taken_for_two_requests() {
    let server = Server::start(GuardConfig::default());
    let second = "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for framing in [
        "Content-Length: 4\r\nContent-Length: 50\r\n",
        "Content-Length: 4, 50\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 0x4\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding : chunked\r\n",
    ] {
        let bytes = format!("POST /version HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n0\r\n\r\n{second}");
        let answer = send(&server, bytes.as_bytes());
        assert!(answer.status == 400 || answer.status == 0 || answer.status == 501, "{framing}: {answer:?}");
        assert!(answers(&answer) <= 1, "{framing}: {answer:?}");
    }
}

#[test]
fn both_lengths_at_once_leave_nothing_behind_on_the_connection() {
    let server = Server::start(GuardConfig::default());
    let bytes = "POST /version HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nXGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = send(&server, bytes.as_bytes());
    assert!(!answer.body.contains("\"UP\""), "the smuggled request was answered: {answer:?}");
}

#[test]
fn odd_line_ends_and_folded_headers_are_refused() {
    let server = Server::start(GuardConfig::default());
    for head in [
        "GET /version HTTP/1.1\r\nHost: localhost\r\nX-Fold: a\r\n b\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost: localhost\r\nX\0: a\r\n\r\n",
        "GET /ver sion HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /version HTTP/9.1\r\nHost: localhost\r\n\r\n",
        "\u{16}\u{3}\u{1}",
    ] {
        let mut stream = server.connect();
        stream.write_all(head.as_bytes()).expect("sent");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let answer = read(stream);
        assert!(answer.status == 400 || answer.status == 0, "{head:?}: {answer:?}");
    }
    assert_eq!(server.ask("GET", "/version", &[]).status, 200, "others are served");
}

#[test]
fn a_head_without_bound_is_cut() {
    let server = Server::start(GuardConfig::default());
    let mut bytes = b"GET /version HTTP/1.1\r\nHost: localhost\r\n".to_vec();
    for n in 0..20_000 {
        bytes.extend_from_slice(format!("X-Filler-{n}: {}\r\n", "a".repeat(50)).as_bytes());
    }
    let answer = send(&server, &bytes);
    assert!(matches!(answer.status, 431 | 400 | 0), "{answer:?}");
    assert_eq!(server.ask("GET", "/version", &[]).status, 200);
}

#[test]
fn somebody_slow_does_not_keep_others_waiting() {
    let server = Server::start(GuardConfig::default());
    let mut slow: Vec<TcpStream> = (0..200).map(|_| server.connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /version HTTP/1.1\r\nHost: loc").expect("sent");
    }
    let since = Instant::now();
    assert_eq!(server.ask("GET", "/version", &[]).status, 200);
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
}

#[test]
fn a_name_in_a_header_is_no_proof_of_who_asks() {
    let server = Server::start(GuardConfig::default());
    for line in ["X-Forwarded-Host: evil.example.org", "X-Spinnaker-User: root", "X-Forwarded-For: 10.0.0.1"] {
        assert_eq!(server.ask("GET", "/version", &[line]).status, 200, "{line} changes nothing");
    }
    let lines = ["Host: evil.example.org", "X-Forwarded-Host: localhost"];
    assert_eq!(server.ask("GET", "/version", &lines).status, 421, "the forwarded name does not count");
}

#[test]
fn an_error_is_json_that_shows_a_hostile_name_inert() {
    let server = Server::start(GuardConfig::default());
    let answer = server.ask("GET", "/version", &["Host: <script>alert(1)</script>"]);
    assert!(matches!(answer.status, 421 | 400), "{answer:?}");
    assert!(!answer.head.contains("text/html"), "{}", answer.head);
    if answer.status == 421 {
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{}", answer.head);
        let problem: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(problem["status"], 421);
    }
}

#[test]
fn an_idle_connection_costs_its_owner_and_nobody_else() {
    let server = Server::start(GuardConfig::default());
    let idle: Vec<TcpStream> = (0..300).map(|_| server.connect()).collect();
    let mut kept = server.connect();
    for _ in 0..3 {
        kept.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
        let mut answer = [0; 12];
        kept.read_exact(&mut answer).expect("answered");
        assert_eq!(&answer, b"HTTP/1.1 200");
        let mut rest = [0; 4096];
        let _ = kept.read(&mut rest).expect("the rest");
    }
    drop(idle);
}

#[test]
fn a_body_without_end_is_cut_by_its_size() {
    let server = Server::start(GuardConfig::default());
    let head = "POST /pipelines HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let honest = format!("{head}Content-Length: 2000000\r\n\r\n{}", " ".repeat(2_000_000));
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(20));
    for bytes in [honest, chunked] {
        let answer = send(&server, bytes.as_bytes());
        // The connection may break under what is still being sent before the answer is read.
        assert!(matches!(answer.status, 413 | 0), "{answer:?}");
    }
    assert_eq!(server.ask("GET", "/health", &[]).status, 200);
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::start(GuardConfig::default());
    let since = Instant::now();
    let head =
        "POST /pipelines HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
    let answer = send(&server, head.as_bytes());
    assert_eq!(answer.status, 408, "{answer:?}");
    assert!(answer.body.contains("the body was not there within 500ms"), "{answer:?}");
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
}
