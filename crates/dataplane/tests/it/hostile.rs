//! Clients that mean harm: framing, size, slowness, borrowed names; and strangers at the control socket.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use dataplane::client::ClientError;
use dataplane::server::{self, ServerError};
use dataplane::wanted::MemberState::Active;
use dataplane::wanted::{Instance, Protocol, Root, Wanted};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{Plane, Upstream, get, options, talk, web};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_inside_a_request_reaches_no_member() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    plane.put(&web(1, Protocol::Http, vec![a.member("g", Active)])).await;
    let front = plane.address().await;
    let inner = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    let n = inner.len();
    let refused = [
        format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ncontent-length: {n}\r\n\r\n{inner}"),
        format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +{n}\r\n\r\n{inner}"),
        format!("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n{inner}"),
        format!("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n{inner}"),
        format!("POST / HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}"),
        format!("POST / HTTP/1.1\r\nhost: x\r\nx: a\r\n b: folded\r\n\r\n{inner}"),
        format!("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding : chunked\r\n\r\n{inner}"),
        format!("POST / HTTP/1.1\r\nhost: x\r\nx: a\rb\r\n\r\n{inner}"),
        format!("GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n{inner}"),
        format!("GET / HTTP/1.1\r\n\r\n{inner}"),
        format!("CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n{inner}"),
        format!(
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
        ),
        format!(
            "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: {n}\r\n\r\n0\r\n\r\n{inner}"
        ),
        format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {n}\r\ncontent-length: {n}\r\n\r\n{inner}"),
        format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {n}, {n}\r\n\r\n{inner}"),
        format!("GET / HTTP/1.1\nhost: x\n\n{inner}"),
        format!("GET / HTTP/1.1\r\nhost: x\nx: y\r\n\r\n{inner}"),
        format!("GET / HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n{inner}"),
    ];
    for request in &refused {
        let answer = talk(front, request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{request:?} got {answer:?}");
    }
    assert_eq!(a.served.load(SeqCst), 0);
    assert_eq!(plane.web().await.refused_requests, refused.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_are_bounded_in_size_number_and_time_and_others_are_served_meanwhile() {
    let plane = Plane::with(|o| {
        o.limits.head_bytes = 16 << 10;
        o.limits.head_time = Duration::from_millis(400);
    });
    let a = Upstream::start("a").await;
    plane.put(&web(1, Protocol::Http, vec![a.member("g", Active)])).await;
    let front = plane.address().await;
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(40 << 10));
    assert!(talk(front, &large).await.starts_with("HTTP/1.1 431"));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(200));
    assert!(talk(front, &many).await.starts_with("HTTP/1.1 431"));

    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(front).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(get(front, "/").await, (200, "a".into()));
    for mut stream in slow {
        let mut rest = Vec::new();
        let closed =
            tokio::time::timeout(Duration::from_secs(5), tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest))
                .await;
        assert!(closed.is_ok(), "a slow head is not waited for");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cannot_say_who_he_is() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    plane.put(&web(1, Protocol::Http, vec![a.member("g", Active)])).await;
    let request = "GET /headers HTTP/1.1\r\nhost: shop\r\nconnection: close, x-forwarded-for\r\nx-forwarded-for: 6.6.6.6\r\n\
                   X-Forwarded-Host: evil\r\nforwarded: for=6.6.6.6\r\nx-real-ip: 6.6.6.6\r\ncookie: c=1\r\n\r\n";
    assert_eq!(
        told(&plane, request).await,
        [
            "cookie: c=1",
            "forwarded: for=127.0.0.1;proto=http;host=shop",
            "host: shop",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: shop",
            "x-forwarded-proto: http"
        ]
    );
}

