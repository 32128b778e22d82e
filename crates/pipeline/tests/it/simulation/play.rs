//! One play: a few executions of a few pipelines, and a long row of mishaps; then everything goes well, and all must end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use pipeline::decide::{Order, World, task_input};
use pipeline::engine::{Event, Rows, Running, first_steps, given, take_up};
use pipeline::model::Status;
use pipeline::{Log, Map, Message, Registry, TaskResult};
use serde_json::{Value, json};

use super::dice::Dice;
use super::disk::Disk;
use super::rules;
use crate::world::{NOON, made, registry};

/// An effect that was handed out and has not answered.
#[derive(Debug, Clone)]
struct Outside {
    execution: String,
    stage: String,
    task: String,
    lease: u64,
    asked: u64,
}

/// When a process dies around a commit.
#[derive(Clone, Copy, PartialEq)]
enum Dies {
    Not,
    Before,
    After,
}

pub struct Play {
    seed: u64,
    dice: Dice,
    now: i64,
    registry: Arc<Registry>,
    disk: Disk,
    running: Running,
    outside: Vec<Outside>,
    /// Answers that come once more, or come late.
    echoes: Vec<Event>,
    /// The keys under which the task of a stage was run, by its restarts.
    keys: BTreeMap<(String, String, u32), BTreeSet<String>>,
    ids: Vec<String>,
    pipelines: Vec<Value>,
}

impl Play {
    pub fn new(seed: u64) -> Play {
        let mut dice = Dice::new(seed);
        let registry = Arc::new(registry());
        let pipelines = (0..3).map(|number| pipeline(&mut dice, number)).collect();
        let running = Running::new(registry.clone());
        let (disk, outside, echoes, keys, ids) = Default::default();
        Play { seed, dice, now: NOON, registry, disk, running, outside, echoes, keys, ids, pipelines }
    }

    pub fn play(mut self) {
        for _ in 0..10 + self.dice.below(40) {
            self.step();
        }
        self.crash();
        for id in self.ids.clone() {
            self.commit(vec![tell(&id, Message::ResumeExecution { user: "ann".into() })], Dies::Not);
        }
        for _ in 0..3000 {
            if self.running.is_empty() {
                return self.has_ended();
            }
            match self.outside.pop() {
                Some(one) => self.commit(vec![answer(&one, TaskResult::succeeded())], Dies::Not),
                None => {
                    let due = self.running.next_due().expect("something is due");
                    assert_ne!(
                        due,
                        i64::MAX,
                        "seed {}: nothing would ever happen again: {}",
                        self.seed,
                        self.picture()
                    );
                    self.now = self.now.max(due);
                    self.commit(Vec::new(), Dies::Not);
                }
            }
        }
        panic!("seed {}: it never ends: {}", self.seed, self.picture());
    }

    fn has_ended(&self) {
        for live in self.disk.all() {
            assert!(live.run.status.is_complete(), "{} is {}", live.run.id, live.run.status);
            assert!(live.pending.is_empty(), "{} has ended and waits for {:?}", live.run.id, live.pending);
        }
        for (of, keys) in &self.keys {
            assert!(keys.len() <= 1, "{of:?} was run under {keys:?}");
        }
    }

