//! Stages over clouds: deploy, server groups, clusters, load balancers, images, instances.
//!
//! A stage is a line in `stage_types`; its tasks start operations (`operate`), wait for what they bring about (`until`), and choose what
//! they work on (`select`, `image`). Nothing here knows a cloud by name.

mod balancers;
mod canary;
mod checks;
mod clusters;
mod compare;
mod deploy;
mod fields;
mod firewalls;
mod groups;
mod guards;
mod hold_back;
mod image;
mod image_tags;
mod operate;
mod orphans;
mod outlook;
mod replacing;
mod rollback;
mod rolling;
mod select;
mod source;
mod stage_types;
mod strategy;
mod treatment;
mod until;
mod wishes;
mod withdraw;

use std::sync::Arc;

use async_trait::async_trait;
use cloud::Clouds;
use jiff::Timestamp;
use pipeline::{Map, Registry, TaskInput, TaskResult};
use serde_json::{Value, json};
use store::Store;

use self::clusters::{SweepCluster, What};
use self::guards::Guarded;
use self::operate::{Build, Monitor, Start};
use self::until::{Await, Until};

pub use self::guards::TrafficGuards;
pub use self::orphans::{Orphan, orphans};
pub use self::outlook::CloudOutlook;
pub use self::wishes::written_balancer;

pub(crate) use self::canary::role as canary_role;
pub(crate) use self::clusters::made_by;
pub(crate) use self::hold_back::stops;
pub(crate) use self::operate::{Target, targets_of};
pub(crate) use self::wishes::account_of_cluster;

/// Adds the stage types and tasks of this module. In `store` stand the guards of applications and what is held back.
pub fn register(registry: Registry, clouds: &Clouds, store: &Store, guards: TrafficGuards) -> Registry {
    let site = Guarded { clouds: clouds.clone(), store: store.clone(), guards };
    let start = |build: Build| Arc::new(Start { site: site.clone(), build });
    let wait = |until: Until| Arc::new(Await { clouds: clouds.clone(), until });
    let sweep = |what: What| Arc::new(SweepCluster { site: site.clone(), what });
    stages(registry)
        .effect("monitorCloudOperation", Arc::new(Monitor { clouds: clouds.clone() }))
        .effect("determineSourceServerGroup", Arc::new(source::DetermineSource(clouds.clone())))
        .effect("determineHealthProviders", Arc::new(groups::DetermineHealth(clouds.clone())))
        .effect("determineTargetServerGroup", Arc::new(groups::DetermineTarget(clouds.clone())))
        .effect("createServerGroup", Arc::new(hold_back::Create(site.clone())))
        .effect("withdrawDeployment", Arc::new(withdraw::Withdraw(site.clone())))
        .effect("holdBack", Arc::new(hold_back::HoldBack(site.clone())))
        .effect("enableServerGroup", start(groups::enable))
        .effect("disableServerGroup", start(groups::disable))
        .effect("destroyServerGroup", start(groups::destroy))
        .effect("resizeServerGroup", Arc::new(groups::Resize(site.clone())))
        .effect("upsertLoadBalancer", start(balancers::upsert))
        .effect("deleteLoadBalancer", start(balancers::delete))
        .effect("upsertSecurityGroup", start(firewalls::upsert))
        .effect("deleteSecurityGroup", start(firewalls::delete))
        .effect("terminateInstances", start(balancers::terminate))
        .effect("rebootInstances", start(balancers::reboot))
        .effect("registerInstances", start(balancers::register))
        .effect("deregisterInstances", start(balancers::deregister))
        .effect("shareTraffic", start(groups::share))
        .effect("compareServerGroups", Arc::new(compare::Compare(clouds.clone())))
        .effect("upsertImageTags", Arc::new(image_tags::Tag(site.clone())))
        .effect("findImageFromTags", Arc::new(clusters::FindImageFromTags(clouds.clone())))
        .effect("determineRollbackCandidates", Arc::new(rollback::DetermineCandidates(clouds.clone())))
        .effect("disableCluster", sweep(What::Disable))
        .effect("scaleDownCluster", sweep(What::ScaleDown))
        .effect("shrinkCluster", sweep(What::Shrink))
        .effect("checkClusterSize", Arc::new(ClusterSize(clouds.clone())))
        .effect("findImage", Arc::new(clusters::FindImage(clouds.clone())))
        .effect("waitForUpInstances", wait(Until::Up))
        .effect("waitForRequiredInstancesDown", wait(Until::OutOfTraffic))
        .effect("waitForCapacityMatch", wait(Until::Capacity))
        .effect("waitForDestroyedServerGroup", wait(Until::Gone))
}

