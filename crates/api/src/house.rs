//! What the handlers work with: one clone a request, all of it shared.

use std::sync::Arc;

use access::Tokens;
use bakery::Bakery;
use cloud::Clouds;
use events::notify::Notifiers;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pipeline::{Engine, Registry};
use stages::room::Room;
use stages::tidy::Tidy;
use stages::webhook::Preconfigured;
use store::Store;
use store::clock::Clock;

use crate::aptly::Aptly;
use crate::ui::AptCommands;
use crate::{Problem, Watched};

/// The rooms that a handler may enter. Made once, by the binary's wiring.
#[derive(Clone)]
pub struct House {
    /// The control store.
    pub store: Store,
    /// What runs pipelines and jobs.
    pub engine: Engine,
    /// The accounts.
    pub clouds: Arc<Clouds>,
    /// The images.
    pub bakery: Bakery,
    /// The stage types and tasks, for questions about pipelines that do not run.
    pub registry: Arc<Registry>,
    /// Every kind of stage that a pipeline may hold, sorted.
    pub stage_kinds: Arc<Vec<&'static str>>,
    /// Webhooks that the operator prepared.
    pub webhooks: Arc<Vec<Preconfigured>>,
    /// Whether others than this machine reach the server.
    pub reachable: bool,
    /// By what people are told.
    pub notifiers: Notifiers,
    /// Where people reach the page, without a slash at its end.
    pub public_url: Arc<str>,
    /// The zone of cron triggers that name none.
    pub cron_zone: TimeZone,
    /// The tokens that open the door.
    pub tokens: Arc<Tokens>,
    /// The aptly roots that the server follows.
    pub roots: Arc<Vec<apt::Root>>,
    /// How aptly's command line is run for callers elsewhere; none where it is not.
    pub apt_commands: Option<Arc<dyn AptCommands>>,
    /// What goes by itself after its time.
    pub tidy: Tidy,
    /// Room on the disks.
    pub room: Room,
    /// aptly's API over the first of them.
    pub aptly: Aptly,
    /// What the server is watched by.
    pub watched: Arc<Watched>,
}

impl House {
    /// The time, from the clock that the store was opened with.
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// The clock that the store was opened with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.store.clock()
    }

    /// Reads from the control store.
    pub async fn read<T, E>(
        &self,
        work: impl Fn(&mut store::Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: From<store::StoreError> + Into<Problem> + Send + 'static,
    {
        self.store.read(work).await.map_err(Into::into)
    }

    /// Writes to the control store; answered after the commit.
    pub async fn write<T, E>(
        &self,
        work: impl Fn(&mut store::Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: From<store::StoreError> + Into<Problem> + Send + 'static,
    {
        self.store.write(work).await.map_err(Into::into)
    }
}