    fn picture(&self) -> String {
        let of = |live: pipeline::engine::Live| {
            let stages: Vec<String> = live.run.stages.iter().map(|s| format!("{} {}", s.ref_id, s.status)).collect();
            format!("{} {} {stages:?} {:?}\n", live.run.id, live.run.status, live.pending)
        };
        self.disk.all().filter(|live| !live.is_over()).map(of).collect()
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0..=2 => self.begin(),
            3..=10 => self.answers(),
            11..=13 => self.tells(),
            14 | 15 => {
                let due = self.running.next_due().filter(|due| *due != i64::MAX).unwrap_or(self.now);
                self.now = self.now.max(due);
                self.commits(Vec::new());
            }
            16 => self.commits(vec![Event::Wake("weather".into())]),
            17 => {
                let echoes = std::mem::take(&mut self.echoes);
                self.commits(echoes);
            }
            18 => self.crash(),
            _ => self.now += self.dice.below(5000) as i64,
        }
    }

    /// A new execution of one of the pipelines; its process may die before the engine heard of it.
    fn begin(&mut self) {
        if self.ids.len() >= 4 {
            return;
        }
        let config = self.dice.pick(&self.pipelines).clone();
        let mut run = made(&config);
        run.id = format!("EXECUTION{:017}", self.ids.len());
        run.build_time = Some(self.now);
        for stage in &mut run.stages {
            let stage = Arc::make_mut(stage);
            stage.id = format!("{}-{}", run.id, stage.ref_id);
        }
        let id = run.id.clone();
        let at = self.at();
        let live = pipeline::engine::Live::new(run.clone());
        let first = first_steps(Some(&self.registry), run, given(&live, at));
        self.disk.write(&Rows::of_new(&first.live, first.ended));
        self.ids.push(id.clone());
        if self.dice.one_in(8) {
            return self.crash();
        }
        drop(self.running.adopt(first.live));
        self.perform(first.orders.into_iter().map(|order| (id.clone(), order)).collect());
        self.commits(Vec::new());
    }

    /// Some of those outside answer, in one batch.
    fn answers(&mut self) {
        let mut events = Vec::new();
        for _ in 0..=self.dice.below(3) {
            if self.outside.is_empty() {
                break;
            }
            let which = self.dice.below(self.outside.len());
            let one = self.outside.swap_remove(which);
            let later = Timestamp::from_millisecond(self.now + 3000).expect("a time");
            let result = match self.dice.below(10) {
                0 => TaskResult::failed("it broke"),
                1 => TaskResult::done(Status::FailedContinue),
                2 => TaskResult::done(Status::Canceled),
                3 => TaskResult::again(later, "it rains").wake_on("weather"),
                // Nothing but its topic will ever wake it, and that is woken now: just before it says so, or just after.
                4 => TaskResult::again(Timestamp::MAX, "it sleeps").wake_on("bell"),
                _ => TaskResult::succeeded(),
            };
            match self.dice.below(8) {
                0 => self.echoes.push(answer(&one, result.clone())),
                1 => events.push(answer(&one, result.clone())),
                _ => {}
            }
            let sleeps = matches!(&result, TaskResult::Again { wake_on, .. } if wake_on.iter().any(|t| t == "bell"));
            events.push(answer(&one, result));
            if sleeps {
                let before = self.dice.below(events.len() + 1);
                events.insert(before, Event::Wake("bell".into()));
            }
        }
        self.commits(events);
    }

    /// Somebody wants something of an execution.
    fn tells(&mut self) {
        if self.ids.is_empty() {
            return;
        }
        let id = self.dice.pick(&self.ids).clone();
        let kept = self.disk.read(&id);
        let user = || "ann".to_owned();
        let stage = self.dice.pick(&kept.run.stages).id.clone();
        let message = match self.dice.below(12) {
            0..=2 => Message::PauseExecution { user: user() },
            3..=6 => Message::ResumeExecution { user: user() },
            7 => Message::CancelExecution { user: user(), reason: Some("enough".into()) },
            8 | 9 => Message::RestartStage { stage, user: user(), context: Map::new() },
            _ => {
                let context = json!({"failPipeline": false}).as_object().cloned().unwrap_or_default();
                Message::PatchStage { stage, user: user(), context }
            }
        };
        if self.running.get(&id).is_none() {
            self.running.recall(kept);
        }
        if self.running.refuses(&id, &message).is_none() {
            self.commits(vec![tell(&id, message)]);
        }
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now).expect("a time")
    }

    fn commits(&mut self, events: Vec<Event>) {
        let dies = match self.dice.below(24) {
            0 => Dies::Before,
            1 => Dies::After,
            _ => Dies::Not,
        };
        self.commit(events, dies);
    }

    /// One batch, as the actor does it.
    fn commit(&mut self, events: Vec<Event>, dies: Dies) {
        let mut batch = self.running.decide(events, self.at());
        let rows = self.running.rows(&mut batch);
        if dies == Dies::Before {
            return self.start();
        }
        rows.iter().for_each(|rows| self.disk.write(rows));
        rules::limits_hold(&self.disk);
        let kept: Vec<_> = rows.iter().map(|rows| self.disk.read(&rows.id)).collect();
        for live in &kept {
            rules::order_holds(live);
            rules::ends_are_ends(live);
        }
        if dies == Dies::After {
            return self.start();
        }
        self.running.written(&batch, &[]);
        kept.iter().for_each(|live| rules::memory_is_disk(&self.running, live));
        self.perform(std::mem::take(&mut batch.orders));
    }

    fn perform(&mut self, orders: Vec<(String, Order)>) {
        for (id, order) in orders {
            match order {
                Order::Run { stage, task, lease } => self.hand_out(&id, stage, task, lease),
                Order::Cancel { stage, task, effect } => {
                    let key = format!("cancel:{stage}:{task}:{effect}");
                    self.commit(vec![Event::Settled { execution: id, key }], Dies::Not);
                }
                _ => {}
            }
        }
    }

    fn hand_out(&mut self, id: &str, stage: String, task: String, lease: u64) {
        let Some(live) = self.running.get(id) else { return };
        let world = World { given: Arc::new(given(live, self.at())), registry: &self.registry, running: 0 };
        let run = Arc::new(live.run.clone());
        let Some(input) = task_input(&run, &stage, &task, &world, Log::none()) else { return };
        let restarts = run.stage(&stage).map_or(0, |s| s.restarts);
        let of = (format!("{id}/{stage}"), task.clone(), restarts);
        self.keys.entry(of).or_default().insert(input.key);
        let asked = self.running.woken();
        self.outside.push(Outside { execution: id.to_owned(), stage, task, lease, asked });
    }

    /// The process is killed and started again. What is outside goes on: its answers may still come, with old leases.
    fn crash(&mut self) {
        let kept = self.dice.below(3);
        let late = self.outside.iter().take(kept).map(|one| answer(one, TaskResult::succeeded()));
        self.echoes.extend(late.collect::<Vec<_>>());
        self.start();
    }

    fn start(&mut self) {
        self.outside.clear();
        self.running = Running::new(self.registry.clone());
        let mut orders = Vec::new();
        for mut live in self.disk.unfinished() {
            let id = live.run.id.clone();
            take_up(&mut live, self.now);
            orders.extend(self.running.adopt(live).into_iter().map(|order| (id.clone(), order)));
        }
        self.perform(orders);
        self.commit(Vec::new(), Dies::Not);
    }
}

