//! Waiting until server groups are as wished, and saying meanwhile what is missing.

use async_trait::async_trait;
use cloud::health::{self, HealthState};
use cloud::inventory::ServerGroup;
use cloud::{Clouds, ResourceId};
use pipeline::{Effect, Map, TaskInput, TaskResult};
use serde_json::{Value, json};

use super::operate::{self, Target, from_error, wait_for};
use super::wishes::{self, count, number};

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Enough instances are up.
    Up,
    /// The instances that were taken out of traffic have nothing left to do.
    OutOfTraffic,
    /// The group has as many instances as it shall have, all up.
    Capacity,
    /// The group is gone.
    Gone,
}

/// Waits for the groups that the stage works on.
pub(crate) struct Await {
    pub clouds: Clouds,
    pub until: Until,
}

#[async_trait]
impl Effect for Await {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let context = wishes::context(&input);
        let mut result = TaskResult::succeeded();
        for target in operate::targets(&input) {
            let group = match find(&self.clouds, &target).await {
                Ok(group) => group,
                Err(error) => return from_error(&error, &input),
            };
            let verdict = judge(self.until, &target, group.as_ref(), &context);
            match verdict {
                Verdict::Ready(notes) => result = with(result, notes),
                Verdict::NotYet(reason, notes) => return with(wait_for(&target.account, input.now, reason), notes),
                Verdict::Never(why) => return TaskResult::failed(why),
            }
        }
        result
    }
}

fn with(mut result: TaskResult, notes: Map) -> TaskResult {
    for (key, value) in notes {
        result = result.context(&key, value);
    }
    result
}

/// One server group as it is now.
pub(crate) async fn find(clouds: &Clouds, target: &Target) -> Result<Option<ServerGroup>, cloud::CloudError> {
    let id = ResourceId::ServerGroup { region: target.region.clone(), name: target.server_group_name.parse()? };
    let found = clouds.account(&target.account)?.get(&id).await?;
    Ok(found.and_then(cloud::Resource::server_group))
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Ready(Map),
    NotYet(String, Map),
    Never(String),
}

/// Pure: whether a group is as wished, and if not, what is missing.
fn judge(until: Until, target: &Target, group: Option<&ServerGroup>, context: &Map) -> Verdict {
    let name = &target.server_group_name;
    let Some(group) = group else {
        return match until {
            Until::Gone => Verdict::Ready(Map::new()),
            _ => Verdict::Never(format!("server group {name} does not exist any more; something else destroyed it")),
        };
    };
    let names = sources(context);
    let sources = names.as_deref();
    match until {
        Until::Up => enough_up(group, context, sources),
        Until::Capacity => {
            let (there, desired) = (group.instances.len(), group.capacity.desired);
            if there == desired as usize && group.disabled {
                // Nobody's users reach it, and where health means traffic its instances are never up.
                Verdict::Ready(Map::new())
            } else if there == desired as usize {
                enough_up(group, context, sources)
            } else {
                Verdict::NotYet(format!("{name} has {there} instances and shall have {desired}"), Map::new())
            }
        }
        // Nothing sends it requests: being told is all there is.
        Until::OutOfTraffic if group.load_balancers.is_empty() && group.disabled => Verdict::Ready(Map::new()),
        Until::OutOfTraffic => {
            let percentage = count(context, "desiredPercentage").unwrap_or(100);
            let total = u32::try_from(group.instances.len()).unwrap_or(u32::MAX);
            let needed = health::portion(total, percentage);
            let down = group.down(sources);
            if down >= needed {
                return Verdict::Ready(Map::new());
            }
            let draining = group.instances.iter().filter(|instance| instance.state() == HealthState::Draining).count();
            let why = if draining > 0 { format!("; {draining} finish their last requests") } else { String::new() };
            Verdict::NotYet(format!("{down} of {needed} instances of {name} are out of traffic{why}"), Map::new())
        }
        Until::Gone => {
            Verdict::NotYet(format!("{} instances of {name} have not ended yet", group.instances.len()), Map::new())
        }
    }
}

/// `interestingHealthProviderNames`: which sources of health count.
fn sources(context: &Map) -> Option<Vec<String>> {
    let list = context.get("interestingHealthProviderNames")?.as_array()?;
    Some(list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

fn enough_up(group: &ServerGroup, context: &Map, sources: Option<&[String]>) -> Verdict {
    let desired = group.capacity.desired;
    let needed = match count(context, "desiredPercentage") {
        Some(percentage) => health::portion(desired, percentage),
        None => health::needed_up(desired, number(context, "targetHealthyDeployPercentage")),
    };
    let up = group.up(sources);
    let mut notes = Map::new();
    notes.insert("lastCapacityCheck".into(), capacity_check(group));
    notes.insert("targetDesiredSize".into(), json!(needed));
    notes.insert("currentInstanceCount".into(), json!(group.instances.len()));
    let capacity = group.capacity;
    let snapshot = json!({"minSize": capacity.min, "desiredCapacity": desired, "maxSize": capacity.max});
    notes.insert("capacitySnapshot".into(), snapshot);
    if up >= needed && group.instances.len() >= needed as usize {
        return Verdict::Ready(notes);
    }
    let mut text = format!("{up} of {needed} instances of {} are up", group.name);
    let worst = group.instances.iter().find(|instance| !health::is_up(&instance.health, sources));
    if let Some(instance) = worst {
        let said = instance.health.iter().rev().find_map(|health| health.description.clone());
        if let Some(why) = instance.why.clone().or(said) {
            text.push_str(&format!("; {}: {why}", instance.id));
        }
    }
    Verdict::NotYet(text, notes)
}

fn capacity_check(group: &ServerGroup) -> Value {
    let counts = group.counts();
    json!({
        "up": counts.up, "down": counts.down, "outOfService": counts.out_of_service, "unknown": counts.unknown + counts.starting,
        "succeeded": counts.succeeded, "failed": counts.failed,
    })
}
