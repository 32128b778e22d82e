//! `canary`: a few instances of the new version beside as many fresh ones of the old, with the same share of requests or of users. What the
//! load balancer measures of both, or a person, decides whether the new version is deployed. Pure; the comparison is in `compare`.

use std::sync::Arc;

use cloud::names::ClusterName;
use jiff::Timestamp;
use pipeline::model::Stage;
use pipeline::{Map, StageSpec, StageView};
use serde_json::{Value, json};

use super::source::LIKE;
use super::strategy::{self, stage};
use super::wishes::{self, count, flag, text};
use super::{image, operate};

/// Marks the groups of a canary in their stage's configuration: the cluster that they stand in for.
pub(crate) const CANARY_OF: &str = "canaryOf";

/// The two that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Canary,
    Baseline,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Side::Canary => "Canary",
            Side::Baseline => "Baseline",
        }
    }

    /// Which of the two a stage with this configuration makes; none when it makes neither.
    fn of(config: &Map) -> Option<Side> {
        let detail = text(config, &["freeFormDetails"]).filter(|_| config.contains_key(CANARY_OF))?;
        Some(if detail.ends_with("canary") { Side::Canary } else { Side::Baseline })
    }

    /// The cluster of its own that it gets: that of the deployment with one more word.
    fn cluster(self, of: &ClusterName) -> Result<ClusterName, String> {
        let word = self.name().to_ascii_lowercase();
        let detail = if of.detail().is_empty() { word } else { format!("{}-{word}", of.detail()) };
        ClusterName::new(of.app(), of.stack(), &detail).map_err(|error| error.to_string())
    }
}

/// The stages of a deployment whose source is known; without one there is nothing to compare with.
pub(crate) fn after(config: &Map, base: &Map) -> Result<Vec<StageSpec>, String> {
    let wish = config.get("canary").and_then(Value::as_object).cloned().unwrap_or_default();
    let cluster: ClusterName = text(base, &["cluster"])
        .unwrap_or_default()
        .parse()
        .map_err(|error: cloud::names::NameError| error.to_string())?;
    let mut plan = Vec::new();
    if let Some(source) = config.get("source").and_then(Value::as_object) {
        let image = text(source, &["image"]).ok_or("the image of the server group to compare with is not known")?;
        let canary = Side::Canary.cluster(&cluster)?;
        let baseline = Side::Baseline.cluster(&cluster)?;
        let mut old = small(config, &wish, &cluster, &baseline);
        image::replace(&mut old, image);
        let both = [small(config, &wish, &cluster, &canary), old].map(Value::Object);
        plan.push(StageSpec::new("deploy", "Deploy Canary and Baseline").with("clusters", json!(both)).then());
        plan.push(compare(&wish, base, &canary, &baseline));
        if flag(&wish, "judgment") == Some(true) {
            let one = StageSpec::new("manualJudgment", "Judge Canary").then();
            plan.push(
                one.with("instructions", "Compare Canary with Baseline shows both. Continue deploys the new version."),
            );
        }
        for (side, cluster) in [(Side::Canary, canary), (Side::Baseline, baseline)] {
            let name = format!("Destroy {}", side.name());
            let one = stage("destroyServerGroup", &name, base).with("cluster", cluster.to_string());
            plan.push(one.with("target", "current_asg_dynamic"));
        }
    }
    plan.push(StageSpec::new("createServerGroup", DEPLOY).context(whole(config, &wish)).then());
    Ok(plan)
}

/// The stage that deploys what was found good.
pub(crate) const DEPLOY: &str = "Deploy";

/// The configuration of one of the two.
fn small(config: &Map, wish: &Map, of: &ClusterName, cluster: &ClusterName) -> Map {
    let mut small = config.clone();
    for key in
        ["canary", "source", LIKE, "moniker", "useSourceCapacity", "preferSourceCapacity", "rollback", "scaleDown"]
    {
        small.shift_remove(key);
    }
    let size = count(wish, "instances").unwrap_or(1).max(1);
    for (key, value) in [
        ("strategy", json!("none")),
        ("application", json!(cluster.app())),
        ("stack", json!(cluster.stack())),
        ("freeFormDetails", json!(cluster.detail())),
        ("capacity", json!({"min": size, "max": size, "desired": size})),
        (CANARY_OF, json!(of.to_string())),
    ] {
        small.insert(key.to_owned(), value);
    }
    if let Some(percentage) = wish.get("percentage") {
        small.insert("trafficPercentage".into(), percentage.clone());
    }
    if let Some(clients) = wish.get("clients") {
        small.insert("trafficClients".into(), clients.clone());
    }
    small
}

/// The deployment of the whole, when the new version was found good.
fn whole(config: &Map, wish: &Map) -> Map {
    let mut whole = config.clone();
    for key in ["canary", "source", LIKE] {
        whole.shift_remove(key);
    }
    let strategy = text(wish, &["strategy"]).unwrap_or("redblack");
    whole.insert("strategy".into(), strategy.into());
    whole
}

