//! `aptly mirror …`: there are none yet, and every command says so as aptly does for a root without mirrors.

use super::flags::Parsed;
use super::{Context, Failure, say};

pub fn list(_: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    if parsed.on("json") {
        say!("[]");
    } else if !parsed.on("raw") {
        say!("No mirrors found, create one with `aptly mirror create ...`.");
    }
    Ok(())
}

/// `show`, `search`, `update`, `rename`, `drop`, `edit`: the name is the first word.
pub fn missing(_: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    let verb = parsed.command.path.last().copied().unwrap_or("find");
    Err(Failure::Run(format!("unable to {verb}: mirror with name {} not found", parsed.args[0])))
}

pub fn create(_: &mut Context, _: &Parsed) -> Result<(), Failure> {
    Err(Failure::Run(
        "unable to create mirror: this version keeps no mirrors yet; add packages with `aptly repo add`".into(),
    ))
}

/// `repo import`: the first word is a mirror.
pub fn import(_: &mut Context, parsed: &Parsed) -> Result<(), Failure> {
    Err(Failure::Run(format!("unable to import: mirror with name {} not found", parsed.args[0])))
}
