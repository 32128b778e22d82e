//! The one list of all stage types and tasks. A new stage type is a file beside this one, a line in `flow` and, for its effects, in `all`.

use std::sync::Arc;

use events::outgoing::Outgoing;
use pipeline::{Engine, Registry};

use crate::webhook::Preconfigured;
use crate::{
    bake, check_preconditions, elsewhere, evaluate_artifacts, evaluate_variables, find_artifact, infrastructure, jobs,
    manual_judgment, monitor_pipelines, noop, pipeline_stage, run_multiple, save_from_artifact, script, wait,
    wait_until, webhook,
};

/// What stages work with.
#[derive(Clone)]
pub struct Services {
    /// Starts and watches other pipelines; holds the control store.
    pub engine: Engine,
    /// Calls to the outside.
    pub outgoing: Arc<Outgoing>,
    /// Webhooks that the operator prepared; their stage types are added last (`webhook::register_preconfigured`).
    pub webhooks: Arc<Vec<Preconfigured>>,
    /// What webhooks may send and nobody may read.
    pub secrets: Arc<access::Secrets>,
}

/// Every stage type, with the tasks that need nothing from outside: enough to say what a pipeline would do.
pub fn types() -> Registry {
    let registry = jobs::ALL.iter().fold(flow(), |registry, kind| registry.stage(kind));
    elsewhere::register(infrastructure::stages(bake::types(registry.stage(&script::ScriptStage))))
}

fn flow() -> Registry {
    Registry::new()
        .stage(&wait::WaitStage)
        .pure("wait", wait::run)
        .stage(&wait_until::WaitUntilStage)
        .pure("waitUntil", wait_until::run)
        .stage(&noop::NoopStage)
        .stage(&manual_judgment::ManualJudgmentStage)
        .pure("manualJudgment", manual_judgment::run)
        .stage(&check_preconditions::CheckPreconditionsStage)
        .pure("checkPrecondition", check_preconditions::run)
        .stage(&evaluate_variables::EvaluateVariablesStage)
        .pure("evaluateVariables", evaluate_variables::run)
        .stage(&evaluate_artifacts::EvaluateArtifactsStage)
        .pure("evaluateArtifacts", evaluate_artifacts::run)
        .stage(&find_artifact::FindArtifactStage)
        .stage(&pipeline_stage::PipelineStage)
        .stage(&run_multiple::RunMultiplePipelinesStage)
        .pure(run_multiple::REPORT, run_multiple::run)
        .stage(&monitor_pipelines::MonitorPipelineStage)
        .stage(&monitor_pipelines::DependsOnExecutionStage)
        .stage(&webhook::WebhookStage)
        .stage(&save_from_artifact::SavePipelinesFromArtifactStage)
}

/// Every stage type and task that needs no more than these services. Those over clouds, images and scripts register themselves.
pub fn all(services: &Services) -> Registry {
    let Services { engine, outgoing, webhooks, secrets } = services.clone();
    let mut registry = flow()
        .effect("startPipeline", Arc::new(pipeline_stage::StartPipeline(engine.clone())))
        .effect("monitorPipeline", Arc::new(pipeline_stage::MonitorPipeline(engine.clone())))
        .effect(find_artifact::FIND, Arc::new(find_artifact::FindArtifact(engine.clone())))
        .effect(monitor_pipelines::MONITOR, Arc::new(monitor_pipelines::MonitorExecutions(engine.clone())))
        .effect(monitor_pipelines::DEPENDS, Arc::new(monitor_pipelines::DependsOnExecution(engine.clone())));
    registry = webhook::register(registry, outgoing.clone(), webhooks, secrets);
    let save = save_from_artifact::SaveFromArtifact { engine: engine.clone(), outgoing };
    registry = registry.effect(save_from_artifact::SAVE, Arc::new(save));
    // jobs of POST /tasks
    let job = Arc::new(jobs::DoJob(engine));
    for kind in &jobs::ALL {
        registry = registry.stage(kind).effect(pipeline::Stage::kind(kind), job.clone());
    }
    registry
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_stage_type_says_which_fields_it_has() {
        let registry = types();
        let silent = ["noop", pipeline::window::KIND];
        for kind in registry.kinds().into_iter().filter(|kind| !silent.contains(kind)) {
            let schema = registry.stage_type(kind, None).and_then(pipeline::Stage::schema);
            let schema = schema.map(Value::from).unwrap_or_default();
            let fields = schema.get("properties").and_then(Value::as_object);
            assert!(fields.is_some_and(|fields| !fields.is_empty()), "{kind}: {schema}");
        }
    }
}