/// The headers that a member gets of a request for `/headers`, sorted.
async fn told(plane: &Plane, request: &str) -> Vec<String> {
    let answer = talk(plane.address().await, request).await;
    let (_, told) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<String> = told.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configured_proxy_may_say_who_its_client_is() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    let mut wanted = web(1, Protocol::Http, vec![a.member("g", Active)]);
    wanted.balancers[0].trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    plane.put(&wanted).await;
    let request = "GET /headers HTTP/1.1\r\nhost: shop\r\nconnection: close\r\nx-forwarded-for: 6.6.6.6\r\n\
                   x-forwarded-proto: https\r\nx-forwarded-host: shop.example\r\n\r\n";
    assert_eq!(
        told(&plane, request).await,
        [
            "forwarded: for=127.0.0.1;proto=http;host=shop",
            "host: shop",
            "x-forwarded-for: 6.6.6.6, 127.0.0.1",
            "x-forwarded-host: shop.example",
            "x-forwarded-proto: https"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_before_a_spoiled_request_on_the_same_connection_is_answered() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    plane.put(&web(1, Protocol::Http, vec![a.member("g", Active)])).await;
    let both = "GET / HTTP/1.1\r\nhost: x\r\n\r\nPOST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n\
                0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = talk(plane.address().await, both).await;
    let statuses: Vec<&str> = answer.split("HTTP/1.1 ").skip(1).map(|a| &a[..3]).collect();
    assert_eq!((statuses, a.served.load(SeqCst)), (vec!["200", "400"], 1), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_that_can_be_read_in_two_ways_end_the_connection() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    plane.put(&web(1, Protocol::Http, vec![a.member("g", Active)])).await;
    let front = plane.address().await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    for chunks in
        ["3\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3;a\nb\r\nabc\r\n0\r\n\r\n"]
    {
        let answer = talk(front, &format!("{head}{chunks}GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert!(!answer.contains("HTTP/1.1 200"), "{chunks:?} got {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_become_no_paths() {
    let plane = Plane::start();
    for id in ["../evil", "a/b", "", ".", "-rf", "a b", "ä"] {
        let instance = Instance::new(id, "g", Root::Host { layers: Vec::new() }, vec!["true".into()]);
        let refused =
            plane.client.put_wanted(&Wanted { generation: 1, instances: vec![instance], ..Wanted::default() }).await;
        assert!(matches!(refused, Err(ClientError::Refused { status: 400, .. })), "{id:?}: {refused:?}");
    }
    assert_eq!(plane.status().await.generation, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_data_folder_is_nobody_else_s_and_has_one_data_plane() {
    let plane = Plane::start();
    let mode = |name: &str| std::fs::metadata(plane.dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    plane.put(&web(1, Protocol::Http, Vec::new())).await;
    assert_eq!((mode("dataplane.sock"), mode("wanted.json"), mode("dataplane.lock")), (0o600, 0o600, 0o600));

    let second = server::start(options(plane.dir.path())).err().unwrap();
    assert!(matches!(second, ServerError::Locked(_)), "{second}");

    let open = tempfile::tempdir().unwrap();
    std::fs::set_permissions(open.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = server::start(options(open.path())).err().unwrap();
    assert!(matches!(refused, ServerError::Folder { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_clients_are_turned_away_and_those_who_are_in_are_served() {
    let plane = Plane::with(|o| o.limits.clients = 10);
    let a = Upstream::start("a").await;
    plane.put(&web(1, Protocol::Http, vec![a.member("g", Active)])).await;
    let front = plane.address().await;
    let mut first = TcpStream::connect(front).await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..30 {
        idle.push(TcpStream::connect(front).await.unwrap());
    }
    first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut first, &mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    drop((first, idle));
    crate::world::until("there is room again", async || {
        let answer = talk(front, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        answer.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_stops_is_not_waited_for_and_a_member_that_is_silent_is_given_up() {
    let plane = Plane::with(|o| {
        o.limits.silence = Duration::from_millis(300);
        o.limits.answer_time = Duration::from_millis(300);
    });
    let a = Upstream::start("a").await;
    plane.put(&web(1, Protocol::Http, vec![a.member("g", Active)])).await;
    let front = plane.address().await;
    let stopped = talk(front, "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf").await;
    assert!(stopped.starts_with("HTTP/1.1 408"), "{stopped}");

    // A byte now and then is no progress; others are served meanwhile.
    let mut slow = TcpStream::connect(front).await.unwrap();
    slow.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
    let (mut reader, mut writer) = slow.into_split();
    let drips = tokio::spawn(async move {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(get(front, "/").await, (200, "a".into()));
    let mut status = [0; 12];
    let answered = tokio::io::AsyncReadExt::read_exact(&mut reader, &mut status);
    tokio::time::timeout(Duration::from_secs(5), answered).await.unwrap().unwrap();
    assert_eq!(&status, b"HTTP/1.1 408");
    drips.abort();
    let web_now = plane.web().await;
    assert_eq!((web_now.refused_requests, web_now.total.failed, web_now.total.reset), (2, 0, 0), "no member is blamed");

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let member = dataplane::wanted::Member { id: "s".into(), group: "g".into(), address, weight: 1, state: Active };
    plane.put(&web(2, Protocol::Http, vec![member])).await;
    assert_eq!(get(front, "/").await, (504, "the instance did not answer in time\n".into()));
    assert_eq!(plane.web().await.members[0].counters.timed_out, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_firewall_lets_in_whom_it_names_and_shuts_out_the_rest_with_their_next_request() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    let behind = |generation, protocol, networks: &[&str]| {
        let mut wanted = web(generation, protocol, vec![a.member("g", Active)]);
        wanted.balancers[0].listeners[0].allow = Some(networks.iter().map(|text| text.parse().unwrap()).collect());
        wanted
    };
    plane.put(&behind(1, Protocol::Auto, &["127.0.0.0/8"])).await;
    let front = plane.address().await;
    let mut inside = TcpStream::connect(front).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut answer = [0; 12];
    inside.write_all(request).await.unwrap();
    inside.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");

    // Nobody from here any more: neither new connections nor the one that is in.
    plane.put(&behind(2, Protocol::Auto, &["192.0.2.0/24"])).await;
    assert_eq!(get(front, "/").await.0, 0, "it is cut off before anything is read");
    inside.write_all(request).await.unwrap();
    let mut rest = String::new();
    inside.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("HTTP/1.1 403") && rest.contains("connection: close"), "{rest}");
    plane.put(&behind(3, Protocol::Auto, &[])).await;
    assert_eq!(get(front, "/").await.0, 0, "a firewall without rules lets nobody in");
    let seen = plane.web().await;
    assert_eq!((seen.turned_away, a.served.load(SeqCst), seen.total.failed), (3, 1, 0));
    plane.put(&behind(4, Protocol::Auto, &["127.0.0.1"])).await;
    assert_eq!(get(front, "/").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_trusted_proxy_says_whose_connection_it_is() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    let behind = |generation, trusted: &str, allow: Option<&str>| {
        let mut wanted = web(generation, Protocol::Auto, vec![a.member("g", Active)]);
        wanted.balancers[0].trusted_proxies = vec![trusted.parse().unwrap()];
        wanted.balancers[0].listeners[0].proxy_protocol = true;
        wanted.balancers[0].listeners[0].allow = allow.map(|network| vec![network.parse().unwrap()]);
        wanted
    };
    plane.put(&behind(1, "127.0.0.0/8", Some("192.0.2.0/24"))).await;
    let request = "GET /headers HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    let lines = told(&plane, &format!("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n{request}")).await;
    assert!(lines.contains(&"x-forwarded-for: 192.0.2.7".to_owned()), "{lines:?}");
    let front = plane.address().await;
    let served = a.served.load(SeqCst);
    // A client that the firewall does not let in, a client without a head, and a head that is none.
    for bytes in [
        format!("PROXY TCP4 203.0.113.1 198.51.100.1 4711 80\r\n{request}"),
        request.to_owned(),
        format!("PROXY TCP4 192.0.2.7\r\n{request}"),
    ] {
        assert_eq!(talk(front, &bytes).await, "", "{bytes:?}");
    }
    // Anybody else who says so is a liar.
    plane.put(&behind(2, "192.0.2.0/24", None)).await;
    assert_eq!(talk(front, &format!("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n{request}")).await, "");
    assert_eq!(a.served.load(SeqCst), served);
}
