//! Who gets a request, and that none is lost when that changes.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use dataplane::status::{HealthState, Second};
use dataplane::wanted::MemberState::{Active, Draining, Out};
use dataplane::wanted::{
    Balancer, Choice, Ejection, Member, Protocol, ProxyProtocol, Share, Stickiness, StickyKey, StickyTo, Wanted,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::load::Load;
use crate::world::{Plane, Upstream, check, get, talk, until, web};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_groups_replace_each_other_under_load() {
    let plane = Plane::start();
    let mut old = [Upstream::start("g0-a").await, Upstream::start("g0-b").await];
    let mut generation = 1;
    let group =
        |members: &[Upstream], name: &str, state| members.iter().map(|m| m.member(name, state)).collect::<Vec<_>>();
    // A network listener whose protocol is found out: keep-alive clients must follow as well.
    plane.put(&web(generation, Protocol::Auto, group(&old, "g0", Active))).await;
    let address = plane.address().await;
    let load = Load::start(address, 8, 4);
    for n in 1..=6 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let new = [Upstream::start(&format!("g{n}-a")).await, Upstream::start(&format!("g{n}-b")).await];
        let (before, after) = (format!("g{}", n - 1), format!("g{n}"));
        generation += 1;
        let both = |state| [group(&old, &before, state), group(&new, &after, Active)].concat();
        plane.put(&web(generation, Protocol::Auto, both(Active))).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        generation += 1;
        plane.put(&web(generation, Protocol::Auto, both(Draining))).await;
        until("the old group is idle", async || {
            let web = plane.web().await;
            web.members.iter().filter(|m| m.group == before).all(|m| m.counters.open == 0).then_some(())
        })
        .await;
        // The old members die the hard way, as soon as the status says that nothing is open there.
        old = new;
        generation += 1;
        plane.put(&web(generation, Protocol::Auto, group(&old, &after, Active))).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let seen = load.seen.clone();
    let last = load.end().await;
    let failures = seen.failures.lock().unwrap().clone();
    assert!(failures.is_empty(), "{} of {}: {:?}", failures.len(), seen.requests.load(SeqCst), failures.first());
    assert!(seen.requests.load(SeqCst) > 500, "{}", seen.requests.load(SeqCst));
    assert!(last.iter().all(|answer| answer.starts_with("g6-")), "{last:?}");

    let web = plane.web().await;
    assert_eq!((web.total.failed, web.no_member, web.total.reset), (0, 0, 0));
    let switch = web.last_switch.unwrap();
    assert_eq!((switch.from, switch.to), (vec!["g5".to_owned(), "g6".into()], vec!["g6".to_owned()]));
    let groups: Vec<&str> = web.groups.iter().map(|g| g.group.as_str()).collect();
    assert_eq!(groups, ["g0", "g1", "g2", "g3", "g4", "g5", "g6"]);
    assert!(web.total.latency.quantile(0.5).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_request_is_finished_by_the_member_that_drains() {
    let plane = Plane::start();
    let (a, b) = (Upstream::start("a").await, Upstream::start("b").await);
    plane.put(&web(1, Protocol::Http, vec![a.member("old", Active)])).await;
    let address = plane.address().await;
    let slow = tokio::spawn(async move { get(address, "/slow").await });
    until("it runs", async || (plane.web().await.members[0].counters.open == 1).then_some(())).await;
    plane.put(&web(2, Protocol::Http, vec![a.member("old", Draining), b.member("new", Active)])).await;
    assert_eq!(get(address, "/").await, (200, "b".into()));
    assert_eq!(plane.web().await.members[0].counters.open, 1);
    assert_eq!(slow.await.unwrap(), (200, "a".into()));
    until("it is idle", async || (plane.web().await.members[0].counters.open == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_connection_stays_with_its_member_until_it_is_out() {
    let plane = Plane::start();
    // Speaks first, as mail and database servers do.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let talker = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.write_all(b"hello\n").await.unwrap();
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    let member =
        |state| dataplane::wanted::Member { id: "t".into(), group: "g".into(), address: talker, weight: 1, state };
    for protocol in [Protocol::Tcp, Protocol::Auto] {
        let generation = plane.status().await.generation.unwrap_or(0);
        plane.put(&web(generation + 1, protocol, vec![member(Active)])).await;
        let mut stream = TcpStream::connect(plane.address().await).await.unwrap();
        let mut hello = [0; 6];
        stream.read_exact(&mut hello).await.unwrap();
        plane.put(&web(generation + 2, protocol, vec![member(Draining)])).await;
        stream.write_all(b"still").await.unwrap();
        let mut still = [0; 5];
        stream.read_exact(&mut still).await.unwrap();
        assert_eq!((&hello, &still), (b"hello\n", b"still"));
        assert_eq!(plane.web().await.members[0].counters.open, 1);
        plane.put(&web(generation + 3, protocol, vec![member(Out)])).await;
        assert_eq!(stream.read(&mut still).await.unwrap_or(0), 0);
        until("it is cut", async || (plane.web().await.members[0].counters.open == 0).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weights_share_the_requests() {
    let plane = Plane::with(|o| o.workers = 1);
    let (a, b) = (Upstream::start("a").await, Upstream::start("b").await);
    let mut members = vec![a.member("g", Active), b.member("g", Active)];
    members[0].weight = 3;
    plane.put(&web(1, Protocol::Http, members)).await;
    let address = plane.address().await;
    for _ in 0..40 {
        assert_eq!(get(address, "/").await.0, 200);
    }
    assert_eq!((a.served.load(SeqCst), b.served.load(SeqCst)), (30, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_refuses_connections_costs_no_request() {
    let plane = Plane::start();
    let (a, gone) = (Upstream::start("a").await, Upstream::start("gone").await);
    let members = vec![a.member("g", Active), gone.member("g", Active)];
    drop(gone);
    plane.put(&web(1, Protocol::Http, members)).await;
    let address = plane.address().await;
    for _ in 0..10 {
        assert_eq!(get(address, "/").await, (200, "a".into()));
    }
    let web = plane.web().await;
    assert!(web.members[1].counters.refused >= 4);
    assert_eq!(web.total.failed, 0);
}

/// Serves one answer on each connection, then closes it when the next request comes, as a server does whose idle time is over.
async fn hangs_up_on_the_second() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                let _ = stream.read(&mut request).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_on_a_kept_connection_is_sent_again_only_if_that_does_no_harm() {
    let plane = Plane::with(|o| o.workers = 1);
    let address = hangs_up_on_the_second().await;
    let member = dataplane::wanted::Member { id: "m".into(), group: "g".into(), address, weight: 1, state: Active };
    plane.put(&web(1, Protocol::Http, vec![member])).await;
    let front = plane.address().await;
    let ask = async |method: &str| {
        talk(front, &format!("{method} / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")).await
    };
    assert!(ask("GET").await.starts_with("HTTP/1.1 200"));
    assert!(ask("GET").await.starts_with("HTTP/1.1 200"), "sent again on a new connection");
    assert_eq!(plane.web().await.total.retried, 1);
    let posted = ask("POST").await;
    assert!(posted.starts_with("HTTP/1.1 502"), "{posted}");
    let total = plane.web().await.total;
    assert_eq!((total.retried, total.reset, total.failed), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_red_member_gets_nothing_while_another_is_green() {
    let plane = Plane::start();
    let (a, b) = (Upstream::start("a").await, Upstream::start("b").await);
    b.status.store(500, SeqCst);
    let mut wanted = web(1, Protocol::Http, vec![a.member("g", Active), b.member("g", Active)]);
    wanted.balancers[0].health = Some(check());
    plane.put(&wanted).await;
    let address = plane.address().await;
    until("b is red", async || (plane.web().await.members[1].health.state == HealthState::Down).then_some(())).await;
    let served = b.served.load(SeqCst);
    for _ in 0..10 {
        assert_eq!(get(address, "/").await, (200, "a".into()));
    }
    assert_eq!(plane.web().await.members[1].counters.requests, 0);
    assert!(b.served.load(SeqCst) >= served, "it is still checked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_members_the_answer_is_503_and_counted() {
    let plane = Plane::start();
    plane.put(&web(1, Protocol::Http, Vec::new())).await;
    let (status, text) = get(plane.address().await, "/").await;
    assert_eq!((status, text.as_str()), (503, "no instance takes traffic here\n"));
    assert_eq!(plane.web().await.no_member, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_pass_in_both_directions_and_upgrades_become_tunnels() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    plane.put(&web(1, Protocol::Auto, vec![a.member("g", Active)])).await;
    let front = plane.address().await;
    let body = "x".repeat(300_000);
    let request =
        format!("POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert!(talk(front, &request).await.ends_with(&body));
    let chunked = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert!(talk(front, chunked).await.ends_with("abc"));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let echo = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let n = stream.read(&mut request).await.unwrap();
        assert!(String::from_utf8_lossy(&request[..n]).to_lowercase().contains("upgrade: echo"));
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
            .await
            .unwrap();
        let (mut reader, mut writer) = stream.split();
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    });
    let member =
        dataplane::wanted::Member { id: "e".into(), group: "g".into(), address: echo, weight: 1, state: Active };
    plane.put(&web(2, Protocol::Auto, vec![member])).await;
    let mut stream = TcpStream::connect(front).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n").await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream.write_all(b"ping").await.unwrap();
    let mut pong = [0; 4];
    stream.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"ping");
    assert_eq!(plane.web().await.total.open, 1);

    // Draining waits for the tunnel, which is no HTTP any more, until its deadline.
    let mut member = plane.client.wanted().await.unwrap().unwrap().balancers[0].members[0].clone();
    member.state = Draining;
    let mut draining = web(3, Protocol::Auto, vec![member]);
    draining.balancers[0].drain_ms = Some(1_500);
    plane.put(&draining).await;
    stream.write_all(b"GET\n\0\xff").await.unwrap();
    let mut echoed = [0; 6];
    stream.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"GET\n\0\xff");
    let rest = tokio::time::timeout(Duration::from_secs(8), stream.read(&mut echoed)).await.expect("it is cut");
    assert_eq!(rest.unwrap_or(0), 0);
    until("it is closed", async || (plane.web().await.total.open == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_of_clients_keeps_its_clients_by_cookie_while_it_grows() {
    let plane = Plane::start();
    let (old, new) = (Upstream::start("old").await, Upstream::start("new").await);
    let wanted = |generation, percent| {
        let mut wanted = web(generation, Protocol::Http, vec![old.member("v1", Active), new.member("v2", Active)]);
        wanted.balancers[0].shares = vec![Share { group: "v2".into(), percent }];
        wanted.balancers[0].stickiness =
            Some(Stickiness { key: StickyKey::Cookie { name: "lane".into(), max_age_s: None }, to: StickyTo::Group });
        wanted
    };
    plane.put(&wanted(1, 50)).await;
    let front = plane.address().await;
    let ask = async |cookie: &str| {
        let answer =
            talk(front, &format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncookie: {cookie}\r\n\r\n")).await;
        let given = answer.lines().find_map(|l| l.strip_prefix("set-cookie: ")).map(|c| c.split(';').next().unwrap());
        (given.map(str::to_owned), answer.rsplit("\r\n").next().unwrap().to_owned())
    };
    let mut clients = Vec::new();
    for _ in 0..40 {
        let (cookie, answer) = ask("theme=dark").await;
        clients.push((cookie.expect("a cookie for a new client"), answer));
    }
    let canary = clients.iter().filter(|c| c.1 == "new").count();
    // Of 40 fair coins, fewer than 5 or more than 35 fall on one side once in millions of times.
    assert!((5..=35).contains(&canary), "{canary}");
    for (cookie, answer) in &clients {
        assert_eq!(ask(&format!("theme=dark; {cookie}")).await, (None, answer.clone()));
    }
    plane.put(&wanted(2, 80)).await;
    for (cookie, _) in clients.iter().filter(|c| c.1 == "new") {
        assert_eq!(ask(cookie).await.1, "new");
    }
    plane.put(&wanted(3, 0)).await;
    for (cookie, _) in &clients {
        assert_eq!(ask(cookie).await.1, "old", "the way back is for all");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_count_for_groups_and_a_header_makes_clients_sticky() {
    let plane = Plane::with(|o| o.workers = 1);
    let members = [
        Upstream::start("a").await,
        Upstream::start("b").await,
        Upstream::start("c").await,
        Upstream::start("d").await,
    ];
    let group = |m: &Upstream| m.member(if m.name == "a" { "v2" } else { "v1" }, Active);
    let mut wanted = web(1, Protocol::Http, members.iter().map(group).collect());
    wanted.balancers[0].shares = vec![Share { group: "v2".into(), percent: 10 }];
    plane.put(&wanted).await;
    let front = plane.address().await;
    for _ in 0..100 {
        assert_eq!(get(front, "/").await.0, 200);
    }
    assert_eq!(members[0].served.load(SeqCst), 10, "one member in four, but a tenth of the requests");

    wanted.generation = 2;
    wanted.balancers[0].shares.clear();
    wanted.balancers[0].stickiness =
        Some(Stickiness { key: StickyKey::Header { name: "x-user".into() }, to: StickyTo::Member });
    plane.put(&wanted).await;
    let ask = async |user: u32| {
        let answer =
            talk(front, &format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-user: {user}\r\n\r\n")).await;
        answer.rsplit("\r\n").next().unwrap().to_owned()
    };
    let mut seen = std::collections::BTreeSet::new();
    for user in 0..30 {
        let first = ask(user).await;
        assert_eq!(ask(user).await, first);
        seen.insert(first);
    }
    assert!(seen.len() > 1, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn least_connections_spares_the_member_that_is_busy() {
    let plane = Plane::start();
    let (a, b) = (Upstream::start("a").await, Upstream::start("b").await);
    let mut wanted = web(1, Protocol::Http, vec![a.member("g", Active)]);
    plane.put(&wanted).await;
    let front = plane.address().await;
    let slow = tokio::spawn(async move { get(front, "/hang").await });
    until("a is busy", async || (plane.web().await.members[0].counters.open == 1).then_some(())).await;
    wanted.generation = 2;
    wanted.balancers[0].choice = Choice::LeastConnections;
    wanted.balancers[0].members.push(b.member("g", Active));
    plane.put(&wanted).await;
    for _ in 0..10 {
        assert_eq!(get(front, "/").await, (200, "b".into()));
    }
    slow.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_named_and_taken_when_it_is_free() {
    let plane = Plane::start();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut wanted: Wanted = web(1, Protocol::Http, Vec::new());
    wanted.balancers[0].listeners[0].address = taken.local_addr().unwrap();
    let accepted = plane.client.put_wanted(&wanted).await.unwrap();
    let problem = format!("port in use by pid {}", std::process::id());
    assert!(
        accepted.problems[0].starts_with(&format!("balancer web: {}: {problem} (", taken.local_addr().unwrap())),
        "{accepted:?}"
    );
    assert!(plane.web().await.listeners[0].problem.as_ref().unwrap().starts_with(&problem));
    drop(taken);
    until("it listens", async || plane.web().await.listeners[0].bound).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_second_of_each_group_can_be_read_afterwards() {
    let plane = Plane::start();
    let (a, b) = (Upstream::start("a").await, Upstream::start("b").await);
    b.status.store(500, SeqCst);
    plane.put(&web(1, Protocol::Http, vec![a.member("v1", Active)])).await;
    let began = plane.status().await.at;
    let front = plane.address().await;
    for _ in 0..20 {
        assert_eq!(get(front, "/").await.0, 200);
    }
    plane.put(&web(2, Protocol::Http, vec![b.member("v2", Active)])).await;
    for _ in 0..5 {
        assert_eq!(get(front, "/").await.0, 500);
    }
    plane.put(&web(3, Protocol::Http, Vec::new())).await;
    assert_eq!(get(front, "/").await.0, 503);
    let sum = |seconds: &[Second], get: fn(&Second) -> u64| seconds.iter().map(get).sum::<u64>();
    let series = until("the last second is over", async || {
        let series = plane.client.series("web", 0).await.unwrap();
        (!series.unserved.is_empty()).then_some(series)
    })
    .await;
    let told: Vec<_> = series
        .groups
        .iter()
        .map(|g| (g.group.as_str(), sum(&g.seconds, |s| s.requests), sum(&g.seconds, |s| s.failures)))
        .collect();
    assert_eq!(told, [("v1", 20, 0), ("v2", 5, 5)]);
    assert_eq!(series.unserved.iter().map(|s| s.requests).sum::<u64>(), 1);
    for second in series.groups.iter().flat_map(|g| &g.seconds) {
        assert!(second.at % 1000 == 0 && second.at > began - 1000 && second.at < series.at, "{second:?}");
        // An answer may come in the second after its request.
        assert!(
            second.answers == 0
                || 0 < second.p50_us && second.p50_us <= second.p99_us && second.p99_us <= second.max_us,
            "{second:?}"
        );
    }
    let later = plane.client.series("web", series.at).await.unwrap();
    assert!(later.groups.iter().all(|g| g.seconds.is_empty()));
    let unknown = plane.client.series("nobody", 0).await;
    assert!(matches!(unknown, Err(dataplane::client::ClientError::Refused { status: 404, .. })), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_while_the_only_member_is_replaced_but_not_for_ever() {
    let plane = Plane::start();
    let old = Upstream::start("old").await;
    let held = |generation, members, hold| {
        let mut wanted = web(generation, Protocol::Http, members);
        wanted.balancers[0].hold_ms = Some(hold);
        wanted
    };
    plane.put(&held(1, vec![old.member("g", Active)], 20_000)).await;
    let front = plane.address().await;
    assert_eq!(get(front, "/").await, (200, "old".into()));
    // One request finds nobody listening, the other finds no member at all.
    let member = old.member("g", Active);
    old.kill().await;
    let refused = tokio::spawn(async move { get(front, "/").await });
    until("it was refused", async || {
        plane.web().await.members.first().is_some_and(|m| m.counters.refused > 0).then_some(())
    })
    .await;
    // Long enough to be refused again and again.
    tokio::time::sleep(Duration::from_millis(100)).await;
    plane.put(&held(2, Vec::new(), 20_000)).await;
    let early = tokio::spawn(async move { get(front, "/").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let new = Upstream::start("new").await;
    plane.put(&held(3, vec![new.member("g", Active)], 20_000)).await;
    assert_eq!(refused.await.unwrap(), (200, "new".into()));
    assert_eq!(early.await.unwrap(), (200, "new".into()));
    let now = plane.web().await;
    assert_eq!((now.total.failed, now.no_member), (0, 0));
    let counted = (now.total.requests, now.total.refused, now.total.retried);
    assert_eq!(counted, (3, 1, 1), "each request once, however often it was tried");

    plane.put(&held(4, vec![member], 50)).await;
    assert_eq!(get(front, "/").await, (502, "no instance accepted the connection\n".into()));
    let now = plane.web().await;
    assert_eq!(now.total.failed + now.no_member, 1, "it is told once");
    plane.put(&held(5, Vec::new(), 50)).await;
    assert_eq!(get(front, "/").await.0, 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_fails_requests_is_left_out_for_a_while_without_a_check() {
    let plane = Plane::start();
    let (good, dead) = (Upstream::start("good").await, Upstream::start("dead").await);
    let members = vec![good.member("g", Active), dead.member("g", Active)];
    dead.kill().await;
    let mut wanted = web(1, Protocol::Http, members.clone());
    wanted.balancers[0].ejection = Some(Ejection { failures: 2, for_ms: 60_000 });
    plane.put(&wanted).await;
    let front = plane.address().await;
    for _ in 0..20 {
        assert_eq!(get(front, "/").await, (200, "good".into()));
    }
    let seen = plane.web().await;
    let tries = seen.members[1].counters.refused;
    assert!(seen.members[1].ejected && !seen.members[0].ejected);
    // Each of the two workers may be asking it just then.
    assert!((2..=3).contains(&tries), "asked {tries} times");
    // Where all are left out, one is asked all the same.
    plane
        .put(&Wanted {
            generation: 2,
            balancers: vec![Balancer { members: members[1..].to_vec(), ..wanted.balancers[0].clone() }],
            ..wanted
        })
        .await;
    assert_eq!(get(front, "/").await.0, 502);
    assert!(plane.web().await.members[0].counters.refused > tries);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_tcp_connections_are_told_whose_they_are() {
    let plane = Plane::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let member = Member { id: "raw".into(), group: "g".into(), address, weight: 1, state: Active };
    let mut wanted = web(1, Protocol::Tcp, vec![member]);
    wanted.balancers[0].send_proxy = Some(ProxyProtocol::V1);
    plane.put(&wanted).await;
    let front = plane.address().await;
    let mut client = TcpStream::connect(front).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let (mut got, _) = listener.accept().await.unwrap();
    let own = client.local_addr().unwrap();
    let expected = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\nhello", own.port(), front.port());
    let mut bytes = vec![0; expected.len()];
    got.read_exact(&mut bytes).await.unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}
