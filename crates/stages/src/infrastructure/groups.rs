//! Tasks of stages that work on one server group: find the source, the image, the target; create, resize, move traffic, destroy.

use async_trait::async_trait;
use cloud::health::Capacity;
use cloud::inventory::ServerGroup;
use cloud::names::{ClusterName, GroupName};
use cloud::operation::{GroupAt, ResizeServerGroup, ShareTraffic, Traffic};
use cloud::{CloudError, Clouds, Operation};
use pipeline::{Effect, Map, TaskInput, TaskResult};
use serde_json::{Value, json};

use super::guards::Guarded;
use super::image;
use super::operate::{self, Job, TARGETS, Target, from_error};
use super::select::Word;
use super::{treatment, wishes};

/// Decides which sources of health count: a group without traffic is healthy when the platform says so.
pub(crate) struct DetermineHealth(pub Clouds);

#[async_trait]
impl Effect for DetermineHealth {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config = wishes::cluster_config(&wishes::context(&input));
        let given = config.get("interestingHealthProviderNames").is_some_and(Value::is_array);
        if given || wishes::wants_traffic(&config) {
            return TaskResult::succeeded();
        }
        let provider = match wishes::account(&config).map(|account| self.0.account(&account)) {
            Ok(Ok(provider)) => provider,
            Ok(Err(error)) => return from_error(&error, &input),
            Err(result) => return result,
        };
        TaskResult::succeeded().context("interestingHealthProviderNames", json!([provider.describe().platform_health]))
    }
}

/// The operation of a `createServerGroup` stage.
pub(crate) fn create(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let config = wishes::cluster_config(&wishes::context(input));
    let region = wishes::regions(&config).remove(0);
    let image = input.view().and_then(|view| image::find(&view, &config, &region));
    let image = image.ok_or_else(|| {
        let what =
            "names no image and no earlier stage made one: give `image`, or put a bake or findImage stage before it";
        TaskResult::failed(what)
    })?;
    let (account, operation) = wishes::create(input, image)?;
    Ok(vec![Job { account, operation: Operation::CreateServerGroup(operation), group: None }])
}

/// Finds the group that the stage names, by name or by a word, and notes it.
pub(crate) struct DetermineTarget(pub Clouds);

#[async_trait]
impl Effect for DetermineTarget {
    async fn run(&self, input: TaskInput) -> TaskResult {
        match self.targets(&input).await {
            Ok(targets) => noted(&targets),
            Err(result) => result,
        }
    }
}

fn noted(targets: &[Target]) -> TaskResult {
    let reference = |target: &Target| json!({"region": target.region, "cluster": cluster_name(target), "asg": {"name": target.server_group_name, "region": target.region}});
    let references: Vec<Value> = targets.iter().map(reference).collect();
    let mut result = TaskResult::succeeded().context(TARGETS, json!(targets)).context("targetReferences", references);
    if let Some(first) = targets.first() {
        for (key, value) in [
            ("serverGroupName", &first.server_group_name),
            ("asgName", &first.server_group_name),
            ("region", &first.region),
        ] {
            result = result.context(key, value.clone());
        }
    }
    result
}

fn cluster_name(target: &Target) -> String {
    target.server_group_name.parse::<GroupName>().map(|name| name.cluster().to_string()).unwrap_or_default()
}