fn tell(id: &str, message: Message) -> Event {
    Event::Tell { execution: id.to_owned(), message }
}

fn answer(one: &Outside, result: TaskResult) -> Event {
    let Outside { execution, stage, task, lease, asked } = one.clone();
    Event::Finished { execution, stage, task, lease, result, asked }
}

/// A pipeline with a graph without circles: each stage requires some of those before it.
fn pipeline(dice: &mut Dice, number: usize) -> Value {
    let failing = [
        json!({}),
        json!({"failPipeline": false}),
        json!({"failPipeline": false, "continuePipeline": true}),
        json!({"failPipeline": false, "completeOtherBranchesThenFail": true}),
    ];
    let count = 1 + dice.below(5);
    let mut stages = Vec::new();
    for i in 0..count {
        let requires: Vec<String> = (0..i).filter(|_| dice.one_in(3)).take(3).map(|j| j.to_string()).collect();
        let kind = *dice.pick(&["work", "nap", "nest", "risky"]);
        let mut stage = dice.pick(&failing).clone();
        stage["refId"] = json!(i.to_string());
        stage["type"] = json!(kind);
        stage["requisiteStageRefIds"] = json!(requires);
        stages.push(stage);
    }
    let mut config = json!({"name": "p", "application": "a", "id": format!("pipeline-{number}"), "stages": stages});
    match dice.below(3) {
        0 => config["limitConcurrent"] = json!(true),
        1 => config["maxConcurrentExecutions"] = json!(1 + dice.below(2)),
        _ => {}
    }
    config["keepWaitingPipelines"] = json!(dice.one_in(2));
    config
}
