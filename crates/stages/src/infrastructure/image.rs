//! Which image a deployment runs: its own, the one that an artifact names, or what a stage before it has made. Pure.

use pipeline::{Map, StageView};
use serde_json::Value;

use super::wishes::text;

const OWN: [&str; 4] = ["image", "imageId", "amiName", "ami"];

/// A package that is given where an image is asked for: `package`, or an image written as `helloterry=2.0`. It is baked on the way.
pub(crate) fn package(config: &Map) -> Option<&str> {
    let versioned = |image: &&str| image.contains('=') && !image.contains(['/', ':', '$']);
    text(config, &["package"]).or_else(|| text(config, &OWN).filter(versioned))
}

/// Makes this the image, whatever names one now.
pub(crate) fn replace(config: &mut Map, image: &str) {
    for key in
        OWN.into_iter().chain(["imageSource", "imageArtifact", "imageArtifactId", "deploymentDetails", "package"])
    {
        config.shift_remove(key);
    }
    config.insert("image".into(), image.into());
}

/// The image for a region.
pub(crate) fn find(stage: &StageView, config: &Map, region: &str) -> Option<String> {
    if package(config).is_some() {
        let own = stage.children();
        return own.iter().find_map(|child| from_details(child.outputs.get("deploymentDetails"), region));
    }
    if text(config, &["imageSource"]) == Some("artifact") {
        let artifact = config.get("imageArtifact").and_then(Value::as_object)?;
        return text(artifact, &["reference", "name"]).map(str::to_owned);
    }
    let prior = text(config, &["imageSource"])
        .is_some_and(|source| source.eq_ignore_ascii_case("priorStage") || source == "PRIORCONTEXT");
    let own = if prior { None } else { text(config, &OWN).map(str::to_owned) };
    own.or_else(|| from_details(config.get("deploymentDetails"), region))
        .or_else(|| from_stages(stage, region))
        .or_else(|| from_execution(stage, region))
        .or_else(|| from_parent(stage, region))
}

/// The stages before this one, nearest first.
fn from_stages(stage: &StageView, region: &str) -> Option<String> {
    let ancestors = stage.ancestors();
    let details = ancestors.iter().find_map(|before| from_details(before.outputs.get("deploymentDetails"), region));
    details.or_else(|| {
        // A stage that is around this one carries its own configuration, not a result.
        let mut done = ancestors.iter().filter(|before| before.status.is_complete());
        done.find_map(|before| {
            from_details(before.context.get("amiDetails"), region)
                .or_else(|| text(&before.context, &["imageId"]).map(str::to_owned))
        })
    })
}

/// Any stage of this execution.
fn from_execution(stage: &StageView, region: &str) -> Option<String> {
    stage.execution().stages.iter().find_map(|other| from_details(other.outputs.get("deploymentDetails"), region))
}

/// The execution that started this one, as its trigger recorded it.
fn from_parent(stage: &StageView, region: &str) -> Option<String> {
    let trigger = serde_json::to_value(stage.trigger()).ok()?;
    let stages = trigger.get("parentExecution")?.get("stages")?.as_array()?;
    stages.iter().find_map(|other| from_details(other.get("outputs")?.get("deploymentDetails"), region))
}

/// The first entry for the region, else the first that names none.
fn from_details(details: Option<&Value>, region: &str) -> Option<String> {
    let list: Vec<&Map> = details?.as_array()?.iter().filter_map(Value::as_object).collect();
    let of_region = list.iter().find(|entry| text(entry, &["region", "zone"]) == Some(region));
    let chosen = of_region
        .or_else(|| list.iter().find(|entry| text(entry, &["region", "zone"]).is_none_or(|r| r == "global")))
        .or(list.first())?;
    text(chosen, &["imageId", "ami", "imageName"]).map(str::to_owned)
}
