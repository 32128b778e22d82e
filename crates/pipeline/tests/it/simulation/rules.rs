//! What must hold after each commit, read off the disk and the memory.

use std::collections::HashMap;

use pipeline::engine::{Live, Running};
use pipeline::model::{Owner, Status};

use super::disk::Disk;

/// No more executions of a pipeline run than it allows.
pub fn limits_hold(disk: &Disk) {
    let mut at_work: HashMap<&str, (i64, i64)> = HashMap::new();
    for run in disk.headers() {
        let most = match (run.limit_concurrent, run.max_concurrent_executions) {
            (true, _) => 1,
            (false, most) if most > 0 => most,
            _ => continue,
        };
        let entry = at_work.entry(run.pipeline_config_id.as_deref().unwrap_or("")).or_insert((0, most));
        entry.0 += i64::from(matches!(run.status, Status::Running | Status::Paused));
    }
    for (pipeline, (count, most)) in at_work {
        assert!(count <= most, "{count} executions of {pipeline} run, and it allows {most}");
    }
}

/// No stage begins before those that it requires have ended, no task of a stage before what is planned before it.
pub fn order_holds(live: &Live) {
    let run = &live.run;
    for stage in run.stages.iter().filter(|s| s.start_time.is_some()) {
        for upstream in run.upstream(stage) {
            let done = upstream.status.lets_others_start();
            assert!(done, "{} of {} began while {} is {}", stage.ref_id, run.id, upstream.ref_id, upstream.status);
        }
        let begun = stage.tasks.iter().any(|t| t.start_time.is_some());
        for before in run.children(&stage.id, Owner::Before).filter(|_| begun) {
            assert!(before.status.is_complete(), "the tasks of {} began before {}", stage.ref_id, before.ref_id);
        }
    }
}

/// What ended has an end, and nothing of it is still at work.
pub fn ends_are_ends(live: &Live) {
    let run = &live.run;
    if run.status.is_complete() {
        for stage in run.stages.iter().filter(|s| !s.is_synthetic()) {
            let going = matches!(stage.status, Status::Running | Status::Paused);
            assert!(!going, "{} has ended {}, and its stage {} is {}", run.id, run.status, stage.ref_id, stage.status);
        }
    }
    if run.status == Status::Succeeded {
        let bad = run.top_stages().find(|s| matches!(s.status, Status::Terminal | Status::Canceled));
        assert!(bad.is_none(), "{} succeeded in spite of {:?}", run.id, bad.map(|s| &s.ref_id));
    }
}

/// What is in memory is what is on the disk.
pub fn memory_is_disk(running: &Running, kept: &Live) {
    match running.get(&kept.run.id) {
        Some(live) => {
            assert_eq!(live.run, kept.run, "memory and disk differ");
            assert_eq!(live.pending, kept.pending, "memory and disk differ on what is due for {}", live.run.id);
        }
        None => assert!(kept.is_over(), "{} is {} and nobody minds it", kept.run.id, kept.run.status),
    }
}
