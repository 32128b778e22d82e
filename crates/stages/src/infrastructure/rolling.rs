//! `rollingredblack`: the new group starts empty and grows step by step, and with each step as much of the old one leaves traffic. Pure.

use cloud::health::Capacity;
use pipeline::model::Status;
use pipeline::{Map, StageSpec, StageView};
use serde_json::{Value, json};

use super::strategy::{MINUTES_20, stage, wait};
use super::wishes::{self, as_number, flag, text};

/// The name of the stage that notes which group was made; validation pipelines are told by it.
const DETERMINE: &str = "Determine Deployed Server Group";
/// The capacity that the stage asks for, while its group is made empty.
pub(crate) const SAVED: &str = "savedCapacity";
/// Whether the new group grows to the size of the old one.
const LIKE_SOURCE: &str = "growToSource";

/// What the stage's context becomes before its group is made: no instance, and what was asked for kept for later.
pub(crate) fn made_empty(config: &Map) -> Map {
    let mut kept = Map::new();
    if config.contains_key(SAVED) || config.contains_key(LIKE_SOURCE) {
        // A restart finds what was kept.
        return kept;
    }
    let like_source = ["useSourceCapacity", "preferSourceCapacity"].iter().any(|key| flag(config, key) == Some(true));
    kept.insert(LIKE_SOURCE.into(), json!(like_source));
    if let Some(capacity) = config.get("capacity") {
        kept.insert(SAVED.into(), capacity.clone());
    }
    kept.insert("capacity".into(), json!({"min": 0, "max": 0, "desired": 0}));
    kept.insert("useSourceCapacity".into(), json!(false));
    kept.insert("preferSourceCapacity".into(), json!(false));
    kept
}

/// Whether a group is made empty and nothing says how large it becomes: neither the stage, nor a group that it follows.
pub(crate) fn is_unsized(config: &Map, follows: bool) -> bool {
    !config.contains_key(SAVED) && flag(config, LIKE_SOURCE).is_some_and(|like_source| !like_source || !follows)
}

/// The group that the new one follows.
fn source(config: &Map) -> Option<String> {
    let source = config.get("source").and_then(Value::as_object)?;
    text(source, &["serverGroupName", "asgName"]).map(str::to_owned)
}

/// The group that the new one follows, as it was before.
pub(crate) struct Source {
    pub name: String,
    pub capacity: Capacity,
}

impl Source {
    /// As the deployment noted it.
    pub fn of(config: &Map) -> Option<Source> {
        let capacity = serde_json::from_value(config.get("source")?.get("capacity")?.clone()).ok()?;
        Some(Source { name: source(config)?, capacity })
    }
}

/// How large the new group becomes: as large as its source, or as the stage said before its group was made empty.
pub(crate) fn size(config: &Map, source: Option<&Source>) -> Result<Capacity, String> {
    let like_source = source.filter(|_| flag(config, LIKE_SOURCE) == Some(true)).map(|source| source.capacity);
    let saved =
        || wishes::capacity(&Map::from_iter([("capacity".to_owned(), config.get(SAVED)?.clone())])).ok().flatten();
    like_source.or_else(saved).ok_or_else(|| UNSIZED.to_owned())
}

const UNSIZED: &str = "there is no server group to take the capacity from; give `capacity`";

/// Notes which group was made.
pub(crate) fn determine(base: &Map) -> StageSpec {
    stage("determineTargetServerGroup", DETERMINE, base).with("target", "current_asg_dynamic")
}

/// The shares of the size, in per cent, ending with the whole.
fn steps(config: &Map) -> Vec<u32> {
    let given = config.get("targetPercentages").and_then(Value::as_array);
    let given = given.into_iter().flatten().filter_map(as_number).filter(|p| *p > 0.0 && *p <= 100.0);
    let mut steps: Vec<u32> = given.map(|p| p as u32).collect();
    if steps.last() != Some(&100) {
        steps.push(100);
    }
    steps
}

