//! Health: what turns it red and green, and the sentence that says why.

use std::sync::atomic::Ordering::SeqCst;

use dataplane::status::{Health, HealthState};
use dataplane::wanted::MemberState::Active;
use dataplane::wanted::{Probe, Protocol};
use tokio::net::TcpListener;

use crate::world::{Plane, Upstream, check, until, web};

async fn becomes(plane: &Plane, state: HealthState) -> Health {
    until(&format!("{state:?}"), async || {
        Some(plane.web().await.members[0].health.clone()).filter(|h| h.state == state)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_follows_the_answers_and_says_what_it_asked_and_got() {
    let plane = Plane::start();
    let a = Upstream::start("a").await;
    let mut wanted = web(1, Protocol::Http, vec![a.member("g", Active)]);
    wanted.balancers[0].health = Some(check());
    plane.put(&wanted).await;
    let start = plane.status().await.seq;

    assert_eq!(becomes(&plane, HealthState::Up).await.why, format!("GET http://{}/ answered 200", a.address));
    a.status.store(500, SeqCst);
    assert_eq!(
        becomes(&plane, HealthState::Down).await.why,
        format!("GET http://{}/ answered 500, expected 200-299", a.address)
    );
    a.status.store(204, SeqCst);
    becomes(&plane, HealthState::Up).await;
    let address = a.address;
    drop(a);
    assert_eq!(
        becomes(&plane, HealthState::Down).await.why,
        format!("GET http://{address}/ was refused: nothing listens there")
    );

    let counted = plane.web().await.checks;
    assert!(counted.passed >= 2 && counted.failed >= 2, "each check is counted: {counted:?}");

    let events = plane.client.events(start, std::time::Duration::ZERO).await.unwrap();
    let told: Vec<&str> =
        events.events.iter().filter(|e| e.id == "web/a").map(|e| e.text.split(':').next().unwrap()).collect();
    assert!(told.ends_with(&["web/a is red", "web/a is green", "web/a is red"]), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_and_nonsense_are_told_apart() {
    let plane = Plane::start();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let member = dataplane::wanted::Member { id: "s".into(), group: "g".into(), address, weight: 1, state: Active };
    let mut wanted = web(1, Protocol::Http, vec![member]);
    wanted.balancers[0].health = Some(dataplane::wanted::HealthCheck { timeout_ms: 60, ..check() });
    plane.put(&wanted).await;
    assert_eq!(
        becomes(&plane, HealthState::Down).await.why,
        format!("GET http://{address}/ got no answer within 60 ms")
    );

    // A TCP check is content with the connection.
    wanted.generation = 2;
    wanted.balancers[0].health = Some(dataplane::wanted::HealthCheck { probe: Probe::Tcp { port: None }, ..check() });
    plane.put(&wanted).await;
    assert_eq!(becomes(&plane, HealthState::Up).await.why, format!("TCP connection to {address} was accepted"));
}
