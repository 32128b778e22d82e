//! Random pipelines, random answers, a crash wherever it likes: each run ends, and no task is run under two keys.

use pipeline::model::Status;
use pipeline::{Message, TaskResult};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::Runtime;

/// What happens next to a running pipeline.
#[derive(Debug, Clone)]
enum Step {
    Succeed(usize),
    Fail(usize),
    Soften(usize),
    Timer,
    Crash,
    Pause,
    Resume,
    Cancel,
    Restart(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => any::<usize>().prop_map(Step::Succeed),
        1 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::Soften),
        3 => Just(Step::Timer),
        3 => Just(Step::Crash),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => prop::bool::weighted(0.1).prop_map(|yes| if yes { Step::Cancel } else { Step::Resume }),
        1 => any::<usize>().prop_map(Step::Restart),
    ];
    prop::collection::vec(step, 10..120)
}

/// A graph without circles: each stage requires some of those before it.
fn pipelines() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec!["work", "nap", "nest", "risky"]);
    let failing = prop::sample::select(vec![
        json!({}),
        json!({"failPipeline": false}),
        json!({"failPipeline": false, "continuePipeline": true}),
        json!({"failPipeline": false, "completeOtherBranchesThenFail": true}),
    ]);
    let stage = (kind, failing, any::<u32>());
    prop::collection::vec(stage, 1..9).prop_map(|stages| {
        let made: Vec<Value> = stages.into_iter().enumerate().map(|(i, (kind, failing, mask))| {
            let requires: Vec<String> = (0..i).filter(|j| mask & (1 << j) != 0).take(3).map(|j| j.to_string()).collect();
            let mut stage = json!({"refId": i.to_string(), "type": kind, "name": i.to_string(), "requisiteStageRefIds": requires});
            for (key, value) in failing.as_object().expect("an object") {
                stage[key] = value.clone();
            }
            stage
        }).collect();
        json!({"name": "p", "application": "a", "stages": made})
    })
}

fn take(runtime: &mut Runtime, step: &Step) {
    let answers = !runtime.under_way.is_empty();
    match step {
        Step::Succeed(which) if answers => runtime.answer(*which, TaskResult::succeeded()),
        Step::Fail(which) if answers => runtime.answer(*which, TaskResult::failed("it broke")),
        Step::Soften(which) if answers => runtime.answer(*which, TaskResult::done(Status::FailedContinue)),
        Step::Timer => drop(runtime.next_timer()),
        Step::Crash => runtime.crash(),
        Step::Pause => runtime.tell(Message::PauseExecution { user: "ann".into() }),
        Step::Resume => runtime.tell(Message::ResumeExecution { user: "ann".into() }),
        Step::Cancel => runtime.tell(Message::CancelExecution { user: "ann".into(), reason: None }),
        Step::Restart(which) => {
            let stage = runtime.run.stages[which % runtime.run.stages.len()].id.clone();
            runtime.tell(Message::RestartStage { stage, user: "ann".into(), context: pipeline::Map::new() });
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_whatever_happens_to_it(config in pipelines(), steps in steps()) {
        let mut runtime = Runtime::new(&config);
        for step in &steps {
            take(&mut runtime, step);
        }
        // From here on everything goes well, after one last crash: it has to end.
        runtime.crash();
        runtime.tell(Message::ResumeExecution { user: "ann".into() });
        for _ in 0..500 {
            if runtime.run.status.is_complete() {
                break;
            }
            if runtime.under_way.is_empty() {
                prop_assert!(runtime.next_timer(), "nothing would ever happen again: {:?}", runtime.picture());
            } else {
                runtime.answer(0, TaskResult::succeeded());
            }
        }
        prop_assert!(runtime.run.status.is_complete(), "it never ends: {:?}", runtime.picture());
        let restarts = steps.iter().filter(|step| matches!(step, Step::Restart(_))).count();
        prop_assert!((1..=1 + restarts).contains(&runtime.ended), "it ended {} times", runtime.ended);
        prop_assert!(!runtime.run.stages.iter().any(|s| s.status == Status::Running), "{:?}", runtime.picture());
        for ((stage, task), keys) in &runtime.keys {
            let restarts = runtime.run.stage(stage).map_or(0, |s| s.restarts as usize);
            let gone = runtime.run.stage(stage).is_none();
            prop_assert!(gone || keys.len() <= 1 + restarts, "{} {} was run under {:?}", stage, task, keys);
        }
        if runtime.run.status == Status::Succeeded {
            prop_assert!(!runtime.run.top_stages().any(|s| matches!(s.status, Status::Terminal | Status::Canceled)));
        }
    }
}