/// The stages after the empty group is made.
pub(crate) fn after(config: &Map, base: &Map) -> Result<Vec<StageSpec>, String> {
    let source = source(config);
    let like_source = flag(config, LIKE_SOURCE) == Some(true);
    let size = match (&source, config.get(SAVED)) {
        (Some(source), _) if like_source => Size::Of(source.clone()),
        (_, Some(capacity)) => Size::Exactly(capacity.clone()),
        _ => return Err(UNSIZED.to_owned()),
    };
    let mut plan = vec![determine(base)];
    if let Some(source) = &source {
        plan.push(pin(base, source));
    }
    for share in steps(config) {
        plan.push(grow(base, &size, share));
        plan.extend(wait(config, &["delayBeforeDisableSec", "delayBeforeCleanup"], "wait"));
        plan.extend(validation(config, base, source.as_deref(), share));
        if let Some(source) = &source {
            let name = format!("Disable {share}% of Traffic on {source}");
            let one = stage("disableServerGroup", &name, base).with("serverGroupName", source.as_str());
            plan.push(one.with("desiredPercentage", share));
        }
    }
    if let Some(source) = &source {
        if flag(config, "scaleDown") == Some(true) {
            plan.extend(wait(config, &["delayBeforeScaleDownSec"], "Wait Before Scale Down"));
            let one = stage("scaleDownCluster", "scaleDown", base).with("allowScaleDownActive", false);
            plan.push(one.with("remainingFullSizeServerGroups", 1).with("preferLargerOverNewer", false));
        } else {
            plan.push(unpin(base, source));
        }
    }
    Ok(plan)
}

/// How large the new group becomes.
enum Size {
    /// As large as this one.
    Of(String),
    /// A capacity as the stage gave it.
    Exactly(Value),
}

fn grow(base: &Map, size: &Size, share: u32) -> StageSpec {
    let name = format!("Grow to {share}% of Desired Size");
    let one = stage("resizeServerGroup", &name, base).with("target", "current_asg_dynamic").with("scalePct", share);
    let one = match size {
        Size::Of(source) => {
            one.with("action", "scale_to_server_group").with("source", json!({"serverGroupName": source}))
        }
        Size::Exactly(capacity) => one.with("action", "scale_exact").with("capacity", capacity.clone()),
    };
    // Nobody else changes its size before it is whole.
    let one = one.with("pinCapacity", share < 100).with("pinMinimumCapacity", share < 100);
    // The source is pinned meanwhile: that is not what it is like.
    one.with("unpinMinimumCapacity", share == 100)
}

/// A pipeline that looks whether the step was good.
pub(crate) fn validation(config: &Map, base: &Map, source: Option<&str>, share: u32) -> Option<StageSpec> {
    let given = config.get("pipelineBeforeCleanup").and_then(Value::as_object)?;
    let pipeline = text(given, &["pipelineId", "pipeline"])?;
    let mut parameters = given.get("pipelineParameters").and_then(Value::as_object).cloned().unwrap_or_default();
    let group = |name: String| {
        let word = |key: &str| base.get(key).cloned().unwrap_or_default();
        json!({"account": word("credentials"), "cloudProvider": word("cloudProvider"), "region": word("region"), "serverGroupName": name})
    };
    let made = format!("${{#stage('{DETERMINE}')['context']['asgName']}}");
    parameters.insert("deployedServerGroup".into(), group(made));
    if let Some(source) = source {
        parameters.insert("sourceServerGroup".into(), group(source.to_owned()));
    }
    parameters.insert("percentageComplete".into(), json!(share));
    let mut one = stage("pipeline", "Run Validation Pipeline", &Map::new())
        .with("pipelineId", pipeline)
        .with("pipelineParameters", Value::Object(parameters));
    if let Some(application) = text(given, &["application"]) {
        one = one.with("pipelineApplication", application);
    }
    Some(one)
}

/// While traffic moves the old group must not shrink.
fn pin(base: &Map, source: &str) -> StageSpec {
    pinning(base, &format!("Pin {source}"), source).with("pinMinimumCapacity", true)
}

fn unpin(base: &Map, source: &str) -> StageSpec {
    pinning(base, &format!("Unpin {source}"), source).with("unpinMinimumCapacity", true)
}

fn pinning(base: &Map, name: &str, source: &str) -> StageSpec {
    stage("pinServerGroup", name, base)
        .with("serverGroupName", source)
        .with("action", "scale_to_server_group")
        .with("source", json!({"serverGroupName": source}))
}

/// What tidies up after a failed deployment: the old group is itself again, and takes all traffic back if the stage says so.
pub(crate) fn on_failure(view: &StageView, config: &Map, base: &Map) -> Vec<StageSpec> {
    let mut plan = Vec::new();
    if let Some(source) = source(config) {
        let pinned = format!("Pin {source}");
        if view.children().iter().any(|child| child.name == pinned && child.status.is_complete()) {
            plan.push(unpin(base, &source).with("stageTimeoutMs", MINUTES_20));
        }
    }
    // Once the old group may have lost its instances there is nothing to go back to: the new one has all traffic and keeps it.
    if !view.children().iter().any(|child| child.kind == "scaleDownCluster" && child.status != Status::NotStarted) {
        plan.extend(roll_back(config, base, "enableAndDisableOnly"));
    }
    plan
}

