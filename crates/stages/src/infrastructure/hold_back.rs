//! A rollback that stays: the release that a cluster was rolled back from is held back there, and what would bring it back says so.
//!
//! A person's rollback holds back, the one that a failed deployment does by itself does not: there nobody has judged the release.

use async_trait::async_trait;
use cloud::provider::{Resource, ResourceId};
use cloud::{CloudError, Clouds, Operation};
use pipeline::held::{self, HeldBack};
use pipeline::{Effect, Map, StageView, TaskInput, TaskResult};
use serde_json::Value;
use store::{StoreError, Tx};

use super::canary::CANARY_OF;
use super::guards::Guarded;
use super::operate::{Target, from_error};
use super::wishes::{self, text};
use super::{groups, until};

/// What a release is called: `package-version`, else the image's id.
async fn release_of(clouds: &Clouds, account: &str, image: &str) -> Result<String, CloudError> {
    let found = clouds.account(account)?.get(&ResourceId::Image(image.to_owned())).await?;
    let named = match found {
        Some(Resource::Image(image)) => image.tags.get("appversion").filter(|name| !name.is_empty()).cloned(),
        _ => None,
    };
    Ok(named.unwrap_or_else(|| image.to_owned()))
}

/// The task `createServerGroup`, which makes nothing of a release that is held back.
pub(crate) struct Create(pub Guarded);

#[async_trait]
impl Effect for Create {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let jobs = match groups::create(&input) {
            Ok(jobs) => jobs,
            Err(result) => return result,
        };
        let mut older = Vec::new();
        for job in &jobs {
            let Operation::CreateServerGroup(wanted) = &job.operation else { continue };
            // A canary stands in for the cluster that it tries the release for.
            let context = wishes::cluster_config(&wishes::context(&input));
            let cluster = text(&context, &[CANARY_OF]).map_or_else(|| wanted.cluster.to_string(), str::to_owned);
            let application = wanted.cluster.app().to_owned();
            let account = job.account.clone();
            let all = self.0.store.read(move |tx| held::of_cluster(tx, &application, &account, &cluster)).await;
            let all: Vec<HeldBack> = match all {
                Ok(all) => all,
                Err(error) => return from_store(&error, &input),
            };
            if all.is_empty() {
                continue;
            }
            let release = match release_of(&self.0.clouds, &job.account, &wanted.image).await {
                Ok(release) => release,
                Err(error) => return from_error(&error, &input),
            };
            if let Some(held) = all.iter().find(|held| held.release == release) {
                return TaskResult::failed(held.sentence());
            }
            older.extend(all.into_iter().filter(|held| is_older(&held.release, &release)));
        }
        let started = self.0.start(&input, jobs).await;
        if !older.is_empty() && matches!(started, TaskResult::Done { .. }) {
            // What people left is behind us: there is a newer one.
            let lifted = self.0.store.write(move |tx| held::lift(tx, &older)).await;
            if let Err(error) = lifted {
                tracing::warn!(%error, "a release that is overtaken stays held back");
            }
        }
        started
    }
}

fn from_store(error: &StoreError, input: &TaskInput) -> TaskResult {
    from_error(&CloudError::Store(error.to_string()), input)
}

/// Pure: whether both are of one package and the first has the lower version.
fn is_older(one: &str, other: &str) -> bool {
    let ((package, version), (same, newer)) = (held::split(one), held::split(other));
    !package.is_empty() && package == same && debian::version::compare(version, newer).is_lt()
}

/// The last task of a rollback: holds back what was left.
pub(crate) struct HoldBack(pub Guarded);

#[async_trait]
impl Effect for HoldBack {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let Some(view) = input.view() else { return TaskResult::failed("the stage of this task is gone") };
        if is_part_of_a_deployment(&view) {
            return TaskResult::succeeded();
        }
        let held = match self.left(&view, &input).await {
            Ok(Some(held)) => held,
            Ok(None) => return TaskResult::succeeded(),
            Err(error) => return from_error(&error, &input),
        };
        let (release, cluster) = (held.release.clone(), held.cluster.clone());
        let kept = self.0.store.write(move |tx| held::hold(tx, &held)).await;
        match kept {
            Ok(()) => {
                input.log.line(&format!("{release} is held back from {cluster}"));
                TaskResult::succeeded().context("heldBack", release.clone()).output("heldBack", release)
            }
            Err(error) => from_store(&error, &input),
        }
    }
}

