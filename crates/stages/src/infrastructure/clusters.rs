//! Tasks of stages that work on all of a cluster but a few: disable, scale down, shrink; and finding an image in a cluster.

use async_trait::async_trait;
use cloud::health::Capacity;
use cloud::inventory::{Image, ServerGroup};
use cloud::operation::{GroupAt, ResizeServerGroup, Traffic};
use cloud::{Clouds, Operation, Query};
use pipeline::{Effect, Map, StageView, TaskInput, TaskResult};
use regex::Regex;
use serde_json::{Value, json};

use super::groups::cluster_groups;
use super::guards::Guarded;
use super::operate::{Job, Target, from_error};
use super::select::Sweep;
use super::wishes;

/// What is done to the groups that are swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Disable,
    ScaleDown,
    Shrink,
}

/// Starts the operations of a cluster-wide stage.
pub(crate) struct SweepCluster {
    pub site: Guarded,
    pub what: What,
}

#[async_trait]
impl Effect for SweepCluster {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let Some(view) = input.view() else {
            return TaskResult::failed("the stage of this task is gone");
        };
        let config = view.context().clone();
        let sweep = sweep(self.what, &config);
        let mut jobs = Vec::new();
        let account = match wishes::account(&config) {
            Ok(account) => account,
            Err(result) => return result,
        };
        for region in wishes::regions(&config) {
            let groups = match cluster_groups(&self.site.clouds, &config, &region).await {
                Ok(Ok(groups)) => groups,
                Ok(Err(error)) => return from_error(&error, &input),
                Err(result) => return result,
            };
            if groups.is_empty() && wishes::flag(&config, "continueIfClusterNotFound") != Some(true) {
                let cluster = wishes::text(&config, &["cluster"]).unwrap_or_default();
                return TaskResult::failed(format!("cluster {cluster} has no server groups in {region}"));
            }
            let made = made_before(&view, &account, &region);
            jobs.extend(sweep.choose(&groups, &made).into_iter().filter_map(|group| job(self.what, group)));
        }
        self.site.start(&input, jobs).await
    }
}

/// What is done to one group; nothing when it is so already.
pub(crate) fn job(what: What, group: &ServerGroup) -> Option<Job> {
    let (name, region) = (group.name.clone(), group.region.clone());
    let operation = match what {
        What::Disable if group.disabled => return None,
        What::Disable => Operation::DisableServerGroup(Traffic { group: name, region, percentage: None }),
        What::ScaleDown if group.capacity.desired == 0 => return None,
        What::ScaleDown => {
            Operation::ResizeServerGroup(ResizeServerGroup { group: name, region, capacity: Capacity::exactly(0) })
        }
        What::Shrink => Operation::DestroyServerGroup(GroupAt { group: name, region }),
    };
    Some(Job {
        account: group.account.clone(),
        operation,
        group: Some(Target {
            account: group.account.clone(),
            region: group.region.clone(),
            server_group_name: group.name.to_string(),
        }),
    })
}

pub(crate) fn sweep(what: What, config: &Map) -> Sweep {
    let keep = |key: &str| wishes::count(config, key).unwrap_or(1) as usize;
    let flag = |key: &str| wishes::flag(config, key).unwrap_or(false);
    match what {
        What::Disable => Sweep {
            keep: keep("remainingEnabledServerGroups"),
            prefer_larger: flag("preferLargerOverNewer"),
            touch_active: true,
        },
        What::ScaleDown => Sweep {
            keep: keep("remainingFullSizeServerGroups"),
            prefer_larger: flag("preferLargerOverNewer"),
            touch_active: flag("allowScaleDownActive"),
        },
        What::Shrink => Sweep {
            keep: keep("shrinkToSize"),
            prefer_larger: flag("retainLargerOverNewer"),
            touch_active: flag("allowDeleteActive"),
        },
    }
}

/// What deployments before (or around) this stage have made in a region of an account.
pub(crate) fn made_before(stage: &StageView, account: &str, region: &str) -> Vec<String> {
    let ancestors = stage.ancestors();
    let made = ancestors.iter().flat_map(|before| made_by(&before.context));
    made.filter(|made| made.region == region && (made.account.is_empty() || made.account == account))
        .map(|made| made.server_group_name)
        .collect()
}

/// The server groups that a stage has made. Where it notes names alone, as `deploy.server.groups`, no account is known.
pub(crate) fn made_by(context: &Map) -> Vec<Target> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(Value::Array(made)) = context.get("deployedServerGroups") {
        let target = |one: &Value| Target {
            account: text(&one["account"]),
            region: text(&one["region"]),
            server_group_name: text(&one["serverGroupName"]),
        };
        return made.iter().map(target).collect();
    }
    let Some(Value::Object(regions)) = context.get("deploy.server.groups") else { return Vec::new() };
    let named = |(region, names): (&String, &Value)| -> Vec<Target> {
        let target =
            |name: &Value| Target { account: String::new(), region: region.clone(), server_group_name: text(name) };
        names.as_array().into_iter().flatten().map(target).collect()
    };
    regions.iter().flat_map(named).collect()
}

