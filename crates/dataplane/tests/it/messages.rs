//! How messages go through: lengths, old clients, words before and after an answer; members here say exactly what a test wants.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use dataplane::wanted::MemberState::Active;
use dataplane::wanted::{Member, Protocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{Plane, talk, until, web};

/// A member that answers each request with the next of these texts; a text that begins with `!` ends the connection.
struct Scripted {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// The heads that came.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    async fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, heads): (Arc<AtomicUsize>, Arc<Mutex<Vec<String>>>) = Default::default();
        let turn = Arc::new(AtomicUsize::new(0));
        tokio::spawn({
            let (connections, heads) = (connections.clone(), heads.clone());
            async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    connections.fetch_add(1, SeqCst);
                    let (heads, turn) = (heads.clone(), turn.clone());
                    tokio::spawn(async move {
                        while let Some(head) = head(&mut stream).await {
                            heads.lock().unwrap().push(head);
                            let Some(answer) = answers.get(turn.fetch_add(1, SeqCst)) else { return };
                            let text = answer.strip_prefix('!').unwrap_or(answer);
                            if stream.write_all(text.as_bytes()).await.is_err() || answer.starts_with('!') {
                                return;
                            }
                        }
                    });
                }
            }
        });
        Self { address, connections, heads }
    }

    /// Behind a balancer.
    async fn plane(&self) -> (Plane, SocketAddr) {
        let plane = Plane::with(|o| o.workers = 1);
        let member = Member { id: "m".into(), group: "g".into(), address: self.address, weight: 1, state: Active };
        plane.put(&web(1, Protocol::Http, vec![member])).await;
        let front = plane.address().await;
        (plane, front)
    }
}

/// The next head on a connection; nothing when it ends.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

/// Reads until what came ends so.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut read = String::new();
    while !read.ends_with(end) {
        read.push(char::from(stream.read_u8().await.unwrap_or_else(|error| panic!("{error} after {read:?}"))));
    }
    read
}

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_ends_with_its_connection_is_whole_for_new_clients_and_old_ones() {
    let member = Scripted::start(&["!HTTP/1.1 200 OK\r\n\r\nhello", "!HTTP/1.1 200 OK\r\n\r\nhello"]).await;
    let (plane, front) = member.plane().await;
    let mut stream = TcpStream::connect(front).await.unwrap();
    stream.write_all(GET.as_bytes()).await.unwrap();
    let answer = read_to(&mut stream, "0\r\n\r\n").await;
    assert_eq!(answer, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    let old = talk(front, "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    assert_eq!(old, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello");
    assert_eq!(plane.web().await.total.failed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_client_keeps_its_connection_if_it_asks_for_that_and_never_sees_chunks() {
    let member = Scripted::start(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x\r\ncd\r\n1\r\ne\r\n0\r\nt: x\r\n\r\n",
    ])
    .await;
    let (_plane, front) = member.plane().await;
    let request = "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    let both = talk(front, &format!("{request}{request}")).await;
    assert_eq!(
        both,
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nab\
         HTTP/1.1 200 OK\r\nconnection: close\r\n\r\ncde"
    );
    assert_eq!(member.connections.load(SeqCst), 1, "the member's connection is kept, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_waits_for_a_word_before_its_body_gets_it() {
    let member = Scripted::start(&["HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"]).await;
    let (_plane, front) = member.plane().await;
    let mut stream = TcpStream::connect(front).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n").await.unwrap();
    assert_eq!(read_to(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    assert_eq!(read_to(&mut stream, "\r\n\r\n").await, "HTTP/1.1 204 No Content\r\n\r\n");
    let heads = member.heads.lock().unwrap().clone();
    assert!(heads[0].contains("content-length: 4") && !heads[0].contains("expect"), "{heads:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_may_come_before_the_request_is_over() {
    let member = Scripted::start(&["!HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno\n"]).await;
    let (plane, front) = member.plane().await;
    let mut stream = TcpStream::connect(front).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n").await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    // The client goes on for as long as it can.
    let sends = tokio::spawn(async move { while writer.write_all(&[b'x'; 10_000]).await.is_ok() {} });
    let mut answer = String::new();
    let _ = reader.read_to_string(&mut answer).await;
    assert_eq!(answer, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno\n");
    sends.await.unwrap();
    assert_eq!(plane.web().await.total.failed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_member_says_unasked_is_nobody_s_answer() {
    let member = Scripted::start(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\noneHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\ntwo",
    ])
    .await;
    let (_plane, front) = member.plane().await;
    let mut stream = TcpStream::connect(front).await.unwrap();
    for expected in ["one", "two"] {
        stream.write_all(GET.as_bytes()).await.unwrap();
        assert!(read_to(&mut stream, expected).await.ends_with(&format!("3\r\n\r\n{expected}")));
    }
    assert_eq!(member.connections.load(SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_understood_is_not_passed_on() {
    let member = Scripted::start(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
    ])
    .await;
    let (plane, front) = member.plane().await;
    for failed in 1..=3 {
        let answer = talk(front, "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
        assert_eq!(plane.web().await.total.failed, failed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_breaks_off_is_not_taken_for_a_whole_one() {
    let member = Scripted::start(&[
        "!HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        "!HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ])
    .await;
    let (plane, front) = member.plane().await;
    assert!(talk(front, GET).await.ends_with("content-length: 10\r\n\r\nhello"));
    assert!(talk(front, GET).await.ends_with("5\r\nhello\r\n"), "without the last chunk");
    let total = plane.web().await.total;
    assert_eq!((total.reset, total.failed, total.open), (2, 2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_come_at_once_are_answered_in_order_and_a_head_alone_has_no_body() {
    let member = Scripted::start(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 1000\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nend",
    ])
    .await;
    let (_plane, front) = member.plane().await;
    let head = GET.replace("GET", "HEAD");
    let all = talk(front, &format!("{head}\r\n{GET}{}", GET.replace("host", "connection: close\r\nhost"))).await;
    assert_eq!(
        all,
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nHTTP/1.1 304 Not Modified\r\ncontent-length: 1000\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nend"
    );
    assert_eq!(member.connections.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_is_noticed_while_its_member_thinks() {
    let member = Scripted::start(&[""]).await;
    let (plane, front) = member.plane().await;
    let mut stream = TcpStream::connect(front).await.unwrap();
    stream.write_all(GET.as_bytes()).await.unwrap();
    until("it is asked", async || (plane.web().await.total.open == 1).then_some(())).await;
    drop(stream);
    until("it is given up", async || (plane.web().await.total.abandoned == 1).then_some(())).await;
    let total = plane.web().await.total;
    assert_eq!((total.open, total.failed), (0, 0), "no member is blamed");
}
