//! Which effects run right now, so that what a cancelled stage has started can be ended after it was started, not before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::model::Execution;

/// How long a cancellation waits for what is in flight: most calls of a cloud are answered by then.
const PATIENCE: Duration = Duration::from_secs(30);

/// All running effects.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Mutex<InFlight>>);

#[derive(Default)]
struct InFlight {
    last: u64,
    /// By execution and number: the stage, and a channel that closes when the effect has answered.
    all: HashMap<String, HashMap<u64, (String, watch::Receiver<()>)>>,
}

/// One running effect, until it is dropped.
pub(super) struct Flight {
    flights: Flights,
    execution: String,
    number: u64,
    _open: watch::Sender<()>,
}

impl Flights {
    /// Notes that an effect of a stage runs.
    pub fn begin(&self, execution: &str, stage: &str) -> Flight {
        let (open, closes) = watch::channel(());
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.last += 1;
        let number = inner.last;
        inner.all.entry(execution.to_owned()).or_default().insert(number, (stage.to_owned(), closes));
        Flight { flights: self.clone(), execution: execution.to_owned(), number, _open: open }
    }

    /// How many run.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all.values().map(HashMap::len).sum()
    }

    /// Returns when nothing runs any more in a stage and what is inside it, or after a while.
    pub async fn ended(&self, run: &Execution, stage: &str) {
        let inside = |id: &str| run.around(id).any(|one| one.id == stage);
        let closes: Vec<watch::Receiver<()>> = {
            let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let flights = inner.all.get(&run.id).into_iter().flat_map(HashMap::values);
            flights.filter(|(stage, _)| inside(stage)).map(|(_, closes)| closes.clone()).collect()
        };
        let all = async {
            for mut closes in closes {
                // It never changes, it closes.
                while closes.changed().await.is_ok() {}
            }
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::warn!(execution = run.id, stage, "an effect of a cancelled stage goes on");
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut inner = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flights) = inner.all.get_mut(&self.execution) {
            flights.remove(&self.number);
            if flights.is_empty() {
                inner.all.remove(&self.execution);
            }
        }
    }
}
