//! The simulated cloud passes the suite, is slow when asked, and fails when asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cloud::health::Capacity;
use cloud::operation::CreateServerGroup;
use cloud::simulated::{Behaviour, Fault, Simulated, World};
use cloud::{CloudError, Key, Operation, Progress, Provider, Query};
use jiff::SignedDuration;
use store::clock::FakeClock;
use testkit::provider_suite::{self, Ground};

struct Play {
    clock: Arc<FakeClock>,
    world: Arc<World>,
    provider: Mutex<Arc<dyn Provider>>,
}

fn play(takes: i64, boots: i64) -> Play {
    let clock = Arc::new(FakeClock::at_text("2026-08-01T12:00:00Z"));
    let behaviour = Behaviour { takes: SignedDuration::from_secs(takes), boots: SignedDuration::from_secs(boots) };
    let world = World::new(clock.clone(), behaviour);
    let provider: Arc<dyn Provider> = Arc::new(Simulated::open("cloudy", world.clone()));
    Play { clock, world, provider: Mutex::new(provider) }
}

#[async_trait]
impl Ground for Play {
    fn provider(&self) -> Arc<dyn Provider> {
        self.provider.lock().unwrap().clone()
    }

    async fn restart(&self) {
        *self.provider.lock().unwrap() = Arc::new(Simulated::open("cloudy", self.world.clone()));
    }

    async fn pass(&self) {
        self.clock.advance(SignedDuration::from_secs(1));
        self.world.tick();
    }

    fn image(&self) -> String {
        "good-image".into()
    }
}

fn create() -> Operation {
    Operation::CreateServerGroup(CreateServerGroup {
        cluster: "shop".parse().unwrap(),
        region: "there".into(),
        zones: Vec::new(),
        capacity: Capacity::exactly(2),
        image: "good-image".into(),
        instance_type: None,
        load_balancers: Vec::new(),
        firewalls: Vec::new(),
        traffic: true,
        env: Default::default(),
        labels: Default::default(),
        health_check: None,
    })
}

#[tokio::test]
async fn a_quick_simulated_cloud_passes_the_suite() {
    provider_suite::run(&play(0, 0)).await;
}

#[tokio::test]
async fn a_slow_simulated_cloud_passes_the_suite() {
    provider_suite::run(&play(7, 20)).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_group() {
    let play = play(0, 0);
    play.world.next(Fault::LosesAnswer);
    let lost = play.provider().start(&create(), &Key::new("one")).await.unwrap_err();
    assert!(lost.may_retry(), "{lost}");
    play.provider().start(&create(), &Key::new("one")).await.unwrap();
    assert_eq!(play.provider().list(&Query::default()).await.unwrap().server_groups.len(), 1);
}

#[tokio::test]
async fn a_cloud_that_is_overrun_says_how_long_to_wait_and_does_nothing() {
    let play = play(0, 0);
    let wait = std::time::Duration::from_secs(30);
    play.world.next(Fault::Refuses(CloudError::Throttled { account: "cloudy".into(), wait, why: "quota".into() }));
    let error = play.provider().start(&create(), &Key::new("one")).await.unwrap_err();
    assert_eq!(error.to_string(), "account cloudy asks to wait 30 s: quota");
    assert_eq!(play.provider().list(&Query::default()).await.unwrap().server_groups.len(), 0);
}

#[tokio::test]
async fn an_operation_that_fails_says_why() {
    let play = play(5, 0);
    play.world.next(Fault::Fails("no machines of this size are left".into()));
    let handle = play.provider().start(&create(), &Key::new("one")).await.unwrap();
    let failed = Progress::Failed { error: "no machines of this size are left".into() };
    assert_eq!(play.provider().poll(&handle).await.unwrap(), failed);
}