fn compare(wish: &Map, base: &Map, canary: &ClusterName, baseline: &ClusterName) -> StageSpec {
    let mut one = stage("compareServerGroups", "Compare Canary with Baseline", base)
        .with("canaryCluster", canary.to_string())
        .with("baselineCluster", baseline.to_string())
        .with("judgment", flag(wish, "judgment") == Some(true));
    for key in ["lifetimeMinutes", "minimumRequests", "maximumErrorRateDifference", "maximumLatencyRatio"] {
        if let Some(value) = wish.get(key) {
            one = one.with(key, value.clone());
        }
    }
    one
}

/// The cluster that a canary or baseline is compared for, by its name; none when the name is not one of theirs.
pub(crate) fn stands_in_for(cluster: &ClusterName) -> Option<ClusterName> {
    let (rest, word) = cluster.detail().rsplit_once('-').unwrap_or(("", cluster.detail()));
    let known = [Side::Canary, Side::Baseline].iter().any(|side| side.name().eq_ignore_ascii_case(word));
    known.then(|| ClusterName::new(cluster.app(), cluster.stack(), rest).ok()).flatten()
}

/// What a stage with this configuration makes, for a report: `canary` or `baseline`, or neither.
pub(crate) fn role(config: &Map) -> Option<&'static str> {
    Side::of(config).map(|side| match side {
        Side::Canary => "canary",
        Side::Baseline => "baseline",
    })
}

/// Where a canary or a baseline was made, or was about to be.
pub(crate) struct Place {
    pub account: String,
    pub region: String,
    pub cluster: ClusterName,
    /// Older groups of the cluster are not this deployment's.
    pub since: Timestamp,
}

/// The stages that made a canary and a baseline for a deployment.
fn stages<'a>(deployment: &'a StageView) -> impl Iterator<Item = &'a Arc<Stage>> {
    let (run, own) = (deployment.execution(), &deployment.stage().id);
    let made = run.stages.iter().filter(|stage| stage.context.contains_key(CANARY_OF));
    made.filter(move |stage| run.around(&stage.id).skip(1).any(|outer| outer.id == *own))
}

/// The places of both, for what is withdrawn.
pub(crate) fn places(deployment: &StageView) -> Vec<Place> {
    let application = &deployment.execution().application;
    let place = |stage: &Arc<Stage>| {
        Some(Place {
            account: wishes::account(&stage.context).ok()?,
            region: wishes::regions(&stage.context).remove(0),
            cluster: wishes::cluster_of(&stage.context, application).ok()?,
            since: Timestamp::from_millisecond(stage.start_time?).ok()?,
        })
    };
    stages(deployment).filter_map(place).collect()
}

/// What tidies up after a failure, as far as the run knows of it: neither of the two stays.
pub(crate) fn on_failure(deployment: &StageView, base: &Map) -> Vec<StageSpec> {
    let mut plan = Vec::new();
    for made in stages(deployment) {
        let Some(side) = Side::of(&made.context) else { continue };
        for target in operate::targets_of(&made.context) {
            let one = stage("destroyServerGroup", &format!("Destroy {}", side.name()), base);
            let one = one.with("serverGroupName", target.server_group_name);
            plan.push(one.with("stageTimeoutMs", strategy::MINUTES_20));
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(config: Value) -> Vec<StageSpec> {
        let base = json!({"cluster": "shop-main", "credentials": "local", "region": "local"});
        after(config.as_object().unwrap(), base.as_object().unwrap()).unwrap()
    }

    #[test]
    fn both_sides_are_alike_but_for_their_image() {
        let config = json!({"application": "shop", "stack": "main", "image": "shop-2.0", "env": {"A": "1"}, "capacity": {"desired": 8},
            "source": {"serverGroupName": "shop-main-v003", "image": "shop-1.0"},
            "canary": {"percentage": 5, "instances": 2, "clients": {"cookie": "side"}, "lifetimeMinutes": 30, "minimumRequests": 50}});
        let plan = plan(config);
        let names: Vec<&str> = plan.iter().map(|stage| stage.name.as_str()).collect();
        let expected = [
            "Deploy Canary and Baseline",
            "Compare Canary with Baseline",
            "Destroy Canary",
            "Destroy Baseline",
            "Deploy",
        ];
        assert_eq!(names, expected);
        let clusters = &plan[0].context["clusters"];
        assert_eq!(clusters[0]["image"], "shop-2.0");
        let mut old = clusters[0].clone();
        old["image"] = json!("shop-1.0");
        old["freeFormDetails"] = json!("baseline");
        assert_eq!(clusters[1], old);
        assert_eq!(old["capacity"], json!({"min": 2, "max": 2, "desired": 2}));
        assert_eq!((&old["trafficPercentage"], &old["trafficClients"]), (&json!(5), &json!({"cookie": "side"})));
        let compare = &plan[1].context;
        assert_eq!(
            (&compare["canaryCluster"], &compare["baselineCluster"]),
            (&json!("shop-main-canary"), &json!("shop-main-baseline"))
        );
        assert_eq!((&compare["lifetimeMinutes"], &compare["minimumRequests"]), (&json!(30), &json!(50)));
        let whole = &plan[4].context;
        assert_eq!((&whole["strategy"], &whole["capacity"]), (&json!("redblack"), &json!({"desired": 8})));
    }

    #[test]
    fn the_first_version_has_nothing_to_be_compared_with() {
        let plan = plan(json!({"image": "shop-1.0", "canary": {"percentage": 5}}));
        assert_eq!(plan.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>(), ["Deploy"]);
    }
}
