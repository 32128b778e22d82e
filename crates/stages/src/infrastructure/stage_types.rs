//! The stage types over clouds: what each runs before its tasks, its tasks in order, and what follows.

use jiff::SignedDuration;
use pipeline::model::Status;
use pipeline::validate::{About, At, Findings};
use pipeline::{Map, Plan, PlanError, Stage, StageSpec, StageView, TaskResult, TaskSpec};
use schemars::Schema;
use serde_json::Value;

use super::checks;
use super::fields;
use super::strategy::{self, Strategy};
use super::{canary, image, replacing, rolling, wishes};

/// How long instances may take to come up, or to leave, when the stage does not say.
const LONG: SignedDuration = SignedDuration::from_mins(30);

const MONITOR: &str = "monitorCloudOperation";

fn refused(result: TaskResult) -> PlanError {
    match result {
        TaskResult::Failed { error } => PlanError::Refused(error.errors.join("; ")),
        other => PlanError::Refused(format!("{other:?}")),
    }
}

/// Which tasks of a stage change when it is cancelled: the running operation.
const CANCEL: TaskSpec = TaskSpec::new("monitorCloudOperation", MONITOR);

/// Deploy: makes a server group in every given cluster, all at the same time.
pub struct Deploy;

impl Stage for Deploy {
    fn kind(&self) -> &'static str {
        "deploy"
    }

    fn check(&self, config: &Map, about: &About, at: &At, findings: &mut Findings) {
        let at = at.key("clusters");
        for (i, one) in config.get("clusters").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let Some(cluster) = one.as_object() else { continue };
            let at = at.item(i);
            checks::cluster(cluster, about, &at, findings);
            if wishes::account(cluster).is_err() && wishes::account(config).is_err() {
                findings.error(
                    &at.key("account"),
                    "account is missing",
                    "the name of the account that the cluster is in",
                );
            }
        }
        if config.get("clusters").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            findings.error(&at, "there are no clusters: the stage deploys nothing", "");
        }
    }

    fn schema(&self) -> Option<Schema> {
        Some(fields::deploy())
    }

    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let clusters: Vec<Map> = match (stage.context().get("clusters"), stage.context().get("cluster")) {
            (Some(Value::Array(list)), _) => list.iter().filter_map(|cluster| cluster.as_object().cloned()).collect(),
            (_, Some(Value::Object(cluster))) => vec![cluster.clone()],
            _ => Vec::new(),
        };
        if clusters.is_empty() {
            return Err(PlanError::Refused("deploys nothing: give `clusters`".into()));
        }
        let mut plan = Plan::tasks([TaskSpec::new("completeParallelDeploy", "completeParallelDeploy")]);
        for mut cluster in clusters {
            let region = wishes::regions(&cluster).remove(0);
            // What stands beside `clusters` holds for all of them.
            if wishes::account(&cluster).is_err() {
                for key in ["credentials", "account"] {
                    if let Some(value) = stage.context().get(key) {
                        cluster.insert(key.to_owned(), value.clone());
                    }
                }
            }
            for key in ["stageTimeoutMs", "deploymentDetails", "interestingHealthProviderNames"] {
                if let Some(value) = stage.context().get(key) {
                    cluster.entry(key).or_insert_with(|| value.clone());
                }
            }
            plan = plan.before(StageSpec::new("createServerGroup", format!("Deploy in {region}")).context(cluster));
        }
        Ok(plan)
    }
}

/// Makes one server group (anew, or like its source), and moves traffic to it as its strategy says.
pub struct CreateServerGroup;

