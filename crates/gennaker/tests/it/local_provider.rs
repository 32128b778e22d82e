//! This machine as a cloud passes the same suite as every other, over a real data plane with real programs.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cloud::Provider;
use cloud::local::{self, FoldersOnly, Local, MIGRATIONS, Options};
use dataplane::client::Client;
use dataplane::wanted::Wanted;
use jiff::SignedDuration;
use store::clock::SystemClock;
use store::{Location, Store};
use testkit::provider_suite::{self, Ground};

use crate::redblack_story::image;

struct Machine {
    folder: tempfile::TempDir,
    store: Store,
    provider: Mutex<Option<Arc<Local>>>,
}

impl Machine {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("its own");
        image(&folder.path().join("image"), "HTTP/1.1 200 OK", "hello");
        let place = Location::Sqlite(folder.path().join("gennaker.db"));
        let store = Store::open(place, &[MIGRATIONS], Arc::new(SystemClock)).expect("a store");
        let provider = Mutex::new(Some(open(&store, folder.path())));
        Self { folder, store, provider }
    }

    /// Ends everything that runs.
    async fn end(self) {
        drop(self.provider.lock().expect("not poisoned").take());
        let client = Client::new(self.folder.path());
        let generation = client.status().await.ok().and_then(|status| status.generation).unwrap_or(0) + 1;
        client.put_wanted(&Wanted { generation, ..Wanted::default() }).await.expect("it ends the instances");
        for _ in 0..400 {
            match client.status().await {
                Ok(status) if !status.instances.is_empty() => tokio::time::sleep(Duration::from_millis(25)).await,
                _ => break,
            }
        }
        client.stop().await.expect("it ends");
    }
}

fn open(store: &Store, folder: &Path) -> Arc<Local> {
    let mut options = Options::new(folder, env!("CARGO_BIN_EXE_gennaker"), "/usr/bin:/bin");
    options.drain = SignedDuration::from_secs(2);
    local::open(store.clone(), options, Arc::new(FoldersOnly)).remove(0)
}

#[async_trait]
impl Ground for Machine {
    fn provider(&self) -> Arc<dyn Provider> {
        self.provider.lock().expect("not poisoned").clone().expect("it is open")
    }

    async fn restart(&self) {
        drop(self.provider.lock().expect("not poisoned").take());
        *self.provider.lock().expect("not poisoned") = Some(open(&self.store, self.folder.path()));
    }

    async fn pass(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    fn image(&self) -> String {
        self.folder.path().join("image").to_string_lossy().into_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_passes_the_suite() {
    let machine = Machine::start();
    provider_suite::run(&machine).await;
    machine.end().await;
}
