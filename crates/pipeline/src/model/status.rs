//! How far an execution, a stage or a task has come.

use serde::{Deserialize, Serialize};

/// The status of an execution, a stage or a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Waits for its turn.
    #[default]
    NotStarted,
    /// At work.
    Running,
    /// Held by a person; goes on when resumed.
    Paused,
    /// Kept for definitions that name it; the engine never sets it.
    Suspended,
    /// Done, and well.
    Succeeded,
    /// Failed, and the pipeline goes on all the same.
    FailedContinue,
    /// Failed, and the pipeline with it.
    Terminal,
    /// Ended by a person or by another failure.
    Canceled,
    /// Kept for definitions that name it; the engine never sets it.
    Redirect,
    /// This branch ends here; the pipeline does not fail because of it.
    Stopped,
    /// Had nothing to do, or was told to do nothing.
    Skipped,
    /// Kept for definitions that name it; the engine never sets it.
    Buffered,
}

impl Status {
    /// Nothing happens to it any more (until somebody restarts it).
    pub fn is_complete(self) -> bool {
        matches!(
            self,
            Status::Succeeded
                | Status::FailedContinue
                | Status::Terminal
                | Status::Canceled
                | Status::Stopped
                | Status::Skipped
        )
    }

    /// What stands behind it does not run.
    pub fn is_halt(self) -> bool {
        matches!(self, Status::Terminal | Status::Canceled | Status::Stopped)
    }

    /// What stands behind it may run.
    pub fn lets_others_start(self) -> bool {
        matches!(self, Status::Succeeded | Status::FailedContinue | Status::Skipped)
    }

    /// Succeeded, stopped or skipped: what Spinnaker counts as successful.
    pub fn is_successful(self) -> bool {
        matches!(self, Status::Succeeded | Status::Stopped | Status::Skipped)
    }

    /// Failed in one of the ways in which a thing fails by itself.
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Terminal | Status::Stopped | Status::FailedContinue)
    }

    /// As it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::NotStarted => "NOT_STARTED",
            Status::Running => "RUNNING",
            Status::Paused => "PAUSED",
            Status::Suspended => "SUSPENDED",
            Status::Succeeded => "SUCCEEDED",
            Status::FailedContinue => "FAILED_CONTINUE",
            Status::Terminal => "TERMINAL",
            Status::Canceled => "CANCELED",
            Status::Redirect => "REDIRECT",
            Status::Stopped => "STOPPED",
            Status::Skipped => "SKIPPED",
            Status::Buffered => "BUFFERED",
        }
    }

    /// Reads the text of [`Status::as_str`].
    pub fn parse(text: &str) -> Option<Status> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
