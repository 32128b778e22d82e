//! What stages over clouds would find and start now: the present state is asked once, and then changed in mind, stage by stage. The
//! operations are made by the same functions that make them when a pipeline runs.

use std::cell::RefCell;
use std::sync::Arc;

use cloud::inventory::{Inventory, ServerGroup};
use cloud::names::{ClusterName, GroupName};
use cloud::{CloudError, Clouds, Operation, Query};
use jiff::Timestamp;
use pipeline::forecast::{Look, Outlook};
use pipeline::held::HeldBack;
use pipeline::{Log, Map, StageView, TaskInput, TaskResult};
use serde_json::{Value, json};

use super::canary::CANARY_OF;
use super::clusters::{self, What};
use super::operate::{Job, TARGETS, Target};
use super::select::{self, Word};
use super::source::{self, Forerunners};
use super::strategy::Strategy;
use super::{balancers, groups, image, wishes};

/// The present state of all accounts, as a plan changes it.
pub struct CloudOutlook {
    inventory: RefCell<Inventory>,
    /// Whether it is known what exists.
    asked: bool,
    /// What does not come again by itself.
    held: Vec<HeldBack>,
    now: Timestamp,
}

impl CloudOutlook {
    /// Asks all accounts; `held` are the releases that are held back.
    pub async fn of(clouds: &Clouds, held: Vec<HeldBack>, now: Timestamp) -> Result<CloudOutlook, CloudError> {
        // Images only say which release they are.
        let inventory = clouds.list(&Query { without_images: held.is_empty(), ..Query::default() }).await?;
        Ok(CloudOutlook::new(inventory, held, now))
    }

    /// Of what is known to exist.
    pub fn new(inventory: Inventory, held: Vec<HeldBack>, now: Timestamp) -> CloudOutlook {
        CloudOutlook { inventory: RefCell::new(inventory), asked: true, held, now }
    }

    /// Of nothing: what the stages themselves say is told, what exists is not.
    pub fn unasked(now: Timestamp) -> CloudOutlook {
        CloudOutlook { inventory: RefCell::default(), asked: false, held: Vec::new(), now }
    }

    fn cluster(&self, account: &str, cluster: &ClusterName, region: &str) -> Vec<ServerGroup> {
        let all = self.inventory.borrow();
        let same = |g: &&ServerGroup| g.account == account && g.region == region && g.name.cluster() == cluster;
        all.server_groups.iter().filter(same).cloned().collect()
    }

    fn named(&self, target: &Target) -> Option<ServerGroup> {
        let all = self.inventory.borrow();
        let same = |g: &&ServerGroup| {
            g.account == target.account && g.region == target.region && g.name.to_string() == target.server_group_name
        };
        all.server_groups.iter().find(same).cloned()
    }
}

const UNASKED: &str = "which server groups it works on is known when the clouds are asked";

/// What is found out of a stage: jobs, or the sentence why not.
type Found = Result<Vec<Job>, String>;

impl Outlook for CloudOutlook {
    fn note(&self) -> Option<String> {
        let note = "the clouds were not asked: what depends on their present state is left open (--server asks them)";
        (!self.asked).then(|| note.to_owned())
    }

