//! The stage types over clouds that are their tasks in order, and little else. Those that deploy are in `deploy`.

use jiff::SignedDuration;
use pipeline::validate::{About, At, Findings};
use pipeline::{Map, Plan, PlanError, Stage, StageSpec, StageView, TaskSpec};
use schemars::Schema;

use super::{checks, fields, wishes};

/// How long instances may take to come up, or to leave, when the stage does not say.
pub(super) const LONG: SignedDuration = SignedDuration::from_mins(30);

pub(super) const MONITOR: &str = "monitorCloudOperation";

/// Which tasks of a stage change when it is cancelled: the running operation.
const CANCEL: TaskSpec = TaskSpec::new("monitorCloudOperation", MONITOR);

/// Stages that work on one server group and differ in their tasks alone.
pub struct OnGroup {
    kind: &'static str,
    aliases: &'static [&'static str],
    fields: fn() -> Schema,
    tasks: &'static [TaskSpec],
}

const TARGET: TaskSpec = TaskSpec::new("determineTargetServerGroup", "determineTargetServerGroup");

const INSTANCES: &str =
    "instanceIds/instance!: [text]|text, serverGroupName: text, asgName: text, loadBalancerNames: [text]";

/// Changes the number of instances.
pub static RESIZE: OnGroup = OnGroup {
    kind: "resizeServerGroup",
    aliases: &["resizeAsg"],
    fields: || {
        fields::on_group(
            "action: scale_exact|scale_up|scale_down|scale_to_cluster|scale_to_server_group, resizeType: text,
             capacity: {min: count, max: count, desired: count}, scalePct: number, scaleNum: count, targetSize: count,
             source: object, neverShrink: flag, pinCapacity: flag, pinMinimumCapacity: flag, unpinMinimumCapacity: flag,
             targetHealthyDeployPercentage: number",
        )
    },
    tasks: &[
        TARGET,
        TaskSpec::new("resizeServerGroup", "resizeServerGroup"),
        TaskSpec::new("monitorServerGroup", MONITOR).timeout(LONG),
        TaskSpec::new("waitForCapacityMatch", "waitForCapacityMatch").timeout(LONG),
    ],
};

/// Keeps the least number of instances at what there is, or gives it back.
pub static PIN: OnGroup = OnGroup {
    kind: "pinServerGroup",
    aliases: &[],
    fields: || fields::on_group("action: text, source: object, pinMinimumCapacity: flag, unpinMinimumCapacity: flag"),
    tasks: &[
        TARGET,
        TaskSpec::new("resizeServerGroup", "resizeServerGroup"),
        TaskSpec::new("monitorServerGroup", MONITOR).timeout(LONG),
    ],
};

/// Notes which group is meant.
pub static DETERMINE_TARGET: OnGroup =
    OnGroup { kind: "determineTargetServerGroup", aliases: &[], fields: || fields::on_group(""), tasks: &[TARGET] };

/// Gives traffic.
pub static ENABLE: OnGroup = OnGroup {
    kind: "enableServerGroup",
    aliases: &["enableAsg"],
    fields: || fields::on_group("desiredPercentage: number, targetHealthyDeployPercentage: number"),
    tasks: &[
        TARGET,
        TaskSpec::new("enableServerGroup", "enableServerGroup"),
        TaskSpec::new("monitorServerGroup", MONITOR).timeout(LONG),
        TaskSpec::new("waitForUpInstances", "waitForUpInstances").timeout(LONG),
    ],
};

/// Takes traffic away.
pub static DISABLE: OnGroup = OnGroup {
    kind: "disableServerGroup",
    aliases: &["disableAsg"],
    fields: || fields::on_group("desiredPercentage: number, targetHealthyDeployPercentage: number"),
    tasks: &[
        TARGET,
        TaskSpec::new("disableServerGroup", "disableServerGroup"),
        TaskSpec::new("monitorServerGroup", MONITOR).timeout(LONG),
        TaskSpec::new("waitForDownInstances", "waitForRequiredInstancesDown").timeout(LONG),
    ],
};

/// Says what a group takes of its load balancers' requests.
pub static SHARE: OnGroup = OnGroup {
    kind: "shareTraffic",
    aliases: &[],
    fields: || {
        fields::on_group("trafficPercentage: number, trafficClients: {cookie: text, header: text, ttlSec: count}")
    },
    tasks: &[
        TARGET,
        TaskSpec::new("shareTraffic", "shareTraffic"),
        TaskSpec::new("monitorServerGroup", MONITOR).timeout(LONG),
    ],
};

/// Compares what users see of two groups.
pub static COMPARE: OnGroup = OnGroup {
    kind: "compareServerGroups",
    aliases: &[],
    fields: || {
        fields::placed(
            "canaryCluster!: text, baselineCluster!: text, cluster: text, lifetimeMinutes: number, judgment: flag,
             minimumRequests: count, maximumErrorRateDifference: number, maximumLatencyRatio: number",
        )
    },
    tasks: &[TaskSpec::new("compareServerGroups", "compareServerGroups")],
};

