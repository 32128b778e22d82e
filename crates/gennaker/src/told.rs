//! Tells the live stream when something in a cloud looks different, an instance's health for one: that is in no row of the store.

use std::time::Duration;

use cloud::Clouds;
use store::Store;

/// Changes of one account within this time are told as one.
const GATHER: Duration = Duration::from_millis(100);

/// Tells for as long as the clouds are there. The key is the account.
pub fn follow(store: &Store, clouds: &Clouds) {
    for provider in clouds.providers() {
        let (mut changes, store) = (provider.watch(), store.clone());
        let account = provider.describe().name.clone();
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                let account = account.clone();
                let told = store.write(move |tx| tx.change("inventory", &account)).await;
                if let Err(error) = told {
                    tracing::warn!(%error, "could not tell the live stream of a change");
                }
                tokio::time::sleep(GATHER).await;
            }
        });
    }
}