impl DetermineTarget {
    async fn targets(&self, input: &TaskInput) -> Result<Vec<Target>, TaskResult> {
        let config = wishes::context(input);
        let account = wishes::account(&config)?;
        let regions = wishes::regions(&config);
        let word = wishes::text(&config, &["target"]).map(|text| {
            let known = "current_asg_dynamic, ancestor_asg_dynamic, oldest_asg_dynamic";
            Word::read(text)
                .ok_or_else(|| TaskResult::failed(format!("target \"{text}\" is not known; give one of {known}")))
        });
        let named = wishes::text(&config, &["serverGroupName", "asgName"]);
        let (word, cluster) = match (word, named) {
            (Some(word), _) => (word?, cluster_of(&config)?),
            (None, Some(name)) => {
                let target =
                    |region: String| Target { account: account.clone(), region, server_group_name: name.to_owned() };
                return Ok(regions.into_iter().map(target).collect());
            }
            (None, None) => {
                return Err(TaskResult::failed(
                    "names no server group: give `serverGroupName`, or `cluster` and `target`",
                ));
            }
        };
        let mut targets = Vec::new();
        for region in regions {
            let groups =
                self.0.cluster(&account, &cluster, Some(&region)).await.map_err(|error| from_error(&error, input))?;
            let group = word.pick(&groups).ok_or_else(|| {
                let there = groups.len();
                TaskResult::failed(format!("no server group is meant: cluster {cluster} in {account}/{region} has {there}, {word:?} was asked for"))
            })?;
            targets.push(Target { account: account.clone(), region, server_group_name: group.name.to_string() });
        }
        Ok(targets)
    }
}

/// The cluster that a stage names, as text or by its moniker.
pub(crate) fn cluster_of(config: &Map) -> Result<ClusterName, TaskResult> {
    let moniker =
        config.get("moniker").and_then(Value::as_object).and_then(|moniker| wishes::text(moniker, &["cluster"]));
    let name = wishes::text(config, &["cluster"]).or(moniker);
    let name = name.ok_or_else(|| TaskResult::failed("names no cluster: give `cluster`"))?;
    name.parse().map_err(|error: cloud::names::NameError| TaskResult::failed(error.to_string()))
}

fn each(input: &TaskInput, make: impl Fn(GroupName, String) -> Operation) -> Result<Vec<Job>, TaskResult> {
    let job = |target: Target| {
        let name = target
            .server_group_name
            .parse()
            .map_err(|error: cloud::names::NameError| TaskResult::failed(error.to_string()))?;
        Ok(Job { account: target.account.clone(), operation: make(name, target.region.clone()), group: Some(target) })
    };
    operate::targets(input).into_iter().map(job).collect()
}

fn percentage(input: &TaskInput) -> Option<u32> {
    wishes::count(&wishes::context(input), "desiredPercentage")
}

/// The operations of an `enableServerGroup` stage.
pub(crate) fn enable(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let percentage = percentage(input);
    each(input, |group, region| Operation::EnableServerGroup(Traffic { group, region, percentage }))
}

/// The operations of a `disableServerGroup` stage.
pub(crate) fn disable(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let percentage = percentage(input);
    each(input, |group, region| Operation::DisableServerGroup(Traffic { group, region, percentage }))
}

/// The operations of a `destroyServerGroup` stage.
pub(crate) fn destroy(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    each(input, |group, region| Operation::DestroyServerGroup(GroupAt { group, region }))
}

/// The operations of `shareTraffic`.
pub(crate) fn share(input: &TaskInput) -> Result<Vec<Job>, TaskResult> {
    let share = treatment::share(&wishes::context(input))?;
    each(input, |group, region| Operation::ShareTraffic(ShareTraffic { group, region, share: share.clone() }))
}

/// Resizes the target: exactly, by a number, by a share, or to the size of another group.
pub(crate) struct Resize(pub Guarded);