/// Finds the image that a cluster runs.
pub(crate) struct FindImage(pub Clouds);

#[async_trait]
impl Effect for FindImage {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config = wishes::context(&input);
        let pattern = match wishes::text(&config, &["imageNamePattern"]).map(Regex::new).transpose() {
            Ok(pattern) => pattern,
            Err(error) => return TaskResult::failed(format!("`imageNamePattern` is no regular expression: {error}")),
        };
        let mut images: Vec<Found> = Vec::new();
        let mut missing = Vec::new();
        for region in wishes::regions(&config) {
            let groups = match cluster_groups(&self.0, &config, &region).await {
                Ok(Ok(groups)) => groups,
                Ok(Err(error)) => return from_error(&error, &input),
                Err(result) => return result,
            };
            match choose(&config, groups) {
                Ok(group) => images.push(Found {
                    image: group.image,
                    region,
                    provider: group.provider,
                    group: Some(group.name.to_string()),
                }),
                Err(_) if wishes::flag(&config, "resolveMissingLocations").unwrap_or(false) => missing.push(region),
                Err(why) => return TaskResult::failed(format!("{why} in {region}")),
            }
        }
        let known = match (missing.is_empty(), &pattern) {
            (true, None) => Vec::new(),
            _ => match self.0.list(&Query::default()).await {
                Ok(inventory) => inventory.images,
                Err(error) => return from_error(&error, &input),
            },
        };
        for region in missing {
            match elsewhere(&images, &known, pattern.as_ref(), &region) {
                Ok(image) => images.push(image),
                Err(why) => return TaskResult::failed(why),
            }
        }
        if let Some(pattern) = &pattern {
            let unlike = images.iter().find(|found| !pattern.is_match(name_of(&found.image, &known)));
            if let Some(Found { image, region, .. }) = unlike {
                let name = name_of(image, &known);
                return TaskResult::failed(format!("the image {name} in {region} does not match `{pattern}`"));
            }
        }
        let ref_id = input.view().map(|view| view.stage().ref_id.clone());
        let detail = |found: &Found| {
            let name = if known.is_empty() { found.image.as_str() } else { name_of(&found.image, &known) };
            json!({
                "ami": found.image, "imageId": found.image, "imageName": name, "region": found.region,
                "cloudProvider": found.provider, "sourceServerGroup": found.group, "refId": ref_id,
            })
        };
        handed_on(images.iter().map(detail).collect())
    }
}

/// An image that a region has.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    image: String,
    region: String,
    provider: String,
    /// The server group that runs it.
    group: Option<String>,
}

/// What an image is called; an unknown one by its id.
fn name_of<'a>(image: &'a str, known: &'a [Image]) -> &'a str {
    known.iter().find(|one| one.id == image || one.name == image).map_or(image, |one| &one.name)
}

/// Pure: the image for a region where the cluster is not: of those that it runs elsewhere, the newest that may be used there.
fn elsewhere(found: &[Found], known: &[Image], pattern: Option<&Regex>, region: &str) -> Result<Found, String> {
    let fits = |image: &&Image| {
        let runs = found.iter().any(|one| one.image == image.id || one.image == image.name);
        let there = image.regions.is_empty() || image.regions.iter().any(|one| one == region);
        runs && there && pattern.is_none_or(|pattern| pattern.is_match(&image.name))
    };
    let Some(image) = known.iter().filter(fits).max_by_key(|image| image.created) else {
        let names: Vec<&str> = found.iter().map(|one| name_of(&one.image, known)).collect();
        let runs = if names.is_empty() { "nowhere else".to_owned() } else { names.join(", ") };
        return Err(format!(
            "there is no server group in {region}, and no image there that the cluster runs elsewhere ({runs})"
        ));
    };
    let provider = found.first().map(|one| one.provider.clone()).unwrap_or_default();
    Ok(Found { image: image.id.clone(), region: region.to_owned(), provider, group: None })
}

/// Hands images on to the stages that deploy them.
fn handed_on(details: Vec<Value>) -> TaskResult {
    let details = json!(details);
    TaskResult::succeeded().context("amiDetails", details.clone()).output("deploymentDetails", details)
}

/// Finds the newest image of a package, in each region.
pub(crate) struct FindImageFromTags(pub Clouds);

#[async_trait]
impl Effect for FindImageFromTags {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config = wishes::context(&input);
        let Some(package) = wishes::text(&config, &["packageName"]) else {
            return TaskResult::failed("names no package: give `packageName`");
        };
        let images = match self.0.list(&Query::default()).await {
            Ok(inventory) => inventory.images,
            Err(error) => return from_error(&error, &input),
        };
        let tags = config.get("tags").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut details = Vec::new();
        for region in wishes::regions(&config) {
            let Some(image) = newest_of(&images, package, &tags, &region) else {
                let tagged = if tags.is_empty() { "" } else { " with these tags" };
                return TaskResult::failed(format!("there is no image of the package {package}{tagged} in {region}"));
            };
            details.push(json!({
                "ami": image.id, "imageId": image.id, "imageName": image.name, "region": region, "tags": image.tags,
                "refId": input.view().map(|view| view.stage().ref_id.clone()),
            }));
        }
        handed_on(details)
    }
}