    fn look(&self, stage: &StageView) -> Look {
        let mut look = Look::default();
        let found = match stage.stage().kind.as_str() {
            "createServerGroup" | "cloneServerGroup" | "copyLastAsg" => self.create(stage, &mut look),
            "resizeServerGroup" | "resizeAsg" => self.on_group(stage, &mut look, Self::resize),
            "enableServerGroup" | "enableAsg" => {
                self.on_group(stage, &mut look, |_, input| failed(groups::enable(input)))
            }
            "disableServerGroup" | "disableAsg" => {
                self.on_group(stage, &mut look, |_, input| failed(groups::disable(input)))
            }
            "destroyServerGroup" | "destroyAsg" => {
                self.on_group(stage, &mut look, |_, input| failed(groups::destroy(input)))
            }
            "disableCluster" => self.sweep(stage, What::Disable),
            "scaleDownCluster" => self.sweep(stage, What::ScaleDown),
            "shrinkCluster" => self.sweep(stage, What::Shrink),
            "upsertLoadBalancer" | "upsertLoadBalancers" => {
                failed(balancers::upsert(&input(stage, &Map::new(), self.now)))
            }
            "deleteLoadBalancer" => failed(balancers::delete(&input(stage, &Map::new(), self.now))),
            "terminateInstances" | "terminateInstanceAndDecrementServerGroup" => {
                failed(balancers::terminate(&input(stage, &Map::new(), self.now)))
            }
            "registerInstancesWithLoadBalancer" => failed(balancers::register(&input(stage, &Map::new(), self.now))),
            "deregisterInstancesFromLoadBalancer" => {
                failed(balancers::deregister(&input(stage, &Map::new(), self.now)))
            }
            "rebootInstances" => failed(balancers::reboot(&input(stage, &Map::new(), self.now))),
            _ => return look,
        };
        match found {
            Ok(jobs) => {
                for job in jobs {
                    self.imagine(&job);
                    let mut shown = json!(job.operation);
                    if let Value::Object(shown) = &mut shown {
                        shown.shift_insert(1, "account".into(), json!(job.account));
                    }
                    look.operations.push(shown);
                }
            }
            Err(why) => look.notes.push(why),
        }
        look
    }
}

/// The input that a task of this stage would get, with more in its context.
fn input(stage: &StageView, more: &Map, now: Timestamp) -> TaskInput {
    let mut execution = stage.execution().clone();
    if let Some(own) = execution.stages.iter_mut().find(|s| s.id == stage.stage().id) {
        Arc::make_mut(own).context.extend(more.clone());
    }
    TaskInput {
        execution: Arc::new(execution),
        stage_id: stage.stage().id.clone(),
        task_id: "1".into(),
        key: format!("plan/{}", stage.stage().ref_id),
        attempt: 1,
        started: now,
        now,
        given: Arc::default(),
        log: Log::none(),
    }
}

fn failed<T>(result: Result<T, TaskResult>) -> Result<T, String> {
    result.map_err(|result| match result {
        TaskResult::Failed { error } => error.errors.join("; "),
        _ => "it waits for something".into(),
    })
}

/// Whether a value is still an expression.
fn is_open(map: &Map, keys: &[&str]) -> bool {
    wishes::text(map, keys).is_some_and(|text| text.contains("${"))
}

impl CloudOutlook {
    fn create(&self, stage: &StageView, look: &mut Look) -> Found {
        let config = wishes::cluster_config(stage.context());
        if is_open(&config, &["account"]) || is_open(&config, &["credentials"]) || is_open(&config, &["region"]) {
            return Err("where it deploys is not known yet".into());
        }
        let account = failed(wishes::account(&config))?;
        let region = wishes::regions(&config).remove(0);
        let cluster = failed(wishes::cluster_of(&config, &stage.execution().application))?;
        let there = self.cluster(&account, &cluster, &region);
        let given = config.get("source").and_then(Value::as_object);
        let given = given.and_then(|source| source::target(source, &account, &region));
        let serving = || select::serving(&there, source::wants_source_capacity(&config)).cloned();
        let forerunners = match given {
            Some(target) => self.named(&target).map(|like| Forerunners::of(like, &account, &region, &cluster, serving)),
            None => serving().map(Forerunners::both),
        };
        let clone = stage.stage().kind != "createServerGroup";
        match &forerunners {
            Some(forerunners) => {
                let followed = forerunners.follows.as_ref().map(|group| format!("it follows {}", shown(group)));
                let copied =
                    forerunners.is_from_elsewhere().then(|| format!("it is made like {}", shown(&forerunners.like)));
                look.notes.extend(followed.into_iter().chain(copied));
                look.context = source::of_source(&config, forerunners, clone);
            }
            None if self.asked => {
                look.notes.push(format!("{cluster} has no server group in {account}/{region} yet"));
            }
            None => {
                // With an older group more follows than without.
                look.notes.push("what follows it is told as if the cluster had an older server group".into());
                look.context
                    .insert("source".into(), json!({"account": account, "region": region, "image": "${image}"}));
            }
        }
        // A canary makes nothing by itself: its stages do.
        let strategy = wishes::text(&config, &["strategy"]).map(Strategy::read);
        if matches!(strategy, Some(Ok(Strategy::Canary))) {
            return Ok(Vec::new());
        }
        let name = cluster.next(&there.iter().map(|g| (g.name.clone(), g.created)).collect::<Vec<_>>());
        if let Some(name) = name.as_ref().ok().filter(|_| self.asked) {
            look.notes.push(format!("it becomes {name}"));
            look.context.insert("deploy.server.groups".into(), json!({ region.clone(): [name.to_string()] }));
            let made = json!([{"account": account, "region": region, "serverGroupName": name.to_string()}]);
            look.context.insert("deployedServerGroups".into(), made);
        }
        let input = input(stage, &look.context, self.now);
        let mut known = config.clone();
        known.extend(look.context.clone());
        let image = image::find(stage, &known, &region).filter(|image| !image.contains("${"));
        let image = image.unwrap_or_else(|| {
            look.notes.push("its image is known when the stage that makes or finds it has run".into());
            "${image}".to_owned()
        });
        let release = match image::package(&known) {
            Some(package) => package.replacen('=', "-", 1),
            None => self.release(&image),
        };
        // A canary stands in for the cluster that it tries the release for.
        let meant = wishes::text(&config, &[CANARY_OF]).map_or_else(|| cluster.to_string(), str::to_owned);
        let account = failed(wishes::account(&config))?;
        if let Some(held) = self.held.iter().find(|held| held.is_of(&account, &meant) && held.release == release) {
            look.context.shift_remove("deploy.server.groups");
            look.context.shift_remove("deployedServerGroups");
            return Err(format!("it would be refused: {}", held.sentence()));
        }
        let (account, operation) = failed(wishes::create(&input, image))?;
        Ok(vec![Job { account, operation: Operation::CreateServerGroup(operation), group: None }])
    }

