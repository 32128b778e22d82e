//! What stood before a new server group: the one whose place it takes, and the one that it is made like. Mostly they are one, the stage's
//! `source`.

use async_trait::async_trait;
use cloud::Clouds;
use cloud::inventory::ServerGroup;
use cloud::names::ClusterName;
use pipeline::{Effect, Map, TaskInput, TaskResult};
use serde_json::{Value, json};

use super::operate::{Target, from_error};
use super::{rolling, select, wishes};

/// Finds the group that the new one follows (or is a copy of), and notes it as `source`.
pub(crate) struct DetermineSource(pub Clouds);

#[async_trait]
impl Effect for DetermineSource {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config = wishes::cluster_config(&wishes::context(&input));
        let forerunners = match self.forerunners(&config, &input).await {
            Ok(found) => found,
            Err(result) => return result,
        };
        let asked = |key: &str| wishes::flag(&config, key) == Some(true);
        let Some(forerunners) = forerunners else {
            let unsaid = matches!(wishes::capacity(&config), Ok(None));
            if asked("useSourceCapacity") && !asked("preferSourceCapacity") && unsaid {
                let why = "`useSourceCapacity` is set, but there is no server group to take the capacity from; give `capacity`";
                return TaskResult::failed(why);
            }
            return TaskResult::succeeded();
        };
        let noted = of_source(&config, &forerunners, is_clone(&input));
        noted.into_iter().fold(TaskResult::succeeded(), |result, (key, value)| result.context(&key, value))
    }
}

/// Where the group is noted that a new one is made like, when that is not the one that it follows.
pub(crate) const LIKE: &str = "copyOf";

/// What stood before a new group.
pub(crate) struct Forerunners {
    /// The group of its own cluster whose place it takes: a strategy moves the traffic of this one.
    pub follows: Option<ServerGroup>,
    /// The group that it is made like; a copy takes its settings.
    pub like: ServerGroup,
    /// Whether that one is in the account and region of the new group: zones of another place mean nothing here.
    pub is_here: bool,
}

impl Forerunners {
    /// The usual: both are one.
    pub fn both(group: ServerGroup) -> Forerunners {
        Forerunners { follows: Some(group.clone()), like: group, is_here: true }
    }

    /// Of a group that was named. One of another account, region or cluster keeps its traffic: the one that serves here is followed.
    pub fn of(
        like: ServerGroup,
        account: &str,
        region: &str,
        cluster: &ClusterName,
        serving: impl FnOnce() -> Option<ServerGroup>,
    ) -> Forerunners {
        let is_here = like.account == account && like.region == region;
        if is_here && like.name.cluster() == cluster {
            return Forerunners::both(like);
        }
        Forerunners { follows: serving(), like, is_here }
    }

    /// Whether it is made like one that it does not follow.
    pub fn is_from_elsewhere(&self) -> bool {
        let place = |group: &ServerGroup| (group.account.clone(), group.region.clone(), group.name.clone());
        self.follows.as_ref().map(place) != Some(place(&self.like))
    }
}

/// The group that a `source` names; what it leaves out is as for the new group.
pub(crate) fn target(source: &Map, account: &str, region: &str) -> Option<Target> {
    let name = wishes::text(source, &["serverGroupName", "asgName"])?;
    Some(Target {
        account: wishes::text(source, &["account"]).unwrap_or(account).to_owned(),
        region: wishes::text(source, &["region"]).unwrap_or(region).to_owned(),
        server_group_name: name.to_owned(),
    })
}

/// Pure: what a new group notes of those before it, and takes from them.
pub(crate) fn of_source(config: &Map, forerunners: &Forerunners, is_clone: bool) -> Map {
    let asked = |key: &str| wishes::flag(config, key) == Some(true);
    let source = |group: &ServerGroup| {
        let name = group.name.to_string();
        json!({
            "account": group.account, "region": group.region, "serverGroupName": name, "asgName": name, "capacity": group.capacity, "image": group.image,
        })
    };
    let mut noted = Map::new();
    noted.insert("source".into(), forerunners.follows.as_ref().map_or(Value::Null, source));
    if forerunners.is_from_elsewhere() {
        noted.insert(LIKE.into(), source(&forerunners.like));
    }
    let unsaid = || matches!(wishes::capacity(config), Ok(None));
    if asked("useSourceCapacity") || asked("preferSourceCapacity") {
        noted.insert("capacity".into(), json!(forerunners.follows.as_ref().unwrap_or(&forerunners.like).capacity));
    } else if is_clone && unsaid() {
        noted.insert("capacity".into(), json!(forerunners.like.capacity));
    }
    if is_clone && rolling::is_unsized(config, forerunners.follows.is_some()) {
        noted.insert(rolling::SAVED.into(), json!(forerunners.like.capacity));
    }
    if is_clone {
        let is_here = forerunners.is_here;
        noted.extend(copied(config, &forerunners.like).into_iter().filter(|(key, _)| is_here || key != "zones"));
    }
    noted
}

/// Whether a new group is to be as large as the one that it follows.
pub(crate) fn wants_source_capacity(config: &Map) -> bool {
    wishes::flag(config, "useSourceCapacity") == Some(true)
}

fn is_clone(input: &TaskInput) -> bool {
    input.view().is_some_and(|view| view.stage().kind != "createServerGroup")
}

/// What a copy takes from its source where the stage says nothing.
fn copied(config: &Map, group: &ServerGroup) -> Map {
    let same = [
        ("image", json!(group.image)),
        ("loadBalancers", json!(group.load_balancers)),
        ("securityGroups", json!(group.firewalls)),
        ("zones", json!(group.zones)),
        ("labels", json!(group.labels)),
    ];
    let env = (!group.env.is_empty()).then(|| ("env", json!(group.env)));
    let size = group.instance_type.iter().map(|size| ("instanceType", json!(size)));
    let check = group.health_check.iter().map(|check| ("healthCheck", wishes::written_check(check)));
    same.into_iter()
        .chain(env)
        .chain(size)
        .chain(check)
        .filter(|(key, _)| !config.contains_key(*key))
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

impl DetermineSource {
    async fn forerunners(&self, config: &Map, input: &TaskInput) -> Result<Option<Forerunners>, TaskResult> {
        let account = wishes::account(config)?;
        let region = wishes::regions(config).remove(0);
        let cluster = wishes::cluster_of(config, &input.execution.application)?;
        let found = self.0.cluster(&account, &cluster, Some(&region)).await;
        let groups = found.map_err(|error| from_error(&error, input))?;
        let serving = || select::serving(&groups, wants_source_capacity(config)).cloned();
        // A restart finds what was named in the first place.
        let given = [LIKE, "source"].iter().find_map(|key| config.get(*key)?.as_object());
        let Some(target) = given.and_then(|source| target(source, &account, &region)) else {
            return Ok(serving().map(Forerunners::both));
        };
        let found = super::until::find(&self.0, &target).await.map_err(|error| from_error(&error, input))?;
        if found.is_none() && is_clone(input) {
            return Err(TaskResult::failed(format!(
                "source server group {} does not exist in {}",
                target.server_group_name, target.region
            )));
        }
        Ok(found.map(|like| Forerunners::of(like, &account, &region, &cluster, serving)))
    }
}
