//! `upsertImageTags`: adds tags to the images that a stage names, or that the stages before it made or found.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cloud::inventory::Image;
use cloud::operation::TagImage;
use cloud::{CloudError, Operation, Query};
use pipeline::{Effect, Map, StageView, TaskInput, TaskResult};
use serde_json::Value;

use super::guards::Guarded;
use super::operate::{Job, from_error};
use super::wishes::{self, text, texts};

/// The task.
pub(crate) struct Tag(pub Guarded);

#[async_trait]
impl Effect for Tag {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config = wishes::context(&input);
        let tags = tags(&config);
        if tags.is_empty() {
            return TaskResult::failed("gives no tags: `tags` is an object of texts");
        }
        let wanted = input.view().map(|view| images(&view, &config)).unwrap_or_default();
        if wanted.is_empty() {
            return TaskResult::failed("names no image and no earlier stage made or found one: give `imageNames`");
        }
        match self.jobs(&config, &wanted, &tags).await {
            Ok(jobs) => self.0.start(&input, jobs).await,
            Err(error) => from_error(&error, &input),
        }
    }
}

impl Tag {
    /// One operation an image, in the account that has it.
    async fn jobs(
        &self,
        config: &Map,
        wanted: &BTreeSet<String>,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<Job>, CloudError> {
        let named = wishes::account(config).ok();
        let known = self.0.clouds.list(&Query::default()).await?.images;
        let region = wishes::regions(config).remove(0);
        let mut jobs = Vec::new();
        for image in wanted {
            let is_it = |one: &&Image| one.id == *image || one.name == *image;
            let is_here = |one: &&Image| one.regions.is_empty() || one.regions.contains(&region);
            let holder = known.iter().filter(is_it).find(is_here).or_else(|| known.iter().find(is_it));
            let account = named.clone().or_else(|| holder.map(|one| one.account.clone()));
            let missing = || CloudError::NotFound { what: "image", name: image.clone(), account: "any".into() };
            let account = account.ok_or_else(missing)?;
            let id = holder.map_or_else(|| image.clone(), |one| one.id.clone());
            let operation = Operation::TagImage(TagImage { image: id, region: region.clone(), tags: tags.clone() });
            jobs.push(Job { account, operation, group: None });
        }
        Ok(jobs)
    }
}

fn tags(config: &Map) -> BTreeMap<String, String> {
    let given = config.get("tags").and_then(Value::as_object).into_iter().flatten();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    given.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The images that are named, else those of the stages before this one; `consideredStages` leaves out all that it does not name.
fn images(stage: &StageView, config: &Map) -> BTreeSet<String> {
    let named = texts(config.get("imageNames"));
    if !named.is_empty() {
        return named.into_iter().collect();
    }
    let considered = texts(config.get("consideredStages"));
    let mut found = BTreeSet::new();
    for before in stage.ancestors() {
        if !considered.is_empty() && !considered.contains(&before.ref_id) {
            continue;
        }
        for details in [before.outputs.get("deploymentDetails"), before.context.get("amiDetails")] {
            let all = details.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
            found.extend(all.filter_map(|one| text(one, &["imageId", "ami", "imageName"])).map(str::to_owned));
        }
    }
    found
}
