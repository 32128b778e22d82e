//! What errors of the pipeline domain are on the wire.

use axum::http::StatusCode;
use pipeline::EngineError;
use pipeline::applications::ApplicationError;
use pipeline::pipelines::PipelineError;
use pipeline::start::StartError;

use crate::Problem;

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Start(error) => error.into(),
            EngineError::UnknownExecution(_) | EngineError::UnknownStage { .. } | EngineError::UnknownPipeline(_) => {
                Self::not_found(error.to_string())
            }
            EngineError::StillRunning(_) => Self::bad_request(error.to_string()),
            EngineError::Stopped => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        Self::bad_request(error.to_string()).kind("InvalidRequestException").with_errors(vec![error.to_string()])
    }
}

impl From<PipelineError> for Problem {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Store(error) => error.into(),
            PipelineError::Malformed(error) => error.into(),
            PipelineError::NameTaken { .. } | PipelineError::Stale { .. } => {
                Self::bad_request(error.to_string()).kind("InvalidEntityException").with_errors(vec![error.to_string()])
            }
            PipelineError::Unknown(_) => Self::not_found(error.to_string()),
        }
    }
}

impl From<ApplicationError> for Problem {
    fn from(error: ApplicationError) -> Self {
        match error {
            ApplicationError::Store(error) => error.into(),
            ApplicationError::Unknown(_) => Self::not_found(error.to_string()),
            ApplicationError::Name(_) | ApplicationError::Exists(_) | ApplicationError::InUse(..) => {
                Self::bad_request(error.to_string())
            }
        }
    }
}