/// Takes traffic away and ends the group.
pub static DESTROY: OnGroup = OnGroup {
    kind: "destroyServerGroup",
    aliases: &["destroyAsg"],
    fields: || fields::on_group(""),
    tasks: &[
        TARGET,
        TaskSpec::new("disableServerGroup", "disableServerGroup"),
        TaskSpec::new("monitorServerGroup", MONITOR).timeout(LONG),
        TaskSpec::new("waitForDownInstances", "waitForRequiredInstancesDown").timeout(LONG),
        TaskSpec::new("destroyServerGroup", "destroyServerGroup"),
        TaskSpec::new("monitorServerGroup", MONITOR).timeout(LONG),
        TaskSpec::new("waitForDestroyedServerGroup", "waitForDestroyedServerGroup").timeout(LONG),
    ],
};

/// Takes traffic from all of a cluster but a few.
pub static DISABLE_CLUSTER: OnGroup = OnGroup {
    kind: "disableCluster",
    aliases: &[],
    fields: || {
        fields::on_cluster(
            "remainingEnabledServerGroups: count, preferLargerOverNewer: flag, desiredPercentage: number,
             continueIfClusterNotFound: flag",
        )
    },
    tasks: &[
        TaskSpec::new("disableCluster", "disableCluster"),
        TaskSpec::new("monitorDisableCluster", MONITOR).timeout(LONG),
        TaskSpec::new("waitForClusterDisable", "waitForRequiredInstancesDown").timeout(LONG),
    ],
};

/// Ends the instances of all of a cluster but a few groups.
pub static SCALE_DOWN_CLUSTER: OnGroup = OnGroup {
    kind: "scaleDownCluster",
    aliases: &[],
    fields: || {
        fields::on_cluster(
            "remainingFullSizeServerGroups: count, allowScaleDownActive: flag, preferLargerOverNewer: flag,
             continueIfClusterNotFound: flag",
        )
    },
    tasks: &[
        TaskSpec::new("scaleDownCluster", "scaleDownCluster"),
        TaskSpec::new("monitorScaleDown", MONITOR).timeout(LONG),
        TaskSpec::new("waitForScaleDown", "waitForCapacityMatch").timeout(LONG),
    ],
};

/// Makes load balancers, or makes them as described.
pub static UPSERT_LOAD_BALANCER: OnGroup = OnGroup {
    kind: "upsertLoadBalancer",
    aliases: &["upsertLoadBalancers"],
    fields: fields::balancers,
    tasks: &[
        TaskSpec::new("upsertLoadBalancer", "upsertLoadBalancer"),
        TaskSpec::new("monitorUpsert", MONITOR).timeout(SignedDuration::from_mins(2)),
    ],
};

/// Ends a load balancer.
pub static DELETE_LOAD_BALANCER: OnGroup = OnGroup {
    kind: "deleteLoadBalancer",
    aliases: &[],
    fields: || fields::placed("loadBalancerName/name!: text, loadBalancerType: text, vpcId: text"),
    tasks: &[
        TaskSpec::new("deleteLoadBalancer", "deleteLoadBalancer"),
        TaskSpec::new("monitorDelete", MONITOR).timeout(SignedDuration::from_mins(10)),
    ],
};

/// Makes a firewall, or makes it as described.
pub static UPSERT_FIREWALL: OnGroup = OnGroup {
    kind: "upsertSecurityGroup",
    aliases: &["upsertFirewall"],
    fields: || {
        fields::placed(
            "securityGroupName/name!: text, description: text, application: text, vpcId: text, network: text, sourceRanges: [text]|text,
             allowed: [{ipProtocol: text, portRanges: [text]|text}], sourceTags: list, targetTags: list, securityGroupIngress: list,
             ipIngress: [{cidr: text, startPort: number, endPort: number, type: text}]",
        )
    },
    tasks: &[
        TaskSpec::new("upsertSecurityGroup", "upsertSecurityGroup"),
        TaskSpec::new("monitorUpsert", MONITOR).timeout(SignedDuration::from_mins(2)),
    ],
};

/// Ends a firewall.
pub static DELETE_FIREWALL: OnGroup = OnGroup {
    kind: "deleteSecurityGroup",
    aliases: &["deleteFirewall"],
    fields: || fields::placed("securityGroupName/name!: text, vpcId: text"),
    tasks: &[
        TaskSpec::new("deleteSecurityGroup", "deleteSecurityGroup"),
        TaskSpec::new("monitorDelete", MONITOR).timeout(SignedDuration::from_mins(2)),
    ],
};

/// Ends single instances; their group replaces them.
pub static TERMINATE_INSTANCES: OnGroup = OnGroup {
    kind: "terminateInstances",
    aliases: &["terminateInstanceAndDecrementServerGroup"],
    fields: || fields::placed(INSTANCES),
    tasks: &[
        TaskSpec::new("terminateInstances", "terminateInstances"),
        TaskSpec::new("monitorInstances", MONITOR).timeout(LONG),
    ],
};

