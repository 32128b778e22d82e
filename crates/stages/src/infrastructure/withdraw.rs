//! What is withdrawn when a deployment is cancelled: the operation that runs, and the pins that held its source.

use async_trait::async_trait;
use cloud::Operation;
use cloud::health::Capacity;
use cloud::operation::{GroupAt, ResizeServerGroup};
use pipeline::model::{Stage, Status};
use pipeline::{Effect, StageView, TaskInput, TaskResult};

use super::guards::Guarded;
use super::operate::{self, Job, Monitor, Target};
use super::{canary, until, wishes};

/// Ends what a deployment has going, and lets its source shrink again. Groups and traffic stay as they are: people decide about them.
pub(crate) struct Withdraw(pub Guarded);

#[async_trait]
impl Effect for Withdraw {
    async fn run(&self, _input: TaskInput) -> TaskResult {
        TaskResult::succeeded()
    }

    async fn cancel(&self, input: TaskInput) {
        Monitor { clouds: self.0.clouds.clone() }.cancel(input.clone()).await;
        self.end_canary(&input).await;
        let Some((target, before)) = input.view().and_then(|view| pinned(&view)) else { return };
        let group = match until::find(&self.0.clouds, &target).await {
            Ok(Some(group)) if group.capacity.min > before.min => group,
            Ok(_) => return,
            Err(error) => {
                return tracing::warn!(%error, group = target.server_group_name, "a group may still be pinned");
            }
        };
        let capacity = Capacity { min: before.min.min(group.capacity.desired), ..group.capacity };
        let operation =
            Operation::ResizeServerGroup(ResizeServerGroup { group: group.name, region: group.region, capacity });
        let job = Job { account: target.account.clone(), operation, group: Some(target) };
        if let TaskResult::Failed { error } = operate::start(&self.0.clouds, &input, vec![job]).await {
            tracing::warn!(error = error.errors.join("; "), "a group may still be pinned");
        }
    }
}

impl Withdraw {
    /// A canary and its baseline were there to be compared; nobody compares them any more. They are found by their clusters: that the run
    /// heard of them is not certain when it was cut off.
    async fn end_canary(&self, input: &TaskInput) {
        for place in input.view().map(|view| canary::places(&view)).unwrap_or_default() {
            if let Err(why) = self.clear(&place, input).await {
                tracing::warn!(why, cluster = %place.cluster, "a canary may still be there");
            }
        }
    }

    async fn clear(&self, place: &canary::Place, input: &TaskInput) -> Result<(), String> {
        let found = self.0.clouds.cluster(&place.account, &place.cluster, Some(&place.region)).await;
        let groups = found.map_err(|error| error.to_string())?;
        for group in groups.into_iter().filter(|group| !group.leaving && group.created >= place.since) {
            let (account, region) = (place.account.clone(), group.region.clone());
            let target = Target { account: account.clone(), region, server_group_name: group.name.to_string() };
            let operation = Operation::DestroyServerGroup(GroupAt { group: group.name, region: group.region });
            let job = Job { account, operation, group: Some(target) };
            if let TaskResult::Failed { error } = operate::start(&self.0.clouds, input, vec![job]).await {
                return Err(error.errors.join("; "));
            }
        }
        Ok(())
    }
}

/// Pure: the source of a deployment that has begun to pin it, with the capacity that it had before. What the pin itself noted may have been
/// lost with the cancellation.
fn pinned(deployment: &StageView) -> Option<(Target, Capacity)> {
    let pins = |stage: &Stage| {
        stage.kind == "pinServerGroup" && wishes::flag(&stage.context, "pinMinimumCapacity") == Some(true)
    };
    deployment.children().into_iter().find(|stage| pins(stage) && stage.status != Status::NotStarted)?;
    let source = deployment.context().get("source")?;
    let before = serde_json::from_value(source.get("capacity")?.clone()).ok()?;
    Some((serde_json::from_value(source.clone()).ok()?, before))
}
