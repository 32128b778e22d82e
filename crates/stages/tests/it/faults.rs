//! Every strategy, at every operation that it asks of its cloud, under everything that can happen there: the run ends, says why, users keep
//! the instances that they had, and nothing is left that nobody knows of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cloud::simulated::{Fault, World as Cloud};
use cloud::{CloudError, Query};
use jiff::SignedDuration;
use pipeline::Execution;
use pipeline::decide::Message;
use pipeline::model::Status;
use serde_json::{Value, json};
use store::clock::FakeClock;

use crate::cloud_play::{Play, deploy, why, world};

/// How many instances users have before, and never fewer.
const SIZE: u32 = 4;

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happens {
    /// The cloud refuses it.
    Refused,
    /// The cloud does it, and says that it failed.
    Failed,
    /// The cloud is overrun and has to be asked again.
    Throttled,
    /// The cloud does it, and nobody hears of it.
    LostAnswer,
    /// It never ends; a person cancels.
    Cancelled,
    /// It never ends within the stage's time.
    TimedOut,
    /// The server is killed meanwhile, and starts again.
    Killed,
}

use Happens::{Cancelled, Failed, Killed, LostAnswer, Refused, Throttled, TimedOut};

impl Happens {
    fn fault(self) -> Fault {
        match self {
            Refused => Fault::Refuses(CloudError::Refused("no machines are left".into())),
            Failed => Fault::Fails("no machines are left".into()),
            Throttled => {
                let wait = Duration::ZERO;
                Fault::Refuses(CloudError::Throttled { account: "cloudy".into(), wait, why: "quota".into() })
            }
            LostAnswer => Fault::LosesAnswer,
            Cancelled | TimedOut | Killed => Fault::Hangs,
        }
    }

    /// How the run ends, and what it says.
    fn ends(self) -> (Status, &'static str) {
        match self {
            Refused | Failed => (Status::Terminal, "no machines are left"),
            TimedOut => (Status::Terminal, "timed out"),
            Cancelled => (Status::Canceled, ""),
            Throttled | LostAnswer | Killed => (Status::Succeeded, ""),
        }
    }
}

/// A cloud with its time, and the folder of the servers that come and go.
struct Stand {
    folder: tempfile::TempDir,
    clock: Arc<FakeClock>,
    cloud: Arc<Cloud>,
}

impl Stand {
    /// Users have the first version.
    fn new() -> Stand {
        let clock = Arc::new(FakeClock::at_text("2027-03-01T12:00:00Z"));
        let (folder, cloud) = (tempfile::tempdir().unwrap(), world(clock.clone()));
        let stand = Stand { folder, clock, cloud };
        stand.live(async |play| {
            play.front().await;
            let first = json!({"loadBalancers": ["front"], "capacity": {"min": 1, "max": 8, "desired": SIZE}});
            play.succeeds(json!([deploy(first)])).await;
        });
        stand
    }

    /// A server until it is killed: its tasks stop where they are.
    fn live<T>(&self, does: impl AsyncFnOnce(&Play) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (result, writer) = runtime.block_on(async {
            let play = Play::over(self.folder.path(), self.cloud.clone(), self.clock.clone()).await;
            let result = does(&play).await;
            (result, play.store.changes())
        });
        runtime.shutdown_background();
        // The next server begins when the last write of this one is through: the lock that sees to it ends with a process.
        let deadline = Instant::now() + Duration::from_secs(20);
        while writer.has_changed().is_ok() {
            assert!(Instant::now() < deadline, "the writer of an ended server goes on");
            std::thread::sleep(Duration::from_millis(1));
        }
        result
    }

