//! `evaluateArtifacts`: makes artifacts of texts that stand in the pipeline, with their expressions evaluated.

use base64::Engine as _;
use jiff::Timestamp;
use pipeline::{Plan, PlanError, Stage, StageView, TaskInput, TaskResult, TaskSpec, fields};
use schemars::Schema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The stage type.
pub struct EvaluateArtifactsStage;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    /// The artifacts.
    artifact_contents: Vec<Content>,
}

/// One artifact.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Content {
    id: Option<String>,
    name: String,
    /// A text; anything else is written as JSON.
    contents: Value,
}

impl Stage for EvaluateArtifactsStage {
    fn kind(&self) -> &'static str {
        "evaluateArtifacts"
    }
    fn schema(&self) -> Option<Schema> {
        Some(fields::written("artifactContents!: [{id: text, name!: text, contents: any}]"))
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::tasks([TaskSpec::new("evaluateArtifacts", "evaluateArtifacts")]))
    }
    fn makes_artifacts(&self) -> bool {
        true
    }
}

pub(crate) fn run(input: &TaskInput, _: Timestamp) -> TaskResult {
    let config: Config = match input.config() {
        Ok(config) => config,
        Err(failed) => return failed,
    };
    let artifacts: Vec<Value> = config.artifact_contents.iter().map(artifact).collect();
    TaskResult::succeeded().output("artifacts", artifacts)
}

fn artifact(content: &Content) -> Value {
    let text = content.contents.as_str().map_or_else(|| content.contents.to_string(), str::to_owned);
    let reference = base64::engine::general_purpose::STANDARD.encode(text);
    let mut artifact = json!({
        "type": "embedded/base64", "customKind": false, "name": content.name, "reference": reference,
        "artifactAccount": "embedded-artifact",
    });
    if let Some(id) = &content.id {
        artifact["metadata"] = json!({ "id": id });
    }
    artifact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_embedded_and_anything_else_is_json() {
        let made = artifact(&Content { id: Some("7".into()), name: "a.yml".into(), contents: json!("x: 1") });
        assert_eq!((&made["reference"], &made["metadata"]["id"]), (&json!("eDogMQ=="), &json!("7")));
        let made = artifact(&Content { id: None, name: "a.json".into(), contents: json!({"x": 1}) });
        assert_eq!(made["reference"], "eyJ4IjoxfQ==");
    }
}