impl HoldBack {
    /// What is held back. None: nobody knows what it was, or the cluster still runs the same.
    async fn left(&self, view: &StageView<'_>, input: &TaskInput) -> Result<Option<HeldBack>, CloudError> {
        let context = view.context();
        let rollback = context.get("rollbackContext").and_then(Value::as_object).cloned().unwrap_or_default();
        let Ok(account) = wishes::account(context) else { return Ok(None) };
        let region = wishes::regions(context).remove(0);
        let mut releases = Vec::new();
        for key in ["rollbackServerGroupName", "restoreServerGroupName"] {
            let Some(name) = text(&rollback, &[key]) else { continue };
            let target =
                Target { account: account.clone(), region: region.clone(), server_group_name: name.to_owned() };
            if let Some(group) = until::find(&self.0.clouds, &target).await? {
                let release = release_of(&self.0.clouds, &account, &group.image).await?;
                releases.push((key, group, release));
            }
        }
        let Some((_, group, release)) = releases.iter().find(|(key, ..)| *key == "rollbackServerGroupName") else {
            return Ok(None);
        };
        if releases.iter().filter(|(_, _, other)| other == release).count() > 1 {
            return Ok(None);
        }
        Ok(Some(HeldBack {
            application: group.name.cluster().app().to_lowercase(),
            account: account.clone(),
            cluster: group.name.cluster().to_string(),
            release: release.clone(),
            image: group.image.clone(),
            who: input.execution.trigger.user().to_owned(),
            reason: reason(view).unwrap_or_else(|| "no reason given".to_owned()),
            at: input.now,
        }))
    }
}

fn is_part_of_a_deployment(view: &StageView) -> bool {
    const DEPLOYING: [&str; 4] = ["deploy", "createServerGroup", "cloneServerGroup", "copyLastAsg"];
    view.execution().around(&view.stage().id).any(|stage| DEPLOYING.contains(&stage.kind.as_str()))
}

/// What the person said.
fn reason(view: &StageView) -> Option<String> {
    let mut around = view.execution().around(&view.stage().id);
    let own = around.find_map(|stage| text(&stage.context, &["reason"]).map(str::to_owned));
    own.filter(|reason| !reason.trim().is_empty())
}

/// What stands in the way of a pipeline that an event would start with this release: it is held back from a cluster that the pipeline
/// deploys to.
pub(crate) fn stops(tx: &mut Tx, pipeline: &Map, release: &str) -> Result<Option<HeldBack>, StoreError> {
    let application = text(pipeline, &["application"]).unwrap_or_default();
    let mut all = held::of_application(tx, application)?;
    if all.is_empty() {
        return Ok(None);
    }
    let stages = pipeline.get("stages").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let named = |stage: &Map| -> Vec<(Option<String>, String)> {
        let clusters = stage.get("clusters").and_then(Value::as_array).into_iter().flatten();
        let named = |cluster: &Map| {
            // An account that is known only when it runs may be any.
            let account = wishes::account_of_cluster(cluster, stage).filter(|account| !account.contains("${"));
            Some((account, wishes::cluster_of(cluster, application).ok()?.to_string()))
        };
        clusters.filter_map(Value::as_object).filter_map(named).collect()
    };
    let named: Vec<(Option<String>, String)> = stages.flat_map(named).collect();
    let meant = |held: &HeldBack| {
        named.iter().any(|(account, cluster)| held.is_of(account.as_deref().unwrap_or(&held.account), cluster))
    };
    all.retain(|held| held.release == release && meant(held));
    Ok(all.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lower_version_of_the_same_package_is_older() {
        for (one, other, older) in [
            ("hello-1.0", "hello-1.1", true),
            ("hello-1.0", "hello-1.0", false),
            ("hello-1.0~rc1", "hello-1.0", true),
            ("hello-2.0", "hello-1.0", false),
            ("hello-1.0", "other-2.0", false),
            ("sha256:ab", "sha256:cd", false),
        ] {
            assert_eq!(is_older(one, other), older, "{one} {other}");
        }
    }
}