#[async_trait]
impl Effect for Resize {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config = wishes::context(&input);
        let mut jobs = Vec::new();
        let mut original = Map::new();
        for target in operate::targets(&input) {
            let group = match super::until::find(&self.0.clouds, &target).await {
                Ok(Some(group)) => group,
                Ok(None) => {
                    return TaskResult::failed(format!("server group {} does not exist", target.server_group_name));
                }
                Err(error) => return from_error(&error, &input),
            };
            // Another attempt must ask for the same, whatever has been resized meanwhile.
            let key = format!("originalCapacity.{}", group.name);
            let before =
                config.get(&key).and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or(group.capacity);
            let mut capacity = match self.wished(&config, before, &input).await {
                Ok(capacity) => capacity,
                Err(result) => return result,
            };
            if wishes::flag(&config, "unpinMinimumCapacity") == Some(true)
                && let Some(pinned) = before_pinning(&input, &config)
            {
                capacity.min = pinned.min.min(capacity.desired);
            }
            original.insert(key, json!(before));
            jobs.push(Job {
                account: target.account.clone(),
                operation: Operation::ResizeServerGroup(ResizeServerGroup {
                    group: group.name.clone(),
                    region: target.region.clone(),
                    capacity,
                }),
                group: Some(target),
            });
        }
        let mut result = self.0.start(&input, jobs).await;
        for (key, value) in original {
            result = result.context(&key, value.clone()).output(&key, value);
        }
        result
    }
}

/// The capacity that the source had when a stage before this one pinned it.
fn before_pinning(input: &TaskInput, config: &Map) -> Option<Capacity> {
    let view = input.view()?;
    let source = config.get("source").and_then(Value::as_object)?;
    let key = format!("originalCapacity.{}", wishes::text(source, &["serverGroupName"])?);
    let stages = view.execution().stages.iter();
    let place = |config: &Map| (wishes::account(config).ok(), wishes::regions(config));
    let here = place(config);
    let pins = stages.filter(|stage| wishes::flag(&stage.context, "pinMinimumCapacity") == Some(true));
    // A group of that name may be in another account or region, too.
    let pins = pins.filter(|stage| place(&stage.context) == here);
    let found = pins.filter_map(|stage| stage.outputs.get(&key)).next()?;
    serde_json::from_value(found.clone()).ok()
}

impl Resize {
    async fn wished(&self, config: &Map, before: Capacity, input: &TaskInput) -> Result<Capacity, TaskResult> {
        let exact = wishes::capacity(config)?;
        let source = match wishes::text(config, &["action"]) {
            Some("scale_to_server_group") => self.source(config, input).await?,
            Some("scale_to_cluster") => self.largest(config, input).await?,
            _ => None,
        };
        resized(config, before, exact, source).map_err(TaskResult::failed)
    }

    async fn source(&self, config: &Map, input: &TaskInput) -> Result<Option<Capacity>, TaskResult> {
        let source = config.get("source").and_then(Value::as_object);
        let Some(name) = source.and_then(|source| wishes::text(source, &["serverGroupName", "asgName"])) else {
            return Err(TaskResult::failed("`scale_to_server_group` without `source.serverGroupName`"));
        };
        let target = Target {
            account: wishes::account(config)?,
            region: wishes::regions(config).remove(0),
            server_group_name: name.to_owned(),
        };
        let found = super::until::find(&self.0.clouds, &target).await.map_err(|error| from_error(&error, input))?;
        let missing = || TaskResult::failed(format!("source server group {name} does not exist"));
        found.map(|group| Some(group.capacity)).ok_or_else(missing)
    }

    async fn largest(&self, config: &Map, input: &TaskInput) -> Result<Option<Capacity>, TaskResult> {
        let (account, cluster) = (wishes::account(config)?, cluster_of(config)?);
        let region = wishes::regions(config).remove(0);
        let groups = self
            .0
            .clouds
            .cluster(&account, &cluster, Some(&region))
            .await
            .map_err(|error| from_error(&error, input))?;
        Ok(groups.iter().map(|group| group.capacity).max_by_key(|capacity| capacity.desired))
    }
}

