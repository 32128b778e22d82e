//! A small world for decisions: stage types that do next to nothing, a clock that is moved by hand, and a runtime that can
//! be crashed between any two steps.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::decide::{NEVER, Order, Timer, settle, task_input};
use pipeline::evaluate::Given;
use pipeline::model::{Kind, Status};
use pipeline::start::{IdSource, Start, Started, execution};
use pipeline::{
    Effect, Execution, Log, Message, Plan, PlanError, Registry, Stage, StageSpec, StageView, TaskInput, TaskResult,
    TaskSpec, World,
};
use serde_json::Value;

pub const NOON: i64 = 1_795_608_000_000;

/// Two effects, one after the other.
struct Work;
/// A timer.
struct Nap;
/// Two `work` stages before its own task, and one after it.
struct Nest;
/// An effect; when it failed, a `work` stage tidies up.
struct Risky;

impl Stage for Work {
    fn kind(&self) -> &'static str {
        "work"
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("first", "effect"), TaskSpec::new("second", "effect")]))
    }
}

impl Stage for Nap {
    fn kind(&self) -> &'static str {
        "nap"
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("nap", "nap")]))
    }
}

impl Stage for Nest {
    fn kind(&self) -> &'static str {
        "nest"
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        let plan = Plan::tasks([TaskSpec::new("own", "effect")]);
        Ok(plan.before(StageSpec::new("work", "left")).before(StageSpec::new("nap", "right")))
    }
    fn after(&self, _: &StageView) -> Result<Vec<StageSpec>, PlanError> {
        Ok(vec![StageSpec::new("work", "last")])
    }
}

impl Stage for Risky {
    fn kind(&self) -> &'static str {
        "risky"
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("risk", "effect")]))
    }
    fn on_failure(&self, _: &StageView) -> Vec<StageSpec> {
        vec![StageSpec::new("work", "sweep"), StageSpec::new("work", "mop")]
    }
}

fn nap(input: &TaskInput, now: Timestamp) -> TaskResult {
    let end = input.started + SignedDuration::from_secs(10);
    if end <= now { TaskResult::succeeded() } else { TaskResult::again(end, "it naps") }
}

struct Outside;

#[async_trait]
impl Effect for Outside {
    async fn run(&self, _: TaskInput) -> TaskResult {
        TaskResult::succeeded()
    }
}

pub fn registry() -> Registry {
    Registry::new()
        .stage(&Work)
        .stage(&Nap)
        .stage(&Nest)
        .stage(&Risky)
        .pure("nap", nap)
        .effect("effect", Arc::new(Outside))
}

#[derive(Debug, Default)]
struct Counted(std::cell::Cell<u32>);

impl IdSource for Counted {
    fn next(&self) -> String {
        self.0.set(self.0.get() + 1);
        format!("STAGE{:021}", self.0.get())
    }
}

/// The execution of a pipeline, not started.
pub fn made(config: &Value) -> Execution {
    let given = Given { now: Timestamp::from_millisecond(NOON).expect("a time"), ..Given::default() };
    let (config, trigger) = (config.as_object().expect("an object"), pipeline::Map::new());
    let ids = Counted::default();
    let start = Start {
        config,
        trigger: &trigger,
        kind: Kind::Pipeline,
        id: "EXECUTION".into(),
        ids: &ids,
        given: &given,
        prior_artifacts: &[],
    };
    match execution(&start).expect("it starts") {
        Started::Execution(run) => *run,
        Started::Needs(needs) => panic!("it needs {needs:?}"),
    }
}

/// A runtime in miniature.
pub struct Runtime {
    pub run: Execution,
    pub now: i64,
    pub registry: Registry,
    pending: BTreeMap<String, (i64, Message)>,
    /// Effects that were handed out and have not answered: stage, task, lease.
    pub under_way: Vec<(String, String, u64)>,
    /// The idempotency keys under which each task was run, by stage and task.
    pub keys: HashMap<(String, String), BTreeSet<String>>,
    pub ended: usize,
}