const MINUTES_5: u64 = 5 * 60_000;
const MINUTES_30: u64 = 30 * 60_000;

/// `rollback{onFailure, destroyLatest}`: the way back of a deployment that failed. Nothing when no group was made.
pub(crate) fn roll_back(config: &Map, base: &Map, how: &str) -> Vec<StageSpec> {
    let wanted = config.get("rollback").and_then(Value::as_object).cloned().unwrap_or_default();
    let Some(made) = made(config) else { return Vec::new() };
    let mut plan = Vec::new();
    if flag(&wanted, "onFailure") == Some(true) && source(config).is_some() {
        let one = stage("rollbackCluster", &format!("Rollback {}", text(base, &["cluster"]).unwrap_or_default()), base);
        let more = json!({"onlyEnabledServerGroups": true, how: true});
        plan.push(one.with("additionalRollbackContext", more).with("stageTimeoutMs", MINUTES_30));
    }
    if flag(&wanted, "destroyLatest") == Some(true) {
        let one = stage("destroyServerGroup", &format!("Destroy {made}"), base).with("serverGroupName", made);
        plan.push(one.with("stageTimeoutMs", MINUTES_5));
    }
    plan
}

/// The group that the stage made.
fn made(config: &Map) -> Option<String> {
    let groups = config.get("deploy.server.groups").and_then(Value::as_object)?;
    let mut names = groups.values().filter_map(Value::as_array).flatten();
    names.find_map(|name| name.as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map {
        value.as_object().cloned().unwrap_or_default()
    }

    fn names(config: Value) -> Vec<String> {
        let config = map(config);
        let mut whole = config.clone();
        whole.extend(made_empty(&config));
        after(&whole, &map(json!({"credentials": "local"}))).unwrap().into_iter().map(|stage| stage.name).collect()
    }

    #[test]
    fn each_step_grows_the_new_group_and_takes_as_much_from_the_old_one() {
        let source = json!({"serverGroupName": "shop-v001"});
        assert_eq!(
            names(
                json!({"source": source, "useSourceCapacity": true, "targetPercentages": [25, "50"], "delayBeforeDisableSec": 5,
                         "pipelineBeforeCleanup": {"application": "shop", "pipelineId": "p"}})
            ),
            [
                "Determine Deployed Server Group",
                "Pin shop-v001",
                "Grow to 25% of Desired Size",
                "wait",
                "Run Validation Pipeline",
                "Disable 25% of Traffic on shop-v001",
                "Grow to 50% of Desired Size",
                "wait",
                "Run Validation Pipeline",
                "Disable 50% of Traffic on shop-v001",
                "Grow to 100% of Desired Size",
                "wait",
                "Run Validation Pipeline",
                "Disable 100% of Traffic on shop-v001",
                "Unpin shop-v001",
            ]
        );
        let all = ["Determine Deployed Server Group", "Grow to 100% of Desired Size"];
        assert_eq!(names(json!({"capacity": {"desired": 3}})), all, "the first of its cluster");
        let down = names(
            json!({"source": source, "capacity": {"desired": 3}, "scaleDown": true, "delayBeforeScaleDownSec": 3}),
        );
        assert_eq!(down[4..], ["Wait Before Scale Down", "scaleDown"]);
    }

    #[test]
    fn without_a_size_nothing_grows() {
        let config = map(json!({"useSourceCapacity": true}));
        let mut whole = config.clone();
        whole.extend(made_empty(&config));
        assert_eq!(
            after(&whole, &Map::new()).unwrap_err(),
            "there is no server group to take the capacity from; give `capacity`"
        );
    }

    #[test]
    fn the_way_back_is_taken_when_it_was_asked_for_and_something_was_made() {
        let plan = |config: Value| -> Vec<String> {
            let stages = roll_back(&map(config), &map(json!({"cluster": "shop"})), "disableOnly");
            stages.into_iter().map(|stage| stage.name).collect()
        };
        let made = json!({"local": ["shop-v002"]});
        let source = json!({"serverGroupName": "shop-v001"});
        let wish = json!({"onFailure": true, "destroyLatest": true});
        assert_eq!(
            plan(json!({"rollback": wish, "source": source, "deploy.server.groups": made})),
            ["Rollback shop", "Destroy shop-v002"]
        );
        assert_eq!(plan(json!({"rollback": wish, "source": source})), [] as [&str; 0]);
        assert_eq!(plan(json!({"source": source, "deploy.server.groups": made})), [] as [&str; 0]);
    }
}
