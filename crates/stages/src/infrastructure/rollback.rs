//! The way back: traffic returns from a newer server group to an older one, by ordinary stages that people can read in the run.

use async_trait::async_trait;
use cloud::Clouds;
use cloud::inventory::ServerGroup;
use pipeline::{Effect, Map, Plan, PlanError, Stage, StageSpec, StageView, TaskInput, TaskResult, TaskSpec};
use schemars::Schema;
use serde_json::{Value, json};

use super::fields;
use super::groups::cluster_groups;
use super::operate::from_error;
use super::strategy;
use super::wishes::{self, flag, text};

/// Gives one server group the traffic of another.
pub struct RollbackServerGroup;

impl Stage for RollbackServerGroup {
    fn kind(&self) -> &'static str {
        "rollbackServerGroup"
    }

    fn schema(&self) -> Option<Schema> {
        Some(fields::placed(
            "rollbackType: EXPLICIT|PREVIOUS_IMAGE|TEST, cluster: text, reason: text,
             rollbackContext!: {
                 rollbackServerGroupName: text, restoreServerGroupName: text, targetHealthyRollbackPercentage: number,
                 delayBeforeDisableSeconds: count, imageName: text, imageId: text, disableOnly: flag, enableAndDisableOnly: flag}",
        ))
    }

    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let context = stage.context();
        let kind = text(context, &["rollbackType"]).unwrap_or("EXPLICIT");
        let rollback = context.get("rollbackContext").and_then(Value::as_object).cloned().unwrap_or_default();
        let stages = match kind.to_ascii_uppercase().as_str() {
            "EXPLICIT" => explicit(context, &rollback),
            "PREVIOUS_IMAGE" => previous_image(context, &rollback),
            _ => Err(format!("rollbackType \"{kind}\" is not available; use EXPLICIT or PREVIOUS_IMAGE")),
        };
        let stages = stages.map_err(PlanError::Refused)?;
        Ok(Plan { before: stages, ..Plan::tasks([TaskSpec::new("holdBack", "holdBack")]) })
    }
}

/// Pure: what an explicit rollback does, in order.
fn explicit(context: &Map, rollback: &Map) -> Result<Vec<StageSpec>, String> {
    let name =
        |key: &str| text(rollback, &[key]).ok_or_else(|| format!("names no group: give `rollbackContext.{key}`"));
    let left = name("rollbackServerGroupName")?;
    let cluster = left.parse::<cloud::names::GroupName>().map(|name| name.cluster().to_string());
    let region = wishes::regions(context).remove(0);
    let base = strategy::base(context, &cluster.unwrap_or_default(), &region);
    let stage = |kind: &str, name: String, group: &str| {
        StageSpec::new(kind, name).context(base.clone()).with("serverGroupName", group).then()
    };
    let disable = stage("disableServerGroup", format!("Disable {left}"), left);
    if flag(rollback, "disableOnly") == Some(true) {
        return Ok(vec![disable]);
    }
    let kept = name("restoreServerGroupName")?;
    let mut enable = stage("enableServerGroup", format!("Enable {kept}"), kept);
    if let Some(share) = wishes::number(rollback, "targetHealthyRollbackPercentage") {
        enable = enable.with("targetHealthyDeployPercentage", share);
    }
    if flag(rollback, "enableAndDisableOnly") == Some(true) {
        return Ok(vec![enable, disable]);
    }
    // At least as large as the one that is left, before that one loses its traffic.
    let resize = stage("resizeServerGroup", format!("Resize {kept}"), kept)
        .with("action", "scale_to_server_group")
        .with("neverShrink", true)
        .with("source", json!({"serverGroupName": left, "region": region}));
    let mut plan = vec![enable, resize];
    if let Some(seconds) = wishes::count(rollback, "delayBeforeDisableSeconds").filter(|seconds| *seconds > 0) {
        plan.push(StageSpec::new("wait", "waitBeforeDisable").with("waitTime", seconds).then());
    }
    plan.push(disable);
    Ok(plan)
}

/// Pure: a rollback to an image whose group is gone: a copy of the group that is left runs it, and takes the traffic.
fn previous_image(context: &Map, rollback: &Map) -> Result<Vec<StageSpec>, String> {
    let left = text(rollback, &["rollbackServerGroupName"]);
    let left = left.ok_or("names no group: give `rollbackContext.rollbackServerGroupName`")?;
    let image = text(rollback, &["imageId", "imageName"]);
    let image = image.ok_or("names no image: give `rollbackContext.imageId`, or imageName")?;
    let cluster = left.parse::<cloud::names::GroupName>().map(|name| name.cluster().to_string());
    let region = wishes::regions(context).remove(0);
    let mut base = strategy::base(context, &cluster.unwrap_or_default(), &region);
    base.shift_remove("cluster");
    let source =
        json!({"account": base.get("credentials"), "region": region, "serverGroupName": left, "asgName": left});
    let mut copy = StageSpec::new("cloneServerGroup", format!("Clone {left}")).context(base).then();
    copy = copy.with("source", source).with("image", image).with("strategy", "redblack");
    if let Some(share) = wishes::number(rollback, "targetHealthyRollbackPercentage") {
        copy = copy.with("targetHealthyDeployPercentage", share);
    }
    if let Some(seconds) = wishes::count(rollback, "delayBeforeDisableSeconds") {
        copy = copy.with("delayBeforeDisableSec", seconds);
    }
    Ok(vec![copy])
}

