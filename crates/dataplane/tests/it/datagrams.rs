//! UDP listeners: flows stay together, move when they must, and lose nothing that a member did not take.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use dataplane::client::{Client, ClientError};
use dataplane::wanted::MemberState::{Active, Draining, Out};
use dataplane::wanted::{Certificate, Member, MemberState, Protocol, ProxyProtocol, Wanted};
use tokio::net::UdpSocket;

use crate::world::{Plane, Served, folder, until, web};

/// A member that answers its name and what it got.
struct Echo {
    name: String,
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Echo {
    async fn start(name: &str) -> Self {
        Self::at(name, "127.0.0.1:0".parse().unwrap()).await
    }

    async fn at(name: &str, address: SocketAddr) -> Self {
        let socket = UdpSocket::bind(address).await.unwrap();
        let (address, own) = (socket.local_addr().unwrap(), name.to_owned());
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 65_535];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let answer = [own.as_bytes(), b" ", &buffer[..length]].concat();
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        Self { name: name.into(), address, task }
    }

    fn member(&self, state: MemberState) -> Member {
        Member { id: self.name.clone(), group: "g".into(), address: self.address, weight: 1, state }
    }

    /// Nobody is at its port any more.
    async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

fn udp(generation: u64, members: Vec<Member>) -> Wanted {
    web(generation, Protocol::Udp, members)
}

/// A client with a port of its own.
async fn client(from: &str, to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((from, 0)).await.unwrap();
    socket.connect(to).await.unwrap();
    socket
}

async fn ask(client: &UdpSocket, text: &[u8]) -> Vec<u8> {
    client.send(text).await.unwrap();
    let mut buffer = vec![0; 65_535];
    let length =
        tokio::time::timeout(Duration::from_secs(5), client.recv(&mut buffer)).await.expect("an answer").unwrap();
    buffer.truncate(length);
    buffer
}

/// Who answers.
async fn who(client: &UdpSocket) -> String {
    let answer = String::from_utf8(ask(client, b"?").await).unwrap();
    answer.strip_suffix(" ?").expect("its own question").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_stays_at_its_member_and_flows_spread() {
    let plane = Plane::start();
    let (a, b) = (Echo::start("a").await, Echo::start("b").await);
    plane.put(&udp(1, vec![a.member(Active), b.member(Active)])).await;
    let front = plane.address().await;
    let mut flows = BTreeMap::new();
    for _ in 0..64 {
        let flow = client("127.0.0.1", front).await;
        let first = who(&flow).await;
        for _ in 0..3 {
            assert_eq!(who(&flow).await, first);
        }
        flows.entry(first).or_insert_with(Vec::new).push(flow);
    }
    // By chance one of 2^63 times all 64 lie on one side; fewer than 12 on one side less than once in a million.
    assert!(flows.len() == 2 && flows.values().all(|flows| flows.len() >= 12), "{flows:?}");
    let seen = plane.web().await;
    assert_eq!((seen.total.requests, seen.total.open, seen.total.failed, seen.no_member), (64, 64, 0, 0));
    assert_eq!(seen.total.latency.buckets.iter().map(|(_, n)| n).sum::<u64>(), 64, "each flow's first answer is timed");

    // Long datagrams cross whole, in both directions.
    let long: Vec<u8> = (0..60_000u32).map(|i| i as u8).collect();
    let flow = &flows["a"][0];
    assert_eq!(ask(flow, &long).await, [b"a ", long.as_slice()].concat());
    // As many at once as a client likes: they come in any order, none is lost here.
    for i in 0..50 {
        flow.send(format!("{i:02}").as_bytes()).await.unwrap();
    }
    let mut buffer = [0; 64];
    let mut got = BTreeSet::new();
    for _ in 0..50 {
        let length = tokio::time::timeout(Duration::from_secs(5), flow.recv(&mut buffer)).await.unwrap().unwrap();
        got.insert(String::from_utf8(buffer[..length].to_vec()).unwrap());
    }
    assert_eq!(got, (0..50).map(|i| format!("a {i:02}")).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_member_keeps_its_flows_until_the_deadline_and_gets_no_new_one() {
    let plane = Plane::start();
    let (a, b) = (Echo::start("a").await, Echo::start("b").await);
    plane.put(&udp(1, vec![a.member(Active)])).await;
    let front = plane.address().await;
    let old = client("127.0.0.1", front).await;
    assert_eq!(who(&old).await, "a");
    plane.put(&udp(2, vec![a.member(Draining), b.member(Active)])).await;
    for _ in 0..20 {
        assert_eq!(who(&client("127.0.0.1", front).await).await, "b");
    }
    assert_eq!(who(&old).await, "a");
    let mut wanted = udp(3, vec![a.member(Draining), b.member(Active)]);
    wanted.balancers[0].drain_ms = Some(50);
    plane.put(&wanted).await;
    until("the old flow has moved", async || (who(&old).await == "b").then_some(())).await;
    until("nothing is open there", async || (plane.web().await.members[0].counters.open == 0).then_some(())).await;
    // Taken out at once, without a deadline.
    plane.put(&udp(4, vec![a.member(Active), b.member(Out)])).await;
    assert_eq!(who(&old).await, "a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_member_refused_another_one_answers() {
    let plane = Plane::start();
    let (a, b) = (Echo::start("a").await, Echo::start("b").await);
    plane.put(&udp(1, vec![a.member(Active), b.member(Active)])).await;
    let front = plane.address().await;
    let mut there = None;
    while there.is_none() {
        let flow = client("127.0.0.1", front).await;
        there = (who(&flow).await == "a").then_some(flow);
    }
    let there = there.unwrap();
    a.kill().await;
    // Twelve new clients: about half of them belong to the dead one; not one datagram is lost.
    for _ in 0..12 {
        assert_eq!(who(&client("127.0.0.1", front).await).await, "b");
    }
    // One that was there has had answers: its next datagram tells us that nobody is there, the one after it is answered elsewhere.
    there.send(b"?").await.unwrap();
    until("the flow has moved", async || {
        there.send(b"?").await.unwrap();
        let mut buffer = [0; 16];
        let got = tokio::time::timeout(Duration::from_millis(100), there.recv(&mut buffer)).await;
        got.is_ok_and(|got| &buffer[..got.unwrap()] == b"b ?").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_from_the_address_that_was_asked() {
    let plane = Plane::start();
    let a = Echo::start("a").await;
    let mut wanted = udp(1, vec![a.member(Active)]);
    wanted.balancers[0].listeners[0].address = "0.0.0.0:0".parse().unwrap();
    plane.put(&wanted).await;
    let port = plane.address().await.port();
    // A connected socket takes answers from its peer's address alone.
    for here in ["127.0.0.1", "127.0.0.2", "127.3.4.5"] {
        let flow = client("127.0.0.1", SocketAddr::new(here.parse().unwrap(), port)).await;
        assert_eq!(who(&flow).await, "a", "{here}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_firewall_keeps_datagrams_out_and_members_are_told_who_sends() {
    let plane = Plane::start();
    let a = Echo::start("a").await;
    let mut wanted = udp(1, vec![a.member(Active)]);
    wanted.balancers[0].listeners[0].allow = Some(vec!["127.0.0.2/32".parse().unwrap()]);
    wanted.balancers[0].send_proxy = Some(ProxyProtocol::V2);
    plane.put(&wanted).await;
    let front = plane.address().await;
    let stranger = client("127.0.0.1", front).await;
    stranger.send(b"?").await.unwrap();
    until("it is turned away", async || (plane.web().await.turned_away == 1).then_some(())).await;
    let friend = client("127.0.0.2", front).await;
    let answer = ask(&friend, b"?").await;
    let head = answer.strip_prefix(b"a ").unwrap();
    let port = friend.local_addr().unwrap().port().to_be_bytes();
    let expected = [
        b"\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c".as_slice(),
        &[127, 0, 0, 2, 127, 0, 0, 1, port[0], port[1]],
        &front.port().to_be_bytes(),
        b"?",
    ];
    assert_eq!(head, expected.concat());
    assert_eq!(plane.web().await.total.requests, 1);

    wanted.generation = 2;
    wanted.balancers[0].listeners[0].certificates = vec![Certificate { certificate: "/a".into(), key: "/b".into() }];
    let refused = plane.client.put_wanted(&wanted).await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::Refused { message, .. } if message.ends_with("are for listeners of connections")),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_are_bounded_and_end_when_nothing_comes() {
    let plane = Plane::with(|options| {
        options.limits.flows = 2;
        options.limits.flow_idle = Duration::from_millis(300);
    });
    let a = Echo::start("a").await;
    plane.put(&udp(1, vec![a.member(Active)])).await;
    let front = plane.address().await;
    let (first, second) = (client("127.0.0.1", front).await, client("127.0.0.1", front).await);
    assert_eq!((who(&first).await, who(&second).await), ("a".into(), "a".into()));
    let third = client("127.0.0.1", front).await;
    // It is dropped while there is no room, and served once the others have been silent for long enough.
    until("there is room", async || {
        third.send(b"?").await.unwrap();
        tokio::time::timeout(Duration::from_millis(20), third.recv(&mut [0; 16])).await.ok()
    })
    .await
    .unwrap();
    assert_eq!(plane.web().await.total.requests, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_goes_on_with_the_same_members() {
    let dir = folder();
    let plane = Client::new(dir.path());
    let mut old = Served::start(dir.path());
    until("it answers", async || plane.status().await.ok()).await;
    let members = [Echo::start("a").await, Echo::start("b").await, Echo::start("c").await];
    plane.put_wanted(&udp(1, members.iter().map(|m| m.member(Active)).collect())).await.unwrap();
    let before = plane.status().await.unwrap();
    let front = before.balancers[0].listeners[0].bound.unwrap();
    let mut flows = Vec::new();
    for _ in 0..24 {
        let flow = client("127.0.0.1", front).await;
        let at = who(&flow).await;
        flows.push((flow, at));
    }
    let _new = Served::replaced(dir.path());
    // Asked all the while: each answer comes, from the member that it came from before.
    let mut asked = 0;
    while plane.status().await.is_ok_and(|status| status.pid == before.pid) || asked < 20 {
        for (flow, at) in &flows {
            assert_eq!(who(flow).await, *at);
        }
        asked += 1;
    }
    assert!(old.wait().success());
    for (flow, at) in &flows {
        assert_eq!(who(flow).await, *at);
    }
}
