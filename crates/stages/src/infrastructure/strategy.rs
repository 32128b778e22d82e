//! Deployment strategies as plans of ordinary stages: what follows once the new server group is up. Pure.

use pipeline::{Map, StageSpec, StageView};
use serde_json::{Value, json};

use super::wishes::{count, flag, text};
use super::{canary, replacing, rolling};

/// How traffic moves to a new server group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Old groups stay as they are.
    None,
    /// Old groups lose their traffic at once when the new one is up.
    RedBlack,
    /// Traffic moves in steps, and the new group grows with it: see `rolling`.
    RollingRedBlack,
    /// New instances come in as old ones go out, for a fixed number of machines: see `replacing`.
    Rolling,
    /// A few instances are compared with as many of the old version first: see `canary`.
    Canary,
    /// Old groups are destroyed.
    Highlander,
    /// A pipeline does it all.
    Custom,
}

impl Strategy {
    /// Reads the name; an unknown one is none, a known one that cannot be done yet is refused.
    pub fn read(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "redblack" => Ok(Self::RedBlack),
            "highlander" => Ok(Self::Highlander),
            "rollingredblack" => Ok(Self::RollingRedBlack),
            "rolling" => Ok(Self::Rolling),
            "canary" => Ok(Self::Canary),
            "custom" => Ok(Self::Custom),
            "monitored" | "cfrollingredblack" | "rollingpush" => Err(format!(
                "strategy \"{name}\" is not available yet; use redblack, rollingredblack, rolling, canary, highlander, custom or none"
            )),
            _ => Ok(Self::None),
        }
    }

    /// The stages after the new group is up. `had_source` says whether there was an older group; `base` names account, cluster and region.
    pub fn after(self, config: &Map, base: &Map, had_source: bool) -> Result<Vec<StageSpec>, String> {
        Ok(match self {
            Self::None | Self::Custom => Vec::new(),
            Self::RollingRedBlack => rolling::after(config, base)?,
            Self::Rolling => replacing::after(config, base)?,
            Self::Canary => canary::after(config, base)?,
            Self::Highlander => vec![
                stage("shrinkCluster", "shrinkCluster", base)
                    .with("shrinkToSize", 1)
                    .with("allowDeleteActive", true)
                    .with("retainLargerOverNewer", false),
            ],
            Self::RedBlack if !had_source => Vec::new(),
            Self::RedBlack => red_black(config, base),
        })
    }
}

/// The one stage of a deployment whose strategy is a pipeline.
pub(crate) fn custom(config: &Map, base: &Map, view: &StageView, clone: bool) -> Result<StageSpec, String> {
    let pipeline = text(config, &["strategyPipeline", "pipelineId"]);
    let pipeline = pipeline.ok_or("strategy \"custom\" needs `strategyPipeline`: the pipeline that deploys")?;
    let mut parameters = config.get("pipelineParameters").and_then(Value::as_object).cloned().unwrap_or_default();
    let execution = view.execution();
    let application = text(config, &["application"]).unwrap_or(&execution.application);
    for (key, value) in [
        ("application", json!(application)),
        ("credentials", base.get("credentials").cloned().unwrap_or_default()),
        ("cloudProvider", base.get("cloudProvider").cloned().unwrap_or_default()),
        ("cluster", base.get("cluster").cloned().unwrap_or_default()),
        ("region", base.get("region").cloned().unwrap_or_default()),
        ("strategy", json!(true)),
        ("clone", json!(clone)),
        ("parentPipelineId", json!(execution.id)),
        ("parentStageId", json!(view.stage().parent_stage_id.as_ref().unwrap_or(&view.stage().id))),
    ] {
        parameters.insert(key.to_owned(), value);
    }
    if let Some(moniker) = config.get("moniker") {
        parameters.insert("moniker".into(), moniker.clone());
    }
    let one = StageSpec::new("pipeline", "pipeline")
        .with("pipelineId", pipeline)
        .with("pipelineParameters", Value::Object(parameters));
    Ok(one.with("pipelineApplication", text(config, &["strategyApplication"]).unwrap_or(application)))
}

