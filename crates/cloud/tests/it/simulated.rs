//! The simulated cloud passes the suite, quick and slow. How it fails when asked is in `hostile`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cloud::Provider;
use cloud::simulated::{Behaviour, Simulated, World};
use jiff::SignedDuration;
use store::clock::FakeClock;
use testkit::provider_suite::{self, Ground};

pub struct Play {
    clock: Arc<FakeClock>,
    pub world: Arc<World>,
    provider: Mutex<Arc<dyn Provider>>,
}

/// A cloud whose operations and instances take so many seconds.
pub fn play(takes: i64, boots: i64) -> Play {
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

#[tokio::test]
async fn a_quick_simulated_cloud_passes_the_suite() {
    provider_suite::run(&play(0, 0)).await;
}

#[tokio::test]
async fn a_slow_simulated_cloud_passes_the_suite() {
    provider_suite::run(&play(7, 20)).await;
}
