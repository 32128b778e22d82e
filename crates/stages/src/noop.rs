//! `noop`: does nothing. A stage without tasks is skipped.

use pipeline::{Plan, PlanError, Stage, StageView};

/// The stage type.
pub struct NoopStage;

impl Stage for NoopStage {
    fn kind(&self) -> &'static str {
        "noop"
    }
    fn plan(&self, _: &StageView) -> Result<Plan, PlanError> {
        Ok(Plan::default())
    }
}