/// Starts single instances anew.
pub static REBOOT_INSTANCES: OnGroup = OnGroup {
    kind: "rebootInstances",
    aliases: &[],
    fields: || fields::placed(INSTANCES),
    tasks: &[
        TaskSpec::new("rebootInstances", "rebootInstances"),
        TaskSpec::new("monitorInstances", MONITOR).timeout(LONG),
    ],
};

/// Gives single instances traffic.
pub static REGISTER_INSTANCES: OnGroup = OnGroup {
    kind: "registerInstancesWithLoadBalancer",
    aliases: &[],
    fields: || fields::placed(INSTANCES),
    tasks: &[
        TaskSpec::new("registerInstances", "registerInstances"),
        TaskSpec::new("monitorInstances", MONITOR).timeout(LONG),
    ],
};

/// Takes single instances out of traffic; they go on running.
pub static DEREGISTER_INSTANCES: OnGroup = OnGroup {
    kind: "deregisterInstancesFromLoadBalancer",
    aliases: &[],
    fields: || fields::placed(INSTANCES),
    tasks: &[
        TaskSpec::new("deregisterInstances", "deregisterInstances"),
        TaskSpec::new("monitorInstances", MONITOR).timeout(LONG),
    ],
};

/// Finds the newest image of a package.
pub static FIND_IMAGE_FROM_TAGS: OnGroup = OnGroup {
    kind: "findImageFromTags",
    aliases: &[],
    // Images are looked for in every account.
    fields: || {
        pipeline::fields::written(
            "packageName!: text, tags: object, region: text, regions: [text]|text, cloudProvider: text, cloudProviderType: text",
        )
    },
    tasks: &[TaskSpec::new("findImage", "findImageFromTags")],
};

/// Adds tags to images.
pub static UPSERT_IMAGE_TAGS: OnGroup = OnGroup {
    kind: "upsertImageTags",
    aliases: &[],
    fields: || {
        fields::placed_anywhere(
            "tags!: object, imageNames: [text]|text, consideredStages: [text], upstreamImageIds: [text]",
        )
    },
    tasks: &[
        TaskSpec::new("upsertImageTags", "upsertImageTags"),
        TaskSpec::new("monitorUpsert", MONITOR).timeout(SignedDuration::from_mins(2)),
    ],
};

/// Finds the image that a cluster runs.
pub static FIND_IMAGE: OnGroup = OnGroup {
    kind: "findImage",
    aliases: &["findAmi"],
    fields: || {
        fields::on_cluster(
            "onlyEnabled: flag, selectionStrategy: LARGEST|NEWEST|OLDEST|FAIL, imageNamePattern: text, resolveMissingLocations: flag,
             skipRegionDetection: flag",
        )
    },
    tasks: &[TaskSpec::new("findImage", "findImage")],
};

impl Stage for OnGroup {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    fn schema(&self) -> Option<Schema> {
        Some((self.fields)())
    }

    fn check(&self, config: &Map, about: &About, at: &At, findings: &mut Findings) {
        checks::account(config, about, at, findings);
    }

    fn plan(&self, _stage: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks(self.tasks.iter().cloned()))
    }

    fn on_cancel(&self, _stage: &StageView) -> Option<TaskSpec> {
        Some(CANCEL)
    }
}

/// Destroys all of a cluster but a few; takes their traffic first when they may be active.
pub struct ShrinkCluster;

impl Stage for ShrinkCluster {
    fn kind(&self) -> &'static str {
        "shrinkCluster"
    }

    fn schema(&self) -> Option<Schema> {
        Some(fields::on_cluster(
            "shrinkToSize: count, allowDeleteActive: flag, retainLargerOverNewer: flag, runDisableClusterStep: flag,
             continueIfClusterNotFound: flag",
        ))
    }

    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let context = stage.context();
        let mut plan = Plan::tasks([
            TaskSpec::new("shrinkCluster", "shrinkCluster"),
            TaskSpec::new("monitorShrinkCluster", MONITOR).timeout(LONG),
            TaskSpec::new("waitForClusterShrink", "waitForDestroyedServerGroup").timeout(LONG),
        ]);
        let first = wishes::flag(context, "runDisableClusterStep").unwrap_or(true);
        if first && wishes::flag(context, "allowDeleteActive") == Some(true) {
            let mut disable = context.clone();
            disable.insert(
                "remainingEnabledServerGroups".into(),
                wishes::count(context, "shrinkToSize").unwrap_or(1).into(),
            );
            let larger = wishes::flag(context, "retainLargerOverNewer").unwrap_or(false);
            disable.insert("preferLargerOverNewer".into(), larger.into());
            disable.insert("continueIfClusterNotFound".into(), true.into());
            plan = plan.before(StageSpec::new("disableCluster", "disableCluster").context(disable));
        }
        Ok(plan)
    }

    fn on_cancel(&self, _stage: &StageView) -> Option<TaskSpec> {
        Some(CANCEL)
    }
}
