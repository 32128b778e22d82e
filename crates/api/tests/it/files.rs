//! The repository file server over a real socket: what apt and people ask, and what attackers try.

use std::io::Write;
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