    /// Lets time pass until it is so.
    async fn until(&self, play: &Play, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        for _ in 0..4000 {
            if holds().await {
                return;
            }
            self.clock.advance(SignedDuration::from_secs(1));
            // The clock of this world does not wake anybody by itself.
            play.engine.wake("the clock was moved");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("it never comes to it: {what}");
    }

    async fn ended(&self, play: &Play, id: &str) -> Execution {
        self.until(play, "the run ends", async || play.now(id).await.status.is_complete()).await;
        play.now(id).await
    }
}

/// The deployment of the new version.
fn next(strategy: &str) -> Value {
    let more = json!({
        "strategy": strategy, "loadBalancers": ["front"], "image": "image-2", "useSourceCapacity": true, "targetPercentages": [50],
        "scaleDown": strategy == "redblack", "rollback": {"onFailure": true}, "batchSize": 2,
        "canary": {"percentage": 5, "lifetimeMinutes": 0, "minimumRequests": 0},
    });
    json!([deploy(more)])
}

fn plays(strategy: &str, at: usize, happens: Happens) {
    let stand = Stand::new();
    let begun = stand.cloud.steps().len();
    stand.cloud.after(at, happens.fault());
    let id = stand.live(async |play| {
        let id = play.begin(next(strategy)).await;
        if matches!(happens, Cancelled | Killed | TimedOut) {
            stand.until(play, "the operation is started", async || stand.cloud.steps().len() > begun + at).await;
        }
        match happens {
            Killed => return id,
            Cancelled => {
                play.engine.tell(&id, Message::CancelExecution { user: "me".into(), reason: None }).await.unwrap();
            }
            // More than any stage may take.
            TimedOut => stand.clock.advance(SignedDuration::from_mins(35)),
            _ => {}
        }
        stand.ended(play, &id).await;
        id
    });
    stand.cloud.release();
    stand.live(async |play| judge(&stand, play, &id, strategy, at, happens).await);
}

async fn judge(stand: &Stand, play: &Play, id: &str, strategy: &str, at: usize, happens: Happens) {
    let run = stand.ended(play, id).await;
    let steps = play.cloud.steps();
    let case = format!("{strategy}, operation {at}, {happens:?}: {steps:?}, {}", told(&run));
    let (status, says) = happens.ends();
    assert_eq!(run.status, status, "{case}");
    assert!(why(&run).contains(says), "{case}");
    // The first two steps made the balancer and the first version.
    assert!(steps.iter().skip(2).all(|step| step.up >= SIZE), "users keep what they had: {case}");
    let known: String =
        run.stages.iter().filter_map(|stage| stage.context.get("deploy.server.groups")).map(Value::to_string).collect();
    let there = play.clouds.list(&Query::of("shop")).await.unwrap();
    assert_eq!(stages::infrastructure::orphans(&there, &["shop".into()], &[]), [], "{case}");
    for group in there.server_groups {
        let name = group.name.to_string();
        assert!(name == "shop-v000" || known.contains(&name) || was_cut_off(&run), "nobody knows {name}: {case}");
        if name == "shop-v000" {
            assert!(group.capacity.min <= 1, "the old group is still pinned to {:?}: {case}", group.capacity);
        }
    }
}

/// A group whose making was cut off stands in the run by the task that made it.
fn was_cut_off(run: &Execution) -> bool {
    let stages = run.stages.iter().filter(|stage| stage.kind == "createServerGroup");
    let cut = |name: &str, status: Status| {
        name.contains("eploy") && status != Status::Succeeded
            || name == "createServerGroup" && status == Status::Canceled
    };
    stages.flat_map(|stage| &stage.tasks).any(|task| cut(&task.name, task.status))
}

fn told(run: &Execution) -> String {
    let stages = run.stages.iter().map(|stage| format!("{} {:?}", stage.name, stage.status));
    format!("{}; {}", stages.collect::<Vec<_>>().join(", "), why(run))
}

/// How many operations a deployment asks for when all is well.
fn operations(strategy: &str) -> usize {
    let stand = Stand::new();
    let begun = stand.cloud.steps().len();
    stand.live(async |play| {
        let id = play.begin(next(strategy)).await;
        let run = stand.ended(play, &id).await;
        assert_eq!(run.status, Status::Succeeded, "{}", told(&run));
    });
    stand.cloud.steps().len() - begun
}

fn at_every_operation(strategy: &str, expected: usize) {
    assert_eq!(operations(strategy), expected);
    std::thread::scope(|scope| {
        for at in 0..expected {
            scope.spawn(move || {
                for happens in [Refused, Failed, Throttled, LostAnswer, Cancelled, TimedOut, Killed] {
                    plays(strategy, at, happens);
                }
            });
        }
    });
}

#[test]
fn no_strategy_at_all() {
    at_every_operation("none", 1);
}

#[test]
fn highlander() {
    at_every_operation("highlander", 3);
}

#[test]
fn red_black() {
    at_every_operation("redblack", 3);
}

#[test]
fn rolling_red_black() {
    at_every_operation("rollingredblack", 7);
}

#[test]
fn rolling() {
    at_every_operation("rolling", 6);
}

#[test]
fn canary() {
    at_every_operation("canary", 8);
}
