//! `gennaker openapi`.

use std::process::ExitCode;

/// Prints the document that the handlers make.
pub fn run() -> anyhow::Result<ExitCode> {
    print!("{}", api::openapi::document()?);
    Ok(ExitCode::SUCCESS)
}