/// Pure: the newest image of a package that has all these tags and may be used in a region.
fn newest_of<'a>(images: &'a [Image], package: &str, tags: &Map, region: &str) -> Option<&'a Image> {
    let is_of = |image: &Image| {
        let release = image.tags.get("appversion").map_or("", String::as_str);
        pipeline::held::split(release).0 == package || image.name == package
    };
    let has =
        |image: &Image| tags.iter().all(|(name, value)| image.tags.get(name).map(String::as_str) == value.as_str());
    let there = |image: &Image| image.regions.is_empty() || image.regions.iter().any(|one| one == region);
    images.iter().filter(|image| is_of(image) && has(image) && there(image)).max_by_key(|image| image.created)
}

/// Pure: the group whose image is meant.
fn choose(config: &Map, mut groups: Vec<ServerGroup>) -> Result<ServerGroup, String> {
    groups.retain(|group| !group.leaving);
    if wishes::flag(config, "onlyEnabled").unwrap_or(true) {
        groups.retain(|group| !group.disabled);
    }
    let cluster = wishes::text(config, &["cluster"]).unwrap_or_default();
    let none = || format!("cluster {cluster} has no enabled server group");
    match wishes::text(config, &["selectionStrategy"]).unwrap_or("NEWEST") {
        "LARGEST" => groups.into_iter().max_by_key(|group| (group.instances.len(), group.created)).ok_or_else(none),
        "OLDEST" => groups.into_iter().min_by_key(|group| group.created).ok_or_else(none),
        "FAIL" if groups.len() > 1 => {
            Err(format!("cluster {cluster} has {} server groups and `selectionStrategy` is FAIL", groups.len()))
        }
        _ => groups.into_iter().max_by_key(|group| group.created).ok_or_else(none),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_without_the_cluster_gets_what_it_runs_elsewhere() {
        let image = |id: &str, regions: &[&str], made: i64| Image {
            id: id.into(),
            name: format!("hello-{id}"),
            account: "local".into(),
            regions: regions.iter().map(|region| (*region).to_owned()).collect(),
            created: jiff::Timestamp::from_second(made).ok(),
            tags: Default::default(),
        };
        let known = [image("1", &["here", "there"], 1), image("2", &["here"], 2), image("3", &["there"], 3)];
        let runs = |image: &str, region: &str| Found {
            image: image.into(),
            region: region.into(),
            provider: "simulated".into(),
            group: Some("hello-v001".into()),
        };
        let found = [runs("hello-1", "here"), runs("2", "west")];
        let image = |pattern: Option<&str>, region: &str| {
            let pattern = pattern.map(|text| Regex::new(text).unwrap());
            elsewhere(&found, &known, pattern.as_ref(), region).map(|found| (found.image, found.group))
        };
        assert_eq!(image(None, "there"), Ok(("1".into(), None)), "3 is newer, but the cluster does not run it");
        assert_eq!(image(None, "here"), Ok(("2".into(), None)));
        assert_eq!(image(Some("-1$"), "here"), Ok(("1".into(), None)));
        assert_eq!(
            image(None, "east").unwrap_err(),
            "there is no server group in east, and no image there that the cluster runs elsewhere (hello-1, hello-2)"
        );
    }

    #[test]
    fn the_newest_image_of_a_package_with_all_tags_is_found() {
        let image = |id: &str, release: &str, stage: &str, made: i64| Image {
            id: id.into(),
            name: id.into(),
            account: "local".into(),
            regions: vec!["here".into()],
            created: jiff::Timestamp::from_second(made).ok(),
            tags: [("appversion".to_owned(), release.to_owned()), ("stage".to_owned(), stage.to_owned())].into(),
        };
        let images = [
            image("a", "hello-1.0", "prod", 1),
            image("b", "hello-2.0", "test", 2),
            image("c", "hello-world-9", "prod", 3),
        ];
        let find = |package: &str, tags: Value, region: &str| {
            let tags = tags.as_object().cloned().unwrap_or_default();
            newest_of(&images, package, &tags, region).map(|image| image.id.as_str())
        };
        assert_eq!(find("hello", json!({}), "here"), Some("b"));
        assert_eq!(find("hello", json!({"stage": "prod"}), "here"), Some("a"));
        assert_eq!(find("hello-world", json!({}), "here"), Some("c"));
        assert_eq!(find("hello", json!({}), "there"), None);
        assert_eq!(find("nothing", json!({}), "here"), None);
    }
}