    /// What an image is called when it is held back.
    fn release(&self, image: &str) -> String {
        let all = self.inventory.borrow();
        let known = all.images.iter().find(|known| known.id == image || known.name == image);
        let named = known.and_then(|known| known.tags.get("appversion")).filter(|name| !name.is_empty()).cloned();
        named.unwrap_or_else(|| image.to_owned())
    }

    /// Stages on one server group: which it is, and what is done to it.
    fn on_group(&self, stage: &StageView, look: &mut Look, make: impl Fn(&Self, &TaskInput) -> Found) -> Found {
        let config = stage.context();
        let account = failed(wishes::account(config))?;
        let word = wishes::text(config, &["target"]).and_then(Word::read);
        let named = wishes::text(config, &["serverGroupName", "asgName"]);
        let mut targets = Vec::new();
        for region in wishes::regions(config) {
            let name = match (word, named) {
                (Some(_), _) if !self.asked => return Err(UNASKED.into()),
                (Some(word), _) => {
                    let cluster = failed(groups::cluster_of(config))?;
                    let there = self.cluster(&account, &cluster, &region);
                    let meant = word.pick(&there).map(|g| g.name.to_string());
                    meant.ok_or_else(|| {
                        format!("cluster {cluster} has no such server group in {account}/{region} now")
                    })?
                }
                (None, Some(name)) if name.contains("${") => {
                    return Err("which server group it works on is not known yet".into());
                }
                (None, Some(name)) => name.to_owned(),
                (None, None) => {
                    return Err("names no server group: give `serverGroupName`, or `cluster` and `target`".into());
                }
            };
            let target = Target { account: account.clone(), region, server_group_name: name };
            match self.named(&target) {
                Some(group) => look.notes.push(format!("it works on {}", shown(&group))),
                None if !self.asked => {}
                None => look
                    .notes
                    .push(format!("{} does not exist in {account}/{} now", target.server_group_name, target.region)),
            }
            targets.push(target);
        }
        look.context.insert(TARGETS.into(), json!(targets));
        make(self, &input(stage, &look.context, self.now))
    }

