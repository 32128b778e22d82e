//! The repository file server over a real socket: what apt and people ask, and what attackers try.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::time::Duration;

use tempfile::TempDir;

use crate::server::{Answer, read};

struct Served {
    address: SocketAddr,
    place: TempDir,
}

/// `place/public` is served; `place/secret` lies beside it.
fn serve() -> Served {
    let place = tempfile::tempdir().expect("a folder");
    let public = place.path().join("public");
    std::fs::create_dir_all(public.join("dists/.stretch.1/main")).expect("made");
    std::fs::write(public.join("dists/.stretch.1/Release"), "0123456789").expect("written");
    symlink(".stretch.1", public.join("dists/stretch")).expect("linked");
    std::fs::write(place.path().join("secret"), "secret").expect("written");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || api::files::serve(listener, &public));
    Served { address, place }
}

impl Served {
    fn ask(&self, method: &str, path: &str, lines: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        let request = format!("{method} {path} HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n{lines}\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        read(stream)
    }
}

#[test]
fn a_file_is_served_whole_in_part_and_not_again() {
    let served = serve();
    let whole = served.ask("GET", "/dists/stretch/Release", "");
    assert_eq!((whole.status, whole.body.as_str()), (200, "0123456789"));
    let head = served.ask("HEAD", "/dists/stretch/Release", "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.head.contains("content-length: 10") && head.head.contains("accept-ranges: bytes"), "{}", head.head);
    let part = served.ask("GET", "/dists/stretch/Release", "Range: bytes=4-6\r\n");
    assert_eq!((part.status, part.body.as_str()), (206, "456"));
    assert!(part.head.contains("content-range: bytes 4-6/10"), "{}", part.head);
    let outside = served.ask("GET", "/dists/stretch/Release", "Range: bytes=10-\r\n");
    assert_eq!(outside.status, 416);
    let tag = whole.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag").to_owned();
    let again = served.ask("GET", "/dists/stretch/Release", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((again.status, again.body.as_str()), (304, ""));
}

#[test]
fn a_publication_that_flips_is_served_at_once() {
    let served = serve();
    let dists = served.place.path().join("public/dists");
    std::fs::create_dir(dists.join(".stretch.2")).expect("made");
    std::fs::write(dists.join(".stretch.2/Release"), "second").expect("written");
    symlink(".stretch.2", dists.join("new")).expect("linked");
    std::fs::rename(dists.join("new"), dists.join("stretch")).expect("flipped");
    assert_eq!(served.ask("GET", "/dists/stretch/Release", "").body, "second");
}

#[test]
fn folders_are_listed_and_nothing_is_changed() {
    let served = serve();
    assert_eq!(served.ask("GET", "/dists", "").status, 301);
    let list = served.ask("GET", "/dists/", "");
    assert!(
        list.body.contains("<a href=\"./stretch/\">stretch/</a>") && !list.body.contains(".stretch.1"),
        "{}",
        list.body
    );
    assert_eq!(served.ask("POST", "/dists/", "Content-Length: 0\r\n").status, 405);
    assert_eq!(served.ask("GET", "/nothing", "").status, 404);
}

#[test]
fn nothing_outside_is_read_however_it_is_asked_for() {
    let served = serve();
    let public = served.place.path().join("public");
    symlink("../secret", public.join("up")).expect("planted");
    symlink(served.place.path().join("secret"), public.join("absolute")).expect("planted");
    symlink("..", public.join("folder")).expect("planted");
    symlink("loop", public.join("loop")).expect("planted");
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/%2e%2e%2fsecret",
        "/dists/..%2f..%2fsecret",
        "/dists/%2e%2e/%2e%2e/secret",
        "//../secret",
        "/..\\secret",
        "/%252e%252e/secret",
        "/up",
        "/absolute",
        "/folder/secret",
        "/loop",
        "/dists/stretch/Release/x",
        "/secret%00",
    ] {
        let answer = served.ask("GET", path, "");
        assert!(matches!(answer.status, 400 | 404), "{path}: {} {}", answer.status, answer.body);
        assert!(!answer.body.contains("secret"), "{path}: {}", answer.body);
    }
}

#[test]
fn a_pipe_that_was_planted_holds_nobody() {
    let served = serve();
    let pipe = served.place.path().join("public/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    assert_eq!(served.ask("GET", "/pipe", "").status, 404);
    assert_eq!(served.ask("GET", "/dists/stretch/Release", "").status, 200);
}

/// The next answer of a connection that goes on: its head, and as many bytes as the head says.
fn next(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("text");
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().expect("a number"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("the body");
    (head, body)
}

/// So large that the kernel sends it, in several turns.
fn large(served: &Served) -> Vec<u8> {
    let bytes: Vec<u8> = (0..5_000_000u32).flat_map(|n| [(n % 251) as u8]).collect();
    std::fs::write(served.place.path().join("public/large.deb"), &bytes).expect("written");
    bytes
}

#[test]
fn requests_follow_each_other_on_a_connection_whatever_the_size_of_the_file() {
    let served = serve();
    let bytes = large(&served);
    let mut stream = TcpStream::connect(served.address).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let get = |path: &str, line: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{line}\r\n");
    let asked = [
        get("/large.deb", ""),
        get("/dists/stretch/Release", ""),
        get("/large.deb?x", "Range: bytes=1000000-3999999\r\n"),
        "HEAD /large.deb HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
    ];
    stream.write_all(asked.concat().as_bytes()).expect("all at once");
    let (head, body) = next(&mut stream);
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\ndate: ") && !head.contains("connection:"),
        "{head}"
    );
    assert!(body == bytes);
    assert_eq!(next(&mut stream).1, b"0123456789");
    let (head, body) = next(&mut stream);
    assert!(
        head.starts_with("HTTP/1.1 206 Partial Content\r\n")
            && head.contains("content-range: bytes 1000000-3999999/5000000"),
        "{head}"
    );
    assert!(body == bytes[1_000_000..4_000_000]);
    let mut head = [0; 17];
    stream.read_exact(&mut head).expect("the last head");
    assert_eq!(&head, b"HTTP/1.1 200 OK\r\n");
}

#[test]
fn clients_of_before_keep_alive_and_bodies_nobody_asked_for_end_the_connection() {
    let served = serve();
    for (asked, starts) in [
        ("GET /dists/stretch/Release HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\n"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nGET / HTT", "HTTP/1.1 405 Method Not Allowed\r\n"),
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"),
        ("nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"),
    ] {
        let mut stream = TcpStream::connect(served.address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        stream.write_all(asked.as_bytes()).expect("sent");
        let mut told = String::new();
        stream.read_to_string(&mut told).expect("the server ends it");
        assert!(told.starts_with(starts) && told.contains("\r\nconnection: close\r\n"), "{asked:?}: {told}");
    }
    let mut stream = TcpStream::connect(served.address).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}", "b".repeat(70_000)).as_bytes());
    let mut told = String::new();
    let _ = stream.read_to_string(&mut told);
    assert!(told.starts_with("HTTP/1.1 431 "), "{told}");
    let mut stream = TcpStream::connect(served.address).expect("connects");
    stream.write_all(b"GET /dists/stretch/Release HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").expect("sent");
    assert!(next(&mut stream).0.contains("\r\nconnection: keep-alive\r\n"));
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_sent_is_not_padded() {
    let served = serve();
    large(&served);
    let mut stream = TcpStream::connect(served.address).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    rustix::net::sockopt::set_socket_recv_buffer_size(&stream, 64 << 10).expect("set");
    stream.write_all(b"GET /large.deb HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
    let mut first = [0; 1000];
    stream.read_exact(&mut first).expect("a beginning");
    let file =
        std::fs::OpenOptions::new().write(true).open(served.place.path().join("public/large.deb")).expect("open");
    file.set_len(10).expect("cut");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.len() < 5_000_000 - 1000, "{} bytes came", rest.len());
}