/// Finds out which group of a cluster is left and which one is returned to, in each region, and does it.
pub struct RollbackCluster;

impl Stage for RollbackCluster {
    fn kind(&self) -> &'static str {
        "rollbackCluster"
    }

    fn schema(&self) -> Option<Schema> {
        Some(fields::on_cluster(
            "serverGroup: text, targetHealthyRollbackPercentage: number, waitTimeBetweenRegions: count, rollbackTimeout: count, reason: text,
             originalServerGroup: text,
             additionalRollbackContext: {onlyEnabledServerGroups: flag, disableOnly: flag, enableAndDisableOnly: flag}",
        ))
    }

    fn plan(&self, _stage: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("determineRollbackCandidates", "determineRollbackCandidates")]))
    }

    fn after(&self, stage: &StageView) -> Result<Vec<StageSpec>, PlanError> {
        let context = stage.context();
        let found = context.get("rollbackContexts").and_then(Value::as_object).cloned().unwrap_or_default();
        let cluster = text(context, &["cluster"]).unwrap_or_default();
        let wait = wishes::count(context, "waitTimeBetweenRegions").filter(|seconds| *seconds > 0);
        let mut plan: Vec<StageSpec> = Vec::new();
        for (region, rollback) in found {
            if let (Some(seconds), false) = (wait, plan.is_empty()) {
                plan.push(StageSpec::new("wait", format!("Wait after {region}")).with("waitTime", seconds).then());
            }
            let one = StageSpec::new("rollbackServerGroup", format!("Rollback {region}"));
            let one = one.context(strategy::base(context, cluster, &region)).with("rollbackType", "EXPLICIT");
            plan.push(one.with("rollbackContext", rollback).then());
        }
        Ok(plan)
    }
}

/// Notes for each region what is left and what is returned to.
pub(crate) struct DetermineCandidates(pub Clouds);

#[async_trait]
impl Effect for DetermineCandidates {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config = wishes::context(&input);
        let more = config.get("additionalRollbackContext").and_then(Value::as_object).cloned().unwrap_or_default();
        let (mut contexts, mut types, mut images) = (Map::new(), Map::new(), Vec::new());
        for region in wishes::regions(&config) {
            let groups = match cluster_groups(&self.0, &config, &region).await {
                Ok(Ok(groups)) => groups,
                Ok(Err(error)) => return from_error(&error, &input),
                Err(result) => return result,
            };
            // A region with nothing to return to is left as it is.
            let Some((left, kept)) = candidates(&groups) else { continue };
            let mut rollback = more.clone();
            rollback.insert("rollbackServerGroupName".into(), json!(left.name.to_string()));
            rollback.insert("restoreServerGroupName".into(), json!(kept.name.to_string()));
            if let Some(share) = config.get("targetHealthyRollbackPercentage") {
                rollback.insert("targetHealthyRollbackPercentage".into(), share.clone());
            }
            images.push(json!({"region": region, "image": kept.image, "rollbackMethod": "EXPLICIT"}));
            types.insert(region.clone(), json!("EXPLICIT"));
            contexts.insert(region, Value::Object(rollback));
        }
        if contexts.is_empty() {
            let cluster = text(&config, &["cluster"]).unwrap_or_default();
            return TaskResult::failed(format!(
                "cluster {cluster} has no enabled server group with an older one to return to"
            ));
        }
        let (contexts, types) = (Value::Object(contexts), Value::Object(types));
        TaskResult::succeeded()
            .context("imagesToRestore", images)
            .context("rollbackContexts", contexts.clone())
            .output("rollbackContexts", contexts)
            .output("rollbackTypes", types)
    }
}

/// Pure: the newest group with traffic, and the next newest beside it.
fn candidates(groups: &[ServerGroup]) -> Option<(&ServerGroup, &ServerGroup)> {
    let mut newest_first: Vec<&ServerGroup> = groups.iter().filter(|group| !group.leaving).collect();
    newest_first.sort_by(|a, b| (b.created, &b.name).cmp(&(a.created, &a.name)));
    let left = newest_first.iter().position(|group| !group.disabled)?;
    let left = newest_first.remove(left);
    let older = newest_first.iter().find(|group| group.created <= left.created);
    Some((left, older.or(newest_first.first())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rollback: Value) -> Result<Vec<String>, String> {
        let context = json!({"credentials": "local", "region": "local"});
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        Ok(explicit(&map(context), &map(rollback))?.into_iter().map(|stage| stage.name).collect())
    }

    #[test]
    fn the_older_group_is_enabled_and_grown_before_the_newer_one_loses_its_traffic() {
        let names = json!({"rollbackServerGroupName": "shop-v002", "restoreServerGroupName": "shop-v001"});
        let with = |key: &str| {
            let mut names = names.clone();
            names[key] = json!(true);
            plan(names)
        };
        let all = ["Enable shop-v001", "Resize shop-v001", "Disable shop-v002"];
        assert_eq!(plan(names.clone()).unwrap(), all);
        assert_eq!(with("enableAndDisableOnly").unwrap(), ["Enable shop-v001", "Disable shop-v002"]);
        assert_eq!(with("disableOnly").unwrap(), ["Disable shop-v002"]);
        assert!(plan(json!({})).unwrap_err().contains("rollbackContext.rollbackServerGroupName"));
    }
}