/// Pure: the capacity that a resize asks for.
pub(crate) fn resized(
    config: &Map,
    before: Capacity,
    exact: Option<Capacity>,
    source: Option<Capacity>,
) -> Result<Capacity, String> {
    let share = wishes::number(config, "scalePct");
    let step = wishes::count(config, "scaleNum");
    let by = |sign: i64| {
        let change = |value: u32| {
            let amount = match (share, step) {
                (Some(share), _) => (f64::from(value) * share / 100.0).ceil() as i64,
                (None, step) => i64::from(step.unwrap_or(1)),
            };
            u32::try_from((i64::from(value) + sign * amount).max(0)).unwrap_or(u32::MAX)
        };
        Capacity { min: change(before.min), max: change(before.max), desired: change(before.desired) }
    };
    let part_of = |whole: Capacity| {
        let part = |value: u32| share.map_or(value, |share| (f64::from(value) * share / 100.0).ceil() as u32);
        Capacity { min: part(whole.min), max: whole.max, desired: part(whole.desired) }
    };
    let missing = || "`scale_exact` needs `capacity` with min, max and desired".to_owned();
    let mut wished = match wishes::text(config, &["action"]) {
        None | Some("scale_exact") => part_of(exact.ok_or_else(missing)?),
        Some("scale_up") => by(1),
        Some("scale_down") => by(-1),
        Some("scale_to_server_group" | "scale_to_cluster") => part_of(source.unwrap_or(before)),
        Some(other) => {
            let known = "scale_exact, scale_up, scale_down, scale_to_cluster, scale_to_server_group";
            return Err(format!("action \"{other}\" is not known; give one of {known}"));
        }
    };
    if wishes::flag(config, "neverShrink") == Some(true) {
        let Capacity { min, max, desired } = before;
        wished = Capacity { min: wished.min.max(min), max: wished.max.max(max), desired: wished.desired.max(desired) };
    }
    if wishes::flag(config, "pinCapacity") == Some(true) {
        (wished.min, wished.max) = (wished.desired, wished.desired);
    } else if wishes::flag(config, "pinMinimumCapacity") == Some(true) {
        wished.min = wished.desired;
    }
    Ok(wished)
}

/// Groups of a cluster, for other tasks.
pub(crate) async fn cluster_groups(
    clouds: &Clouds,
    config: &Map,
    region: &str,
) -> Result<Result<Vec<ServerGroup>, CloudError>, TaskResult> {
    Ok(clouds.cluster(&wishes::account(config)?, &cluster_of(config)?, Some(region)).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resize(config: Value) -> Result<Capacity, String> {
        let config = config.as_object().cloned().unwrap_or_default();
        let exact = wishes::capacity(&config).ok().flatten();
        let before = Capacity { min: 2, max: 8, desired: 4 };
        resized(&config, before, exact, Some(Capacity::exactly(6)))
    }

    #[test]
    fn a_group_is_resized_exactly_by_a_step_by_a_share_or_to_another() {
        let capacity = |min, max, desired| Ok(Capacity { min, max, desired });
        assert_eq!(
            resize(json!({"action": "scale_exact", "capacity": {"min": 1, "max": 5, "desired": 3}})),
            capacity(1, 5, 3)
        );
        assert_eq!(resize(json!({"capacity": {"desired": "3"}})), capacity(3, 3, 3));
        assert_eq!(resize(json!({"action": "scale_up", "scaleNum": 2})), capacity(4, 10, 6));
        assert_eq!(resize(json!({"action": "scale_down", "scalePct": 50})), capacity(1, 4, 2));
        assert_eq!(resize(json!({"action": "scale_to_server_group", "scalePct": 50})), capacity(3, 6, 3));
        assert_eq!(
            resize(json!({"action": "scale_to_server_group", "scalePct": 50, "pinCapacity": true})),
            capacity(3, 3, 3)
        );
        let back = json!({"action": "scale_to_server_group", "scalePct": 50, "neverShrink": true});
        assert_eq!(resize(back), capacity(3, 8, 4), "what comes back stays as large as it is");
        assert!(resize(json!({"action": "scale_exact"})).is_err());
        assert!(resize(json!({"action": "scale_sideways"})).unwrap_err().contains("scale_sideways"));
    }
}
