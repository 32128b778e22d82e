//! The one list of all stage types and tasks. A new stage type is a file beside this one and a line here.

use std::sync::Arc;

use events::outgoing::Outgoing;
use pipeline::{Engine, Registry};

use crate::{check_preconditions, evaluate_variables, jobs, manual_judgment, noop, pipeline_stage, wait, webhook};

/// What stages work with.
#[derive(Clone)]
pub struct Services {
    /// Starts and watches other pipelines; holds the control store.
    pub engine: Engine,
    /// Calls to the outside.
    pub outgoing: Arc<Outgoing>,
}

/// Every stage type and task.
pub fn all(services: &Services) -> Registry {
    let Services { engine, outgoing } = services.clone();
    let mut registry = Registry::new()
        // flow
        .stage(&wait::WaitStage)
        .pure("wait", wait::run)
        .stage(&noop::NoopStage)
        .stage(&manual_judgment::ManualJudgmentStage)
        .pure("manualJudgment", manual_judgment::run)
        .stage(&check_preconditions::CheckPreconditionsStage)
        .pure("checkPrecondition", check_preconditions::run)
        .stage(&evaluate_variables::EvaluateVariablesStage)
        .pure("evaluateVariables", evaluate_variables::run)
        .stage(&pipeline_stage::PipelineStage)
        .effect("startPipeline", Arc::new(pipeline_stage::StartPipeline(engine.clone())))
        .effect("monitorPipeline", Arc::new(pipeline_stage::MonitorPipeline(engine.clone())))
        // the outside
        .stage(&webhook::WebhookStage)
        .effect("createWebhook", Arc::new(webhook::CreateWebhook(outgoing.clone())))
        .effect("monitorWebhook", Arc::new(webhook::MonitorWebhook(outgoing)));
    // jobs of POST /tasks
    let job = Arc::new(jobs::DoJob(engine));
    for kind in &jobs::ALL {
        registry = registry.stage(kind).effect(pipeline::Stage::kind(kind), job.clone());
    }
    registry
}