/// Adds the stage types alone, with the task that needs no cloud.
pub fn stages(registry: Registry) -> Registry {
    registry
        .stage(&deploy::Deploy)
        .stage(&deploy::CreateServerGroup)
        .stage(&stage_types::RESIZE)
        .stage(&stage_types::PIN)
        .stage(&stage_types::DETERMINE_TARGET)
        .stage(&stage_types::ENABLE)
        .stage(&stage_types::DISABLE)
        .stage(&stage_types::SHARE)
        .stage(&stage_types::COMPARE)
        .stage(&stage_types::DESTROY)
        .stage(&stage_types::DISABLE_CLUSTER)
        .stage(&stage_types::SCALE_DOWN_CLUSTER)
        .stage(&stage_types::ShrinkCluster)
        .stage(&stage_types::UPSERT_LOAD_BALANCER)
        .stage(&stage_types::DELETE_LOAD_BALANCER)
        .stage(&stage_types::UPSERT_FIREWALL)
        .stage(&stage_types::DELETE_FIREWALL)
        .stage(&stage_types::TERMINATE_INSTANCES)
        .stage(&stage_types::REBOOT_INSTANCES)
        .stage(&stage_types::REGISTER_INSTANCES)
        .stage(&stage_types::DEREGISTER_INSTANCES)
        .stage(&stage_types::UPSERT_IMAGE_TAGS)
        .stage(&stage_types::FIND_IMAGE)
        .stage(&stage_types::FIND_IMAGE_FROM_TAGS)
        .stage(&rollback::RollbackServerGroup)
        .stage(&rollback::RollbackCluster)
        .pure("completeParallelDeploy", complete_parallel_deploy)
}

/// Calls `wake` with a topic whenever something in an account changes, until its runtime ends. The binary gives the engine's `wake`.
pub fn wake_on_changes(clouds: &Clouds, wake: impl Fn(&str) + Send + Sync + 'static) {
    let wake = Arc::new(wake);
    for provider in clouds.providers() {
        let topic = operate::topic(&provider.describe().name);
        let (mut changes, wake) = (provider.watch(), wake.clone());
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                wake(&topic);
            }
        });
    }
}

/// Gathers what the children of a `deploy` stage have made.
fn complete_parallel_deploy(input: &TaskInput, _now: Timestamp) -> TaskResult {
    let Some(view) = input.view() else {
        return TaskResult::failed("the stage of this task is gone");
    };
    let mut groups = Map::new();
    let mut deployed: Vec<Value> = Vec::new();
    let mut first: Option<Map> = None;
    for child in view.children() {
        // Where a strategy deploys by a stage of its own, that one made the group.
        let mut inner = view.execution().all_children(&child.id);
        let child = inner.find(|stage| stage.name == canary::DEPLOY).unwrap_or(child);
        if let Some(Value::Object(made)) = child.context.get("deploy.server.groups") {
            for (region, names) in made {
                let all = groups.entry(region.clone()).or_insert_with(|| json!([]));
                if let (Value::Array(all), Value::Array(names)) = (all, names) {
                    all.extend(names.iter().cloned());
                }
            }
            first.get_or_insert_with(|| child.context.clone());
        }
        if let Some(Value::Array(more)) = child.context.get("deployedServerGroups") {
            deployed.extend(more.iter().cloned());
        }
    }
    let mut result = TaskResult::succeeded();
    let mut add = |key: &str, value: Value| {
        result = std::mem::replace(&mut result, TaskResult::succeeded()).context(key, value.clone()).output(key, value);
    };
    add("deploy.server.groups", Value::Object(groups));
    add("deployedServerGroups", Value::Array(deployed));
    for key in ["deploy.account.name", "previewAddress", "serverGroupName"] {
        if let Some(value) = first.as_ref().and_then(|context| context.get(key)) {
            add(key, value.clone());
        }
    }
    result
}

/// A precondition on the number of server groups of a cluster.
pub struct ClusterSize(pub Clouds);

#[async_trait]
impl pipeline::Effect for ClusterSize {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let mut config = wishes::context(&input);
        // The fields of a precondition stand in its own `context`.
        if let Some(Value::Object(inner)) = config.get("context").cloned() {
            config.extend(inner);
        }
        let expected = wishes::count(&config, "expected").unwrap_or(1);
        let comparison = wishes::text(&config, &["comparison"]).unwrap_or("==").to_owned();
        for region in wishes::regions(&config) {
            let groups = match groups::cluster_groups(&self.0, &config, &region).await {
                Ok(Ok(groups)) => groups,
                Ok(Err(error)) => return operate::from_error(&error, &input),
                Err(result) => return result,
            };
            let there = u32::try_from(groups.iter().filter(|group| !group.leaving).count()).unwrap_or(u32::MAX);
            let holds = match comparison.as_str() {
                "<" => there < expected,
                "<=" => there <= expected,
                ">" => there > expected,
                ">=" => there >= expected,
                _ => there == expected,
            };
            if !holds {
                let cluster = wishes::text(&config, &["cluster"]).unwrap_or_default().to_owned();
                return TaskResult::failed(format!(
                    "expected {comparison} {expected} server groups in {cluster} {region}, found {there}"
                ));
            }
        }
        TaskResult::succeeded()
    }
}
