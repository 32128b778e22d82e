//! What a command works on where no server runs: the data folder's own stores, under its lock, as a server would.

use anyhow::Context;
use stages::tidy::Tidy;
use store::lock::FolderLock;

use crate::environment::Environment;
use crate::machine::Place;
use crate::wiring;

/// The stores of a data folder that no server holds.
pub struct Alone {
    tidy: Tidy,
    _lock: FolderLock,
}

impl Alone {
    /// Takes the folder; nothing when a server has it, or when nothing is there.
    pub fn take(place: &Place) -> anyhow::Result<Option<Alone>> {
        let environment = Environment::read();
        let config = place.config(&environment)?;
        let data = std::path::absolute(config.data(&environment))?;
        if FolderLock::is_held(&data) || !(data.join("gennaker.db").exists() || data.join("images").exists()) {
            return Ok(None);
        }
        let lock = FolderLock::take(&data)?;
        Ok(Some(Alone { tidy: wiring::tidy(&config, &environment, &data)?, _lock: lock }))
    }

    /// Waits for work on them.
    pub fn wait<T, E: Into<anyhow::Error>, F: Future<Output = Result<T, E>>>(
        self,
        work: impl FnOnce(Tidy) -> F,
    ) -> anyhow::Result<T> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.context("cannot start a thread")?.block_on(work(self.tidy.clone())).map_err(Into::into)
    }
}
