//! The stage types that make server groups: `deploy` for several clusters, `createServerGroup` with its copies for one, by strategy.

use pipeline::model::Status;
use pipeline::validate::{About, At, Findings};
use pipeline::{Map, Plan, PlanError, Stage, StageSpec, StageView, TaskResult, TaskSpec};
use schemars::Schema;
use serde_json::Value;

use super::stage_types::{LONG, MONITOR};
use super::strategy::{self, Strategy};
use super::{canary, checks, fields, image, replacing, rolling, wishes};

fn refused(result: TaskResult) -> PlanError {
    match result {
        TaskResult::Failed { error } => PlanError::Refused(error.errors.join("; ")),
        other => PlanError::Refused(format!("{other:?}")),
    }
}

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
        let clusters = clusters_of(stage.context());
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
            plan = plan.before(StageSpec::new("createServerGroup", deploys_in(&region)).context(cluster));
        }
        Ok(plan)
    }

    fn names_inside(&self, config: &Map) -> Vec<String> {
        clusters_of(config).iter().map(|cluster| deploys_in(&wishes::regions(cluster).remove(0))).collect()
    }
}

/// What a `deploy` stage deploys.
fn clusters_of(config: &Map) -> Vec<Map> {
    match (config.get("clusters"), config.get("cluster")) {
        (Some(Value::Array(list)), _) => list.iter().filter_map(|cluster| cluster.as_object().cloned()).collect(),
        (_, Some(Value::Object(cluster))) => vec![cluster.clone()],
        _ => Vec::new(),
    }
}

/// The name of the stage for a region.
fn deploys_in(region: &str) -> String {
    format!("Deploy in {region}")
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
        if matches!(strategy, Strategy::Canary | Strategy::Rolling | Strategy::RollingRedBlack)
            && !wishes::wants_traffic(&config)
        {
            let what = "deploys by moving traffic, and the stage wants none: leave out `enableTraffic: false`, or the strategy";
            return Err(PlanError::Refused(format!("strategy {strategy:?} {what}")));
        }
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