    fn resize(&self, input: &TaskInput) -> Found {
        if !self.asked {
            return Err(UNASKED.into());
        }
        let Some(view) = input.view() else { return Ok(Vec::new()) };
        let config = view.context();
        let mut jobs = Vec::new();
        for target in super::operate::targets(input) {
            let Some(group) = self.named(&target) else { continue };
            let source = config.get("source").and_then(Value::as_object);
            let source = source.and_then(|s| wishes::text(s, &["serverGroupName", "asgName"])).and_then(|name| {
                self.named(&Target { server_group_name: name.to_owned(), ..target.clone() }).map(|g| g.capacity)
            });
            let exact = failed(wishes::capacity(config))?;
            let capacity = groups::resized(config, group.capacity, exact, source)?;
            let operation =
                cloud::operation::ResizeServerGroup { group: group.name, region: target.region.clone(), capacity };
            let operation = Operation::ResizeServerGroup(operation);
            jobs.push(Job { account: target.account.clone(), operation, group: Some(target) });
        }
        Ok(jobs)
    }

    /// Stages on all of a cluster but a few.
    fn sweep(&self, stage: &StageView, what: What) -> Found {
        let config = stage.context();
        let account = failed(wishes::account(config))?;
        let cluster = failed(groups::cluster_of(config))?;
        if !self.asked {
            return Err(UNASKED.into());
        }
        let sweep = clusters::sweep(what, config);
        let mut jobs = Vec::new();
        for region in wishes::regions(config) {
            let there = self.cluster(&account, &cluster, &region);
            let made = clusters::made_before(stage, &account, &region);
            jobs.extend(sweep.choose(&there, &made).into_iter().filter_map(|group| clusters::job(what, group)));
        }
        if jobs.is_empty() {
            return Err(format!("there is nothing to do in cluster {cluster} now"));
        }
        Ok(jobs)
    }

    /// Changes the state in mind as the operation would.
    fn imagine(&self, job: &Job) {
        let mut all = self.inventory.borrow_mut();
        let mut change = |name: &GroupName, region: &str, change: &dyn Fn(&mut ServerGroup)| {
            let mut groups = all.server_groups.iter_mut();
            if let Some(group) = groups.find(|g| g.account == job.account && g.region == region && g.name == *name) {
                change(group);
            }
        };
        match &job.operation {
            Operation::EnableServerGroup(on) => change(&on.group, &on.region, &|g| g.disabled = false),
            Operation::DisableServerGroup(on) => change(&on.group, &on.region, &|g| {
                g.disabled = on.percentage.is_none_or(|share| share >= 100);
                g.instances.clear();
            }),
            Operation::DestroyServerGroup(on) => change(&on.group, &on.region, &|g| g.leaving = true),
            Operation::ResizeServerGroup(on) => change(&on.group, &on.region, &|g| g.capacity = on.capacity),
            Operation::CreateServerGroup(made) => {
                let there = |g: &&ServerGroup| {
                    g.account == job.account && g.region == made.region && *g.name.cluster() == made.cluster
                };
                let existing: Vec<_> =
                    all.server_groups.iter().filter(there).map(|g| (g.name.clone(), g.created)).collect();
                let Ok(name) = made.cluster.next(&existing) else { return };
                let newest = existing.iter().map(|(_, created)| *created).max().unwrap_or(self.now);
                let created =
                    newest.max(self.now).checked_add(jiff::SignedDuration::from_millis(1)).unwrap_or(self.now);
                all.server_groups.push(ServerGroup {
                    name,
                    account: job.account.clone(),
                    provider: String::new(),
                    region: made.region.clone(),
                    zones: made.zones.clone(),
                    created,
                    capacity: made.capacity,
                    disabled: !made.traffic,
                    leaving: false,
                    image: made.image.clone(),
                    instance_type: made.instance_type.clone(),
                    load_balancers: made.load_balancers.clone(),
                    firewalls: made.firewalls.clone(),
                    preview_address: None,
                    labels: made.labels.clone(),
                    env: made.env.clone(),
                    health_check: made.health_check.clone(),
                    share: made.share.clone(),
                    instances: Vec::new(),
                });
            }
            _ => {}
        }
    }
}

/// A group in a few words.
fn shown(group: &ServerGroup) -> String {
    let traffic = if group.disabled { "without traffic" } else { "with traffic" };
    format!("{} ({} of {} instances, {traffic})", group.name, group.instances.len(), group.capacity.desired)
}

#[cfg(test)]
mod tests;