impl Stage for CreateServerGroup {
    fn kind(&self) -> &'static str {
        "createServerGroup"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["cloneServerGroup", "copyLastAsg"]
    }

    fn schema(&self) -> Option<Schema> {
        Some(fields::create())
    }

    fn check(&self, config: &Map, about: &About, at: &At, findings: &mut Findings) {
        checks::cluster(&wishes::cluster_config(config), about, at, findings);
    }

    fn plan(&self, stage: &StageView) -> Result<Plan, PlanError> {
        let mut config = wishes::cluster_config(stage.context());
        let inherited = if stage.stage().kind == "createServerGroup" { Map::new() } else { of_source(&config) };
        config.extend(inherited.clone());
        let (strategy, base) = deployment(stage, &config)?;
        wishes::account(&config).map_err(refused)?;
        let mut context = inherited;
        match strategy {
            Strategy::Custom => {
                let clone = stage.stage().kind != "createServerGroup";
                let one = strategy::custom(&config, &base, stage, clone).map_err(PlanError::Refused)?;
                return Ok(Plan { context, ..Plan::default() }.before(one));
            }
            Strategy::RollingRedBlack | Strategy::Rolling => context.extend(rolling::made_empty(&config)),
            Strategy::Canary => {
                let plan = Plan::tasks([TaskSpec::new("determineSourceServerGroup", "determineSourceServerGroup")]);
                return Ok(Plan { context, ..plan });
            }
            _ => {}
        }
        let plan = Plan::tasks([
            TaskSpec::new("determineSourceServerGroup", "determineSourceServerGroup"),
            TaskSpec::new("determineHealthProviders", "determineHealthProviders"),
            TaskSpec::new("createServerGroup", "createServerGroup"),
            TaskSpec::new("monitorDeploy", MONITOR).timeout(LONG),
            TaskSpec::new("waitForUpInstances", "waitForUpInstances").timeout(LONG),
        ]);
        let plan = Plan { context, ..plan };
        Ok(match image::package(&config) {
            Some(package) => plan.before(bake(package, &config)),
            None => plan,
        })
    }

    fn after(&self, stage: &StageView) -> Result<Vec<StageSpec>, PlanError> {
        let config = wishes::cluster_config(stage.context());
        // A group without traffic cannot take it over; a later stage moves it.
        if !wishes::wants_traffic(&config) {
            return Ok(Vec::new());
        }
        let (strategy, base) = deployment(stage, &config)?;
        let had_source = stage.context().get("source").is_some_and(Value::is_object);
        strategy.after(&config, &base, had_source).map_err(PlanError::Refused)
    }

    fn on_failure(&self, stage: &StageView) -> Vec<StageSpec> {
        let config = wishes::cluster_config(stage.context());
        let Ok((strategy, base)) = deployment(stage, &config) else { return Vec::new() };
        // What a red/black deployment does once its group is up is not taken back: the group is good.
        let own = stage.stage().tasks.iter().any(|task| task.status == Status::Terminal);
        match strategy {
            Strategy::RollingRedBlack => rolling::on_failure(stage, &config, &base),
            Strategy::Rolling => replacing::on_failure(stage, &config, &base),
            Strategy::Canary => canary::on_failure(stage, &base),
            Strategy::RedBlack if own => rolling::roll_back(&config, &base, "disableOnly"),
            _ => Vec::new(),
        }
    }

    fn on_cancel(&self, _stage: &StageView) -> Option<TaskSpec> {
        Some(TaskSpec::new("withdrawDeployment", "withdrawDeployment"))
    }
}

/// The stage that makes the image of a package.
fn bake(package: &str, config: &Map) -> StageSpec {
    let region = wishes::regions(config).remove(0);
    let mut stage = StageSpec::new("bake", format!("Bake {package}")).with("package", package).with("region", region);
    for key in ["repository", "baseOs", "builder", "command"] {
        if let Some(value) = config.get(key) {
            stage = stage.with(key, value.clone());
        }
    }
    stage.with("skipRegionDetection", true)
}

/// The strategy of a deployment, and what the stages of its plan share.
fn deployment(stage: &StageView, config: &Map) -> Result<(Strategy, Map), PlanError> {
    let name = wishes::text(config, &["strategy"]).unwrap_or_default();
    let strategy = Strategy::read(name).map_err(PlanError::Refused)?;
    let cluster = wishes::cluster_of(config, &stage.execution().application).map_err(refused)?;
    let region = wishes::regions(config).remove(0);
    Ok((strategy, strategy::base(config, &cluster.to_string(), &region)))
}

/// Where a copy goes when the stage does not say: beside its source.
fn of_source(config: &Map) -> Map {
    let mut found = Map::new();
    let Some(source) = config.get("source").and_then(Value::as_object) else { return found };
    let mut add = |key: &str, value: &str| {
        if !config.contains_key(key) && !value.is_empty() {
            found.insert(key.to_owned(), value.into());
        }
    };
    add("region", wishes::text(source, &["region"]).unwrap_or_default());
    if !config.contains_key("credentials") {
        add("account", wishes::text(source, &["account"]).unwrap_or_default());
    }
    let name = wishes::text(source, &["serverGroupName", "asgName"]).unwrap_or_default();
    if let Ok(name) = name.parse::<cloud::names::GroupName>() {
        add("application", name.cluster().app());
        add("stack", name.cluster().stack());
        add("freeFormDetails", name.cluster().detail());
    }
    found
}

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
             source: object, pinCapacity: flag, pinMinimumCapacity: flag, unpinMinimumCapacity: flag,
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
