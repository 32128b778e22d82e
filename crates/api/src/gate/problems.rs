//! What errors of the pipeline domain are on the wire.

use axum::http::StatusCode;
use pipeline::EngineError;
use pipeline::applications::{ApplicationError, RestoreError};
use pipeline::pipelines::PipelineError;
use pipeline::projects::ProjectError;
use pipeline::start::StartError;
use pipeline::templates::TemplateError;

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
        if let StartError::Refused(why) = error {
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, why);
        }
        Self::bad_request(error.to_string()).kind("InvalidRequestException").with_errors(vec![error.to_string()])
    }
}

impl From<PipelineError> for Problem {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Store(error) => error.into(),
            PipelineError::Malformed(error) => error.into(),
            PipelineError::NameTaken { .. }
            | PipelineError::Stale { .. }
            | PipelineError::Elsewhere { .. }
            | PipelineError::Template(_) => {
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

impl From<RestoreError> for Problem {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Store(error) => error.into(),
            RestoreError::Application(error) => error.into(),
            RestoreError::Pipeline(error) => error.into(),
        }
    }
}

impl From<ProjectError> for Problem {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Store(error) => error.into(),
            ProjectError::Unknown(_) => Self::not_found(error.to_string()),
            ProjectError::Name | ProjectError::NameTaken(_) => Self::bad_request(error.to_string()),
        }
    }
}

impl From<TemplateError> for Problem {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Store(error) => error.into(),
            TemplateError::Unknown(_) => Self::not_found(error.to_string()),
            other => Self::bad_request(other.to_string())
                .kind("InvalidRequestException")
                .with_errors(vec![other.to_string()]),
        }
    }
}