impl Runtime {
    pub fn new(config: &Value) -> Runtime {
        let mut runtime = Runtime {
            run: made(config),
            now: NOON,
            registry: registry(),
            pending: BTreeMap::new(),
            under_way: Vec::new(),
            keys: HashMap::new(),
            ended: 0,
        };
        runtime.tell(Message::StartExecution);
        runtime
    }

    fn given(&self) -> Arc<Given> {
        Arc::new(Given { now: Timestamp::from_millisecond(self.now).expect("a time"), ..Given::default() })
    }

    /// Settles a message and does what follows from it.
    pub fn tell(&mut self, message: Message) {
        let world = World { given: self.given(), registry: &self.registry, running: 0 };
        let settled = settle(&self.run, vec![message], &world);
        assert!(settled.rest.is_empty(), "it settles");
        self.run = settled.run;
        for timer in settled.timers {
            match timer {
                Timer::Set { key, due, message } => drop(self.pending.insert(key, (due, message))),
                Timer::Clear { key } => drop(self.pending.remove(&key)),
            }
        }
        for order in settled.orders {
            match order {
                Order::Run { stage, task, lease } => {
                    let world = World { given: self.given(), registry: &self.registry, running: 0 };
                    let run = Arc::new(self.run.clone());
                    let input = task_input(&run, &stage, &task, &world, Log::none()).expect("its stage is there");
                    self.keys.entry((stage.clone(), task.clone())).or_default().insert(input.key);
                    self.under_way.push((stage, task, lease));
                }
                Order::Ended => self.ended += 1,
                _ => {}
            }
        }
    }

    /// One of the effects that are under way answers.
    pub fn answer(&mut self, which: usize, result: TaskResult) {
        let (stage, task, lease) = self.under_way.remove(which % self.under_way.len());
        self.tell(Message::TaskFinished { stage, task, lease, result });
    }

    /// The effect of a stage (by refId) answers.
    pub fn answer_of(&mut self, ref_id: &str, result: TaskResult) {
        let id = self.run.stage_by_ref(ref_id).expect("the stage").id.clone();
        let which = self.under_way.iter().position(|(stage, ..)| *stage == id).expect("its effect is under way");
        self.answer(which, result);
    }

    /// The clock goes to the next timer; false when there is none.
    pub fn next_timer(&mut self) -> bool {
        let next = self.pending.iter().filter(|(_, (due, _))| *due != NEVER).min_by_key(|(_, (due, _))| *due);
        let Some((key, (due, message))) = next.map(|(k, v)| (k.clone(), v.clone())) else { return false };
        self.now = self.now.max(due);
        self.pending.remove(&key);
        self.tell(message);
        true
    }

    /// The process is killed and started again: what was under way is lost, the state is what was stored.
    pub fn crash(&mut self) {
        self.under_way.clear();
        let stored = serde_json::to_string(&self.run).expect("it can be stored");
        self.run = serde_json::from_str(&stored).expect("it can be read");
        let lost: Vec<Message> = self
            .pending
            .values()
            .filter_map(|(_, message)| match message {
                Message::RunTask { stage, task, .. } => {
                    let under_way = self.run.stage(stage).and_then(|s| s.task(task)).is_some_and(|t| t.is_under_way());
                    under_way.then(|| Message::RunTask { stage: stage.clone(), task: task.clone(), recover: true })
                }
                _ => None,
            })
            .collect();
        for message in lost {
            self.tell(message);
        }
    }

    pub fn status_of(&self, ref_id: &str) -> Status {
        self.run.stage_by_ref(ref_id).unwrap_or_else(|| panic!("there is no stage {ref_id}")).status
    }

    /// All stages: `refId STATUS`, in order.
    pub fn picture(&self) -> Vec<String> {
        self.run.stages.iter().map(|s| format!("{} {}", s.ref_id, s.status)).collect()
    }
}
