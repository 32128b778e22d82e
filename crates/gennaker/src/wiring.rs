//! Wiring: from the configuration to the running parts. The only place that knows how everything is put together.

use std::path::Path;
use std::sync::Arc;

use access::Tokens;
use anyhow::Context;
use api::{Guard, GuardConfig, House};
use store::clock::{Clock, SystemClock};
use store::{Location, Migration, Store};

use crate::config::Config;
use crate::environment::Environment;

/// Every domain's schema, in the order in which they may refer to each other.
const SCHEMAS: &[&[Migration]] = &[];

/// What serves requests.
pub struct Parts {
    /// What handlers work with.
    pub house: House,
    /// Who may reach them.
    pub guard: Guard,
}

/// Opens the stores beneath `data` and puts the parts together. Starts nothing yet.
pub fn build(config: &Config, _environment: &Environment, data: &Path) -> anyhow::Result<Parts> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let location = match &config.server.store {
        Some(url) => Location::Postgres(url.reveal().into()),
        None => Location::Sqlite(data.join("gennaker.db")),
    };
    let store = Store::open(location, SCHEMAS, clock.clone()).context("cannot open the store")?;
    let tokens = Tokens::new(&config.token)?;
    let rules = GuardConfig { hosts: config.server.hosts.clone(), origins: config.server.allowed_origins.clone() };
    Ok(Parts { house: House { store }, guard: Guard::new(rules, tokens, clock) })
}

impl Parts {
    /// Starts what works by itself: the engine, the data plane's watch, the triggers. Requests are served already.
    pub async fn start(&self) -> anyhow::Result<()> {
        Ok(())
    }
}