fn red_black(config: &Map, base: &Map) -> Vec<StageSpec> {
    let mut plan = Vec::new();
    if let Some(most) = count(config, "maxRemainingAsgs").filter(|most| *most > 0) {
        plan.push(
            stage("shrinkCluster", "shrinkCluster", base)
                .with("shrinkToSize", most)
                .with("allowDeleteActive", flag(config, "allowDeleteActive").unwrap_or(false))
                .with("retainLargerOverNewer", false),
        );
    }
    plan.extend(wait(config, &["delayBeforeDisableSec", "delayBeforeCleanup"], "Wait Before Disable"));
    plan.push(
        stage("disableCluster", "disableCluster", base)
            .with("remainingEnabledServerGroups", 1)
            .with("preferLargerOverNewer", false),
    );
    if flag(config, "scaleDown") == Some(true) {
        plan.extend(wait(config, &["delayBeforeScaleDownSec"], "Wait Before Scale Down"));
        plan.push(
            stage("scaleDownCluster", "scaleDown", base)
                .with("allowScaleDownActive", flag(config, "allowScaleDownActive").unwrap_or(false))
                .with("remainingFullSizeServerGroups", 1)
                .with("preferLargerOverNewer", false),
        );
    }
    plan
}

pub(crate) const MINUTES_20: u64 = 20 * 60_000;

/// A stage of a plan, behind the one before it.
pub(crate) fn stage(kind: &str, name: &str, base: &Map) -> StageSpec {
    StageSpec::new(kind, name).context(base.clone()).then()
}

pub(crate) fn wait(config: &Map, keys: &[&str], name: &str) -> Option<StageSpec> {
    let seconds = keys.iter().find_map(|key| count(config, key)).filter(|seconds| *seconds > 0)?;
    Some(StageSpec::new("wait", name).with("waitTime", seconds).then())
}

/// What the stages of a plan share: account, provider, cluster, region.
pub(crate) fn base(config: &Map, cluster: &str, region: &str) -> Map {
    let mut base = Map::new();
    let account = text(config, &["credentials", "account"]).unwrap_or_default();
    let provider = text(config, &["cloudProvider", "provider"]).unwrap_or("local");
    for (key, value) in
        [("credentials", account), ("cloudProvider", provider), ("cluster", cluster), ("region", region)]
    {
        base.insert(key.to_owned(), Value::String(value.to_owned()));
    }
    base.insert("regions".into(), json!([region]));
    if let Some(moniker) = config.get("moniker") {
        base.insert("moniker".into(), moniker.clone());
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(strategy: &str, config: Value, had_source: bool) -> Vec<(String, String)> {
        let config = config.as_object().cloned().unwrap_or_default();
        let stages = Strategy::read(strategy).unwrap().after(&config, &Map::new(), had_source).unwrap();
        stages.into_iter().map(|stage| (stage.kind, stage.name)).collect()
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn red_black_takes_traffic_from_the_old_groups_once_there_are_any() {
        assert_eq!(plan("redblack", json!({}), false), []);
        assert_eq!(plan("redblack", json!({}), true), pairs(&[("disableCluster", "disableCluster")]));
        let everything = json!({"maxRemainingAsgs": 2, "delayBeforeDisableSec": "5", "scaleDown": "true", "delayBeforeScaleDownSec": 3});
        let expected = [
            ("shrinkCluster", "shrinkCluster"),
            ("wait", "Wait Before Disable"),
            ("disableCluster", "disableCluster"),
            ("wait", "Wait Before Scale Down"),
            ("scaleDownCluster", "scaleDown"),
        ];
        assert_eq!(plan("RedBlack", everything, true), pairs(&expected));
    }

    #[test]
    fn highlander_leaves_one_and_none_leaves_all() {
        assert_eq!(plan("highlander", json!({}), true), pairs(&[("shrinkCluster", "shrinkCluster")]));
        assert_eq!(plan("none", json!({}), true), []);
        assert_eq!(plan("whatever", json!({}), true), [], "an unknown strategy is none");
        assert!(Strategy::read("monitored").is_err(), "a known one that is not there is refused");
    }
}
