//! `rolling`: for a fixed number of machines (10:0, 9:1 … 0:10). New instances come in as old ones go out, a batch at a time. Pure.

use cloud::health::Capacity;
use pipeline::model::{Stage, Status};
use pipeline::{Map, StageSpec, StageView};
use serde_json::{Value, json};

use super::rolling::{self, Source};
use super::strategy::{stage, wait};
use super::wishes::{count, flag};

/// More steps than this are a slip of the keyboard, and nobody reads them.
const MOST: u32 = 100;

/// One batch: how many new instances there are then, and how many old ones.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    new: u32,
    old: u32,
}

/// The steps from `old` instances to `new` ones.
fn steps(new: u32, old: u32, batch: u32) -> Result<Vec<Step>, String> {
    let count = new.div_ceil(batch);
    if count > MOST {
        return Err(format!(
            "{new} instances in batches of {batch} are {count} steps, more than {MOST}: give a larger `batchSize`"
        ));
    }
    let there = |step: u32| (step * batch).min(new);
    let left = |there: u32| u64::from(old) * u64::from(new - there);
    let step = |there: u32| Step { new: there, old: left(there).div_ceil(u64::from(new.max(1))) as u32 };
    Ok((1..=count).map(|number| step(there(number))).collect())
}

/// The stages after the empty group is made.
pub(crate) fn after(config: &Map, base: &Map) -> Result<Vec<StageSpec>, String> {
    let source = Source::of(config);
    let size = rolling::size(config, source.as_ref())?;
    let old = source.as_ref().map_or(0, |source| source.capacity.desired);
    let batch = count(config, "batchSize").unwrap_or(1).max(1);
    // As Kubernetes calls it: without a surge the old ones go first, and there are never more than before.
    let first_out = count(config, "maxSurge") == Some(0);
    let mut plan = vec![rolling::determine(base)];
    for step in steps(size.desired, old, batch)? {
        let whole = step.new == size.desired;
        let capacity = if whole { size } else { Capacity::exactly(step.new) };
        let name = format!("Grow to {} of {}", step.new, size.desired);
        let grow = resize(base, name, capacity).with("target", "current_asg_dynamic");
        let shrink = source.as_ref().map(|source| {
            let name = format!("Shrink {} to {}", source.name, step.old);
            // Its bounds stay: cut off in the middle it can grow again.
            let Capacity { min, max, .. } = source.capacity;
            let capacity = Capacity { min: min.min(step.old), max, desired: step.old };
            resize(base, name, capacity).with("serverGroupName", source.name.as_str())
        });
        if first_out {
            plan.extend(shrink.clone());
        }
        plan.push(grow);
        plan.extend(wait(config, &["delayBeforeDisableSec", "delayBeforeCleanup"], "wait"));
        let share = step.new * 100 / size.desired.max(1);
        plan.extend(rolling::validation(config, base, source.as_ref().map(|source| source.name.as_str()), share));
        if !first_out {
            plan.extend(shrink);
        }
    }
    if let Some(source) = &source {
        let name = format!("Disable {}", source.name);
        plan.push(stage("disableServerGroup", &name, base).with("serverGroupName", source.name.as_str()));
    }
    Ok(plan)
}

fn resize(base: &Map, name: String, capacity: Capacity) -> StageSpec {
    stage("resizeServerGroup", &name, base).with("action", "scale_exact").with("capacity", json!(capacity))
}

/// The way back of a failed deployment: the old group is as large as it was before it takes the traffic back.
pub(crate) fn on_failure(view: &StageView, config: &Map, base: &Map) -> Vec<StageSpec> {
    let wanted =
        config.get("rollback").and_then(Value::as_object).is_some_and(|way| flag(way, "onFailure") == Some(true));
    let mut plan = Vec::new();
    if let Some(source) = Source::of(config).filter(|_| wanted) {
        let shrink = format!("Shrink {}", source.name);
        let began = |child: &Stage| child.name.starts_with(&shrink) && child.status != Status::NotStarted;
        if view.children().iter().any(|child| began(child)) {
            let name = format!("Restore {}", source.name);
            plan.push(resize(base, name, source.capacity).with("serverGroupName", source.name.as_str()));
        }
    }
    plan.extend(rolling::roll_back(config, base, "enableAndDisableOnly"));
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_one_in_an_old_one_out() {
        let pairs = |new, old, batch| -> Vec<(u32, u32)> {
            steps(new, old, batch).unwrap().into_iter().map(|step| (step.new, step.old)).collect()
        };
        assert_eq!(pairs(4, 4, 1), [(1, 3), (2, 2), (3, 1), (4, 0)]);
        assert_eq!(pairs(10, 10, 4), [(4, 6), (8, 2), (10, 0)]);
        // Another size: what is left of the old is what is missing of the new, never less.
        assert_eq!(pairs(2, 5, 1), [(1, 3), (2, 0)]);
        assert_eq!(pairs(5, 2, 2), [(2, 2), (4, 1), (5, 0)]);
        assert_eq!(pairs(3, 0, 1), [(1, 0), (2, 0), (3, 0)]);
        assert_eq!(pairs(0, 4, 1), []);
        let many = steps(1000, 1000, 1).unwrap_err();
        assert_eq!(many, "1000 instances in batches of 1 are 1000 steps, more than 100: give a larger `batchSize`");
    }

    fn names(more: Value) -> Vec<String> {
        let capacity = json!({"min": 2, "max": 2, "desired": 2});
        let mut config =
            json!({"source": {"serverGroupName": "shop-v001", "capacity": capacity}, "savedCapacity": capacity});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        after(config.as_object().unwrap(), &Map::new()).unwrap().into_iter().map(|stage| stage.name).collect()
    }

    #[test]
    fn the_old_ones_go_first_where_there_is_no_room_for_more() {
        let with_surge = [
            "Determine Deployed Server Group",
            "Grow to 1 of 2",
            "Shrink shop-v001 to 1",
            "Grow to 2 of 2",
            "Shrink shop-v001 to 0",
            "Disable shop-v001",
        ];
        assert_eq!(names(json!({})), with_surge);
        let without = names(json!({"maxSurge": 0}));
        assert_eq!(without[1..3], ["Shrink shop-v001 to 1", "Grow to 1 of 2"]);
    }
}
